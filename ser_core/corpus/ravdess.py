"""RAVDESS file names to clips, and a folder of them to one validated index."""

import hashlib
import itertools
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import pandas as pd
import soundfile

from ser_core import audio
from ser_core.audio import decoders
from ser_core.corpus.labels import BY_CODE, gender_of_actor, title_of
from ser_core.errors import AudioError, CorpusError

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
AUDIO_ONLY = "03"  # first field of a name; 01 and 02 are the video recordings of the same sentences
CHANNELS = {"01": "speech", "02": "song"}
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {1: "Kids are talking by the door", 2: "Dogs are sitting by the door"}
NEVER_SUNG = ("disgust", "surprised")
NEVER_SANG = (18,)  # actors

# What can be asked of a clip, and how a value of it is said.
TITLES = {
    "emotion": "emotion",
    "channel": "channel",
    "intensity": "intensity",
    "gender": "gender",
    "actor": "actor",
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
    """What a RAVDESS file name says about its recording."""

    stem: str
    channel: str  # "speech" or "song"
    emotion: str
    intensity: str  # "normal" or "strong"
    statement: int  # 1 or 2, see STATEMENTS
    repetition: int  # 1 or 2
    actor: int  # 1 to 24
    gender: str  # of the actor: odd numbers are male, even ones female

    @property
    def label(self) -> str:
        """The clip's class, one of the 16 `labels.LABELS`."""
        return f"{self.emotion}_{self.gender}"


# An index row: where the file lies, what its name says, and how long it is.
COLUMNS = ("path", *Clip.__dataclass_fields__, "label", "duration_s")


@dataclass(frozen=True)
class Rejected:
    """A sound file that is left out of the index, and why."""

    file: str
    reason: str
    broken: bool = False  # a clip by its name, but there is no reading it


@dataclass(frozen=True)
class Corpus:
    """A folder's clips and the files that were left out."""

    folder: Path
    clips: pd.DataFrame  # one row a clip, `COLUMNS`, by actor and then stem; `path` counts from `folder`
    rejected: tuple[Rejected, ...]

    @cached_property
    def files(self) -> dict[str, str]:
        """Each clip's stem -> its path from `folder`."""
        return dict(zip(self.clips["stem"], self.clips["path"], strict=True))

    def file(self, stem: str) -> Path | None:
        """Where a clip lies; None if it is not there."""
        return self.folder / self.files[stem] if stem in self.files else None


def parse(stem: str) -> Clip:
    """The clip that a file name without its suffix stands for, e.g. `03-01-05-01-02-01-12`.

    Raises
    ------
    CorpusError
        If a field is missing or holds a code that RAVDESS does not have. The message names the field.
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
        actor=int(actor),
        gender=gender_of_actor(int(actor)),
    )
    if clip.emotion == "neutral" and clip.intensity == "strong":
        raise CorpusError(f"{stem!r}: RAVDESS has no strong neutral")
    if clip.channel == "song" and clip.emotion in NEVER_SUNG:
        raise CorpusError(f"{stem!r}: RAVDESS has no sung {clip.emotion}")
    return clip


def said(column: str, value) -> str:
    """A value of an index column in words: `statement` 1 -> "Kids are talking by the door", `actor` 3 -> "Actor 3"."""
    if column == "statement":
        return STATEMENTS[value]
    if column == "label":
        return title_of(value)
    if column == "stem":
        return title(parse(value))
    if column in ("actor", "repetition"):
        return f"{TITLES[column].capitalize()} {value}"
    return str(value).capitalize()


def title(clip) -> str:
    """A clip, given as a row of an index, in words: "Angry (strong) speech by actor 12, female"."""
    strong = " (strong)" if clip.intensity == "strong" else ""
    return f"{clip.emotion.capitalize()}{strong} {clip.channel} by actor {clip.actor}, {clip.gender}"


def titles(clips: pd.DataFrame) -> list[str]:
    """`title` of each row of an index."""
    return [title(clip) for clip in clips[["emotion", "intensity", "channel", "actor", "gender"]].itertuples()]


@lru_cache(maxsize=1)
def official_clips() -> tuple[Clip, ...]:
    """All 2,452 clips of RAVDESS' audio, in the order of an index."""
    clips = []
    fields = itertools.product(range(1, 25), CHANNELS, BY_CODE, INTENSITIES, ("01", "02"), ("01", "02"))
    for actor, channel, emotion, intensity, statement, repetition in fields:
        if channel == "02" and actor in NEVER_SANG:
            continue
        with suppress(CorpusError):  # no strong neutral, no sung disgust or surprise
            clips.append(parse(f"{AUDIO_ONLY}-{channel}-{emotion}-{intensity}-{statement}-{repetition}-{actor:02d}"))
    return tuple(clips)


def coverage(clips: pd.DataFrame) -> pd.DataFrame:
    """What of RAVDESS is there, by actor.

    Parameters
    ----------
    clips : pd.DataFrame
        Rows of an index, or none.

    Returns
    -------
    pd.DataFrame
        24 rows: `actor`, `gender`, the clips that are there, `speech` and `song`, those that RAVDESS has, `speech_of`
        and `song_of`, and `missing` of both together.
    """
    whole = pd.DataFrame([asdict(clip) for clip in official_clips()])
    by_actor = (
        whole.assign(there=whole["stem"].isin(clips["stem"]))
        .groupby(["actor", "gender", "channel"])["there"]
        .agg(["sum", "size"])
        .unstack(fill_value=0)
    )
    table = pd.DataFrame(
        {
            "speech": by_actor["sum"]["speech"],
            "speech_of": by_actor["size"]["speech"],
            "song": by_actor["sum"]["song"],
            "song_of": by_actor["size"]["song"],
        }
    )
    table["missing"] = table["speech_of"] + table["song_of"] - table["speech"] - table["song"]
    return table.reset_index()


def index(folder: str | os.PathLike) -> Corpus:
    """Every RAVDESS clip below a folder, whatever its layout; names decide, and only headers are read.

    Of files with the same stem the first is taken (in order of their paths) and the others are rejected. Hidden files
    and files that are not sound are passed over in silence.

    Raises
    ------
    CorpusError
        If the folder does not exist or holds no clip.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise CorpusError(f"There is no folder {folder}. {HOW_TO_GET}")
    found = look_through(folder)
    if found.clips.empty:
        rejected = found.rejected
        seen = f"{len(rejected)} sound files, none of them a usable clip" if rejected else "no sound file"
        example = f" (the first: {rejected[0].file}: {rejected[0].reason})" if rejected else ""
        raise CorpusError(
            f"No RAVDESS clip in {folder}: looked through all its folders for names like 03-01-05-01-02-01-12 with "
            f"{', '.join(SUFFIXES)} and found {seen}{example}. {HOW_TO_GET}"
        )
    return found


def look_through(folder: str | os.PathLike) -> Corpus:
    """As `index`, but a folder without any clip, or that is not there, is an empty corpus."""
    folder = Path(folder)
    rows, rejected, seen = [], [], {}
    for path in _sound_files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            clip = parse(path.stem)
        except CorpusError as error:
            rejected.append(Rejected(name, str(error)))
            continue
        if clip.stem in seen:
            rejected.append(Rejected(name, f"the same clip as {seen[clip.stem]}"))
            continue
        said = _actor_of_folder(path.parent.name)
        if said not in (None, clip.actor):
            rejected.append(Rejected(name, f"its name says actor {clip.actor}, its folder actor {said}"))
            continue
        duration_s, fault = _duration(path)
        if fault:
            rejected.append(Rejected(name, fault, broken=True))
            continue
        seen[clip.stem] = name
        rows.append({"path": name, **asdict(clip), "label": clip.label, "duration_s": duration_s})
    clips = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["actor", "stem"], ignore_index=True)
    return Corpus(folder, clips, tuple(rejected))


def stamp(folder: str | os.PathLike) -> str:
    """A short text that changes with the sound files below a folder, their sizes and times; it opens none of them."""
    seen = hashlib.sha256()
    for file in _sound_files(Path(folder)):
        with suppress(OSError):  # it has just gone
            stat = file.stat()
            seen.update(f"{file} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def _sound_files(folder: Path) -> list[Path]:
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in files if name.lower().endswith(SUFFIXES) and not name.startswith(".")]
    return sorted(found)


def _actor_of_folder(name: str) -> int | None:
    """`Actor_07` -> 7; None for a folder that names no actor."""
    word, _, number = name.rpartition("_")
    return int(number) if word.lower() == "actor" and number.isdecimal() else None


def _duration(path: Path) -> tuple[float, str | None]:
    """Seconds of sound as the header says, and what is wrong with the file, if anything is."""
    try:
        if path.stat().st_size == 0:
            return 0.0, "an empty file"
        header = soundfile.info(path)
    except (OSError, soundfile.LibsndfileError) as error:
        return 0.0, f"cannot be read: {getattr(error, 'error_string', error)}"
    if 0 < header.frames < decoders.UNKNOWN_FRAMES:
        return header.duration, None
    try:  # the header does not say how long it is
        return audio.load(path).duration_s, None
    except AudioError as error:
        return 0.0, str(error).removeprefix(f"{path}: ")


def _range(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"
