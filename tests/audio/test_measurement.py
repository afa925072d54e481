"""Clipping, offsets and cancelling channels, on a file's own samples."""

import numpy as np
import pytest

from ser_core.audio.measurement import Measurement, is_clipped
from ser_core.corpus import synthetic

RATES = [8_000, 16_000, 22_050, 44_100, 48_000]
STEPS = {"8 bits": 128, "16 bits": 32_768, "float": None, "recorded at -60 dB and turned up": 30}


def tone(frequency, rate, gain=1.0):
    return gain * np.sin(2 * np.pi * frequency * np.arange(rate) / rate + 0.3)


def stored(samples, steps):
    return samples.astype(np.float32) if steps is None else np.round(samples * (steps - 1)) / steps


def measured(*channels, block=1_000):
    samples = np.stack(channels).astype(np.float32)
    found = Measurement()
    for start in range(0, samples.shape[1], block):
        piece = samples[:, start : start + block]
        found.add(piece, piece.mean(axis=0))
    return found


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [20, 50, 100, 123.4, 250, 440, 1_000, 3_000])
def test_a_tone_is_not_clipped_and_one_that_is_cut_off_is(frequency, rate, steps):
    for gain in (0.01, 0.05, 0.3, 0.7, 1.0):
        assert not is_clipped(stored(tone(frequency, rate, gain), steps), is_8bit=steps is not None and steps < 256)
    if frequency < rate / 16:  # of fewer samples a period, three are no flat peak
        assert is_clipped(stored(np.clip(tone(frequency, rate, 3.0), -1, 1), steps))


@pytest.mark.parametrize("level", [1.0, 0.2, 0.05, 0.01])
@pytest.mark.parametrize("rate", RATES)
def test_a_voice_that_is_cut_off_is_clipped_even_if_turned_down_later(rate, level):
    voice = synthetic.speak("angry", actor=2, rate=rate)
    voice /= np.abs(voice).max()
    assert not is_clipped(stored(level * voice, 32_768))
    assert is_clipped(stored(level * np.clip(2 * voice, -1, 1), 32_768))


def test_one_side_of_one_channel_suffices(spoken):
    voice = spoken / np.abs(spoken).max()
    assert measured(voice, np.minimum(2 * voice, 1)).is_clipped(is_8bit=False)
    assert not measured(voice, voice).is_clipped(is_8bit=False)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 160, 65_536])
def test_blocks_do_not_matter(spoken, block):
    voice = spoken[20_000:24_000] / np.abs(spoken[20_000:24_000]).max()
    assert measured(np.clip(3 * voice, -1, 1), block=block).is_clipped(is_8bit=False)
    assert not measured(voice, block=block).is_clipped(is_8bit=False)


@pytest.mark.parametrize("samples", [np.zeros(5_000), np.full(5_000, 0.5)], ids=["zeros", "constant"])
def test_what_does_not_move_is_not_clipped(samples):
    assert not measured(samples).is_clipped(is_8bit=False)
    assert measured(samples).amplitude == 0


def test_noise_is_not_clipped():
    assert not is_clipped(stored(np.clip(np.random.default_rng(0).normal(0, 0.2, 50_000), -1, 1), 32_768))


def test_an_offset_does_not_count_as_amplitude(spoken):
    assert measured(spoken + 0.4).amplitude == pytest.approx(measured(spoken).amplitude, abs=1e-6)


@pytest.mark.parametrize(
    ("factor", "is_cancelled"), [(-1, True), (-0.97, True), (-0.85, True), (-0.5, False), (1, False)]
)
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_channels_that_nearly_cancel(spoken, factor, is_cancelled, offset):
    assert measured(spoken + offset, factor * spoken + offset).is_cancelled == is_cancelled


def test_a_voice_in_one_of_many_channels_is_not_cancelled(spoken):
    assert not measured(spoken, *[np.zeros_like(spoken)] * 15).is_cancelled
