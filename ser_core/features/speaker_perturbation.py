"""A clip in other voices, for a model to learn from beside the clip itself, so that it knows fewer voices by heart.

Praat says the clip again with a longer vocal tract, lower and slower, and with a shorter one, higher and faster (its
"Change gender", by PSOLA). A model is asked about the clip alone.
"""

import numpy as np
import parselmouth
from parselmouth.praat import call

from ser_core.features import functionals, prosody

VERSION = "voices-1"  # Raise it with any change of the numbers below, and with `functionals.VERSION`.
OTHERS = ((0.93, 0.9, 1.05), (1.07, 1.12, 0.95))  # formants, pitch and duration, times the clip's own


def extract(samples: np.ndarray) -> np.ndarray:
    """The functionals of a clip, and of the same in other voices.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(1 + len(OTHERS), len(functionals.NAMES)), dtype=float32]
        The clip's own first.
    """
    return np.stack([functionals.extract(said) for said in (samples, *(say(samples, *other) for other in OTHERS))])


def say(samples: np.ndarray, formants: float, pitch: float, duration: float) -> np.ndarray:
    """A clip [shape=(n,), 22,050 Hz] in another voice. What has no pitch is given back as it is."""
    hz, _ = prosody.pitch(samples, functionals.SAMPLE_RATE)
    if np.isnan(hz).all():
        return samples
    sound = parselmouth.Sound(samples.astype(np.float64), functionals.SAMPLE_RATE)
    low, high = prosody.PITCH_FLOOR_HZ, prosody.PITCH_CEILING_HZ
    said = call(sound, "Change gender", low, high, formants, np.nanmedian(hz) * pitch, 1.0, duration)
    return said.values[0].astype(np.float32)
