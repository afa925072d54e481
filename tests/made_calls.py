"""Calls made of clips of two speakers, whose turns are known."""

import numpy as np
import pandas as pd
import scipy.signal

from ser_core import audio
from ser_core.audio.conditions import get
from ser_core.audio.level import active_level
from ser_core.corpus import Corpus

RATE = 22_050
TURNS = 32
FRAME_S = 0.046
BAND_HZ = 300, 3_400
QUIET_DB = 35.0  # below the loudest frame, a voice has not begun or has ended
MARGIN_S = 0.05  # of the clip that is kept before and after its voice
PAUSE_S = 0.4, 1.5
NOISE_DB = 50.0  # below the voices
WITHIN_S = 0.3


def voice_ends_s(samples: np.ndarray) -> tuple[float, float]:
    """Where the voice of a clip begins and ends: 35 dB below its loudest 46 ms, in the band of a telephone.

    Outside of that band some clips of RAVDESS hum so loudly that their voice would never end.
    """
    sections = scipy.signal.butter(4, BAND_HZ, "bandpass", fs=RATE, output="sos")
    power = np.square(scipy.signal.sosfiltfilt(sections, samples))
    size, hop = int(FRAME_S * RATE), int(0.01 * RATE)
    frames = np.convolve(power, np.ones(size) / size, "valid")[::hop]
    loud = np.flatnonzero(frames > frames.max() * 10 ** (-QUIET_DB / 10))
    return float(loud[0] * hop / RATE), float((loud[-1] * hop + size) / RATE)


def call(
    found: Corpus, speakers: tuple[str, str], seed: int, *, condition: str = "telephone", noise_db: float = NOISE_DB
) -> tuple[np.ndarray, pd.DataFrame]:
    """Spoken clips of two speakers in turn, drawn at random, with pauses, over a line that is not quite silent.

    Parameters
    ----------
    found : Corpus
    speakers : tuple of str
    seed : int
        Of the clips, the pauses and the noise.
    condition : str
        In which all of it is heard.
    noise_db : float
        How far below the voices the noise is.

    Returns
    -------
    samples : np.ndarray [shape=(n,), dtype=float32]
        At 22,050 Hz.
    turns : pd.DataFrame
        The row of each clip, with `start_s` and `end_s` in the call.
    """
    random, margin = np.random.default_rng(seed), int(MARGIN_S * RATE)
    speech = found.clips[found.clips["channel"] == "speech"]
    drawn = [speech[speech["speaker"] == speaker].sample(TURNS // 2, random_state=seed) for speaker in speakers]
    rows = [row for pair in zip(*(of.to_dict("records") for of in drawn), strict=True) for row in pair]
    pieces, turns, at = [np.zeros(RATE // 2)], [], RATE // 2
    for row in rows:
        clip = audio.load(found.folder / row["path"], rate=RATE).samples
        start, end = (round(time * RATE) for time in voice_ends_s(clip))
        piece = clip[max(0, start - margin) : end + margin]
        pause = np.zeros(round(random.uniform(*PAUSE_S) * RATE) - 2 * margin)
        begins = at + min(start, margin)
        turns.append(row | {"start_s": begins / RATE, "end_s": (begins + end - start) / RATE})
        pieces += [piece, pause]
        at += len(piece) + len(pause)
    samples = np.concatenate(pieces)
    noise = random.normal(size=len(samples)) * 10 ** ((active_level(samples, RATE) - noise_db) / 20)
    return get(condition).apply(samples + noise, RATE, seed=seed), pd.DataFrame(turns)


def match(heard_s: np.ndarray, true: pd.DataFrame) -> np.ndarray:
    """For each true turn, which of those heard begins and ends within 0.3 s of it; -1 if none does.

    Parameters
    ----------
    heard_s : np.ndarray [shape=(n, 2)], s
    true : pd.DataFrame
        As `call` gives it.

    Returns
    -------
    np.ndarray [shape=(turns,), dtype=int]
    """
    farthest = np.abs(true[["start_s", "end_s"]].to_numpy()[:, np.newaxis] - heard_s).max(axis=2)
    return np.where(farthest.min(axis=1) <= WITHIN_S, farthest.argmin(axis=1), -1)
