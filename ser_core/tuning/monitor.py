"""Snapshots of a study in memory, for any number of readers while workers continue."""

import copy
import hashlib
from dataclasses import dataclass

import optuna
from optuna.trial import TrialState

from ser_core.tuning import search, storage, studies


@dataclass(frozen=True)
class Snapshot:
    """A study in memory. Read-only.

    Parameters
    ----------
    study : optuna.Study
    stamp : str
        Changes whenever anything in the study does.
    """

    study: optuna.Study
    stamp: str

    @property
    def running(self) -> bool:
        """Whether a trial is being worked on by someone who gives signs of life."""
        return any(trial.state == TrialState.RUNNING for trial in self.study.get_trials(deepcopy=False))


class Watch:
    """Reads one study repeatedly; trials that have ended are read once. Thread-safe.

    Parameters
    ----------
    found : Found
    """

    def __init__(self, found: studies.Found):
        self.found = found
        self._study, self._made, self._never_started = studies.load(found), None, search.WithoutHeartbeat()

    def now(self) -> Snapshot:
        """A snapshot of the study. A running trial whose worker has missed its heartbeats counts as lost.

        Returns
        -------
        Snapshot

        Raises
        ------
        TuningError
            If the study is gone or its database cannot be read.
        """
        fresh = studies.load(self.found)
        with storage.reachable(self.found.url):
            facts = fresh.user_attrs
            if facts.get("made") != self._made:  # the first time, or another study has taken the name
                self._study, self._made = fresh, facts.get("made")
            silent = set() if self.found.shipped else _silent(self._study) | self._never_started.numbers(self._study)
            trials = [
                _lost(trial) if trial.number in silent else trial for trial in self._study.get_trials(deepcopy=False)
            ]
        memory = optuna.create_study(
            study_name=self.found.name, storage=optuna.storages.InMemoryStorage(), direction="maximize"
        )
        for name, value in facts.items():
            memory.set_user_attr(name, value)
        memory.add_trials(trials)
        content = [(one.number, one.state, one.value, one.datetime_complete, one.user_attrs) for one in trials]
        return Snapshot(memory, hashlib.sha256(repr((facts, content)).encode()).hexdigest())


def _silent(study: optuna.Study) -> set[int]:
    # Optuna's public function is `fail_stale_trials`, which writes to the database; a reader must not.
    database = study._storage._backend  # type: ignore[attr-defined]  # no public way
    return {database.get_trial_number_from_id(key) for key in database._get_stale_trial_ids(study._study_id)}


def _lost(trial: optuna.trial.FrozenTrial) -> optuna.trial.FrozenTrial:
    """A copy that failed when it began: how long its worker lived is not known."""
    lost = copy.copy(trial)
    lost.state, lost.datetime_complete = TrialState.FAIL, trial.datetime_start
    return lost
