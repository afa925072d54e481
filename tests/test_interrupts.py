"""Interrupts: at once, or after a step that must not be cut."""

import subprocess
import sys

import pytest

from ser_core.settings import PROJECT

PROGRAM = """
import os, signal
from ser_core import interrupts
interrupts.listen()
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
        (f"with interrupts.held(): {ASK}; print('noted')", ["noted", "ended"]),
        (f"with interrupts.held():\n        {ASK}\n        with interrupts.held(False): print('work')", ["ended"]),
        (f"with interrupts.held():\n        with interrupts.held(False): {ASK}; print('work')", ["ended"]),
        ("with interrupts.held(): print('noted')\n    print('after')", ["noted", "after"]),
    ],
)
def test_work_ends_at_once_but_not_within_what_is_held(work, said):
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(work)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == said
