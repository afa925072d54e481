"""How loud a voice is in a recording: by the frames in which somebody speaks, so that pauses do not count."""

import numpy as np

FRAME_S = 0.05
ACTIVE_RANGE_DB = 25.0  # frames that far below the loudest one, or more, count as pause
FLOOR_DBFS = -180.0  # of digital silence
BLOCK = 500  # frames at a time, which bounds the memory that a long recording takes


def frame_levels(samples: np.ndarray, rate: int, *, offset: float = 0.0) -> np.ndarray:
    """The level of each 50 ms; what is left over at the end is dropped, unless it is all.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Full scale is -1 to 1.
    rate : int > 0, Hz
    offset : float
        Taken away from each sample.

    Returns
    -------
    np.ndarray [shape=(frames,)]
        Decibels of full scale, at least -180.
    """
    length = max(1, min(int(FRAME_S * rate), len(samples)))
    frames = samples[: len(samples) // length * length].reshape(-1, length)
    blocks = np.split(frames, range(BLOCK, len(frames), BLOCK))
    power = np.concatenate([np.square(block - offset, dtype=np.float64).mean(axis=1) for block in blocks])
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10)))


def active_level(samples: np.ndarray, rate: int, *, offset: float = 0.0) -> float:
    """The level of the voice: the mean power of the frames within 25 dB of the loudest one.

    It is what ITU-T P.56 calls the active speech level, with frames instead of P.56's envelope.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Full scale is -1 to 1.
    rate : int > 0, Hz
    offset : float
        Taken away from each sample.

    Returns
    -------
    float
        Decibels of full scale.

    References
    ----------
    ITU-T Recommendation P.56 (2011), Objective measurement of active speech level.

    Examples
    --------
    A pause does not make a tone less loud:

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8_000) / 8_000)
    >>> round(active_level(tone, 8_000), 1), round(active_level(np.append(tone, np.zeros(8_000)), 8_000), 1)
    (-3.0, -3.0)
    """
    levels = frame_levels(samples, rate, offset=offset)
    active = levels[levels > levels.max() - ACTIVE_RANGE_DB]
    return float(10 * np.log10(np.mean(10 ** (active / 10))))


def at_level(samples: np.ndarray, rate: int, dbfs: float) -> np.ndarray:
    """The samples, scaled so that the voice has this level.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Full scale is -1 to 1.
    rate : int > 0, Hz
    dbfs : float
        The active level, in decibels of full scale.

    Returns
    -------
    np.ndarray [shape=(n,)]
    """
    return samples * gain_to(samples, rate, dbfs)


def gain_to(samples: np.ndarray, rate: int, dbfs: float) -> float:
    """The factor by which samples are scaled so that the voice has this level.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Full scale is -1 to 1.
    rate : int > 0, Hz
    dbfs : float
        The active level, in decibels of full scale.

    Returns
    -------
    float
    """
    return 10 ** ((dbfs - active_level(samples, rate)) / 20)
