"""The same numbers on a Dask cluster as here."""

import contextlib
import os
import re
import subprocess
import sys

import joblib
import pytest

from ser_core import cli, corpus, evaluation, experiments
from ser_core.errors import MissingPackageError, ParallelError
from ser_core.experiments.cluster import on
from ser_core.features import tables
from ser_core.settings import PROJECT


@contextlib.contextmanager
def started(*command):
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=PROJECT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler without workers."""
    command = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with started(*command) as process:
        for line in process.stderr:
            if found := re.search(r"Scheduler at:\s+(tcp://\S+)", line):
                break
        yield found.group(1)


@pytest.fixture(scope="module")
def cluster(scheduler):
    """The address of a cluster of two worker processes."""
    from distributed import Client

    with contextlib.ExitStack() as workers:
        for _ in range(2):
            command = ["distributed.cli.dask_worker", scheduler, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
            process = workers.enter_context(started(*command))
            os.set_blocking(process.stderr.fileno(), False)  # nobody reads it
        with Client(scheduler, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield scheduler


def test_the_work_is_done_on_the_cluster(cluster):
    with on(cluster):
        pids = set(joblib.Parallel(n_jobs=-1)(joblib.delayed(os.getpid)() for _ in range(20)))
    assert os.getpid() not in pids
    assert pids


def test_the_bootstrap_gives_the_same_there(cluster, result):
    rows = result.run.part("test")
    here = evaluation.intervals(rows)
    with on(cluster):
        assert evaluation.intervals(rows) == here


def test_cross_validation_gives_the_same_there(cluster, table):
    here = experiments.run("lr", table, jobs=1).run
    with on(cluster):
        there = experiments.run("lr", table).run
    assert there.id == here.id
    assert there.predictions.equals(here.predictions)


def test_extraction_gives_the_same_there(cluster, voices, table, tmp_path):
    with on(cluster):
        there = tables.extract(corpus.index(voices), tmp_path / "cache")
    assert there.extracted == 64
    assert tables.digest(there.table) == tables.digest(table)


def test_the_shell_takes_the_address(cluster, file, settings):
    assert cli.main(["run", "kn", "--features", file, "--dask", cluster, "--json"]) == 0


def test_a_sweep_is_run_there(cluster, file, tmp_path):
    (tmp_path / "sweep.toml").write_text(f"models = ['kn']\nprotocols = ['loso']\nclips = {file!r}\n")
    assert cli.main(["sweep", str(tmp_path / "sweep.toml"), "--dask", cluster, "--json"]) == 0


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_one_clear_line(address, monkeypatch):
    monkeypatch.setattr("ser_core.experiments.cluster.CONNECT_S", 1)
    with pytest.raises(ParallelError, match=f"No Dask scheduler answers at {address}"), on(address):
        pass


def test_other_versions_there_are_refused(cluster, monkeypatch):
    monkeypatch.setattr("ser_core.environment.PACKAGES", ("numpy", "pandas"))
    with pytest.raises(ParallelError, match="has pandas None, and here is"), on(cluster):
        pass


def test_without_dask_one_clear_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingPackageError, match=r"--dask needs Dask, .*ser-core\[cluster\]"),
        on("tcp://127.0.0.1:9"),
    ):
        pass
