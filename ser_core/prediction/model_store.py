"""Trained models on disk, each with a card and with digests that are checked before anything is loaded.

A store (`artifacts/` ships, `workspace/` is this installation's own) holds `models/<key>/model.skops` (of a network
`network.keras`), `card.md` beside it, and one `manifest.json`. skops files hold data, not code: only the types named
below are ever built from them. Keras files are read in its safe mode, which builds no function from them. A vote of
saved models has no file of its own: its entry names its members in the same store, with their digests and weights.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from filelock import FileLock

from ser_core.corpus.labels import LABELS
from ser_core.environment import versions
from ser_core.errors import ArtifactError
from ser_core.experiments import Result
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.results.published import SVM_UNHEARD_ACTORS_UAR
from ser_core.results.runs import Run

MODEL_FILE = "model.skops"
NETWORK_FILE = "network.keras"
CARD_FILE = "card.md"
MANIFEST = "manifest.json"

# Beyond the scikit-learn and NumPy types that skops knows to be harmless.
TRUSTED_TYPES = [
    "collections.OrderedDict",
    "collections.defaultdict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "ser_core.models.classical.nearness",
    "ser_core.models.emotion_classifier.EmotionClassifier",
    "ser_core.models.hierarchy.ApartClassifier",
    "ser_core.models.hierarchy.GenderFirstClassifier",
    "ser_core.models.kernel_ridge.KernelRidgeClassifier",
    "ser_core.models.preprocessing.SoftWhitener",
    "ser_core.models.preprocessing.to_decibels",
    "ser_core.models.preprocessing.weigh_mfcc",
    "ser_core.models.augmented.VoicesClassifier",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
]

# A model predicts the same numbers only with these as they were.
CHECKED_PACKAGES = {MODEL_FILE: ("scikit-learn", "xgboost", "lightgbm"), NETWORK_FILE: ("keras",)}


@dataclass(frozen=True)
class ModelEntry:
    """A trained model that is there to be loaded, as its store's manifest describes it."""

    key: str
    store: Path
    shipped: bool
    entry: dict  # files with SHA-256, versions, features, labels, run, scores, trained_on, unheard

    @property
    def folder(self) -> Path:
        return self.store / "models" / self.key

    @property
    def title(self) -> str:
        """What a page calls it: an own model is not to be taken for a shipped one of the same name."""
        own = "" if self.shipped else f" (trained here, on {self.entry['trained_on']['clips']:,} clips)"
        return self.entry["name"] + own

    @property
    def digest(self) -> str:
        """SHA-256 of the model file, or of what a vote's entry says of its members."""
        if self.is_vote:
            return hashlib.sha256(json.dumps(self.entry["members"], sort_keys=True).encode()).hexdigest()
        return self.entry["files"][self.model_file]

    @property
    def is_vote(self) -> bool:
        """Made of other trained models of its store."""
        return "members" in self.entry

    @property
    def model_file(self) -> str:
        return NETWORK_FILE if NETWORK_FILE in self.entry["files"] else MODEL_FILE

    @property
    def input(self) -> str:
        """What it sees of a clip, of `features.inputs`."""
        return self.entry.get("input", "study")

    @property
    def worth(self) -> tuple[str, str]:
        """What its answers are worth, in two sentences: on voices that it knows, and on voices that it has never
        heard."""
        known = (
            "Of the study's test clips, by actors whom it has heard, it names "
            f"{self.entry['scores']['test_accuracy']:.0%} right, emotion and gender"
        )
        if not self.entry["unheard"]:
            return known, "On voices that it has never heard it is wrong far more often; how often was not measured"
        right, claimed = (self.entry["unheard"]["scores"][f"emotion_{name}"] for name in ("accuracy", "claimed"))
        return known, (
            f"On voices that it has never heard it names {right:.0%} of eight emotions right, while claiming to be "
            f"{claimed:.0%} sure"
        )

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / CARD_FILE).read_text()


def save(result: Result, table: pd.DataFrame, store: Path, *, unheard: Run | None = None) -> ModelEntry:
    """Write a trained model with its card into a store and enter it in the manifest, in the place of an older one.

    Parameters
    ----------
    result : Result
        The run and the model that made its test predictions.
    table : pd.DataFrame
        The feature table that it was run on: the card and the warnings say what was heard in training.
    store : Path
    unheard : Run, optional
        The same model under a protocol that holds actors out: what it is worth on voices that it does not know.
    """
    trained_on = _training_clips(result.run, table)
    honest = {"run": unheard.id, "scores": unheard.scores} if unheard else None
    model_file, content = _dump(result.model)
    contents = {model_file: content, CARD_FILE: _card(result.run, trained_on, honest).encode()}
    more = {"input": result.run.info.get("input", "study")}
    if model_file == NETWORK_FILE:
        more["seen"] = result.model.seen_.tolist()
    return _enter(result.run, store, contents, trained_on=trained_on, unheard=honest, **more)


def save_vote(run: Run, table: pd.DataFrame, store: Path, *, unheard: Run | None = None) -> ModelEntry:
    """Enter a vote of saved runs in a store's manifest. Its members have to be kept there, trained in those runs.

    Raises
    ------
    ArtifactError
        If a member is not there.
    """
    members = {}
    for key, weight in run.info["parameters"]["weights"].items():
        kept = find(key, [store])
        if kept.entry["run"] != run.info["members"][key]:
            raise ArtifactError(f"{kept.folder} is of run {kept.entry['run']}, not of the vote's. Train it anew")
        members[key] = {"weight": weight, "digest": kept.digest}
    trained_on = _training_clips(run, table)
    honest = {"run": unheard.id, "scores": unheard.scores} if unheard else None
    contents = {CARD_FILE: _card(run, trained_on, honest).encode()}
    return _enter(run, store, contents, trained_on=trained_on, unheard=honest, members=members)


def _enter(run: Run, store: Path, contents: dict[str, bytes], **more) -> ModelEntry:
    """Write a model's files and its entry in the manifest, in the place of older ones."""
    key = run.info["model"]
    folder = store / "models" / key
    folder.mkdir(parents=True, exist_ok=True)
    entry = {
        "name": run.info["name"],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        "versions": versions(),
        "features": run.info["features"],
        "labels": list(LABELS),
        "run": run.id,
        "scores": run.scores,
    } | more
    with FileLock(store / ".lock"):
        for file in folder.iterdir():
            if file.name not in contents:
                file.unlink()
        for name, content in contents.items():
            _replace(folder / name, content)
        manifest = _manifest(store)
        manifest["models"][key] = entry
        _replace(store / MANIFEST, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())
    return ModelEntry(key, store, False, entry)


def list_all(stores: Iterable[Path]) -> list[ModelEntry]:
    """The trained models of the shipped store (the first) and of this installation's own."""
    return [
        ModelEntry(key, store, number == 0, entry)
        for number, store in enumerate(stores)
        for key, entry in _manifest(store)["models"].items()
    ]


def sizes(stores: Iterable[Path]) -> dict[str, int]:
    """The run of each trained model -> the size of the model's file in bytes."""
    files = {one.entry.get("run"): one.folder / one.model_file for one in list_all(stores)}
    return {run: file.stat().st_size for run, file in files.items() if file.is_file()}


def find(key: str, stores: Iterable[Path]) -> ModelEntry:
    """The trained model of that key; this installation's own goes before the shipped one.

    Raises
    ------
    ArtifactError
        If no store has it.
    """
    entries = list_all(stores)
    for entry in reversed(entries):
        if entry.key == key:
            return entry
    there = ", ".join(sorted({entry.key for entry in entries})) or "none"
    raise ArtifactError(f"There is no trained model {key!r} ({there}). Train it: python -m ser_core train {key}")


def check(entry: ModelEntry) -> bytes:
    """Assert that a model's files are those of its manifest and that this installation can give its numbers.

    Returns
    -------
    bytes
        The model file, as it was when its digest was right; nothing for a vote, whose members are checked when they are
        loaded.

    Raises
    ------
    ArtifactError
        If a digest, a version, the features or the classes differ. The message names the command that mends it.
    """
    train = f"python -m ser_core train {entry.key}"
    contents = {}
    for name, expected in entry.entry["files"].items():
        restore = f"Restore it (git checkout {entry.folder})" if entry.shipped else f"Train it: {train}"
        try:
            contents[name] = (entry.folder / name).read_bytes()
        except OSError as error:
            raise ArtifactError(f"Model {entry.key}: {name} cannot be read ({error}). {restore}") from error
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != expected:
            raise ArtifactError(
                f"Model {entry.key}: {name} has digest {found[:12]}..., not {expected[:12]}... {restore}"
            )
    if entry.is_vote:
        members(entry)
        return b""
    from ser_core.features import inputs

    learned, here = entry.entry["versions"], versions()
    for what, made_with, now in (
        ("features", entry.entry["features"], inputs.VERSIONS.get(entry.input, entry.entry["features"])),
        ("classes", tuple(entry.entry["labels"]), LABELS),
        *((package, learned[package], here[package]) for package in CHECKED_PACKAGES[entry.model_file]),
    ):
        if made_with != now:
            raise ArtifactError(
                f"Model {entry.key} was made with {what} {made_with}, but here is {now}. "
                f"pip install -r requirements.txt, or train it: {train}"
            )
    return contents[entry.model_file]


def members(entry: ModelEntry) -> dict[str, tuple[float, ModelEntry]]:
    """The members of a vote by their keys, each with its weight.

    Raises
    ------
    ArtifactError
        If one is not there, or is another than the vote was made of.
    """
    found = {}
    for key, said in entry.entry["members"].items():
        member = find(key, [entry.store])
        if member.digest != said["digest"]:
            raise ArtifactError(
                f"Model {entry.key} was made with {key} of digest {said['digest'][:12]}..., but here is another. "
                f"Make the vote anew: python -m ser_core train {entry.key}"
            )
        found[key] = said["weight"], dataclasses.replace(member, shipped=entry.shipped)
    return found


def load(entry: ModelEntry) -> EmotionClassifier:
    """The trained model, after `check`. Of a vote, load its `members`.

    Raises
    ------
    ArtifactError
        As `check`; and if the file would build a type that is not trusted.
    """
    content = check(entry)
    if entry.model_file == NETWORK_FILE:
        from ser_core.models import networks

        return EmotionClassifier.of_fitted(networks.loads(content), entry.entry["seen"])
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.loads(content, trusted=TRUSTED_TYPES)
    except UntrustedTypesFoundException as error:
        types = ", ".join(skops.io.get_untrusted_types(data=content)[:3])
        raise ArtifactError(f"Model {entry.key} holds types that no model here needs: {types}") from error


def _dump(model: EmotionClassifier) -> tuple[str, bytes]:
    """The name and the content of a model's file."""
    if hasattr(model.estimator_, "model_"):
        from ser_core.models import networks

        return NETWORK_FILE, networks.dumps(model.estimator_)
    import skops.io

    return MODEL_FILE, skops.io.dumps(model, compression=8)  # zipfile.ZIP_DEFLATED


def _training_clips(run: Run, table: pd.DataFrame) -> dict:
    """What the model heard: number of clips, their actors, and how long they are, in seconds."""
    rows = table[table["stem"].isin(run.part("train")["clip"])]
    return {
        "clips": len(rows),
        "actors": int(rows["speaker"].nunique()),
        "shortest_s": round(float(rows["duration_s"].min()), 2),
        "median_s": round(float(rows["duration_s"].median()), 2),
        "longest_s": round(float(rows["duration_s"].max()), 2),
    }


def _card(run: Run, trained_on: dict, unheard: dict | None) -> str:
    from ser_core.features.inputs import TITLES

    info, scores = run.info, run.scores
    if "members" in info:
        features = f"those of its members: {', '.join(info['members'])}"
    else:
        features = f"{info['features']}: {TITLES[info.get('input', 'study')]}"
    cv = f"{scores['cv_accuracy']:.3f}" if "cv_accuracy" in scores else "not measured"
    if unheard:
        on_others = (
            f"it names {unheard['scores']['emotion_accuracy']:.0%} of eight emotions in speech, while claiming to be "
            f"{unheard['scores']['emotion_claimed']:.0%} sure (run `{unheard['run']}`)"
        )
    else:
        on_others = (
            "not measured for this model; an RBF support vector machine on the same features recognises "
            f"{SVM_UNHEARD_ACTORS_UAR:.0%} of eight emotions in speech"
        )
    return f"""# {info["name"]} (`{info["model"]}`)

Says which of 16 classes (eight emotions, female or male voice) it hears in a recording of a voice.

| | |
|---|---|
| Learned from | {trained_on["clips"]:,} RAVDESS clips of {trained_on["actors"]} actors |
| Their length | {trained_on["shortest_s"]} to {trained_on["longest_s"]} s |
| Features | {features} |
| Preset | {info["preset"]} |
| Accuracy, five-fold cross-validation on the training part | {cv} |
| Accuracy on the study's {sum(info["test_counts"].values())} test clips | {scores["test_accuracy"]:.3f} |
| UAR on the same | {scores["uar"]:.3f} |
| Run | `{run.id}` |

## What it cannot do

The test clips are spoken and sung by the same actors as the training clips. On voices never heard (actors held out):
{on_others}.

It has heard actors, in a studio, saying two English sentences. It does not know what anyone feels. Do not decide
anything about a person with it.

## Terms

Trained on RAVDESS: Livingstone SR, Russo FA (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song
(RAVDESS), PLoS ONE 13(5): e0196391. RAVDESS is licensed CC BY-NC-SA 4.0; this model is offered under the same terms.
"""


def _manifest(store: Path) -> dict:
    try:
        manifest = json.loads((store / MANIFEST).read_text())
        if not isinstance(manifest, dict) or not isinstance(manifest.get("models"), dict):
            raise ValueError("it lists no models")
        return manifest
    except FileNotFoundError:
        return {"models": {}}
    except ValueError as error:
        raise ArtifactError(
            f"{store / MANIFEST} is damaged ({error}). Restore it, or delete it and train anew"
        ) from error


def _replace(file: Path, content: bytes) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_bytes(content)
    os.replace(part, file)
