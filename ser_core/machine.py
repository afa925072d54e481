"""What this machine has for this program: processors and memory, within the limits of a container."""

from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

# Limits of a container's memory, of cgroups v2 and v1; they hold "max" or a huge number where there is none.
CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
WORKER_BYTES = 360 * 2**20  # a process that trains and has loaded pandas, scikit-learn and a table of features


@cache
def cores() -> int:
    """The processor cores that this program may use.

    Returns
    -------
    int
    """
    import joblib

    return joblib.cpu_count()


def memory() -> int:
    """The memory that this program may use.

    Returns
    -------
    int
        Bytes.
    """
    found = [psutil.virtual_memory().total]
    for file in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # there is no such file, or no limit
            found.append(int(file.read_text()))
    return min(found)


def free_memory() -> int:
    """The free memory of the machine, or of the container if its limit is lower.

    Returns
    -------
    int
        Bytes.
    """
    free, group = psutil.virtual_memory().available, Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):  # no container, or its limit is "max"
        limit = int((group / "memory.max").read_text())
        _, anonymous, *_ = (group / "memory.stat").read_text().split()  # the page cache can be dropped
        free = min(free, limit - int(anonymous))
    return free


def most_workers() -> int:
    """How many processes may work at the same time: one per core, and no more than have room in half of the memory.

    Returns
    -------
    int
        At least 1.
    """
    return max(1, min(cores(), memory() // 2 // WORKER_BYTES))


def fair_share(of_all: int, of_others: int) -> int:
    """What one network may have of what cannot be taken back from others: half of what they leave.

    Parameters
    ----------
    of_all, of_others : int

    Returns
    -------
    int
    """
    return max(0, of_all - of_others) // 2
