"""Runs beside the original study's numbers and beside each other: intervals, and tests of whether two differ at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest, false_discovery_control

from ser_core import evaluation, protocols
from ser_core.errors import ModelError
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


@dataclass(frozen=True)
class Pair:
    """Two runs on the same clips."""

    first: str  # run ids
    second: str
    kind: str  # what had to be named: "class", "emotion" or "gender"
    clips: int
    both: int  # clips that both named right
    only_first: int
    only_second: int
    p: float  # McNemar's exact test (1947): could the clips on which one alone is right fall so by chance?
    difference: float  # accuracy of the first less that of the second
    low: float  # its 95 % bootstrap interval, over clips, or over actors where the protocol holds them out
    high: float

    @property
    def neither(self) -> int:
        return self.clips - self.both - self.only_first - self.only_second


def sides(first: Run, second: Run, *, part: str = "test", kind: str = "class") -> pd.DataFrame:
    """What two runs named of the clips that both were tested on.

    Returns
    -------
    pd.DataFrame
        One row a clip: `clip`, `truth`, `first` and `second` (what each named), `first_right` and `second_right`.

    Raises
    ------
    ModelError
        If they have no clip in common.
    """
    named = []
    for run in (first, second):
        rows = run.part(part)
        given, truth = evaluation.named_and_true(rows, kind)
        named.append(pd.DataFrame({"clip": rows["clip"].to_numpy(), "truth": truth, "named": given}))
    both = named[0].merge(named[1], on=["clip", "truth"], suffixes=("_first", "_second"))
    if both.empty:
        raise ModelError(f"{first.id} and {second.id} have no {part} clip in common: choose runs of one protocol")
    both = both.rename(columns={"named_first": "first", "named_second": "second"})
    return both.assign(first_right=both["first"] == both["truth"], second_right=both["second"] == both["truth"])


def pair(
    first: Run, second: Run, *, part: str = "test", kind: str = "class", resamples: int = evaluation.RESAMPLES
) -> Pair:
    """Whether two runs differ, on the clips that both were tested on.

    Raises
    ------
    ModelError
        As `sides`.
    """
    rows = sides(first, second, part=part, kind=kind)
    one, other = rows["first_right"].to_numpy(), rows["second_right"].to_numpy()
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    p = binomtest(only_first, only_first + only_second).pvalue if only_first + only_second else 1.0
    by_actor = all(protocols.get(run.info["protocol"]).holds_actors_out for run in (first, second))
    groups = rows["clip"].str[-2:].to_numpy() if by_actor else np.arange(len(rows))
    low, high = evaluation.mean_interval(one.astype(int) - other.astype(int), groups, resamples=resamples)
    difference = float(one.mean() - other.mean())
    return Pair(
        first.id,
        second.id,
        kind,
        len(rows),
        int((one & other).sum()),
        only_first,
        only_second,
        float(p),
        difference,
        low,
        high,
    )


def all_pairs(found: Sequence[Run], **options) -> pd.DataFrame:
    """Every pair of some runs, with p-values corrected for their number (Benjamini & Hochberg 1995).

    Returns
    -------
    pd.DataFrame
        The fields of `Pair`, and `corrected`.
    """
    pairs = [vars(pair(one, other, **options)) for one, other in combinations(found, 2)]
    table = pd.DataFrame(pairs, columns=[*Pair.__dataclass_fields__])
    return table.assign(corrected=false_discovery_control(table["p"]) if len(table) else [])


def verdict(pair: Pair, first: str, second: str, p: float | None = None) -> str:
    """A pair in words, such as "best and mlp cannot be told apart on 491 clips (p = 0.08)".

    Parameters
    ----------
    first, second : str
        What the two are called.
    p : float, optional
        The corrected p-value, where several are compared.
    """
    p = pair.p if p is None else p
    said = "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
    if p >= 0.05:
        return f"{first} and {second} cannot be told apart on {pair.clips:,} clips ({said})"
    better, worse, low, high = first, second, pair.low, pair.high
    if pair.difference < 0:
        better, worse, low, high = second, first, -pair.high, -pair.low
    return (
        f"{better} is better than {worse} by {100 * abs(pair.difference):.1f} points on {pair.clips:,} clips (95 % "
        f"interval {100 * low:.1f} to {100 * high:.1f}; {said})"
    )


def gain_by_class(whole: Run, member: Run, *, part: str = "test", kind: str = "class") -> pd.DataFrame:
    """What one run gains over another in each class, e.g. a vote over its member: `truth`, `clips`, `member` and
    `whole` (recall), `gain`, by gain."""
    rows = sides(whole, member, part=part, kind=kind)
    table = rows.groupby("truth").agg(
        clips=("clip", "size"), member=("second_right", "mean"), whole=("first_right", "mean")
    )
    return table.assign(gain=table["whole"] - table["member"]).sort_values("gain", ascending=False).reset_index()
