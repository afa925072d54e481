"""The line of those who wait for the processors."""

import threading

import pytest

from ser_core.ui.line import Line, in_words


class Person(threading.Thread):
    """Somebody who waits for a turn, and keeps it until told to leave."""

    def __init__(self, line: Line, *, leaves_at: int | None = None, network: str = ""):
        super().__init__(daemon=True, name=network)
        self.line, self.leaves_at = line, leaves_at
        self.places: list[int] = []
        self.told = threading.Condition()
        self.served, self.waits, self.may_leave = threading.Event(), threading.Event(), threading.Event()
        self.start()
        assert self.waits.wait(10)

    def tell(self, place: int) -> None:
        with self.told:
            self.places.append(place)
            self.told.notify_all()
        self.waits.set()
        if place == self.leaves_at:
            raise InterruptedError

    def run(self) -> None:
        try:
            with self.line.turn(self.tell):
                self.served.set()
                self.waits.set()
                self.may_leave.wait(10)
        except InterruptedError:
            self.waits.set()

    def hears(self, place: int) -> bool:
        """Whether that place is told within ten seconds."""
        with self.told:
            return self.told.wait_for(lambda: self.places[-1] == place, 10)

    def leave(self) -> None:
        self.may_leave.set()
        self.join(10)


def test_first_come_first_served_and_everybody_knows_the_place():
    line = Line(1)
    first, second, third = (Person(line) for _ in range(3))
    assert first.served.is_set() and not second.served.is_set()
    assert (first.places, second.places, third.places) == ([], [1], [2])
    first.leave()
    assert second.served.wait(10) and not third.served.is_set()
    assert third.hears(1)
    second.leave()
    assert third.served.wait(10)
    third.leave()
    assert line.waiting == 0


def test_no_more_are_served_at_once_than_there_are_places():
    line = Line(2)
    people = [Person(line) for _ in range(4)]
    assert [person.served.is_set() for person in people] == [True, True, False, False]
    for person in people:
        person.may_leave.set()
    for person in people:
        person.join(10)
        assert person.served.is_set()


def test_who_waits_on_many_pages_lets_others_go_between():
    line = Line(1, lambda: threading.current_thread().name)
    served = Person(line, network="stranger")
    pages = [Person(line, network="stranger") for _ in range(3)]
    pupils = [Person(line, network="school") for _ in range(2)]
    assert pupils[0].places == [1] and pupils[1].places == [3]
    assert pages[0].hears(2) and pages[1].hears(4) and pages[2].hears(5)
    order = [pupils[0], pages[0], pupils[1], *pages[1:]]
    for person in order:
        served.leave()
        assert person.served.wait(10)
        assert sum(one.served.is_set() for one in order) == order.index(person) + 1
        served = person
    served.leave()
    assert line.waiting == 0


def test_who_goes_away_holds_nobody_up():
    line = Line(1)
    first = Person(line)
    gone = Person(line, leaves_at=1)
    gone.join(10)
    assert line.waiting == 0
    last = Person(line)
    first.leave()
    assert last.served.wait(10)
    last.leave()


def test_who_has_a_turn_takes_no_second_one():
    line = Line(1)
    with line.turn(), line.turn(pytest.fail):
        waiting = Person(line)
        assert not waiting.served.is_set()
    assert waiting.served.wait(10)
    waiting.leave()


def test_long_work_makes_way_for_those_who_wait():
    line, steps = Line(1), []
    with line.turn():
        line.make_way(pytest.fail)  # nobody waits
        other = Person(line)
        assert not other.served.is_set()
        line.make_way(lambda place: (steps.append(place), other.may_leave.set()))
        assert other.served.is_set()
    other.join(10)
    assert steps[0] == 1
    with line.turn(pytest.fail):
        pass


def test_long_work_that_is_given_up_while_it_makes_way_gives_back_one_turn_only():
    line = Line(1)

    def give_up(place: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError), line.turn():
        other = Person(line)
        line.make_way(give_up)
    third = Person(line)
    assert other.served.wait(10) and not third.served.is_set()
    other.leave()
    assert third.served.wait(10)
    third.leave()


def test_the_place_in_words():
    assert in_words(1) == "You are next"
    assert "number 3" in in_words(3)
