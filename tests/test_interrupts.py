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


COMMAND = """
import importlib.abc, os, signal, sys
class Ask(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name == "{}":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{})
sys.meta_path.insert(0, Ask())
sys.argv = ["ser", "doctor"]
from ser_core.__main__ import run
sys.exit(run())
"""


@pytest.mark.parametrize("request_by", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("during", ["ser_core.cli", "rich.console", "ser_core.cli.health", "packaging.requirements"])
def test_a_command_that_is_ended_says_so_at_any_moment_and_nothing_else(during, request_by):
    """While it is loaded, while what it needs is loaded, and while it works."""
    code = COMMAND.format(during, request_by)
    answer = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert (answer.returncode % 256, answer.stdout, answer.stderr) in [(130, "", "Stopped.\n"), (254, "", "Stopped.\n")]


def test_a_command_whose_answer_is_cut_off_says_so(tmp_path):
    code = (
        "import os, signal, sys; from ser_core import cli, __main__;"
        "cli.carry_out = lambda options: ({}, 0, lambda: os.kill(os.getpid(), signal.SIGTERM));"
        "sys.argv = ['ser', 'doctor']; sys.exit(__main__.run())"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (130, "Stopped.\n")
