import numpy as np
import pytest

from ser_core import audio, load_predictor
from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTION_NAMES, LABELS
from ser_core.errors import AudioError
from ser_core.figures import prediction as figures
from ser_core.prediction.predictor import Prediction, Predictor


@pytest.fixture
def predictor(trained) -> Predictor:
    return Predictor.load(trained)


def heard(samples, rate=22_050) -> audio.Waveform:
    return audio.Waveform(np.asarray(samples, dtype=np.float32), rate, rate, 1, "wav")


@pytest.mark.parametrize(("emotion", "actor", "label"), [("angry", 6, "angry_female"), ("sad", 5, "sad_male")])
def test_a_voice_that_was_not_in_training_is_recognised(predictor, emotion, actor, label):
    prediction = predictor.predict_file(synthetic.wav(emotion, actor=actor, seconds=1.2))
    assert prediction.label == label
    assert (prediction.emotion, prediction.gender) == tuple(label.split("_"))
    assert prediction.probability == max(prediction.probabilities.values())


def test_probabilities_add_up(predictor):
    prediction = predictor.predict_file(synthetic.wav("angry", actor=6, seconds=1.2))
    assert tuple(prediction.probabilities) == LABELS
    for given in (prediction.probabilities, prediction.emotions, prediction.genders):
        assert sum(given.values()) == pytest.approx(1)
    assert prediction.emotions["angry"] == pytest.approx(
        prediction.probabilities["angry_female"] + prediction.probabilities["angry_male"]
    )


def test_the_members_of_a_vote_are_heard_one_by_one(predictor):
    prediction = predictor.predict_file(synthetic.wav("angry", actor=6, seconds=1.2))
    assert list(prediction.members) == ["kn", "xgb", "mlp"]
    mean = np.mean([[said[name] for name in EMOTION_NAMES] for said in prediction.members.values()], axis=0)
    np.testing.assert_allclose(mean, list(prediction.emotions.values()), atol=1e-9)


def test_the_same_clip_as_a_file_and_as_bytes_gives_the_same_answer(predictor, voices):
    file = next(voices.glob("Actor_01/*.wav"))
    assert predictor.predict_file(file) == predictor.predict_file(file.read_bytes())


def test_a_long_clip_gets_a_timeline_that_covers_it(predictor):
    angry, sad = (synthetic.speak(emotion, actor=6, seconds=4) for emotion in ("angry", "sad"))
    timeline = predictor.predict(heard(np.concatenate([angry, sad]))).timeline
    assert timeline["start_s"].iloc[0] == 0
    assert timeline["end_s"].iloc[-1] == pytest.approx(8)
    assert (timeline["end_s"] - timeline["start_s"]).to_numpy() == pytest.approx(1.2)
    assert timeline["start_s"].diff().max() <= 1.0
    np.testing.assert_allclose(timeline[list(EMOTION_NAMES)].sum(axis=1), 1)
    assert timeline["angry"].iloc[1] > timeline["sad"].iloc[1]
    assert timeline["sad"].iloc[-3] > timeline["angry"].iloc[-3]


def test_windows_in_which_nothing_is_heard_are_left_blank(predictor):
    samples = np.concatenate([synthetic.speak("angry", actor=6, seconds=3), np.zeros(22_050 * 5, np.float32)])
    timeline = predictor.predict(heard(samples)).timeline
    assert timeline["angry"].iloc[0] > 0
    assert timeline[list(EMOTION_NAMES)].iloc[-1].isna().all()
    _, sentence = figures.timeline(timeline)
    assert "nothing is heard" in sentence


def test_sound_at_another_rate_is_refused(predictor, spoken):
    with pytest.raises(ValueError, match="48000 Hz"):
        predictor.predict(heard(spoken, rate=48_000))


def test_ten_minutes_get_a_bounded_timeline(predictor):
    noise = np.random.default_rng(0).normal(scale=0.1, size=600 * 22_050)
    assert len(predictor.predict(heard(noise)).timeline) == 120


def test_a_clip_as_long_as_the_training_clips_gets_none(predictor):
    assert predictor.predict(heard(synthetic.speak("sad", actor=3, seconds=1.2))).timeline is None


def test_what_cannot_be_heard_is_an_error(predictor):
    with pytest.raises(AudioError, match="silent"):
        predictor.predict_file(synthetic_silence())


def synthetic_silence() -> bytes:
    import io

    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.zeros(22_050), 22_050, format="WAV")
    return file.getvalue()


def test_the_answer_for_a_program_has_all_that_the_command_line_promises(predictor):
    answer = predictor.predict_file(synthetic.wav("angry", actor=6, seconds=1.2)).as_dict()
    assert list(answer) == [
        "verdict", "reason", "label", "emotion", "gender", "probability", "emotion_probability", "probabilities",
        "warnings",
    ]  # fmt: skip
    assert (answer["verdict"], answer["reason"]) == ("voice", "")


def test_of_what_is_no_voice_no_emotion_is_named(predictor):
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * 22_050) / 22_050)
    prediction = predictor.predict(heard(tone))
    answer = prediction.as_dict()
    assert (answer["verdict"], answer["reason"]) == ("no_voice", prediction.reason)
    assert "no emotion is named" in prediction.reason
    assert [answer[name] for name in ("label", "emotion", "gender", "probability", "emotion_probability")] == [None] * 5
    assert not [sentence for sentence in prediction.warnings if sentence.startswith("Not settled")]


def test_a_prediction_is_read_from_its_probabilities_alone():
    given = dict.fromkeys(LABELS, 0.0) | {"calm_male": 0.6, "calm_female": 0.3, "sad_male": 0.1}
    prediction = Prediction(given)
    assert (prediction.label, prediction.probability) == ("calm_male", 0.6)
    assert prediction.emotions["calm"] == pytest.approx(0.9)
    assert prediction.genders["male"] == pytest.approx(0.7)


def test_an_answer_that_is_not_settled_says_so(predictor, monkeypatch, spoken):
    given = dict.fromkeys(LABELS, 0.0) | {"calm_male": 0.4, "sad_male": 0.3, "sad_female": 0.3}
    monkeypatch.setattr(type(predictor.listener.model), "members_proba", lambda *_: {})
    monkeypatch.setattr(type(predictor.listener.model), "predict_proba", lambda *_: np.array([list(given.values())]))
    prediction = predictor.predict(heard(spoken[:26_460]))
    assert prediction.label == "calm_male"
    assert (prediction.emotion, prediction.gender) == ("sad", "male")
    assert prediction.as_dict()["emotion"] == "sad"
    assert prediction.as_dict()["emotion_probability"] == pytest.approx(0.6)
    assert prediction.warnings[0].startswith("Not settled: Calm, male is the most probable of the 16 classes, but")


@pytest.mark.parametrize("key", ["best", "v4"])
def test_the_shipped_models_predict(key, spoken):
    prediction = load_predictor(key).predict(heard(spoken))
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert len(prediction.members) > 1
