"""`make study`: rebuild the tables, runs and trained models of `artifacts/` from the clips."""

import dataclasses
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import soundfile

from ser_core import audio, corpus, experiments, files
from ser_core.audio import conditions, nonspeech
from ser_core.audio.voice_activity import has_voice
from ser_core.errors import CorpusError
from ser_core.evaluation import protocols
from ser_core.experiments import fusion, nested, other_corpus
from ser_core.features import exploration, model_input, tables
from ser_core.features import registry as feature_sets
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.features.model_input import ModelInput
from ser_core.models import presets, registry
from ser_core.models.ensembles import NESTED_TRIALS
from ser_core.models.model import SavedVote
from ser_core.models.recipe import Recipe
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Predictor
from ser_core.results import generalization, runs, verdicts
from ser_core.results.published import ORIGINAL_CLIPS
from ser_core.settings import Settings
from ser_core.tuning import best_trial, search, storage, studies

# Trials of the shipped studies, chosen so that a study takes two to seven minutes on one core.
TRIALS = {"xgb": 60, "lgb": 60, "mlp": 60, "svm": 60, "krr": 60, "kn": 40, "dt": 40, "lr": 30, "bag": 20, "rf": 20}
TUNED = "tuned"  # name of the preset from each study


# Models of the prediction page (model, preset): the robust vote and its members, the study's best ensemble, our best
# vote and its members, the CNN, and the vote for people who let it hear them before, with its other member.
KEPT = (
    ("robust", "default"),
    ("robust_cnn", "default"),
    ("v_robust", "default"),
    ("v4", "default"),
    ("krr", "functionals"),
    ("cnn", "default"),
    ("cnn2d", "default"),
    ("best", "default"),
    ("centred", "default"),
    ("v_centred", "default"),
)
# Models (model, preset, protocol) that are also tested on clips heard in every recording condition, and under the
# published small changes. Of a vote, its members are, too, but theirs do not ship.
HEARD = (
    ("v4", "default", "study"),
    ("krr", "functionals", "study"),
    ("cnn", "default", "study"),
    ("cnn2d", "default", "study"),
    ("best", "default", "study"),
    ("v_robust", "default", "study"),
    ("v_robust", "default", "emobox"),
)
CHANGED = (("v_robust", "default", "emobox"),)
SPEAKERS_OF_A_GENDER = 3  # whose clips `make_clips` ships
# What `make_voices` looks for voices in: one in so many of EmoBox's clips (actors have 60 each, of which every tenth
# would always be of the same emotions), and so many sounds of each kind without a voice, on which this model gives its
# verdict.
ONE_CLIP_IN = 11
SOUNDS = 3
LISTENS_TO_SOUNDS = "v_robust"


@dataclass(frozen=True)
class Planned:
    """A run to ship.

    Parameters
    ----------
    model : str
    protocol : str
    preset, features, augmentation : str, optional
        As `Model.recipe` takes them.
    trials : int
        Of nested cross-validation, if it is not 0.
    options : tuple of (str, float)
        Options of a network that override the preset.
    cv : bool
        Of a network: whether to cross-validate on the training part, too.
    seed : int
    """

    model: str
    protocol: str = "study"
    preset: str | None = None
    features: str | None = None
    augmentation: str | None = None
    trials: int = 0
    options: tuple[tuple[str, float], ...] = ()
    cv: bool = False
    seed: int = 9

    @property
    def recipe(self) -> Recipe:
        """The recipe of this run."""
        model = registry.get(self.model)
        recipe = model.recipe(self.preset, features=self.features, augmentation=self.augmentation, seed=self.seed)
        if self.options:
            recipe = model.with_options(recipe, dict(self.options))
        return nested.recipe(recipe, self.trials) if self.trials else recipe

    @property
    def is_kept(self) -> bool:
        """Whether its fitted model is shipped, too."""
        return self.protocol == "study" and not self.options and (self.model, self.recipe.preset) in KEPT

    @property
    def heard(self) -> list[str]:
        """The recording conditions in which its test clips are heard, too."""
        recipe = self.recipe
        if recipe.origin != "default" or recipe != registry.recipe(self.model, recipe.preset):
            return []
        ways = {(self.model, recipe.preset, self.protocol), *self._votes()}
        changes = conditions.SMALL_CHANGES if ways & set(CHANGED) else ()
        return [*(conditions.CONDITIONS if ways & set(HEARD) else ()), *changes]

    @property
    def ships_heard(self) -> bool:
        """Whether its runs in recording conditions ship; if not, only votes are made of them."""
        return (self.model, self.recipe.preset, self.protocol) in {*HEARD, *CHANGED}

    def _votes(self) -> list[tuple[str, str, str]]:
        """The votes of runs of which this one is a member, as `HEARD` has them."""
        votes = (model for model in registry.MODELS.values() if isinstance(model, SavedVote))
        recipe = self.recipe
        return [
            (vote.key, "default", self.protocol)
            for vote in votes
            if self.model in vote.members and vote.members[self.model].fits(recipe, recipe)
        ]


# Protocols that let a model hear some clips of each held-out speaker before.
KNOWN_BEFORE = ("emobox+neutral-2", "emobox+random-8", "emobox+all")
# Overfitting of the cnn: its default with one hyperparameter changed.
GRID = {
    "dropout": (0.0, 0.15, 0.5, 0.7),
    "l1": (1e-5, 1e-4, 1e-3),
    "l2": (1e-4, 1e-3, 1e-2),
    "batch_size": (4, 8, 32, 64, 128),
}
DEEP = (
    Planned("cnn", "emobox"),
    Planned("cnn2d", "emobox"),
    Planned("cnn", cv=True),
    Planned("vgg16", cv=True),
    Planned("v_cnn_vgg16", cv=True),
    Planned("rnn"),
    Planned("rnn", preset="study"),
    Planned("cnn2d", cv=True),
    Planned("cnn2d", options=(("validation", 0.1),)),
    Planned("cnn2d", "emobox", seed=10),
    *(Planned("cnn", options=((name, value),)) for name, values in GRID.items() for value in values),
    Planned("best", "emobox"),
    Planned("best", cv=True),
    Planned("robust_cnn", "emobox"),
    Planned("robust_cnn"),
    Planned("v_robust", "emobox"),
    Planned("v_robust"),
    *(Planned("v_robust", protocol) for protocol in KNOWN_BEFORE),
    Planned("v_apart_cnn2d", "emobox"),
    Planned("v_apart_cnn2d", cv=True),
    Planned("cnn2d", "emobox", "voices"),
    Planned("cnn2d", preset="voices"),
    Planned("v_voices", "emobox"),
    *(Planned("v_centred", protocol) for protocol in KNOWN_BEFORE),
    Planned("v_centred"),
)

# Protocols under which a few models show how much they rely on known speakers, and what functionals add.
HARDER = ("study-speech", "repetition", "statement", "actors-6", "emobox", "luna-jimenez")
HONEST = ("lr", "svm", "mlp", "lgb", "krr", "v4", "v5", "hier", "apart")
HONEST_FUNCTIONALS = ("lr", "svm", "mlp", "krr", "hier", "apart")  # trees are slow on functionals and no better
ONLY_EMOBOX = ("lgb", "v4")
SLOW_ON_FUNCTIONALS = ("rf", "xgb", "v", "v2", "v3")  # minutes per fit
WITH_SONG = ("krr", "apart")  # on functionals, also trained on the song of the other actors

# The authors' parameters. Their forest has 22,984 trees and takes 40 minutes on a core, here and again in `v3`; their
# LightGBM of 12,310 rounds takes nine, here and again in `v`.
WITH_AUTHORS_PARAMETERS = ("dt", "kn", "lgb", "lr", "mlp", "rf", "xgb", "v", "v2", "v3", "v4")
FUNCTIONALS: dict[str, Any] = {"features": "functionals"}
PERTURBED: dict[str, Any] = FUNCTIONALS | {"augmentation": "speaker-perturbation"}


def classical() -> list[Planned]:
    """The shipped runs of models that learn from feature tables: on both feature sets, some under harder protocols.

    Returns
    -------
    list of Planned
    """
    return [
        *(Planned(key) for key in registry.of_tables()),
        *(Planned(key, **FUNCTIONALS) for key in registry.of_tables() if key not in SLOW_ON_FUNCTIONALS),
        *(Planned(key, protocol) for key in HONEST for protocol in HARDER),
        *(Planned(key, protocol, **FUNCTIONALS) for key in HONEST_FUNCTIONALS for protocol in HARDER),
        *(Planned(key, "emobox", **FUNCTIONALS) for key in ONLY_EMOBOX),
        *(Planned(key, "emobox+song", **FUNCTIONALS) for key in WITH_SONG),
        *(Planned("apart", protocol, **PERTURBED) for protocol in ("study", "emobox")),
        *(Planned("apart", "emobox", **kind, trials=NESTED_TRIALS) for kind in (FUNCTIONALS, PERTURBED)),
        *(Planned("hier", protocol, "hard") for protocol in ("study", "emobox")),
        *(Planned(key, "study") for key in ("robust", "centred")),
        Planned("robust", "emobox"),
        *(Planned(key, protocol) for key in ("robust", "centred") for protocol in KNOWN_BEFORE),
        *(Planned(key, preset="study") for key in WITH_AUTHORS_PARAMETERS),
    ]


def make(
    settings: Settings,
    *,
    corpora: Sequence[Path] = (),
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> list[runs.Run]:
    """Rebuild what ships of clips, tables, and runs and models of classical models, from `settings.data_dir`.

    Takes about five hours on two cores. Tables are written first, runs and models when all are made. Shipped runs of
    classical models that are no longer planned are deleted.

    Parameters
    ----------
    settings : Settings
    corpora : sequence of Path
        Manifests or folders of other corpora, to test the models on that are kept. Without any, shipped runs on other
        corpora stay.
    jobs : int
        Processes, as joblib counts them.
    progress : callable, optional
        Called with the number of steps done and the total: first of perturbed clips, then of runs.

    Returns
    -------
    list of Run

    Raises
    ------
    SerError
        As the steps; and if the folder does not contain all of RAVDESS.
    """
    make_clips(settings)
    made_tables = make_tables(settings, jobs=jobs)
    for file, made_table in made_tables.items():
        tables.save(made_table, file)
    table = made_tables[settings.feature_table]
    shipped = runs.list_all([settings.artifacts])
    wanted = [(one, one.recipe) for one in classical()]
    seen = {
        (features, augmentation): model_input.load(
            table, settings, features=features, augmentation=augmentation, jobs=jobs, progress=progress
        )
        for features, augmentation in sorted({(recipe.features, recipe.augmentation) for _, recipe in wanted})
    }
    made, members, kept = [], [], []
    for done, (one, recipe) in enumerate(wanted):
        if progress:
            progress(done, len(wanted))
        features = seen[recipe.features, recipe.augmentation]
        heard = _heard(one, table, settings, jobs)
        result = experiments.run(recipe, table, protocol=one.protocol, features=features, heard=heard, jobs=jobs)
        run = _under_shipped_id(result.run, shipped)
        made.append(run)
        if one.ships_heard:
            made += [_under_shipped_id(other, shipped) for other in result.heard]
        else:
            members += result.heard
        if one.is_kept:
            kept.append(dataclasses.replace(result, run=run))
            elsewhere = _elsewhere(recipe, table, features, settings, corpora, jobs, experiments.Training())
            made += [_under_shipped_id(other, shipped) for other in elsewhere]
    for found in presets.list_all([settings.artifacts]):
        recipe = registry.recipe(found.model, found.name, stores=[settings.artifacts])
        run = _under_shipped_id(experiments.run(recipe, table, jobs=jobs).run, shipped)
        made.append(dataclasses.replace(run, tuned=found.facts))
    for run in made:
        runs.save(run, settings.artifacts)
    for run in members:
        runs.save(run, settings.workspace)
    tests = [*shipped, *made, *members]
    for result in kept:
        model_store.save(result, table, settings.artifacts, tests=model_store.Tests.of(result.run, tests))
    planned = {recipe.model for _, recipe in wanted}
    for run in shipped:  # of an older version of the code or the data
        is_made = run.id in {one.id for one in made} or (run.tested_on and not corpora)
        if run.recipe.model in planned and not is_made:
            shutil.rmtree(settings.artifacts / "runs" / run.id)
    _make_voices_with([one for one, _ in wanted], settings, corpora, jobs)
    return made


def _elsewhere(
    recipe: Recipe,
    table: pd.DataFrame,
    features: ModelInput,
    settings: Settings,
    corpora: Sequence[Path],
    jobs: int,
    training: experiments.Training,
) -> list[runs.Run]:
    """The runs of a model on other corpora."""
    made = []
    for place in corpora:
        other = other_corpus.read(place, table)
        tested = model_input.load(other.clips, settings, features=recipe.features, jobs=jobs)
        made.append(experiments.run_on(recipe, table, other, features=features, tested=tested, training=training))
    return made


def make_clips(settings: Settings) -> list[Path]:
    """Ship some clips of the study's test part as `settings.clips`, as recorded.

    Speakers are those who speak one sentence there in the most emotions, as many women as men; each of their emotions
    is taken once, strong and normal in turn if there are both. Of each emotion one sung clip is added.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    list of Path
        45 files of RAVDESS.

    Raises
    ------
    SerError
        If the recordings are missing.
    """
    found = corpus.index(settings.data_dir)
    part = protocols.original_parts()
    clips = found.clips[found.clips["stem"].map(part) == "test"]
    speech = clips[clips["channel"] == "speech"]
    emotions = (
        speech.groupby(["gender", "speaker", "statement"])["emotion"]
        .nunique()
        .sort_values(ascending=False, kind="stable")
    )
    richest = emotions.reset_index().drop_duplicates("speaker").groupby("gender").head(SPEAKERS_OF_A_GENDER)
    spoken = speech.merge(richest[["speaker", "statement"]])
    song = clips[(clips["channel"] == "song") & clips["speaker"].isin(richest["speaker"])]
    taken = []
    for place, (_, takes) in enumerate(spoken.groupby(["speaker", "emotion"])):
        taken.append(takes.sort_values(["intensity", "stem"], ascending=place % 2 == 0).iloc[0])
    for place, (_, takes) in enumerate(song.groupby("emotion")):
        taken.append(takes.sort_values(["gender", "stem"], ascending=place % 2 == 0).iloc[0])
    settings.clips.mkdir(exist_ok=True)
    written = [settings.clips / f"{one['stem']}.flac" for one in taken]
    for old in set(settings.clips.glob("*.flac")) - set(written):
        old.unlink()
    for one, file in zip(taken, written, strict=True):
        samples, rate = soundfile.read(found.folder / one["path"], dtype="int16")
        soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
    return written


def make_voices(settings: Settings, corpora: Sequence[Path] = (), *, jobs: int = -1) -> pd.DataFrame:
    """Look for a voice in clips of people and in sounds without one, and ship what was found as `settings.voices`.

    Takes about two minutes on two cores.

    Parameters
    ----------
    settings : Settings
        With the shipped feature table and the shipped model that gives its verdict on sounds.
    corpora : sequence of Path
        Manifests or folders of other corpora, all of whose clips are listened to. Without any, shipped rows on other
        corpora stay.
    jobs : int
        Processes, as joblib counts them.

    Returns
    -------
    pd.DataFrame
        `source` (empty for clips as recorded, the key of a recording condition, the name of a corpus, or "non-speech"),
        `clip`, `has_voice`; and for sounds without a voice `model` and its `verdict`, which are empty otherwise.

    Raises
    ------
    SerError
        If a clip, the table or the model cannot be read.
    """
    table = tables.read(settings.feature_table)
    found = corpus.index(settings.data_dir)
    places = [found.folder / found.files[stem] for stem in table["stem"]]
    tested = np.unique(np.concatenate([fold.held_out for fold in protocols.get("emobox").folds(table)]))[::ONE_CLIP_IN]
    speakers = table["speaker"].to_numpy()
    work = [([places[row] for row in tested[speakers[tested] == one]], one) for one in np.unique(speakers[tested])]
    parallel = joblib.Parallel(n_jobs=jobs)
    heard = parallel(
        joblib.delayed(_voices_in_conditions)(theirs, model_input.other_voices(speakers, places, speaker))
        for theirs, speaker in work
    )
    rows = [row for one in heard for row in one]
    for place in corpora:
        other = other_corpus.read(place, table)
        theirs = [Path(other.clips.attrs[tables.FOLDER]) / path for path in other.clips["path"]]
        voices = parallel(joblib.delayed(_has_voice)(file) for file in theirs)
        rows += zip([other.name] * len(theirs), other.clips["stem"], voices, strict=True)
    made = pd.DataFrame(rows, columns=verdicts.VOICES[:3])
    made = pd.concat([made, _verdicts_on_sounds(settings)], ignore_index=True).fillna({"model": "", "verdict": ""})
    if settings.voices.is_file() and not corpora:
        earlier = pd.read_parquet(settings.voices)
        made = pd.concat([made, earlier[~earlier["source"].isin(made["source"])]], ignore_index=True)
    files.write(made, settings.voices)
    return made


def _voices_in_conditions(places: list[Path], others: list[np.ndarray]) -> list[tuple[str, str, bool]]:
    """Source, clip and whether there is a voice, for each clip as recorded and in each recording condition."""
    rows = []
    for place in places:
        samples = audio.load(place).samples
        rows.append(("", place.stem, has_voice(samples, SAMPLE_RATE)))
        for key, condition in conditions.CONDITIONS.items():
            changed = condition.apply(samples, SAMPLE_RATE, voices=others)
            rows.append((key, place.stem, has_voice(changed, SAMPLE_RATE)))
    return rows


def _has_voice(place: Path) -> bool:
    return has_voice(audio.load(place).samples, SAMPLE_RATE)


def _verdicts_on_sounds(settings: Settings) -> pd.DataFrame:
    predictor = Predictor.load(model_store.find(LISTENS_TO_SOUNDS, [settings.artifacts]))
    rows = []
    for kind in nonspeech.KINDS:
        for seed in range(SOUNDS):
            samples = nonspeech.make(kind, SAMPLE_RATE, seed)
            said = predictor.predict(audio.Waveform(samples, SAMPLE_RATE, SAMPLE_RATE, 1, "wav"))
            rows.append((verdicts.NON_SPEECH, f"{kind} {seed}", said.has_voice, LISTENS_TO_SOUNDS, said.verdict))
    return pd.DataFrame(rows, columns=verdicts.VOICES)


def _heard(
    one: Planned, table: pd.DataFrame, settings: Settings, jobs: int, wanted: Sequence[str] | None = None
) -> list[ModelInput]:
    """The features of a protocol's test clips, heard in each recording condition that is planned, or in some."""
    wanted = one.heard if wanted is None else wanted
    if not wanted:
        return []
    folds = protocols.get(one.protocol).folds(table)
    rows = np.concatenate([fold.held_out for fold in folds if fold.part == "test"])
    return [
        model_input.load(table, settings, features=one.recipe.features, heard=condition, rows=rows, jobs=jobs)
        for condition in wanted
    ]


def _under_shipped_id(run: runs.Run, shipped: Iterable[runs.Run]) -> runs.Run:
    """The run with the id of the shipped run that it repeats, if any: model cards, votes and presets refer to it."""
    for earlier in shipped:
        if (run.recipe, run.protocol, run.heard) == (earlier.recipe, earlier.protocol, earlier.heard):
            return dataclasses.replace(run, id=earlier.id)
    return run


def make_deep(
    settings: Settings,
    *,
    only: Collection[str] = (),
    corpora: Sequence[Path] = (),
    weights: Path | None = None,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> list[runs.Run]:
    """Make the missing shipped runs of networks and of votes of saved runs, and the models of some of them.

    An existing run of a network is kept, and an interrupted one is resumed. Takes about five hours on two cores.

    Parameters
    ----------
    settings : Settings
    only : collection of str
        Keys of models; all if it is empty.
    corpora : sequence of Path
        Manifests or folders of other corpora, to test the models on that are kept.
    weights : Path, optional
        File of VGG16's ImageNet weights.
    jobs : int
        Processes that extract features, as joblib counts them.
    progress : callable, optional
        Called with the number of runs done and the total.

    Returns
    -------
    list of Run
        Of the networks and votes themselves, without those in recording conditions and on other corpora.

    Raises
    ------
    SerError
        As the steps.
    """
    wanted = [one for one in DEEP if not only or one.model in only]
    table = tables.read(settings.feature_table)
    made = []
    for done, one in enumerate(wanted):
        if progress:
            progress(done, len(wanted))
        if registry.get(one.model).learns_from_clips:
            made.append(_make_network(one, table, settings, corpora, weights, jobs))
        else:
            made.append(_make_vote(one, table, settings))
    _make_voices_with(wanted, settings, corpora, jobs)
    return made


def _make_voices_with(made: Iterable[Planned], settings: Settings, corpora: Sequence[Path], jobs: int) -> None:
    """Listen anew if the model that gives its verdict on sounds was made anew."""
    if any(one.is_kept and one.model == LISTENS_TO_SOUNDS for one in made):
        make_voices(settings, corpora, jobs=jobs)


def _make_vote(one: Planned, table: pd.DataFrame, settings: Settings) -> runs.Run:
    """The run of a vote, also in recording conditions, and if it is kept on every corpus that all members have seen."""
    recipe, found = one.recipe, runs.list_all(settings.stores)
    of = {"data_digest": tables.digest(table)}
    tests = [(one.protocol, heard) for heard in ("", *one.heard)]
    if one.is_kept:
        on_others = [run for run in found if run.tested_on and not protocols.calibration_of(run.protocol)]
        seen = [{run.protocol for run in on_others if run.recipe.model == key} for key in recipe.parameters["weights"]]
        tests += [(protocol, "") for protocol in sorted(set.intersection(*seen))]
    made = [
        _under_shipped_id(
            fusion.fuse(recipe, *fusion.members(recipe, found, protocol=protocol, heard=heard, **of)), found
        )
        for protocol, heard in tests
    ]
    for run in made:
        runs.save(run, settings.artifacts)
    if one.is_kept:
        model_store.save_vote(made[0], table, settings.artifacts, tests=model_store.Tests.of(made[0], [*found, *made]))
    return made[0]


def _make_network(
    one: Planned,
    table: pd.DataFrame,
    settings: Settings,
    corpora: Sequence[Path],
    weights: Path | None,
    jobs: int,
) -> runs.Run:
    recipe, found, data_digest = one.recipe, runs.list_all(settings.stores), tables.digest(table)
    kept = {entry.key: entry.run for entry in model_store.list_all([settings.artifacts])}
    for run in found:
        is_made = run.shipped and (run.recipe, run.test, run.data_digest) == (recipe, one.protocol, data_digest)
        if is_made and (run.cv or not one.cv) and (not one.is_kept or kept.get(one.model) == run.id):
            _hear_missing(one, run, table, settings, found, jobs)
            return run
    features = model_input.load(
        table, settings, features=recipe.features, augmentation=recipe.augmentation, weights=weights, jobs=jobs
    )
    training = experiments.Training(folder=settings.training)
    heard = _heard(one, table, settings, jobs)
    result = experiments.run(
        recipe, table, protocol=one.protocol, features=features, heard=heard, cv=one.cv, training=training
    )
    run = _under_shipped_id(result.run, found)
    elsewhere = _elsewhere(recipe, table, features, settings, corpora if one.is_kept else (), jobs, training)
    more = [_under_shipped_id(other, found) for other in (*result.heard, *elsewhere)]
    for other in (run, *more):
        ships = not other.heard or one.ships_heard
        runs.save(other, settings.artifacts if ships else settings.workspace)
    if one.is_kept:
        tests = model_store.Tests.of(run, [*found, *more])
        model_store.save(dataclasses.replace(result, run=run), table, settings.artifacts, tests=tests)
    for trained in (result.run, *elsewhere):
        shutil.rmtree(settings.training / trained.id, ignore_errors=True)
    return run


def _hear_missing(
    one: Planned, run: runs.Run, table: pd.DataFrame, settings: Settings, found: Sequence[runs.Run], jobs: int
) -> None:
    """Test a model that ships in those planned recording conditions in which it has no run yet."""
    same = (run.recipe, run.protocol, run.data_digest)
    there = {other.heard for other in found if (other.recipe, other.protocol, other.data_digest) == same}
    missing = [condition for condition in one.heard if condition not in there]
    if not missing or not one.is_kept:
        return
    model = model_store.load(model_store.find(one.model, [settings.artifacts]))
    for heard in experiments.run_heard(run, model, table, _heard(one, table, settings, jobs, missing)):
        runs.save(_under_shipped_id(heard, found), settings.artifacts)


def make_studies(settings: Settings, *, jobs: int = -1, progress: Callable[[int, int], None] | None = None) -> None:
    """Tune every classical model except votes on the shipped table; ship the studies, their best presets and runs.

    Takes about 35 minutes on one core. Each study has one worker, so that it is reproducible. Interrupted studies are
    resumed.

    Parameters
    ----------
    settings : Settings
    jobs : int
        Processes, as joblib counts them, for the runs of the presets.
    progress : callable, optional
        Called with the number of studies done and the total.

    Raises
    ------
    SerError
        As the steps.
    """
    table = tables.read(settings.feature_table)
    url = f"sqlite:///{settings.workspace / 'studies-to-ship.sqlite'}"
    finished = []
    for done, (key, trials) in enumerate(TRIALS.items()):
        if progress:
            progress(done, len(TRIALS))
        study = studies.create(studies.Plan(key), url, table, trials=trials, resume=True)
        search.work(study.study_name, url, table)
        finished.append(study)
    storage.pack(url, storage.shipped_file(settings))
    for study in finished:
        best_trial.save_preset(study, table, settings, name=TUNED, into=settings.artifacts, jobs=jobs)


def make_tables(settings: Settings, *, jobs: int = -1) -> dict[Path, pd.DataFrame]:
    """Compute the shipped tables of all clips: features, prosody, ways of speaking, maps and recognised speakers.

    Parameters
    ----------
    settings : Settings
    jobs : int
        Processes, as joblib counts them.

    Returns
    -------
    dict of Path to pd.DataFrame
        The table of each shipped file.

    Raises
    ------
    SerError
        As `make`.
    """
    found = corpus.index(settings.data_dir)
    made = {}
    for features in (feature_sets.MEAN180, feature_sets.FUNCTIONALS, feature_sets.PROSODY, feature_sets.SPEAKING):
        file = settings.shipped_table(features.key)
        made[file] = tables.extract(found, settings.workspace, features=features, jobs=jobs).table
        made[file].attrs.pop(tables.FOLDER)  # of this machine; RAVDESS' clips are found in SER_DATA_DIR
    table = made[settings.feature_table]
    if len(table) != ORIGINAL_CLIPS:
        raise CorpusError(
            f"{settings.data_dir} holds {len(table):,} of RAVDESS' {ORIGINAL_CLIPS:,} clips, and the study needs "
            "all of them"
        )
    return made | {
        settings.maps: exploration.maps(table),
        settings.speakers: generalization.recognise_speakers(table),
    }
