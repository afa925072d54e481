"""Pictures of sound: the mel spectrogram."""

import librosa
import numpy as np

from ser_core.features.study import HOP, N_FFT, N_MELS

MAX_FRAMES = 400  # more cannot be told apart on a screen


def mel_decibels(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mel spectrogram of at most 400 frames, for looking at.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    decibels : np.ndarray [shape=(128, frames)]
        0 dB is the loudest cell, -80 dB the floor.
    hz : np.ndarray [shape=(128,)]
        Centre of each band.
    seconds : np.ndarray [shape=(frames,)]
    """
    hop = max(HOP, -(-len(samples) // MAX_FRAMES))
    power = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=N_FFT, hop_length=hop, n_mels=N_MELS)
    decibels = librosa.power_to_db(power, ref=np.max)
    hz = librosa.mel_frequencies(N_MELS + 2, fmax=rate / 2)[1:-1]
    return decibels, hz, np.arange(decibels.shape[1]) * hop / rate
