"""Sounds in which nobody speaks: what is recorded by mistake, and what a model must not name an emotion of."""

from collections.abc import Callable

import numpy as np
import scipy

SECONDS = 3.0
PEAK = 0.5  # of full scale


def make(kind: str, rate: int, seed: int = 0) -> np.ndarray:
    """Three seconds of a sound without a voice.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    rate : int > 0, Hz
    seed : int
        Decides on pitches, tempos and noise.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32]
        With a peak of 0.5.

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> make("white noise", 22_050).shape
    (66150,)
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is none of the kinds of sound without a voice: {', '.join(KINDS)}")
    random = np.random.default_rng([seed, *kind.encode()])
    samples = KINDS[kind](np.arange(round(SECONDS * rate)) / rate, rate, random)
    return (PEAK * samples / np.abs(samples).max()).astype(np.float32)


def _white_noise(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    return random.normal(size=len(time))


def _pink_noise(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(random.normal(size=len(time)))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return np.fft.irfft(spectrum, len(time))


def _mains_hum(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    mains_hz = random.choice([50.0, 60.0])
    strengths = random.uniform(0.3, 1, 8) / np.arange(1, 9)
    hum = sum(strength * _wave(mains_hz * (place + 1), rate, time) for place, strength in enumerate(strengths))
    return hum + 0.01 * random.normal(size=len(time))


def _tone(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    return _wave(random.uniform(200, 2_000), rate, time)


def _chord(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    """A major chord with overtones that dies away."""
    root_hz = random.uniform(110, 330)
    notes = (root_hz * ratio * overtone for ratio in (1, 5 / 4, 3 / 2) for overtone in (1, 2, 3))
    return sum(_wave(hz, rate, time) * root_hz / hz for hz in notes) * np.exp(-0.7 * time)


def _drums(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    """A low drum on each beat, and noise between them."""
    beat_s = random.uniform(0.35, 0.6)
    since, since_half = time % beat_s, (time + beat_s / 2) % beat_s
    low = np.sin(2 * np.pi * 4 * (1 - np.exp(-15 * since))) * np.exp(-12 * since)
    return low + 0.5 * random.normal(size=len(time)) * np.exp(-25 * since_half)


def _ring_tone(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    """Two notes that alternate quickly, with pauses."""
    low_hz = random.uniform(400, 900)
    hz = np.where(_wave(random.uniform(10, 20), rate, time) > 0, low_hz, 1.25 * low_hz)
    return _wave(hz, rate, time) * (time % 1.5 < 0.9)


def _siren(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    sweep = np.sin(2 * np.pi * random.uniform(0.3, 1.0) * time)
    return _wave(random.uniform(700, 1_000) + 300 * sweep, rate, time)


def _typing(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    """Keys that are hit: short bursts of noise at uneven times, in a quiet room."""
    samples = 0.005 * random.normal(size=len(time))
    length = round(0.03 * rate)
    for start in np.cumsum(random.uniform(0.08, 0.35, 40)):
        place = round(start * rate)
        if place + length > len(time):
            break
        samples[place : place + length] += (
            random.uniform(0.4, 1) * random.normal(size=length) * np.exp(-150 * np.arange(length) / rate)
        )
    return samples


def _wind(time: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    """Low noise that swells and ebbs."""
    sections = scipy.signal.butter(2, random.uniform(200, 500), fs=rate, output="sos")
    gusts = 1.2 + np.sin(2 * np.pi * random.uniform(0.2, 0.6) * time + random.uniform(0, 2 * np.pi))
    return scipy.signal.sosfilt(sections, random.normal(size=len(time))) * gusts


def _wave(hz: float | np.ndarray, rate: int, time: np.ndarray) -> np.ndarray:
    """A sine wave of a frequency that may change with time."""
    return np.sin(2 * np.pi * np.cumsum(np.broadcast_to(hz, time.shape)) / rate)


KINDS: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "white noise": _white_noise,
    "pink noise": _pink_noise,
    "mains hum": _mains_hum,
    "a tone": _tone,
    "a chord": _chord,
    "drums": _drums,
    "a ring tone": _ring_tone,
    "a siren": _siren,
    "typing": _typing,
    "wind": _wind,
}
