"""Bootstrap intervals of scores, over clips or whole speakers."""

import joblib
import numpy as np
import pandas as pd

from ser_core.corpus.clips import speakers_of
from ser_core.evaluation.metrics import (
    accuracy,
    classes,
    macro_f1_of,
    named_among_shared,
    named_and_true,
    probabilities,
    uar,
    uar_of,
)

RESAMPLES = 1000
RESAMPLES_A_TASK = 250
CONFIDENCE = 0.95


def accuracy_interval(rows: pd.DataFrame, kind: str = "class", *, over: str = "clips") -> tuple[float, float, float]:
    """Accuracy and its 95% percentile bootstrap interval.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    kind : {"class", "emotion", "gender"}
        What is predicted.
    over : {"clips", "speakers"}
        What is resampled: see `resampled`.

    Returns
    -------
    tuple of float
        The accuracy, and the lower and upper end of its interval.

    References
    ----------
    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    named, truth = named_and_true(rows, kind)
    return accuracy(truth, named), *mean_interval(truth == named, resampled(rows, over))


def resampled(rows: pd.DataFrame, over: str) -> np.ndarray:
    """What an interval resamples whole.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    over : {"clips", "speakers"}
        `clips` measures the variation with other test clips of the same speakers, each with all its recordings;
        `speakers` the variation with other speakers. Clips of one speaker are not independent, so report the interval
        over speakers where speakers are held out (`Protocol.interval_over`).

    Returns
    -------
    np.ndarray [shape=(rows,)]
        The group of each row, as `mean_interval` takes it.

    Raises
    ------
    ValueError
        If `over` is neither.
    """
    if over not in ("clips", "speakers"):
        raise ValueError(f"An interval is over clips or over speakers, not over {over!r}")
    return speakers_of(rows) if over == "speakers" else pd.factorize(rows["clip"])[0]


def shared_uar_interval(rows: pd.DataFrame) -> tuple[float, float, float]:
    """UAR among the emotions of these clips (`metrics.named_among_shared`), and its 95% interval over speakers.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.

    Returns
    -------
    tuple of float
        The UAR, and the lower and upper end of its percentile bootstrap interval.
    """
    named, truth = named_among_shared(rows)
    emotions = np.unique(truth)
    cells = np.searchsorted(emotions, truth) * len(emotions) + np.searchsorted(emotions, named)
    of_speaker = (
        pd.crosstab(speakers_of(rows), cells).reindex(columns=range(len(emotions) ** 2), fill_value=0).to_numpy()
    )
    draws = np.random.default_rng(0).integers(len(of_speaker), size=(RESAMPLES, len(of_speaker)))
    matrices = of_speaker[draws].sum(axis=1).reshape(-1, len(emotions), len(emotions))
    return uar(truth, named), *_bounds(uar_of(matrices))


def intervals(rows: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95% percentile bootstrap intervals of accuracy, UAR and macro F1 over clips.

    They measure the variation with other test clips of the same speakers, not with other speakers.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    resamples : int > 0
    seed : int

    Returns
    -------
    dict of str to (float, float)
        `accuracy`, `uar`, `macro_f1`: lower and upper end.

    References
    ----------
    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    cells = _cells(rows)
    draws = np.random.default_rng(seed).integers(len(cells), size=(resamples, len(cells)))
    # Drawn before the work is distributed, so that the result does not depend on joblib's workers.
    blocks = np.array_split(draws, max(1, resamples // RESAMPLES_A_TASK))
    number = len(classes(rows))
    counted = joblib.Parallel()(joblib.delayed(_count_drawn)(cells, block, number) for block in blocks)
    matrices = np.concatenate(counted)
    return {
        name: _bounds(score(matrices))
        for name, score in (("accuracy", _accuracy_of), ("uar", uar_of), ("macro_f1", macro_f1_of))
    }


def _count_drawn(cells: np.ndarray, draws: np.ndarray, number: int) -> np.ndarray:
    """The confusion matrix of each resample [shape=(resamples, number, number)]."""
    size = number**2
    counted = np.bincount((cells[draws] + size * np.arange(len(draws))[:, None]).ravel(), minlength=size * len(draws))
    return counted.reshape(len(draws), number, number)


def mean_interval(values: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """95% percentile bootstrap interval of a mean, resampling whole groups.

    Parameters
    ----------
    values : np.ndarray [shape=(n,)]
    groups : np.ndarray [shape=(n,)]
        The group of each value, e.g. its speaker.

    Returns
    -------
    tuple of float
        Lower and upper end.

    Examples
    --------
    >>> mean_interval(np.array([1, 1, 1, 1]), np.array(["a", "a", "b", "b"]))
    (1.0, 1.0)
    """
    of_group = pd.Series(values).groupby(groups).agg(["sum", "size"])
    draws = np.random.default_rng(0).integers(len(of_group), size=(RESAMPLES, len(of_group)))
    drawn, clips = (of_group[name].to_numpy()[draws].sum(axis=1) for name in ("sum", "size"))
    return _bounds(drawn / clips)


def _bounds(resampled: np.ndarray) -> tuple[float, float]:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return float(low), float(high)


def _cells(rows: pd.DataFrame) -> np.ndarray:
    """The cell of the confusion matrix that each clip falls into, as a row-major index."""
    names = classes(rows)
    truth = np.searchsorted(names, rows["truth"].to_numpy(dtype=str))
    return truth * len(names) + probabilities(rows).argmax(axis=1)


def _accuracy_of(matrices: np.ndarray) -> np.ndarray:
    return matrices.trace(axis1=1, axis2=2) / matrices.sum(axis=(1, 2))
