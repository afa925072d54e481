"""How a command is asked to end: Ctrl-C or SIGTERM, which both raise KeyboardInterrupt in it."""

import signal
import threading

_asked = threading.Event()


def listen() -> None:
    """From now on, end this process's work at SIGTERM as at Ctrl-C. Call it in the main thread."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(number, frame):
    _asked.set()
    raise KeyboardInterrupt


def check() -> None:
    """Call this between two steps of long work: where the signal came while Python collected garbage or ran another
    callback, its exception was swallowed there.

    Raises
    ------
    KeyboardInterrupt
        If this process was asked to end.
    """
    if _asked.is_set():
        raise KeyboardInterrupt
