"""A class in the browser: a teacher and two pupils, each with a browser of their own."""

import pytest

from ser_core.classroom.room import Teacher
from ser_core.classroom.rules import Store
from ser_core.listening import rounds
from tests.e2e.browsing import click, rest, settle, shows_no_fault
from tests.e2e.conftest import PHONE, started

PASSWORD = "correct horse battery"
ANSWERS = (b'"truth"', b"The class")  # a column and words of a round that is revealed
MARKUP = "<b>Bob</b> 👩‍👩‍👧 '); DROP TABLE pupils"


@pytest.fixture
def server(tmp_path):
    """The address of an app with a workspace of its own, and the workspace."""
    with started(tmp_path) as address:
        yield address, tmp_path / "workspace"


@pytest.fixture
def visit(context):
    """A page in a session of its own, and all that its browser was sent."""
    pages = []

    def go(address: str, size=None):
        page = context.new_page()
        page.sent = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: page.sent.append(raw(frame))))
        page.on("response", lambda response: page.sent.append(response.url.encode()))
        if size:
            page.set_viewport_size(size)
        page.goto(address)
        settle(page)
        pages.append(page)
        return page

    yield go
    for page in pages:
        page.close()


def raw(frame) -> bytes:
    return frame if isinstance(frame, bytes) else str(frame).encode()


def fill(page, label: str, text: str) -> None:
    page.get_by_role("textbox", name=label).fill(text)


def answer(page, clip: int, emotion: str) -> None:
    """Answer a clip with another emotion than the one before, so that it is seen when it was chosen."""
    page.wait_for_selector(f"text={clip - 1} of 10 answered")
    main = page.get_by_test_id("stMain")
    main.get_by_role("button", name=emotion).click()
    page.wait_for_selector(f"[data-testid=stBaseButton-primary]:has-text('{emotion}')")
    main.get_by_role("button", name="Certain").click()
    page.wait_for_selector(f"text={clip} of 10 answered")


def test_a_class_from_the_first_code_to_its_deletion(server, visit):
    address, workspace = server
    teacher = visit(f"{address}/teach")
    fill(teacher, "A password of your own", PASSWORD)
    click(teacher, "Open a class")
    teacher.wait_for_selector("text=Nobody has joined yet")
    code = teacher.locator("h1").inner_text().removeprefix("Class ")
    assert teacher.get_by_alt_text(f"QR code of {address}/join?class={code}").is_visible()

    ann, bob = visit(f"{address}/join?class={code}", PHONE), visit(f"{address}/join")
    fill(bob, "Code", code.lower())
    for pupil, nickname in ((ann, "Ann"), (bob, MARKUP)):
        fill(pupil, "Nickname", nickname)
        click(pupil, "Join")
        pupil.wait_for_selector("text=You are in")
    click(ann, "I can hear it")
    teacher.wait_for_selector("text=1 of 2 ready")
    assert teacher.get_by_text(MARKUP, exact=False).first.is_visible()
    assert bob.get_by_text(MARKUP, exact=True).is_visible()

    click(teacher, "Start")
    answer(ann, 1, "Sad")
    answer(ann, 2, "Angry")
    answer(bob, 1, "Happy")
    teacher.wait_for_selector("text=0 of 2 answered")
    store = Store(workspace / "classes.sqlite")
    key = store.enter(code, PASSWORD)
    assert sorted(store.answers(key)["answer"]) == ["angry", "happy", "sad"]
    holds_nothing_of_the_round(store, key, ann)
    assert ann.get_by_test_id("stMetric").count() == bob.get_by_test_id("stMetric").count() == 0

    ann.goto(f"{address}/teach?class={code}")  # with all that a pupil knows
    settle(ann)
    assert ann.locator("h1").inner_text() == "Teach"
    ann.go_back()
    answer(ann, 3, "Calm")  # from the address alone: a new session

    click(teacher, "Reveal")
    for page in (teacher, ann, bob):
        page.wait_for_selector("text=Agreement between people")
        shows_no_fault(page)
    assert ann.get_by_test_id("stMetric").first.inner_text().startswith("You")
    rest(ann)
    assert says_the_answers(ann) == list(ANSWERS)

    click(teacher, "Delete for good")
    teacher.get_by_role("button", name="Delete the class for good").click()
    teacher.wait_for_selector("text=is deleted")
    for pupil in (ann, bob):
        pupil.wait_for_selector("text=Join a class")
    left = b"".join(file.read_bytes() for file in workspace.glob("classes.sqlite*"))
    assert b"Ann" not in left and MARKUP.encode() not in left
    store.close()


def holds_nothing_of_the_round(store: Store, teacher: Teacher, pupil) -> None:
    """Nothing that a pupil's browser was sent names a clip."""
    drawn = rounds.from_address(store.classroom(teacher).round.address)
    sent = b"\n".join(pupil.sent)
    assert len(sent) > 10_000  # the page itself, at least
    assert not [stem for stem in drawn.stems if stem.encode() in sent]
    assert not says_the_answers(pupil)


def says_the_answers(pupil) -> list[bytes]:
    """What only a round that is revealed says, among all that a pupil's browser was sent."""
    sent = b"\n".join(pupil.sent)
    return [word for word in ANSWERS if word in sent]
