import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.features import prosody

RATE = prosody.SAMPLE_RATE


def tone(hz: float, amplitude: float = 1.0, seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("hz", [90.0, 200.0, 440.0, 900.0])
def test_the_pitch_of_a_tone_is_its_frequency(hz):
    found, seconds = prosody.pitch(tone(hz, 0.5), RATE)
    assert np.nanmedian(found) == pytest.approx(hz, rel=0.01)
    assert np.isfinite(found).mean() > 0.9
    assert np.diff(seconds) == pytest.approx(prosody.PITCH_STEP_S)


@pytest.mark.parametrize("emotion", ["neutral", "calm", "happy", "angry", "fearful"])
@pytest.mark.parametrize("actor", [1, 2])
def test_the_pitch_of_a_voice_is_what_it_was_asked_to_be(emotion, actor):
    asked = synthetic.voice(emotion, actor=actor).f0_hz
    found, _ = prosody.pitch(synthetic.speak(emotion, actor=actor), RATE)
    assert np.nanmedian(found) == pytest.approx(asked, rel=0.02)


def test_there_is_no_pitch_in_noise_and_silence_and_before_and_after_a_voice(spoken):
    noise = 0.1 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    assert np.isfinite(prosody.pitch(noise, RATE)[0]).mean() < 0.1
    assert not np.isfinite(prosody.pitch(np.zeros(RATE, dtype=np.float32), RATE)[0]).any()
    hz, seconds = prosody.pitch(spoken, RATE)
    assert not np.isfinite(hz[seconds < 0.2]).any()


def test_the_level_of_a_sine_at_full_scale_is_3_db_below_that_of_a_square_wave():
    decibels, seconds = prosody.level(tone(1000), RATE)
    assert decibels[5:-5] == pytest.approx(-3.01, abs=0.05)
    square, _ = prosody.level(np.sign(tone(1000) + 1e-9), RATE)
    assert square[5:-5] == pytest.approx(0, abs=0.05)
    assert len(decibels) == len(seconds)
    assert seconds[-1] == pytest.approx(3.0, abs=0.03)


def test_half_the_amplitude_is_6_db_less_level_and_loudness():
    whole, half = (prosody.level(tone(300, amplitude), RATE)[0][60] for amplitude in (0.8, 0.4))
    assert whole - half == pytest.approx(6.02, abs=0.01)
    whole, half = (prosody.loudness(tone(300, amplitude), RATE) for amplitude in (0.8, 0.4))
    assert whole - half == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_the_standards_own_tone_has_the_loudness_that_the_standard_gives_it(rate):
    """ITU-R BS.1770: a 997 Hz sine at full scale in one channel reads -3.01 LKFS."""
    assert prosody.loudness(tone(997, rate=rate), rate) == pytest.approx(-3.01, abs=0.1)


def test_silence_around_a_voice_does_not_make_it_quieter():
    voice, silence = tone(500, 0.2), np.zeros(4 * RATE, dtype=np.float32)
    assert prosody.loudness(np.concatenate([silence, voice, silence]), RATE) == pytest.approx(
        prosody.loudness(voice, RATE), abs=0.5
    )


def test_a_clip_is_its_loudness_and_its_middle_pitch():
    loudness, pitch = prosody.extract(tone(250, 0.5))
    assert loudness == pytest.approx(-9.0, abs=1)
    assert pitch == pytest.approx(250, rel=0.01)
    assert len(prosody.NAMES) == 2


@pytest.mark.parametrize("length", [1, 500, 2000])
@pytest.mark.filterwarnings("error")
def test_tiny_sound_has_a_level_and_a_loudness_and_mostly_no_pitch(length):
    samples = tone(300, 0.5)[:length] + np.float32(0.01)
    decibels, _ = prosody.level(samples, RATE)
    assert np.isfinite(decibels).all()
    values = prosody.extract(samples)
    assert values.shape == (2,)
    if length < 3 / prosody.PITCH_FLOOR_HZ * RATE:
        assert np.isnan(values[1])


@pytest.mark.filterwarnings("error")
def test_silence_is_at_the_floor_and_has_neither_loudness_nor_pitch():
    silence = np.zeros(RATE, dtype=np.float32)
    assert (prosody.level(silence, RATE)[0] == prosody.LEVEL_FLOOR_DB).all()
    loudness, pitch = prosody.extract(silence)
    assert loudness == -np.inf
    assert np.isnan(pitch)
