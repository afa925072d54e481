"""`make study`: the tables, the runs and the trained models of `artifacts/`, made anew from the clips."""

import dataclasses
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ser_core import corpus, experiments
from ser_core.errors import CorpusError
from ser_core.experiments import fusion, nested
from ser_core.features import exploration, model_input, tables
from ser_core.features import registry as feature_sets
from ser_core.models import presets, registry
from ser_core.models.ensembles import NESTED_TRIALS
from ser_core.models.recipe import Recipe
from ser_core.prediction import model_store
from ser_core.results import generalization, runs
from ser_core.results.published import ORIGINAL_CLIPS
from ser_core.settings import Settings
from ser_core.tuning import best_trial, search, storage, studies

# Trials of the studies that ship: what five fits of a model take decides, two to seven minutes a study on one core.
TRIALS = {"xgb": 60, "lgb": 60, "mlp": 60, "svm": 60, "krr": 60, "kn": 40, "dt": 40, "lr": 30, "bag": 20, "rf": 20}
TUNED = "tuned"  # the preset that each study gives


# What the predict page offers: the study's best ensemble, ours, and the members that ours is made of.
KEPT = (("v4", "default"), ("krr", "functionals"), ("cnn", "default"), ("cnn2d", "default"), ("best", "default"))


@dataclass(frozen=True)
class Planned:
    """One run that ships."""

    model: str
    protocol: str = "study"
    preset: str | None = None
    features: str | None = None
    augmentation: str | None = None
    trials: int = 0  # inside each fold, instead of the preset's parameters
    options: tuple[tuple[str, float], ...] = ()  # of a network, instead of the preset's
    cv: bool = False  # of a network: also the folds of the training part
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
        """Whether its fitted model ships, too."""
        return self.protocol == "study" and not self.options and (self.model, self.recipe.preset) in KEPT


# How the cnn overfits: its default with one thing changed.
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
    Planned("v_apart_cnn2d", "emobox"),
    Planned("v_apart_cnn2d", cv=True),
    Planned("cnn2d", "emobox", "voices"),
    Planned("cnn2d", preset="voices"),
    Planned("v_voices", "emobox"),
)

# Under these a few models show how much of what they know is voices, and what the second feature set adds.
HARDER = ("study-speech", "repetition", "statement", "actors-6", "emobox", "luna-jimenez")
HONEST = ("lr", "svm", "mlp", "lgb", "krr", "v4", "v5", "hier", "apart")
HONEST_FUNCTIONALS = ("lr", "svm", "mlp", "krr", "hier", "apart")  # on these, trees are slow and no better
ONLY_EMOBOX = ("lgb", "v4")
SLOW_ON_FUNCTIONALS = ("rf", "xgb", "v", "v2", "v3")  # minutes a fit
WITH_SONG = ("krr", "apart")  # also trained on the other actors' song, with the functionals

FUNCTIONALS: dict[str, Any] = {"features": "functionals"}
PERTURBED: dict[str, Any] = FUNCTIONALS | {"augmentation": "speaker-perturbation"}


def classical() -> list[Planned]:
    """All of them: every model on either feature set, and some under harder protocols."""
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
    ]


def make(settings: Settings, *, jobs: int = -1, progress: Callable[[int, int], None] | None = None) -> list[runs.Run]:
    """Carry out the study's classical half on the clips in `settings.data_dir`, and keep it in the shipped store.

    Takes about an hour on two cores. `progress` is told the number of steps done and of steps in all: first of
    clips that are seen in other voices, then of models.

    The tables are written first, the runs and models when all are made.

    Raises
    ------
    SerError
        As the steps do: no clips, too many broken clips; and if it is not the whole corpus.
    """
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
    made, kept = [], []
    for done, (one, recipe) in enumerate(wanted):
        if progress:
            progress(done, len(wanted))
        features = seen[recipe.features, recipe.augmentation]
        result = experiments.run(recipe, table, protocol=one.protocol, features=features, jobs=jobs)
        run = _under_shipped_id(result.run, shipped)
        made.append(run)
        if one.is_kept:
            kept.append(dataclasses.replace(result, run=run))
    for found in presets.list_all([settings.artifacts]):
        recipe = registry.recipe(found.model, found.name, stores=[settings.artifacts])
        run = _under_shipped_id(experiments.run(recipe, table, jobs=jobs).run, shipped)
        made.append(dataclasses.replace(run, tuned=found.facts))
    for run in made:
        runs.save(run, settings.artifacts)
    for result in kept:
        model_store.save(result, table, settings.artifacts, unheard=_unheard(result.run, made))
    for run in shipped:  # of an older state of this code or of the data
        if run.recipe.model in registry.of_tables() and run.id not in {one.id for one in made}:
            shutil.rmtree(settings.artifacts / "runs" / run.id)
    return made


def _under_shipped_id(run: runs.Run, shipped: Iterable[runs.Run]) -> runs.Run:
    """The run with the id of the shipped run that it remakes, if any: model cards, votes and presets refer to it."""
    for earlier in shipped:
        if (run.recipe, run.protocol) == (earlier.recipe, earlier.protocol):
            return dataclasses.replace(run, id=earlier.id)
    return run


def _unheard(run: runs.Run, found: Iterable[runs.Run]) -> runs.Run:
    """The speaker-independent run for a kept model's card: of the same preset and seed."""
    recipe = run.recipe
    return runs.find(found, model=recipe.model, preset=recipe.preset, protocol="emobox", seed=recipe.seed)


def make_deep(
    settings: Settings,
    *,
    only: Collection[str] = (),
    weights: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[runs.Run]:
    """Run the study's deep half on the shipped table's clips, and keep its runs and two networks in the shipped store.

    A run that is there is not made again, and one that was broken off is resumed. Takes about four hours on two cores.

    Parameters
    ----------
    settings : Settings
    only : collection of str
        Keys of models; all if it is empty.
    weights : Path, optional
        Of VGG16.
    progress : callable, optional
        Called with the number of runs done and of runs in all.

    Raises
    ------
    SerError
        As the steps do.
    """
    wanted = [one for one in DEEP if not only or one.model in only]
    table = tables.read(settings.feature_table)
    made = []
    for done, one in enumerate(wanted):
        if progress:
            progress(done, len(wanted))
        made.append(_make_one(one, table, settings, weights))
    return made


def _make_one(one: Planned, table: pd.DataFrame, settings: Settings, weights: Path | None) -> runs.Run:
    recipe, shipped = one.recipe, runs.list_all([settings.artifacts])
    data_digest = tables.digest(table)
    if not registry.get(one.model).learns_from_clips:
        members = fusion.members(recipe, shipped, protocol=one.protocol, data_digest=data_digest)
        run = _under_shipped_id(fusion.fuse(recipe, *members), shipped)
        runs.save(run, settings.artifacts)
        if one.is_kept:
            model_store.save_vote(run, table, settings.artifacts, unheard=_unheard(run, shipped))
        return run
    kept = {entry.key: entry.run for entry in model_store.list_all([settings.artifacts])}
    for run in shipped:
        is_made = (run.recipe, run.protocol, run.data_digest) == (recipe, one.protocol, data_digest)
        if is_made and (run.cv or not one.cv) and (not one.is_kept or kept.get(one.model) == run.id):
            return run
    features = model_input.load(table, settings, features=recipe.features, weights=weights)
    training = experiments.Training(folder=settings.training)
    result = experiments.run(recipe, table, protocol=one.protocol, features=features, cv=one.cv, training=training)
    run = _under_shipped_id(result.run, shipped)
    runs.save(run, settings.artifacts)
    if one.is_kept:
        unheard = _unheard(run, shipped)
        model_store.save(dataclasses.replace(result, run=run), table, settings.artifacts, unheard=unheard)
    shutil.rmtree(settings.training / result.run.id, ignore_errors=True)
    return run


def make_studies(settings: Settings, *, jobs: int = -1, progress: Callable[[int, int], None] | None = None) -> None:
    """Tune every single model on the shipped table, and ship the studies, each one's best preset, and its run.

    Takes about 35 minutes on one core. Each study has one worker, so that it comes out the same again. Where it was
    stopped it goes on. `progress` is told the number of studies done and of studies in all.

    Raises
    ------
    SerError
        As the steps do.
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
    """The tables of all clips, each with the file that it ships in: features, loudness and pitch, maps.

    Raises
    ------
    SerError
        As `make`.
    """
    found = corpus.index(settings.data_dir)
    made = {}
    for features in (feature_sets.MEAN180, feature_sets.FUNCTIONALS, feature_sets.PROSODY):
        file = settings.shipped_table(features.key)
        made[file] = tables.extract(found, settings.workspace, features=features, jobs=jobs).table
        made[file].attrs.pop(tables.FOLDER)  # of this machine; RAVDESS' clips are looked for in SER_DATA_DIR
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
