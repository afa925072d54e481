"""The page that hears emotions, for each verdict: a made-up model says what the test wants, and the page shows it."""

from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from ser_core.audio.conditions import CONDITIONS, in_words
from ser_core.corpus import synthetic
from ser_core.corpus.labels import LABELS
from ser_core.evaluation.verdicts import Limits
from ser_core.prediction import cards, model_store
from ser_core.prediction.predictor import Prediction, Predictor
from ser_core.ui import cached
from tests.app.pages import at, charts, texts, well, widget

LIMITS = Limits(probability=0.1, distance=2.0, right=0.82, heard=0.4, clips=1440, conditions=31)
ANGRY = {"angry": 0.95, "sad": 0.05}
TORN = {"angry": 0.6, "fearful": 0.4}
FLAT = {"sad": 0.3, "calm": 0.25, "neutral": 0.25, "happy": 0.2}


def says(emotions: dict[str, float], distance: float = 1.0, limits: Limits | None = LIMITS, has_voice: bool = True):
    """A prediction with these probabilities of the emotions of men."""
    probabilities = dict.fromkeys(LABELS, 0.0) | {f"{name}_male": given for name, given in emotions.items()}
    return Prediction(probabilities, has_voice=has_voice, limits=limits, distance=distance)


class MadeUp(Predictor):
    """Says what it is told of recordings as they are uploaded, and something else of those that are changed."""

    def __init__(self, entry: model_store.ModelEntry, as_uploaded: list[Prediction], otherwise: Prediction | None):
        super().__init__(listener=None, entry=entry)
        self.answers, self.otherwise, self.known = list(as_uploaded), otherwise, {}

    def predict(self, waveform, *, progress=None, searching=None) -> Prediction:
        key = waveform.samples.tobytes()
        if key not in self.known:
            self.known[key] = self.answers.pop(0) if self.answers else self.otherwise
        return self.known[key]


@pytest.fixture
def entry(settings) -> model_store.ModelEntry:
    """A model that ships, as if it had been tested in every situation."""
    shipped = model_store.find("krr", [settings.artifacts])
    unheard = cards.Unheard("its-own", shipped.scores | {"emotion_accuracy": 0.63, "emotion_claimed": 0.66}, LIMITS)
    situations = {
        "recording": cards.Situation(0.58, 0.6, 1440, "in 30 recording conditions"),
        "corpus": cards.Situation(0.51, 0.55, 300, "emodb: 5 speakers, de"),
    }
    files = shipped.files | {shipped.model_file: uuid4().hex}  # the page keeps what a model said by its digest
    return replace(shipped, files=files, unheard=unheard, situations=situations)


@pytest.fixture
def heard(app, entry, monkeypatch):
    """Open the page with a model that says these, and upload as many recordings."""

    def upload(*as_uploaded: Prediction, otherwise: Prediction | None = None):
        predictor = MadeUp(entry, list(as_uploaded), otherwise)
        monkeypatch.setattr(cached, "trained_models", lambda: {"krr": entry})
        monkeypatch.setattr(cached, "predictor", lambda _: predictor)
        at(app, "predict", source="Upload")
        clips = [synthetic.wav("angry", actor=1, seconds=1 + number / 4) for number in range(len(as_uploaded))]
        files = [(f"{number}.wav", clip, "audio/wav") for number, clip in enumerate(clips)]
        app.get("file_uploader")[0].set_value(files)
        app.run()
        return well(app)

    return upload


def badges(app) -> list[str]:
    return [one.value for one in app.markdown if "-badge[" in one.value]


def order(block):
    """All elements of a page, as they are drawn."""
    for node in block.children.values():
        yield from order(node) if hasattr(node, "children") else [node]


def headline(app) -> str:
    return next(one.value for one in app.markdown if one.value.startswith("##"))


@pytest.mark.parametrize(
    ("prediction", "badge", "title"),
    [
        pytest.param(says(ANGRY), "green-badge[:material/check_circle: heard]", "## Angry", id="heard"),
        pytest.param(says(TORN), "orange-badge[:material/help: not sure]", "### Angry or fearful", id="two"),
        pytest.param(says(FLAT), "orange-badge[:material/help: not sure]", "### Cannot tell; perhaps sad", id="many"),
        pytest.param(
            says(ANGRY, distance=9.0),
            "red-badge[:material/explore_off: unlike all it has heard]",
            "### Cannot tell; as a guess, angry",
            id="unlike",
        ),
        pytest.param(
            says(ANGRY, has_voice=False),
            "gray-badge[:material/voice_over_off: no voice]",
            "### No voice",
            id="no voice",
        ),
        pytest.param(
            says(ANGRY, limits=None),
            "gray-badge[:material/science: not tested on unknown voices]",
            "## Angry",
            id="untested",
        ),
    ],
)
def test_the_verdict_goes_before_the_emotion(app, heard, prediction, badge, title):
    heard(prediction)
    assert badges(app) == [f":{badge}"]
    assert headline(app) == title
    told = [one.value for one in app.markdown]
    first = told.index(title)
    assert told[first - 1 : first + 2] == [f":{badge}", title, prediction.reason]


def test_what_is_heard_is_larger_than_what_is_not(app, heard):
    heard(says(ANGRY))
    assert headline(app).startswith("## ")
    assert "It gives angry 95%, and a male voice" in texts(app)
    assert "82% were right" in texts(app)


def test_without_a_voice_there_are_no_probabilities_and_nothing_to_try(app, heard):
    heard(says(ANGRY, has_voice=False))
    assert "It gives " not in texts(app) and "angry" not in headline(app).lower()
    assert len(charts(app)) == 2  # the sound itself
    assert "Does the answer stand?" not in texts(app)


def test_a_guess_still_shows_its_probabilities(app, heard):
    heard(says(ANGRY, distance=9.0))
    assert any("Angry is the most probable" in chart.alt for chart in charts(app))


def test_situations_stand_above_what_is_asked_for_until_there_is_an_answer(app, heard, entry):
    heard()
    known = entry.scores.get("emotion_accuracy", entry.scores["test_accuracy"])
    situations = {"Known voice": f"{known:.0%}", "New voice": "63%", "Other recording": "58%", "Other language": "51%"}
    assert {one.label: one.value for one in app.metric} == situations
    assert "knows the studio alone" not in texts(app)
    kinds = [node.type for node in order(app.main)]
    assert kinds.index("metric") < kinds.index("file_uploader")
    assert not app.expander

    heard(says(ANGRY))
    assert {one.label: one.value for one in app.metric} == situations
    words = f"known voice {known:.0%}, new voice 63%, other recording 58%, other language 51%"
    assert app.expander[0].label == f"How often it is right: {words}"
    shown = [node.type for node in order(app.main)]
    assert shown.index("file_uploader") < shown.index("audio") < shown.index("metric") < shown.index("plotly_chart")


def test_a_model_that_was_tested_in_the_studio_alone_says_so(app, entry, monkeypatch):
    alone = replace(entry, situations={})
    monkeypatch.setattr(cached, "trained_models", lambda: {"krr": alone})
    at(app, "predict")
    assert [one.label for one in app.metric] == ["Known voice", "New voice"]
    assert "It knows the studio alone" in texts(app)


def trial(app, condition: str) -> str:
    """Hear the recording in a condition, by one click: what is said of it."""
    widget(app, "trial").set_value(condition).run()
    well(app)
    return next(one.value for one in app.markdown if f"** {in_words(condition)}: the answer " in one.value)


def test_an_answer_that_stands_in_a_condition_is_told(app, heard):
    heard(says(ANGRY), otherwise=says({"angry": 0.92, "happy": 0.08}))
    assert trial(app, "telephone") == "**Angry** over a telephone: the answer stands."
    assert len(badges(app)) == 2
    assert len(app.get("audio")) == 2
    assert "300 to 3,400 Hz" in texts(app)


def test_an_answer_that_does_not_stand_is_told(app, heard):
    heard(says(ANGRY), otherwise=says(TORN))
    said = trial(app, "room")
    assert said == "**Angry or fearful** in a room: the answer was angry, as uploaded. It does not stand."
    assert badges(app)[1] == ":orange-badge[:material/help: not sure]"
    assert headline(app) == "## Angry"  # what was uploaded still says what it said


def test_a_condition_in_which_no_voice_is_left_is_told(app, heard):
    heard(says(ANGRY), otherwise=says(ANGRY, has_voice=False))
    assert trial(app, "white-20").startswith("**No voice** ")
    assert ":gray-badge[:material/voice_over_off: no voice]" in badges(app)


def test_the_recording_is_heard_in_the_condition_that_was_clicked(app, heard, monkeypatch):
    tried = []
    predict = MadeUp.predict
    monkeypatch.setattr(MadeUp, "predict", lambda self, sound, **_: tried.append(sound) or predict(self, sound))
    heard(says(ANGRY), otherwise=says(ANGRY))
    trial(app, "peak")
    uploaded, changed = tried
    expected = CONDITIONS["peak"].apply(uploaded.samples, uploaded.rate)
    np.testing.assert_array_equal(changed.samples, expected)


def test_several_recordings_are_a_table_of_answers_and_verdicts(app, heard):
    given = [says(ANGRY), says(TORN), says(FLAT), says(ANGRY, distance=9.0), says(ANGRY, has_voice=False)]
    heard(*given)
    rows = app.dataframe[0].value
    assert list(rows.columns) == ["file", "answer", "verdict", "voice", "claimed", "warnings"]
    assert rows["answer"].tolist() == ["angry", "angry or fearful", "cannot tell", "a guess: angry", "no voice"]
    assert rows["verdict"].tolist() == ["heard", "not sure", "not sure", "unlike all it has heard", "no voice"]
    assert rows["voice"].tolist()[:4] == ["male"] * 4 and rows["voice"].isna().tolist() == [False] * 4 + [True]
    assert rows["claimed"].tolist()[:4] == pytest.approx([95, 60, 30, 95])
    assert rows["claimed"].isna().tolist() == [False] * 4 + [True]
    options = app.radio(key="take").options
    icons = [":red-badge[:material/explore_off: a guess: angry]", ":gray-badge[:material/voice_over_off: no voice]"]
    assert options[3:] == [f"{icons[0]} 3\\.wav", f"{icons[1]} 4\\.wav"]
    assert len(options) == 5
    assert headline(app) == "## Angry"  # the first of those that came together
    app.radio(key="take").set_value(options[3]).run()
    well(app)
    assert headline(app) == "### Cannot tell; as a guess, angry"


def test_downloads_hold_the_verdict(app, heard):
    heard(says(TORN))
    assert [one.proto.label for one in app.get("download_button")] == ["Report", "CSV", "JSON"]
    answer = says(TORN).as_dict()
    assert (answer["verdict"], answer["possible"]) == ("unsure", ["angry", "fearful"])
