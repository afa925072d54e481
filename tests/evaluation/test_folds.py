import numpy as np
import pytest
from sklearn.metrics import accuracy_score, recall_score

from ser_core import evaluation
from tests.made_runs import answers, by_chance, run


def test_scores_of_folds_are_those_of_scikit_learn():
    rows = answers(blur=2.0).part("test")
    named, truth = evaluation.named_and_true(rows, "emotion")
    table = evaluation.by_fold(rows, "emotion")
    assert len(table) == 6
    for fold in table.itertuples():
        of_fold = (rows["fold"] == fold.fold).to_numpy()
        assert fold.clips == of_fold.sum()
        assert fold.accuracy == pytest.approx(accuracy_score(truth[of_fold], named[of_fold]))
        assert fold.uar == pytest.approx(recall_score(truth[of_fold], named[of_fold], average="macro"))


def test_mean_and_deviation_are_over_folds():
    found = answers(blur=2.0)
    (part, folds), *others = evaluation.over_folds(found.predictions).items()
    assert (part, others) == ("test", [])
    uars = [each["emotion_uar"] for each in folds["each"]]
    assert folds["mean"]["emotion_uar"] == pytest.approx(np.mean(uars))
    assert folds["deviation"]["emotion_uar"] == pytest.approx(np.std(uars, ddof=1))
    assert folds["mean"]["emotion_uar"] == pytest.approx(evaluation.scores(found.predictions)["emotion_ua"])


def test_a_single_test_part_has_no_folds():
    assert evaluation.over_folds(run(by_chance(1)).predictions) == {}


def test_folds_of_clips_of_unknown_gender_have_scores_of_emotions_alone():
    found = answers()
    rows = found.predictions.assign(truth=found.predictions["truth"].str.split("_").str[0] + "_unknown")
    each = evaluation.over_folds(rows)["test"]["each"]
    assert set(each[0]) == {"fold", "clips", "emotion_accuracy", "emotion_uar"}
