"""Within-clip features: how a voice varies within a clip, in the band that a telephone leaves.

A constant change of level or of the channel (microphone, equaliser, distance) moves none of them: the level is set to
that of every other clip, the mean of each mel band over the frames in which somebody speaks is taken away, and what is
left are deviations, percentiles, shapes of distributions and changes over time. Nothing above 3.7 kHz is looked at, and
nothing that is far below the loudest frame.

Frames are 46 ms every 12 ms, as those of `functionals`, from which pitch and voice quality come.
"""

from functools import cache

import librosa
import numpy as np
import scipy.fft
import scipy.signal

from ser_core.audio.level import at_level
from ser_core.features import functionals
from ser_core.features.functionals import DELTA_FRAMES, HOP, MIN_FRAMES, N_FFT, PERCENTILES
from ser_core.features.mean180 import SAMPLE_RATE, magnitude_spectrogram

VERSION = "within-clip-1"  # Stored with every table and model: raise it with any change of the numbers below.
LEVEL_DBFS = -26.0
HIGH_PASS_HZ = 50.0  # takes an offset away, and what is below a voice
LOW_HZ, HIGH_HZ = 100.0, 3_700.0
N_BANDS, N_CEPSTRA = 58, 14
TRIM_DB = 35.0  # frames so far below the loudest one count as silence before and after the voice
RANGE_DB = 40.0  # what is further below the loudest frame counts as that low
BAND_RANGE_DB = 55.0  # the same of a band, below the loudest band of all frames
ACTIVE_DB = 25.0  # frames so far below the loudest one count as pause
POWER_FLOOR = 1e-10
MODULATION_HZ = ((0.3, 1), (1, 2), (2, 4), (4, 8), (8, 16))  # rates of syllables and stress
MODULATION_FFT = 512  # frames

STATISTICS = ("std", *(f"p{percent:02d}" for percent in PERCENTILES), "skew", "kurtosis")
CONTOURS = (
    *(f"cepstrum_{i:02d}" for i in range(N_CEPSTRA)),
    "energy",
    "centroid",
    "spread",
    "flatness",
    *(f"slope_{i}" for i in (1, 2, 3)),
    "flux",
)
BANDS = tuple(f"band_{i:02d}" for i in range(1, N_BANDS // 2 + 1))
NAMES: tuple[str, ...] = (
    *(f"{name}_{statistic}" for name in (*CONTOURS, *BANDS) for statistic in STATISTICS),
    *(f"{name}_delta_{statistic}" for name in CONTOURS for statistic in ("std", "p05", "p95")),
    *(f"{name}_delta2_std" for name in CONTOURS),
    *(f"modulation_{i}" for i in range(1, len(MODULATION_HZ) + 1)),
    "active_share",
    *functionals.VOICE,
)


def extract(samples: np.ndarray) -> np.ndarray:
    """The within-clip features of one clip.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(len(NAMES),), dtype=float32]
        In the order of `NAMES`; finite for any sound.
    """
    voice = _normalised(samples)
    decibels, energy = _bands(voice)
    active = energy > energy.max() - ACTIVE_DB
    decibels = decibels - decibels[:, active].mean(axis=1, keepdims=True)
    contours = _contours(decibels, energy)
    pairs = decibels.reshape(N_BANDS // 2, 2, -1).mean(axis=1)
    change = librosa.feature.delta(contours, width=DELTA_FRAMES, mode="nearest")
    change_of_change = librosa.feature.delta(change, width=DELTA_FRAMES, mode="nearest")
    found = (
        _statistics(np.vstack([contours, pairs])[:, active]),
        np.stack([change.std(axis=1), *np.percentile(change, (5, 95), axis=1)], axis=1),
        change_of_change.std(axis=1),
        _modulation(energy),
        np.array([active.mean()]),
        *functionals.voice_quality(voice),
    )
    return np.concatenate([part.ravel() for part in found]).astype(np.float32)


def _normalised(samples: np.ndarray) -> np.ndarray:
    """Without offset, at one level, without the silence at both ends."""
    sections = scipy.signal.butter(2, HIGH_PASS_HZ, "highpass", fs=SAMPLE_RATE, output="sos")
    voice = at_level(scipy.signal.sosfilt(sections, samples - np.mean(samples)), SAMPLE_RATE, LEVEL_DBFS)
    voice, _ = librosa.effects.trim(voice, top_db=TRIM_DB, frame_length=N_FFT, hop_length=HOP)
    return np.pad(voice, (0, max(0, MIN_FRAMES * HOP - len(voice)))).astype(np.float32)


def _bands(voice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mel bands and the energy of all of them in decibels, of limited range [shape=(58, frames) and (frames,)]."""
    power = _mel_matrix() @ np.square(magnitude_spectrogram(voice, np.float32, n_fft=N_FFT, hop=HOP).T)
    decibels = 10 * np.log10(power + POWER_FLOOR)
    energy = 10 * np.log10(power.sum(axis=0) + POWER_FLOOR)
    return np.maximum(decibels, decibels.max() - BAND_RANGE_DB), np.maximum(energy, energy.max() - RANGE_DB)


@cache
def _mel_matrix() -> np.ndarray:
    return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_BANDS, fmin=LOW_HZ, fmax=HIGH_HZ)


def _contours(decibels: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """The contours of `CONTOURS` [shape=(22, frames)]; places in the band count from 0 to 1."""
    power = 10 ** (decibels / 10)
    place = np.linspace(0, 1, N_BANDS)[:, np.newaxis]
    total = power.sum(axis=0)
    centroid = (power * place).sum(axis=0) / total
    quarters = np.stack([10 * np.log10(part.mean(axis=0)) for part in np.array_split(power, 4)])
    return np.vstack(
        [
            scipy.fft.dct(decibels, axis=0, norm="ortho")[:N_CEPSTRA],
            energy - energy.max(),
            centroid,
            np.sqrt((power * (place - centroid) ** 2).sum(axis=0) / total),
            decibels.mean(axis=0) - 10 * np.log10(power.mean(axis=0)),
            quarters[0] - quarters[1:],
            np.abs(np.diff(decibels, axis=1, prepend=decibels[:, :1])).mean(axis=0),
        ]
    )


def _statistics(contours: np.ndarray) -> np.ndarray:
    """The `STATISTICS` of contours; percentiles count from the mean."""
    mean, rest = np.split(functionals.statistics(contours), [1], axis=1)
    rest[:, 1 : 1 + len(PERCENTILES)] -= mean
    return rest


def _modulation(energy: np.ndarray) -> np.ndarray:
    """The share of the energy contour's changes at each of `MODULATION_HZ`, as a logarithm."""
    spectrum = np.square(np.abs(np.fft.rfft(energy - energy.mean(), MODULATION_FFT)))
    hz = np.fft.rfftfreq(MODULATION_FFT, HOP / SAMPLE_RATE)
    shares = [spectrum[(hz >= low) & (hz < high)].sum() for low, high in MODULATION_HZ]
    return np.log((np.array(shares) + 1e-3) / (spectrum[hz < 24].sum() + 1e-3))
