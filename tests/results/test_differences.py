import numpy as np
import pytest
from scipy.stats import binomtest

from ser_core import corpus
from ser_core.errors import ModelError
from ser_core.results import differences
from ser_core.results.runs import Tables
from tests.made_runs import CLIPS, by_chance, changed, run


def test_a_pair_counts_who_is_right_where():
    one, other = by_chance(1), by_chance(2)
    found = differences.pair(run(one), run(other, "svm"))
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
    found = differences.pair(run(by_chance(1)), run(by_chance(1)))
    assert (found.p, found.difference, found.low, found.high) == (1, 0, 0, 0)


@pytest.mark.slow
def test_of_runs_that_are_equally_good_few_are_said_to_differ():
    """The test's size: at most 5 in 100."""
    found = [differences.pair(run(by_chance(2 * i)), run(by_chance(2 * i + 1))).p for i in range(300)]
    assert np.mean(np.array(found) < 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.slow
def test_the_difference_of_most_pairs_lies_in_its_interval():
    """Coverage: 95 in 100."""
    inside = []
    for i in range(200):
        found = differences.pair(run(by_chance(2 * i, 0.8)), run(by_chance(2 * i + 1, 0.7)))
        inside.append(found.low <= 0.1 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.05)


def test_where_actors_are_held_out_they_are_drawn_whole_so_that_intervals_are_wider():
    actors = np.array([int(clip.speaker) for clip in CLIPS])
    right = np.isin(actors, range(1, 13))
    one, other = (
        run(right if first else ~right, protocol=protocol) for first, protocol in ((1, "study"), (0, "study"))
    )
    clips = differences.pair(one, other)
    held = [changed(each, protocol="emobox") for each in (one, other)]
    by_actor = differences.pair(*held)
    assert by_actor.high - by_actor.low > 2 * (clips.high - clips.low)


def test_pairs_are_corrected_for_their_number():
    found = differences.all_pairs(
        [run(by_chance(seed, share), id=str(seed)) for seed, share in enumerate((0.8, 0.8, 0.6))]
    )
    assert len(found) == 3
    assert (found["corrected"] >= found["p"]).all()


def test_verdicts_say_it_in_words():
    best, worst = run(by_chance(1, 0.9), "best"), run(by_chance(2, 0.5), "dt")
    said = differences.verdict(differences.pair(worst, best), "dt", "best")
    assert said.startswith("best is better than dt by ")
    assert "p < 0.001" in said
    alike = by_chance(3)
    same = differences.pair(run(alike), run(np.roll(alike, 1)))  # as many right
    assert "a and b cannot be told apart on 491 clips (p = " in differences.verdict(same, "a", "b")


def test_runs_without_a_clip_in_common_are_named():
    with pytest.raises(ModelError, match="kn and svm have no test clip in common"):
        differences.pair(run(by_chance(1)), run(np.ones(4, bool), "svm", clips=corpus.official_clips()[1:5]))


def test_a_difference_on_two_of_the_actors_alone_is_no_more_than_chance():
    actors = np.array([int(clip.speaker) for clip in CLIPS])
    other = by_chance(1, 0.7)
    one = other | (actors == 3) | (actors == 8)
    protocols = "study", "emobox"
    by_clip, by_actor = (
        differences.pair(run(one, protocol=protocol), run(other, "svm", protocol)) for protocol in protocols
    )
    assert (by_clip.test, by_actor.test) == (differences.MCNEMAR, differences.SIGN_FLIPS)
    assert by_clip.p < 0.001 and by_clip.low > 0
    assert by_actor.p == pytest.approx(0.5, abs=0.02)  # of the four flips of two actors, one on each side is as large
    assert by_actor.low == 0
    assert differences.verdict(by_actor, "A", "B").startswith("A and B cannot be told apart on 491 clips of 24 actors")


def test_a_verdict_says_which_differences_so_many_actors_find():
    one, other = (run(by_chance(seed, 0.8), model, "emobox") for seed, model in ((1, "kn"), (2, "svm")))
    pair = differences.pair(one, other)
    said = differences.verdict(pair, "A", "B")
    assert said.endswith(f"to find a difference below {100 * pair.smallest:.1f} points takes more actors")
    sure = differences.pair(run(by_chance(1, 0.9), protocol="emobox"), other)
    assert "on 491 clips of 24 actors (95% interval over actors " in differences.verdict(sure, "A", "B")


def test_of_five_actors_a_verdict_says_that_nothing_can_be_shown():
    clips = [clip for clip in CLIPS if int(clip.speaker) <= 5]
    right = np.ones(len(clips), bool)
    pair = differences.pair(run(right, protocol="emobox", clips=clips), run(~right, "svm", "emobox", clips=clips))
    assert (pair.p, pair.low, pair.high) == (1 / 16, -1, 1)
    assert differences.verdict(pair, "A", "B").endswith(": with 5 actors nothing can be; it takes 6")


def test_the_people_of_another_corpus_are_speakers_and_no_actors():
    one, other = (run(by_chance(seed, 0.8), model, "loso") for seed, model in ((1, "kn"), (2, "svm")))
    elsewhere = [changed(run, tables=Tables(run.predictions.assign(corpus="emodb"))) for run in (one, other)]
    said = differences.verdict(differences.pair(*elsewhere), "A", "B")
    assert "clips of 24 speakers" in said and said.endswith("takes more speakers")
    assert "actors" not in said


@pytest.mark.parametrize("protocol", ["study", "emobox"])
def test_an_interval_excludes_zero_just_where_the_test_finds_a_difference(protocol):
    found = [
        differences.pair(run(by_chance(2 * i, 0.75), protocol=protocol), run(by_chance(2 * i + 1), "svm", protocol))
        for i in range(30)
    ]
    assert {pair.p < 0.05 for pair in found} == {True, False}
    assert all((pair.p < 0.05) == (not pair.low <= 0 <= pair.high) for pair in found)
