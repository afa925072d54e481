"""Clips: which there are, who speaks in them and how, and how they are brought here."""

from ser_core.corpus.ravdess import (
    COLUMNS,
    STATEMENTS,
    SUFFIXES,
    TITLES,
    Clip,
    Corpus,
    Rejected,
    coverage,
    index,
    look_through,
    official_clips,
    parse,
    said,
    stamp,
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
    "look_through",
    "official_clips",
    "parse",
    "said",
    "stamp",
    "title",
    "titles",
]
