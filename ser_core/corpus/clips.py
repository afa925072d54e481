"""The index of any corpus, one row per clip, and what the corpus readers share: sound files and their durations."""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from ser_core import audio
from ser_core.audio import decoders
from ser_core.errors import AudioError, CorpusError

# Which files of a folder are clips. Videos are not: RAVDESS has them of the same sentences. The content decides.
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".opus", ".oga", ".aac", ".amr", ".mka", ".mpga", ".weba", ".3gp")
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz")

# Columns of every index. `gender` and `language` may be empty; columns of a single corpus come after these.
COLUMNS = ("path", "stem", "corpus", "speaker", "gender", "language", "emotion", "label", "duration_s")


MOST_DRAWN = 5_000  # clips in a chart, a dot each: 300 KB
_SEED = 9


@dataclass(frozen=True)
class Rejected:
    """A sound file that is left out of the index, and why.

    Parameters
    ----------
    file : str
        Path relative to the corpus's folder.
    reason : str
    broken : bool
        Whether the name is that of a clip, but the file cannot be read.
    """

    file: str
    reason: str
    broken: bool = False


@dataclass(frozen=True)
class Corpus:
    """The index of a corpus, and the files that were left out.

    Parameters
    ----------
    folder : Path
    clips : pd.DataFrame
        The index: one row per clip with `COLUMNS` and more, sorted by speaker and stem. `path` is relative to `folder`.
    rejected : tuple of Rejected
    note : str
        What the index lacks, and the way out; empty if nothing.
    """

    folder: Path
    clips: pd.DataFrame
    rejected: tuple[Rejected, ...]
    note: str = ""

    @cached_property
    def files(self) -> dict[str, str]:
        """Path of each clip by its stem, relative to `folder`."""
        return dict(zip(self.clips["stem"], self.clips["path"], strict=True))

    def file(self, stem: str) -> Path | None:
        """The path of a clip.

        Parameters
        ----------
        stem : str

        Returns
        -------
        Path or None
            None if the corpus has no such clip.
        """
        return self.folder / self.files[stem] if stem in self.files else None

    def joined(self, other: "Corpus") -> "Corpus":
        """Add the clips that only another corpus has.

        Parameters
        ----------
        other : Corpus

        Returns
        -------
        Corpus
            The paths of the other's clips are absolute.
        """
        more = other.clips[~other.clips["stem"].isin(self.clips["stem"])]
        more = more.assign(path=[str((other.folder / path).absolute()) for path in more["path"]])
        clips = pd.concat([part for part in (self.clips, more) if len(part)] or [self.clips])
        return replace(self, clips=in_order(clips))


def speakers_of(clips: pd.DataFrame) -> np.ndarray:
    """The speaker of each clip, made unique across corpora, which may use the same speaker ids.

    Parameters
    ----------
    clips : pd.DataFrame
        With `corpus` and `speaker`; without `corpus`, they are of one.

    Returns
    -------
    np.ndarray [shape=(clips,), dtype=str]
        "<corpus> <speaker>", or "<speaker>" without a corpus.
    """
    named = clips["corpus"] + " " + clips["speaker"] if "corpus" in clips else clips["speaker"]
    return named.to_numpy()


def with_own_speakers(clips: pd.DataFrame) -> pd.DataFrame:
    """The clips of several corpora with speakers named as by `speakers_of`; those of one corpus as they are.

    Parameters
    ----------
    clips : pd.DataFrame

    Returns
    -------
    pd.DataFrame
    """
    if clips["corpus"].nunique() < 2:
        return clips
    attrs = clips.attrs
    clips = clips.assign(speaker=speakers_of(clips))
    clips.attrs = attrs
    return clips


def without_zeros(speaker: str) -> str:
    """A speaker's name for display: "07" -> "7".

    Parameters
    ----------
    speaker : str

    Returns
    -------
    str
    """
    return speaker.lstrip("0") or speaker


def in_order(clips: pd.DataFrame) -> pd.DataFrame:
    """Clips sorted by speaker and then stem, the order of every index: protocols split by position.

    Parameters
    ----------
    clips : pd.DataFrame

    Returns
    -------
    pd.DataFrame
    """
    return clips.sort_values(["speaker", "stem"], ignore_index=True)


def thinned(clips: pd.DataFrame, most: int = MOST_DRAWN) -> pd.DataFrame:
    """A sample of clips, the same one each time, in which each emotion has the share that it has of all.

    Parameters
    ----------
    clips : pd.DataFrame
    most : int > 0
        Clips in the sample. Fewer clips are returned as they are. Each emotion has one at least if there are no more
        emotions.

    Returns
    -------
    pd.DataFrame
        Rows in their order.
    """
    if len(clips) <= most:
        return clips
    order = np.random.default_rng(_SEED).permutation(len(clips))
    emotions = clips["emotion"].iloc[order].reset_index(drop=True)
    # 0 for the first clip of each emotion.
    within = emotions.groupby(emotions).cumcount() / emotions.map(emotions.value_counts())
    first = np.argsort(within.to_numpy(), kind="stable")[:most]
    return clips.iloc[np.sort(order[first])]


def sound_files(folder: Path) -> list[Path]:
    """The sound files below a folder, sorted by path, without hidden files and those in hidden folders.

    Links to folders are followed, and no folder is looked through twice.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path
        Empty if the folder does not exist.
    """
    found, seen = [], {os.path.realpath(folder)}
    for here, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders.copy():  # a link to a folder that was looked through, such as the one that it is in
            if (real := os.path.realpath(Path(here, name))) in seen:
                folders.remove(name)
            seen.add(real)
        found += [Path(here, name) for name in files if name.lower().endswith(SUFFIXES) and not name.startswith(".")]
    return sorted(found)


def obstacle(folder: Path) -> str | None:
    """Why no clip is found in a folder that was given, and the way out.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str or None
        None if it is neither a file nor a folder that has archives instead of sound files.
    """
    if folder.is_file():
        if folder.suffix.lower() in ARCHIVES:
            return f"{folder} is an archive. Unpack it into a folder, and name that"
        return f"{folder} is a file, and a folder of clips is wanted. Name the folder that it is in"
    if not folder.is_dir() or sound_files(folder):
        return None
    packed = sorted(path.name for path in folder.glob("*") if path.suffix.lower() in ARCHIVES)
    return f"{folder} has no sound file, but the archive {packed[0]}. Unpack it there" if packed else None


def read_folder(folder: Path, row_of: Callable[[Path], dict], further: Iterable[str]) -> Corpus:
    """Index the clips below a folder, whatever its layout; only file names and headers are read.

    Of files with the same stem the first is taken (in order of their paths) and the others are rejected.

    Parameters
    ----------
    folder : Path
        Gives an empty corpus if it is empty or does not exist.
    row_of : callable
        The path of a sound file -> its row of the index, without `path` and `duration_s`. Raises `CorpusError` with
        the reason if the file is not a clip of the corpus.
    further : iterable of str
        The columns of the index after `COLUMNS`.

    Returns
    -------
    Corpus
    """
    rows: list[dict] = []
    rejected: list[Rejected] = []
    first: dict[str, str] = {}  # stem -> the file that it was first found in
    for path in sound_files(folder):
        file = path.relative_to(folder).as_posix()
        try:
            row = row_of(path)
            if path.stem in first:
                raise CorpusError(f"the same clip as {first[path.stem]}")
        except CorpusError as error:
            rejected.append(Rejected(file, str(error)))
            continue
        duration_s, fault = duration(path)
        if fault:
            rejected.append(Rejected(file, fault, broken=True))
            continue
        first[path.stem] = file
        rows.append({"path": file, **row, "duration_s": duration_s})
    return Corpus(folder, in_order(pd.DataFrame(rows, columns=[*COLUMNS, *further])), tuple(rejected))


def stamp(folder: str | os.PathLike) -> str:
    """A digest that changes with the sound files below a folder, their sizes and modification times.

    No file is opened.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for file in sound_files(Path(folder)):
        with suppress(OSError):  # deleted since it was listed
            stat = file.stat()
            digest.update(f"{file} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def duration(path: Path) -> tuple[float, str | None]:
    """The duration of a sound file, read from its header where libsndfile does so; otherwise it is decoded.

    Parameters
    ----------
    path : Path

    Returns
    -------
    seconds : float
    fault : str or None
        What is wrong with the file; None if nothing is.
    """
    try:
        if path.stat().st_size == 0:
            return 0.0, "an empty file"
        with suppress(soundfile.LibsndfileError):
            header = soundfile.info(path)
            if header.format in decoders.FORMAT_OF_LIBSNDFILE and 0 < header.frames < decoders.UNKNOWN_FRAMES:
                return header.duration, None
        return audio.load(path).duration_s, None
    except (OSError, AudioError) as error:
        return 0.0, f"cannot be read: {str(error).removeprefix(f'{path}: ')}"
