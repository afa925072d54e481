import numpy as np
import pandas as pd
import pytest

from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.figures import listening
from ser_core.listening import rounds, scores


def plain(sentence: str) -> str:
    return sentence.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module")
def rows():
    """A round's answers of a listener who takes everything for sad, and the model's."""
    one = rounds.draw(7)
    mine = pd.DataFrame({"listener": "me", "clip": one.clips, "answer": "sad", "sure": [0.9, 0.1] * 5})
    return {name: scores.marked(table, one.truth) for name, table in (("You", mine), ("The model", one.model))}


def test_scores_stand_with_their_intervals_beside_guessing(rows):
    found = {name: scores.score(table) for name, table in rows.items()}
    figure, sentence = listening.scores(found, 1 / 8, {"People, published": 0.67})
    me, _, people = figure.data
    assert (me.x[0], people.x[0]) == (0.1, 0.67)
    assert me.x[0] + me.error_x.array[0] == pytest.approx(found["You"].high)
    assert me.x[0] - me.error_x.arrayminus[0] == pytest.approx(found["You"].low)
    assert figure.layout.shapes[0].x0 == 0.125
    assert plain(sentence).startswith("You: 10%, 1 of 10 (2% to 40%); The model: 60%, 6 of 10")


def test_nothing_published_leaves_its_row_out(rows):
    figure, _ = listening.scores({"You": scores.score(rows["You"])}, 1 / 6)
    assert len(figure.data) == 1


def test_a_matrix_says_what_was_taken_for_what(rows):
    matrix = scores.confusion(rows["You"], EMOTION_NAMES)
    figure, sentence = listening.confusion(matrix, EMOTION_NAMES, "What you heard", top=2)
    assert (np.asarray(figure.data[0].z) == matrix).all() and figure.data[0].zmax == 2
    assert figure.layout.meta["title"] == "What you heard"
    assert sentence.startswith("1 of 10 are right (the diagonal). Taken for another: neutral for sad, fearful for sad")
    assert sentence.count(" for sad") == listening.MOST_NAMED


def test_a_matrix_without_mistakes_names_none():
    _, sentence = listening.confusion(np.eye(8, dtype=int), EMOTION_NAMES, "All right", top=1)
    assert sentence == "8 of 8 are right (the diagonal)."


def test_emotions_are_side_by_side_and_the_first_listeners_best_is_said(rows):
    tables = {name: scores.by_emotion(table, EMOTION_NAMES) for name, table in rows.items()}
    figure, sentence = listening.by_emotion(tables)
    assert [bar.name for bar in figure.data] == ["You", "The model"]
    assert dict(zip(figure.data[0].y, figure.data[0].x, strict=True))["Sad"] == 1
    assert plain(sentence).startswith("You: most right for sad (100%), fewest for neutral, calm, happy, angry")
    assert "more rounds say more" in sentence


def test_who_hears_all_alike_has_no_best():
    truth = pd.DataFrame({"clip": [1, 2], "emotion": ["sad", "angry"]})
    answers = pd.DataFrame({"listener": "me", "clip": [1, 2], "answer": ["sad", "angry"], "sure": 0.5})
    table = scores.by_emotion(scores.marked(answers, truth), ("sad", "angry"))
    assert plain(listening.by_emotion({"You": table})[1]).startswith("You: 100% right of every emotion.")


def test_sureness_is_told_from_rightness(rows):
    found = {name: scores.sureness(table) for name, table in rows.items()}
    figure, sentence = listening.sureness(found)
    assert list(figure.data[1].x) == pytest.approx([0.1, 0.9])
    assert plain(sentence).startswith("You: 50% sure on average, right in 10%, too sure; The model: ")


@pytest.mark.parametrize(
    ("right", "said"), [(["sad", "angry"], "not sure enough"), (["sad", "calm"], "about as sure as right")]
)
def test_sureness_may_be_too_small_or_fit(right, said):
    truth = pd.DataFrame({"clip": [1, 2], "emotion": ["sad", "angry"]})
    answers = pd.DataFrame({"listener": "me", "clip": [1, 2], "answer": right, "sure": 0.5})
    found = scores.sureness(scores.marked(answers, truth))
    assert said in listening.sureness({"You": found})[1]
