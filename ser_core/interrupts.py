"""Interrupts: Ctrl-C and SIGTERM both raise KeyboardInterrupt in a command."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_requested, _held = threading.Event(), threading.Event()


def listen() -> None:
    """Handle SIGTERM like Ctrl-C from now on. Call this in the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(number, frame):
    _requested.set()
    if not _held.is_set():
        raise KeyboardInterrupt


@contextmanager
def held(hold: bool = True) -> Iterator[None]:
    """Delay interrupts during steps that must not be cut, such as writes to a database.

    Parameters
    ----------
    hold : bool
        False allows interrupts again inside such a step.

    Raises
    ------
    KeyboardInterrupt
        As soon as interrupts are allowed again, if one arrived meanwhile.
    """
    before = _held.is_set()
    _set(hold)
    try:
        yield
    finally:
        _set(before)


def _set(hold: bool) -> None:
    if hold:
        _held.set()
    else:
        _held.clear()
        check()


def check() -> None:
    """Raise a pending interrupt; call this between two steps of long work.

    Needed because Python discards an exception that a signal handler raises during garbage collection or inside some
    callbacks.

    Raises
    ------
    KeyboardInterrupt
        If this process was requested to end.
    """
    if _requested.is_set():
        raise KeyboardInterrupt
