"""Clips: which there are, who speaks in them and how, and how they are brought here."""

import os
from pathlib import Path

from ser_core.corpus import file_names, manifest, ravdess
from ser_core.corpus.clips import COLUMNS, SUFFIXES, Corpus, Rejected, stamp
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
    titles,
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
    "look_through",
    "official_clips",
    "parse",
    "said",
    "stamp",
    "title",
    "titles",
]


def index(place: str | os.PathLike) -> Corpus:
    """Every clip of a corpus, and what is wrong with the files that are left out.

    Parameters
    ----------
    place : str or path
        A folder of clips of RAVDESS or of one of `file_names.CORPORA`, or a manifest of any corpus (`manifest.index`).

    Raises
    ------
    CorpusError
        If it is not there, or holds no clip.

    Examples
    --------
    >>> clips = corpus.index("emodb.csv").clips  # doctest: +SKIP
    >>> clips.groupby("emotion")["speaker"].nunique()  # doctest: +SKIP
    """
    if is_manifest(place):
        return manifest.index(place)
    named = file_names.of_folder(Path(place))
    return file_names.index(Path(place), named) if named else ravdess.index(place)


def is_manifest(place: str | os.PathLike) -> bool:
    """A CSV file is a manifest; anything else is a folder or a recording."""
    return Path(place).suffix.lower() == manifest.SUFFIX and not os.path.isdir(place)
