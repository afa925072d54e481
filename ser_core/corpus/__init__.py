"""Corpora of clips: indexes, readers, labels, download."""

import os
from pathlib import Path

from ser_core.corpus import file_names, manifest, ravdess
from ser_core.corpus.clips import COLUMNS, SUFFIXES, Corpus, Rejected, obstacle, stamp
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
    "obstacle",
    "official_clips",
    "parse",
    "said",
    "stamp",
    "title",
    "titles",
]


def index(place: str | os.PathLike) -> Corpus:
    """Index every clip of a corpus; files that cannot be used are listed with their reasons.

    Parameters
    ----------
    place : str or path
        A folder of clips of RAVDESS or of one of `file_names.CORPORA`, or a manifest of any corpus (`manifest.index`).

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
