"""How much more accurate a run is for some clips than for others, such as women's and men's."""

import numpy as np
import pandas as pd
import scipy

from ser_core.corpus.clips import speakers_of
from ser_core.evaluation import paired_tests
from ser_core.evaluation.metrics import named_and_true, property_of

COLUMNS = ["value", "than", "clips", "speakers", "accuracy", "others", "gap", "low", "high", "p"]


def gaps(rows: pd.DataFrame, name: str, kind: str = "class", *, clips: pd.DataFrame | None = None) -> pd.DataFrame:
    """The accuracy for each value of a property less that for all other values, with its interval over speakers.

    Speakers count equally. For a property that differs within speakers, such as intensity, each speaker's gap is taken
    and tested by sign flips (`paired_tests`); for one that differs between speakers, such as gender, the speakers'
    accuracies are compared by Welch's t-test. Where some speakers have both kinds of clips, only these are taken.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    name : str
        As `metrics.by_property` takes it, e.g. "gender".
    kind : {"class", "emotion", "gender"}
    clips : pd.DataFrame, optional
        The index of these clips, for properties that only some corpora have.

    Returns
    -------
    pd.DataFrame
        One row a value, or of two values one row in all: `value`, `than` (the other value, or "all others"), `clips`
        (with this value), `speakers` (that are compared), `accuracy` and `others` (means over
        speakers, of clips with this value and of all others), `gap`, its 95% interval `low` to `high`, and `p`. These
        three are missing where fewer than two speakers are on a side.

    Raises
    ------
    ValueError
        If neither table has such a column.

    References
    ----------
    Welch 1947, "The generalization of 'Student's' problem when several different population variances are involved".
    """
    named, truth = named_and_true(rows, kind)
    table = pd.DataFrame(
        {"right": named == truth, "value": property_of(rows, name, clips), "speaker": speakers_of(rows)}
    )
    table = table.dropna(subset="value")
    values = sorted(table["value"].unique())
    if len(values) == 2:
        return pd.DataFrame([_gap(table, *values)], columns=COLUMNS)
    return pd.DataFrame([_gap(table, value, "all others") for value in values], columns=COLUMNS)


def _gap(table: pd.DataFrame, value, than) -> tuple:
    is_it = (table["value"] == value).to_numpy()
    of_speaker = table.groupby(["speaker", is_it])["right"].mean().unstack().reindex(columns=[True, False])
    within = of_speaker.dropna()
    if len(within):
        ours, others = within[True], within[False]
        found = paired_tests.sign_flips((ours - others).to_numpy(), np.ones(len(within)))
        low, high, p, compared = found.low, found.high, found.p, len(within)
    else:
        ours, others = of_speaker[True].dropna(), of_speaker[False].dropna()
        low, high, p, compared = *_welch(ours, others), len(of_speaker)
    means = ours.mean(), others.mean()
    return value, than, int(is_it.sum()), compared, *means, means[0] - means[1], low, high, p


def _welch(ours: pd.Series, others: pd.Series) -> tuple[float, float, float]:
    if min(len(ours), len(others)) < 2:
        return np.nan, np.nan, np.nan
    found = scipy.stats.ttest_ind(ours, others, equal_var=False)
    interval = found.confidence_interval(1 - paired_tests.LEVEL)
    return float(interval.low), float(interval.high), float(found.pvalue)
