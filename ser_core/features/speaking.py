"""How somebody speaks in a clip, in what a listener notices: pitch, loudness, pace, pauses, brightness and roughness.

None of it changes with the level of the recording. Brightness also changes with the microphone.
"""

from dataclasses import dataclass

import librosa
import numpy as np
import parselmouth
import scipy

from ser_core.audio.level import ACTIVE_RANGE_DB
from ser_core.features import prosody
from ser_core.features.functionals import HOP, MIN_FRAMES, N_FFT, harmonics_to_noise, trimmed
from ser_core.features.mean180 import SAMPLE_RATE, magnitude_spectrogram

VERSION = "speaking-1"  # Stored with every table: raise it with any change of the numbers below.
SYLLABLE_DB = 2.0  # between two syllables the level falls by that much, or more
SMOOTHED_BY_HZ = 50.0  # the lowest pitch whose periods do not show in the level
BRIGHT_HZ = (50.0, 1_000.0, 5_000.0)  # brightness compares the energy above the second with that below
NO_RATIO = 1e-10  # keeps the ratio of two energies finite


@dataclass(frozen=True)
class Measure:
    """One thing that a listener notices.

    Parameters
    ----------
    name : str
        The column in a table.
    title : str
    unit : str
        A format of a value, e.g. "{:.0f} Hz".
    more, less : str
        What a clip with a higher, or a lower, value is, e.g. "higher".
    note : str
        How it is measured.
    """

    name: str
    title: str
    unit: str
    more: str
    less: str
    note: str

    def said(self, value: float) -> str:
        """A value in words.

        Parameters
        ----------
        value : float

        Returns
        -------
        str

        Examples
        --------
        >>> BY_NAME["pitch_range_st"].said(3.24).split()
        ['3.2', 'semitones']
        """
        words = self.unit.format(100 * value if self.unit.endswith("%") else value)
        return words.replace("-", "\N{MINUS SIGN}").replace(" ", "\N{NO-BREAK SPACE}", 1)


MEASURES = (
    Measure("pitch_hz", "Pitch", "{:.0f} Hz", "higher", "lower", "median over voiced frames"),
    Measure(
        "pitch_range_st",
        "Pitch range",
        "{:.1f} semitones",
        "wider",
        "narrower",
        "from the 5th to the 95th percentile of voiced frames",
    ),
    Measure(
        "loudness_range_db",
        "Loudness range",
        "{:.0f} dB",
        "wider",
        "narrower",
        "from the 5th to the 95th percentile of the frames in which somebody speaks",
    ),
    Measure("pace", "Pace", "{:.1f} syllables a second", "faster", "slower", "peaks of the level in voiced frames"),
    Measure(
        "pauses",
        "Share of pauses",
        "{:.0f}%",
        "larger",
        "smaller",
        "share of time that is 25 dB below the loudest frame",
    ),
    Measure(
        "brightness_db",
        "Brightness",
        "{:.0f} dB",
        "higher",
        "lower",
        "energy from 1 to 5 kHz against that below 1 kHz; a microphone changes it, too",
    ),
    Measure("roughness_db", "Roughness", "{:.0f} dB", "higher", "lower", "noise of voiced frames against their tone"),
)
BY_NAME = {one.name: one for one in MEASURES}
NAMES: tuple[str, ...] = tuple(BY_NAME)


def extract(samples: np.ndarray) -> np.ndarray:
    """What a listener notices in one clip.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.

    Returns
    -------
    np.ndarray [shape=(len(NAMES),), dtype=float32]
        In the order of `NAMES`. What is measured on voiced frames is NaN if there are hardly any, and all is NaN of
        digital silence.

    References
    ----------
    de Jong & Wempe 2009, "Praat script to detect syllable nuclei and measure speech rate automatically".

    Examples
    --------
    A quieter recording of the same voice has the same values:

    >>> from ser_core.corpus import synthetic
    >>> samples = synthetic.speak("happy", actor=1)
    >>> bool(np.allclose(extract(samples), extract(samples / 10), atol=0.01))
    True
    """
    voice = trimmed(samples)
    if not np.any(voice):
        return np.full(len(NAMES), np.nan, dtype=np.float32)
    sound = parselmouth.Sound(voice.astype(np.float64), SAMPLE_RATE)
    track = prosody.track(sound)
    hz, strength = track.selected_array["frequency"], track.selected_array["strength"]
    intensity = sound.to_intensity(SMOOTHED_BY_HZ, prosody.PITCH_STEP_S)
    seconds, decibels = intensity.xs(), intensity.values[0]
    loud = np.flatnonzero(decibels > decibels.max() - ACTIVE_RANGE_DB)
    spoken = loud[-1] - loud[0] + 1  # frames
    low, high = np.percentile(decibels[loud], (5, 95))
    of_level = {
        "loudness_range_db": high - low,
        "pauses": 1 - len(loud) / spoken,
        "brightness_db": _brightness(voice, seconds[loud]),
    }
    found = of_level | _of_voiced(hz, strength, track.xs(), decibels, seconds, spoken)
    return np.array([found.get(name, np.nan) for name in NAMES], dtype=np.float32)


def _of_voiced(
    hz: np.ndarray,
    strength: np.ndarray,
    moments: np.ndarray,
    decibels: np.ndarray,
    seconds: np.ndarray,
    spoken: int,
) -> dict[str, float]:
    """What is measured on voiced frames; empty if there are hardly any."""
    voiced = hz > 0
    if voiced.sum() < MIN_FRAMES // 2:
        return {}
    semitones = 12 * np.log2(hz[voiced])
    low, high = np.percentile(semitones, (5, 95))
    peaks, _ = scipy.signal.find_peaks(decibels, height=decibels.max() - ACTIVE_RANGE_DB, prominence=SYLLABLE_DB)
    syllables = np.interp(seconds[peaks], moments, voiced) >= 0.5
    return {
        "pitch_hz": float(np.median(hz[voiced])),
        "pitch_range_st": high - low,
        "pace": syllables.sum() / (spoken * prosody.PITCH_STEP_S),
        "roughness_db": -float(np.mean(harmonics_to_noise(strength[voiced]))),
    }


def _brightness(voice: np.ndarray, seconds: np.ndarray) -> float:
    """Energy from 1 to 5 kHz against that below 1 kHz, in dB, at some moments."""
    magnitude = magnitude_spectrogram(voice, np.float32, n_fft=N_FFT, hop=HOP)
    frames = np.minimum(np.round(seconds * SAMPLE_RATE / HOP).astype(int), len(magnitude) - 1)
    power = np.square(magnitude[frames], dtype=np.float64).mean(axis=0)
    bins = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=N_FFT)
    lowest, middle, highest = BRIGHT_HZ
    low = power[(bins >= lowest) & (bins < middle)].sum()
    high = power[(bins >= middle) & (bins < highest)].sum()
    return float(10 * np.log10((high + NO_RATIO) / (low + NO_RATIO)))
