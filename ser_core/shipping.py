"""`make study`: the feature table, the runs and the trained ensembles of `artifacts/`, made anew from the clips."""

import shutil
from collections.abc import Callable
from pathlib import Path

from ser_core import artifacts, corpus, experiments, runs
from ser_core.features import store
from ser_core.models import registry
from ser_core.settings import Settings

TRAINED = ("v4", "best")  # the study's best ensemble and ours: what the predict page offers


def make(
    data: Path, settings: Settings, *, jobs: int = -1, progress: Callable[[int, int], None] | None = None
) -> list[runs.Run]:
    """Carry out the study's classical half on the clips in a folder, and keep it in the shipped store.

    Takes about four minutes on two cores. `progress` is told the number of steps done and of steps in all.

    Raises
    ------
    SerError
        As the steps do: no clips, too many broken clips.
    """
    keys = list(registry.MODELS)
    table = store.load_table(corpus.index(data), settings.workspace, jobs=jobs).table
    store.save_table(table, settings.feature_table)
    made = []
    for done, key in enumerate(keys, start=1):
        if progress:
            progress(done, len(keys) + 1)
        result = experiments.run(key, table, jobs=jobs)
        made.append(result.run)
        if key in TRAINED:
            unheard = experiments.run(key, table, protocol="emobox", jobs=jobs).run
            artifacts.save(result, table, settings.artifacts, unheard=unheard)
            made.append(unheard)
    for run in made:
        runs.save(run, settings.artifacts)
    for folder in (settings.artifacts / "runs").iterdir():
        if folder.name not in {run.id for run in made}:  # of an older state of this code or of the data
            shutil.rmtree(folder)
    return made
