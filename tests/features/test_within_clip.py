"""What does not move with level and channel, and what does with the voice."""

import numpy as np
import pytest
import scipy.signal

from ser_core.audio import conditions
from ser_core.corpus import synthetic
from ser_core.features import within_clip

RATE = 22_050


@pytest.fixture(scope="module")
def plain(spoken):
    return within_clip.extract(spoken)


def moved(changed: np.ndarray, plain: np.ndarray) -> float:
    """How far the features move, as a share of how far they are from another emotion's."""
    other = within_clip.extract(synthetic.speak("sad", actor=2))
    scale = np.maximum(np.abs(plain - other), 1e-3)
    return float(np.median(np.abs(within_clip.extract(changed) - plain) / scale))


def test_each_number_has_a_name(plain):
    assert len(within_clip.NAMES) == len(set(within_clip.NAMES)) == len(plain)
    assert np.isfinite(plain).all()


@pytest.mark.parametrize("key", ["quieter", "louder", "peak", "gain+2"])
def test_no_gain_moves_them(spoken, plain, key):
    np.testing.assert_allclose(
        within_clip.extract(conditions.get(key).apply(spoken, RATE)), plain, rtol=2e-3, atol=2e-2
    )


@pytest.mark.parametrize("gain", [0.25, 2.0, 16.0])
def test_a_gain_by_a_power_of_two_moves_them_by_nothing(spoken, plain, gain):
    """Such a gain is exact in floating point, and so are the features."""
    np.testing.assert_allclose(within_clip.extract(spoken * np.float32(gain)), plain, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_a_mild_equaliser_moves_them_little(spoken, plain, seed):
    """Of 2 dB up or down in each octave, as rooms and microphones differ."""
    hz = np.array([0, *62.5 * 2.0 ** np.arange(8), RATE / 2])
    db = np.random.default_rng(seed).uniform(-2, 2, len(hz))
    taps = scipy.signal.firwin2(511, hz, 10 ** (db / 20), fs=RATE)
    assert moved(scipy.signal.fftconvolve(spoken, taps, "same").astype(np.float32), plain) < 0.1


def test_an_offset_moves_them_hardly(spoken, plain):
    assert moved(spoken + np.float32(0.2 * np.abs(spoken).max()), plain) < 0.05


@pytest.mark.parametrize(("key", "most"), [("16khz", 0.05), ("8khz", 0.1), ("dull", 0.3), ("sharp", 0.3)])
def test_a_band_or_a_tilt_moves_them_less_than_another_emotion(spoken, plain, key, most):
    assert moved(conditions.get(key).apply(spoken, RATE), plain) < most


@pytest.mark.parametrize("number", [1, 100, 2_205])
@pytest.mark.parametrize("kind", ["silence", "constant", "noise"])
def test_they_are_finite_for_any_sound(number, kind):
    samples = {
        "silence": np.zeros(number),
        "constant": np.full(number, 0.5),
        "noise": np.random.default_rng(0).normal(size=number),
    }[kind]
    found = within_clip.extract(samples.astype(np.float32))
    assert found.shape == (len(within_clip.NAMES),)
    assert np.isfinite(found).all()


def test_frames_hold_the_voice_without_the_channel(spoken):
    """Bands count from their own mean over active frames, energy from that of the loudest one."""
    plain = within_clip.frames(spoken)
    assert plain.shape == (within_clip.FRAMES, within_clip.N_BANDS + 1)
    assert plain[:, -1].max() == pytest.approx(within_clip.ENERGY_DB, abs=3)  # two frames are one
    louder = within_clip.frames(conditions.get("louder").apply(spoken, RATE))
    np.testing.assert_allclose(louder, plain, atol=0.05)
    other = within_clip.frames(synthetic.speak("sad", actor=2))
    telephone = within_clip.frames(conditions.get("telephone").apply(spoken, RATE))
    assert np.abs(telephone - plain).mean() < 0.5 * np.abs(other - plain).mean()


def test_frames_are_as_many_whatever_the_length(spoken):
    short, long = within_clip.frames(spoken[: RATE // 5]), within_clip.frames(np.tile(spoken, 6))
    assert short.shape == long.shape
    assert (short[0] == within_clip.PADDING_DB).all() and (short[-1] == within_clip.PADDING_DB).all()
    assert np.isfinite(long).all() and not (long == within_clip.PADDING_DB).all(axis=1).any()
    assert np.isfinite(within_clip.frames(np.zeros(RATE, np.float32))).all()
