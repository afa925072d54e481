"""What the trials of a study found: read at any time, also while it is worked on."""

from collections.abc import Iterable

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from ser_core.evaluation.protocols import CV_FOLDS
from ser_core.models import search_spaces
from ser_core.results import runs
from ser_core.results.runs import Run


def count(study: optuna.Study) -> tuple[int, int]:
    """Numbers of trials that ended and that are running. A trial that was stopped, or lost its worker, did not end.

    Parameters
    ----------
    study : optuna.Study
    """
    trials = study.get_trials(deepcopy=False)
    ended = sum(
        trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        or (trial.state == TrialState.FAIL and "reason" in trial.user_attrs)
        for trial in trials
    )
    return ended, sum(trial.state == TrialState.RUNNING for trial in trials)


def table(study: optuna.Study) -> pd.DataFrame:
    """One row a trial: number, state, value, seconds, began, fold_scores, reason, worker, and `params_<name>`.

    Parameters
    ----------
    study : optuna.Study
    """
    rows = []
    for trial in study.get_trials(deepcopy=False):
        state = trial.state.name.lower()
        if trial.state == TrialState.FAIL and "reason" not in trial.user_attrs:
            state = "stopped" if trial.user_attrs.get("stopped") else "lost"  # its worker died: it is begun again
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
    """The mean over all folds; None where a trial has not run them all.

    Parameters
    ----------
    trial : FrozenTrial
    """
    return trial.value if trial.state == TrialState.COMPLETE else None


def whole(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that ran all folds."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def best(study: optuna.Study) -> FrozenTrial | None:
    """The trial of the highest mean over all folds; None before there is one.

    Parameters
    ----------
    study : optuna.Study
    """
    return max(whole(study), key=value, default=None)


def ranked(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that have begun, best first; those without a score come last.

    Parameters
    ----------
    study : optuna.Study
    """
    begun = [trial for trial in study.get_trials(deepcopy=False) if trial.params]
    return sorted(begun, key=value, reverse=True)


def value(trial: FrozenTrial) -> float:
    """A trial's score as a number to compare by: minus infinity where it has none."""
    mean = score(trial)
    return -float("inf") if mean is None else mean


def parameters(study: optuna.Study, trial: FrozenTrial) -> dict:
    """All parameters of a trial, including the space's fixed ones.

    Parameters
    ----------
    study : optuna.Study
    trial : FrozenTrial
    """
    return search_spaces.get(study.user_attrs["model"], study.user_attrs["space"]).parameters(trial.params)


def our_default(study: optuna.Study, found: Iterable[Run]) -> float | None:
    """The score of our default preset on the same folds, if there is such a run; only for five folds of clips.

    Parameters
    ----------
    study : optuna.Study
    found : iterable of Run
    """
    facts = study.user_attrs
    if (facts["cv"], facts["folds"]) != ("study", CV_FOLDS):
        return None
    for run in found:
        is_default = runs.matches(run, protocol="study", model=facts["model"], preset="default")
        if is_default and run.data_digest == facts["data_digest"]:
            return run.scores["cv_accuracy"]
    return None
