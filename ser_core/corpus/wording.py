"""What the columns, values and clips of a corpus are called on pages and in figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ser_core.corpus import ravdess
from ser_core.corpus.clips import COLUMNS, without_zeros
from ser_core.corpus.labels import title_of

MOST_VALUES = 100  # of a column that clips are counted by
MOST_FURTHER = 6  # columns of a manifest that clips are filtered by


def enumerated(names: Sequence[str]) -> str:
    """Names in a sentence.

    Parameters
    ----------
    names : sequence of str
        One or more.

    Returns
    -------
    str

    Examples
    --------
    >>> enumerated(["calm"]), enumerated(["calm", "sad"]), enumerated(["calm", "sad", "angry"])
    ('calm', 'calm and sad', 'calm, sad and angry')
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


@dataclass(frozen=True)
class Wording:
    """The words for a corpus.

    Parameters
    ----------
    titles : mapping of str to str
        The columns to filter and to count clips by, and their titles.
    said : callable
        A column and a value of it -> the value for display.
    title : callable
        A clip, or a row of an index -> the clip in words.
    speaker : str
        What a speaker is called.
    """

    titles: Mapping[str, str]
    said: Callable[[str, Any], str]
    title: Callable[[Any], str]
    speaker: str = "speaker"

    def titles_of(self, clips: pd.DataFrame) -> list[str]:
        """The title of each row of an index.

        Parameters
        ----------
        clips : pd.DataFrame

        Returns
        -------
        list of str
        """
        return [self.title(clip) for clip in clips[clips.columns.intersection(_NAMING)].itertuples()]


def of(clips: pd.DataFrame) -> Wording:
    """The words for the corpus of an index: those of RAVDESS if its reader made the index.

    Parameters
    ----------
    clips : pd.DataFrame

    Returns
    -------
    Wording
        For any other corpus, `titles` has the columns of text with two or more values: those of every index first, and
        then up to `MOST_FURTHER` further ones that have no more than `MOST_VALUES`.

    Examples
    --------
    >>> clips = pd.DataFrame({"emotion": ["angry", "boredom"], "speaker": ["03", "08"], "gender": ["male", "female"]})
    >>> words = of(clips.assign(text=["a01", "a02"], take="1"))
    >>> list(words.titles), words.said("speaker", "03"), words.title(next(clips.itertuples()))
    (['emotion', 'speaker', 'gender', 'text'], 'Speaker 3', 'Angry by speaker 3, male')
    """
    if is_ravdess(clips):
        return RAVDESS
    further = [
        name
        for name in clips.select_dtypes(["object", "string"])
        if name not in (*COLUMNS, "part") and 2 <= clips[name].nunique() <= MOST_VALUES
    ]
    differing = [name for name in ("gender", "language", "corpus") if name in clips and clips[name].nunique() > 1]
    names = ["emotion", "speaker", *differing, *further[:MOST_FURTHER]]
    return Wording({name: name.replace("_", " ") for name in names}, _said, _title)


def is_ravdess(clips: pd.DataFrame) -> bool:
    """Whether the reader of RAVDESS made an index, which alone has statements as numbers.

    Parameters
    ----------
    clips : pd.DataFrame

    Returns
    -------
    bool
    """
    return set(ravdess.OWN_COLUMNS) <= set(clips) and pd.api.types.is_integer_dtype(clips["statement"])


def _said(column: str, value) -> str:
    if column == "label":
        return title_of(value)
    if column == "speaker":
        return f"Speaker {without_zeros(str(value))}"
    words = str(value)
    if not words:
        return "Not known"
    return words[0].upper() + words[1:] if column in ("emotion", "gender") else words


def _title(clip) -> str:
    gender = f", {clip.gender}" if clip.gender else ""
    return f"{_said('emotion', clip.emotion)} by speaker {without_zeros(str(clip.speaker))}{gender}"


_NAMING = ("emotion", "intensity", "channel", "speaker", "gender")  # columns that make a title
RAVDESS = Wording(ravdess.TITLES, ravdess.said, ravdess.title, ravdess.TITLES["speaker"])
