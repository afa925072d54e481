import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from ser_core import comparison, corpus, evaluation
from ser_core.errors import ModelError
from ser_core.labels import LABELS
from ser_core.runs import Run

CLIPS = corpus.official_clips()[::5]  # 491


def run(right, name="one", protocol="study", clips=CLIPS):
    """A run that names the clips right where it is said, and otherwise the next class."""
    truth = np.array([LABELS.index(clip.label) for clip in clips])
    named = np.where(right, truth, (truth + 1) % len(LABELS))
    given = np.full((len(clips), len(LABELS)), 0.01)
    given[np.arange(len(clips)), named] = 0.85
    known = pd.DataFrame({"clip": [clip.stem for clip in clips], "fold": 0, "part": "test"})
    known["truth"] = [clip.label for clip in clips]
    rows = pd.concat([known, pd.DataFrame(given, columns=evaluation.PROBABILITY_COLUMNS)], axis=1)
    return Run(name, {"protocol": protocol, "model": name, "scores": {}}, rows)


def by_chance(seed, share=0.8):
    return np.random.default_rng(seed).uniform(size=len(CLIPS)) < share


def test_a_pair_counts_who_is_right_where():
    one, other = by_chance(1), by_chance(2)
    found = comparison.pair(run(one), run(other, "other"))
    assert (found.both, found.only_first, found.only_second, found.neither) == (
        (one & other).sum(),
        (one & ~other).sum(),
        (other & ~one).sum(),
        (~one & ~other).sum(),
    )
    assert found.p == binomtest(found.only_first, found.only_first + found.only_second).pvalue
    assert found.difference == pytest.approx(one.mean() - other.mean())
    assert found.low < found.difference < found.high


def test_a_run_cannot_be_told_from_itself():
    found = comparison.pair(run(by_chance(1)), run(by_chance(1)))
    assert (found.p, found.difference, found.low, found.high) == (1, 0, 0, 0)


def test_of_runs_that_are_equally_good_few_are_said_to_differ():
    """The test's size: at most 5 in 100."""
    found = [comparison.pair(run(by_chance(2 * i)), run(by_chance(2 * i + 1)), resamples=10).p for i in range(300)]
    assert np.mean(np.array(found) < 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_the_difference_of_most_pairs_lies_in_its_interval():
    """Coverage: 95 in 100."""
    inside = []
    for i in range(200):
        found = comparison.pair(run(by_chance(2 * i, 0.8)), run(by_chance(2 * i + 1, 0.7)), resamples=400)
        inside.append(found.low <= 0.1 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.05)


def test_where_actors_are_held_out_they_are_drawn_whole_so_that_intervals_are_wider():
    actors = np.array([clip.actor for clip in CLIPS])
    right = np.isin(actors, range(1, 13))
    one, other = (
        run(right if first else ~right, protocol=protocol) for first, protocol in ((1, "study"), (0, "study"))
    )
    clips = comparison.pair(one, other)
    held = [dataclasses.replace(each, info=each.info | {"protocol": "emobox"}) for each in (one, other)]
    by_actor = comparison.pair(*held)
    assert by_actor.high - by_actor.low > 2 * (clips.high - clips.low)


def test_pairs_are_corrected_for_their_number():
    found = comparison.all_pairs([run(by_chance(seed, share), str(seed)) for seed, share in enumerate((0.8, 0.8, 0.6))])
    assert len(found) == 3
    assert (found["corrected"] >= found["p"]).all()


def test_verdicts_say_it_in_words():
    best, worst = run(by_chance(1, 0.9), "best"), run(by_chance(2, 0.5), "worst")
    said = comparison.verdict(comparison.pair(worst, best), "worst", "best")
    assert said.startswith("best is better than worst by ")
    assert "p < 0.001" in said
    alike = by_chance(3)
    same = comparison.pair(run(alike), run(np.roll(alike, 1)))  # as many right
    assert "a and b cannot be told apart on 491 clips (p = " in comparison.verdict(same, "a", "b")


def test_runs_without_a_clip_in_common_are_named():
    with pytest.raises(ModelError, match="one and other have no test clip in common"):
        comparison.pair(run(by_chance(1)), run(np.ones(4, bool), "other", clips=corpus.official_clips()[1:5]))


def test_gains_are_told_class_by_class():
    member = by_chance(1, 0.5)
    whole = member | np.array([clip.label == "sad_male" for clip in CLIPS])
    found = comparison.gain_by_class(run(whole), run(member, "member"))
    assert found["truth"].iloc[0] == "sad_male"
    assert found["whole"].iloc[0] == 1
    assert (found["gain"].iloc[1:] == 0).all()
