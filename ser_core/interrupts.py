"""How a command is asked to end: Ctrl-C or SIGTERM, which both raise KeyboardInterrupt in it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_asked, _held = threading.Event(), threading.Event()


def listen() -> None:
    """From now on, end this process's work at SIGTERM as at Ctrl-C. Call it in the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(number, frame):
    _asked.set()
    if not _held.is_set():
        raise KeyboardInterrupt


@contextmanager
def held(hold: bool = True) -> Iterator[None]:
    """Delay interrupts during steps that must be whole, such as writes to a database; `held(False)` allows them again.

    Raises
    ------
    KeyboardInterrupt
        Where the work may be broken off again, if this process was asked to end meanwhile.
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

    An exception that a signal raises while Python collects garbage or runs another callback is lost there.

    Raises
    ------
    KeyboardInterrupt
        If this process was asked to end.
    """
    if _asked.is_set():
        raise KeyboardInterrupt
