"""Waiting for what other processes do."""

import time


def until(condition, seconds: float = 240):  # far longer than it takes on a machine at work
    """What a condition says as soon as it says something."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
    return found
