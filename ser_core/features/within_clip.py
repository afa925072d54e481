"""Within-clip features: how a voice varies within a clip, in the band that a telephone leaves.

A constant change of level or of the channel (microphone, equaliser, distance) moves none of them: the level is set to
that of every other clip, the mean of each mel band over the frames in which somebody speaks is taken away, and what is
left are deviations, percentiles, shapes of distributions and changes over time: which cepstra move together [1]_, and
how fast bands and cepstra rise and fall [2]_. Nothing above 3.7 kHz is looked at, and nothing that is far below the
loudest frame.

Frames are 46 ms every 12 ms, as those of `functionals`, from which pitch and voice quality come.

References
----------
.. [1] Arsigny et al. 2006, "Log-Euclidean metrics for fast and simple calculus on diffusion tensors": covariances are
   compared by their logarithms.
.. [2] Wu, Falk & Chan 2011, "Automatic speech emotion recognition using modulation spectral features".
"""

from functools import cache
from itertools import pairwise

import librosa
import numpy as np
import scipy

from ser_core.audio.level import at_level
from ser_core.features import functionals
from ser_core.features.frames import around_the_voice
from ser_core.features.functionals import DELTA_FRAMES, HOP, MIN_FRAMES, N_FFT, PERCENTILES
from ser_core.features.mean180 import SAMPLE_RATE, magnitude_spectrogram

VERSION = "within-clip-3"  # Stored with every table and model: raise it with any change of the numbers below.
LEVEL_DBFS = -26.0
LOW_HZ, HIGH_HZ = 100.0, 3_700.0
N_BANDS, N_CEPSTRA = 58, 14
TRIM_DB = 35.0  # what is so far below the loudest 46 ms counts as silence before and after the voice
RANGE_DB = 40.0  # what is further below the loudest frame counts as that low
BAND_RANGE_DB = 55.0  # the same of a band, below the loudest band of all frames
ACTIVE_DB = 25.0  # frames so far below the loudest one count as pause
POWER_FLOOR = 1e-10
FRAMES_VERSION = "within-clip-frames-1"  # as `VERSION`, of `frames`
FRAMES, STEP = 128, 2  # of `frames`: as many of 23 ms, the mean of so many others: 3 s, as long as nine in ten voices
ENERGY_DB, PADDING_DB = 20.0, -22.5  # of the loudest frame's energy, and of what is before and after the voice
SYLLABLE_HZ = (0.3, 1, 2, 4, 8, 16)  # edges of rates of syllables and stress
MODULATION_HZ = (0.4, 0.8, 1.2, 1.8, 2.5, 3.5, 5, 7, 10, 14, 20, 28)  # edges of rates in the modulation spectrum
MODULATION_FFT = 1024  # frames
MODULATION_BANDS, MODULATION_CEPSTRA = 14, 19
MODULATION_FLOOR = 0.05  # of the modulation power, in dB^2 a frame
COVARIANCE_FLOOR = 0.05  # of the variance of a cepstrum, in units of its usual one
# The usual deviation of each cepstrum, in dB, and of its change over a frame: rough, so that all of them count alike.
USUAL_DB = np.array(
    [
        *(45, 25, 15, 12, 10, 9, 8, 7, 6, 6, 5, 5, 5, 4),
        *(4, 2.3, 1.7, 1.3, 1, 1, 0.87, 0.77, 0.67, 0.67, 0.6, 0.6, 0.53, 0.5),
    ]
)

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
MOVING = tuple(f"cepstrum_{i:02d}{kind}" for kind in ("", "_delta") for i in range(N_CEPSTRA))
MODULATED = (
    *(f"band_{i:02d}" for i in range(1, MODULATION_BANDS + 1)),
    "energy",
    *(f"cepstrum_{i:02d}" for i in range(1, MODULATION_CEPSTRA + 1)),
)
VOICE = tuple(name for name in functionals.VOICE if not name.startswith("formant"))  # they move with the channel
NAMES: tuple[str, ...] = (
    *(f"{name}_{statistic}" for name in (*CONTOURS, *BANDS) for statistic in STATISTICS),
    *(f"{name}_delta_{statistic}" for name in CONTOURS for statistic in ("std", "p05", "p95")),
    *(f"{name}_delta2_std" for name in CONTOURS),
    *(f"syllables_{i}" for i in range(1, len(SYLLABLE_HZ))),
    *(f"{name}_modulation_{i:02d}" for name in MODULATED for i in range(1, len(MODULATION_HZ))),
    *(f"{one}_with_{other}" for place, one in enumerate(MOVING) for other in MOVING[place:]),
    "active_share",
    *VOICE,
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
    decibels, energy, active = _without_channel(voice)
    contours = _contours(decibels, energy)
    pairs = decibels.reshape(N_BANDS // 2, 2, -1).mean(axis=1)
    change = librosa.feature.delta(contours, width=DELTA_FRAMES, mode="nearest")
    change_of_change = librosa.feature.delta(change, width=DELTA_FRAMES, mode="nearest")
    found = (
        _statistics(np.vstack([contours, pairs])[:, active]),
        np.stack([change.std(axis=1), *np.percentile(change, (5, 95), axis=1)], axis=1),
        change_of_change.std(axis=1),
        _syllables(energy),
        _modulation(decibels, energy),
        _covariance(decibels, active),
        np.array([active.mean()]),
        *functionals.voice_quality(voice, formants=False),
    )
    return np.concatenate([part.ravel() for part in found]).astype(np.float32)


def frames(samples: np.ndarray) -> np.ndarray:
    """The mel bands of a clip over time, each without its own mean over active frames, and the energy of all of them.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(128, 59)]
        In dB; finite for any sound. A longer voice is cropped around its middle, a shorter one padded at both ends.
    """
    decibels, energy, _ = _without_channel(_normalised(samples))
    both = np.vstack([decibels, energy - energy.max() + ENERGY_DB]).T
    steps = both[: len(both) // STEP * STEP].reshape(-1, STEP, both.shape[1]).mean(axis=1)
    power = 10 ** ((energy[: len(steps) * STEP : STEP] - energy.max()) / 10)
    return around_the_voice(steps, power, FRAMES, PADDING_DB)


def _normalised(samples: np.ndarray) -> np.ndarray:
    """The band of a telephone, without the silence at both ends, at one level.

    The silence is found to the sample, so that frames begin where the voice does, wherever a recording begins.
    """
    voice = scipy.signal.sosfilt(_band_pass(), samples - np.mean(samples))
    power = scipy.ndimage.uniform_filter1d(np.square(voice), N_FFT, mode="constant")
    heard = np.flatnonzero(power >= power.max() * 10 ** (-TRIM_DB / 10))
    voice = at_level(voice[heard[0] : heard[-1] + 1], SAMPLE_RATE, LEVEL_DBFS)
    return np.pad(voice, (0, max(0, MIN_FRAMES * HOP - len(voice)))).astype(np.float32)


@cache
def _band_pass() -> np.ndarray:
    return scipy.signal.butter(4, (LOW_HZ, HIGH_HZ), "bandpass", fs=SAMPLE_RATE, output="sos")


def _bands(voice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mel bands and the energy of all of them in decibels, of limited range [shape=(58, frames) and (frames,)]."""
    power = _mel_matrix() @ np.square(magnitude_spectrogram(voice, np.float32, n_fft=N_FFT, hop=HOP).T)
    decibels = 10 * np.log10(power + POWER_FLOOR)
    energy = 10 * np.log10(power.sum(axis=0) + POWER_FLOOR)
    return np.maximum(decibels, decibels.max() - BAND_RANGE_DB), np.maximum(energy, energy.max() - RANGE_DB)


def _without_channel(voice: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_bands`, each band without its mean over active frames; and which frames these are [shape=(frames,)]."""
    decibels, energy = _bands(voice)
    active = energy > energy.max() - ACTIVE_DB
    return decibels - decibels[:, active].mean(axis=1, keepdims=True), energy, active


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


def _syllables(energy: np.ndarray) -> np.ndarray:
    """The share of the energy contour's changes at each of the rates of `SYLLABLE_HZ`, as a logarithm."""
    power, hz = _changes(energy)
    shares = [power[(hz >= low) & (hz < high)].sum() for low, high in pairwise(SYLLABLE_HZ)]
    return np.log((np.array(shares) + 1e-3) / (power[hz < 24].sum() + 1e-3))


def _modulation(decibels: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """The power of each rate of `MODULATION_HZ` in each of `MODULATED`, as a logarithm."""
    bands = [part.mean(axis=0) for part in np.array_split(decibels, MODULATION_BANDS)]
    cepstra = scipy.fft.dct(decibels, axis=0, norm="ortho")[1 : MODULATION_CEPSTRA + 1]
    power, hz = _changes(np.vstack([*bands, energy, *cepstra]))
    power = power / len(energy)
    return np.log(
        np.stack([power[:, (hz >= low) & (hz < high)].mean(axis=1) for low, high in pairwise(MODULATION_HZ)], axis=1)
        + MODULATION_FLOOR
    )


def _changes(contours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The power of contours over the rates of their changes, and those rates in Hz."""
    centred = contours - contours.mean(axis=-1, keepdims=True)
    return np.square(np.abs(np.fft.rfft(centred, MODULATION_FFT))), np.fft.rfftfreq(MODULATION_FFT, HOP / SAMPLE_RATE)


def _covariance(decibels: np.ndarray, active: np.ndarray) -> np.ndarray:
    """The matrix logarithm of the covariance of `MOVING` over frames of voice, its upper triangle."""
    cepstra = scipy.fft.dct(decibels, axis=0, norm="ortho")[:N_CEPSTRA]
    change = librosa.feature.delta(cepstra, width=DELTA_FRAMES, mode="nearest")
    moving = np.vstack([cepstra, change])[:, active] / USUAL_DB[:, np.newaxis]
    covariance = np.cov(moving, bias=True) + COVARIANCE_FLOOR * np.eye(len(MOVING))
    variances, directions = np.linalg.eigh(covariance)
    logarithm = (directions * np.log(variances)) @ directions.T
    logarithm *= np.sqrt(2) - (np.sqrt(2) - 1) * np.eye(len(MOVING))  # each pair stands for two entries
    return logarithm[np.triu_indices(len(MOVING))]
