"""Late fusion: soft votes of two runs, from their saved predictions; one weighting, and what every weighting gives."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from ser_core import evaluation
from ser_core.environment import Environment
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import DISTANCE, protocols
from ser_core.models import registry
from ser_core.models.model import SavedVote
from ser_core.models.recipe import Recipe
from ser_core.results import runs
from ser_core.results.runs import Run, Seconds, Tables, Versions

STEPS = 20  # of the weight, from 0 to 1
KEY = ["part", "fold", "clip"]


def members(
    recipe: Recipe, found: Iterable[Run], *, protocol: str, data_digest: str | None = None, heard: str = ""
) -> list[Run]:
    """The latest runs of a vote's members under a protocol, with the recipe's seed.

    Parameters
    ----------
    recipe : Recipe
        Of a vote of saved runs.
    found : iterable of Run
        The newest last.
    protocol : str
    data_digest : str, optional
        Only runs on these clips.
    heard : str
        The recording condition of their test clips; empty for as recorded.

    Returns
    -------
    list of Run
        In the order of the vote's weights.

    Raises
    ------
    ArtifactError
        If one is missing; the message names the command that makes it.
    """
    found, model = list(found), registry.get(recipe.model)
    assert isinstance(model, SavedVote), f"{model.key} is no vote of saved runs"
    result = []
    for key in recipe.parameters["weights"]:
        member = model.members[key]
        default = registry.recipe(key, features=member.features, augmentation=member.augmentation)
        fitting = [
            run
            for under in dict.fromkeys([protocols.uncalibrated(protocol), protocol])
            for run in found
            if runs.matches(run, protocol=under, heard=heard, model=key, seed=recipe.seed)
            and member.fits(run.recipe, default)
            and data_digest in (None, run.data_digest)
        ]
        if not fitting:
            options = [member.command] if member.command else []
            if protocols.corpus_of(protocol):
                options.append("--test-on MANIFEST")
            elif protocol != "study":
                options.append(f"--protocol {protocol}")
            options += [f"--heard {heard}"] if heard else []
            options += [f"--seed {recipe.seed}"] if recipe.seed != protocols.ORIGINAL_SEED else []
            of_clips = f" on clips {data_digest[:12]}" if data_digest else ""
            raise ArtifactError(
                f"{model.key} is made of saved runs, and there is none of {key} with protocol {protocol}, "
                f"seed {recipe.seed}{of_clips}. Make it first: {' '.join(['python -m ser_core run', key, *options])}"
            )
        result.append(fitting[-1])
    if all(run.protocol != protocol for run in result):
        raise ArtifactError(
            f"No member of {model.key} has heard clips of each speaker before, as {protocol} says. Make such a run "
            f"first: python -m ser_core run centred --protocol {protocols.uncalibrated(protocol)} --calibrate "
            f"{protocols.calibration_of(protocol)}"
        )
    return result


def fuse(recipe: Recipe, first: Run, second: Run) -> Run:
    """The run of a vote: the weighted mean of the probabilities of two runs, for the clips that both have.

    One of them may have heard some clips of each speaker before, and the other not.

    Parameters
    ----------
    recipe : Recipe
        Of a vote of saved runs.
    first, second : Run

    Returns
    -------
    Run

    Raises
    ------
    ModelError
        If the runs are of different protocols, seeds or clips.
    """
    weights = list(recipe.parameters["weights"].values())
    both = _aligned(first, second)
    predictions = _mixed(*both, weights[0] / sum(weights))
    if first.heard:
        predictions = evaluation.rounded(predictions)
    pair = (first, second)

    def joined(texts: Iterable[str], between: str = " and ") -> str:
        return between.join(text for text in texts if text)

    recipe = replace(recipe, features=joined(run.recipe.features for run in pair))
    protocol = next((run.protocol for run in pair if protocols.calibration_of(run.protocol)), first.protocol)
    return Run(
        id=runs.id_of(recipe, protocol, first.data_digest, first.cv and second.cv, first.heard),
        recipe=recipe,
        protocol=protocol,
        data_digest=first.data_digest,
        clips=first.clips,
        tables=Tables(predictions),
        scores=evaluation.scores(predictions),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        cv=first.cv and second.cv,
        versions=Versions(
            features=joined(run.versions.features for run in pair),
            preprocessing=first.versions.preprocessing,
            networks=next((run.versions.networks for run in pair if run.versions.networks), ""),
            weights=joined((run.versions.weights for run in pair), " "),
        ),
        environment=Environment.here(),
        seconds=Seconds(
            sum(run.seconds.total for run in pair),
            sum(run.seconds.fit for run in pair),
            sum(run.seconds.predict for run in pair),
        ),
        members={run.recipe.model: run.id for run in pair},
        heard=first.heard,
        tested_on=first.tested_on,
    )


def every_weight(first: Run, second: Run) -> pd.DataFrame:
    """The scores of a vote for every weight of the first run, from 0 (the second alone) to 1.

    Parameters
    ----------
    first, second : Run

    Returns
    -------
    pd.DataFrame
        `weight`, and for the parts that both runs have `cv_accuracy` and `test_accuracy`. Choose by the first; the
        second only shows the effect of a choice.

    Raises
    ------
    ModelError
        If the runs are of different protocols, seeds or clips.
    """
    both = _aligned(first, second)
    rows = []
    for weight in np.linspace(0, 1, STEPS + 1):
        scores = evaluation.scores(_mixed(*both, weight))
        wanted = ("cv_accuracy", "test_accuracy")
        rows.append({"weight": weight} | {name: scores[name] for name in wanted if name in scores})
    return pd.DataFrame(rows)


def best_weight(weights: pd.DataFrame) -> pd.Series:
    """The row of `every_weight` with the highest cross-validation accuracy; among equals, the weight nearest to 0.5.

    Parameters
    ----------
    weights : pd.DataFrame
        As `every_weight` returns it.

    Returns
    -------
    pd.Series

    Raises
    ------
    ModelError
        If the runs were not cross-validated: nothing may be chosen on the test part.
    """
    if "cv_accuracy" not in weights:
        raise ModelError("A weight is chosen on folds of the training part, and these have none: use run, not train")
    top = weights[weights["cv_accuracy"] >= weights["cv_accuracy"].max() - 1e-12]
    return top.loc[(top["weight"] - 0.5).abs().idxmin()]


def _aligned(first: Run, second: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions for the clips, parts and folds that both have, in the same order."""
    for name, one, other in (
        ("protocol", protocols.uncalibrated(first.test), protocols.uncalibrated(second.test)),
        ("seed", first.recipe.seed, second.recipe.seed),
        ("data_digest", first.data_digest, second.data_digest),
        ("classes", evaluation.classes(first.predictions), evaluation.classes(second.predictions)),
    ):
        if one != other:
            raise ModelError(f"{first.id} and {second.id} cannot vote: their {name} differs ({one}, {other})")
    one, other = (run.predictions.set_index(KEY).sort_index() for run in (first, second))
    shared = one.index.intersection(other.index)
    return tuple(side.loc[shared].reset_index() for side in (one, other))


def _mixed(first: pd.DataFrame, second: pd.DataFrame, weight: float) -> pd.DataFrame:
    """The predictions of a vote, with the distances of its first member that measures them."""
    measured = [side[DISTANCE] for side in (first, second) if DISTANCE in side]
    columns = evaluation.probability_columns(evaluation.classes(first))
    mixed = first[[*evaluation.ROW_COLUMNS, *columns]].copy()
    if measured:
        mixed[DISTANCE] = measured[0]
    mean = weight * evaluation.probabilities(first) + (1 - weight) * evaluation.probabilities(second)
    mixed[columns] = mean.astype(np.float32)
    return mixed
