import numpy as np
import pytest

from ser_core import audio
from ser_core.audio import Waveform, conditions
from ser_core.audio.quality import warnings
from ser_core.corpus import synthetic

TRAINED_ON = {"shortest_s": 2.94, "longest_s": 6.37}


def told(samples, **more) -> str:
    wave = Waveform(np.asarray(samples, dtype=np.float32), 22_050, 22_050, 1, "wav", **more)
    return " ".join(warnings(wave, **TRAINED_ON))


def said(samples, *more: str) -> str:
    return told(samples, warnings=more)


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


# ---- Level and offset are no faults


@pytest.mark.parametrize("factor", [0.05, 0.1, 1.0, 3.0])
def test_a_quiet_and_a_loud_voice_need_no_warning(spoken, factor):
    assert said(spoken * factor) == ""


@pytest.mark.parametrize("offset", [0.02, 0.3, -0.5])
def test_an_offset_changes_no_warning(spoken, offset):
    noise = np.random.default_rng(0).normal(scale=0.01, size=len(spoken))
    for samples in (spoken, spoken * 0.003, spoken + noise):
        assert said(samples + offset) == said(samples)


# ---- Noise is judged in pauses alone


def without_pauses(spoken):
    loud = np.abs(spoken) > 0.01
    return spoken[loud.argmax() : len(loud) - loud[::-1].argmax()]


def test_a_clean_voice_without_pauses_is_not_called_noisy(spoken):
    assert "Noisy" not in said(without_pauses(spoken))


@pytest.mark.parametrize("frequency", [100, 440, 3_000])
def test_a_steady_tone_is_not_called_noisy_or_clipped(frequency):
    tone = 0.9 * np.sin(2 * np.pi * frequency * np.arange(3 * 22_050) / 22_050)
    assert said(tone) == ""


@pytest.mark.parametrize("below_db", [10, 20])
@pytest.mark.parametrize("kind", ["white", "pink"])
def test_noise_in_pauses_is_told(spoken, kind, below_db):
    with_pauses = np.pad(spoken, 8_000)
    assert "Noisy" not in said(with_pauses)
    assert "Noisy" in said(conditions.get(f"{kind}-{below_db}").apply(with_pauses, 22_050, seed=1))


# ---- The file's own samples


def test_clipping_that_the_file_shows_is_told_though_its_peaks_ring_after_resampling(spoken):
    assert "Clipped" in told(spoken, is_clipped=True)
    assert "Clipped" not in told(spoken, is_clipped=False)


@pytest.mark.parametrize("level", [1.0, 0.1])
def test_a_clipped_condition_is_told_at_any_level(spoken, level):
    assert "Clipped" in said(level * conditions.get("clipped").apply(spoken, 22_050, seed=1))


@pytest.mark.parametrize("condition", ["peak", "quieter", "offset", "16khz", "mp3", "aac", "opus", "room"])
def test_a_clean_condition_is_told_nothing(spoken, condition):
    assert said(conditions.get(condition).apply(spoken, 22_050, seed=1)) == ""


def test_8_bits_are_told(spoken):
    assert "8 bits" in told(spoken, is_8bit=True)


# ---- Recordings as people bring them


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("normal_level.wav", ()),
        ("normalised_loud.wav", ()),
        ("clipped_x20_48k.wav", ("Clipped",)),
        ("trimmed_clean.wav", ("Very short",)),
        ("out_of_phase_097.wav", ("The channels nearly cancel",)),
        ("03-01-05-01-01-01-01.wav", ()),
        ("IMG_0001.MOV", ()),
        ("PTT-20240101-WA0001.opus", ()),
        ("chrome.weba", ()),
        ("mp3_id3_then_zeros.mp3", ()),
        ("g726.wav", ("Resampled from 8,000 Hz",)),
        ("speex.ogg", ("Resampled from 16,000 Hz",)),
    ],
)
def test_what_is_said_of_a_field_recording(field, file, expected):
    said = warnings(audio.load(field / file), **TRAINED_ON)
    assert len(said) == len(expected)
    for sentence, beginning in zip(said, expected, strict=True):
        assert sentence.startswith(beginning)
