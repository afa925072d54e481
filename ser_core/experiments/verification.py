"""Whether a saved run comes out again: its recipe carried out once more, and every answer compared."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ser_core import evaluation
from ser_core.environment import Environment
from ser_core.errors import ArtifactError, ModelError
from ser_core.experiments import fusion, runner
from ser_core.features import model_input, tables
from ser_core.models import registry
from ser_core.results import runs
from ser_core.results.runs import Run
from ser_core.settings import Settings


@dataclass(frozen=True)
class Verification:
    """A saved run beside the same made again.

    Parameters
    ----------
    run : str
        Id of the saved run.
    predictions : int
        Test predictions of both.
    changed : int
        How many of them name another of the 16 classes.
    changed_emotions : int
        How many name another emotion.
    largest_difference : float
        Of any probability.
    environment : dict
        What is otherwise here: name -> (then, now).
    """

    run: str
    predictions: int
    changed: int
    changed_emotions: int
    largest_difference: float
    environment: dict[str, tuple[str, str]] = field(default_factory=dict)


def verify(
    run: Run,
    table: pd.DataFrame,
    settings: Settings,
    *,
    weights: Path | None = None,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Carry a saved run's recipe out again, without its cross-validation, and compare the test predictions.

    A vote of saved runs is put together again from its members' saved predictions.

    Parameters
    ----------
    run : Run
    table : pd.DataFrame
        The clips that it was made of.
    settings : Settings
    weights : Path, optional
        Of a backbone.
    jobs, progress
        As `experiments.run` takes them.

    Raises
    ------
    ModelError
        If the table holds other clips.
    SerError
        As `experiments.run` does.
    """
    if tables.digest(table) != run.data_digest:
        raise ModelError(f"{run.id} was made of other clips than this table holds: name its table with --features")
    if registry.get(run.recipe.model).learns_from_clips:
        recipe = run.recipe
        features = model_input.load(
            table,
            settings,
            features=recipe.features,
            augmentation=recipe.augmentation,
            weights=weights,
            jobs=jobs,
        )
        again = runner.run(
            recipe, table, protocol=run.protocol, features=features, cv=False, jobs=jobs, progress=progress
        ).run
    else:
        again = fusion.fuse(run.recipe, *(runs.get(member, settings.stores) for member in run.members.values()))
    return compare(run, again)


def compare(run: Run, again: Run) -> Verification:
    """Compare two runs of one recipe, prediction by prediction.

    Parameters
    ----------
    run, again : Run

    Raises
    ------
    ArtifactError
        If they did not test the same clips.
    """
    first, second = (_in_order(one) for one in (run, again))
    if not first.index.equals(second.index):
        raise ArtifactError(f"{run.id} tested other clips than the same made again does now")
    changed = {}
    for kind in ("class", "emotion"):
        named = [evaluation.named_and_true(rows, kind)[0] for rows in (first, second)]
        changed[kind] = int(np.sum(named[0] != named[1]))
    difference = np.abs(evaluation.probabilities(first) - evaluation.probabilities(second)).max()
    return Verification(
        run.id, len(first), changed["class"], changed["emotion"], float(difference), _otherwise(run, again)
    )


def _in_order(run: Run) -> pd.DataFrame:
    return run.part("test").set_index(["fold", "clip"], drop=False).rename_axis([None, None]).sort_index()


def _otherwise(run: Run, again: Run) -> dict[str, tuple[str, str]]:
    then, now = (_flat(one.environment) | asdict(one.versions) for one in (run, again))
    return {name: (then.get(name, ""), now[name]) for name in now if then.get(name, "") != now[name]}


def _flat(environment: Environment) -> dict[str, str]:
    facts = asdict(environment)
    return facts.pop("packages") | facts
