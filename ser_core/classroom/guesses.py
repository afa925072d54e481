"""How often codes and passwords may be guessed, and classes be opened."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ser_core import durations
from ser_core.errors import ClassroomError

MAX_CLIENTS = 10_000  # that are kept in mind; of others, the one that has been quiet for longest is forgotten


NONE = (0.0, 0.0)


@dataclass(frozen=True)
class Allowance:
    """How many tries are free, and after how long another one is.

    Parameters
    ----------
    free : int > 0
    every_s : float > 0, seconds
    """

    free: int
    every_s: float


A_CLIENT = Allowance(10, 6.0)
ALL_CLIENTS = Allowance(60, 1.0)


class Guesses:
    """Slows down whoever guesses. In memory: a restart forgets it.

    A wrong guess uses up one of the tries that are free, which come back with time; a right one uses up none. Without a
    free one nothing is looked at, so that the longest wait is `every_s`, and nobody is locked out for good.

    Parameters
    ----------
    a_client, in_all : Allowance
    clock : callable
        Seconds.

    References
    ----------
    The token bucket; see Tanenbaum & Wetherall 2011, "Computer Networks", 5.4.2.
    """

    def __init__(self, a_client: Allowance, in_all: Allowance, clock: Callable[[], float] = time.monotonic):
        self.a_client, self.in_all, self.clock = a_client, in_all, clock
        self._lock = threading.Lock()
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client -> guesses used, and when
        self._used_by_all = NONE

    def require_free(self, client: str) -> None:
        """Check that a client may guess; call it before anything is compared.

        Parameters
        ----------
        client : str
            Whatever tells clients apart, e.g. their address.

        Raises
        ------
        ClassroomError
            If it has to wait.
        """
        with self._lock:
            now = self.clock()
            wait = max(
                _wait(self._used.get(client, NONE), self.a_client, now), _wait(self._used_by_all, self.in_all, now)
            )
        if wait > 0:
            raise ClassroomError(
                f"Too many tries came from here: wait {durations.in_words(math.ceil(wait))}, then try again"
            )

    def count(self, client: str) -> None:
        """Count a wrong guess, or whatever else is to be rare.

        Parameters
        ----------
        client : str
        """
        with self._lock:
            now = self.clock()
            used = _left(self._used.pop(client, NONE), self.a_client, now)
            self._used[client] = (used + 1, now)
            self._used_by_all = (_left(self._used_by_all, self.in_all, now) + 1, now)
            if len(self._used) > MAX_CLIENTS:
                self._used.popitem(last=False)


def _left(used: tuple[float, float], allowance: Allowance, now: float) -> float:
    """How many of the guesses that were used up then are still not free again."""
    number, when = used
    return max(0.0, number - (now - when) / allowance.every_s)


def _wait(used: tuple[float, float], allowance: Allowance, now: float) -> float:
    """How long it is until a try is free (s)."""
    return max(0.0, (_left(used, allowance, now) + 1 - allowance.free) * allowance.every_s)
