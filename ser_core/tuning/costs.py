"""Estimates of the duration of a search."""

import numpy as np

from ser_core.settings import Settings
from ser_core.tuning import results, studies

# Seconds to fit and score one fold of five, mean of five random draws on one core of a two-core machine; of the forest
# one draw, of the lowest depth; LightGBM's were cut at 60 s, so that it takes longer yet.
ORIGINAL_SECONDS_A_FOLD = {"dt": 0.3, "rf": 190, "lgb": 40, "xgb": 10, "mlp": 4, "kn": 0.02, "lr": 5}


def estimate(plan: studies.Plan, trials: int, workers: int, settings: Settings) -> tuple[float | None, bool]:
    """The estimated seconds of a plan's trials, and whether they are based on earlier trials of its kind.

    Without such trials it is what the authors' spaces took when they were tried, and None for others.
    """
    known = from_trials(plan, trials, workers, settings)
    if known is not None or plan.space != "study":
        return known, True
    a_fold = ORIGINAL_SECONDS_A_FOLD.get(plan.model)
    return (a_fold and a_fold * plan.folds * trials / max(1, workers)), False


def from_trials(plan: studies.Plan, trials: int, workers: int, settings: Settings) -> float | None:
    """The estimated seconds of a plan's trials, from earlier trials of that model and space; None without any.

    Where no trial was pruned the estimate of a plan that prunes is too long, never too short.
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
