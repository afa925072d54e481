import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, recall_score

from ser_core import evaluation
from ser_core.labels import EMOTION_NAMES, LABELS, by_emotion


def predictions(clips: int = 300, seed: int = 0, part: str = "test", skill: float = 1.5) -> pd.DataFrame:
    """Predictions by chance and a little skill."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(LABELS), size=clips)
    raw = random.normal(size=(clips, len(LABELS)))
    raw[np.arange(clips), truth] += skill
    given = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    known = pd.DataFrame({"clip": [f"c{i}" for i in range(clips)], "fold": 0, "part": part})
    known["truth"] = np.array(LABELS)[truth]
    return pd.concat([known, pd.DataFrame(given.astype(np.float32), columns=evaluation.PROBABILITY_COLUMNS)], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_scikit_learns(seed):
    rows = predictions(seed=seed)
    truth = rows["truth"]
    given = np.array(LABELS)[evaluation.probabilities(rows).argmax(axis=1)]
    scores = evaluation.scores(rows)
    assert scores["test_accuracy"] == pytest.approx(accuracy_score(truth, given))
    assert scores["uar"] == pytest.approx(recall_score(truth, given, average="macro"))
    assert scores["macro_f1"] == pytest.approx(f1_score(truth, given, average="macro"))
    assert scores["log_loss"] == pytest.approx(log_loss(truth, evaluation.probabilities(rows), labels=LABELS), rel=1e-5)
    assert np.array_equal(evaluation.confusion(rows), confusion_matrix(truth, given, labels=LABELS))


def test_emotion_scores_add_up_genders():
    rows = predictions(seed=7)
    truth = rows["truth"].str.split("_").str[0]
    given = np.array(EMOTION_NAMES)[by_emotion(evaluation.probabilities(rows)).argmax(axis=1)]
    scores = evaluation.scores(rows)
    assert scores["emotion_accuracy"] == pytest.approx(accuracy_score(truth, given))
    assert scores["emotion_uar"] == pytest.approx(recall_score(truth, given, average="macro"))
    assert scores["emotion_claimed"] == pytest.approx(by_emotion(evaluation.probabilities(rows)).max(axis=1).mean())


def test_cv_accuracy_is_the_mean_over_folds_not_over_clips():
    right, wrong = predictions(90, part="cv", skill=50), predictions(10, part="cv", skill=-50)
    rows = pd.concat([right.assign(fold=1), wrong.assign(fold=2)])
    assert evaluation.scores(rows) == {"cv_accuracy": pytest.approx(0.5)}


def test_a_class_without_a_clip_counts_for_nothing():
    rows = predictions(400, seed=3)
    rows = rows[rows["truth"].isin(LABELS[:5])]
    given = np.array(LABELS)[evaluation.probabilities(rows).argmax(axis=1)]
    assert evaluation.scores(rows)["uar"] == pytest.approx(
        recall_score(rows["truth"], given, average="macro", labels=LABELS[:5])
    )


def test_intervals_hold_the_score_and_are_the_same_every_time():
    rows = predictions()
    scores, bounds = evaluation.scores(rows), evaluation.intervals(rows)
    for name, score in (("accuracy", "test_accuracy"), ("uar", "uar"), ("macro_f1", "macro_f1")):
        low, high = bounds[name]
        assert low < scores[score] < high
    assert evaluation.intervals(rows) == bounds


def test_the_interval_of_accuracy_is_as_wide_as_theory_says():
    rows = predictions(491, seed=1)
    accuracy = evaluation.scores(rows)["test_accuracy"]
    low, high = evaluation.intervals(rows)["accuracy"]
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(accuracy * (1 - accuracy) / 491), rel=0.1)


def test_the_interval_covers_the_truth_about_95_times_in_100():
    everyone = predictions(50_000, seed=2)
    truth = evaluation.scores(everyone)["test_accuracy"]
    inside = 0
    for start in range(0, 200 * 250, 250):
        low, high = evaluation.intervals(everyone.iloc[start : start + 250], resamples=300)["accuracy"]
        inside += low <= truth <= high
    assert 180 <= inside <= 198


def test_the_interval_over_actors_is_wider_where_actors_differ():
    right, wrong = predictions(600, skill=50), predictions(600, skill=-50, seed=1)
    actors = [f"03-01-05-01-01-01-{1 + i % 12:02d}" for i in range(600)]
    others = [f"03-01-05-01-01-01-{13 + i % 12:02d}" for i in range(600)]
    apart = pd.concat([right.assign(clip=actors), wrong.assign(clip=others)])
    mixed = apart.assign(clip=np.random.default_rng(0).permutation(apart["clip"]))
    (low, high), (mixed_low, mixed_high) = map(evaluation.unheard_interval, (apart, mixed))
    assert low < evaluation.scores(apart)["emotion_accuracy"] < high
    assert high - low > 3 * (mixed_high - mixed_low)


def test_the_report_has_a_row_for_each_class_and_their_means():
    report = evaluation.report(predictions())
    assert list(report.index) == [*LABELS, "macro avg", "weighted avg"]
    assert report.loc["macro avg", "clips"] == 300
    assert report.loc[list(LABELS), "clips"].sum() == 300
