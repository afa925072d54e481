import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test

from ser_core.evaluation import paired_tests


def clips_of(rng, speakers, deviation, difference=0.0, differ=0.3, clips=40):
    """Differences of clips and their speakers; speakers differ in how much better the first classifier is."""
    numbers = rng.integers(clips // 2, 2 * clips, size=speakers)
    better = np.repeat(difference + deviation * rng.normal(size=speakers), numbers)
    first = np.clip((differ + better) / 2, 0, differ)
    drawn = rng.uniform(size=len(better))
    return np.select([drawn < first, drawn < differ], [1, -1], 0), np.repeat(np.arange(speakers), numbers)


def share(outcomes) -> float:
    return float(np.mean(list(outcomes)))


@pytest.mark.parametrize("seed", range(5))
def test_p_over_speakers_is_that_of_scipy(seed):
    differences, speakers = clips_of(np.random.default_rng(seed), 9, 0.1, difference=0.05)
    sums = np.bincount(speakers, differences)
    theirs = permutation_test((sums,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert paired_tests.over_speakers(differences, speakers).p == pytest.approx(theirs.pvalue)


def test_many_speakers_are_flipped_at_random_and_p_is_near_that_of_scipy():
    differences, speakers = clips_of(np.random.default_rng(3), 24, 0.1, difference=0.03)
    sums = np.bincount(speakers, differences)
    theirs = permutation_test(
        (sums,), lambda x, axis: x.sum(axis), permutation_type="samples", n_resamples=50_000, vectorized=True, rng=0
    )
    found = paired_tests.over_speakers(differences, speakers)
    assert 0.01 < found.p == pytest.approx(theirs.pvalue, abs=0.01)
    assert found == paired_tests.over_speakers(differences, speakers)  # the same flips each time


@pytest.mark.parametrize(("only_first", "only_second"), [(27, 14), (20, 36), (3, 0), (0, 0), (5, 5)])
def test_p_over_clips_is_mcnemars(only_first, only_second):
    found = paired_tests.over_clips(np.repeat([1, -1, 0], [only_first, only_second, 450]))
    differ = only_first + only_second
    assert found.p == (binomtest(only_first, differ).pvalue if differ else 1)
    assert found.low <= found.difference <= found.high
    assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


@pytest.mark.parametrize("number", range(20, 45))
def test_the_interval_over_clips_agrees_with_p_however_near_it_is_to_the_level(number):
    found = paired_tests.over_clips(np.repeat([1, -1, 0], [number, 20, 800]))
    assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


def test_intervals_are_those_differences_that_the_test_does_not_reject():
    sums, sizes = np.array([3, 9, 1, 8, 4, -2, 7]), np.array([20, 30, 10, 25, 20, 15, 30])
    differences = np.concatenate(
        [np.repeat([1, -1, 0], [max(s, 0), max(-s, 0), n - abs(s)]) for s, n in zip(sums, sizes, strict=True)]
    )
    found = paired_tests.over_speakers(differences, np.repeat(np.arange(7), sizes))
    for end, beyond in ((found.low, -1e-6), (found.high, 1e-6)):
        for shift, rejected in ((end - beyond, False), (end + beyond, True)):
            shifted = sums - shift * sizes
            p = permutation_test((shifted,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
            assert (p < 0.05) == rejected


def test_one_speaker_or_five_find_nothing():
    for speakers in (1, 5):
        found = paired_tests.over_speakers(np.ones(10 * speakers), np.repeat(np.arange(speakers), 10))
        assert found.p == 2 / 2**speakers
        assert (found.low, found.high) == (-1, 1)
        assert np.isnan(found.smallest)


@pytest.mark.parametrize("speakers", [8, 24])
def test_where_speakers_differ_the_test_over_them_has_its_size_and_mcnemars_has_not(speakers):
    rng = np.random.default_rng(speakers)
    made = [clips_of(rng, speakers, deviation=0.1) for _ in range(300)]
    found = [paired_tests.over_speakers(*one) for one in made]
    assert share(one.p < 0.05 for one in found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)
    assert share(one.low <= 0 <= one.high for one in found) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 300)
    assert share(paired_tests.over_clips(differences).p < 0.05 for differences, _ in made) > 0.15


@pytest.mark.parametrize("speakers", [8, 24])
def test_the_smallest_difference_is_found_in_four_of_five_experiments(speakers):
    rng = np.random.default_rng(speakers)
    told = [paired_tests.over_speakers(*clips_of(rng, speakers, 0.05)).smallest for _ in range(100)]
    smallest = np.sqrt(np.mean(np.square(told)))  # each knows the deviation of the speakers from its own alone
    found = (paired_tests.over_speakers(*clips_of(rng, speakers, 0.05, smallest)) for _ in range(300))
    assert share(one.p < 0.05 for one in found) == pytest.approx(paired_tests.POWER, abs=0.07)


def test_the_difference_lies_in_its_interval_over_clips_though_it_is_large():
    rng = np.random.default_rng(0)
    found = (paired_tests.over_clips(rng.choice([1, -1, 0], size=300, p=[0.45, 0.05, 0.5])) for _ in range(200))
    assert share(one.low <= 0.4 <= one.high for one in found) == pytest.approx(0.95, abs=0.035)
