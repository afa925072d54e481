"""What one fold of a search space takes where no trial of it has been made yet, to be said before anyone starts it."""

from ser_core.settings import Settings
from ser_core.tuning import studies

# Seconds to fit and score one fold of five, mean of five random draws on one core of a two-core machine; of the forest
# one draw, of the lowest depth; LightGBM's were cut at 60 s, so that it takes longer yet.
STUDY_SECONDS_A_FOLD = {"dt": 0.3, "rf": 190, "lgb": 40, "xgb": 10, "mlp": 4, "kn": 0.02, "lr": 5}


def estimate(plan: studies.Plan, trials: int, workers: int, settings: Settings) -> tuple[float | None, bool]:
    """Seconds that so many trials of a plan may take, and whether that is what earlier trials of its kind took.

    Without such trials it is what the authors' spaces took when they were tried, and None for others.
    """
    known = studies.estimate(plan, trials, workers, settings)
    if known is not None or plan.space != "study":
        return known, True
    a_fold = STUDY_SECONDS_A_FOLD.get(plan.model)
    return (a_fold and a_fold * plan.folds * trials / max(1, workers)), False
