"""What an answer must pass to be said: by simulation, and at its exact bounds."""

import numpy as np
import pandas as pd
import pytest

from ser_core.corpus.labels import EMOTION_NAMES, LABELS
from ser_core.evaluation import verdicts
from ser_core.evaluation.metrics import DISTANCE, PROBABILITY_COLUMNS
from ser_core.evaluation.verdicts import HEARD, UNLIKE, UNSURE, Limits

LIMITS = Limits(probability=0.25, distance=1.5, right=0.8, heard=0.4, clips=1440, conditions=31)


def given(*probabilities: float) -> np.ndarray:
    """Of the first emotions; the others have none."""
    return np.array([*probabilities, *[0.0] * (len(EMOTION_NAMES) - len(probabilities))])


def predictions(emotions, truth, distances=None) -> pd.DataFrame:
    """Saved predictions of men with these probabilities of the emotions; the truth is their place."""
    emotions = np.asarray(emotions)
    rows = pd.DataFrame(np.zeros((len(emotions), len(LABELS))), columns=PROBABILITY_COLUMNS)
    rows[[f"p_{name}_male" for name in EMOTION_NAMES]] = emotions
    rows = rows.assign(part="test", truth=[f"{EMOTION_NAMES[place]}_male" for place in truth])
    return rows if distances is None else rows.assign(**{DISTANCE: distances})


def simulated(number: int, draw: np.random.Generator) -> pd.DataFrame:
    """Predictions that are right as often as they claim."""
    emotions = draw.dirichlet(np.full(8, 0.4), size=number)
    truth = (draw.random((number, 1)) > emotions.cumsum(axis=1)).sum(axis=1)
    return predictions(emotions, np.minimum(truth, 7), draw.gamma(4, size=number))


def covered(rows: pd.DataFrame, limits: Limits) -> float:
    emotions = rows[[f"p_{name}_male" for name in EMOTION_NAMES]].to_numpy()
    places = [EMOTION_NAMES.index(label.removesuffix("_male")) for label in rows["truth"]]
    return limits.possible(emotions)[np.arange(len(rows)), places].mean()


def test_of_new_clips_four_in_five_have_their_emotion_among_the_possible_ones():
    draw = np.random.default_rng(0)
    new = simulated(4_000, draw)
    shares = [covered(new, verdicts.limits(simulated(200, draw))) for _ in range(60)]
    assert np.mean(shares) == pytest.approx(verdicts.COVERED, abs=0.015)
    assert np.std(shares) < 0.05


def test_it_holds_for_clips_in_conditions_pooled_with_those_as_recorded():
    """A condition in which the model is wrong more often lowers the bound, so that all together are covered."""
    draw = np.random.default_rng(1)
    plain, hard = simulated(2_000, draw), simulated(2_000, draw)
    hard["truth"] = draw.permutation(hard["truth"])
    alone, both = verdicts.limits(plain), verdicts.limits(plain, [hard])
    assert both.probability < alone.probability
    assert covered(pd.concat([plain, hard], ignore_index=True), both) == pytest.approx(verdicts.COVERED, abs=0.001)
    assert (both.clips, both.conditions, alone.conditions) == (2_000, 2, 1)


def test_of_held_out_clips_as_recorded_nineteen_in_twenty_are_near():
    draw = np.random.default_rng(2)
    plain, far = simulated(1_000, draw), simulated(1_000, draw).assign(**{DISTANCE: 100.0})
    limits = verdicts.limits(plain, [far])
    assert np.mean(plain[DISTANCE] <= limits.distance) == pytest.approx(verdicts.NEAR, abs=0.001)
    assert limits.distance == verdicts.limits(plain).distance
    said = verdicts.of_predictions(plain, limits)
    assert np.mean(said == UNLIKE) == pytest.approx(1 - verdicts.NEAR, abs=0.001)
    assert set(verdicts.of_predictions(far, limits)) == {UNLIKE}


@pytest.mark.parametrize(
    ("clips", "place"),
    [(4, 0), (9, 1), (10, 1), (13, 1), (14, 2), (99, 19)],
)
def test_the_bound_is_the_probability_that_one_in_five_clips_do_not_reach(clips, place):
    """The floor((n + 1) / 5)-th lowest: the clip of who asks next is counted."""
    of_truth = np.linspace(0.3, 0.9, clips)
    rows = predictions([given(one, 1 - one) for one in of_truth], [0] * clips)
    assert verdicts.limits(rows).probability == pytest.approx(of_truth[place])


def test_what_is_heard_is_said_with_the_share_that_was_right():
    """Eleven clips: eight sure ones, one of them wrong, and three that are torn."""
    sure, torn = given(0.9, 0.05, 0.05), given(0.5, 0.45, 0.05)
    rows = predictions([sure] * 8 + [torn] * 3, [0] * 7 + [3] + [0, 1, 1])
    limits = verdicts.limits(rows)
    assert limits.probability == 0.45
    assert (limits.heard, limits.right) == (pytest.approx(8 / 11), pytest.approx(7 / 8))
    assert (limits.clips, limits.conditions, limits.distance) == (11, 1, None)


def test_an_emotion_at_the_bound_is_possible_and_one_below_is_not():
    just_below = np.nextafter(0.25, 0)
    assert LIMITS.possible(given(0.5, 0.25, just_below)).tolist() == [True, True] + [False] * 6
    assert LIMITS.verdicts(np.array([given(0.75, 0.25), given(0.75, just_below)])).tolist() == [UNSURE, HEARD]


def test_one_emotion_alone_is_possible_only_where_it_is_more_likely_than_all_others():
    just_below = np.nextafter(0.5, 0)
    half, less = given(0.5, *[0.1] * 5), given(just_below, *[0.1] * 5)
    assert LIMITS.verdicts(np.array([half, less])).tolist() == [HEARD, UNSURE]
    assert LIMITS.possible(np.array([half, less])).sum(axis=1).tolist() == [1, 2]


def test_of_those_below_the_bound_the_most_probable_are_possible_until_they_outweigh_the_rest():
    probabilities = given(0.05, 0.1, 0.2, 0.15, 0.24, 0.1, 0.1, 0.06)
    assert np.flatnonzero(LIMITS.possible(probabilities)).tolist() == [2, 3, 4]


def test_a_clip_at_the_distance_is_near_and_one_beyond_is_not():
    sure = np.array([given(0.9, 0.1)] * 2)
    assert LIMITS.verdicts(sure, np.array([1.5, np.nextafter(1.5, 2)])).tolist() == [HEARD, UNLIKE]


def test_what_is_far_is_unlike_however_sure_or_unsure_it_is():
    both = np.array([given(0.9, 0.1), given(0.4, 0.4, 0.2), given(*[1 / 8] * 8)])
    assert LIMITS.verdicts(both, np.full(3, 9.0)).tolist() == [UNLIKE] * 3


def test_where_all_emotions_are_as_likely_it_is_unsure():
    assert LIMITS.verdicts(given(*[1 / 8] * 8)[np.newaxis]).tolist() == [UNSURE]


@pytest.mark.parametrize("limits", [LIMITS, Limits(0.25, None, 0.8, 0.4, 1440, 31)], ids=["limit", "no limit"])
def test_without_a_distance_nothing_is_unlike(limits):
    emotions = np.array([given(0.9, 0.1), given(0.5, 0.5)])
    assert limits.verdicts(emotions).tolist() == [HEARD, UNSURE]


def test_without_a_limit_no_distance_counts():
    limits = Limits(0.25, None, 0.8, 0.4, 1440, 31)
    assert limits.verdicts(np.array([given(0.9, 0.1)]), np.array([1e9])).tolist() == [HEARD]


def test_saved_predictions_without_distances_have_limits_and_verdicts():
    rows = predictions([given(0.9, 0.1), given(0.5, 0.5)], [0, 1])
    assert verdicts.limits(rows).distance is None
    assert verdicts.of_predictions(rows, LIMITS).tolist() == [HEARD, UNSURE]


def test_saved_predictions_have_the_verdicts_of_their_own_distances():
    rows = predictions([given(0.9, 0.1)] * 2, [0, 0], [1.0, 2.0])
    assert verdicts.of_predictions(rows, LIMITS).tolist() == [HEARD, UNLIKE]


def test_a_model_that_is_never_sure_hears_nothing():
    limits = verdicts.limits(predictions([given(*[1 / 8] * 8)] * 20, [0] * 20))
    assert (limits.heard, limits.right) == (0.0, 0.0)
    assert (limits.probability, limits.clips) == (1 / 8, 20)


def test_limits_of_one_clip_are_numbers():
    limits = verdicts.limits(predictions([given(0.6, 0.4)], [0], [1.0]))
    assert (limits.probability, limits.distance, limits.right) == (0.6, 1.0, 1.0)
