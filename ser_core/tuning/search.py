"""The search itself: the workers of a study, in this and in other processes, until it has its trials."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import optuna
import pandas as pd
from optuna.storages import fail_stale_trials
from optuna.trial import TrialState

from ser_core import interrupts, machine
from ser_core.errors import TuningError
from ser_core.features import tables
from ser_core.settings import child_environment
from ser_core.tuning import results, storage, studies
from ser_core.tuning.objective import Objective

POLL_S = 1.0  # how often an idle worker checks whether another's trial has to be retried


def tune(
    study: optuna.Study,
    url: str,
    table: pd.DataFrame,
    *,
    workers: int = 0,
    features: str | os.PathLike | None = None,
    timeout_s: float | None = None,
    heartbeat_s: int = storage.HEARTBEAT_S,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Run a study until it has its trials or the time is up: here, and in `workers - 1` more processes.

    Parameters
    ----------
    study : optuna.Study
    url : str
        Of its database.
    table : pd.DataFrame
        The feature table.
    workers : int
        Processes; 0 is one per core, as far as memory goes. With one, the same seed gives the same study.
    features : str or path, optional
        The file of the table, for the other processes; the shipped one if not given.
    timeout_s : float, optional
        Seconds after which no trial is started.
    heartbeat_s : int
        Seconds between a worker's heartbeats.
    progress : callable, optional
        Called with the number of trials that have ended and the total.

    Raises
    ------
    TuningError
        If the database cannot be used.
    """
    workers = workers or machine.most_workers()
    # The URL may hold a password: it is passed by the environment, which other users cannot list.
    command = [sys.executable, "-m", "ser_core", "worker", "--study", study.study_name, "--json"]
    command += ["--heartbeat", str(heartbeat_s)]
    command += ["--features", os.fspath(features)] if features else []
    command += ["--timeout", str(timeout_s)] if timeout_s else []
    others = [
        subprocess.Popen(
            [*command, "--number", str(number)],
            env=child_environment(SER_OPTUNA_STORAGE=url),
            stdout=subprocess.DEVNULL,
        )
        for number in range(1, min(workers, study.user_attrs["trials"]))
    ]
    try:
        work(study.study_name, url, table, heartbeat_s=heartbeat_s, timeout_s=timeout_s, progress=progress)
        for other in others:
            other.wait()
    finally:
        for other in others:
            if other.poll() is None:
                other.terminate()
        for other in others:
            other.wait()


def work(
    name: str,
    url: str,
    table: pd.DataFrame,
    *,
    number: int = 0,
    timeout_s: float | None = None,
    heartbeat_s: int = storage.HEARTBEAT_S,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Run one worker of a study: do trials until the study has its number of trials or the time is up.

    Parameters
    ----------
    name, url : str
        Of the study, and of its database.
    table : pd.DataFrame
        The feature table.
    number : int
        Of this worker; it changes the sampler's seed, so that workers try different parameters.
    timeout_s : float, optional
        Seconds after which no trial is started.
    heartbeat_s : int
        Seconds between heartbeats.
    progress : callable, optional
        Called with the number of trials that have ended and the total.

    Returns
    -------
    int
        Trials done by this worker.

    Raises
    ------
    TuningError
        If there is no such study, its clips are others, or the database cannot be used.
    """
    until = time.monotonic() + timeout_s if timeout_s else np.inf
    with storage.reachable(url):
        study = studies.open_in(name, storage.connect(url, heartbeat_s=heartbeat_s))
        facts = study.user_attrs
        if facts["data_digest"] != tables.digest(table):
            raise TuningError(f"Study {name!r} is of other clips than this feature table. Bring the same one")
        study.sampler = studies.SAMPLERS[facts["sampler"]](seed=facts["seed"] + 1000 * number)
        study.pruner = studies.PRUNERS[facts["pruner"]]()
        objective = Objective(facts, table)
        without_heartbeat = WithoutHeartbeat(heartbeat_s)
        done = 0
        while time.monotonic() < until:
            interrupts.check()
            ended, running = results.count(study)
            if progress:
                progress(min(ended, facts["trials"]), facts["trials"])
            if ended >= facts["trials"]:
                break
            if ended + running >= facts["trials"]:  # the last ones are running, or their workers died
                time.sleep(POLL_S)
                fail_stale_trials(study)
                for number in without_heartbeat.numbers(study):
                    study.tell(number, state=TrialState.FAIL)
                continue
            with interrupts.held():  # an interrupt must not leave a trial in state RUNNING
                study.optimize(objective, n_trials=1, catch=(Exception,))
            done += 1
        if progress:
            progress(min(results.count(study)[0], facts["trials"]), facts["trials"])
    return done


class WithoutHeartbeat:
    """Finds trials whose worker died before its first heartbeat; for Optuna they would run forever.

    Parameters
    ----------
    heartbeat_s : int
        Of the workers. A trial counts once it has been seen for longer than a worker may be silent.
    """

    def __init__(self, heartbeat_s: int = storage.HEARTBEAT_S):
        self._grace_s = storage.GRACE_BEATS * heartbeat_s
        self._seen: dict[int, float] = {}  # trial -> first seen, by `time.monotonic`

    def numbers(self, study: optuna.Study) -> set[int]:
        """The numbers of those trials.

        Parameters
        ----------
        study : optuna.Study

        Returns
        -------
        set of int
        """
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        now = time.monotonic()  # local time: the clocks of other machines may differ
        self._seen = {
            trial.number: self._seen.get(trial.number, now) for trial in running if "worker" not in trial.user_attrs
        }
        return {number for number, first in self._seen.items() if now - first > self._grace_s}
