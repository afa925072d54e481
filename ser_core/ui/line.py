"""The line of those who wait for the processors: as many listen at the same time as there are cores."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from ser_core import machine
from ser_core.ui import visitor

LOOK_S = 1.0  # how often somebody who waits is looked after, who may have gone


@dataclass(eq=False)
class _Waiting:
    """Somebody who waits, and the round in which they are served."""

    round: int


class Line:
    """First come, first served. Long work makes way for others now and then, so that nobody waits for all of it.

    The networks take turns: in each round, one of each is served. Whoever waits on many pages lets others go between.

    Parameters
    ----------
    at_once : int > 0
        How many are served at the same time.
    network : callable
        Where the one is who comes; by default all are in one place.
    """

    def __init__(self, at_once: int, network: Callable[[], str] = lambda: ""):
        self._free = at_once
        self._network = network
        self._waiting: list[_Waiting] = []  # in the order in which they are served
        self._round = 0  # that is served
        self._rounds: dict[str, int] = {}  # of the last one of each network
        self._changed = threading.Condition()
        self._mine = threading.local()  # how often this thread has entered

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, tell: Callable[[int], None] = lambda place: None) -> Iterator[None]:
        """Wait for a turn, and keep it for a block; a thread that has it already goes on at once.

        Parameters
        ----------
        tell : callable
            Called while waiting with the place in the line, from 1; may raise, to go away.
        """
        depth = getattr(self._mine, "depth", 0)
        if not depth:
            self._wait(tell)
        self._mine.depth = depth + 1
        try:
            yield
        finally:
            self._mine.depth -= 1
            if not depth:
                self._leave()

    def make_way(self, tell: Callable[[int], None] = lambda place: None) -> None:
        """Between two steps of long work that has its turn: let those go first who wait, and wait for the next turn.

        Parameters
        ----------
        tell : callable
            As for `turn`.
        """
        if self.waiting and getattr(self._mine, "depth", 0):
            self._leave()
            try:
                self._wait(tell)
            except BaseException:
                with self._changed:
                    self._free -= 1  # the block that had the turn gives it back at its end
                raise

    def _wait(self, tell: Callable[[int], None]) -> None:
        network, told = self._network(), 0
        with self._changed:
            me = _Waiting(max(self._round, self._rounds.get(network, -1) + 1))
            self._rounds = {one: last for one, last in self._rounds.items() if last >= self._round}
            self._rounds[network] = me.round
            self._waiting.append(me)
            self._waiting.sort(key=lambda one: one.round)
        try:
            while (place := self._place(me, told)) > 0:
                tell(place)
                told = place
        except BaseException:
            with self._changed:
                self._waiting.remove(me)
                self._changed.notify_all()
            raise

    def _place(self, me: _Waiting, told: int) -> int:
        """The place in the line, from 1, when it changes or after a while; 0 or less once it is served."""
        with self._changed:
            place = self._waiting.index(me) + 1 - self._free
            if place == told:
                self._changed.wait(LOOK_S)
                place = self._waiting.index(me) + 1 - self._free
            if place <= 0:
                self._waiting.remove(me)
                self._round = max(self._round, me.round)
                self._free -= 1
                self._changed.notify_all()
            return place

    def _leave(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify_all()


@cache
def of_server() -> Line:
    """The line of all sessions of this server.

    Returns
    -------
    Line
    """
    return Line(machine.cores(), visitor.network)


@cache
def of_long_work() -> Line:
    """The line for long recordings, which hold much memory while they make way for others.

    Returns
    -------
    Line
    """
    return Line(max(1, machine.cores() // 2), visitor.network)


def in_words(place: int) -> str:
    """What the page says to somebody who waits.

    Parameters
    ----------
    place : int
        From 1.

    Returns
    -------
    str
    """
    return "You are next" if place == 1 else f"Many are here: you are number {place} in the line"
