"""Soft votes of two runs, from their saved predictions: one weighting, and what every weighting would give."""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from ser_core import evaluation, experiments
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import protocols
from ser_core.models.model import INSIDE, TRIALS_INSIDE, SavedVote
from ser_core.results.runs import Run

STEPS = 20  # of the weight, from 0 to 1
SAME = ("protocol", "seed", "data_digest")  # what two runs must share to vote
USUAL = {"preset": "default", "protocol": "study", "seed": protocols.STUDY_SEED}  # what `run` does if nothing is said
WHERE = ["part", "fold", "clip"]


def members(model: SavedVote, found: Iterable[Run], *, preset: str = "default", **wanted) -> list[Run]:
    """The latest runs of a vote's members that say what is wanted, e.g. `protocol="study"`.

    Raises
    ------
    ArtifactError
        If one is missing.
    """
    found = list(found)
    result = []
    for key in model.presets[preset]["weights"]:
        fits = [
            run
            for run in found
            if run.info["model"] == key
            and run.info["preset"] == model.preset_of(key)
            and all(run.info[name] == value for name, value in wanted.items())
        ]
        if not fits:
            said = ", ".join(f"{name} {str(value)[:12]}" for name, value in wanted.items())
            of_member = model.preset_of(key)
            chosen = {"preset": of_member.removesuffix(f"-{INSIDE}")} | wanted
            options = [f" --{name} {chosen[name]}" for name, usual in USUAL.items() if chosen.get(name, usual) != usual]
            options += [f" --tune {TRIALS_INSIDE}"] if of_member.endswith(INSIDE) else []
            raise ArtifactError(
                f"{model.key} is made of saved runs, and there is none of {key} with {said}. "
                f"Make it first: python -m ser_core run {key}{''.join(options)}"
            )
        result.append(fits[-1])
    return result


def of_runs(model: SavedVote, first: Run, second: Run, *, preset: str = "default") -> Run:
    """The run of a vote. Its predictions are the weighted mean of what two runs said of the clips that both have.

    Raises
    ------
    ModelError
        If the runs are of different protocols, seeds or clips.
    """
    parameters = model.parameters(preset)
    weights = list(parameters["weights"].values())
    both = _beside(first, second)
    info = {
        "model": model.key,
        "name": model.name,
        "family": model.family,
        "preset": preset,
        "parameters": parameters,
        "protocol": first.info["protocol"],
        "features": " and ".join(run.info["features"] for run in (first, second)),
        "views": first.info["views"],
        "seed": first.info["seed"],
        "data_digest": first.info["data_digest"],
        "clips": first.info["clips"],
        "members": {run.info["model"]: run.id for run in (first, second)},
    }
    if said := [run.info["networks"] for run in (first, second) if "networks" in run.info]:
        info["networks"] = said[0]
    if said := [run.info["weights"] for run in (first, second) if "weights" in run.info]:
        info["weights"] = " ".join(said)
    predictions = _mixed(*both, weights[0] / sum(weights))
    run_id = experiments.run_name(info)
    test = predictions[predictions["part"] == "test"]
    info |= {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": first.info["versions"],
        **{name: sum(run.info[name] for run in (first, second)) for name in ("seconds", "fit_seconds")},
        "predict_seconds": sum(run.info["predict_seconds"] for run in (first, second)),
        "scores": evaluation.scores(predictions),
        "test_counts": test["truth"].value_counts().sort_index().to_dict(),
    }
    return Run(run_id, info, predictions)


def every_weight(first: Run, second: Run) -> pd.DataFrame:
    """What every weight of the first run gives, from 0 (the second alone) to 1.

    Returns
    -------
    pd.DataFrame
        `weight`, and of the parts that both runs have `cv_accuracy` and `test_accuracy`. Choose by the first: the
        second only says what a choice was worth.
    """
    both = _beside(first, second)
    rows = []
    for weight in np.linspace(0, 1, STEPS + 1):
        scores = evaluation.scores(_mixed(*both, weight))
        wanted = ("cv_accuracy", "test_accuracy")
        rows.append({"weight": weight} | {name: scores[name] for name in wanted if name in scores})
    return pd.DataFrame(rows)


def best_weight(weights: pd.DataFrame) -> pd.Series:
    """The row of `every_weight` with the highest accuracy in cross-validation; of several the most even.

    Raises
    ------
    ModelError
        If the runs were not cross-validated: nothing may be chosen on the test part.
    """
    if "cv_accuracy" not in weights:
        raise ModelError("A weight is chosen on folds of the training part, and these have none: use run, not train")
    top = weights[weights["cv_accuracy"] >= weights["cv_accuracy"].max() - 1e-12]
    return top.loc[(top["weight"] - 0.5).abs().idxmin()]


def _beside(first: Run, second: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions of the parts and folds that both have, in one order."""
    for name in SAME:
        if first.info[name] != second.info[name]:
            raise ModelError(
                f"{first.id} and {second.id} cannot vote: their {name} differs "
                f"({first.info[name]}, {second.info[name]})"
            )
    one, other = (run.predictions.set_index(WHERE).sort_index() for run in (first, second))
    shared = one.index.intersection(other.index)
    return tuple(side.loc[shared].reset_index()[evaluation.COLUMNS] for side in (one, other))


def _mixed(first: pd.DataFrame, second: pd.DataFrame, weight: float) -> pd.DataFrame:
    mixed = first.copy()
    given = weight * evaluation.probabilities(first) + (1 - weight) * evaluation.probabilities(second)
    mixed[evaluation.PROBABILITY_COLUMNS] = given.astype(np.float32)
    return mixed
