"""Agreement against other libraries' numbers and made data."""

import math

import numpy as np
import pandas as pd
import pytest

from ser_core.classroom import statistics
from ser_core.listening import rounds, scores

EMOTIONS = ("sad", "happy", "angry", "calm")
# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: four observers, twelve units.
OBSERVERS = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]


def table(counts, emotions=EMOTIONS) -> pd.DataFrame:
    return pd.DataFrame(
        counts, columns=emotions[: len(counts[0])], index=pd.RangeIndex(1, len(counts) + 1, name="clip")
    )


def by_hand(counts: np.ndarray) -> float:
    """One minus disagreement within clips over disagreement of all answers, pair by pair."""
    counts = counts[counts.sum(axis=1) > 1]
    answers = [np.repeat(np.arange(len(row)), row) for row in counts]
    within = sum((one[:, None] != one).sum() / (len(one) - 1) for one in answers)
    every = np.concatenate(answers)
    return 1 - within * (len(every) - 1) / (every[:, None] != every).sum()


def test_agreement_is_that_of_the_books_example():
    rows = [
        (listener, clip, answer)
        for listener, line in enumerate(OBSERVERS)
        for clip, answer in enumerate(line.split())
        if answer != "."
    ]
    answers = pd.DataFrame(rows, columns=["listener", "clip", "answer"])
    assert statistics.agreement(scores.votes(answers, tuple("12345"))) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_that_computed_pair_by_pair(seed):
    counts = np.random.default_rng(seed).integers(0, 4, size=(10, 4))
    assert statistics.agreement(table(counts)) == pytest.approx(by_hand(counts))


def test_people_who_guess_agree_by_chance_alone():
    drawn = np.random.default_rng(0).multinomial(30, [0.25] * 4, size=2000)
    assert statistics.agreement(table(drawn)) == pytest.approx(0, abs=0.002)


def test_people_who_know_the_clip_in_half_of_cases_agree_by_a_quarter():
    random = np.random.default_rng(0)
    known = np.eye(4)[random.integers(0, 4, 2000)]
    drawn = np.array([random.multinomial(30, 0.5 * one + 0.125) for one in known])
    assert statistics.agreement(table(drawn)) == pytest.approx(0.25, abs=0.01)


def test_people_who_agree_on_all_clips_agree_fully():
    assert statistics.agreement(table([[5, 0], [0, 5]])) == 1


@pytest.mark.parametrize("counts", [[[0, 0]], [[1, 0], [0, 1]], [[5, 0], [3, 0]]])
def test_where_agreement_cannot_be_told_it_is_nan(counts):
    assert math.isnan(statistics.agreement(table(counts)))


def test_clips_are_ordered_by_how_far_they_divide():
    found = statistics.divided(table([[8, 0, 0, 0], [2, 2, 2, 2], [0, 0, 0, 0], [4, 4, 0, 0], [0, 6, 2, 0]]))
    assert found["clip"].tolist() == [2, 4, 5, 1]
    assert found["entropy"].tolist() == pytest.approx([2, 1, 0.811278, 0])
    assert found["most"].tolist() == ["sad", "sad", "happy", "sad"]
    assert found["share"].tolist() == [0.25, 0.5, 0.75, 1]
    assert found["listeners"].tolist() == [8] * 4


def test_without_an_answer_no_clip_divides():
    assert statistics.divided(table([[0, 0]])).empty


@pytest.fixture(scope="module")
def drawn():
    return rounds.draw(7)


@pytest.fixture(scope="module")
def answers(drawn):
    """Two people on the first four clips: one is always right, the other never."""
    truth = drawn.truth["emotion"][:4]
    wrong = [next(emotion for emotion in drawn.emotions if emotion != one) for one in truth]
    columns = {"clip": [1, 2, 3, 4] * 2, "answer": [*truth, *wrong], "sure": 0.5, "round": 1}
    return pd.DataFrame({"listener": [1] * 4 + [2] * 4} | columns)


def test_people_and_model_are_scored_on_the_same_clips(drawn, answers):
    heard = statistics.heard(drawn, answers)
    truth = drawn.truth["emotion"][:4].to_numpy()
    assert heard.people.accuracy == 0.5 and (heard.people.low, heard.people.high) == (0, 1)  # over two listeners
    assert heard.machine.answers == 4
    assert heard.machine.accuracy == np.mean(drawn.model["answer"][:4].to_numpy() == truth)
    assert heard.each.to_dict() == {1: 1.0, 2: 0.0}
    assert heard.own(1).right == 4 and heard.own(3) is None
    assert heard.clips.set_index("clip").loc[[1, 2, 3, 4], "truth"].tolist() == truth.tolist()
    assert heard.clips["entropy"].tolist() == [1] * 4


def test_the_table_for_a_spreadsheet_has_the_truth_and_the_models_answer(drawn, answers):
    kept = answers.assign(nickname="Ann", time=1_800_000_000.4)
    found = statistics.with_truth(kept, {1: drawn})
    assert found["truth"].tolist() == drawn.truth["emotion"][:4].tolist() * 2
    assert found["model"].tolist() == drawn.model["answer"][:4].tolist() * 2
    assert set(found["time"]) == {"2027-01-15 08:00:00"} and set(found["address"]) == {"7"}


def test_a_class_without_answers_has_an_empty_table(answers):
    found = statistics.with_truth(answers.assign(nickname="Ann", time=0.0)[:0], {})
    assert found.empty and "truth" in found
