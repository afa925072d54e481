"""Four workers on one study over PostgreSQL, one of them killed in a trial."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from optuna.trial import TrialState
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from ser_core import cli
from ser_core.settings import PROJECT
from ser_core.tuning import results, storage, studies
from tests.postgres_server import started

PATIENCE_S = 240  # far longer than anything takes on a machine at work


@pytest.fixture(scope="module")
def database():
    with started() as url:
        yield url


def test_many_may_open_a_new_database_at_once(database):
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: storage.connect(database), range(6)))
    assert all(one.get_all_studies() == [] for one in opened)


@contextmanager
def all_waiting(url: str, number: int):
    """What is started within this begins together, however long each takes to load: at the end all stand at the lock
    that whoever opens the database takes."""
    with create_engine(url, poolclass=NullPool).connect() as server:
        server.execute(text("SELECT pg_advisory_lock(:key)"), {"key": storage.LOCK_KEY})
        yield
        until = time.monotonic() + PATIENCE_S
        standing = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while server.execute(standing).scalar() < number:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_four_workers_share_a_study_and_a_killed_ones_trial_comes_back(database, table, file):
    trials = 120  # so many that the others are still at work when the loss is noticed, seconds later
    study = studies.create(studies.Plan("mlp", folds=3, pruner="none"), database, table, trials=trials)
    command = [sys.executable, "-m", "ser_core", "worker", "--study", study.study_name, "--features", file]
    with all_waiting(database, 4):
        workers = [
            subprocess.Popen(
                [*command, "--heartbeat", "1"],
                cwd=PROJECT,
                env=os.environ | {"SER_OPTUNA_STORAGE": database},
                stderr=subprocess.DEVNULL,
            )
            for _ in range(4)
        ]
    until = time.monotonic() + PATIENCE_S
    doomed = None
    while not doomed:
        assert time.monotonic() < until
        running = [trial for trial in study.trials if trial.state == TrialState.RUNNING and len(trial.params) == 3]
        for trial in running:
            pid = int(trial.user_attrs["worker"].split(":")[1])
            os.kill(pid, signal.SIGSTOP)  # so that it does not end its trial in the meantime
            if study.trials[trial.number].state == TrialState.RUNNING:
                doomed = next(worker for worker in workers if worker.pid == pid)
                lost = trial
                break
            os.kill(pid, signal.SIGCONT)
    ended = results.count(study)[0]
    doomed.kill()
    assert [worker.wait(timeout=PATIENCE_S) for worker in workers if worker is not doomed] == [0, 0, 0]
    rows = results.table(study)
    ended_at_last, running = results.count(study)
    assert running == 0
    assert trials <= ended_at_last <= trials + 2  # workers that begin their last trial in one moment
    assert ended < trials
    assert rows.loc[lost.number, "state"] == "lost"
    (again,) = [trial for trial in study.trials if trial.system_attrs.get("retry_history") == [lost.number]]
    assert again.params == lost.params
    assert again.state == TrialState.COMPLETE
    assert rows.loc[rows["state"] == "complete", "worker"].nunique() >= 3


def test_the_shell_tunes_and_lists_over_postgresql(database, table, file, monkeypatch, settings, capsys):
    monkeypatch.setenv("SER_OPTUNA_STORAGE", database)
    words = ["tune", "kn", "--trials", "4", "--workers", "1", "--features", file, "--name", "shared", "--json"]
    assert cli.main(words) == 0
    assert "shared" in {found.name for found in studies.list_all(type(settings).from_environment())}
    assert not storage.exists(f"sqlite:///{settings.workspace}/studies.sqlite")
