"""Estimates of the duration of a search."""

import numpy as np

from ser_core.settings import Settings
from ser_core.tuning import results, studies

# Seconds to fit and score one of five folds: mean of five random trials on one core of a two-core machine. For the
# forest, a single trial of the lowest depth; LightGBM's trials were stopped at 60 s, so its value is a lower bound.
ORIGINAL_SECONDS_A_FOLD = {"dt": 0.3, "rf": 190, "lgb": 40, "xgb": 10, "mlp": 4, "kn": 0.02, "lr": 5}


def estimate(plan: studies.Plan, trials: int, workers: int, settings: Settings) -> tuple[float | None, bool]:
    """Estimate the duration of a plan's trials.

    Parameters
    ----------
    plan : Plan
    trials, workers : int
    settings : Settings

    Returns
    -------
    float or None
        Seconds. Without earlier trials of this kind, from measurements in the authors' spaces; None for other spaces.
    bool
        Whether it is based on earlier trials.
    """
    known = from_trials(plan, trials, workers, settings)
    if known is not None or plan.space != "study":
        return known, True
    a_fold = ORIGINAL_SECONDS_A_FOLD.get(plan.model)
    return (a_fold and a_fold * plan.folds * trials / max(1, workers)), False


def from_trials(plan: studies.Plan, trials: int, workers: int, settings: Settings) -> float | None:
    """Estimate the duration of a plan's trials from earlier trials of that model and space.

    For a plan with a pruner, it is an upper bound if none of those trials was pruned.

    Parameters
    ----------
    plan : Plan
    trials, workers : int
    settings : Settings

    Returns
    -------
    float or None
        Seconds; None without earlier trials.
    """
    seconds_a_fold = []
    for found in studies.list_all(settings):
        study = studies.load(found)
        facts = study.user_attrs
        if (facts.get("model"), facts.get("space")) != (plan.model, plan.space):
            continue
        rows = results.table(study)
        ended = rows[rows["state"].isin(["complete", "pruned"])]
        used = ended["fold_scores"].str.len() if facts["pruner"] == "none" or plan.pruner == "none" else facts["folds"]
        seconds_a_fold += list(ended["seconds"] / np.maximum(used, 1))
    if not seconds_a_fold:
        return None
    return float(np.mean(seconds_a_fold)) * plan.folds * trials / max(1, workers)
