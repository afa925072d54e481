import numpy as np
import pytest

from ser_core.audio import Waveform
from ser_core.audio.quality import warnings
from ser_core.corpus import synthetic

TRAINED_ON = {"shortest_s": 2.94, "longest_s": 6.37}


def said(samples, *more: str) -> str:
    wave = Waveform(np.asarray(samples, dtype=np.float32), 22_050, 22_050, 1, "wav", warnings=more)
    return " ".join(warnings(wave, **TRAINED_ON))


def test_a_voice_like_the_training_clips_needs_no_warning(spoken):
    assert said(spoken) == ""


@pytest.mark.parametrize("length", [1, 10, 1000, 20_000])
def test_a_very_short_clip(spoken, length):
    assert "Very short" in said(spoken[10_000 : 10_000 + length])


def test_a_clip_longer_than_any_training_clip():
    assert "Longer (7.0 s)" in said(synthetic.speak("calm", actor=1, seconds=7.0))


def test_a_nearly_silent_clip(spoken):
    assert "Nearly silent" in said(spoken * 0.003)


def test_a_clipped_voice(spoken):
    assert "Clipped" in said(np.clip(spoken * 20, -1, 1))


def test_a_loud_voice_is_not_a_clipped_one(spoken):
    assert "Clipped" not in said(spoken / np.abs(spoken).max())


def test_a_noisy_voice(spoken):
    noise = np.random.default_rng(0).normal(scale=0.01, size=len(spoken))
    assert "Noisy" in said(spoken + noise)


def test_a_click_is_hardly_a_voice():
    samples = np.zeros(66_150)
    samples[30_000:31_000] = np.random.default_rng(0).normal(scale=0.3, size=1000)
    assert "Hardly any voice" in said(samples)


def test_what_the_decoder_had_to_say_comes_too(spoken):
    assert said(spoken, "Resampled from 8,000 Hz.") == "Resampled from 8,000 Hz."
