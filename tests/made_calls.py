"""Calls made of clips of two speakers, whose turns are known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.signal

from ser_core import audio
from ser_core.audio.conditions import get
from ser_core.audio.level import active_level

RATE = 22_050
FRAME_S = 0.046
BAND_HZ = 300, 3_400
QUIET_DB = 35.0  # below the loudest frame, a voice has not begun or has ended
MARGIN_S = 0.05  # of the clip that is kept before and after its voice
PAUSE_S = 0.4, 1.5
NOISE_DB = 50.0  # below the voices


def voice_ends_s(samples: np.ndarray, rate: int = RATE) -> tuple[float, float]:
    """Where the voice of a clip begins and ends: 35 dB below its loudest 46 ms, in the band of a telephone.

    Outside of that band some clips of RAVDESS hum so loudly that their voice would never end.
    """
    samples = scipy.signal.sosfiltfilt(scipy.signal.butter(4, BAND_HZ, "bandpass", fs=rate, output="sos"), samples)
    size, hop = int(FRAME_S * rate), int(0.01 * rate)
    power = np.convolve(np.square(samples, dtype=np.float64), np.ones(size) / size, "valid")[::hop]
    loud = np.flatnonzero(power > power.max() * 10 ** (-QUIET_DB / 10))
    return float(loud[0] * hop / rate), float((loud[-1] * hop + size) / rate)


def call(
    files: Sequence[Path], seed: int = 0, condition: str | None = "telephone", noise_db: float = NOISE_DB
) -> tuple[np.ndarray, pd.DataFrame]:
    """Clips one after the other with pauses between them, over a line that is not quite silent.

    Parameters
    ----------
    files : sequence of Path
    seed : int
        Of the pauses and the noise.
    condition : str, optional
        In which all of it is heard.
    noise_db : float
        How far below the voices the noise is.

    Returns
    -------
    samples : np.ndarray [shape=(n,), dtype=float32]
        At 22,050 Hz.
    turns : pd.DataFrame
        `start_s`, `end_s`, one row a clip.
    """
    random = np.random.default_rng(seed)
    pieces, turns, at = [np.zeros(RATE // 2)], [], RATE // 2
    margin = int(MARGIN_S * RATE)
    for file in files:
        samples = audio.load(file, rate=RATE).samples
        start, end = (round(time * RATE) for time in voice_ends_s(samples))
        piece = samples[max(0, start - margin) : end + margin]
        begins = at + start - max(0, start - margin)
        turns.append((begins / RATE, (begins + end - start) / RATE))
        pause = np.zeros(round(random.uniform(*PAUSE_S) * RATE) - 2 * margin)
        pieces += [piece, pause]
        at += len(piece) + len(pause)
    samples = np.concatenate(pieces)
    noise = random.normal(size=len(samples)) * 10 ** ((active_level(samples, RATE) - noise_db) / 20)
    samples = (samples + noise).astype(np.float32)
    if condition:
        samples = get(condition).apply(samples, RATE, seed=seed)
    return samples, pd.DataFrame(turns, columns=["start_s", "end_s"])


def found(turns: pd.DataFrame, true: pd.DataFrame, within_s: float = 0.3) -> np.ndarray:
    """Whether each true turn is one of the turns that were found, with both ends within a time."""
    starts, ends = (
        np.abs(np.subtract.outer(true[column].to_numpy(), turns[column].to_numpy())) for column in ("start_s", "end_s")
    )
    return ((starts <= within_s) & (ends <= within_s)).any(axis=1)
