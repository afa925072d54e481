"""What trials found, of studies in memory."""

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.trial import TrialState, create_trial

from ser_core.results import runs
from ser_core.tuning import results, studies


def study_of(*scores: float | None) -> optuna.Study:
    """A study whose trials reached so much; None was given up, and had reached more."""
    study = optuna.create_study(direction="maximize")
    for score in scores:
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED if score is None else TrialState.COMPLETE,
                value=0.99 if score is None else score,
                params={"n": 1},
                distributions={"n": IntDistribution(1, 9)},
            )
        )
    return study


def test_trials_are_ranked_by_score_and_those_given_up_come_last():
    study = study_of(0.5, None, 0.7, 0.7, None)
    study.enqueue_trial({"n": 2})  # it has not begun
    assert [trial.number for trial in results.ranked(study)] == [2, 3, 0, 1, 4]
    assert [results.score(trial) for trial in results.ranked(study)] == [0.7, 0.7, 0.5, None, None]
    assert results.best(study).number == 2


def test_of_no_whole_trial_there_is_no_best():
    assert results.best(study_of(None)) is None
    assert results.ranked(study_of()) == []


@pytest.mark.parametrize(("cv", "folds", "is_there"), [("study", 5, True), ("study", 3, False), ("actors", 5, False)])
def test_our_default_stands_beside_a_study_of_the_same_folds(settings, cv, folds, is_there):
    shipped = runs.list_all([settings.artifacts])
    known = runs.find(shipped, model="svm", preset="default", protocol="study")
    facts = vars(studies.Plan("svm", cv=cv, folds=folds)) | {"data_digest": known.data_digest}
    study = study_of(0.5)
    for key, value in facts.items():
        study.set_user_attr(key, value)
    assert results.our_default(study, shipped) == (known.scores["cv_accuracy"] if is_there else None)
    study.set_user_attr("data_digest", "of other clips")
    assert results.our_default(study, shipped) is None
