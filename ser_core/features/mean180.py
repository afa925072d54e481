"""The 180 features of the original study: the time means of 40 MFCC, 12 chroma and 128 mel bands of one clip.

Up to rounding, they equal three plain librosa calls at their defaults (`mfcc(n_mfcc=40)`, `chroma_stft(S=|STFT|)` and
`melspectrogram`), each averaged over time. Those calls compute the STFT three times and a tuning estimate over all
frequencies; here one STFT serves all three, and each step computes only what a time mean needs:

- the mean of the MFCC is the DCT of the mean log-mel spectrum, since the DCT is linear;
- the mean mel power is the mel matrix times the mean power;
- the mel matrix is sparse (about two weights per frequency bin);
- the tuning estimate uses spectral peaks between 150 and 4,000 Hz only, so only those bins are interpolated.
"""

import math
from functools import lru_cache

import librosa
import numpy as np
import scipy.fft
import scipy.sparse

VERSION = "study-1"  # Stored with every table and model: raise it with any change of the numbers below.

SAMPLE_RATE = 22_050  # Hz, librosa.load's default
N_FFT = 2048
HOP = 512
BLOCK = 16  # frames: fits a processor's cache, and bounds memory for long clips
N_MFCC = 40
N_MELS = 128
TOP_DB = 80.0  # dB below the loudest mel cell, librosa.power_to_db's default
LOG_FLOOR = 1e-10  # power, librosa.power_to_db's `amin`

# librosa.piptrack's and librosa.pitch_tuning's defaults
TUNING_MIN_HZ = 150.0
TUNING_MAX_HZ = 4000.0
PEAK_THRESHOLD = 0.1

NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
NAMES: tuple[str, ...] = (
    *(f"mfcc_{i:02d}" for i in range(1, N_MFCC + 1)),
    *(f"chroma_{note}" for note in NOTES),
    *(f"mel_{i:03d}" for i in range(1, N_MELS + 1)),
)


def extract(samples: np.ndarray) -> np.ndarray:
    """The 180 features of one clip.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz, as `ser_core.audio.load` returns them. Short clips are padded with silence, as
        librosa pads them.

    Returns
    -------
    np.ndarray [shape=(180,), dtype=float32]
        In the order of `NAMES`.

    Examples
    --------
    >>> from ser_core.corpus import synthetic
    >>> extract(synthetic.speak("angry", actor=1)).shape
    (180,)
    """
    magnitude = magnitude_spectrogram(np.asarray(samples, dtype=np.float32))
    mel = mel_spectrogram(magnitude)
    return np.concatenate([_mean_mfcc(mel), _mean_chroma(magnitude), mel.mean(axis=1)]).astype(np.float32)


def magnitude_spectrogram(
    samples: np.ndarray, precision: type = np.float64, *, n_fft: int = N_FFT, hop: int = HOP
) -> np.ndarray:
    """|STFT| as librosa computes it, but with frames as rows, so that each FFT reads contiguous memory.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
    precision : np.float64 or np.float32
        Of the FFT. Single precision takes half the time; its error is 1e-7 of a frame's loudest bins.
    n_fft, hop : int
        Frame length and hop length in samples.

    Returns
    -------
    np.ndarray [shape=(frames, 1 + n_fft // 2), dtype=float32]
    """
    padded = np.pad(samples, n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    magnitude = np.empty((len(frames), 1 + n_fft // 2), dtype=np.float32)
    # As in librosa, in double precision and then rounded: the tuning is the peak of a histogram, and the last bit of a
    # magnitude can decide between two bins with equal counts (as in 18 of the 2,452 RAVDESS clips).
    window: np.ndarray = _window(n_fft).astype(precision, copy=False)
    for start in range(0, len(frames), BLOCK):
        block = slice(start, start + BLOCK)
        spectrum = scipy.fft.rfft(frames[block] * window, axis=1, overwrite_x=True)
        np.abs(spectrum.astype(np.complex64, copy=False), out=magnitude[block])
    return magnitude


def mel_spectrogram(magnitude: np.ndarray) -> np.ndarray:
    """Power in 128 mel bands.

    Parameters
    ----------
    magnitude : np.ndarray [shape=(frames, 1025), dtype=float32]
        As `magnitude_spectrogram` returns it.

    Returns
    -------
    np.ndarray [shape=(128, frames), dtype=float32]
    """
    return _mel_matrix() @ np.square(magnitude).T


def _mean_mfcc(mel: np.ndarray) -> np.ndarray:
    decibels = 10.0 * np.log10(np.maximum(mel, LOG_FLOOR))
    np.maximum(decibels, decibels.max() - TOP_DB, out=decibels)
    return scipy.fft.dct(decibels.mean(axis=1, dtype=np.float64), type=2, norm="ortho")[:N_MFCC]


def _mean_chroma(magnitude: np.ndarray) -> np.ndarray:
    chroma = magnitude @ _chroma_matrix(_tuning(magnitude))  # (frames, 12)
    peak = np.abs(chroma).max(axis=1, keepdims=True)
    # As in librosa.util.normalize, frames of silence are left as they are.
    return (chroma / np.where(peak < np.finfo(np.float32).tiny, 1, peak)).mean(axis=0)


def _tuning(magnitude: np.ndarray) -> float:
    """The deviation from A440 tuning in semitones, -0.5 to 0.5, as librosa.estimate_tuning computes it.

    Spectral peaks of each frame are located between bins by parabolic interpolation (Smith, Spectral Audio Signal
    Processing, "Quadratic Interpolation of Spectral Peaks"); the louder half of them determines the tuning.
    """
    first, last = (math.ceil(hz * N_FFT / SAMPLE_RATE) for hz in (TUNING_MIN_HZ, TUNING_MAX_HZ))
    floor = PEAK_THRESHOLD * magnitude.max(axis=1, keepdims=True)
    left, centre, right = (magnitude[:, first + step : last + step] for step in (-1, 0, 1))
    is_peak = (centre > floor) & (centre > left) & (centre >= right)
    frame, bin_ = np.divmod(np.flatnonzero(is_peak), last - first)
    if not frame.size:
        return 0.0
    left, centre, right = left[frame, bin_], centre[frame, bin_], right[frame, bin_]
    slope = (right - left) / 2
    curvature = left + right - 2 * centre
    shift = np.where(np.abs(slope) >= np.abs(curvature), 0, -slope / np.where(curvature == 0, 1, curvature))
    pitch = ((first + bin_ + shift) * SAMPLE_RATE / N_FFT).astype(np.float32)
    height = centre + 0.5 * slope * shift
    return _peak_of_residuals(pitch[height >= np.median(height)])


def _peak_of_residuals(pitch: np.ndarray) -> float:
    """What librosa.pitch_tuning returns for pitches above 0; loading that takes 0.4 s in each worker."""
    residual = np.mod(12 * librosa.hz_to_octs(pitch), 1.0)
    residual[residual >= 0.5] -= 1.0
    counts, edges = np.histogram(residual, np.linspace(-0.5, 0.5, 101))
    return float(edges[np.argmax(counts)])


@lru_cache(maxsize=2)
def _window(n_fft: int) -> np.ndarray:
    return librosa.filters.get_window("hann", n_fft, fftbins=True)


@lru_cache(maxsize=1)
def _mel_matrix() -> scipy.sparse.csr_array:
    return scipy.sparse.csr_array(librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS))


@lru_cache(maxsize=101)  # one for each hundredth of a semitone that librosa.pitch_tuning can return
def _chroma_matrix(tuning: float) -> np.ndarray:
    # Double precision: in single, the last digit of the sums depends on the number of BLAS threads.
    return np.ascontiguousarray(librosa.filters.chroma(sr=SAMPLE_RATE, n_fft=N_FFT, tuning=tuning).T, dtype=np.float64)
