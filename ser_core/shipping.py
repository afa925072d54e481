"""`make study`: the tables, the runs and the trained ensembles of `artifacts/`, made anew from the clips."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ser_core import artifacts, corpus, experiments, exploration, runs
from ser_core.errors import CorpusError
from ser_core.features import prosody, store
from ser_core.models import registry
from ser_core.reference import STUDY_CLIPS
from ser_core.settings import Settings

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
    for file, made_table in tables.items():
        store.save_table(made_table, file)
    made = [*(result.run for result in results), *unheard.values()]
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
