"""A pure tone: a sine wave."""

import numpy as np

from ser_core.audio.waveform import DEFAULT_RATE

FADE_S = 0.02  # at both ends: a tone that begins at once begins with a click


def sine(
    hz: float, amplitude: float, phase_deg: float = 0.0, *, seconds: float = 1.0, rate: int = DEFAULT_RATE
) -> np.ndarray:
    """`amplitude * sin(2 * pi * hz * t + phase)`.

    Parameters
    ----------
    hz : float > 0
    amplitude : float
        Full scale is 1.
    phase_deg : float
        In degrees: 360 are one period.
    seconds : float > 0
    rate : int > 0, Hz

    Returns
    -------
    np.ndarray [shape=(round(seconds * rate),), dtype=float32]
    """
    times = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * times + np.deg2rad(phase_deg))).astype(np.float32)


def faded(samples: np.ndarray, rate: int = DEFAULT_RATE) -> np.ndarray:
    """Samples that begin and end softly, over `FADE_S` seconds.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32]
    """
    from_end = np.minimum(np.arange(len(samples)), np.arange(len(samples))[::-1])
    return (samples * np.minimum(1.0, from_end / (FADE_S * rate))).astype(np.float32)
