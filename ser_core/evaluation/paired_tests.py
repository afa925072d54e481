"""Whether two classifiers differ on the same clips: sign-flip tests over speakers, McNemar's test over clips."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import scipy

LEVEL = 0.05  # of the tests; their intervals have 1 - LEVEL
POWER = 0.8  # the usual share of repetitions of an experiment that should find a difference
DRAWS = 20_000  # of random sign flips, where there are too many to try all
ALL_FLIPS = 13  # up to this number of speakers, all 2**n flips are tried
FEWEST = 6  # units of which a flip can have a p-value below `LEVEL`: 2 / 2**6
EXPERIMENTS = 500  # simulated ones, to find the power of few speakers


@dataclass(frozen=True)
class Paired:
    """The difference of two classifiers' accuracies on the same clips, and whether it is more than chance.

    Parameters
    ----------
    difference : float
        Accuracy of the first less that of the second.
    low, high : float
        Its 95% interval: all differences that the same test does not reject. It excludes zero just where `p` is below
        0.05.
    p : float
        Of the two-sided test that both are equally good.
    smallest : float
        The smallest true difference that such a test finds in 80 of 100 repetitions; NaN where the test can find none.
    units : int
        Number of speakers or clips that were flipped.
    """

    difference: float
    low: float
    high: float
    p: float
    smallest: float
    units: int


def over_speakers(differences: np.ndarray, speakers: np.ndarray) -> Paired:
    """Sign-flip test and interval over whole speakers, for clips of speakers who are held out.

    If both classifiers were equally good, swapping their answers for all clips of a speaker would change nothing but
    the sign of that speaker's difference. p is the share of all such swaps that give a difference at least as large.
    Clips of one speaker stay together, since they are not independent. The interval is found by inverting the same
    test with the same flips.

    Parameters
    ----------
    differences : np.ndarray [shape=(n,)]
        Of each clip: 1 where only the first classifier is right, -1 where only the second is, otherwise 0.
    speakers : np.ndarray [shape=(n,)]

    Returns
    -------
    Paired
        With fewer than six speakers no p is below 0.05, and the interval is -1 to 1.

    References
    ----------
    Hartigan 1969, "Using subsample values as typical values"; Good 2005, "Permutation, parametric and bootstrap tests
    of hypotheses", chapter 3.

    Examples
    --------
    Six speakers with ten clips each; the first classifier names one clip of each more right than the second:

    >>> found = over_speakers(np.tile([1] + 9 * [0], 6), np.repeat(list("abcdef"), 10))
    >>> found.difference, found.low, found.high, found.p
    (0.1, 0.1, 0.1, 0.03125)
    """
    of_speaker = pd.Series(differences).groupby(speakers).agg(["sum", "size"])
    return sign_flips(of_speaker["sum"].to_numpy(), of_speaker["size"].to_numpy())


def sign_flips(sums: np.ndarray, sizes: np.ndarray) -> Paired:
    """The test and interval of `over_speakers`, from each speaker's sum of differences.

    Parameters
    ----------
    sums, sizes : np.ndarray [shape=(n,)]
        Of each speaker: the sum of the differences, and the number of clips (or another weight).

    Returns
    -------
    Paired
    """
    of_speaker, speakers = np.stack([sums, sizes], axis=1), len(sums)
    p, low, high = _inverted(_flips(speakers) @ of_speaker)
    difference = float(sums.sum() / sizes.sum())
    # The deviation of a speaker's share in the difference, as the error of a ratio estimate.
    shares = (sums - difference * sizes) / sizes.mean()
    smallest = smallest_difference(float(shares.std(ddof=1)), speakers) if speakers > 1 else np.nan
    return Paired(difference, max(low, -1.0), min(high, 1.0), p, smallest, speakers)


def over_clips(differences: np.ndarray) -> Paired:
    """McNemar's exact test, and its interval, for clips that are independent of each other.

    McNemar's test is the sign-flip test with every clip flipped on its own. The interval is found by inverting that.

    Parameters
    ----------
    differences : np.ndarray [shape=(n,)]
        Of each clip: 1 where only the first classifier is right, -1 where only the second is, otherwise 0.

    Returns
    -------
    Paired

    References
    ----------
    McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".
    """
    outcomes = np.array([1, -1, 0])
    counts = (differences[:, np.newaxis] == outcomes).sum(axis=0)
    flips = np.random.default_rng(0).binomial(counts, 0.5, size=(DRAWS, 3))
    _, low, high = _inverted(flips @ np.stack([outcomes, np.ones_like(outcomes)], axis=1))
    p, clips = mcnemar(*counts[:2].tolist()), len(differences)
    # Where the draws come within their error of zero, the exact p decides, by one clip.
    if p >= LEVEL:
        low, high = min(low, 0.0), max(high, 0.0)
    elif counts[0] > counts[1]:
        low = max(low, 1 / clips)
    else:
        high = min(high, -1 / clips)
    smallest = smallest_difference(float(differences.std()), clips)
    return Paired(float(differences.mean()), low, high, p, smallest, clips)


def mcnemar(only_first: int, only_second: int) -> float:
    """p-value of McNemar's exact test.

    Parameters
    ----------
    only_first, only_second : int
        Numbers of clips that only the first, and only the second classifier predicted correctly.

    Returns
    -------
    float
        The probability of a split at least this uneven if both classifiers were equally good.

    References
    ----------
    McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".

    Examples
    --------
    >>> mcnemar(8, 2)
    0.109375
    """
    differ = only_first + only_second
    return float(scipy.stats.binomtest(only_first, differ).pvalue) if differ else 1.0


def smallest_difference(deviation: float, units: int) -> float:
    """The smallest true difference that the sign-flip test finds in 80 of 100 repetitions, at a level of 0.05.

    Parameters
    ----------
    deviation : float
        Standard deviation of the differences of the units (speakers or clips).
    units : int
        Their number.

    Returns
    -------
    float
        NaN for fewer than six units, of which no flip has a p-value below 0.05.

    References
    ----------
    Cohen 1988, "Statistical power analysis for the behavioral sciences", chapter 2.

    Examples
    --------
    >>> round(smallest_difference(0.08, 24), 3)
    0.048
    """
    if units < FEWEST:
        return np.nan
    return _shift_found(units) * deviation


def in_words(p: float) -> str:
    """A p-value as people read it.

    Parameters
    ----------
    p : float

    Returns
    -------
    str

    Examples
    --------
    >>> in_words(0.0004), in_words(0.0321), in_words(0.25)
    ('p < 0.001', 'p = 0.032', 'p = 0.25')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


@lru_cache
def _shift_found(units: int) -> float:
    """The smallest difference that is found, in standard deviations of the units' differences."""
    if units <= ALL_FLIPS:
        # The interval of shifted differences is the interval shifted, so one set of experiments has the power of all.
        experiments = np.random.default_rng(0).normal(size=(EXPERIMENTS, units))
        ones = np.ones(units)
        lows = [_inverted(_flips(units) @ np.stack([one, ones], axis=1))[1] for one in experiments]
        return float(np.quantile(np.negative(lows), POWER))
    bound = scipy.stats.t.ppf(1 - LEVEL / 2, units - 1)  # the power of many flips is that of the paired t-test
    noncentral = scipy.stats.nct
    found = scipy.optimize.brentq(lambda shift: noncentral.sf(bound, units - 1, shift) - POWER, 0, 100)
    return float(found / np.sqrt(units))


@lru_cache(maxsize=8)
def _flips(units: int) -> np.ndarray:
    """Which units are flipped in each try: no unit in the first, then all subsets or many random ones."""
    if units <= ALL_FLIPS:
        return (np.arange(2**units)[:, np.newaxis] >> np.arange(units)) & 1
    flips = np.random.default_rng(0).integers(0, 2, size=(DRAWS, units), dtype=np.int8)
    flips[0] = 0
    return flips


def _inverted(flipped: np.ndarray) -> tuple[float, float, float]:
    """p-value and interval of a difference, of the sums and the sizes of the units flipped in each try.

    Flipping some units gives at least the observed difference, measured from a supposed one, just where the mean of
    the flipped units lies below the supposed one. So the means of the flipped units give p-value and interval at once.
    """
    sums, sizes = flipped.T
    means = np.sort(np.round(sums[sizes > 0] / sizes[sizes > 0], 12))  # sums of opposite fractions are zero
    tries, unflipped = len(sums), np.count_nonzero(sizes == 0)
    above, below = ((np.count_nonzero(side) + unflipped) / tries for side in (means <= 0, means >= 0))
    rejected = int(np.ceil(LEVEL / 2 * tries - unflipped)) - 1  # how many means lie beyond any rejected difference
    low, high = (means[rejected], means[-1 - rejected]) if rejected >= 0 else (-np.inf, np.inf)
    return float(min(1.0, 2 * min(above, below))), float(low), float(high)
