import numpy as np
import pytest

from ser_core.features import mean180, spectrogram
from ser_core.features.spectrogram import MAX_FRAMES, mel_decibels

RATE = 22_050


def tone(hz: float, amplitude: float = 0.5, seconds: float = 2.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def noise(seconds: float, rate: int = RATE) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate)).astype(np.float32)


EVERY = {
    "stft": lambda samples: spectrogram.stft_decibels(samples, RATE)[0],
    "mel": lambda samples: spectrogram.mel_decibels(samples, RATE)[0],
    "mfcc": lambda samples: spectrogram.mfcc(samples, RATE)[0],
    "chroma": lambda samples: spectrogram.chroma(samples, RATE)[0],
    "contrast": lambda samples: spectrogram.contrast(samples, RATE)[0],
}
ROWS = {"stft": 512, "mel": 128, "mfcc": 40, "chroma": 12, "contrast": 7}


def test_the_envelope_keeps_each_peak_at_its_time():
    samples = np.zeros(10_005, np.float32)
    samples[[2_500, 7_300]] = 0.5, -0.8
    low, high, seconds = spectrogram.envelope(samples, 1000, 100)
    assert len(low) == len(high) == len(seconds) == 100
    assert (high.max(), low.min()) == pytest.approx((0.5, -0.8))
    assert (seconds[high.argmax()], seconds[low.argmin()]) == pytest.approx((2.5, 7.3))


def test_the_envelope_of_few_samples_is_the_samples():
    samples = np.array([0.1, -0.2, 0.3], np.float32)
    low, high, seconds = spectrogram.envelope(samples, 10, 100)
    assert low.tolist() == high.tolist() == samples.tolist() and seconds.tolist() == [0, 0.1, 0.2]


def test_a_tone_is_loudest_in_its_own_band():
    decibels, hz, seconds = mel_decibels(tone(1000), RATE)
    assert decibels.shape == (len(hz), len(seconds)) == (128, 87)
    assert abs(hz[decibels.mean(axis=1).argmax()] - 1000) < 30
    assert decibels.max() == 0
    assert abs(seconds[-1] - 2.0) < 0.05


def test_against_a_louder_sound_a_mel_spectrogram_is_as_much_darker_as_it_is_quieter():
    loud, quiet = tone(1000, 0.5), tone(1000, 0.05)
    decibels, _, _ = mel_decibels(quiet, RATE, spectrogram.mel_peak(loud, RATE))
    assert decibels.max() == pytest.approx(-20, abs=0.01)


def test_ten_minutes_are_no_more_frames_than_a_screen_shows():
    for samples, rate in ((noise(600, 8000), 8000), (noise(60), RATE)):
        decibels, _, seconds = mel_decibels(samples, rate)
        assert decibels.shape[1] <= MAX_FRAMES + 1
        assert abs(seconds[-1] - len(samples) / rate) < 2


@pytest.mark.parametrize("hz", [110.0, 440.0, 3000.0, 9000.0])
def test_the_stft_has_a_tone_at_its_own_hz_and_its_own_level(hz):
    decibels, centres, seconds = spectrogram.stft_decibels(tone(hz, 0.5), RATE)
    assert decibels.shape == (len(centres), len(seconds)) == (512, 87)
    inside = decibels[:, 5:-5]
    assert abs(centres[inside.mean(axis=1).argmax()] - hz) <= RATE / mean180.N_FFT
    assert inside.max() == pytest.approx(-6.02, abs=1.5)  # a bin's own loss: up to 1.4 dB between two bins
    assert decibels.min() >= -180


def test_the_mfcc_are_those_that_the_study_averages(spoken):
    coefficients, _ = spectrogram.mfcc(spoken, RATE)
    np.testing.assert_allclose(coefficients.mean(axis=1), mean180.extract(spoken)[:40], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("hz", "note"), [(261.6, "C"), (440.0, "A"), (932.3, "A♯"), (493.9, "B")])
def test_a_note_is_strongest_in_its_own_row_in_every_octave(hz, note):
    for octave in (0.5, 1, 2):
        strength, _ = spectrogram.chroma(tone(octave * hz), RATE)
        assert spectrogram.NOTES[strength.mean(axis=1).argmax()] == note
        assert np.nanmax(strength) == 1


def test_notes_are_left_out_where_the_sound_is_too_quiet_to_have_any():
    samples = np.concatenate([tone(440), tone(440, 0.5e-3)])
    strength, seconds = spectrogram.chroma(samples, RATE)
    assert not np.isnan(strength[:, seconds < 1.9]).any()
    assert np.isnan(strength[:, seconds > 2.1]).all()


def test_contrast_is_great_around_a_tone_and_small_in_noise():
    samples = noise(2) + tone(1000, 0.5)
    contrast, _ = spectrogram.contrast(samples, RATE)
    bands = contrast.mean(axis=1)
    assert bands.argmax() == 3  # 800 to 1,600 Hz
    assert np.delete(bands, 3).max() < 50 < bands[3]


def test_contrast_is_in_decibels_of_the_magnitudes():
    """A tone 20 dB louder over the same noise stands out 20 dB more."""
    quiet, loud = (spectrogram.contrast(noise(2) + tone(1000, level), RATE)[0][3].mean() for level in (0.05, 0.5))
    assert loud - quiet == pytest.approx(20, abs=1)


def test_the_band_that_resampling_empties_is_no_contrast():
    import soxr

    resampled = soxr.resample(noise(2, 48_000), 48_000, RATE)
    bands = spectrogram.contrast(resampled, RATE)[0].mean(axis=1)
    assert bands[-1] < 45


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("length", [1, 300, 2048, 60 * RATE])
@pytest.mark.filterwarnings("error")
def test_tiny_and_long_sound_have_pictures_too(name, length):
    picture = EVERY[name](noise(60)[:length])
    assert picture.shape[0] == ROWS[name]
    assert 1 <= picture.shape[1] <= MAX_FRAMES + 1
    assert np.isfinite(picture).any()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.filterwarnings("error")
def test_silence_has_a_picture_too(name):
    picture = EVERY[name](np.zeros(RATE, dtype=np.float32))
    if name in ("chroma", "contrast"):
        assert np.isnan(picture).all()
    else:
        assert np.isfinite(picture).all() and np.ptp(picture, axis=1).max() == 0
