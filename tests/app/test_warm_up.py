"""What is loaded in the background when a server starts."""

import gc
import logging
import threading

import psutil
import pytest

from ser_core.prediction.predictor import Predictor
from ser_core.settings import PROJECT
from ser_core.ui import cached, first_answer, routed, warm_up
from ser_core.ui.warm_up import WarmUp
from tests.e2e.conftest import started
from tests.waiting import until


class Visit(threading.Thread):
    """A page that runs until told to end."""

    def __init__(self, warming: WarmUp):
        super().__init__(daemon=True)
        self.warming = warming
        self.runs, self.may_end = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        with self.warming.page():
            self.runs.set()
            self.may_end.wait(10)

    def end(self) -> None:
        self.may_end.set()
        self.join(10)


def test_steps_are_taken_in_their_order():
    taken = []
    WarmUp().run({"one": lambda: taken.append(1), "two": lambda: taken.append(2)})
    assert taken == [1, 2]


def test_no_step_begins_while_a_page_runs():
    taken = threading.Event()
    warming = WarmUp()
    visit = Visit(warming)
    assert visit.runs.wait(10)
    thread = warming.start({"one": taken.set})
    assert not taken.wait(0.2)
    visit.end()
    thread.join(10)
    assert taken.is_set()


def test_a_page_that_comes_during_a_step_is_next():
    began, may_end, visits, page_was_first = threading.Event(), threading.Event(), [], []
    warming = WarmUp()
    thread = warming.start(
        {
            "one": lambda: (began.set(), may_end.wait(10)),
            "two": lambda: page_was_first.append(visits[0].runs.is_set()),
        }
    )
    assert began.wait(10)
    visits.append(Visit(warming))
    until(lambda: warming._waiting == 1)
    assert not visits[0].runs.is_set()
    may_end.set()
    assert visits[0].runs.wait(10)
    visits[0].end()
    thread.join(10)
    assert page_was_first == [True]


def test_where_pages_come_without_a_gap_a_step_has_its_turn():
    taken, over = threading.Event(), threading.Event()
    warming = WarmUp()

    def visit_on():
        while not over.is_set():
            with warming.page():
                over.wait(0.01)

    visitors = [threading.Thread(target=visit_on) for _ in range(8)]
    for one in visitors:
        one.start()
    thread = warming.start({"one": taken.set})
    try:
        assert taken.wait(10)
    finally:
        over.set()
        for one in (*visitors, thread):
            one.join(10)


def test_for_a_page_that_takes_long_others_do_not_wait():
    taken = threading.Event()
    warming = WarmUp()
    long = Visit(warming)
    assert long.runs.wait(10)
    thread = warming.start({"one": taken.set})
    until(lambda: warming._in_step)  # the step has waited long enough, and asks for its turn
    other = Visit(warming)
    assert other.runs.wait(10) and not taken.is_set()
    other.end()
    long.end()
    thread.join(10)
    assert taken.is_set()


def test_a_step_that_fails_is_logged_and_pages_go_on(caplog):
    later = []

    def fail():
        raise OSError("no such disk")

    warming = WarmUp()
    with caplog.at_level(logging.ERROR):
        warming.run({"one": fail, "two": lambda: later.append(2)})
    assert "Not done beforehand: one" in caplog.text and "no such disk" in caplog.text
    assert later == []
    with warming.page():
        pass


def test_what_is_computed_afterwards_goes_on_beside_a_page():
    steps = []
    warming = WarmUp()
    visit = Visit(warming)
    assert visit.runs.wait(10)
    warming.run({}, {"one": lambda: steps.append(1)})
    assert steps == [1]
    visit.end()


def test_what_fails_afterwards_is_logged(caplog):
    with caplog.at_level(logging.ERROR):
        WarmUp().run({}, {"one": lambda: 1 / 0})
    assert "Not done beforehand: one" in caplog.text


def test_when_its_time_is_over_no_step_begins():
    taken = []
    WarmUp(budget_s=0.0).run({"one": lambda: taken.append(1)})
    assert taken == []


def test_it_ends_with_the_server():
    taken = []
    warming = WarmUp()
    warming.run({"one": lambda: (taken.append(1), warming.end()), "two": lambda: taken.append(2)})
    assert taken == [1]


def test_pages_are_told_to_it():
    with routed():
        assert warm_up.of_server._running == 1
    assert warm_up.of_server._running == 0


@pytest.fixture
def warm():
    """All steps are taken; what they set aside for the server is the collector's again afterwards."""
    for step in (*first_answer.STEPS.values(), *first_answer.AFTERWARDS.values()):
        step()
    yield
    gc.unfreeze()


def test_afterwards_the_first_answer_loads_no_model(warm, monkeypatch):
    monkeypatch.setattr(Predictor, "load", lambda entry: pytest.fail("it is loaded once more"))
    assert cached.predictor(next(iter(cached.trained_models().values())))


def test_afterwards_no_run_of_a_page_seeks_garbage_in_what_was_loaded(warm):
    assert len(gc.get_objects()) < gc.get_freeze_count() / 20


@pytest.mark.slow
def test_a_real_server_loads_it_without_a_visitor(tmp_path):
    others = set(psutil.Process().children())
    with started(tmp_path):
        (server,) = set(psutil.Process().children()) - others
        until(lambda: any("/numba/" in one.path for one in server.memory_maps()), 60)  # the last package
        until(lambda: server.cpu_percent(1) < 5, 120)
    assert "WARNING" not in (said := (tmp_path / "server.log").read_text()) and "warning" not in said, said


def test_what_is_served_warms_up():
    assert "lifespan=lifespan" in (PROJECT / "app.py").read_text()
