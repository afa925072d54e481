"""The search itself: the workers of a study, here and in other processes, until it has its trials."""

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

from ser_core import interrupts
from ser_core.errors import TuningError
from ser_core.features import tables
from ser_core.settings import child_environment
from ser_core.tuning import results, storage, studies
from ser_core.tuning.objective import Objective

POLL_S = 1.0  # how often a worker with nothing to do looks whether another's trial came back


def tune(
    study: optuna.Study,
    url: str,
    table: pd.DataFrame,
    *,
    workers: int = 0,
    features: os.PathLike | None = None,
    timeout_s: float | None = None,
    heartbeat_s: int = storage.HEARTBEAT_S,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Work on a study until it has its trials or the time is over: here, and in `workers - 1` processes more.

    Parameters
    ----------
    workers : int
        Processes; 0 is one for each core. With one, the same seed gives the same study.
    features : path, optional
        The file of the table, for the other processes; the shipped one if not given.
    timeout_s : float, optional
        After so many seconds no trial is begun.
    progress : callable, optional
        Told the number of trials that ended and of all.

    Raises
    ------
    TuningError
        If the database cannot be used.
    """
    workers = workers or os.cpu_count() or 1
    # The address may hold a password: it goes by the environment, which other users cannot list.
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
    """Be one worker of a study: do trials until it has as many as it wants. The number of trials done here.

    Parameters
    ----------
    number : int
        Of this worker; samplers with the same seed would try the same.

    Raises
    ------
    TuningError
        If there is no such study, it is of other clips, or the database cannot be used.
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
        unborn = Unborn(heartbeat_s)
        done = 0
        while time.monotonic() < until:
            interrupts.check()
            ended, running = results.count(study)
            if progress:
                progress(min(ended, facts["trials"]), facts["trials"])
            if ended >= facts["trials"]:
                break
            if ended + running >= facts["trials"]:  # the last ones are at work, or dead
                time.sleep(POLL_S)
                fail_stale_trials(study)
                for number in unborn.numbers(study):
                    study.tell(number, state=TrialState.FAIL)
                continue
            with interrupts.held():  # so that no trial is left behind that seems to run
                study.optimize(objective, n_trials=1, catch=(Exception,))
            done += 1
        if progress:
            progress(min(results.count(study)[0], facts["trials"]), facts["trials"])
    return done


class Unborn:
    """Finds trials whose worker died before its first sign of life; for Optuna they would run for ever.

    Parameters
    ----------
    heartbeat_s : int
        Of the workers. A trial counts once it has been seen for as long as a worker may be silent.
    """

    def __init__(self, heartbeat_s: int = storage.HEARTBEAT_S):
        self._grace_s = storage.GRACE_BEATS * heartbeat_s
        self._seen: dict[int, float] = {}  # trial -> when it was first seen

    def numbers(self, study: optuna.Study) -> set[int]:
        """The numbers of those trials."""
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        now = time.monotonic()  # as seen here: the clocks of other machines may differ
        self._seen = {
            trial.number: self._seen.get(trial.number, now) for trial in running if "worker" not in trial.user_attrs
        }
        return {number for number, first in self._seen.items() if now - first > self._grace_s}
