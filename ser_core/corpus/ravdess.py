"""The reader of RAVDESS: parsing of file names, and a validated index of a folder."""

import itertools
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from ser_core.corpus.clips import SUFFIXES, Corpus, obstacle, read_folder, without_zeros
from ser_core.corpus.labels import BY_CODE, label_of, title_of
from ser_core.errors import CorpusError

NAME = "ravdess"
FULL_NAME = "Ryerson Audio-Visual Database of Emotional Speech and Song (Livingstone and Russo 2018)"
EXAMPLE = "03-01-05-01-02-01-12"
PATTERN = r"03-0[12](-\d\d){5}"  # what tells its file names from other corpora's; `parse` checks each field
# Index columns that other corpora do not have.
OWN_COLUMNS = ("channel", "intensity", "statement", "repetition")
AUDIO_ONLY = "03"  # first field of a file name; 01 and 02 are videos of the same sentences
CHANNELS = {"01": "speech", "02": "song"}
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {1: "Kids are talking by the door", 2: "Dogs are sitting by the door"}
NEVER_SUNG = ("disgust", "surprised")
NEVER_SANG = (18,)  # actors

# Columns to filter clips by, and their titles.
TITLES = {
    "emotion": "emotion",
    "channel": "channel",
    "intensity": "intensity",
    "gender": "gender",
    "speaker": "actor",
    "statement": "sentence",
    "repetition": "repetition",
    "part": "train or test",
}

HOW_TO_GET = (
    "Get the clips: python -m ser_core download. Or put the unpacked RAVDESS archives Audio_Speech_Actors_01-24.zip "
    "and Audio_Song_Actors_01-24.zip (https://zenodo.org/records/1188976) there, or set SER_DATA_DIR to the folder "
    "that holds them."
)


@dataclass(frozen=True)
class Clip:
    """A RAVDESS recording, as described by its file name.

    Parameters
    ----------
    stem : str
        File name without suffix.
    channel : str
        `speech` or `song`.
    emotion : str
        One of `labels.EMOTION_NAMES`.
    intensity : str
        `normal` or `strong`.
    statement : int
        1 or 2, see `STATEMENTS`.
    repetition : int
        1 or 2.
    speaker : str
        `01` to `24`.
    gender : str
        Of the speaker: `male` for odd numbers, `female` for even ones.
    corpus, language : str
        The same for all clips.
    """

    stem: str
    channel: str
    emotion: str
    intensity: str
    statement: int
    repetition: int
    speaker: str
    gender: str
    corpus: str = NAME
    language: str = "en"

    @property
    def label(self) -> str:
        """The clip's class, one of the 16 `labels.LABELS`."""
        return label_of(self.emotion, self.gender)


def gender_of_actor(actor: int) -> str:
    """The gender of an actor: odd numbers are male, even ones female.

    Parameters
    ----------
    actor : int

    Returns
    -------
    str
    """
    return "male" if actor % 2 else "female"


def parse(stem: str) -> Clip:
    """Parse a RAVDESS file name without suffix, e.g. `03-01-05-01-02-01-12`.

    Parameters
    ----------
    stem : str

    Returns
    -------
    Clip

    Raises
    ------
    CorpusError
        If a field is missing or has a code that RAVDESS does not use; the message names the field.

    Examples
    --------
    >>> clip = parse("03-01-05-01-02-01-12")
    >>> clip.emotion, clip.channel, clip.speaker, clip.gender
    ('angry', 'speech', '12', 'female')
    """
    fields = stem.split("-")
    if len(fields) != 7 or not all(len(field) == 2 and field.isascii() and field.isdigit() for field in fields):
        raise CorpusError(f"{stem!r} is not a RAVDESS name, which has seven two-digit fields: 03-01-05-01-02-01-12")
    modality, channel, emotion, intensity, statement, repetition, actor = fields
    for name, value, allowed in (
        ("modality", modality, (AUDIO_ONLY,)),
        ("channel", channel, CHANNELS),
        ("emotion", emotion, BY_CODE),
        ("intensity", intensity, INTENSITIES),
        ("statement", statement, ("01", "02")),
        ("repetition", repetition, ("01", "02")),
        ("actor", actor, tuple(f"{i:02d}" for i in range(1, 25))),
    ):
        if value not in allowed:
            raise CorpusError(f"{stem!r}: {name} is {value}, but can only be {_range(tuple(allowed))}")
    clip = Clip(
        stem=stem,
        channel=CHANNELS[channel],
        emotion=BY_CODE[emotion].name,
        intensity=INTENSITIES[intensity],
        statement=int(statement),
        repetition=int(repetition),
        speaker=actor,
        gender=gender_of_actor(int(actor)),
    )
    if clip.emotion == "neutral" and clip.intensity == "strong":
        raise CorpusError(f"{stem!r}: RAVDESS has no strong neutral")
    if clip.channel == "song" and clip.emotion in NEVER_SUNG:
        raise CorpusError(f"{stem!r}: RAVDESS has no sung {clip.emotion}")
    return clip


def said(column: str, value) -> str:
    """A value of an index column for display.

    Parameters
    ----------
    column : str
    value : str or int

    Returns
    -------
    str

    Examples
    --------
    >>> said("statement", 1)
    'Kids are talking by the door'
    >>> said("speaker", "03")
    'Actor 3'
    """
    if column == "statement":
        return STATEMENTS[value]
    if column == "label":
        return title_of(value)
    if column == "stem":
        return title(parse(value))
    if column in ("speaker", "repetition"):
        return f"{TITLES[column].capitalize()} {without_zeros(str(value))}"
    return str(value).capitalize()


def title(clip) -> str:
    """A clip in words: "Angry (strong) speech by actor 12, female".

    Parameters
    ----------
    clip : Clip or row of an index
        With `emotion`, `intensity`, `channel`, `speaker` and `gender`.

    Returns
    -------
    str
    """
    strong = " (strong)" if clip.intensity == "strong" else ""
    return f"{clip.emotion.capitalize()}{strong} {clip.channel} by actor {without_zeros(clip.speaker)}, {clip.gender}"


def speakers_called(corpora: Iterable[str]) -> str:
    """What texts call the speakers of some clips: those of RAVDESS are actors.

    Parameters
    ----------
    corpora : iterable of str
        Of the clips.

    Returns
    -------
    str

    Examples
    --------
    >>> speakers_called(["ravdess"]), speakers_called(["ravdess", "emodb"])
    ('actors', 'speakers')
    """
    return "actors" if set(corpora) == {NAME} else "speakers"


def numbers(stem: str) -> tuple[int, ...]:
    """The seven numbers of a clip's file name.

    Parameters
    ----------
    stem : str

    Returns
    -------
    tuple of int
    """
    return tuple(map(int, stem.split("-")))


@lru_cache(maxsize=1)
def official_clips() -> tuple[Clip, ...]:
    """All 2,452 audio clips of RAVDESS, in the order of an index.

    Returns
    -------
    tuple of Clip
    """
    clips = []
    fields = itertools.product(range(1, 25), CHANNELS, BY_CODE, INTENSITIES, ("01", "02"), ("01", "02"))
    for actor, channel, emotion, intensity, statement, repetition in fields:
        if channel == "02" and actor in NEVER_SANG:
            continue
        with suppress(CorpusError):  # no strong neutral, no sung disgust or surprise
            clips.append(parse(f"{AUDIO_ONLY}-{channel}-{emotion}-{intensity}-{statement}-{repetition}-{actor:02d}"))
    return tuple(clips)


def coverage(clips: pd.DataFrame) -> pd.DataFrame:
    """Count the clips that are present and missing, by actor.

    Parameters
    ----------
    clips : pd.DataFrame
        An index of any number of RAVDESS clips.

    Returns
    -------
    pd.DataFrame
        24 rows: `speaker`, `gender`, the clips present (`speech`, `song`), the clips in RAVDESS (`speech_of`,
        `song_of`), and the clips `missing` of both.
    """
    whole = pd.DataFrame([asdict(clip) for clip in official_clips()])
    there = whole["stem"].isin(clips["stem"])
    speakers = [whole["speaker"], whole["gender"]]
    table = pd.crosstab(speakers, whole["channel"], there, aggfunc="sum").fillna(0).astype(int)
    has = pd.crosstab(speakers, whole["channel"])
    missing = (has - table).sum(axis="columns")
    return table.join(has.add_suffix("_of")).assign(missing=missing).rename_axis(columns=None).reset_index()


def index(folder: str | os.PathLike) -> Corpus:
    """Index every RAVDESS clip below a folder, whatever its layout; only file names and headers are read.

    Of files with the same stem the first is taken (in order of their paths) and the others are rejected. Hidden files
    and files that are not sound are ignored.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If the folder does not exist or contains no usable clip.
    """
    folder = Path(folder)
    if way_out := obstacle(folder):
        raise CorpusError(f"{way_out}. {HOW_TO_GET}")
    if not os.path.isdir(folder):
        raise CorpusError(f"There is no folder {folder}. {HOW_TO_GET}")
    found = look_through(folder)
    if found.clips.empty:
        rejected = found.rejected
        found_instead = f"{len(rejected)} sound files, none of them a usable clip" if rejected else "no sound file"
        example = f" (the first: {rejected[0].file}: {rejected[0].reason})" if rejected else ""
        raise CorpusError(
            f"No RAVDESS clip in {folder}: looked through all its folders for names like 03-01-05-01-02-01-12 with "
            f"{', '.join(SUFFIXES)} and found {found_instead}{example}. {HOW_TO_GET}"
        )
    return found


def look_through(folder: str | os.PathLike) -> Corpus:
    """As `index`, but a folder that is empty or does not exist gives an empty corpus.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    Corpus
    """
    return read_folder(Path(folder), _row, OWN_COLUMNS)


def _row(file: Path) -> dict:
    clip, actor = parse(file.stem), _actor_of_folder(file.parent.name)
    if actor not in (None, int(clip.speaker)):
        raise CorpusError(f"its name says actor {int(clip.speaker)}, its folder actor {actor}")
    return asdict(clip) | {"label": clip.label}


def _actor_of_folder(name: str) -> int | None:
    """`Actor_07` -> 7; None for any other folder name."""
    word, _, number = name.rpartition("_")
    return int(number) if word.lower() == "actor" and number.isdecimal() else None


def _range(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"
