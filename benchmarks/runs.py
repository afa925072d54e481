"""How long the list of runs takes, beside scoring every run at each reading as it was once done.

    python -m benchmarks.runs [OWN]

Three things take turns in one process: reading and scoring the predictions of the shipped runs, reading the runs for
the first time, and reading them again. Then `OWN` (1,000) own runs are listed, first and again: the time a run must not
grow with their number.
"""

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from ser_core import evaluation
from ser_core.results import runs
from ser_core.settings import Settings

ROUNDS = 3


def main(own: int = 1000) -> None:
    """Print all figures."""
    shipped = Settings.from_environment().artifacts
    seconds: dict[str, list[float]] = {}

    def timed(name: str, work) -> None:
        began = time.perf_counter()
        work()
        seconds.setdefault(name, []).append(time.perf_counter() - began)

    found = runs.list_all([shipped])

    def scored() -> None:
        runs._read.cache_clear()
        for run in found:
            evaluation.scores(run.predictions)

    for _ in range(ROUNDS):
        timed("read and scored", scored)
        runs._known.clear()
        timed("listed, the first time", lambda: runs.list_all([shipped]))
        timed("listed again", lambda: runs.list_all([shipped]))
    before = statistics.median(seconds["read and scored"])
    for name, took in seconds.items():
        median = statistics.median(took)
        print(f"{len(found)} shipped runs {name}: {median:.3f} s, 1/{before / median:.0f} of reading and scoring")
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder)
        for number in range(own):
            source = shipped / "runs" / found[number % len(found)].id
            shutil.copytree(source, store / "runs" / f"own-{number:05d}", copy_function=shutil.copy)
            if number + 1 in (own // 2, own):
                runs._known.clear()
                for name in ("the first time", "again"):
                    began = time.perf_counter()
                    runs.read_own(store)
                    took = time.perf_counter() - began
                    print(f"{number + 1:,} own runs {name}: {took:.3f} s, {1e6 * took / (number + 1):.0f} µs a run")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
