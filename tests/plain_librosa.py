"""The study's features as three plain librosa calls give them: what `ser_core.features.mean180` is held against."""

import librosa
import numpy as np


def features(samples: np.ndarray, rate: int = 22_050) -> np.ndarray:
    """40 MFCC, 12 chroma and 128 mel means [shape=(180,)]."""
    magnitude = np.abs(librosa.stft(samples))
    return np.hstack(
        [
            librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=40).mean(axis=1),
            librosa.feature.chroma_stft(S=magnitude, sr=rate).mean(axis=1),
            librosa.feature.melspectrogram(y=samples, sr=rate).mean(axis=1),
        ]
    )


def assert_same(ours: np.ndarray, samples: np.ndarray) -> None:
    """Equal to 1e-4. An MFCC is a sum of 128 terms of up to 100 dB, so near 0 it is known to 1e-5 dB in float32."""
    np.testing.assert_allclose(ours, features(samples), rtol=1e-4, atol=2e-5)
