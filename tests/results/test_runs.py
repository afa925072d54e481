"""Many runs on disk: each file is read once. What one saved run holds, `tests/experiments/test_runner.py` tests."""

import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ser_core import evaluation
from ser_core.results import comparison, runs
from tests.made_runs import CLIPS, changed, run

MANY = 1000  # more than there are tables kept in memory


@pytest.fixture
def many(settings):
    """The folder of as many own runs, all of the same few clips."""
    one = run(np.arange(32) % 3 > 0, clips=CLIPS[:32], shipped=False)
    first = runs.save(changed(one, id="own-0", scores=evaluation.scores(one.predictions)), settings.workspace)
    for number in range(1, MANY):
        shutil.copytree(first, first.with_name(f"own-{number}"))
    return first.parent


@pytest.fixture
def reads(many, monkeypatch) -> dict[str, Counter]:
    """How often the predictions of each run are gone through for their digest, and read as a table."""
    counted = {"digest": Counter(), "table": Counter()}
    digest, table = runs._digest, runs.pd.read_parquet(many / "own-0" / "predictions.parquet")

    def count_digest(file):
        counted["digest"][file.parent.name] += 1
        return digest(file)

    def count_table(file):
        counted["table"][Path(file.name).parent.name] += 1
        return table

    monkeypatch.setattr(runs, "_digest", count_digest)
    monkeypatch.setattr(runs.pd, "read_parquet", count_table)
    return counted


EACH_ONCE = Counter(f"own-{number}" for number in range(MANY))


def test_a_thousand_own_runs_are_listed_without_reading_a_table_and_each_only_once(reads, settings):
    found, unreadable = runs.read_own(settings.workspace)
    assert {run.id for run in found} == set(EACH_ONCE) and not unreadable
    again, _ = runs.read_own(settings.workspace)
    assert all(one is other for one, other in zip(found, again, strict=True))
    assert reads == {"digest": EACH_ONCE, "table": Counter()}


def test_a_table_of_a_thousand_runs_reads_the_predictions_of_each_once(reads, settings, monkeypatch):
    monkeypatch.setattr(evaluation, "accuracy_interval", lambda *_, **__: (0.5, 0.4, 0.6))  # a bootstrap for each
    found, _ = runs.read_own(settings.workspace)
    assert len(comparison.table(found)) == MANY
    assert reads["table"] == EACH_ONCE


def test_only_the_run_that_changed_is_read_anew(many, reads, settings):
    runs.read_own(settings.workspace)
    for counted in reads.values():
        counted.clear()
    file = many / "own-7" / "predictions.parquet"
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    runs.read_own(settings.workspace)
    assert reads == {"digest": Counter(["own-7"]), "table": Counter()}


def test_the_same_folder_can_be_read_as_shipped_and_as_ones_own(tmp_path):
    runs.save(run(np.ones(len(CLIPS), bool), id="one"), tmp_path)
    (shipped,), _ = runs.read_all([tmp_path, tmp_path / "none"])
    (own,), _ = runs.read_all([tmp_path / "none", tmp_path])
    assert (shipped.shipped, own.shipped) == (True, False)
