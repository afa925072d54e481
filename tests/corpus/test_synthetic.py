"""The formant voice: what was asked for is what sounds."""

import itertools

import librosa
import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.errors import CorpusError
from ser_core.features import mean180


def level_dbfs(samples):
    return 10 * np.log10(np.square(samples, dtype=np.float64).mean())


def median_pitch(samples, rate):
    """Median of YIN's pitch over the frames that are loud enough to be voiced."""
    pitch = librosa.yin(samples, fmin=60, fmax=800, sr=rate)
    loudness = librosa.feature.rms(y=samples)[0]
    return np.median(pitch[loudness > 0.3 * loudness.max()])


@pytest.mark.parametrize("actor", [1, 2, 7, 24])
@pytest.mark.parametrize("emotion", EMOTION_NAMES)
def test_pitch_and_level_are_what_was_asked(emotion, actor):
    samples = synthetic.speak(emotion, actor=actor)
    asked = synthetic.voice(emotion, actor=actor)
    assert samples.dtype == np.float32 and samples.shape == (66_150,)
    assert level_dbfs(samples) == pytest.approx(asked.level_dbfs, abs=0.01)
    assert median_pitch(samples, synthetic.RATE) == pytest.approx(asked.f0_hz, rel=0.08)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_pitch_level_and_length_hold_at_other_rates(rate):
    samples = synthetic.speak("happy", actor=3, rate=rate, seconds=2.0)
    asked = synthetic.voice("happy", actor=3)
    assert len(samples) == 2 * rate
    assert level_dbfs(samples) == pytest.approx(asked.level_dbfs, abs=0.01)
    at_default_rate = librosa.resample(samples, orig_sr=rate, target_sr=synthetic.RATE)
    assert median_pitch(at_default_rate, synthetic.RATE) == pytest.approx(asked.f0_hz, rel=0.08)


def test_nothing_is_clipped():
    options = itertools.product(EMOTION_NAMES, (1, 2, 13, 18), (1, 2), (1, 2), (False, True))
    for emotion, actor, statement, intensity, song in options:
        samples = synthetic.speak(
            emotion, actor=actor, statement=statement, intensity=intensity, song=song, seconds=0.5
        )
        assert np.abs(samples).max() < 1, (emotion, actor, statement, intensity, song)


def test_a_clip_begins_and_ends_with_silence():
    samples = synthetic.speak("calm", actor=5)
    assert not samples[:1000].any() and not samples[-1000:].any()


@pytest.mark.parametrize(
    "change",
    [{"actor": 3}, {"statement": 2}, {"repetition": 2}, {"intensity": 2}, {"song": True}, {"seed": 1}],
    ids=str,
)
def test_every_argument_changes_the_clip_and_equal_ones_do_not(change):
    plain = {"actor": 1, "seconds": 0.5}
    first = synthetic.speak("angry", **plain)
    assert np.array_equal(first, synthetic.speak("angry", **plain))
    assert not np.array_equal(first, synthetic.speak("angry", **(plain | change)))


def test_strong_is_louder_and_higher():
    normal, strong = (synthetic.voice("angry", actor=1, intensity=intensity) for intensity in (1, 2))
    assert strong.level_dbfs > normal.level_dbfs + 1.5
    assert strong.f0_hz > normal.f0_hz


def test_women_speak_higher_than_men():
    pitch = {actor: synthetic.voice("neutral", actor=actor).f0_hz for actor in synthetic.ACTORS}
    men, women = ([hz for actor, hz in pitch.items() if actor % 2 == odd] for odd in (1, 0))
    assert max(men) < 140 < 160 < min(women)
    assert synthetic.gender_of_actor(1) == "male" and synthetic.gender_of_actor(2) == "female"


def test_a_small_model_tells_the_emotions_of_actors_it_never_heard():
    def table(actors):
        takes = list(itertools.product(actors, EMOTION_NAMES, (1, 2), (1, 2)))
        clips = [synthetic.speak(e, actor=a, statement=s, repetition=r, seconds=1.0) for a, e, s, r in takes]
        return np.array([mean180.extract(clip) for clip in clips]), [emotion for _, emotion, _, _ in takes]

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(*table((1, 2, 3, 4)))
    assert model.score(*table((11, 12))) > 0.8


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"emotion": "bored"}, "'bored'"),
        ({"actor": 25}, "25"),
        ({"actor": 0}, "0"),
        ({"statement": 3}, "statement 3"),
        ({"repetition": 0}, "repetition 0"),
        ({"intensity": 3}, "intensity 3"),
        ({"seconds": 0.0}, "0.0 s"),
        ({"rate": 100}, "100 Hz"),
    ],
    ids=str,
)
def test_a_value_that_ravdess_does_not_know_is_an_error_that_names_it(wrong, named):
    with pytest.raises(CorpusError, match=named):
        synthetic.speak(**({"emotion": "angry", "actor": 1} | wrong))


def test_corpus_has_ravdess_names_sorted(tmp_path):
    paths = synthetic.write_corpus(tmp_path / "new", seconds=0.3)
    assert len(paths) == 2 * (7 * 8 + 4)  # neutral has no strong intensity
    assert paths == sorted(paths) and len(set(paths)) == len(paths)
    assert paths[0] == tmp_path / "new" / "Actor_01" / "03-01-01-01-01-01-01.wav"
    assert all(path.exists() and path.parent.name == f"Actor_{path.stem[-2:]}" for path in paths)
    assert not [path for path in paths if path.stem[6:11] == "01-02"]


def test_corpus_with_song_leaves_out_what_nobody_sings(tmp_path):
    paths = synthetic.write_corpus(
        tmp_path, actors=[4], statements=[1], repetitions=[1], intensities=[1], channels=["speech", "song"], seconds=0.3
    )
    song = [path.stem[6:8] for path in paths if path.stem[3:5] == "02"]
    assert song == ["01", "02", "03", "04", "05", "06"] and len(paths) == 8 + 6


def test_corpus_takes_generators(tmp_path):
    paths = synthetic.write_corpus(
        tmp_path, actors=(actor for actor in (1, 2)), emotions=iter(["sad", "happy"]), seconds=0.3
    )
    assert len(paths) == 2 * 2 * 8


@pytest.mark.parametrize("suffix", synthetic.SUFFIXES)
def test_corpus_in_every_format(tmp_path, suffix):
    options = {"actors": [2], "emotions": ["angry"], "statements": [1], "repetitions": [1], "intensities": [1]}
    (path,) = synthetic.write_corpus(tmp_path, **options, suffix=suffix, rate=16_000, seconds=0.5)
    samples, rate = soundfile.read(path)
    assert path.suffix == suffix and rate == 16_000 and len(samples) == pytest.approx(8_000, abs=1_200)
    assert level_dbfs(samples) == pytest.approx(synthetic.voice("angry", actor=2).level_dbfs, abs=1)


@pytest.mark.parametrize(
    "wrong, named",
    [({"suffix": ".aiff"}, "'.aiff'"), ({"channels": ["whisper"]}, "'whisper'"), ({"emotions": ["bored"]}, "'bored'")],
    ids=str,
)
def test_corpus_refuses_what_it_cannot_write(tmp_path, wrong, named):
    with pytest.raises(CorpusError, match=named):
        synthetic.write_corpus(tmp_path, **wrong)
    assert not list(tmp_path.iterdir())
