"""Scores of answers, against NumPy, formulas written out, and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from ser_core.errors import ListeningError
from ser_core.listening import scores

EMOTIONS = ("neutral", "calm", "sad", "angry")


def answers_of(listeners=1, clips=10, seed=0, share=0.6) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Made answers, so many of them right, and the truth."""
    random = np.random.default_rng(seed)
    truth = pd.DataFrame({"clip": np.arange(1, clips + 1), "emotion": np.resize(EMOTIONS, clips)})
    rows = truth.merge(pd.DataFrame({"listener": [f"p{number}" for number in range(listeners)]}), how="cross")
    named = np.where(random.random(len(rows)) < share, rows["emotion"], random.choice(EMOTIONS, len(rows)))
    rows = rows.assign(answer=named, sure=random.choice(list(scores.SURE), len(rows))).drop(columns="emotion")
    return rows.sample(frac=1, random_state=seed), truth


def test_answers_are_joined_with_the_truth_in_their_order():
    answers, truth = answers_of(listeners=3)
    rows = scores.marked(answers, truth)
    assert rows.index.tolist() == answers.index.tolist()
    assert rows["truth"].tolist() == [truth.set_index("clip").loc[clip, "emotion"] for clip in answers["clip"]]
    assert rows["right"].tolist() == (rows["truth"] == answers["answer"]).tolist()


def test_one_listeners_interval_is_wilsons():
    rows = scores.marked(*answers_of(clips=20))
    found = scores.score(rows)
    p, n, z = accuracy_score(rows["truth"], rows["answer"]), 20, 1.959963984540054
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2),
    )
    assert (found.right, found.answers, found.listeners) == (round(20 * p), 20, 1)
    assert found.accuracy == pytest.approx(p)
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half))


def test_the_interval_of_several_is_over_listeners():
    rows = scores.marked(*answers_of(listeners=40, clips=10))
    found = scores.score(rows)
    of_listener = rows.groupby("listener")["right"].mean()
    spread = 1.96 * of_listener.std(ddof=0) / np.sqrt(len(of_listener))
    assert found.listeners == 40 and found.accuracy == pytest.approx(of_listener.mean())
    assert (found.low, found.high) == pytest.approx((found.accuracy - spread, found.accuracy + spread), abs=0.012)


def test_listeners_who_all_answer_alike_leave_no_doubt_of_other_listeners():
    answers, truth = answers_of(clips=10)
    both = pd.concat([answers, answers.assign(listener="another")])
    found = scores.score(scores.marked(both, truth))
    assert found.low == found.high == found.accuracy


@pytest.mark.parametrize("listeners", [1, 7])
def test_a_confusion_matrix_is_scikit_learns(listeners):
    rows = scores.marked(*answers_of(listeners, clips=12))
    expected = confusion_matrix(rows["truth"], rows["answer"], labels=EMOTIONS)
    assert (scores.confusion(rows, EMOTIONS) == expected).all()
    assert scores.confusion(rows, EMOTIONS).sum() == 12 * listeners


def test_a_confusion_matrix_without_answers_is_empty():
    assert scores.confusion(scores.marked(*answers_of()).head(0), EMOTIONS).tolist() == np.zeros((4, 4)).tolist()


def test_each_emotions_share_is_its_recall():
    rows = scores.marked(*answers_of(clips=18))
    table = scores.by_emotion(rows, EMOTIONS)
    assert table["emotion"].tolist() == list(EMOTIONS)
    expected = recall_score(rows["truth"], rows["answer"], labels=EMOTIONS, average=None, zero_division=0)
    assert table["accuracy"].tolist() == pytest.approx(expected)
    assert (
        table["answers"].sum() == 18
        and ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()
    )


def test_sureness_is_grouped_by_what_was_said():
    rows = scores.marked(*answers_of(listeners=5, clips=20))
    found = scores.sureness(rows)
    by_hand = rows.groupby("sure")["right"].agg(["mean", "size"])
    assert found.levels["claimed"].tolist() == pytest.approx(by_hand.index.tolist())
    assert found.levels["right"].tolist() == pytest.approx(by_hand["mean"].tolist())
    assert found.levels["clips"].tolist() == by_hand["size"].tolist()
    assert found.gap == pytest.approx(rows["sure"].mean() - rows["right"].mean())


def test_a_models_sureness_may_be_any_number_up_to_one():
    truth = pd.DataFrame({"clip": [1, 2], "emotion": ["sad", "angry"]})
    rows = scores.marked(pd.DataFrame({"listener": "m", "clip": [1, 2], "answer": "sad", "sure": [1.0, 0.0]}), truth)
    assert scores.sureness(rows).levels[["low", "high"]].to_numpy().tolist() == [[0, 0.2], [0.8, 1]]


def test_votes_count_every_listener_once_a_clip():
    answers, truth = answers_of(listeners=9, clips=6)
    table = scores.votes(answers, EMOTIONS)
    assert table.index.tolist() == truth["clip"].tolist() and table.columns.tolist() == list(EMOTIONS)
    assert (table.sum(axis="columns") == 9).all()
    assert table.loc[2, "calm"] == ((answers["clip"] == 2) & (answers["answer"] == "calm")).sum()


@pytest.mark.parametrize("column", scores.COLUMNS)
def test_a_missing_column_is_named(column):
    answers, truth = answers_of()
    with pytest.raises(ListeningError, match=f"lack the column '{column}'"):
        scores.marked(answers.drop(columns=column), truth)


def test_two_answers_of_one_listener_to_one_clip_are_refused():
    answers, truth = answers_of()
    with pytest.raises(ListeningError, match="'p0' has answered clip 4 twice"):
        scores.marked(pd.concat([answers, answers[answers["clip"] == 4]]), truth)


def test_a_clip_of_another_round_is_refused():
    answers, truth = answers_of()
    with pytest.raises(ListeningError, match="no clip 11 in this round"):
        scores.marked(answers.replace({"clip": {3: 11}}), truth)


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_answer_is_refused(empty):
    answers, truth = answers_of()
    answers.loc[answers["clip"] == 5, "answer"] = empty
    with pytest.raises(ListeningError, match="The answer to clip 5 is empty"):
        scores.marked(answers, truth)


@pytest.mark.parametrize("sure", [-0.1, 1.1, 5, "very", None])
def test_a_sureness_that_is_none_is_refused_with_its_value(sure):
    answers, truth = answers_of()
    answers["sure"] = answers["sure"].astype(object)
    answers.loc[answers["clip"] == 5, "sure"] = sure
    with pytest.raises(ListeningError, match="but can only be a number from 0 to 1"):
        scores.marked(answers, truth)


@pytest.mark.parametrize("function", [scores.score, scores.sureness])
def test_nothing_is_scored_without_an_answer(function):
    with pytest.raises(ListeningError, match="no answer yet"):
        function(scores.marked(*answers_of()).head(0))
