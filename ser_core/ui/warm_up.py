"""Work in the background when the server starts, between pages, so that the first visitor finds it done.

A step that loads something is taken while no page runs, because of two threads that import the same package one may see
half of it. Pages go first: the step waits for a moment without one. Where none comes, as when a class returns to a
server that was started again, the next pages wait for its end. What is computed afterwards goes on beside
pages.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

logger = logging.getLogger(__name__)

# Streamlit warns of each thread without a page that calls what it caches, which is what this one is for.
NAME = "warm-up"
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(
    lambda record: record.threadName != NAME
)

Steps = Mapping[str, Callable[[], object]]
PATIENCE_S = 1.0  # of a step, for a moment without a page
BUDGET_S = 60.0  # by the clock, after which no step begins: then visitors load what they need, as they come


class WarmUp:
    """Steps that are taken one after the other between pages.

    Parameters
    ----------
    budget_s : float
    """

    def __init__(self, budget_s: float = BUDGET_S):
        self.budget_s = budget_s
        self._running = self._waiting = 0  # pages
        self._in_step = False
        self._is_over = False
        self._changed = threading.Condition()

    def start(self, steps: Steps, afterwards: Steps | None = None) -> threading.Thread:
        """Take the steps in a thread of their own.

        Parameters
        ----------
        steps, afterwards : mapping of str to callable
            As for `run`.

        Returns
        -------
        threading.Thread
        """
        thread = threading.Thread(target=self.run, args=(steps, afterwards), name=NAME, daemon=True)
        thread.start()
        return thread

    def run(self, steps: Steps, afterwards: Steps | None = None) -> None:
        """Take the steps while there is time. One that fails is logged, and the last: pages will say what is wrong.

        Parameters
        ----------
        steps : mapping of str to callable
            What each is for -> what it does. Between pages.
        afterwards : mapping of str to callable, optional
            What is computed of what is loaded by then, beside pages.
        """
        start = time.monotonic()
        until = start + self.budget_s
        for what, step in steps.items():
            with self._between_pages(until) as may_begin:
                if not may_begin or not _succeeds(what, step):
                    break
        for what, step in (afterwards or {}).items():
            if self._is_over or not _succeeds(what, step):
                return
        logger.info("Ready after %.1f s", time.monotonic() - start)

    @contextmanager
    def _between_pages(self, until: float) -> Iterator[bool]:
        try:
            yield self._may_begin(until)
        finally:
            with self._changed:
                self._in_step = False
                self._changed.notify_all()

    def _may_begin(self, until: float) -> bool:
        with self._changed:
            while not self._is_over and time.monotonic() < until:
                self._changed.wait_for(lambda: not (self._running or self._waiting) or self._is_over, PATIENCE_S)
                self._in_step = True  # the next pages wait
                if self._changed.wait_for(lambda: not self._running or self._is_over, PATIENCE_S):
                    return not self._is_over
                self._in_step = False  # for a page that takes long, the others do not wait
                self._changed.notify_all()
            return False

    def end(self) -> None:
        """Begin no further step."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    @contextmanager
    def page(self) -> Iterator[None]:
        """While a page runs: no step begins."""
        with self._changed:
            self._waiting += 1  # so that no further step comes first
            self._changed.wait_for(lambda: not self._in_step)
            self._waiting -= 1
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()


def _succeeds(what: str, step: Callable[[], object]) -> bool:
    try:
        step()
    except Exception:
        logger.exception("Not done beforehand: %s", what)
        return False
    return True


of_server = WarmUp()
