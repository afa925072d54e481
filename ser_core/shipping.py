"""`make study`: the tables, the runs and the trained ensembles of `artifacts/`, made anew from the clips."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ser_core import artifacts, corpus, experiments, exploration, runs
from ser_core.errors import CorpusError
from ser_core.features import prosody, store
from ser_core.models import presets, registry
from ser_core.reference import STUDY_CLIPS
from ser_core.settings import Settings
from ser_core.tuning import storage, studies

# Trials of the studies that ship: what five fits of a model take decides, two to seven minutes a study on one core.
TRIALS = {"xgb": 60, "lgb": 60, "mlp": 60, "svm": 60, "krr": 60, "kn": 40, "dt": 40, "lr": 30, "bag": 20, "rf": 20}
TUNED = "tuned"  # the preset that each study gives

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
    keys = list(registry.MODELS)
    tables = make_tables(data, settings, jobs=jobs)
    table = tables[settings.feature_table]
    results, unheard = [], {}
    for done, key in enumerate(keys):
        if progress:
            progress(done, len(keys))
        results.append(experiments.run(key, table, jobs=jobs))
        if key in TRAINED:
            unheard[key] = experiments.run(key, table, protocol="emobox", jobs=jobs).run
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
            artifacts.save(result, table, settings.artifacts, unheard=unheard[key])
    for folder in (settings.artifacts / "runs").glob("*/"):
        if folder.name not in {run.id for run in made}:  # of an older state of this code or of the data
            shutil.rmtree(folder)
    return made


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
    }
