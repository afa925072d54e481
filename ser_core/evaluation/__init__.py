"""Who is trained on and tested on, what came of it, and how sure that is."""

from ser_core.evaluation.metrics import (
    CLIP_COLUMNS,
    COLUMNS,
    KINDS,
    PROBABILITY_COLUMNS,
    accuracy,
    by_property,
    calibration,
    confusion,
    ece,
    named_and_true,
    probabilities,
    report,
    scores,
    scores_of,
    uar,
)
from ser_core.evaluation.significance import RESAMPLES, accuracy_interval, intervals, mcnemar, mean_interval, speakers

__all__ = [
    "CLIP_COLUMNS",
    "COLUMNS",
    "KINDS",
    "PROBABILITY_COLUMNS",
    "RESAMPLES",
    "accuracy",
    "accuracy_interval",
    "by_property",
    "calibration",
    "confusion",
    "ece",
    "intervals",
    "mcnemar",
    "mean_interval",
    "named_and_true",
    "probabilities",
    "report",
    "scores",
    "scores_of",
    "speakers",
    "uar",
]
