"""A class on its pages: the teacher's screen and the pupil's, each with a session of its own."""

from types import SimpleNamespace

import pytest

from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.listening import rounds
from ser_core.ui import classes, classroom
from tests.app.pages import at, charts, open_app, texts, upload, well

PASSWORD = "correct horse"
MARKUP = "<b>Ann</b> **:smile:** $x$"


@pytest.fixture(autouse=True)
def fresh():
    classes._store.clear()
    yield
    classes._store.clear()


def field(app, label: str):
    return next(one for one in app.text_input if one.label == label)


def button(app, label: str):
    return next(one for one in app.button if one.label == label)


def press(app, label: str):
    button(app, label).click().run()
    return well(app)


def opened():
    app = at(open_app(), "teach")
    field(app, "A password of your own").set_value(PASSWORD)
    return press(app, "Open a class")


def joined(code: str, nickname: str = "Ann"):
    app = at(open_app(), "join", **{"class": code})
    field(app, "Nickname").set_value(nickname)
    return press(app, "Join")


def code_of(app) -> str:
    return app.title[0].value.removeprefix("Class ")


def said(app) -> str:
    return texts(app) + " ".join(one.proto.body for one in app.get("html"))


def answer(app, emotion: str, sure: str = "Certain"):
    press(app, emotion.capitalize())
    return press(app, sure)


@pytest.fixture
def teacher():
    return opened()


@pytest.fixture
def pupil(teacher):
    return joined(code_of(teacher))


def test_a_class_is_opened_with_a_password_and_shows_its_code(teacher):
    code = code_of(teacher)
    assert code in said(teacher) and "data:image/png;base64," in said(teacher)
    assert f"/join?class={code}" in teacher.code[0].value
    assert "Nobody has joined yet" in said(teacher)
    assert any("this computer alone" in one.value for one in teacher.warning)


def test_a_short_password_is_one_line(app):
    at(app, "teach")
    field(app, "A password of your own").set_value("short")
    press(app, "Open a class")
    assert "8 to 200 signs" in app.error[0].value


def test_the_teacher_comes_back_with_code_and_password(teacher):
    app = at(open_app(), "teach", **{"class": code_of(teacher)})
    assert field(app, "Its code").value == code_of(teacher)
    field(app, "Its password").set_value(PASSWORD)
    press(app, "Come back")
    assert app.title[0].value == teacher.title[0].value


@pytest.mark.parametrize("password", ["wrong password", "short"])
def test_another_password_shows_nothing_of_the_class(teacher, pupil, password):
    app = at(open_app(), "teach", **{"class": code_of(teacher)})
    field(app, "Its password").set_value(password)
    press(app, "Come back")
    assert app.error and app.title[0].value == "Teach"
    assert "Ann" not in said(app)


def test_nothing_in_an_address_opens_the_teachers_screen(teacher, pupil):
    app = at(pupil, "teach", **{"class": code_of(teacher), "me": pupil.query_params["me"], "teacher": "1"})
    assert app.title[0].value == "Teach"
    assert "Ann" not in said(app)


def test_a_nickname_is_shown_as_it_is(teacher):
    pupil = joined(code_of(teacher), MARKUP)
    assert [one.value for one in pupil.text] == [MARKUP]
    teacher.run()
    shown = " ".join(one.proto.body for one in teacher.get("html"))
    assert "&lt;b&gt;Ann&lt;/b&gt; **:smile:** $x$" in shown and "<b>Ann" not in shown


@pytest.mark.parametrize(("nickname", "says"), [("x" * 500, "has 500"), ("", "missing"), ("ann", "already")])
def test_a_nickname_that_is_not_taken_is_one_line(teacher, pupil, nickname, says):
    other = joined(code_of(teacher), nickname)
    assert says in other.error[0].value
    assert other.title[0].value == "Join a class"


@pytest.mark.parametrize("code", ["CCCCCC", "no code", ""])
def test_a_wrong_code_is_one_line(app, code):
    app = joined(code)
    assert len(app.error) == 1


def test_a_pupil_says_that_they_can_hear(teacher, pupil):
    press(pupil, "I can hear it")
    teacher.run()
    assert "of 10" not in said(teacher)
    assert "1 of 1 ready" in said(teacher) and "✓ Ann" in said(teacher)


def test_a_pupil_goes_on_after_a_restart_from_the_address_alone(teacher, pupil):
    press(teacher, "Start")
    pupil.run()
    answer(pupil, "sad")
    classes._store.clear()
    again = at(open_app(), "join", **pupil.query_params)
    assert again.title[0].value == f"Class {code_of(teacher)}"
    assert "1 of 10 answered" in again.get("progress")[0].proto.text


def test_a_round_from_its_start_to_its_reveal(teacher, pupil):
    press(teacher, "Start")
    other = joined(code_of(teacher), "Bob")
    pupil.run()
    for _ in range(10):
        answer(pupil, "angry")
    assert "Answered. Wait for the others" in said(pupil)
    answer(other, "sad", "Guessing")
    teacher.run()
    assert "1 of 2 answered" in said(teacher) and "✓ Ann<" in said(teacher) and "Bob: 1 of 10<" in said(teacher)
    for app in (teacher, pupil, other):
        assert not charts(app) and not app.metric  # nothing of the answers before the reveal
    press(teacher, "Reveal")
    for app in (pupil, other):
        app.run()
        well(app)
    assert [one.label for one in teacher.metric] == ["The class", "The model", "Agreement between people"]
    assert next(one.value for one in pupil.metric if one.label == "You").endswith("%")
    assert len(charts(teacher)) == len(charts(pupil)) == 4
    stored = classes.store().answers(teacher.session_state["classroom-teacher"])
    drawn = classroom.drawn(classes.store().classroom(teacher.session_state["classroom-teacher"]).round.address)
    right = (stored["answer"].to_numpy() == drawn.truth.set_index("clip").loc[stored["clip"], "emotion"]).mean()
    assert teacher.metric[0].value == f"{right:.0%}"


def test_a_pupils_page_holds_no_label_of_a_clip_before_the_reveal(teacher, pupil):
    press(teacher, "Start")
    pupil.run()
    drawn = classroom.drawn(classes.store().classroom(teacher.session_state["classroom-teacher"]).round.address)
    sent = str(pupil.main)
    assert not [stem for stem in drawn.stems if stem in sent]
    assert not charts(pupil)


def test_frozen_is_paused(teacher, pupil):
    press(teacher, "Start")
    press(teacher, "Freeze")
    pupil.run()
    assert "Paused" in said(pupil)
    press(teacher, "Go on")
    pupil.run()
    assert "Which emotion do you hear?" in said(pupil)


def test_a_round_is_not_left_unrevealed_without_a_word(teacher):
    press(teacher, "Start")
    assert "Next round" not in [button.label for button in teacher.button]
    press(teacher, "Begin the next round")
    assert "Round 2: listening" in said(teacher)


def test_an_answer_that_comes_too_late_is_told(teacher, pupil):
    press(teacher, "Start")
    pupil.run()
    press(pupil, "Sad")
    press(teacher, "Freeze")
    press(pupil, "Certain")
    store, who = classes.store(), teacher.session_state["classroom-teacher"]
    assert store.answers(who).empty
    assert "No answers are taken now" in pupil.warning[0].value


def test_one_clip_at_a_time(teacher, pupil):
    next(one for one in teacher.radio if one.label == "Pace").set_value("together").run()
    press(teacher, "Start")
    pupil.run()
    answer(pupil, "angry")
    assert "Answered. Wait for the others" in said(pupil)
    assert "Ann: 1 of 10" not in said(teacher.run())
    press(teacher, "Reveal")
    pupil.run()
    assert pupil.metric
    press(teacher, "Next clip")
    pupil.run()
    assert "Which emotion do you hear?" in said(pupil)
    assert "clip 2 of 10" in said(teacher)


def test_a_second_round_has_other_clips(teacher):
    press(teacher, "Start")
    press(teacher, "Reveal")
    press(teacher, "Next round")
    store, who = classes.store(), teacher.session_state["classroom-teacher"]
    first, second = (rounds.from_address(one.address) for one in store.classroom(who).rounds)
    assert first.stems != second.stems and second.emotions == EMOTION_NAMES


def test_the_end_and_the_deletion(teacher, pupil):
    assert "or when you end it" in said(teacher)
    press(teacher, "End it")
    assert "The code ended on" in said(teacher) and "when you end it" not in said(teacher)
    pupil.run()
    assert any("is over" in one.value for one in pupil.info)
    press(teacher, "Delete the class for good")
    assert teacher.title[0].value == "Teach"
    assert "is deleted" in teacher.success[0].value
    pupil.run()
    well(pupil)
    assert pupil.title[0].value == "Join a class"


def test_a_pupil_who_was_removed_is_out(teacher, pupil):
    teacher.run()
    press(teacher, "Remove, with all answers")
    pupil.run()
    assert well(pupil).title[0].value == "Join a class"


def test_where_it_is_read_only_there_are_no_classes_unless_it_is_told_to(app, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    for page in ("teach", "join"):
        assert "SER_CLASSES=1" in at(app, page).error[0].value
    monkeypatch.setenv("SER_CLASSES", "1")
    assert not at(app, "teach").error


def test_old_classes_go_when_any_page_is_visited(teacher, app, monkeypatch):
    classes._tidied.clear()
    store = classes.store()
    now = store.clock()
    monkeypatch.setattr(store, "clock", lambda: now + 31 * 24 * 3600)
    at(app, "jobs")
    monkeypatch.undo()
    teacher.run()
    assert teacher.title[0].value == "Teach"


def test_a_pupil_shares_the_answer_to_a_take_but_not_the_sound(teacher, pupil):
    upload(pupil, ("me.wav", synthetic.wav("angry", actor=1)))
    press(pupil, f"Share this answer with class {code_of(teacher)}")
    assert "this answer, not the sound" in texts(pupil)
    shared = classes.store().shared(teacher.session_state["classroom-teacher"])
    assert shared["nickname"].tolist() == ["Ann"]
    teacher.run()
    assert well(teacher).dataframe[0].value["nickname"].tolist() == ["Ann"]


def test_who_is_in_no_class_is_not_asked_to_share(app):
    upload(app, ("me.wav", synthetic.wav("angry", actor=1)))
    assert not [one for one in app.button if one.label.startswith("Share")]


@pytest.mark.parametrize(
    ("url", "headers", "address"),
    [
        ("https://10.0.0.5:8501/teach", {"Host": "10.0.0.5:8501"}, "https://10.0.0.5:8501"),
        ("https://school.example/ser/teach", {"X-Forwarded-Host": "school.example"}, "https://school.example/ser"),
        ("https://elsewhere.example/teach", {"Host": "10.0.0.5:8501"}, "http://10.0.0.5:8501"),
        (None, {"Host": "10.0.0.5:8501"}, "http://10.0.0.5:8501"),
    ],
)
def test_the_address_for_pupils_is_that_of_the_server_that_was_asked(monkeypatch, url, headers, address):
    monkeypatch.setattr(classroom.st, "context", SimpleNamespace(url=url, headers=headers))
    assert classroom.server_address() == address
    assert not classroom.is_local(address) and classroom.is_local("http://localhost:8501/join")
