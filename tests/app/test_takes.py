"""What is kept of a session's recordings: bounds, names, and the list on the page that hears emotions."""

import gc
import io
import json
import threading
import weakref

import numpy as np
import pytest
import soundfile

from ser_core.corpus import synthetic
from ser_core.ui import line, takes
from ser_core.ui.bounds import REFUSED
from ser_core.ui.takes import Take, Takes
from tests.app.pages import at, charts, open_app, press, texts, upload, well

HOSTILE = "<img src=x onerror=alert(1)> [link](http://x) **bold** :red[x] $x$ `c`"


@pytest.fixture(scope="module")
def angry() -> bytes:
    return synthetic.wav("angry", actor=1, seconds=1.5)


@pytest.fixture(scope="module")
def sad() -> bytes:
    return synthetic.wav("sad", actor=2, seconds=1.5)


@pytest.fixture
def small(monkeypatch):
    """Bounds that few bytes reach."""
    monkeypatch.setattr(takes, "MAX_TAKES", 4)
    monkeypatch.setattr(takes, "SESSION_BYTES", 100)
    monkeypatch.setattr(takes, "ALL_BYTES", 150)
    monkeypatch.setattr(takes, "NETWORK_BYTES", 150)


@pytest.fixture
def collects_nothing():
    """Python's collector, which might come by itself at any time, does not."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def add(session: Takes, name: str, size: int) -> Take:
    take = Take(name, bytes(size))
    session.add(take)
    return take


def names(session: Takes) -> list[str]:
    return [take.name for take in session.all]


def test_the_oldest_goes_when_there_are_too_many(small):
    session = Takes()
    for number in range(6):
        add(session, f"{number}", 1)
    assert names(session) == ["2", "3", "4", "5"]
    assert session.gone == ["0", "1"]


def test_the_oldest_go_when_there_are_too_many_bytes(small):
    session = Takes()
    for number in range(3):
        add(session, f"{number}", 40)
    assert names(session) == ["1", "2"]
    assert session.nbytes == 80


def test_one_take_is_kept_however_large_it_is(small):
    session = Takes()
    add(session, "small", 10)
    add(session, "large", 120)
    assert names(session) == ["large"]


def test_no_more_is_taken_at_once_than_a_session_keeps(small):
    session = Takes()
    session.receive((f"{number}.wav", bytes(1)) for number in range(7))
    assert len(session.waiting) == 4
    assert [name for name, _ in session.refused] == ["3 more"]
    other = Takes()
    other.receive((f"{number}.wav", bytes(60)) for number in range(3))
    assert [take.name for take in other.waiting] == ["0.wav", "1.wav"]
    assert [name for name, _ in other.refused] == ["2.wav"]


def bytes_of_all() -> int:
    return takes._used().total()


def test_of_all_sessions_the_fullest_loses_its_oldest(small):
    before = bytes_of_all()
    assert before == 0
    one, other = Takes(), Takes()
    add(one, "a", 45), add(one, "b", 45)
    add(other, "c", 50)
    assert (names(one), names(other)) == (["a", "b"], ["c"])
    add(other, "d", 30)
    assert (names(one), names(other)) == (["b"], ["c", "d"])
    assert (one.gone, other.gone) == (["a"], [])


def test_many_sessions_of_one_network_have_half_and_lose_their_own(small, monkeypatch):
    monkeypatch.setattr(takes, "NETWORK_BYTES", 75)
    pupil = Takes("school")
    add(pupil, "mine", 70)
    pages = [Takes("stranger") for _ in range(5)]
    for page in pages:
        add(page, "a", 30)
    assert [names(page) for page in pages].count(["a"]) == 2
    assert names(pupil) == ["mine"]


def test_sessions_of_one_network_that_keep_all_waiting_are_refused_and_take_nothing_from_others(small, monkeypatch):
    monkeypatch.setattr(takes, "NETWORK_BYTES", 75)
    pupil = Takes("school")
    add(pupil, "mine", 70)
    pages = [Takes("stranger") for _ in range(5)]
    for page in pages:
        page.receive([("a.wav", bytes(30))])
    assert [len(page.waiting) for page in pages] == [1, 1, 0, 0, 0]
    assert "many pages of yours" in pages[-1].refused[0][1]
    assert names(pupil) == ["mine"]


def test_where_all_is_full_the_fullest_network_gives_way(small):
    pupil, stranger, other = Takes("school"), Takes("stranger"), Takes("stranger")
    add(pupil, "mine", 50), add(stranger, "a", 45), add(other, "b", 45)
    add(pupil, "more", 20)
    assert names(pupil) == ["mine", "more"]
    assert sorted([names(stranger), names(other)]) in ([[], ["a"]], [[], ["b"]])


def test_a_page_says_why_there_is_no_file(app):
    upload(app, ("a.wav", REFUSED + b"There is no room for it now."))
    assert [one.value for one in app.error] == ["a\\.wav: There is no room for it now."]
    assert not app.radio


def test_what_waits_in_all_sessions_is_bounded_and_what_is_kept_makes_room(small):
    one, other, third = Takes(), Takes(), Takes()
    add(one, "kept", 90)
    other.receive([("a", bytes(80))])
    assert (names(one), len(other.waiting)) == ([], 1)
    third.receive([("b", bytes(60)), ("c", bytes(60))])
    assert [take.name for take in third.waiting] == ["b"]
    ((name, words),) = third.refused
    assert name == "c" and "there is no room for it now" in words


def test_a_session_that_has_ended_takes_no_room_from_others(small, collects_nothing):
    ended, kept = Takes(), Takes()
    add(ended, "gone", 60)
    ended.itself = ended  # as what Streamlit holds of a session: only the collector finds that nobody uses it
    del ended
    add(kept, "a", 70)
    add(kept, "b", 30)
    assert names(kept) == ["a", "b"]
    assert bytes_of_all() == 100


class Model:
    """Answers at once; of a long recording, step by step."""

    digest = "model"

    def predict(self, waveform, progress=None, **more):
        for done in range(3 if progress else 0):
            progress(done, 3)
        return waveform.duration_s


@pytest.fixture
def one_at_a_time(monkeypatch) -> line.Line:
    """The line of a machine with one core."""
    lines = line.Line(1), line.Line(1)
    monkeypatch.setattr(line, "of_server", lambda: lines[0])
    monkeypatch.setattr(line, "of_long_work", lambda: lines[1])
    return lines[0]


def test_somebody_who_waits_is_told_the_place_and_is_heard_in_the_end(one_at_a_time, angry):
    session, places, ready, go = Takes(), [], threading.Event(), threading.Event()

    def occupy():
        with one_at_a_time.turn():
            ready.set()
            go.wait(10)

    def waiting(place):
        places.append(place)
        go.set()

    other = threading.Thread(target=occupy)
    other.start()
    ready.wait(10)
    session.receive([("a.wav", angry)])
    assert list(session.hear(lambda take: Model(), waiting=waiting)) == [(0, 1)]
    other.join(10)
    assert places[0] == 1 and set(places) == {1}
    assert session.refused == [] and names(session) == ["a.wav"]


def test_a_long_recording_makes_way_for_a_short_one(one_at_a_time, angry, monkeypatch):
    monkeypatch.setattr(takes, "LONG_S", 1.0)
    served, others = [], []

    def someone():
        with one_at_a_time.turn():
            served.append("someone")

    def progress(done, total):
        served.append(done)
        if not others:
            others.append(threading.Thread(target=someone))
            others[0].start()
            while not one_at_a_time.waiting:
                pass

    Take("long", angry).heard(Model(), progress=progress)
    assert served == [0, "someone", 1, 2]


def test_a_short_recording_is_heard_in_one_go(one_at_a_time, angry):
    assert Take("short", angry).heard(Model(), progress=pytest.fail) == pytest.approx(1.5)


def test_few_sounds_are_kept_decoded_those_asked_for_last(monkeypatch, angry, sad):
    one, two, three = Take("one", angry), Take("two", sad), Take("three", angry)
    monkeypatch.setattr(takes, "DECODED_BYTES", 2 * one.waveform.samples.nbytes)
    first = one.waveform
    assert two.waveform and one.waveform is first
    assert three.waveform and one.waveform is first
    assert two._decoded is None
    assert len(two.waveform.samples) == len(first.samples)


def test_the_sound_of_a_take_goes_with_it(angry):
    take = Take("one", angry)
    kept = weakref.ref(take.waveform)
    del take
    gc.collect()
    assert kept() is None


def test_rounds_of_takes_and_deletes_leave_the_account_where_it_was():
    before, session = bytes_of_all(), Takes()
    for _ in range(10):
        for take in [add(session, f"{number}", 1_000) for number in range(5)]:
            session.remove(take)
    assert bytes_of_all() == before


def test_what_a_session_kept_is_free_when_it_has_ended():
    before, session = bytes_of_all(), Takes()
    add(session, "a", 1_000)
    assert bytes_of_all() == before + 1_000
    del session
    gc.collect()
    assert bytes_of_all() == before


def test_the_neighbour_of_a_take_that_is_removed_is_chosen():
    session = Takes()
    one, two, three = (add(session, name, 1) for name in "abc")
    session.chosen, session.other = two, three
    session.remove(two)
    assert session.chosen is three
    session.remove(three)
    assert (session.chosen, session.other) == (one, None)
    session.remove(one)
    assert session.chosen is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  two\n lines\t", "two lines"),
        ("\u202egpj.exe", "gpj.exe"),  # would turn the direction of all that follows
        ("\ud800", "Take 1"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("x" * 500, "x" * 80),
        ("", "Take 1"),
    ],
)
def test_a_name_is_one_short_line_that_can_be_read(name, shown):
    session = Takes()
    session.receive([(name, b"")])
    assert session.waiting[0].name.removesuffix("Take 0") == shown.removesuffix("Take 1") or shown == "Take 1"


def test_takes_of_the_same_name_are_told_apart():
    session = Takes()
    session.receive([("a.wav", b""), ("a.wav", b""), ("", b""), ("", b"")])
    assert [take.name for take in session.waiting] == ["a.wav", "a.wav (2)", "Take 1", "Take 2"]


def test_a_take_keeps_its_name_if_the_new_one_is_empty_and_no_two_get_the_same():
    session = Takes()
    one, two = add(session, "one", 1), add(session, "two", 1)
    session.rename(two, " \u202e ")
    assert two.name == "two"
    session.rename(two, "one")
    assert (one.name, two.name) == ("one", "one (2)")


def options(app) -> list[str]:
    """The names in the list, newest first."""
    return [option.partition("] ")[2].replace("\\", "") for option in app.radio(key="take").options]


def test_without_a_take_there_is_no_list_and_the_microphone_comes_first(app):
    at(app, "predict")
    assert app.get("audio_input") and not app.get("file_uploader")
    assert not app.radio and not app.get("download_button")
    assert app.metric


def test_recordings_are_numbered_takes_of_which_the_last_is_answered(app, angry, sad):
    at(app, "predict")
    for recording in (angry, sad):
        app.get("audio_input")[0].set_value(("recording.wav", recording, "audio/wav"))
        well(app.run())
    assert options(app) == ["Take 2", "Take 1"]
    assert "**Take 2**: 1.5 s, wav" in texts(app)


def test_a_take_can_be_renamed_deleted_and_is_in_the_downloads(app, angry):
    upload(app, ("a.wav", angry))
    app.text_input[0].set_value(HOSTILE).run()
    well(app)
    assert options(app) == [HOSTILE]
    said = texts(app)
    assert "\\<img" in said and "<img" not in said.replace("\\<img", "")
    press(app, "Delete it")
    assert not app.radio and not charts(app)
    assert app.metric


def test_takes_stay_over_uploads_and_page_changes(app, angry, sad):
    upload(app, ("a.wav", angry))
    upload(app, ("b.wav", sad))
    assert options(app) == ["b.wav", "a.wav"]
    app.radio(key="take").set_value(app.radio(key="take").options[1]).run()
    at(app, "sound")
    at(app, "predict")
    assert options(app) == ["b.wav", "a.wav"]
    assert "**a\\.wav**: " in texts(app)  # the chosen one is still chosen
    assert len(app.get("audio")) == 1


def test_another_session_has_no_take_of_this_one(app, angry):
    upload(app, ("secret.wav", angry))
    other = at(open_app(), "predict")
    assert not other.radio and "secret" not in texts(other)


def test_deletion_of_takes_asks_first_and_of_each_take_anew(app, angry, sad):
    upload(app, ("a.wav", angry), ("b.wav", sad))
    asked = {one.proto.popover.label: one for one in app.get("popover")}
    assert "**a\\.wav**" in asked["Delete"].markdown[0].value and "all 2 takes" in asked["Delete all"].markdown[0].value
    first = {one.label: one.key for one in app.button}
    assert not {"Delete", "Delete all"} & first.keys()  # which do nothing but ask
    press(app, "Delete it")
    assert options(app) == ["b.wav"]
    assert {one.label: one.key for one in app.button}["Delete it"] != first["Delete it"]


def test_all_takes_can_be_deleted_at_once(app, angry, sad):
    gc.collect()  # sessions of other tests
    before = bytes_of_all()
    upload(app, ("a.wav", angry), ("b.wav", sad))
    assert bytes_of_all() - before == len(angry) + len(sad)
    press(app, "Delete them")
    assert not app.radio
    assert bytes_of_all() == before


def test_the_page_says_which_take_had_to_go(app, angry, sad, monkeypatch):
    monkeypatch.setattr(takes, "MAX_TAKES", 2)
    upload(app, ("a.wav", angry), ("b.wav", sad))
    assert not app.info
    upload(app, ("c.wav", angry))
    assert options(app) == ["c.wav", "b.wav"]  # newest first
    assert "The oldest had to go: a\\.wav" in app.info[0].value
    upload(app, ("bad.wav", b"no sound"))
    assert not [info for info in app.info if "had to go" in info.value]
    assert options(app) == ["c.wav", "b.wav"]


def test_two_takes_are_compared_on_one_scale_and_in_words(app, angry, sad):
    upload(app, ("angry.wav", angry), ("sad.wav", sad))
    other = app.selectbox(key="other")
    assert other.options == ["Nothing", "sad.wav"]
    other.select_index(1).run()
    well(app)
    said = texts(app)
    assert "“angry\\.wav” is **" in said and "than “sad\\.wav”" in said
    assert "dB louder" not in said
    assert len(app.get("audio")) == 3
    titles = [chart.alt for chart in charts(app)]
    assert len(titles) == 6
    ranges = [json.loads(chart.spec)["layout"]["xaxis"]["range"] for chart in charts(app)]
    assert len({tuple(one) for one in ranges}) == 1
    at(app, "sound")
    at(app, "predict")
    assert "than “sad\\.wav”" in texts(app)
    app.selectbox(key="other").select_index(0).run()
    well(app)
    assert any("most probable at" in chart.alt for chart in charts(app))


def test_the_same_recording_twice_is_said_to_be_the_same(app, angry):
    upload(app, ("a.wav", angry), ("a.wav", angry))
    assert options(app) == ["a.wav", "a.wav (2)"]
    app.selectbox(key="other").select_index(1).run()
    assert "Both are the same recording." in texts(well(app))


def test_takes_without_a_voice_are_compared_by_what_can_be_measured(app):
    files = []
    for hz in (440, 880):
        file = io.BytesIO()
        soundfile.write(file, 0.3 * np.sin(2 * np.pi * hz * np.arange(44_100) / 22_050), 22_050, format="WAV")
        files.append((f"{hz}.wav", file.getvalue()))
    upload(app, *files)
    app.selectbox(key="other").select_index(1).run()
    well(app)
    assert "No voice" in texts(app) and len(charts(app)) == 6


def test_a_change_of_the_model_asks_about_every_take_again(app, angry, sad):
    upload(app, ("a.wav", angry), ("b.wav", sad))
    before = app.dataframe[0].value["claimed"].tolist()
    app.selectbox(key="model").select("v4").run()
    well(app)
    assert app.dataframe[0].value["claimed"].tolist() != before
    assert len(app.dataframe[0].value) == 2


def test_the_chosen_model_stays_over_page_changes_unless_the_address_names_another(app, angry):
    upload(app, ("a.wav", angry))
    for chosen in ("v4", "v_robust"):
        app.selectbox(key="model").select(chosen).run()
        at(app, "honest")  # which has a choice of models, too
        at(app, "predict")
        assert app.selectbox(key="model").value == chosen
    at(app, "sound")
    at(app, "predict", model="Kernel ridge")
    assert app.selectbox(key="model").value == "krr"
    assert open_app().switch_page("pages/predict.py").run().selectbox(key="model").value == "v_robust"


def test_a_model_that_another_page_left_behind_does_not_answer(app):
    at(app, "lesson")
    app.session_state["model"] = "best"  # as Streamlit keeps the choice of a page that was shown before the last
    at(app, "predict")
    assert app.selectbox(key="model").value == "v_robust"


def test_the_address_names_source_model_trial_and_clip(app, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    at(app, "predict", source="Example", model="Kernel ridge", trial="over a telephone")
    well(app)
    assert app.selectbox(key="model").value == "krr"
    assert "over a telephone: the answer" in texts(app)
    app.selectbox(key="example-emotion").set_value("sad").run()
    well(app)
    assert app.query_params["clip"].startswith("03-01-04-") or app.query_params["clip"][0].startswith("03-01-04-")
    assert "Sad" in texts(app)
    assert not app.radio  # an example is no take of one's own


def test_why_shows_what_speaks_for_it_where_it_stands_and_what_decided(app, angry):
    upload(app, ("a.wav", angry))
    drawn = len(charts(app))
    app.toggle(key="why").set_value(True).run()
    well(app)
    said = texts(app)
    assert "Where this take stands" in said
    assert "The nearest training clips" in said
    assert len(charts(app)) >= drawn + 2


def test_what_if_changes_the_take_and_the_answer(app, angry):
    upload(app, ("a.wav", angry))
    app.toggle(key="what-if").set_value(True).run()
    well(app)
    assert "Move a slider" in texts(app)
    sounds = len(app.get("audio"))
    app.slider(key="what-if-pitch").set_value(6.0)
    next(button for button in app.button if button.label == "Hear it so").click().run()
    well(app)
    assert "becomes" in texts(app)
    assert len(app.get("audio")) == sounds + 1
