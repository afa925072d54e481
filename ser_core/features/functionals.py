"""Functionals: statistics over time of frame-level descriptors of a voice.

Where `mean180` takes the mean of each contour, this takes its mean, standard deviation, percentiles, skewness and
kurtosis, after silence at both ends (30 dB below the loudest frame) is trimmed. The descriptors are timbre (MFCC, PLP,
spectral contrast), energy in mel bands, the shape of the spectrum, deltas of these, pitch, and voice quality
(harmonics-to-noise ratio, jitter, shimmer, formants).

Frames are 46 ms every 12 ms, half as long as those of `mean180`, so that a syllable spans several frames.
"""

from collections.abc import Iterator
from functools import cache

import librosa
import numpy as np
import parselmouth
import scipy
from parselmouth.praat import call

from ser_core.features import prosody
from ser_core.features.mean180 import NOTES, SAMPLE_RATE, magnitude_spectrogram

VERSION = "functionals-1"  # Stored with every table and model: raise it with any change of the numbers below.
N_FFT = 1024
HOP = 256
MAX_HZ = 8000.0  # above this, RAVDESS contains only breath and room noise
TRIM_DB = 30.0  # frames so far below the loudest one count as silence before and after the voice
MIN_FRAMES = 16  # a shorter voice is padded with silence
DELTA_FRAMES = 9  # librosa's default: 0.1 s
N_MFCC, N_BANDS, N_BARK, PLP_ORDER, N_FORMANTS = 20, 40, 20, 12, 3
POWER_FLOOR = 1e-8

PERCENTILES = (5, 25, 50, 75, 95)
STATISTICS = ("mean", "std", *(f"p{percent:02d}" for percent in PERCENTILES), "skew", "kurtosis")
CHANGES = ("std", "p05", "p95", "kurtosis")  # of deltas, whose mean is close to 0

TIMBRE = (
    *(f"mfcc_{i:02d}" for i in range(1, N_MFCC + 1)),
    *(f"plp_{i:02d}" for i in range(PLP_ORDER + 1)),
    *(f"contrast_{i}" for i in range(1, 8)),
)
SHAPE = (
    "centroid",
    "bandwidth",
    "rolloff_25",
    "rolloff_50",
    "rolloff_85",
    "rolloff_95",
    "flatness",
    "energy",
    "flux",
    "crossings",
    "alpha",
    "hammarberg",
)
BANDS = tuple(f"band_{i:02d}" for i in range(1, N_BANDS + 1))
MELODY = (
    "pitch_range",
    "pitch_slope",
    "pitch_step_mean",
    "pitch_step_std",
    "pitch_step_p05",
    "pitch_step_p95",
    "pitch_begins",
    "pitch_goes_on",
    "pitch_ends",
    "voiced_share",
    "voiced_rate",
    "voiced_mean",
    "voiced_std",
    "voiced_longest",
    "jitter",
    "shimmer",
    "duration",
)
VOICE = (
    *(
        f"{name}_{statistic}"
        for name in ("pitch", "hnr", "formant_1", "formant_2", "formant_3")
        for statistic in STATISTICS
    ),
    *MELODY,
)
NAMES: tuple[str, ...] = (
    *(f"{name}_{statistic}" for name in (*TIMBRE, *SHAPE, *BANDS) for statistic in STATISTICS),
    *(f"chroma_{note}_{statistic}" for note in NOTES for statistic in ("mean", "std")),
    *(f"{name}_delta_{statistic}" for name in (*TIMBRE, *SHAPE) for statistic in CHANGES),
    *(f"{name}_delta2_std" for name in (*TIMBRE, *SHAPE)),
    *VOICE,
)


def extract(samples: np.ndarray) -> np.ndarray:
    """The functionals of one clip.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(len(NAMES),), dtype=float32]
        In the order of `NAMES`; finite for any sound.
    """
    voice = trimmed(samples)
    magnitude = magnitude_spectrogram(voice, np.float32, n_fft=N_FFT, hop=HOP).T
    power = np.square(magnitude)
    bands = _decibels(_mel_matrix() @ power)
    mfcc = scipy.fft.dct(bands, axis=0, norm="ortho")[:N_MFCC]
    contrast = librosa.feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE, n_fft=N_FFT, fmin=150.0)
    timbre = np.vstack([mfcc, perceptual_linear_prediction(power), contrast])
    contours = np.vstack([timbre, _shape(voice, magnitude, power)])
    change, change_of_change = (
        librosa.feature.delta(contours, width=DELTA_FRAMES, order=order, mode="nearest") for order in (1, 2)
    )
    changes = statistics(change)[:, [STATISTICS.index(name) for name in CHANGES]]
    chroma = librosa.util.normalize(_chroma_matrix() @ magnitude, norm=np.inf, axis=0)
    found = (
        statistics(np.vstack([contours, bands])),
        np.stack([chroma.mean(axis=1), chroma.std(axis=1)], axis=1),
        changes,
        change_of_change.std(axis=1),
        *voice_quality(voice),
    )
    return np.concatenate([part.ravel() for part in found]).astype(np.float32)


def trimmed(samples: np.ndarray) -> np.ndarray:
    """A clip without the silence at both ends, and not shorter than `MIN_FRAMES`.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(m,)]
    """
    voice, _ = librosa.effects.trim(samples, top_db=TRIM_DB, frame_length=N_FFT, hop_length=HOP)
    return np.pad(voice, (0, max(0, MIN_FRAMES * HOP - len(voice))))


def harmonics_to_noise(strength: np.ndarray) -> np.ndarray:
    """The harmonics-to-noise ratio of voiced frames, in dB.

    Parameters
    ----------
    strength : np.ndarray [shape=(n,)]
        Praat's strength of the pitch: the autocorrelation at its period.

    Returns
    -------
    np.ndarray [shape=(n,)]

    References
    ----------
    Boersma 1993, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio".
    """
    periodic = np.clip(strength, 1e-3, 1 - 1e-4)
    return 10 * np.log10(periodic / (1 - periodic))


def statistics(contours: np.ndarray) -> np.ndarray:
    """The `STATISTICS` of contours over time.

    Skewness and kurtosis (Fisher's, 0 for a normal distribution) are 0 for a constant contour; without frames, all
    statistics are 0.

    Parameters
    ----------
    contours : np.ndarray [shape=(k, frames)]

    Returns
    -------
    np.ndarray [shape=(k, 9)]
    """
    if contours.shape[1] == 0:
        return np.zeros((len(contours), len(STATISTICS)))
    mean, deviation = contours.mean(axis=1), contours.std(axis=1)
    scaled = (contours - mean[:, np.newaxis]) / np.maximum(deviation, 1e-6)[:, np.newaxis]
    cube = scaled**3
    changes = deviation > 1e-6
    return np.stack(
        [
            mean,
            deviation,
            *np.percentile(contours, PERCENTILES, axis=1),
            np.where(changes, cube.mean(axis=1), 0),
            np.where(changes, (cube * scaled).mean(axis=1) - 3, 0),
        ],
        axis=1,
    )


def perceptual_linear_prediction(power: np.ndarray) -> np.ndarray:
    """Perceptual linear prediction (PLP) cepstra of a power spectrogram.

    The spectrum is warped to the Bark scale, weighted by equal loudness, and smoothed by an all-pole model of order 12.

    Parameters
    ----------
    power : np.ndarray [shape=(513, frames)]

    Returns
    -------
    np.ndarray [shape=(13, frames)]

    References
    ----------
    Hermansky 1990, "Perceptual linear predictive (PLP) analysis of speech".
    """
    loudness = np.cbrt(_bark_matrix() @ power + POWER_FLOOR)
    loudness = np.vstack([loudness[:1], loudness, loudness[-1:]])
    return _cepstra(*_all_pole(scipy.fft.irfft(loudness, axis=0)[: PLP_ORDER + 1]))


def _all_pole(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The prediction filter [shape=(order + 1, frames)] and its error [shape=(frames,)] of autocorrelations.

    Levinson-Durbin recursion for all frames at once; scipy's `solve_toeplitz` takes one frame at a time.
    """
    filters = np.zeros_like(correlation)
    filters[0] = 1
    error = correlation[0] + 1e-9
    for order in range(1, len(correlation)):
        reflection = -(filters[:order] * correlation[order:0:-1]).sum(axis=0) / error
        filters[: order + 1] = filters[: order + 1] + reflection * filters[order::-1]
        error = error * (1 - reflection**2)
    return filters, np.maximum(error, 1e-12)


def _cepstra(filters: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The cepstrum of an all-pole model [shape=(order + 1, frames)] (Atal 1974)."""
    cepstra = np.empty_like(filters)
    cepstra[0] = np.log(error)
    for n in range(1, len(filters)):
        earlier = np.arange(1, n)[:, np.newaxis]
        cepstra[n] = -filters[n] - (earlier / n * cepstra[1:n] * filters[n - 1 : 0 : -1]).sum(axis=0)
    return cepstra


def _bin_hz() -> np.ndarray:
    return librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=N_FFT)


@cache
def _mel_matrix() -> np.ndarray:
    return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_BANDS, fmin=50, fmax=MAX_HZ)


@cache
def _chroma_matrix() -> np.ndarray:
    return librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=N_FFT)


@cache
def _bark_matrix() -> np.ndarray:
    """Critical-band filters with equal-loudness weights [shape=(20, 513)] (Hermansky 1990, eq. 3 to 7)."""
    bark, highest = 6 * np.arcsinh(_bin_hz() / 600), 6 * np.arcsinh(MAX_HZ / 600)
    centres = np.linspace(0.5, highest - 0.5, N_BARK)
    away = bark - centres[:, np.newaxis]
    masks = np.select(
        [(away < -1.3) | (away > 2.5), away < -0.5, away > 0.5], [0, 10 ** (2.5 * (away + 0.5)), 10 ** (0.5 - away)], 1
    )
    squared = (2 * np.pi * 600 * np.sinh(centres / 6)) ** 2
    equal = (squared + 56.8e6) * squared**2 / ((squared + 6.3e6) ** 2 * (squared + 0.38e9))
    return (masks * (equal / equal.max())[:, np.newaxis]).astype(np.float32)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, POWER_FLOOR))


def _shape(voice: np.ndarray, magnitude: np.ndarray, power: np.ndarray) -> np.ndarray:
    """The contours of `SHAPE` [shape=(12, frames)].

    `alpha` is the energy below 1 kHz minus that of 1 to 5 kHz, and `hammarberg` the peak below 2 kHz minus that of 2 to
    5 kHz, both in dB (GeMAPS, Eyben et al. 2016).
    """
    hz = _bin_hz()
    total = magnitude.sum(axis=0) + 1e-9
    centroid = hz @ magnitude / total
    spread = np.sqrt(np.maximum(np.square(hz) @ magnitude / total - centroid**2, 0))
    reached = np.cumsum(power, axis=0)
    rolloffs = [hz[(reached >= share * reached[-1]).argmax(axis=0)] for share in (0.25, 0.5, 0.85, 0.95)]
    flux = np.sqrt(np.square(np.diff(magnitude / total, axis=1, prepend=0)).sum(axis=0))
    flux[0] = 0
    crossings = librosa.feature.zero_crossing_rate(voice, frame_length=N_FFT, hop_length=HOP)[0]

    def between(low: float, high: float) -> np.ndarray:
        return power[(hz >= low) & (hz < high)]

    return np.vstack(
        [
            np.log(centroid + 1),
            spread,
            *rolloffs,
            np.log10(librosa.feature.spectral_flatness(S=magnitude)[0]),
            _decibels(power.sum(axis=0)),
            flux,
            crossings[: len(total)],
            _decibels(between(50, 1000).sum(axis=0)) - _decibels(between(1000, 5000).sum(axis=0)),
            _decibels(between(0, 2000).max(axis=0)) - _decibels(between(2000, 5000).max(axis=0)),
        ]
    )


def voice_quality(samples: np.ndarray, *, formants: bool = True) -> Iterator[np.ndarray]:
    """Statistics of the contours of voiced frames, and the numbers of `MELODY`, computed by Praat.

    The contours are pitch (semitones above 55 Hz), harmonics-to-noise ratio (dB) and three formants (Hz).

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Mono samples at 22,050 Hz, without silence at both ends.
    formants : bool
        Without them it takes half the time.

    Yields
    ------
    np.ndarray
        Together as many values as `VOICE` has names, in that order.
    """
    sound = parselmouth.Sound(samples.astype(np.float64), SAMPLE_RATE)
    pitch = prosody.track(sound)
    hz, strength = pitch.selected_array["frequency"], pitch.selected_array["strength"]
    voiced = np.flatnonzero(hz > 0)
    semitones = 12 * np.log2(hz[voiced] / 55)
    yield statistics(semitones[np.newaxis])
    yield statistics(harmonics_to_noise(strength[voiced])[np.newaxis])
    if formants:
        yield statistics(_formants(sound, pitch.xs()[voiced[::2]]))
    yield _melody(voiced, semitones, sound, pitch)


def _formants(sound: parselmouth.Sound, seconds: np.ndarray) -> np.ndarray:
    """The first three formants [shape=(3, times)] in Hz by Burg's method; 0 where one is not found."""
    found = sound.to_formant_burg(time_step=2 * prosody.PITCH_STEP_S)
    values = [[found.get_value_at_time(number, second) for second in seconds] for number in range(1, N_FORMANTS + 1)]
    return np.nan_to_num(np.array(values).reshape(N_FORMANTS, len(seconds)))


def _melody(
    voiced: np.ndarray, semitones: np.ndarray, sound: parselmouth.Sound, pitch: parselmouth.Pitch
) -> np.ndarray:
    """The numbers of `MELODY`; all 0 but the duration if there are hardly any voiced frames."""
    if len(voiced) < MIN_FRAMES // 2:
        return np.array([0.0] * (len(MELODY) - 1) + [sound.duration])
    step_s = prosody.PITCH_STEP_S
    breaks = np.flatnonzero(np.diff(voiced) > 1) + 1
    lengths = np.diff([0, *breaks, len(voiced)]) * step_s
    steps = np.delete(np.diff(semitones), breaks - 1)  # without the steps between voiced segments
    steps = steps if len(steps) else np.zeros(1)
    span = voiced[-1] - voiced[0] + 1
    low, high = np.percentile(semitones, [5, 95])
    begins, goes_on, ends = (part.mean() - semitones.mean() for part in np.array_split(semitones, 3))
    pulses = call([sound, pitch], "To PointProcess (cc)")
    jitter = call(pulses, "Get jitter (local)", 0, 0, 0.0001, 0.02, 1.3)
    shimmer = call([sound, pulses], "Get shimmer (local)", 0, 0, 0.0001, 0.02, 1.3, 1.6)
    return np.array(
        [
            high - low,
            np.polyfit(voiced * step_s, semitones, 1)[0],
            np.abs(steps).mean(),
            steps.std(),
            *np.percentile(steps, [5, 95]),
            begins,
            goes_on,
            ends,
            len(voiced) / span,
            len(lengths) / (span * step_s),
            lengths.mean(),
            lengths.std(),
            lengths.max(),
            *np.nan_to_num([jitter, shimmer]),
            sound.duration,
        ]
    )
