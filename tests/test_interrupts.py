"""Being asked to end: at once, or after what is not to be broken off."""

import subprocess
import sys

import pytest

from ser_core.settings import PROJECT

PROGRAM = """
import os, signal
from ser_core import stopping
stopping.listen()
try:
    {}
except KeyboardInterrupt:
    print("ended")
"""
ASK = "os.kill(os.getpid(), signal.SIGTERM)"


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (f"{ASK}; print('after')", ["ended"]),
        (f"with stopping.held(): {ASK}; print('noted')", ["noted", "ended"]),
        (f"with stopping.held():\n        {ASK}\n        with stopping.held(False): print('work')", ["ended"]),
        (f"with stopping.held():\n        with stopping.held(False): {ASK}; print('work')", ["ended"]),
        ("with stopping.held(): print('noted')\n    print('after')", ["noted", "after"]),
    ],
)
def test_work_ends_at_once_but_not_within_what_is_held(work, said):
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(work)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == said
