"""What if it were said, or recorded, differently: a clip with another pitch, pace, brightness or recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser_core.audio import conditions
from ser_core.audio.level import active_level, at_level
from ser_core.errors import AudioError
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.features.speaker_perturbation import perturb

# What Praat changes without breaking the voice up, and what a voice can do.
BOUNDS = {
    "pitch_semitones": (-12.0, 12.0),
    "pitch_range": (0.0, 3.0),
    "pace": (0.5, 2.0),
    "brightness_db": (-12.0, 12.0),
}


@dataclass(frozen=True)
class Changes:
    """How a clip is changed; the defaults change nothing.

    Parameters
    ----------
    pitch_semitones : float
        Upwards, of the whole clip.
    pitch_range : float
        Factor of the distance of each moment's pitch from the median; 0 is a monotone.
    pace : float
        Factor: 2 is twice as fast. Pitch stays.
    brightness_db : float
        Treble, in dB an octave; below 0 it is duller.
    condition : str
        Key of `audio.conditions`, or empty: as it is.

    Raises
    ------
    AudioError
        If a value is out of `BOUNDS`, or there is no such condition.
    """

    pitch_semitones: float = 0.0
    pitch_range: float = 1.0
    pace: float = 1.0
    brightness_db: float = 0.0
    condition: str = ""

    def __post_init__(self):
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise AudioError(f"{name} is {getattr(self, name)}: choose a number from {least:g} to {most:g}")
        if self.condition:
            conditions.get(self.condition)


UNCHANGED = Changes()


def changed(samples: np.ndarray, changes: Changes, *, voices: Sequence[np.ndarray] = (), seed: int = 0) -> np.ndarray:
    """A clip as it sounds after some changes: first of the voice, then of the recording.

    The level of the voice is kept, unless the recording condition changes it. The same call gives the same samples.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.
    changes : Changes
    voices : sequence of np.ndarray [shape=(n,)]
        Clips of other speakers at the same rate; conditions with babble need one or more.
    seed : int
        Of what the recording condition draws.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32]
        If nothing is to be changed, the samples themselves. Without voiced frames, pitch, its range and the pace stay.

    Raises
    ------
    AudioError
        If the condition has babble and there are no other voices.

    Examples
    --------
    >>> from ser_core.corpus import synthetic
    >>> samples = synthetic.speak("happy", actor=1)
    >>> round(len(changed(samples, Changes(pace=1.25))) / len(samples), 2)
    0.8
    """
    result = samples
    if (changes.pitch_semitones, changes.pitch_range, changes.pace) != (0, 1, 1):
        result = perturb(result, 1.0, 2 ** (changes.pitch_semitones / 12), 1 / changes.pace, changes.pitch_range)
    if changes.brightness_db:
        result = conditions.tilted(changes.brightness_db).apply(result, SAMPLE_RATE)
    if result is not samples and np.any(result):
        result = at_level(result, SAMPLE_RATE, active_level(samples, SAMPLE_RATE)).astype(np.float32)
    if changes.condition:
        result = conditions.get(changes.condition).apply(result, SAMPLE_RATE, seed=seed, voices=voices)
    return result
