"""Voices are found in every condition, and in nothing else."""

import numpy as np
import pytest

from ser_core import audio, corpus
from ser_core.audio import conditions, nonspeech
from ser_core.audio.voice_activity import has_voice
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
