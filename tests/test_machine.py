"""What this machine has for this program."""

import psutil
import pytest

from ser_core import machine


@pytest.fixture
def limit(tmp_path, monkeypatch):
    """The file in which a container's limit stands."""
    file = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "CGROUP_LIMITS", (tmp_path / "none", file))
    return file


def test_the_memory_of_a_container_is_its_limit(limit):
    limit.write_text("1073741824\n")
    assert machine.memory() == 2**30


@pytest.mark.parametrize("text", ["max\n", "9223372036854771712\n"])
def test_without_a_limit_it_is_the_machines(limit, text):
    limit.write_text(text)
    assert machine.memory() == psutil.virtual_memory().total


def test_free_memory_is_some_of_the_machines():
    assert 0 < machine.free_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(("of_all", "of_others", "share"), [(20, 0, 10), (20, 10, 5), (20, 19, 0), (20, 21, 0)])
def test_the_share_of_a_network_is_half_of_what_others_leave(of_all, of_others, share):
    assert machine.fair_share(of_all, of_others) == share


def test_workers_are_bounded_by_cores_and_by_memory(limit, monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 64)
    limit.write_text(str(8 * machine.WORKER_BYTES))
    assert machine.most_workers() == 4
    limit.write_text(str(machine.WORKER_BYTES))
    assert machine.most_workers() == 1
    limit.write_text(str(10**12))
    monkeypatch.setattr(machine, "cores", lambda: 2)
    assert machine.most_workers() == min(2, psutil.virtual_memory().total // 2 // machine.WORKER_BYTES)
