import itertools

import pytest

from ser_core.classroom import rules
from ser_core.classroom.room import Pupil, Teacher
from ser_core.classroom.rules import KEPT_S, OPEN_S, Store
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.errors import ClassroomError, ReadOnlyError

PASSWORD = "correct horse battery"


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path, clock) -> Store:
    made = Store(tmp_path / "classes.sqlite", clock=clock)
    yield made
    made.close()


@pytest.fixture
def teacher(store):
    return store.open_class(PASSWORD)


@pytest.fixture
def pupil(store, teacher):
    return store.join(teacher.code, "Ann")


def begin(store, teacher, clips=3, **more) -> None:
    store.start_round(teacher, "7", EMOTION_NAMES, clips, **more)


def content(store) -> bytes:
    """All bytes of the database, its log included."""
    return b"".join(file.read_bytes() for file in store.database.file.parent.glob(store.database.file.name + "*"))


# Codes and passwords


def test_the_teacher_comes_back_with_code_and_password(store, teacher):
    assert store.enter(f" {teacher.code[:3].lower()}-{teacher.code[3:]} ", PASSWORD) == teacher


def test_a_class_is_there_after_a_restart(store, teacher, pupil):
    begin(store, teacher)
    store.answer(pupil, 1, 2, "sad", 0.5)
    again = Store(store.database.file, clock=store.clock)
    assert again.enter(teacher.code, PASSWORD) == teacher
    assert again.pupil(teacher.code, pupil.token) == pupil
    assert again.own_answers(pupil)[["clip", "answer"]].to_numpy().tolist() == [[2, "sad"]]
    again.close()


@pytest.mark.parametrize("password", [PASSWORD + " ", PASSWORD.upper(), "another one"])
def test_another_password_does_not_enter(store, teacher, password):
    with pytest.raises(ClassroomError, match=f"no class {teacher.code} with this password"):
        store.enter(teacher.code, password)


def test_whether_a_class_exists_is_not_told_apart_from_a_wrong_password(store, teacher):
    store.delete(teacher)
    with pytest.raises(ClassroomError, match=f"no class {teacher.code} with this password"):
        store.enter(teacher.code, PASSWORD)


def test_no_password_or_token_is_in_the_file(store, teacher, pupil):
    for secret in (PASSWORD.encode(), teacher.key, pupil.token.encode()):
        assert secret not in content(store)


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_a_password_that_is_too_short_or_too_long_opens_no_class(store, password):
    with pytest.raises(ClassroomError, match=f"8 to 200 signs; this one has {len(password)}"):
        store.open_class(password)


def test_a_code_that_is_given_already_is_not_given_again(store, teacher, monkeypatch):
    codes = iter([teacher.code, "QQQQQQ"])
    monkeypatch.setattr(rules.typed, "new_code", lambda: next(codes))
    assert store.open_class(PASSWORD).code == "QQQQQQ"


# Guesses


def test_a_client_who_guesses_has_to_wait_and_then_gets_in(store, teacher, clock):
    for _ in range(10):
        with pytest.raises(ClassroomError, match="no class"):
            store.enter(teacher.code, "a wrong one", client="here")
    with pytest.raises(ClassroomError, match="wait 6 s"):
        store.enter(teacher.code, PASSWORD, client="here")
    clock.now += 6
    assert store.enter(teacher.code, PASSWORD, client="here") == teacher


def test_who_waits_keeps_nobody_else_waiting(store, teacher):
    for _ in range(10):
        with pytest.raises(ClassroomError):
            store.enter(teacher.code, "a wrong one", client="here")
    assert store.enter(teacher.code, PASSWORD, client="there") == teacher


def test_guesses_of_many_clients_are_slowed_down_together(store, teacher, clock):
    for number in range(60):
        with pytest.raises(ClassroomError, match="No class"):
            store.join("CCCCCC", "Ann", client=str(number))
    with pytest.raises(ClassroomError, match="wait 1 s"):
        store.join("CCCCCC", "Ann", client="another")
    clock.now += 1
    assert store.join(teacher.code, "Ann", client="another")


def test_right_codes_use_up_no_guesses(store, teacher):
    for number in range(30):
        store.join(teacher.code, f"Pupil {number}", client="the school's only address")
    assert store.enter(teacher.code, PASSWORD, client="the school's only address")


def test_nobody_opens_hundreds_of_classes(store, monkeypatch):
    monkeypatch.setattr(rules.typed, "derived", lambda password, salt: salt)  # which is slow on purpose
    for _ in range(10):
        store.open_class(PASSWORD, client="here")
    with pytest.raises(ClassroomError, match="wait 10 min"):
        store.open_class(PASSWORD, client="here")


# How long a class is there


def test_a_code_ends_after_a_day_and_what_was_answered_stays(store, teacher, pupil, clock):
    begin(store, teacher)
    store.answer(pupil, 1, 1, "sad", 0.5)
    clock.now += OPEN_S
    with pytest.raises(ClassroomError, match=r"No class .* is open"):
        store.join(teacher.code, "Bob")
    with pytest.raises(ClassroomError, match="No answers are taken"):
        store.answer(pupil, 1, 2, "sad", 0.5)
    with pytest.raises(ClassroomError, match="is over"):
        begin(store, teacher)
    again = store.enter(teacher.code, PASSWORD)
    assert store.classroom(again).is_over
    assert len(store.answers(again)) == 1


def test_a_class_is_over_when_its_teacher_ends_it(store, teacher, pupil):
    store.end(teacher)
    assert store.classroom(pupil).is_over
    with pytest.raises(ClassroomError, match="No class"):
        store.join(teacher.code, "Bob")


def test_a_class_that_was_ended_twice_ended_once(store, teacher, clock):
    store.end(teacher)
    ends = store.classroom(teacher).ends
    clock.now += 60
    store.end(teacher)
    assert store.classroom(teacher).ends == ends


@pytest.mark.parametrize("how", ["by its teacher", "after thirty days"])
def test_a_deleted_class_leaves_nothing_in_the_file(store, teacher, clock, how):
    pupil = store.join(teacher.code, "Kilimanjaro")
    other = store.join(store.open_class(PASSWORD).code, "Popocatepetl")
    store.start_round(teacher, "123456.matterhorn", EMOTION_NAMES, 3)
    store.answer(pupil, 1, 1, "disgust", 0.5)
    store.share(pupil, "heard", ["angry"], "a model called Fuji")
    words = [b"Kilimanjaro", b"123456.matterhorn", b"disgust", b"Fuji"]
    assert all(word in content(store) for word in words)
    if how == "by its teacher":
        store.delete(teacher)
        assert store.pupil(other.code, other.token) == other
    else:
        clock.now += KEPT_S + 1
        assert store.tidy() == 2
    assert not [word for word in words if word in content(store)]
    assert store.pupil(teacher.code, pupil.token) is None
    with pytest.raises(ClassroomError, match="was deleted"):
        store.seats(teacher)


def test_a_class_is_kept_for_thirty_days(store, teacher, pupil, clock):
    clock.now += KEPT_S - 1
    assert store.tidy() == 0
    assert store.enter(teacher.code, PASSWORD)


def test_a_class_that_nobody_joined_is_kept_for_a_day(store, teacher, clock):
    clock.now += OPEN_S + 1
    assert store.tidy() == 1


# Nicknames

LITERAL = [
    "<b>Ann</b><script>alert(1)</script>",
    "'); DROP TABLE pupils; --",
    "👩‍👩‍👧‍👦 🇨🇭",
    "**Ann** :smile: $x$",
    "&lt;Ann&gt; %s {0}",
    "=1+1",
    "Ω≈ç√ Ünï العربية 中文",
    "x" * 40,
]


@pytest.mark.parametrize("nickname", LITERAL)
def test_a_nickname_is_kept_as_it_is(store, teacher, nickname):
    assert store.join(teacher.code, f"  {nickname} ").nickname == nickname
    assert [seat.nickname for seat in store.seats(teacher)] == [nickname]


@pytest.mark.parametrize(
    ("nickname", "says"),
    [
        ("", "missing"),
        (" \t\n", "missing"),
        ("\u200b\u200d", "missing"),
        ("\u3164", "missing"),
        ("x" * 41, "at most 40 signs; this one has 41"),
        ("x" * 500, "this one has 500"),
        ("a\u202eb", "cannot be shown"),
        ("a\x00b", "cannot be shown"),
        ("a\ud800b", "cannot be shown"),
    ],
)
def test_a_nickname_that_cannot_be_shown_is_refused(store, teacher, nickname, says):
    with pytest.raises(ClassroomError, match=says):
        store.join(teacher.code, nickname)
    assert store.seats(teacher) == []


@pytest.mark.parametrize("nickname", ["Ann", "ANN", " ann ", "A\u200bnn", "Ａnn"])
def test_a_nickname_is_unique_in_a_class(store, teacher, pupil, nickname):
    with pytest.raises(ClassroomError, match="choose another nickname"):
        store.join(teacher.code, nickname)
    assert store.join(store.open_class(PASSWORD).code, nickname)


@pytest.mark.parametrize("code", ["", "K7RTW", "K7RTW33", "O0I1LB", "K7RTW<", "'; --", "x" * 10_000])
def test_what_is_no_code_is_said_in_one_line(store, code):
    for enter in (store.join, store.enter):
        with pytest.raises(ClassroomError, match="is not the code of a class") as error:
            enter(code, PASSWORD)
        assert len(str(error.value)) < 200 and "\n" not in str(error.value)


def test_a_pupil_who_was_removed_is_gone_with_their_answers(store, teacher, pupil):
    begin(store, teacher)
    other = store.join(teacher.code, "Bob")
    for one in (pupil, other):
        store.answer(one, 1, 1, "sad", 0.5)
    store.remove(teacher, pupil.number)
    assert store.answers(teacher)["nickname"].tolist() == ["Bob"]
    assert store.pupil(pupil.code, pupil.token) is None
    assert b"Ann" not in content(store)
    assert store.join(teacher.code, "Ann").number == 3


@pytest.mark.parametrize(("code", "token"), [(None, "wrong"), (None, ""), ("CCCCCC", None), ("\ud800", None)])
def test_only_code_and_token_bring_a_pupil_back(store, pupil, code, token):
    assert store.pupil(code or pupil.code, pupil.token if token is None else token) is None


# Rounds and answers


def test_an_answer_that_is_sent_twice_is_kept_once_and_the_first_counts(store, teacher, pupil):
    begin(store, teacher)
    assert store.answer(pupil, 1, 1, "sad", 0.9)
    assert not store.answer(pupil, 1, 1, "sad", 0.9)
    assert not store.answer(pupil, 1, 1, "angry", 0.1)
    found = store.answers(teacher)
    assert found[["listener", "round", "clip", "answer", "sure"]].to_numpy().tolist() == [[1, 1, 1, "sad", 0.9]]
    assert found["time"].iloc[0] == store.clock()


@pytest.mark.parametrize(
    ("clip", "emotion", "sure", "says"),
    [
        (0, "sad", 0.5, "Clip 0"),
        (4, "sad", 0.5, "Clip 4"),
        (1, "bored", 0.5, "'bored' is no possible answer"),
        (1, "x" * 10_000, 0.5, "no possible answer"),
        (1, "sad", -0.1, "between 0 and 1"),
        (1, "sad", 1.1, "between 0 and 1"),
        (1, "sad", float("nan"), "between 0 and 1"),
    ],
)
def test_what_is_no_answer_is_not_kept(store, teacher, pupil, clip, emotion, sure, says):
    begin(store, teacher)
    with pytest.raises(ClassroomError, match=says) as error:
        store.answer(pupil, 1, clip, emotion, sure)
    assert len(str(error.value)) < 300
    assert store.answers(teacher).empty


def test_answers_are_taken_only_while_the_round_is_open(store, teacher, pupil):
    clip = itertools.count(1)

    def is_taken(round_number=1) -> bool:
        try:
            return store.answer(pupil, round_number, next(clip), "sad", 0.5)
        except ClassroomError as error:
            assert "No answers are taken now" in str(error)
            return False

    assert not is_taken()
    begin(store, teacher, clips=20)
    assert is_taken()
    store.freeze(teacher)
    assert not is_taken()
    store.resume(teacher)
    assert is_taken()
    store.reveal(teacher)
    assert not is_taken()
    store.resume(teacher)  # what was revealed is not taken back
    store.freeze(teacher)
    assert not is_taken()
    begin(store, teacher, clips=20)
    assert not is_taken(round_number=1)
    assert is_taken(round_number=2)
    store.end(teacher)
    assert not is_taken(round_number=2)


def test_a_class_that_listens_together_answers_one_clip_at_a_time(store, teacher, pupil):
    begin(store, teacher, clips=2, together=True)
    with pytest.raises(ClassroomError, match="Clip 2 is not to be answered now"):
        store.answer(pupil, 1, 2, "sad", 0.5)
    assert store.answer(pupil, 1, 1, "sad", 0.5)
    store.reveal(teacher)
    assert store.revealed_answers(pupil)["clip"].tolist() == [1]
    store.next_clip(teacher)
    with pytest.raises(ClassroomError, match="Clip 1"):
        store.answer(pupil, 1, 1, "happy", 0.5)
    store.answer(pupil, 1, 2, "happy", 0.5)
    assert store.revealed_answers(pupil)["clip"].tolist() == [1]
    store.reveal(teacher)
    assert store.revealed_answers(pupil)["clip"].tolist() == [1, 2]
    assert store.classroom(teacher).is_at_last_clip
    with pytest.raises(ClassroomError, match="no clip left"):
        store.next_clip(teacher)


@pytest.mark.parametrize("together", [False, True])
def test_the_teacher_sees_who_is_ready_and_who_has_answered(store, teacher, pupil, together):
    other = store.join(teacher.code, "Bob")
    store.ready(other)
    assert [(seat.nickname, seat.is_ready, seat.answered) for seat in store.seats(teacher)] == [
        ("Ann", False, 0),
        ("Bob", True, 0),
    ]
    begin(store, teacher)
    store.answer(pupil, 1, 1, "sad", 0.5)
    begin(store, teacher, clips=1, together=together)
    store.answer(other, 2, 1, "sad", 0.5)
    assert [(seat.answered, seat.has_answered) for seat in store.seats(teacher)] == [(0, False), (1, True)]


def test_others_answers_are_not_seen_before_the_reveal(store, teacher, pupil):
    other = store.join(teacher.code, "Bob")
    begin(store, teacher)
    store.answer(pupil, 1, 1, "sad", 0.5)
    store.answer(other, 1, 1, "happy", 0.5)
    assert store.revealed_answers(pupil).empty
    assert store.own_answers(pupil)["answer"].tolist() == ["sad"]
    store.reveal(teacher)
    assert store.revealed_answers(pupil)["answer"].tolist() == ["sad", "happy"]
    begin(store, teacher)
    store.answer(other, 2, 1, "happy", 0.5)
    assert store.revealed_answers(pupil)["round"].unique().tolist() == [1]


def test_a_pupil_cannot_do_what_a_teacher_does(store, teacher, pupil):
    begin(store, teacher)
    taught = (store.seats, store.answers, store.shared, store.reveal, store.freeze, store.end, store.delete)
    for what in taught:
        with pytest.raises(ClassroomError, match="Only the teacher"):
            what(pupil)


def test_a_made_up_key_or_token_does_nothing(store, teacher, pupil):
    for what in (store.seats, store.answers, store.delete):
        with pytest.raises(ClassroomError, match="not in class"):
            what(Teacher(teacher.code, pupil.token.encode()))
    with pytest.raises(ClassroomError, match="not in class"):
        store.own_answers(Pupil(teacher.code, pupil.number, "Ann", "made up"))


def test_a_teacher_sees_only_their_own_class(store, teacher):
    other = store.open_class(PASSWORD)
    with pytest.raises(ClassroomError, match="not in class"):
        store.seats(Teacher(teacher.code, other.key))


# Shared answers of takes


def test_answers_of_takes_are_shared_without_sound(store, teacher, pupil):
    store.share(pupil, "unsure", ["angry", "fearful"], "Speaker-centred")
    store.share(pupil, "no_voice", [], "Robust")
    found = store.shared(teacher)
    assert found.columns.tolist() == ["nickname", "verdict", "emotions", "model", "time"]
    assert found["emotions"].tolist() == ["angry, fearful", ""]


@pytest.mark.parametrize(
    ("verdict", "emotions", "model"),
    [("maybe", [], "Robust"), ("heard", ["bored"], "Robust"), ("heard", ["sad"], ""), ("heard", ["sad"], "x" * 201)],
)
def test_what_no_model_says_is_not_shared(store, teacher, pupil, verdict, emotions, model):
    with pytest.raises(ClassroomError, match="no answer of a model"):
        store.share(pupil, verdict, emotions, model)
    assert store.shared(teacher).empty


def test_nothing_is_shared_with_a_class_that_is_over(store, teacher, pupil):
    store.end(teacher)
    with pytest.raises(ClassroomError, match="is over"):
        store.share(pupil, "heard", ["sad"], "Robust")


# Bounds


def test_a_class_has_so_many_pupils_and_rounds_and_shared_answers(store, teacher, pupil, monkeypatch):
    monkeypatch.setattr(rules, "MAX_PUPILS", 1)
    monkeypatch.setattr(rules, "MAX_ROUNDS", 1)
    monkeypatch.setattr(rules, "MAX_SHARED", 1)
    with pytest.raises(ClassroomError, match="full: it has 1 pupils"):
        store.join(teacher.code, "Bob")
    begin(store, teacher)
    with pytest.raises(ClassroomError, match="at most 1 rounds"):
        begin(store, teacher)
    store.share(pupil, "heard", ["sad"], "Robust")
    with pytest.raises(ClassroomError, match="shared 1 answers"):
        store.share(pupil, "heard", ["sad"], "Robust")


def test_a_server_has_so_many_classes(store, teacher, monkeypatch):
    monkeypatch.setattr(rules, "MAX_CLASSES", 1)
    with pytest.raises(ClassroomError, match="1 classes already"):
        store.open_class(PASSWORD)


@pytest.mark.parametrize(
    ("address", "choices", "clips"),
    [
        ("7", ("sad",), 0),
        ("7", ("sad",), 101),
        ("7", (), 3),
        ("7", ("sad",) * 33, 3),
        ("", ("sad",), 3),
        ("x" * 201, ("sad",), 3),
        ("7", ("s\nad",), 3),
        ("7", ("",), 3),
    ],
)
def test_a_round_that_is_too_large_or_empty_does_not_begin(store, teacher, address, choices, clips):
    with pytest.raises(ClassroomError, match="A round has"):
        store.start_round(teacher, address, choices, clips)
    assert store.classroom(teacher).round is None


def test_nothing_is_revealed_before_a_round_began(store, teacher):
    with pytest.raises(ClassroomError, match="No round has begun"):
        store.reveal(teacher)


# The installation


def test_it_lies_in_the_workspace(settings):
    made = Store.of(settings)
    assert made.database.file == settings.workspace / "classes.sqlite"
    made.close()


def test_a_read_only_installation_has_no_classes_unless_it_is_told_to(monkeypatch):
    from ser_core.settings import Settings

    monkeypatch.setenv("SER_READ_ONLY", "1")
    settings = Settings.from_environment()
    with pytest.raises(ReadOnlyError, match="SER_CLASSES=1"):
        Store.of(settings)
    assert not settings.workspace.exists()
    monkeypatch.setenv("SER_CLASSES", "1")
    Store.of(Settings.from_environment()).close()


@pytest.mark.parametrize("value", ["0", "no"])
def test_classes_can_be_switched_off(monkeypatch, value):
    from ser_core.settings import Settings

    monkeypatch.setenv("SER_CLASSES", value)
    with pytest.raises(ReadOnlyError, match="No class"):
        Store.of(Settings.from_environment())
