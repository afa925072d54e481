"""Recording quality: warnings about what makes a prediction unreliable.

The thresholds come from RAVDESS clips: in none of every second one is the loudest part below -53 dBFS, or is there less
than a second of voice; of 120, none has pauses less than 52 dB below its loudest part, and with white noise 20 dB
below the voice all have pauses 24 to 30 dB below. How loud a recording is, and an offset, are no faults.
"""

from collections.abc import Iterator

import numpy as np

from ser_core.audio import Waveform
from ser_core.audio.level import ACTIVE_RANGE_DB, FRAME_S, frame_levels
from ser_core.audio.measurement import is_clipped

MIN_RANGE_DB = 38.0  # between the loudest part and the pauses
MIN_LEVEL_DBFS = -63.0  # of the loudest part: 10 dB below that of the quietest clip
MIN_VOICED_S = 0.5
# A pause: this many frames of a steady level, close to the lowest of the recording and clearly below the loudest part.
# Of 120 RAVDESS clips whose pauses were cut out one still has such frames, and of 150 of EMO-DB, all without, none.
PAUSE_FRAMES = 5
PAUSE_STEADY_DB = 2.5
PAUSE_ABOVE_LOWEST_DB = 2.0
PAUSE_DEPTH_DB = 10.0
LOWEST = 5  # per cent of the frames


def warnings(waveform: Waveform, *, shortest_s: float, longest_s: float) -> tuple[str, ...]:
    """Warnings about a recording, in plain sentences; none for a recording like the training clips.

    Parameters
    ----------
    waveform : Waveform
    shortest_s, longest_s : float
        Durations of the shortest and the longest training clip, in seconds.

    Returns
    -------
    tuple of str
        The most serious first; the waveform's own warnings come last.
    """
    return (*_faults(waveform, shortest_s, longest_s), *waveform.warnings)


def _faults(waveform: Waveform, shortest_s: float, longest_s: float) -> Iterator[str]:
    level = _levels(waveform.samples, waveform.rate)
    loud, duration = level.max(), waveform.duration_s
    voiced_s = float((level > loud - ACTIVE_RANGE_DB).sum() * FRAME_S)
    if duration < shortest_s / 2:
        yield f"Very short ({duration:.1f} s): the model learned from clips of {shortest_s:.1f} to {longest_s:.1f} s."
    if duration > longest_s:
        yield (
            f"Longer ({duration:.1f} s) than anything the model learned from (at most {longest_s:.1f} s): emotion may "
            "change on the way."
        )
    if loud < MIN_LEVEL_DBFS:
        yield (
            f"Nearly silent (the loudest part is at {loud:.0f} dB of full scale): the answer may describe the silence."
        )
    if voiced_s < MIN_VOICED_S:
        yield f"Hardly any voice in it: about {voiced_s:.1f} s of sound."
    if waveform.is_clipped or is_clipped(waveform.samples, is_8bit=waveform.is_8bit):
        yield "Clipped: the recording was too loud for its device, and cut-off peaks sound like shouting."
    if (pause := _pause_level(level)) is not None and loud - pause < MIN_RANGE_DB:
        yield (
            f"Noisy: only {loud - pause:.0f} dB lie between the voice and the pauses, and noise sounds like breath or "
            "energy. Speak closer to the microphone, or in a quieter room."
        )
    if waveform.is_8bit:
        yield "Saved in 8 bits: such a file has only 256 steps of loudness, which adds a hiss. Save it in 16 bits."


def _levels(samples: np.ndarray, rate: int) -> np.ndarray:
    """The level of each frame, without the offset of the samples."""
    return frame_levels(samples, rate, offset=samples.mean(dtype=np.float64))


def _pause_level(level: np.ndarray) -> float | None:
    """The level of the quietest pause; None if there is none, so that noise cannot be told from the voice."""
    if len(level) < PAUSE_FRAMES:
        return None
    stretches = np.lib.stride_tricks.sliding_window_view(level, PAUSE_FRAMES)
    means = stretches.mean(axis=1)
    lowest = np.percentile(level, LOWEST)
    is_pause = (np.ptp(stretches, axis=1) <= PAUSE_STEADY_DB) & (means <= lowest + PAUSE_ABOVE_LOWEST_DB)
    is_pause &= means <= level.max() - PAUSE_DEPTH_DB
    return float(means[is_pause].min()) if is_pause.any() else None
