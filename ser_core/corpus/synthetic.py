"""A small formant synthesizer that writes RAVDESS-named clips with known pitch and level, for tests and demos.

It is not speech: glottal pulses along a pitch contour are filtered by the formants of three vowels and gated into
syllables (Klatt 1980, "Software for a cascade/parallel formant synthesizer"). Emotions differ as they do in acted
speech: in pitch, its range and contour, speaking rate, loudness, brightness and breathiness. A model that recognises
them shows that the code works, and says nothing about people.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import lfilter, sosfilt

from ser_core.audio import waveform
from ser_core.corpus.labels import BY_NAME, EMOTION_NAMES
from ser_core.corpus.ravdess import NEVER_SUNG, gender_of_actor
from ser_core.errors import CorpusError

RATE = 22_050  # Hz
MIN_RATE = 8_000  # Hz
MIN_SECONDS = 0.2
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")  # of what is written
ACTORS = range(1, 25)

BASE_F0 = {"female": 200.0, "male": 110.0}  # Hz
TRACT = {"female": 1.16, "male": 1.0}  # factor of the formant frequencies: a shorter vocal tract raises them
OPEN_QUOTIENT = 0.6  # share of a pitch period in which the glottis is open
BANDWIDTHS = (80.0, 100.0, 150.0, 250.0)  # Hz, of the four formants
LEAD = 0.08  # share of a clip that is silent before the voice, and again after it
VIBRATO_HZ = 5.5

# Formants in Hz of a man's vowels, after Peterson & Barney 1952, "Control methods used in a study of the vowels"
VOWELS = {
    "a": (730.0, 1090.0, 2440.0, 3400.0),
    "e": (530.0, 1840.0, 2480.0, 3500.0),
    "i": (270.0, 2290.0, 3010.0, 3700.0),
    "o": (570.0, 840.0, 2410.0, 3300.0),
    "u": (300.0, 870.0, 2240.0, 3200.0),
}
STATEMENTS = {1: "iao", 2: "oue"}


@dataclass(frozen=True)
class Manner:
    """How an emotion is spoken.

    Parameters
    ----------
    pitch : float
        Factor of the actor's own pitch.
    range_st : float
        Range of the pitch about its declination line, in semitones.
    slope_st : float
        Rise of that line from start to end, in semitones.
    pace : float
        Syllables per second.
    level_dbfs : float
        RMS of the clip.
    brightness_hz : float
        Cut-off frequency of the glottal spectrum: a pressed voice is bright.
    breath : float
        Amplitude of the noise relative to the voice.
    tremor_st : float
        Vibrato in semitones.
    formants : float
        Factor of the vowels' formants: a smile raises them, a sneer lowers them.
    """

    pitch: float
    range_st: float
    slope_st: float
    pace: float
    level_dbfs: float
    brightness_hz: float
    breath: float
    tremor_st: float = 0.0
    formants: float = 1.0


MANNERS: dict[str, Manner] = {
    "neutral": Manner(1.0, 1.0, -1.0, 3.5, -32.0, 900.0, 0.02),
    "calm": Manner(0.92, 0.5, -2.0, 2.4, -37.0, 450.0, 0.05),
    "happy": Manner(1.45, 4.0, 2.0, 4.4, -26.0, 2200.0, 0.02, formants=1.08),
    "sad": Manner(1.05, 1.2, -4.0, 2.0, -42.0, 300.0, 0.20, tremor_st=0.3, formants=0.96),
    "angry": Manner(1.6, 3.0, -1.0, 4.8, -22.0, 5000.0, 0.01),
    "fearful": Manner(1.9, 1.5, 1.0, 5.6, -29.0, 1500.0, 0.12, tremor_st=0.9),
    "disgust": Manner(0.8, 2.0, -5.0, 2.2, -30.0, 1300.0, 0.06, formants=0.88),
    "surprised": Manner(1.75, 3.0, 8.0, 3.6, -27.0, 1800.0, 0.06, formants=1.03),
}


@dataclass(frozen=True)
class Voice:
    """The target values of a synthetic clip, for tests to compare the sound with.

    Parameters
    ----------
    f0_hz : float
        Median pitch.
    level_dbfs : float
        RMS of the whole clip; full scale is 1.
    manner : Manner
    tract : float
        Factor of the formant frequencies.
    """

    f0_hz: float
    level_dbfs: float
    manner: Manner
    tract: float


@dataclass(frozen=True, kw_only=True)
class Take:
    """What is synthesised: the fields of a RAVDESS file name, and a seed.

    Parameters
    ----------
    emotion : str
        One of `labels.EMOTION_NAMES`.
    actor : int
        1 to 24; odd are male, even female.
    statement, repetition, intensity : int
        1 or 2, as in a RAVDESS name. The statement chooses the vowels, 2 is the strong intensity.
    song : bool
        Slower and with vibrato.
    seed : int
        Another seed gives other actors and other takes.

    Raises
    ------
    CorpusError
        If RAVDESS has no such emotion, actor, statement, repetition or intensity.
    """

    emotion: str
    actor: int
    statement: int = 1
    repetition: int = 1
    intensity: int = 1
    song: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.emotion not in BY_NAME:
            raise CorpusError(f"Unknown emotion {self.emotion!r}: use one of {', '.join(EMOTION_NAMES)}.")
        if self.actor not in ACTORS:
            raise CorpusError(f"Unknown actor {self.actor!r}: RAVDESS has actors {ACTORS[0]} to {ACTORS[-1]}.")
        for name in ("statement", "repetition", "intensity"):
            if (value := getattr(self, name)) not in (1, 2):
                raise CorpusError(f"Unknown {name} {value!r}: RAVDESS has 1 and 2.")

    @property
    def stem(self) -> str:
        """The RAVDESS name without suffix: `03-01-05-01-02-01-12` is actor 12, angry, speech."""
        channel, emotion = 2 if self.song else 1, int(BY_NAME[self.emotion].code)
        fields = (3, channel, emotion, self.intensity, self.statement, self.repetition, self.actor)
        return "-".join(f"{field:02d}" for field in fields)

    @property
    def is_recorded(self) -> bool:
        """Whether RAVDESS has such clips: it has no strong neutral, and no sung disgust or surprise."""
        if self.emotion == "neutral" and self.intensity == 2:
            return False
        return not (self.song and self.emotion in NEVER_SUNG)

    def rng(self) -> np.random.Generator:
        """A random generator, in the same state for equal takes.

        Returns
        -------
        np.random.Generator
        """
        emotion = EMOTION_NAMES.index(self.emotion)
        fields = (self.seed, self.actor, emotion, self.statement, self.repetition, self.intensity, self.song)
        return np.random.default_rng([int(field) for field in fields])


def voice(emotion: str, **take: Any) -> Voice:
    """The target values of `speak` for the same arguments.

    Parameters
    ----------
    emotion : str
    **take
        The other fields of `Take`; `actor` is required.

    Returns
    -------
    Voice

    Raises
    ------
    CorpusError
        If RAVDESS has no such emotion, actor, statement, repetition or intensity.
    """
    return _voice(Take(emotion=emotion, **take))


def _voice(take: Take) -> Voice:
    manner, gender = MANNERS[take.emotion], gender_of_actor(take.actor)
    person, rng = np.random.default_rng([take.seed, take.actor]), take.rng()
    own_pitch = BASE_F0[gender] * person.uniform(0.92, 1.08)
    tract = TRACT[gender] * person.uniform(0.97, 1.03)
    strong = take.intensity == 2
    pitch = manner.pitch * (1.06 if strong else 1.0) * rng.uniform(0.98, 1.02)
    level = manner.level_dbfs + (3.0 if strong else 0.0) + (1.0 if take.song else 0.0) + rng.uniform(-0.5, 0.5)
    return Voice(f0_hz=own_pitch * pitch, level_dbfs=level, manner=manner, tract=tract * manner.formants)


def speak(emotion: str, *, seconds: float = 3.0, rate: int = RATE, **take: Any) -> np.ndarray:
    """Synthesise one clip; equal arguments give equal samples.

    Parameters
    ----------
    emotion : str
        One of `labels.EMOTION_NAMES`.
    seconds : float
        Length of the clip, at least `MIN_SECONDS`, with a short silence at both ends.
    rate : int
        In Hz, at least `MIN_RATE`.
    **take
        The other fields of `Take`; `actor` is required.

    Returns
    -------
    np.ndarray [shape=(seconds * rate,), dtype=float32]
        Within -1 to 1.

    Raises
    ------
    CorpusError
        If RAVDESS has no such emotion, actor, statement, repetition or intensity, or the clip is too short.
    """
    return _synthesise(Take(emotion=emotion, **take), seconds, rate)


def _synthesise(take: Take, seconds: float, rate: int) -> np.ndarray:
    if seconds < MIN_SECONDS or rate < MIN_RATE:
        raise CorpusError(f"Cannot speak {seconds} s at {rate} Hz: at least {MIN_SECONDS} s and {MIN_RATE:,} Hz.")
    goal, rng = _voice(take), take.rng().spawn(1)[0]
    length = round(seconds * rate)
    lead = round(LEAD * length)
    time = np.arange(length - 2 * lead) / rate
    pace = goal.manner.pace * (0.6 if take.song else 1.0)
    syllables = max(1, round(pace * len(time) / rate))
    source = _glottis(_pitch(goal, time, take.song, rng), goal.manner, rate, rng)
    samples = np.zeros(length)
    samples[lead : length - lead] = _articulate(source, STATEMENTS[take.statement], syllables, goal.tract, rate)
    samples *= 10 ** (goal.level_dbfs / 20) / math.sqrt(np.square(samples).mean())
    return samples.astype(np.float32)


def wav(emotion: str, *, rate: int = RATE, **options: Any) -> bytes:
    """The content of a 16-bit WAV file of one clip.

    Parameters
    ----------
    emotion : str
    rate : int
        In Hz.
    **options
        As `speak` takes them.

    Returns
    -------
    bytes

    Raises
    ------
    CorpusError
        As `speak`.
    """
    return waveform.wav(speak(emotion, rate=rate, **options), rate)


def write_corpus(
    folder: str | Path,
    *,
    actors: Iterable[int] = (1, 2),
    emotions: Iterable[str] = EMOTION_NAMES,
    statements: Iterable[int] = (1, 2),
    repetitions: Iterable[int] = (1, 2),
    intensities: Iterable[int] = (1, 2),
    channels: Iterable[str] = ("speech",),
    suffix: str = ".wav",
    rate: int = RATE,
    seconds: float = 3.0,
    seed: int = 0,
) -> list[Path]:
    """Write `Actor_NN/03-CC-EE-II-SS-RR-AA.wav` for every combination that RAVDESS could have.

    As in RAVDESS, there is no strong neutral, and no sung disgust or surprise.

    Parameters
    ----------
    folder : str or Path
        Created if it does not exist.
    channels : iterable of str
        `speech`, `song` or both.
    suffix : str
        `.wav` (16 bit), `.flac`, `.ogg` or `.mp3`.
    actors, emotions, statements, repetitions, intensities, rate, seconds, seed
        As in `speak`.

    Returns
    -------
    list of Path
        Sorted by actor folder and stem.

    Raises
    ------
    CorpusError
        If RAVDESS has no such value, or if the suffix is not one of the four.
    """
    if suffix not in SUFFIXES:
        raise CorpusError(f"Cannot write {suffix!r}: use one of {', '.join(SUFFIXES)}.")
    combinations = itertools.product(channels, emotions, intensities, statements, repetitions, actors)
    paths = []
    for channel, emotion, intensity, statement, repetition, actor in combinations:
        if channel not in ("speech", "song"):
            raise CorpusError(f"Unknown channel {channel!r}: use speech or song.")
        take = Take(
            emotion=emotion,
            actor=actor,
            statement=statement,
            repetition=repetition,
            intensity=intensity,
            song=channel == "song",
            seed=seed,
        )
        if not take.is_recorded:
            continue
        path = Path(folder) / f"Actor_{actor:02d}" / f"{take.stem}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, _synthesise(take, seconds, rate), rate)
        paths.append(path)
    return sorted(paths)


def _pitch(goal: Voice, time: np.ndarray, song: bool, rng: np.random.Generator) -> np.ndarray:
    """Pitch in Hz over time, with the target's median."""
    manner, duration = goal.manner, time[-1]
    line = manner.slope_st * (time / duration - 0.5)
    swing = 0.5 * manner.range_st * np.sin(2 * np.pi * (1.5 * time / duration + rng.uniform()))
    vibrato = (manner.tremor_st + (0.5 if song else 0.0)) * np.sin(2 * np.pi * VIBRATO_HZ * time)
    contour = 2 ** ((line + swing + vibrato) / 12)
    return contour * (goal.f0_hz / np.median(contour))


def _glottis(f0: np.ndarray, manner: Manner, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The derivative of the glottal flow (Rosenberg 1971) with spectral tilt and breath noise."""
    phase = np.cumsum(f0 / rate) % 1.0 / OPEN_QUOTIENT
    pulses = np.where(phase < 1.0, 2 * phase - 3 * phase**2, 0.0)
    noise = rng.standard_normal(len(f0)) * (manner.breath + 0.003)
    decay = math.exp(-2 * math.pi * manner.brightness_hz / rate)
    return lfilter([1 - decay], [1, -decay], pulses) + noise * (1 - decay)


def _articulate(source: np.ndarray, vowels: str, syllables: int, tract: float, rate: int) -> np.ndarray:
    """Filter the source by the formants of each vowel, and cross-fade from syllable to syllable."""
    position = np.arange(len(source)) * (syllables / len(source))  # counts syllables
    loudness = np.sin(np.pi * (position % 1.0)) ** 0.7
    which = position.astype(int) % len(vowels)
    spoken = np.zeros(len(source))
    for index, vowel in enumerate(vowels[:syllables]):
        spoken += np.where(which == index, loudness, 0.0) * sosfilt(_formants(VOWELS[vowel], tract, rate), source)
    return spoken


def _formants(frequencies: tuple[float, ...], tract: float, rate: int) -> np.ndarray:
    """Second-order sections [shape=(n, 6)] of a cascade of two-pole resonators, each with gain 1 at 0 Hz."""
    sections = []
    for frequency, bandwidth in zip(frequencies, BANDWIDTHS, strict=True):
        if frequency * tract > 0.45 * rate:
            continue  # too close to the Nyquist frequency
        radius = math.exp(-math.pi * bandwidth / rate)
        a1, a2 = -2 * radius * math.cos(2 * math.pi * frequency * tract / rate), radius**2
        sections.append([1 + a1 + a2, 0, 0, 1, a1, a2])
    return np.array(sections)
