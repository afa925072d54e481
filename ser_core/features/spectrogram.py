"""The waveform and time-frequency representations for plots: arrays with axes in Hz and seconds.

Frames have 2,048 samples and a hop of 512 (longer for long clips, for at most about 400 frames). The features that
models use are in `mean180`, `functionals` and `frames`.
"""

import librosa
import numpy as np

from ser_core.features.mean180 import HOP, N_FFT, N_MELS, N_MFCC

MAX_FRAMES = 400  # more cannot be distinguished on a screen
NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
VOICE_FLOOR_DB = -40.0  # below the loudest frame: quieter frames are noise or reverberation, with arbitrary notes
CONTRAST_EDGES_HZ = (0, 200, 400, 800, 1600, 3200, 6400, 10_000)


def envelope(samples: np.ndarray, rate: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lowest and the highest sample of each short segment.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    columns : int > 0
        About how many segments; at most twice as many.

    Returns
    -------
    low, high : np.ndarray [shape=(segments,)]
    seconds : np.ndarray [shape=(segments,)]
        Where each segment begins.
    """
    length = max(1, len(samples) // columns)
    segments = samples[: len(samples) // length * length].reshape(-1, length)
    return segments.min(axis=1), segments.max(axis=1), np.arange(len(segments)) * length / rate


def stft_decibels(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The magnitude of the short-time Fourier transform, as the maximum of each two neighbouring frequency bins.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    decibels : np.ndarray [shape=(512, frames)]
        0 dB is a sine at full scale; -180 dB or less counts as -180.
    hz : np.ndarray [shape=(512,)]
        Middle of each row.
    seconds : np.ndarray [shape=(frames,)]
        Middle of each frame.
    """
    magnitude, seconds = _magnitude(samples, rate)
    pairs = magnitude[:-1].reshape(N_FFT // 4, 2, -1).max(axis=1)
    full_scale = librosa.filters.get_window("hann", N_FFT).sum() / 2
    decibels = 20 * np.log10(np.maximum(pairs / full_scale, 1e-9))
    hz = (2 * np.arange(N_FFT // 4) + 0.5) * rate / N_FFT
    return decibels, hz, seconds


def share_above(samples: np.ndarray, rate: int, hz: float) -> float:
    """The share of a sound's energy that lies above a frequency.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    hz : float

    Returns
    -------
    float
        From 0 to 1; 0 for silence.
    """
    power = np.square(np.abs(np.fft.rfft(samples)))
    total = power.sum()
    return float(power[np.fft.rfftfreq(len(samples), 1 / rate) > hz].sum() / total) if total else 0.0


def mel_band_hz(rate: int, n_mels: int = N_MELS) -> np.ndarray:
    """Centre frequencies of the mel bands.

    Parameters
    ----------
    rate : int > 0, Hz
    n_mels : int > 0
        Number of bands.

    Returns
    -------
    np.ndarray [shape=(n_mels,)]
        In Hz.
    """
    return librosa.mel_frequencies(n_mels + 2, fmax=rate / 2)[1:-1]


def mel_decibels(
    samples: np.ndarray, rate: int, reference: float | None = None, n_mels: int = N_MELS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mel spectrogram.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    reference : float, optional
        Power at 0 dB, as `mel_peak` returns it; by default, the peak of this clip.
    n_mels : int > 0
        Number of bands.

    Returns
    -------
    decibels : np.ndarray [shape=(n_mels, frames)]
        Floored at 80 dB below the loudest cell.
    hz : np.ndarray [shape=(n_mels,)]
        Centre of each band.
    seconds : np.ndarray [shape=(frames,)]
        Middle of each frame.
    """
    power, seconds = _mel_power(samples, rate, n_mels)
    decibels = librosa.power_to_db(power, ref=np.max if reference is None else reference)
    hz = mel_band_hz(rate, n_mels)
    return decibels, hz, seconds


def mel_peak(samples: np.ndarray, rate: int, n_mels: int = N_MELS) -> float:
    """The highest power in a mel spectrogram.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    n_mels : int > 0
        Number of bands.

    Returns
    -------
    float
    """
    return float(_mel_power(samples, rate, n_mels)[0].max())


def mfcc(samples: np.ndarray, rate: int, n_mfcc: int = N_MFCC, n_mels: int = N_MELS) -> tuple[np.ndarray, np.ndarray]:
    """Mel-frequency cepstral coefficients (MFCC); by default the 40 of which `mean180` has the time means.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    n_mfcc : int > 0
        Number of coefficients; there are no more than bands.
    n_mels : int > 0
        Number of mel bands.

    Returns
    -------
    coefficients : np.ndarray [shape=(min(n_mfcc, n_mels), frames)]
        In dB: the discrete cosine transform of a mel spectrum in dB. The first is the overall level.
    seconds : np.ndarray [shape=(frames,)]
        Middle of each frame.
    """
    power, seconds = _mel_power(samples, rate, n_mels)
    return librosa.feature.mfcc(S=librosa.power_to_db(power), n_mfcc=min(n_mfcc, n_mels)), seconds


def chroma(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The strength of each of the 12 notes, all octaves together, at concert pitch (A is 440 Hz).

    The chroma features of `mean180` are tuned to each clip first.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    strength : np.ndarray [shape=(12, frames)]
        From C to B; 1 for the strongest note of a frame. NaN in frames that are 40 dB or more below the loudest.
    seconds : np.ndarray [shape=(frames,)]
        Middle of each frame.
    """
    magnitude, seconds = _magnitude(samples, rate)
    power = np.square(magnitude)
    strength = librosa.feature.chroma_stft(S=power, sr=rate, tuning=0.0)
    strength[:, _is_quiet(power)] = np.nan
    return strength, seconds


def contrast(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectral contrast: the level of the strongest 2% of a band's frequencies above its weakest 2%.

    Frequencies above 10,000 Hz are excluded: resampling to 22,050 Hz removes the highest of them, which would distort
    the contrast of librosa's seventh band.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int >= 20,000, Hz

    Returns
    -------
    decibels : np.ndarray [shape=(7, frames)]
        Of the bands between `CONTRAST_EDGES_HZ`. NaN in frames that are 40 dB or more below the loudest.
    seconds : np.ndarray [shape=(frames,)]
        Middle of each frame.

    References
    ----------
    Jiang et al. 2002, "Music type classification by spectral contrast feature".
    """
    magnitude, seconds = _magnitude(samples, rate)
    hz = librosa.fft_frequencies(sr=rate, n_fft=N_FFT)
    kept = hz <= CONTRAST_EDGES_HZ[-1]
    # librosa returns 10 log10 of a ratio of magnitudes, which is half of its value in dB.
    decibels = 2 * librosa.feature.spectral_contrast(S=magnitude[kept], freq=hz[kept], sr=rate)
    decibels[:, _is_quiet(np.square(magnitude))] = np.nan
    return decibels, seconds


def _is_quiet(power: np.ndarray) -> np.ndarray:
    """Frames that are too far below the loudest one to contain voice."""
    loudness = power.sum(axis=0)
    return loudness <= loudness.max() * 10 ** (VOICE_FLOOR_DB / 10)


def _magnitude(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """|STFT| [shape=(1025, frames)] and the middle of each frame in seconds. Clips shorter than a frame are padded."""
    hop = max(HOP, -(-len(samples) // MAX_FRAMES))
    padded = np.pad(samples, (0, max(0, N_FFT - len(samples))))
    magnitude = np.abs(librosa.stft(padded, n_fft=N_FFT, hop_length=hop))
    return magnitude, np.arange(magnitude.shape[1]) * hop / rate


def _mel_power(samples: np.ndarray, rate: int, n_mels: int) -> tuple[np.ndarray, np.ndarray]:
    magnitude, seconds = _magnitude(samples, rate)
    return librosa.feature.melspectrogram(S=np.square(magnitude), sr=rate, n_mels=n_mels), seconds
