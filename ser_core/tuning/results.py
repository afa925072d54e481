"""Results of a study's trials; they can be read while the study is running."""

from collections.abc import Iterable

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from ser_core.evaluation.protocols import CV_FOLDS
from ser_core.models import search_spaces
from ser_core.results import runs
from ser_core.results.runs import Run


def count(study: optuna.Study) -> tuple[int, int]:
    """Count the trials that have ended and those that are running.

    A trial that was stopped or lost its worker has not ended: it starts again.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    int, int
    """
    trials = study.get_trials(deepcopy=False)
    ended = sum(
        trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        or (trial.state == TrialState.FAIL and "reason" in trial.user_attrs)
        for trial in trials
    )
    return ended, sum(trial.state == TrialState.RUNNING for trial in trials)


def table(study: optuna.Study) -> pd.DataFrame:
    """The trials as a table.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    pd.DataFrame
        One row per trial: number, state, value, seconds, began, ended, fold_scores, reason, worker, and
        `params_<name>`.
    """
    rows = []
    for trial in study.get_trials(deepcopy=False):
        state = trial.state.name.lower()
        if trial.state == TrialState.FAIL and "reason" not in trial.user_attrs:
            state = "stopped" if trial.user_attrs.get("stopped") else "lost"  # its worker died: it starts again
        scores = trial.user_attrs.get("fold_scores", [])
        rows.append(
            {
                "number": trial.number,
                "state": state,
                "value": score(trial),
                "seconds": trial.duration.total_seconds() if trial.duration else None,
                "began": trial.datetime_start,
                "ended": trial.datetime_complete,
                "fold_scores": scores,
                "reason": trial.user_attrs.get("reason", ""),
                "worker": trial.user_attrs.get("worker", ""),
            }
            | {f"params_{name}": value for name, value in trial.params.items()}
        )
    columns = ["number", "state", "value", "seconds", "began", "ended", "fold_scores", "reason", "worker"]
    return pd.DataFrame(rows, columns=None if rows else columns)


def score(trial: FrozenTrial) -> float | None:
    """The mean score over all folds.

    Parameters
    ----------
    trial : FrozenTrial

    Returns
    -------
    float or None
        None if the trial has not run all folds.
    """
    return trial.value if trial.state == TrialState.COMPLETE else None


def whole(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that ran all folds.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    list of FrozenTrial
    """
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def best(study: optuna.Study) -> FrozenTrial | None:
    """The trial with the highest mean score over all folds.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    FrozenTrial or None
        None before a trial has run all folds.
    """
    return max(whole(study), key=value, default=None)


def ranked(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that have begun, best first; those without a score come last.

    Parameters
    ----------
    study : optuna.Study

    Returns
    -------
    list of FrozenTrial
    """
    begun = [trial for trial in study.get_trials(deepcopy=False) if trial.params]
    return sorted(begun, key=value, reverse=True)


def value(trial: FrozenTrial) -> float:
    """A trial's score as a sort key: minus infinity if it has none.

    Parameters
    ----------
    trial : FrozenTrial

    Returns
    -------
    float
    """
    mean = score(trial)
    return -float("inf") if mean is None else mean


def parameters(study: optuna.Study, trial: FrozenTrial) -> dict:
    """All parameters of a trial, including the space's fixed ones.

    Parameters
    ----------
    study : optuna.Study
    trial : FrozenTrial

    Returns
    -------
    dict
    """
    return search_spaces.get(study.user_attrs["model"], study.user_attrs["space"]).parameters(trial.params)


def our_default(study: optuna.Study, found: Iterable[Run]) -> float | None:
    """The score of our default preset on the same folds, from a saved run; only for the original's five folds.

    Parameters
    ----------
    study : optuna.Study
    found : iterable of Run

    Returns
    -------
    float or None
    """
    facts = study.user_attrs
    if (facts["cv"], facts["folds"]) != ("study", CV_FOLDS):
        return None
    for run in found:
        is_default = runs.matches(run, protocol="study", model=facts["model"], preset="default")
        if is_default and run.data_digest == facts["data_digest"]:
            return run.scores["cv_accuracy"]
    return None
