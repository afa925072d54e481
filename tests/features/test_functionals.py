import librosa
import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from ser_core.corpus import synthetic
from ser_core.features import functionals

RATE = functionals.SAMPLE_RATE


def named(samples):
    return dict(zip(functionals.NAMES, functionals.extract(np.asarray(samples, dtype=np.float32)), strict=True))


def tone(hz, seconds=1.0, level=0.3):
    return level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)


def test_names_are_unique_and_one_for_each_number(spoken):
    assert len(set(functionals.NAMES)) == len(functionals.NAMES)
    found = functionals.extract(spoken)
    assert found.shape == (len(functionals.NAMES),)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(1),
        np.ones(1),
        np.zeros(RATE),
        np.full(RATE, 0.5),
        np.random.default_rng(0).normal(0, 0.1, RATE),
        tone(5, 0.5),
        tone(9000),
        np.concatenate([np.zeros(RATE), [1.0], np.zeros(RATE)]),
    ],
    ids=["one zero", "one sample", "silence", "constant", "noise", "rumble", "whistle", "click"],
)
def test_whatever_the_sound_the_numbers_are_finite(samples):
    assert np.isfinite(list(named(samples).values())).all()


def test_silence_around_the_voice_changes_nothing():
    voice = synthetic.speak("angry", actor=2, seconds=1.0)
    padded = np.concatenate([np.zeros(RATE // 2, np.float32), voice, np.zeros(RATE // 2, np.float32)])
    one, other = named(voice), named(padded)
    for name in ("mfcc_02_mean", "band_10_p50", "pitch_mean", "energy_p50", "hnr_mean"):
        assert one[name] == pytest.approx(other[name], rel=0.05, abs=0.5), name


@pytest.mark.parametrize("hz", [110.0, 220.0, 440.0])
def test_pitch_is_in_semitones_above_55_hz(hz):
    buzz = sum(tone(hz * k, level=0.2 / k) for k in range(1, 6))
    assert named(buzz)["pitch_mean"] == pytest.approx(12 * np.log2(hz / 55), abs=0.1)
    assert named(buzz)["pitch_slope"] == pytest.approx(0, abs=0.1)


def test_a_rising_voice_has_a_rising_slope_and_a_noisy_one_less_harmony():
    seconds = np.arange(RATE) / RATE
    phase = 2 * np.pi * 110 * (2**seconds - 1) / np.log(2)  # from 110 to 220 Hz in a second
    rising = sum(0.2 / k * np.sin(k * phase) for k in range(1, 6))
    noisy = rising + np.random.default_rng(0).normal(0, 0.05, RATE)
    assert named(rising)["pitch_slope"] == pytest.approx(12, rel=0.05)
    assert named(rising)["hnr_mean"] > named(noisy)["hnr_mean"] + 5


def test_a_louder_voice_is_louder_and_has_the_same_timbre():
    breath = np.random.default_rng(0).normal(0, 0.02, RATE)  # as in any recording: no band is empty
    voice = synthetic.speak("sad", actor=1, seconds=1.0)[:RATE] + breath
    one, loud = named(0.1 * voice), named(voice)
    assert loud["energy_p50"] - one["energy_p50"] == pytest.approx(20, abs=0.5)
    assert loud["mfcc_03_mean"] == pytest.approx(one["mfcc_03_mean"], abs=1.0)
    assert loud["plp_02_mean"] == pytest.approx(one["plp_02_mean"], abs=0.05)


def test_statistics_are_numpys_and_scipys():
    contours = np.random.default_rng(1).gamma(2, size=(3, 200))
    found = dict(zip(functionals.STATISTICS, functionals.statistics(contours).T, strict=True))
    np.testing.assert_allclose(found["std"], contours.std(axis=1))
    np.testing.assert_allclose(found["p25"], np.percentile(contours, 25, axis=1))
    np.testing.assert_allclose(found["skew"], scipy.stats.skew(contours, axis=1))
    np.testing.assert_allclose(found["kurtosis"], scipy.stats.kurtosis(contours, axis=1))


def test_the_all_pole_model_is_scipys_frame_by_frame():
    frames = np.random.default_rng(2).normal(size=(4, 64))
    correlation = np.stack([np.correlate(frame, frame, "full")[63 : 63 + 13] for frame in frames], axis=1)
    filters, _ = functionals._all_pole(correlation)
    for column in range(4):
        expected = scipy.linalg.solve_toeplitz(correlation[:-1, column], -correlation[1:, column])
        np.testing.assert_allclose(filters[1:, column], expected, rtol=1e-6, atol=1e-8)


def test_cepstra_are_those_of_the_models_spectrum():
    """The real cepstrum of 1 / A, by FFT, has the same coefficients (twice those of a symmetric one)."""
    filters = np.array([[1.0], [-0.8], [0.3]])
    cepstra = functionals._cepstra(filters, np.ones(1))[:, 0]
    spectrum = 1 / np.fft.rfft(filters[:, 0], 4096)
    real = np.fft.irfft(np.log(np.abs(spectrum)), 4096)
    np.testing.assert_allclose(cepstra[1:], 2 * real[1:3], atol=1e-6)


def test_the_filterbank_is_librosas(spoken):
    voice, _ = librosa.effects.trim(spoken, top_db=functionals.TRIM_DB, frame_length=1024, hop_length=256)
    mel = librosa.feature.melspectrogram(y=voice, sr=RATE, n_fft=1024, hop_length=256, n_mels=40, fmin=50, fmax=8000)
    expected = (10 * np.log10(np.maximum(mel, functionals.POWER_FLOOR))).mean(axis=1)
    found = named(spoken)
    ours = [found[f"band_{i:02d}_mean"] for i in range(1, 41)]
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=0.05)
