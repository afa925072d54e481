"""`make study`: the tables, the runs and the trained models of `artifacts/`, made anew from the clips."""

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser_core import corpus, experiments
from ser_core.errors import CorpusError
from ser_core.experiments import fusion
from ser_core.experiments.nested import tuned_inside
from ser_core.features import exploration, functionals, inputs, prosody, store
from ser_core.models import presets, registry
from ser_core.models.model import FUNCTIONALS, OWN, TRIALS_INSIDE, VOICES, SavedVote
from ser_core.prediction import model_store
from ser_core.results import generalization, runs
from ser_core.results.published import STUDY_CLIPS
from ser_core.settings import Settings
from ser_core.tuning import best_trial, search, storage, studies

# Trials of the studies that ship: what five fits of a model take decides, two to seven minutes a study on one core.
TRIALS = {"xgb": 60, "lgb": 60, "mlp": 60, "svm": 60, "krr": 60, "kn": 40, "dt": 40, "lr": 30, "bag": 20, "rf": 20}
TUNED = "tuned"  # the preset that each study gives


@dataclass(frozen=True)
class Deep:
    """One run that ships and is made of recordings or of other runs: a network's, or a vote's."""

    model: str
    protocol: str = "study"
    preset: str = "default"
    options: tuple[tuple[str, float], ...] = ()
    cv: bool = False  # also the folds of the training part
    seed: int = 9


# How the cnn overfits: its default with one thing changed.
GRID = {
    "dropout": (0.0, 0.15, 0.5, 0.7),
    "l1": (1e-5, 1e-4, 1e-3),
    "l2": (1e-4, 1e-3, 1e-2),
    "batch_size": (4, 8, 32, 64, 128),
}
DEEP = (
    Deep("cnn", "emobox"),
    Deep("cnn2d", "emobox"),
    Deep("cnn", cv=True),
    Deep("vgg16", cv=True),
    Deep("v_cnn_vgg16", cv=True),
    Deep("rnn"),
    Deep("rnn", preset="study"),
    Deep("cnn2d", cv=True),
    Deep("cnn2d", options=(("validation", 0.1),)),
    Deep("cnn2d", "emobox", seed=10),
    *(Deep("cnn", options=((name, value),)) for name, values in GRID.items() for value in values),
    Deep("best", "emobox"),
    Deep("best", cv=True),
    Deep("v_apart_cnn2d", "emobox"),
    Deep("v_apart_cnn2d", cv=True),
    Deep("cnn2d", "emobox", VOICES),
    Deep("cnn2d", preset=VOICES),
    Deep("v_voices", "emobox"),
)

# Under these a few models show how much of what they know is voices, and what the second feature set adds.
HARDER = ("study-speech", "repetition", "statement", "actors-6", "emobox", "luna-jimenez")
HONEST = ("lr", "svm", "mlp", "lgb", "krr", "v4", "v5", "hier", "apart")
HONEST_FUNCTIONALS = ("lr", "svm", "mlp", "krr", "hier", "apart")  # on these, trees are slow and no better
ONLY_EMOBOX = ("lgb", "v4")
SLOW_ON_FUNCTIONALS = ("rf", "xgb", "v", "v2", "v3")  # minutes a fit
WITH_SONG = ("krr", "apart")  # also trained on the other actors' song, with the functionals

# What the predict page offers: the study's best ensemble, ours, and the members that ours is made of.
TRAINED = (("v4", "default"), ("krr", FUNCTIONALS))
TRAINED_DEEP = ("cnn", "cnn2d", "best")


@dataclass(frozen=True)
class Classical:
    """One run that ships of a model that is fitted on a table of features."""

    model: str
    protocol: str = "study"
    preset: str = "default"
    tune: int = 0  # trials inside each fold, in the place of the preset's parameters


def classical() -> list[Classical]:
    """All of them: every model on either feature set, and some under harder protocols."""
    return [
        *(Classical(key) for key in registry.of_tables()),
        *(Classical(key, preset=FUNCTIONALS) for key in registry.of_tables() if key not in SLOW_ON_FUNCTIONALS),
        *(Classical(key, protocol) for key in HONEST for protocol in HARDER),
        *(Classical(key, protocol, FUNCTIONALS) for key in HONEST_FUNCTIONALS for protocol in HARDER),
        *(Classical(key, "emobox", FUNCTIONALS) for key in ONLY_EMOBOX),
        *(Classical(key, "emobox+song", FUNCTIONALS) for key in WITH_SONG),
        *(Classical("apart", protocol, VOICES) for protocol in ("study", "emobox")),
        *(Classical("apart", "emobox", preset, TRIALS_INSIDE) for preset in (FUNCTIONALS, VOICES)),
        *(Classical("hier", protocol, "hard") for protocol in ("study", "emobox")),
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
    tables = make_tables(settings, jobs=jobs)
    for file, made_table in tables.items():
        store.save_table(made_table, file)
    table = tables[settings.feature_table]
    seen = {key: inputs.load(key, table, settings, progress=progress) for key in (*inputs.TABLES, VOICES)}
    wanted, kept, made = classical(), {}, []
    for done, one in enumerate(wanted):
        if progress:
            progress(done, len(wanted))
        of_input = seen[registry.get(one.model).input(one.preset)]
        model, preset = tuned_inside(one.model, one.tune, of_input.key) if one.tune else (one.model, one.preset)
        what = {"protocol": one.protocol, "preset": preset, "seen": of_input, "jobs": jobs}
        result = experiments.run(model, table, **what)
        made.append(result.run)
        if one.protocol == "study" and (one.model, one.preset) in TRAINED:
            kept[one.model, one.preset] = result
    made += [
        experiments.run(presets.with_tuned(found.model, [found]), table, preset=found.name, jobs=jobs).run
        for found in presets.list_all([settings.artifacts])
    ]
    for run in made:
        runs.save(run, settings.artifacts)
    for (key, preset), result in kept.items():
        unheard = runs.find(made, model=key, preset=preset, protocol="emobox")
        model_store.save(result, table, settings.artifacts, unheard=unheard)
    for folder in (settings.artifacts / "runs").glob("*/"):
        info = json.loads((folder / "run.json").read_text())
        is_classical = info["model"] not in registry.MODELS or info["model"] in registry.of_tables()
        if is_classical and folder.name not in {
            run.id for run in made
        }:  # of an older state of this code or of the data
            shutil.rmtree(folder)
    return made


def make_deep(
    settings: Settings,
    *,
    only: Collection[str] = (),
    weights: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[runs.Run]:
    """Carry out the study's deep half on the shipped table's clips, and keep its runs, and two networks, in the shipped
    store. A run that is there is not made again, and one that was broken off goes on.

    Takes about four hours on two cores. `only` names models; `weights` are VGG16's. `progress` is told the number of
    runs done and of runs in all.

    Raises
    ------
    SerError
        As the steps do.
    """
    wanted = [one for one in DEEP if not only or one.model in only]
    table = store.read_table(settings.feature_table)
    made = []
    for done, one in enumerate(wanted):
        if progress:
            progress(done, len(wanted))
        made.append(_make_one(one, table, settings, weights))
    return made


def _make_one(one: Deep, table: pd.DataFrame, settings: Settings, weights: Path | None) -> runs.Run:
    model, preset = registry.get(one.model), one.preset
    if isinstance(model, SavedVote):
        wanted = {"protocol": one.protocol, "seed": one.seed, "data_digest": store.digest(table)}
        found = runs.list_all([settings.artifacts])
        run = fusion.of_runs(model, *fusion.members(model, found, **wanted))
        runs.save(run, settings.artifacts)
        if one.model in TRAINED_DEEP and one.protocol == "study":
            model_store.save_vote(run, table, settings.artifacts, unheard=_unheard(one, settings))
        return run
    if one.options:
        model, preset = model.with_options(preset, dict(one.options)), OWN
    seen = inputs.load(model.input(preset), table, settings, weights=weights)
    what = {"protocol": one.protocol, "preset": preset, "seed": one.seed, "seen": seen, "cv": one.cv}
    run_id = experiments.run_name(experiments.facts(model, table, **what))
    keep = one.model in TRAINED_DEEP and (one.protocol, one.preset, one.options) == ("study", "default", ())
    kept = {entry.key: entry.entry["run"] for entry in model_store.list_all([settings.artifacts])}
    if (settings.artifacts / "runs" / run_id).is_dir() and (not keep or kept.get(one.model) == run_id):
        return runs.get(run_id, settings.stores)
    result = experiments.run(model, table, training=experiments.Training(folder=settings.training), **what)
    runs.save(result.run, settings.artifacts)
    if keep:
        model_store.save(result, table, settings.artifacts, unheard=_unheard(one, settings))
    shutil.rmtree(settings.training / run_id, ignore_errors=True)
    return result.run


def _unheard(one: Deep, settings: Settings) -> runs.Run:
    """What the card of a kept model says of voices never heard: that very model's run on them, not another preset's."""
    found = runs.list_all([settings.artifacts])
    return runs.find(found, model=one.model, preset=one.preset, protocol="emobox", seed=one.seed)


def make_studies(settings: Settings, *, jobs: int = -1, progress: Callable[[int, int], None] | None = None) -> None:
    """Tune every single model on the shipped table, and ship the studies, each one's best preset, and its run.

    Takes about 35 minutes on one core. Each study has one worker, so that it comes out the same again. Where it was
    stopped it goes on. `progress` is told the number of studies done and of studies in all.

    Raises
    ------
    SerError
        As the steps do.
    """
    table = store.read_table(settings.feature_table)
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
    data = settings.data_dir
    found = corpus.index(data)
    table = store.load_table(found, settings.workspace, jobs=jobs).table
    if len(table) != STUDY_CLIPS:
        raise CorpusError(
            f"{data} holds {len(table):,} of RAVDESS' {STUDY_CLIPS:,} clips, and the study needs all of them"
        )
    voices = store.load_table(found, settings.workspace, features=prosody, jobs=jobs).table
    return {
        settings.feature_table: table,
        settings.functionals_table: store.load_table(found, settings.workspace, features=functionals, jobs=jobs).table,
        settings.prosody_table: voices,
        settings.maps: exploration.maps(table),
        settings.speakers: generalization.recognise_speakers(table),
    }
