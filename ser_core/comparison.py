"""Runs of the study's split beside the original study's numbers, with intervals."""

from collections.abc import Iterable

import pandas as pd

from ser_core import evaluation
from ser_core.reference import ORIGINAL
from ser_core.runs import Run


def table(found: Iterable[Run]) -> pd.DataFrame:
    """One row for each of the runs under the `study` protocol, shipped and own, in the order of the study's table.

    Columns: `run`, `model`, `name`, `family`, `preset`, `shipped`, `original_cv_accuracy`, `original_test_accuracy`
    (missing where the study had no such model, or the run is on other clips), `cv_accuracy`, `test_accuracy` with its
    95 % interval `test_low` to `test_high`, `test_clips`, `uar`, `macro_f1`, `train_accuracy`, `seconds`.
    """
    found = list(found)
    # The original's numbers are of these clips; a run on others stands beside nothing.
    the_studys = {run.info["data_digest"] for run in found if run.shipped}
    rows = [_row(run, run.info["data_digest"] in the_studys) for run in found if run.info["protocol"] == "study"]
    order = {key: place for place, key in enumerate(ORIGINAL)}
    rows.sort(key=lambda row: (order.get(row["model"], len(order)), row["model"], not row["shipped"]))
    return pd.DataFrame(rows, columns=COLUMNS)


# The original's number is of what this preset sees; our default of the same key sees something else.
SEES_AS_THE_ORIGINAL = {"rnn": "study"}

COLUMNS = [
    "run",
    "model",
    "name",
    "family",
    "preset",
    "shipped",
    "original_cv_accuracy",
    "original_test_accuracy",
    "cv_accuracy",
    "test_accuracy",
    "test_low",
    "test_high",
    "test_clips",
    "uar",
    "macro_f1",
    "train_accuracy",
    "seconds",
]


def _row(run: Run, is_the_studys_data: bool) -> dict:
    key, preset = run.info["model"], run.info["preset"]
    is_like = is_the_studys_data and preset == SEES_AS_THE_ORIGINAL.get(key, preset)
    original = ORIGINAL.get(key) if is_like else None
    low, high = evaluation.intervals(run.part("test"))["accuracy"]
    return {
        **{name: run.info[name] for name in ("model", "name", "family", "preset", "seconds")},
        **{
            name: run.scores.get(name) for name in ("cv_accuracy", "test_accuracy", "uar", "macro_f1", "train_accuracy")
        },
        "run": run.id,
        "shipped": run.shipped,
        "original_cv_accuracy": original.cv_accuracy if original else None,
        "original_test_accuracy": original.test_accuracy if original else None,
        "test_low": low,
        "test_high": high,
        "test_clips": len(run.part("test")),
    }
