"""Speaker perturbation: copies of a clip in two other voices, against overfitting to the training speakers.

One copy has a longer vocal tract and is lower and slower, the other has a shorter one and is higher and faster (Praat's
"Change gender", which is based on PSOLA).
"""

import numpy as np
import parselmouth
from parselmouth.praat import call, run

from ser_core.features import functionals, prosody

VERSION = "voices-1"  # Stored with every run: raise it with any change of the numbers below.
OTHERS = ((0.93, 0.9, 1.05), (1.07, 1.12, 0.95))  # factors of formants, pitch and duration


def copies(samples: np.ndarray) -> list[np.ndarray]:
    """A clip and its perturbed copies.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    list of np.ndarray [shape=(m,), dtype=float32]
        The original first; lengths differ.
    """
    return [samples, *(perturb(samples, *other) for other in OTHERS)]


def perturb(
    samples: np.ndarray, formants: float, pitch: float, duration: float, pitch_range: float = 1.0
) -> np.ndarray:
    """Change the voice of a clip.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.
    formants, pitch, duration : float > 0
        Factors.
    pitch_range : float >= 0
        Factor of the distance of each moment's pitch from the median.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32]
        A clip without voiced frames is returned unchanged.
    """
    hz, _ = prosody.pitch(samples, functionals.SAMPLE_RATE)
    if np.isnan(hz).all():
        return samples
    sound = parselmouth.Sound(samples.astype(np.float64), functionals.SAMPLE_RATE)
    low, high = prosody.PITCH_FLOOR_HZ, prosody.PITCH_CEILING_HZ
    run("random_initializeWithSeedUnsafelyButPredictably(0)")  # Praat draws the noise of unvoiced frames
    changed = call(sound, "Change gender", low, high, formants, np.nanmedian(hz) * pitch, pitch_range, duration)
    return changed.values[0].astype(np.float32)
