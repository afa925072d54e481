"""`make study`: the tables, the runs and the trained models of `artifacts/`, made anew from the clips."""

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser_core import artifacts, corpus, experiments, exploration, leakage, runs, votes
from ser_core.errors import CorpusError
from ser_core.features import inputs, prosody, store
from ser_core.models import deep, presets, registry
from ser_core.reference import STUDY_CLIPS
from ser_core.settings import Settings
from ser_core.tuning import storage, studies

# Trials of the studies that ship: what five fits of a model take decides, two to seven minutes a study on one core.
TRIALS = {"xgb": 60, "lgb": 60, "mlp": 60, "svm": 60, "krr": 60, "kn": 40, "dt": 40, "lr": 30, "bag": 20, "rf": 20}
TUNED = "tuned"  # the preset that each study gives


@dataclass(frozen=True)
class Deep:
    """One run of a network that ships."""

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
)
TRAINED_DEEP = ("cnn", "cnn2d")  # kept for the predict page

# Under these a few models show how much of what they know is voices.
HONEST = ("lr", "svm", "mlp", "lgb", "krr", "v4", "best", "hier")
HARDER = ("study-speech", "repetition", "statement", "actors-6", "emobox", "luna-jimenez")

TRAINED = ("v4", "best")  # the study's best ensemble and ours: what the predict page offers


def make(
    data: Path, settings: Settings, *, jobs: int = -1, progress: Callable[[int, int], None] | None = None
) -> list[runs.Run]:
    """Carry out the study's classical half on the clips in a folder, and keep it in the shipped store.

    Takes about four minutes on two cores. `progress` is told the number of models done and of models in all.

    Nothing is written before all is made.

    Raises
    ------
    SerError
        As the steps do: no clips, too many broken clips; and if it is not the whole corpus.
    """
    keys = [key for key, model in registry.MODELS.items() if model.family != "deep"]
    tables = make_tables(data, settings, jobs=jobs)
    table = tables[settings.feature_table]
    results, unheard = [], {}
    for done, key in enumerate(keys):
        if progress:
            progress(done, len(keys))
        results.append(experiments.run(key, table, jobs=jobs))
        for protocol in HARDER if key in HONEST else ():
            unheard[key, protocol] = experiments.run(key, table, protocol=protocol, jobs=jobs).run
    tuned = [
        experiments.run(presets.with_tuned(found.model, [found]), table, preset=found.name, jobs=jobs).run
        for found in presets.list_all([settings.artifacts])
    ]
    for file, made_table in tables.items():
        store.save_table(made_table, file)
    made = [*(result.run for result in results), *unheard.values(), *tuned]
    for run in made:
        runs.save(run, settings.artifacts)
    for result in results:
        key = result.run.info["model"]
        if key in TRAINED:
            artifacts.save(result, table, settings.artifacts, unheard=unheard[key, "emobox"])
    for folder in (settings.artifacts / "runs").glob("*/"):
        is_deep = json.loads((folder / "run.json").read_text())["family"] == "deep"
        if not is_deep and folder.name not in {run.id for run in made}:  # of an older state of this code or of the data
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

    Takes about two hours on two cores. `only` names models; `weights` are VGG16's. `progress` is told the number of
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
    if isinstance(model, deep.SavedVote):
        wanted = {"protocol": one.protocol, "seed": one.seed, "data_digest": store.digest(table)}
        members = votes.members(model, runs.list_all([settings.artifacts]), **wanted)
        run = votes.of_runs(model, *members)
        runs.save(run, settings.artifacts)
        return run
    if one.options:
        model, preset = model.with_options(preset, dict(one.options)), deep.OWN
    seen = inputs.load(model.input(preset), table, settings, weights=weights)
    what = {"protocol": one.protocol, "preset": preset, "seed": one.seed, "seen": seen, "cv": one.cv}
    run_id = experiments.run_name(experiments.facts(model, table, **what))
    keep = one.model in TRAINED_DEEP and (one.protocol, one.preset, one.options) == ("study", "default", ())
    kept = {entry.key: entry.entry["run"] for entry in artifacts.list_all([settings.artifacts])}
    if (settings.artifacts / "runs" / run_id).is_dir() and (not keep or kept.get(one.model) == run_id):
        return runs.get(run_id, settings.stores)
    result = experiments.run(model, table, training=experiments.Training(folder=settings.training), **what)
    runs.save(result.run, settings.artifacts)
    if keep:
        unheard = runs.find(runs.list_all([settings.artifacts]), model=one.model, protocol="emobox", seed=one.seed)
        artifacts.save(result, table, settings.artifacts, unheard=unheard)
    shutil.rmtree(settings.training / run_id, ignore_errors=True)
    return result.run


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
        studies.work(study.study_name, url, table)
        finished.append(study)
    storage.pack(url, storage.shipped_file(settings))
    for study in finished:
        studies.save_preset(study, table, settings, name=TUNED, into=settings.artifacts, jobs=jobs)


def make_tables(data: Path, settings: Settings, *, jobs: int = -1) -> dict[Path, pd.DataFrame]:
    """The tables of all clips, each with the file that it ships in: features, loudness and pitch, maps.

    Raises
    ------
    SerError
        As `make`.
    """
    found = corpus.index(data)
    table = store.load_table(found, settings.workspace, jobs=jobs).table
    if len(table) != STUDY_CLIPS:
        raise CorpusError(
            f"{data} holds {len(table):,} of RAVDESS' {STUDY_CLIPS:,} clips, and the study needs all of them"
        )
    voices = store.load_table(found, settings.workspace, features=prosody, jobs=jobs).table
    return {
        settings.feature_table: table,
        settings.prosody_table: voices,
        settings.maps: exploration.maps(table),
        settings.speakers: leakage.recognise_speakers(table),
    }
