"""Who is trained on and tested on, what came of it, and how sure that is."""

from ser_core.evaluation.metrics import (
    KINDS,
    PROBABILITY_COLUMNS,
    PROPERTIES,
    by_property,
    calibration,
    confusion,
    ece,
    named_and_true,
    probabilities,
    report,
    scores,
    scores_of,
)
from ser_core.evaluation.significance import RESAMPLES, accuracy, intervals, mcnemar, mean_interval, unheard_interval

__all__ = [
    "KINDS",
    "PROBABILITY_COLUMNS",
    "PROPERTIES",
    "RESAMPLES",
    "accuracy",
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
    "unheard_interval",
]
