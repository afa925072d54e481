"""Voices are found in every condition, and in nothing else."""

import numpy as np
import pytest

from ser_core import audio, corpus
from ser_core.audio import conditions, nonspeech
from ser_core.audio.voice_activity import has_voice, voiced
from ser_core.corpus import synthetic

RATE = 22_050
TIME = np.arange(4 * RATE) / RATE
MELODY = np.array([220, 247, 262, 294, 330, 294, 262, 247])[(TIME // 0.5).astype(int) % 8]


def wave(hz) -> np.ndarray:
    return np.sin(2 * np.pi * np.cumsum(np.broadcast_to(hz, TIME.shape)) / RATE)


# Beside `nonspeech.KINDS`; what comes nearest to a voice.
MORE_SOUNDS = {
    "sweep": 0.3 * wave(200 + 800 * TIME),
    "bird": 0.3 * wave(3_000 + 800 * wave(9)) * (TIME % 0.6 < 0.2),
    "melody": 0.1 * sum(wave(MELODY * k) / k for k in range(1, 12)),
}


@pytest.mark.parametrize("gain_db", [-40, 0])
@pytest.mark.parametrize("kind", [*nonspeech.KINDS, *MORE_SOUNDS])
def test_nothing_else_is_taken_for_a_voice(kind, gain_db):
    seeds = range(3) if kind in nonspeech.KINDS else [0]
    for seed in seeds:
        samples = nonspeech.make(kind, RATE, seed) if kind in nonspeech.KINDS else MORE_SOUNDS[kind]
        assert not has_voice(samples * 10 ** (gain_db / 20), RATE)


@pytest.mark.parametrize("emotion", ["angry", "sad", "neutral", "surprised"])
def test_a_synthetic_voice_is_a_voice(emotion):
    assert has_voice(synthetic.speak(emotion, actor=2), RATE)


@pytest.mark.parametrize("key", conditions.CONDITIONS)
def test_people_are_heard_in_every_condition(ravdess, key):
    found = corpus.index(ravdess)
    speech = found.clips["path"][found.clips["channel"] == "speech"]
    voices = [audio.load(found.folder / path).samples for path in speech.iloc[5::240]]
    for place, samples in enumerate(voices):
        others = voices[:place] + voices[place + 1 :]
        assert has_voice(conditions.get(key).apply(samples, RATE, voices=others), RATE)


def test_singing_is_a_voice(ravdess):
    found = corpus.index(ravdess)
    for path in found.clips["path"][found.clips["channel"] == "song"].iloc[5::200]:
        assert has_voice(audio.load(found.folder / path).samples, RATE)


def test_a_word_in_a_minute_of_noise_is_found(spoken):
    minute = 0.001 * np.random.default_rng(1).normal(size=60 * RATE)
    assert not has_voice(minute, RATE)
    minute[40 * RATE : 40 * RATE + len(spoken)] += spoken
    assert has_voice(minute, RATE)


@pytest.mark.parametrize("number", [1, 100, 5_000])
def test_any_length_has_an_answer(number):
    assert not has_voice(np.full(number, 0.1, np.float32), RATE)


def test_windows_of_speech_are_told_from_windows_of_a_tone(spoken):
    tone = 0.2 * nonspeech.make("a tone", RATE)
    sound = np.concatenate([tone, spoken, tone])
    begins, ends = len(tone) / RATE, (len(tone) + len(spoken)) / RATE
    starts = np.array([0.0, 1.0, begins + 0.2, begins + 1.2, ends + 0.5, ends + 1.5])
    assert voiced(sound, RATE, starts, starts + 1.4).tolist() == [False, False, True, True, False, False]


@pytest.mark.parametrize("gain_db", [-40, 0, 20])
def test_windows_of_speech_are_found_at_any_level(spoken, gain_db):
    sound = np.concatenate([np.zeros(2 * RATE, np.float32), spoken]) * 10 ** (gain_db / 20)
    found = voiced(sound, RATE, np.array([0.0, 2.5]), np.array([1.8, 4.5]))
    assert found.tolist() == [False, True]


def test_a_window_that_holds_hardly_any_of_the_voice_is_none(spoken):
    sound = np.concatenate([spoken, np.zeros(2 * RATE, np.float32)])
    end = len(spoken) / RATE
    starts = np.array([0.0, 0.0, end])
    ends = np.array([end, 0.05, end + 9.0])  # all of it, less than a voice needs, and beyond the end of the sound
    assert voiced(sound, RATE, starts, ends).tolist() == [True, False, False]


def test_windows_of_silence_hold_no_voice():
    starts = np.arange(3.0)
    assert not voiced(np.zeros(4 * RATE, np.float32), RATE, starts, starts + 1).any()
