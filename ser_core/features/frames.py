"""Network inputs of fixed shape: log-mel frames, and a sequence of MFCC and chroma."""

from functools import cache

import librosa
import numpy as np

from ser_core.features import mean180
from ser_core.features.mean180 import SAMPLE_RATE

FRAMES, BANDS = 192, 64  # frames of 512 samples: 4.5 s, as long as nine in ten clips
MAX_HZ = 8000
FLOOR_DB = -80.0  # the background noise of a room is louder
SEQUENCE_STEP = 2  # frames that are averaged: neighbours overlap by three quarters
SEQUENCE_LENGTH = FRAMES // SEQUENCE_STEP


def frames(samples: np.ndarray) -> np.ndarray:
    """Log-mel frames around the centre of the voice; longer clips are cropped, shorter ones padded.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(192, 64)]
        In dB, at least -80.
    """
    mel = librosa.feature.melspectrogram(
        S=np.square(mean180.magnitude_spectrogram(samples, np.float32)).T, sr=SAMPLE_RATE, n_mels=BANDS, fmax=MAX_HZ
    )
    decibels = np.maximum(librosa.power_to_db(mel, top_db=None), FLOOR_DB).T
    return around_the_voice(decibels, mel.sum(axis=0), FRAMES, FLOOR_DB)


@cache
def band_centres_hz(bands: int = BANDS) -> np.ndarray:
    """Centre frequencies of the mel bands of `frames`.

    Parameters
    ----------
    bands : int > 0

    Returns
    -------
    np.ndarray [shape=(bands,)]
        In Hz.
    """
    return librosa.mel_frequencies(bands + 2, fmin=0, fmax=MAX_HZ)[1:-1]


def sequence(samples: np.ndarray) -> np.ndarray:
    """40 MFCC and 12 chroma around the centre of the voice, averaged over pairs of frames.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(96, 52)]
        Shorter clips are padded with zeros at the end, which networks mask.
    """
    magnitude = mean180.magnitude_spectrogram(samples, np.float32)
    mel = mean180.mel_spectrogram(magnitude)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=mean180.N_MFCC)
    chroma = librosa.feature.chroma_stft(S=magnitude.T, sr=SAMPLE_RATE, tuning=0.0)
    both = np.concatenate([mfcc, chroma]).T
    short = both[: len(both) - len(both) % SEQUENCE_STEP].reshape(-1, SEQUENCE_STEP, both.shape[1]).mean(axis=1)
    if len(short) > SEQUENCE_LENGTH:
        return around_the_voice(short, mel.sum(axis=0)[::SEQUENCE_STEP][: len(short)], SEQUENCE_LENGTH, 0.0)
    return np.pad(short, ((0, SEQUENCE_LENGTH - len(short)), (0, 0)))


def around_the_voice(values: np.ndarray, power: np.ndarray, length: int, fill: float) -> np.ndarray:
    """Frames around the centre of their power; fewer than `length` are padded at both ends.

    Parameters
    ----------
    values : np.ndarray [shape=(n, d)]
    power : np.ndarray [shape=(n,)]
        Of each frame.
    length : int
    fill : float
        The value of padding.

    Returns
    -------
    np.ndarray [shape=(length, d)]
    """
    missing = length - len(values)
    if missing >= 0:
        return np.pad(values, ((missing // 2, missing - missing // 2), (0, 0)), constant_values=fill)
    centre = round(float(np.average(np.arange(len(power)), weights=power + 1e-12)))
    start = min(max(centre - length // 2, 0), -missing)
    return values[start : start + length]
