"""Recording quality: warnings about what makes a prediction unreliable.

The thresholds come from every second RAVDESS clip: in none of them are the pauses less than 41 dB below the loudest
part, is the loudest part below -53 dBFS, or is there less than a second of voice. A clip beyond a threshold is unlike
all training clips.
"""

from collections.abc import Iterator

import numpy as np

from ser_core.audio import Waveform

FRAME_S = 0.05
MIN_RANGE_DB = 38.0  # between the loudest part and the pauses
MIN_LEVEL_DBFS = -55.0  # of the loudest part
MIN_VOICED_S = 0.5
VOICED_RANGE_DB = 25.0  # frames so far below the loudest part count as pauses
CLIPPED_SHARE = 0.002  # of samples within 2 % of the peak; the most in RAVDESS is 0.0013
CLIPPED_PEAK = 0.3  # a recorder does not clip below this peak


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
    level = _frame_levels(waveform.samples, waveform.rate)
    loud, quiet = level.max(), np.percentile(level, 10)
    voiced_s = float((level > loud - VOICED_RANGE_DB).sum() * FRAME_S)
    duration, samples = waveform.duration_s, np.abs(waveform.samples)
    if duration < shortest_s / 2:
        yield f"Very short ({duration:.1f} s): the model learned from clips of {shortest_s:.1f} to {longest_s:.1f} s."
    if duration > longest_s:
        yield (
            f"Longer ({duration:.1f} s) than anything the model learned from (at most {longest_s:.1f} s): emotion may "
            "change on the way, so read the timeline rather than the one answer."
        )
    if loud < MIN_LEVEL_DBFS:
        yield (
            f"Nearly silent (the loudest part is at {loud:.0f} dB of full scale): the answer may describe the silence."
        )
    if voiced_s < MIN_VOICED_S:
        yield f"Hardly any voice in it: about {voiced_s:.1f} s of sound."
    if samples.max() > CLIPPED_PEAK and np.mean(samples > 0.98 * samples.max()) > CLIPPED_SHARE:
        yield "Clipped: the recording was too loud for its device, and cut-off peaks sound like shouting."
    if loud - quiet < MIN_RANGE_DB:
        yield (
            f"Noisy: only {loud - quiet:.0f} dB lie between the voice and the pauses, and noise sounds like breath or "
            "energy. Speak closer to the microphone, or in a quieter room."
        )


def is_nearly_silent(samples: np.ndarray, rate: int) -> bool:
    """Whether the loudest part is quieter than that of any RAVDESS clip.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz

    Returns
    -------
    bool
    """
    return bool(_frame_levels(samples, rate).max() < MIN_LEVEL_DBFS)


def _frame_levels(samples: np.ndarray, rate: int) -> np.ndarray:
    """RMS level of each 50 ms frame in dBFS. An incomplete last frame is dropped, unless it is the only one."""
    length = min(int(FRAME_S * rate), len(samples))
    frames = samples[: len(samples) // length * length].reshape(-1, length)
    return 10 * np.log10(np.maximum(np.square(frames, dtype=np.float64).mean(axis=1), 1e-18))
