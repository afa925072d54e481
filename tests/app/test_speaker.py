"""My voice on the page that hears emotions: with a model that gains by it, and with those that do not."""

import io

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_core.corpus import synthetic
from ser_core.ui import speaker
from tests.app.pages import at, press, texts, upload, well, widget

GAINS = {"known": ["2 neutral clips", "8 clips", "all clips"], "gain": [0.024, 0.053, 0.103]}
GAINS |= {"low": [0.001, 0.023, 0.074], "high": [0.05, 0.087, 0.133], "after": [0.657, 0.683, 0.73]}
NONE = GAINS | {"gain": [-0.005, -0.01, 0.012], "low": [-0.027, -0.032, -0.01], "high": [0.015, 0.011, 0.034]}


@pytest.fixture(scope="module")
def angry() -> bytes:
    return synthetic.wav("angry", actor=1, seconds=1.5)


@pytest.fixture(scope="module")
def calm() -> list[bytes]:
    return [synthetic.wav("neutral", actor=1, statement=number, seconds=1.5) for number in (1, 2)]


@pytest.fixture
def gaining(monkeypatch):
    """As if the robust model, which estimates offsets, gained by knowing a voice."""
    monkeypatch.setattr(speaker, "known_before", lambda: {"Robust": pd.DataFrame(GAINS)})


def told(app) -> str:
    return texts(app) + " ".join(one.label for one in app.get("audio_input"))


def claims(app) -> str:
    return next(one.value for one in app.caption if one.value.startswith("It gives "))


def claimed(app, name: str) -> float:
    rows = app.dataframe[0].value.set_index("file")
    return rows.loc[name, "claimed"]


def microphone(app, label: str):
    return next(one for one in app.get("audio_input") if one.label.startswith(label))


def with_robust(app):
    app.selectbox(key="model").select("robust").run()
    return well(app)


def chosen_neutral(app):
    return next(one for one in app.multiselect if one.label == "My calm takes")


def test_two_calm_takes_are_recorded_and_every_answer_is_heard_through_them(app, gaining, angry, calm):
    at(app, "predict", model="Robust")
    assert "Calm take 1 of 2" in told(app)
    microphone(app, "Say a sentence").set_value(("recording.wav", angry, "audio/wav")).run()
    plain = claims(app)
    assert "Heard without knowing the voice" in texts(well(app))
    for number, content in enumerate(calm, start=1):
        assert f"Calm take {number} of 2" in told(app)
        microphone(app, "Calm take").set_value(("recording.wav", content, "audio/wav")).run()
        assert "This take is one of those that tell how you usually speak" in texts(well(app))
    assert "Calm take 3" not in told(app)
    assert [name for name in app.radio(key="take").options if "Calm" in name]
    app.radio(key="take").set_value(app.radio(key="take").options[-1]).run()
    assert "Heard as yours: known from 2 calm takes" in texts(well(app))
    assert claims(app) != plain


def test_takes_can_be_chosen_as_calm_ones_and_taken_back(app, gaining, angry, calm):
    upload(app, ("angry.wav", angry), ("calm.wav", calm[0]))
    before = claimed(with_robust(app), "angry.wav")
    with_robust(app)
    chosen_neutral(app).select("calm.wav").run()
    assert "known from 1 calm take." in texts(well(app))
    assert claimed(app, "angry.wav") != before
    chosen_neutral(app).set_value([]).run()
    assert "Heard without knowing the voice" in texts(well(app))
    assert claimed(app, "angry.wav") == before


def test_a_calm_take_that_is_deleted_is_forgotten(app, gaining, angry, calm):
    upload(app, ("calm.wav", calm[0]), ("angry.wav", angry))
    with_robust(app)
    chosen_neutral(app).select("calm.wav").run()
    press(app, "Delete it")
    assert "Heard without knowing the voice" in texts(well(app))
    assert not chosen_neutral(app).value


def test_all_takes_may_be_one_persons(app, gaining, angry, calm):
    upload(app, ("angry.wav", angry), ("calm.wav", calm[0]))
    before = claimed(with_robust(app), "angry.wav")
    next(one for one in app.toggle if one.label.startswith("All takes")).set_value(True).run()
    assert "known from 2 takes" in texts(well(app))
    assert "all takes are heard anew" in texts(app)
    with_two = claimed(app, "angry.wav")
    upload(app, ("more.wav", calm[1]))
    assert "known from 3 takes" in texts(app)
    assert len({before, with_two, claimed(app, "angry.wav")}) == 3


def test_an_example_is_nobodys_own(app, gaining, calm, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    at(app, "predict", model="Robust", source="Example")
    before = claims(app)
    widget(app, "source").set_value("Upload").run()
    upload(app, ("calm.wav", calm[0]))
    with_robust(app)
    chosen_neutral(app).select("calm.wav").run()
    well(app)
    widget(app, "source").set_value("Example").run()
    assert claims(app) == before
    assert "Heard without knowing the voice" in texts(app)


def test_takes_without_a_voice_leave_the_person_out_of_account(app, gaining, angry):
    tone = io.BytesIO()
    soundfile.write(tone, 0.3 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 22_050), 22_050, format="WAV")
    upload(app, ("angry.wav", angry), ("tone.wav", tone.getvalue()))
    with_robust(app)
    chosen_neutral(app).select("tone.wav").run()
    well(app)
    assert "There is no voice in the recordings of the speaker" in " ".join(one.value for one in app.warning)
    chosen_neutral(app).set_value([]).run()
    assert not [one for one in well(app).warning if "no voice in the recordings" in one.value]


def test_what_it_gains_is_said_with_its_interval(app, gaining):
    at(app, "predict", model="Robust")
    expected = "66% after 2 neutral clips of each, 2.4 points more (95%: +0.1 to +5.0) than without."
    assert expected in texts(app)


def test_a_model_that_gains_nothing_is_said_to_and_one_that_does_is_a_click_away(app, gaining):
    at(app, "predict", model="Kernel ridge")
    assert not [one for one in app.get("audio_input") if one.label.startswith("Calm")]
    assert "hears no takes of yours before it answers" in texts(app)
    app.button(key="take-better").click().run()
    assert app.selectbox(key="model").value == "robust"
    assert "Calm take 1 of 2" in told(well(app))


def test_a_measured_gain_of_nothing_is_said_as_it_is(app, gaining, monkeypatch):
    tables = speaker.known_before() | {"Kernel ridge": pd.DataFrame(NONE)}
    monkeypatch.setattr(speaker, "known_before", lambda: tables)
    at(app, "predict", model="Kernel ridge")
    assert "gains little or nothing by knowing your voice: at best 1.2 points more (95%: -1.0 to +3.4)" in texts(app)


def test_where_no_model_gains_nothing_is_offered(app, monkeypatch):
    monkeypatch.setattr(speaker, "known_before", lambda: {"Robust": pd.DataFrame(NONE)})
    at(app, "predict")
    assert len(app.get("audio_input")) == 1
    assert not [one for one in app.button if one.key == "take-better"]
