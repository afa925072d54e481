"""Corpora of clips: indexes, readers, labels, download."""

import os
from pathlib import Path

from ser_core.corpus import audformat, file_names, manifest, ravdess
from ser_core.corpus.clips import COLUMNS, SUFFIXES, Corpus, Rejected, obstacle, sound_files, stamp
from ser_core.corpus.ravdess import (
    STATEMENTS,
    TITLES,
    Clip,
    coverage,
    look_through,
    official_clips,
    parse,
    said,
    title,
)

__all__ = [
    "COLUMNS",
    "STATEMENTS",
    "SUFFIXES",
    "TITLES",
    "Clip",
    "Corpus",
    "Rejected",
    "coverage",
    "index",
    "is_manifest",
    "known_in",
    "look_through",
    "obstacle",
    "official_clips",
    "parse",
    "said",
    "stamp",
    "title",
]


def index(place: str | os.PathLike) -> Corpus:
    """Index every clip of a corpus; files that cannot be used are listed with their reasons.

    Parameters
    ----------
    place : str or path
        A folder of clips of RAVDESS or of one of `file_names.CORPORA`, an audformat database (`audformat.index`), or a
        manifest of any corpus (`manifest.index`).

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If it does not exist or contains no usable clip.

    Examples
    --------
    A folder with one synthetic clip in place of RAVDESS:

    >>> import tempfile
    >>> from ser_core import corpus
    >>> from ser_core.corpus import synthetic
    >>> one = {"actors": [1], "statements": [1], "repetitions": [1], "intensities": [1], "emotions": ["angry"]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = synthetic.write_corpus(folder, **one)
    ...     found = corpus.index(folder)
    >>> found.clips[["stem", "speaker", "emotion", "label"]].iloc[0].tolist()
    ['03-01-05-01-01-01-01', '01', 'angry', 'angry_male']
    >>> found.rejected
    ()
    """
    if is_manifest(place):
        return manifest.index(place)
    if audformat.is_database(Path(place)):
        return audformat.index(Path(place))
    named = file_names.of_folder(Path(place))
    return file_names.index(Path(place), named) if named else ravdess.index(place)


def is_manifest(place: str | os.PathLike) -> bool:
    """Whether a path is a manifest, that is, a CSV file. Anything else is a folder or a recording.

    Parameters
    ----------
    place : str or path

    Returns
    -------
    bool
    """
    return Path(place).suffix.lower() == manifest.SUFFIX and not os.path.isdir(place)


def known_in(place: str | os.PathLike) -> list[tuple[Path, str, int]]:
    """The corpora that are in a folder, recognised by their file names alone; no recording is opened.

    Parameters
    ----------
    place : str or path
        The folder of a corpus, or one with such folders in it.

    Returns
    -------
    list of (Path, str, int)
        Folder, name of the corpus, and number of sound files: of each folder in the place if they are of several
        corpora, otherwise of the place itself.
    """
    place = Path(place)
    folders = sorted(one for one in place.glob("[!.]*") if one.is_dir()) if place.is_dir() else []
    within = [found for folder in folders if (found := _known(folder))]
    if len({name for _, name, _ in within}) > 1:
        return within
    return [found] if (found := _known(place)) else within


def _known(folder: Path) -> tuple[Path, str, int] | None:
    stems = [file.stem for file in sound_files(folder)]
    if audformat.is_database(folder):
        return folder, "audformat", len(stems)
    patterns = {ravdess.NAME: ravdess.PATTERN} | {one.name: one.pattern for one in file_names.CORPORA}
    name = next((name for name, pattern in patterns.items() if file_names.are_most(stems, pattern)), None)
    return (folder, name, len(stems)) if name else None
