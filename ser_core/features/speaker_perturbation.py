"""Speaker perturbation: a clip as two other people might say it, so that a model learns fewer voices by heart.

Praat says the clip again with a longer vocal tract, lower and slower, and with a shorter one, higher and faster (its
"Change gender", by PSOLA).
"""

import numpy as np
import parselmouth
from parselmouth.praat import call

from ser_core.features import functionals, prosody

VERSION = "voices-1"  # Part of every run: raise it with any change of the numbers below.
OTHERS = ((0.93, 0.9, 1.05), (1.07, 1.12, 0.95))  # formants, pitch and duration, times the clip's own


def copies(samples: np.ndarray) -> list[np.ndarray]:
    """A clip's samples [shape=(n,), 22,050 Hz] and those of its perturbed copies, the original first."""
    return [samples, *(perturb(samples, *other) for other in OTHERS)]


def perturb(samples: np.ndarray, formants: float, pitch: float, duration: float) -> np.ndarray:
    """A clip in another voice.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.
    formants, pitch, duration : float > 0
        Times the clip's own.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32]
        A clip without pitch comes back unchanged.
    """
    hz, _ = prosody.pitch(samples, functionals.SAMPLE_RATE)
    if np.isnan(hz).all():
        return samples
    sound = parselmouth.Sound(samples.astype(np.float64), functionals.SAMPLE_RATE)
    low, high = prosody.PITCH_FLOOR_HZ, prosody.PITCH_CEILING_HZ
    said = call(sound, "Change gender", low, high, formants, np.nanmedian(hz) * pitch, 1.0, duration)
    return said.values[0].astype(np.float32)
