"""`make study`: the feature table, the runs and the trained ensembles of `artifacts/`, made anew from the clips."""

import shutil
from collections.abc import Callable
from pathlib import Path

from ser_core import artifacts, corpus, experiments, runs
from ser_core.errors import CorpusError
from ser_core.features import store
from ser_core.models import registry
from ser_core.settings import Settings

CLIPS = 2452
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
    table = store.load_table(corpus.index(data), settings.workspace, jobs=jobs).table
    if len(table) != CLIPS:
        raise CorpusError(f"{data} holds {len(table):,} of RAVDESS' {CLIPS:,} clips, and the study needs all of them")
    results, unheard = [], {}
    for done, key in enumerate(keys):
        if progress:
            progress(done, len(keys))
        results.append(experiments.run(key, table, jobs=jobs))
        if key in TRAINED:
            unheard[key] = experiments.run(key, table, protocol="emobox", jobs=jobs).run
    store.save_table(table, settings.feature_table)
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
