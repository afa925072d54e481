"""Trained models on disk, each with a card and with digests that are checked before anything is loaded.

A store (`artifacts/` is shipped, `workspace/` is this installation's own) holds `models/<key>/model.skops` (of a
network `network.npz`, its plain arrays), `card.md` beside it, and one `manifest.json`. Both kinds of files hold data,
not code: only the types listed below are ever built from a skops file. A vote of saved models has no model file of its
own: its entry names its members in the same store, with digests and weights.
"""

import dataclasses
import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from ser_core import records
from ser_core.audio.conditions import CONDITIONS
from ser_core.corpus.labels import LABELS
from ser_core.environment import versions
from ser_core.errors import ArtifactError, DamagedError, ModelError
from ser_core.experiments import Result
from ser_core.features import registry as feature_sets
from ser_core.features.augmentation import augmented
from ser_core.files import atomically
from ser_core.models import network_arrays
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.recipe import Recipe
from ser_core.prediction import cards
from ser_core.prediction.cards import Situation, TrainedOn, Unheard
from ser_core.records import Unreadable
from ser_core.results import runs
from ser_core.results.runs import Run

logger = logging.getLogger(__name__)

# The protocols whose predictions for held-out speakers decide on verdicts: the first under which a model has a run.
UNHEARD = ("emobox", "emobox+neutral-2")
MODEL_FILE = "model.skops"
NETWORK_FILE = "network.npz"
CARD_FILE = "card.md"
MANIFEST = "manifest.json"
# The scores that are told of each model, of voices that it knows and of others.
SAID_OF_KNOWN, SAID_OF_UNHEARD = ("test_accuracy",), ("emotion_accuracy", "emotion_claimed")

# Beyond the scikit-learn and NumPy types that skops trusts by default.
TRUSTED_TYPES = [
    "ser_core.models.speaker_offset.SpeakerOffset",
    "collections.OrderedDict",
    "collections.defaultdict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "ser_core.models.classical.CalibrationFolds",
    "ser_core.models.classical.NearestNeighbours",
    "ser_core.models.classical.nearness",
    "ser_core.models.emotion_classifier.EmotionClassifier",
    "ser_core.models.hierarchy.ApartClassifier",
    "ser_core.models.hierarchy.GenderFirstClassifier",
    "ser_core.models.kernel_ridge.KernelRidgeClassifier",
    "ser_core.models.preprocessing.SoftWhitener",
    "ser_core.models.preprocessing.to_decibels",
    "ser_core.models.preprocessing.weigh_mfcc",
    "ser_core.models.augmented.AugmentedClassifier",
    "ser_core.models.robust.RobustClassifier",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
]

# A model's predictions are reproducible only with the same versions of these packages.
CHECKED_PACKAGES = {MODEL_FILE: ("scikit-learn", "xgboost", "lightgbm"), NETWORK_FILE: ()}


@dataclass(frozen=True)
class Member:
    """A trained model that is a member of a vote.

    Parameters
    ----------
    weight : float
    digest : str
        SHA-256 of its file.
    """

    weight: float
    digest: str


@dataclass(frozen=True)
class ModelEntry:
    """A trained model, as its store's manifest describes it.

    Parameters
    ----------
    key : str
    store : Path
    shipped : bool
    name : str
    files : dict
        Name -> SHA-256.
    versions : dict
        Of the packages that it was made with.
    features : str
        Version of the feature set.
    labels : list of str
        Its classes, in order.
    run : str
        Id of the run whose test predictions it made.
    recipe : Recipe
    scores : dict
        Of that run.
    trained_on : TrainedOn
    unheard : Unheard, optional
        Its scores for speakers outside the training clips, if measured.
    situations : dict of str to Situation
        "recording" (in conditions) and "corpus" (another one): where it was tested beside `run` and `unheard`.
    members : dict
        Of a vote of saved models: key -> `Member`.
    seen : list of int
        Of a network: places in `LABELS` of the classes that it was trained on.
    """

    key: str
    store: Path
    shipped: bool
    name: str
    files: dict[str, str]
    versions: dict[str, str]
    features: str
    labels: list[str]
    run: str
    recipe: Recipe
    scores: dict[str, float]
    trained_on: TrainedOn
    unheard: Unheard | None = None
    situations: dict[str, Situation] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)

    @classmethod
    def of_manifest(cls, key: str, store: Path, shipped: bool, entry: Any) -> "ModelEntry":
        """Read an entry of a manifest.

        Parameters
        ----------
        key : str
        store : Path
        shipped : bool
        entry : object
            As JSON gives it.

        Returns
        -------
        ModelEntry

        Raises
        ------
        DamagedError
            If a field or a score is missing, a field is unknown, or one has another type.
        """
        made = records.as_record(cls, entry, "its entry", key=key, store=store, shipped=shipped)
        told = [made.scores, *([made.unheard.scores] if made.unheard else [])]
        for scores, names in zip(told, (SAID_OF_KNOWN, SAID_OF_UNHEARD), strict=False):
            if lacking := [name for name in names if name not in scores]:
                raise DamagedError(f"its entry lacks the score {lacking[0]!r}")
        return made

    def as_entry(self) -> dict:
        """The entry for the manifest.

        Returns
        -------
        dict
        """
        entry = asdict(self)
        for name in ("key", "store", "shipped"):
            entry.pop(name)
        return {name: value for name, value in entry.items() if value not in ({}, [])}

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return self.store / "models" / self.key

    @property
    def title(self) -> str:
        """Its name on a page, which tells own models from shipped ones."""
        return self.name + ("" if self.shipped else f" (trained here, on {self.trained_on.clips:,} clips)")

    @property
    def digest(self) -> str:
        """SHA-256 of the model file, or of the members in a vote's entry."""
        if self.is_vote:
            members = {key: asdict(member) for key, member in self.members.items()}
            return hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()
        return self.files[self.model_file]

    @property
    def is_vote(self) -> bool:
        """Whether it is a vote of other trained models of its store."""
        return bool(self.members)

    @property
    def model_file(self) -> str:
        """The name of the file that holds the fitted model."""
        return NETWORK_FILE if NETWORK_FILE in self.files else MODEL_FILE

    @property
    def worth(self) -> tuple[str, ...]:
        """How often it is right, a sentence for each situation: voices of the training clips, new ones, and so on."""
        called = self.trained_on.speakers_called
        whose = "the study's" if called == "actors" else "its"
        known = (
            f"Of {whose} test clips, by {called} whom it has heard, it names "
            f"{self.scores['test_accuracy']:.0%} right, emotion and gender"
        )
        if not self.unheard:
            return known, "On voices that it has never heard it is wrong far more often; how often was not measured"
        right, claimed = (self.unheard.scores[f"emotion_{name}"] for name in ("accuracy", "claimed"))
        whom = self.unheard.before or " that it has never heard"
        new = f"On voices{whom} it names {right:.0%} of eight emotions right, while claiming to be {claimed:.0%} sure"
        return known, new, *(_in_situation(name, one) for name, one in self.situations.items())

    @property
    def situations_by_title(self) -> dict[str, tuple[float, str]]:
        """Title of each situation in which it was tested -> the share of emotions it named right, and whose clips."""
        known = self.scores.get("emotion_accuracy", self.scores["test_accuracy"])
        called = self.trained_on.speakers_called
        found = {"Known voice": (known, f"Other clips of the {called} that it learned from, recorded as those were.")}
        if self.unheard:
            right, before = self.unheard.scores["emotion_accuracy"], self.unheard.before
            place = "the same study" if called == "actors" else self.trained_on.corpus
            if before:  # what is right of voices that the model does not know, was not measured
                whose = f"Voices of {place} that it has not learned from, recorded alike{before}."
                found["New voice once known"] = (right, whose)
            else:
                whose = f"Speech of {called} of {place} whom it had never heard, recorded alike."
                found["New voice"] = (right, whose)
        if one := self.situations.get("recording"):
            found["Other recording"] = (one.right, f"The same, each {one.what}: telephone, room, noise and so on.")
        if one := self.situations.get("corpus"):
            found["Other language"] = (one.right, f"Clips of another corpus: {one.what}.")
        return found

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / CARD_FILE).read_text()


def _in_situation(name: str, one: Situation) -> str:
    where = {
        "recording": f"On such voices recorded otherwise ({one.what})",
        "corpus": f"On people of another corpus and language ({one.what})",
    }[name]
    return f"{where} it names {one.right:.0%} right and claims {one.claimed:.0%}"


@dataclass(frozen=True)
class Tests:
    """The runs that tell how a model does elsewhere.

    Parameters
    ----------
    unheard : Run, optional
        The same model under a speaker-independent protocol.
    heard : sequence of Run
        The same test clips in recording conditions.
    corpora : sequence of Run
        The same model, tested on other corpora.
    """

    unheard: Run | None = None
    heard: Sequence[Run] = ()
    corpora: Sequence[Run] = ()

    @classmethod
    def of(cls, run: Run, found: Sequence[Run]) -> "Tests":
        """Those of the recipe of a run on the same clips.

        Parameters
        ----------
        run : Run
        found : sequence of Run
            The newest last.

        Returns
        -------
        Tests
        """
        ours = [one for one in found if not one.bundle]
        same = [one for one in ours if (one.recipe, one.data_digest) == (run.recipe, run.data_digest)]
        protocol = next((name for name in UNHEARD if any(one.protocol == name for one in same)), "")
        on_others = [one for one in same if one.protocol == protocol]
        plain = [one for one in on_others if not one.heard]
        heard = {one.heard: one for one in on_others}
        return cls(
            plain[-1] if plain else None,
            [heard[key] for key in CONDITIONS if key in heard],
            runs.elsewhere(same),
        )

    @property
    def situations(self) -> dict[str, Situation]:
        """As `ModelEntry` has them."""
        found = {}
        if self.heard:
            found["recording"] = Situation.of(self.heard, f"in {len(self.heard)} recording conditions")
        if self.corpora:
            found["corpus"] = Situation.of(self.corpora, " and ".join(map(_whose, self.corpora)))
        return found


def _whose(run: Run) -> str:
    """The corpus that a run was tested on, e.g. "emodb: 5 speakers, de"."""
    about = run.tested_on
    return ", ".join([f"{about['corpus']}: {len(about['speakers'])} speakers", *about["languages"]])


NO_TESTS = Tests()


def save(result: Result, table: pd.DataFrame, store: Path, *, tests: Tests = NO_TESTS) -> ModelEntry:
    """Write a trained model with its card into a store and enter it in the manifest; an older one is replaced.

    Parameters
    ----------
    result : Result
        The run and the model that made its test predictions.
    table : pd.DataFrame
        The feature table that it was run on.
    store : Path
    tests : Tests
        How it does elsewhere, for the card and the verdicts.

    Returns
    -------
    ModelEntry

    Raises
    ------
    ModelError
        If the run has no single model, because its protocol has several test folds.
    """
    if result.model is None:
        raise ModelError(
            f"Run {result.run.id} has no single model to keep: {result.run.protocol} fits one for each fold. Run it "
            "under a protocol with one test part, such as study"
        )
    name, content = _dump(result.model)
    seen = result.model.seen_.tolist() if name == NETWORK_FILE else []
    return _enter(result.run, table, store, {name: content}, tests, seen=seen)


def save_vote(run: Run, table: pd.DataFrame, store: Path, *, tests: Tests = NO_TESTS) -> ModelEntry:
    """Enter a vote of saved runs in a store's manifest. Its members must be in the store, trained in those runs.

    Parameters
    ----------
    run : Run
        Of a vote of saved runs.
    table : pd.DataFrame
        The feature table that it was run on.
    store : Path
    tests : Tests
        How it does elsewhere, for the card and the verdicts.

    Returns
    -------
    ModelEntry

    Raises
    ------
    ArtifactError
        If a member is missing or of another run.
    """
    members = {}
    for key, weight in run.recipe.parameters["weights"].items():
        kept = find(key, [store])
        if kept.run != run.members[key]:
            raise ArtifactError(f"{kept.folder} is of run {kept.run}, not of the vote's. Train it anew")
        members[key] = Member(weight, kept.digest)
    return _enter(run, table, store, {}, tests, members=members)


def _enter(run: Run, table: pd.DataFrame, store: Path, contents: dict[str, bytes], tests: Tests, **more) -> ModelEntry:
    """Write a model's files and its entry in the manifest; older ones are replaced."""
    key = run.recipe.model
    folder = store / "models" / key
    folder.mkdir(parents=True, exist_ok=True)
    trained_on = TrainedOn.of(run, table)
    on_unheard = Unheard.of(tests.unheard, tests.heard) if tests.unheard else None
    contents = contents | {CARD_FILE: cards.card(run, trained_on, on_unheard).encode()}
    made = ModelEntry(
        key=key,
        store=store,
        shipped=False,
        name=run.name,
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        versions=versions(),
        features=run.versions.features,
        labels=list(LABELS),
        run=run.id,
        recipe=run.recipe,
        scores=run.scores,
        trained_on=trained_on,
        unheard=on_unheard,
        situations=tests.situations,
        **more,
    )
    with FileLock(store / ".lock"):
        for file in folder.iterdir():
            if file.name not in contents:
                file.unlink()
        for name, content in contents.items():
            _replace(folder / name, content)
        manifest = _manifest(store)
        manifest["models"][key] = made.as_entry()
        _replace(store / MANIFEST, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())
    return made


def read_all(stores: Iterable[Path]) -> tuple[list[ModelEntry], list[Unreadable]]:
    """The trained models of the shipped store (the first) and of this installation's own; and the unreadable ones.

    One damaged entry does not hide the others, nor one damaged manifest those of the other store.

    Parameters
    ----------
    stores : iterable of Path

    Returns
    -------
    entries : list of ModelEntry
    unreadable : list of Unreadable
    """
    found, unreadable = [], []
    for number, store in enumerate(stores):
        shipped = number == 0
        restore = f"Restore it (git checkout {store / MANIFEST})"
        try:
            entries = _manifest(store)["models"]
        except DamagedError as error:
            way_out = restore if shipped else "Restore it, or delete it and train anew"
            unreadable.append(Unreadable("The list of models", str(store / MANIFEST), str(error), way_out, shipped))
            continue
        for key, entry in entries.items():
            try:
                found.append(ModelEntry.of_manifest(key, store, shipped, entry))
            except DamagedError as error:
                way_out = restore if shipped else f"Train it: python -m ser_core train {key}"
                unreadable.append(Unreadable("Model", key, f"in {MANIFEST} {error}", way_out, shipped))
    return found, unreadable


def list_all(stores: Iterable[Path]) -> list[ModelEntry]:
    """The trained models of `read_all`; those that cannot be read are logged.

    Parameters
    ----------
    stores : iterable of Path
        The shipped store first.

    Returns
    -------
    list of ModelEntry
    """
    found, unreadable = read_all(stores)
    for one in unreadable:
        logger.warning("%s", one)
    return found


def sizes(stores: Iterable[Path]) -> dict[str, int]:
    """The size of each trained model's file.

    Parameters
    ----------
    stores : iterable of Path

    Returns
    -------
    dict of str to int
        Id of the model's run -> bytes.
    """
    files = {one.run: one.folder / one.model_file for one in read_all(stores)[0]}
    return {run: file.stat().st_size for run, file in files.items() if file.is_file()}


def find(key: str, stores: Iterable[Path]) -> ModelEntry:
    """The trained model of that key; this installation's own goes before the shipped one.

    Parameters
    ----------
    key : str
    stores : iterable of Path
        The shipped store, then this installation's own.

    Returns
    -------
    ModelEntry

    Raises
    ------
    ArtifactError
        If no store has it, or its entry or the manifest it may be in is damaged.
    """
    entries, unreadable = read_all(stores)
    found = next((entry for entry in reversed(entries) if entry.key == key), None)
    for one in unreadable:
        is_it = one.id == key and (found is None or found.shipped)  # not the shipped one of the same key
        if is_it or (found is None and one.kind != "Model"):
            raise ArtifactError(str(one))
        logger.warning("%s", one)
    if found:
        return found
    there = ", ".join(sorted({entry.key for entry in entries})) or "none"
    raise ArtifactError(f"There is no trained model {key!r} ({there}). Train it: python -m ser_core train {key}")


def check(entry: ModelEntry) -> bytes:
    """Check that a model's files are those of its manifest and that this installation can reproduce its predictions.

    Parameters
    ----------
    entry : ModelEntry

    Returns
    -------
    bytes
        The model file, as it was when its digest was checked; empty for a vote, whose members are checked when they are
        loaded.

    Raises
    ------
    ArtifactError
        If a digest, a version, the features or the classes differ. The message names the command that fixes it.
    """
    train = f"python -m ser_core train {entry.key}"
    contents = {}
    for name, expected in entry.files.items():
        try:
            contents[name] = (entry.folder / name).read_bytes()
        except OSError as error:
            raise ArtifactError(f"Model {entry.key}: {name} cannot be read ({error}). {_way_out(entry)}") from error
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != expected:
            raise ArtifactError(
                f"Model {entry.key}: {name} has digest {found[:12]}..., not {expected[:12]}... {_way_out(entry)}"
            )
    if entry.is_vote:
        members(entry)
        return b""
    then, here = entry.versions, versions()
    known = feature_sets.FEATURE_SETS.get(entry.recipe.features)  # a backbone's version is known only with its weights
    for what, made_with, now in (
        ("features", entry.features, augmented(known, entry.recipe.augmentation).version if known else entry.features),
        ("classes", tuple(entry.labels), LABELS),
        *((package, then[package], here[package]) for package in CHECKED_PACKAGES[entry.model_file]),
    ):
        if made_with != now:
            raise ArtifactError(
                f"Model {entry.key} was made with {what} {made_with}, but here is {now}. "
                f"pip install -r requirements.txt, or train it: {train}"
            )
    return contents[entry.model_file]


def members(entry: ModelEntry) -> dict[str, tuple[float, ModelEntry]]:
    """The members of a vote.

    Parameters
    ----------
    entry : ModelEntry
        Of a vote.

    Returns
    -------
    dict of str to (float, ModelEntry)
        Key -> weight and entry.

    Raises
    ------
    ArtifactError
        If one is missing, or is not the one that the vote was made from.
    """
    found = {}
    for key, expected in entry.members.items():
        member = find(key, [entry.store])
        if member.digest != expected.digest:
            raise ArtifactError(
                f"Model {entry.key} was made with {key} of digest {expected.digest[:12]}..., but here is another. "
                f"Make the vote anew: python -m ser_core train {entry.key}"
            )
        found[key] = expected.weight, dataclasses.replace(member, shipped=entry.shipped)
    return found


def load(entry: ModelEntry) -> EmotionClassifier:
    """Load a trained model, after `check`. For a vote, load its `members`.

    Parameters
    ----------
    entry : ModelEntry

    Returns
    -------
    EmotionClassifier

    Raises
    ------
    ArtifactError
        As `check`; and if the file holds a type that is not trusted.
    """
    content = check(entry)
    if entry.model_file == NETWORK_FILE:
        try:
            return EmotionClassifier.of_fitted(network_arrays.loads(content), entry.seen)
        except ArtifactError as error:
            raise ArtifactError(f"Model {entry.key}: {error}. {_way_out(entry)}") from error
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        model = skops.io.loads(content, trusted=TRUSTED_TYPES)
    except UntrustedTypesFoundException as error:
        types = ", ".join(skops.io.get_untrusted_types(data=content)[:3])
        raise ArtifactError(f"Model {entry.key} holds types that no model here needs: {types}") from error
    except Exception as error:  # skops reads what it is given, and raises whatever that runs into
        raise ArtifactError(
            f"Model {entry.key}: {MODEL_FILE} is no model ({records.reason_of(error)}). {_way_out(entry)}"
        ) from error
    if not isinstance(model, EmotionClassifier) or not hasattr(model, "estimator_"):
        raise ArtifactError(
            f"Model {entry.key}: {MODEL_FILE} holds a {type(model).__name__}, and no fitted model. {_way_out(entry)}"
        )
    return model


def _way_out(entry: ModelEntry) -> str:
    train = f"Train it: python -m ser_core train {entry.key}"
    return f"Restore it (git checkout {entry.folder})" if entry.shipped else train


def _dump(model: EmotionClassifier) -> tuple[str, bytes]:
    """The name and the content of a model's file."""
    if hasattr(model.estimator_, "model_"):
        return NETWORK_FILE, network_arrays.dumps(network_arrays.of_keras(model.estimator_.model_))
    import skops.io

    return MODEL_FILE, skops.io.dumps(model, compression=8)  # zipfile.ZIP_DEFLATED


def _manifest(store: Path) -> dict:
    try:
        manifest = records.read_json(store / MANIFEST)
    except FileNotFoundError:
        return {"models": {}}
    if not isinstance(manifest, dict) or not isinstance(manifest.get("models"), dict):
        raise DamagedError(f"{MANIFEST} is damaged (it lists no models)")
    return manifest


def _replace(file: Path, content: bytes) -> None:
    with atomically(file) as part:
        part.write_bytes(content)
