"""Whether a saved run can be reproduced: run its recipe again and compare every prediction."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ser_core import evaluation
from ser_core.environment import Environment
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import protocols
from ser_core.experiments import fusion, other_corpus, runner
from ser_core.features import model_input, tables
from ser_core.models import registry
from ser_core.models.foreign import OwnCode
from ser_core.results import runs
from ser_core.results.runs import Run
from ser_core.settings import Settings


@dataclass(frozen=True)
class Verification:
    """A saved run compared with the same run made again.

    Parameters
    ----------
    run : str
        Id of the saved run.
    predictions : int
        Number of test predictions.
    changed : int
        How many of them have another of the 16 classes.
    changed_emotions : int
        How many have another emotion.
    largest_difference : float
        Of any probability.
    environment : dict
        Versions and platform facts that differ: name -> (then, now).
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
    test_on: Path | None = None,
    code: OwnCode | None = None,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Run a saved run's recipe again, without cross-validation, and compare the test predictions.

    A vote of saved runs is recomputed from its members' saved predictions.

    Parameters
    ----------
    run : Run
    table : pd.DataFrame
        The clips that it was made from.
    settings : Settings
    weights : Path, optional
        Of a backbone.
    test_on : Path, optional
        The manifest or folder of the other corpus that a run was tested on.
    code : OwnCode, optional
        That a run of own code was made of: its recipe names it, and it is not run by its name.
    jobs, progress
        As `experiments.run` takes them.

    Returns
    -------
    Verification

    Raises
    ------
    ModelError
        If the table or the other corpus holds other clips, or the other corpus or the own code is not given.
    SerError
        As `experiments.run` does.
    """
    if tables.digest(table) != run.data_digest:
        raise ModelError(f"{run.id} was made of other clips than this table holds: name its table with --features")
    if test_on and not run.tested_on:
        raise ModelError(f"{run.id} was tested on no other corpus: leave out --test-on")
    if run.recipe.origin == "imported":
        raise ModelError(f"{run.id} was predicted elsewhere: here is nothing to repeat")
    if run.recipe.origin == "code" and (code is None or code.recipe.model != run.recipe.model):
        raise ModelError(f"{run.id} is of own code, which runs only if you name it: --code {run.recipe.model}")
    if registry.get(run.recipe.model).learns_from_clips:
        recipe, model = run.recipe, code or run.recipe
        load = partial(model_input.load, settings=settings, features=recipe.features, weights=weights, jobs=jobs)
        other = _other_corpus(run, test_on, table) if run.tested_on else None
        features = load(table, augmentation=recipe.augmentation)
        if other:
            again = runner.run_on(
                model,
                table,
                other,
                features=features,
                tested=load(other.clips),
                calibration=protocols.calibration_of(run.protocol),
            )
        else:
            heard = [load(table, heard=run.heard)] if run.heard else []
            result = runner.run(
                model,
                table,
                protocol=run.protocol,
                features=features,
                heard=heard,
                cv=False,
                jobs=jobs,
                progress=progress,
            )
            again = result.heard[0] if run.heard else result.run
    else:
        again = fusion.fuse(run.recipe, *(runs.get(member, settings.stores) for member in run.members.values()))
    return compare(run, again)


def _other_corpus(run: Run, place: Path | None, table: pd.DataFrame) -> other_corpus.OtherCorpus:
    """The corpus that a run was tested on, with the same clips."""
    name = run.tested_on["corpus"]
    if place is None:
        raise ModelError(f"{run.id} was tested on {name}: name the manifest or folder of these clips with --test-on")
    other = other_corpus.read(place, table)
    if tables.digest(other.clips) != run.tested_on["digest"]:
        raise ModelError(f"{run.id} was tested on other clips of {name} than {place} holds: name theirs with --test-on")
    return other


def compare(run: Run, again: Run) -> Verification:
    """Compare two runs of one recipe, prediction by prediction.

    Parameters
    ----------
    run, again : Run

    Returns
    -------
    Verification

    Raises
    ------
    ArtifactError
        If their test clips differ.
    """
    first, second = (_sorted(one) for one in (run, again))
    if not first.index.equals(second.index):
        raise ArtifactError(f"{run.id} tested other clips than the same made again does now")
    changed = {}
    for kind in ("class", "emotion"):
        then, now = (evaluation.named_and_true(rows, kind)[0] for rows in (first, second))
        changed[kind] = int(np.sum(then != now))
    difference = np.abs(evaluation.probabilities(first) - evaluation.probabilities(second)).max()
    return Verification(
        run.id, len(first), changed["class"], changed["emotion"], float(difference), _changes(run, again)
    )


def _sorted(run: Run) -> pd.DataFrame:
    return run.part("test").set_index(["fold", "clip"], drop=False).rename_axis([None, None]).sort_index()


def _changes(run: Run, again: Run) -> dict[str, tuple[str, str]]:
    then, now = (_flat(one.environment) | asdict(one.versions) for one in (run, again))
    return {name: (then.get(name, ""), now[name]) for name in now if then.get(name, "") != now[name]}


def _flat(environment: Environment) -> dict[str, str]:
    facts = asdict(environment)
    return facts.pop("packages") | facts
