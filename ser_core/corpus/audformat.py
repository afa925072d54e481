"""The reader of audformat databases, as audb publishes them: a header `db.yaml`, and tables that are read as plain CSV.

db.yaml
db.emotion.csv      file,emotion
db.files.csv        file,speaker
db.speaker.csv      speaker,gender,language
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ser_core.corpus import by_clip, manifest
from ser_core.corpus.clips import Corpus
from ser_core.errors import CorpusError

HEADER = "db.yaml"
START_OF_FILE = ("", "0", "0 days", "0 days 00:00:00")
END_OF_FILE = ("", "NaT")


def is_database(place: Path) -> bool:
    """Whether a folder is an audformat database.

    Parameters
    ----------
    place : Path

    Returns
    -------
    bool
    """
    return (place / HEADER).is_file()


def index(folder: Path) -> Corpus:
    """Index every clip of a database. Rows that cannot be used are rejected, each with its line number and reason.

    The clips are the rows of the largest table with a column `emotion`. Their other columns come from all tables by
    file, and from those by speaker.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Corpus
        Named as the database.

    Raises
    ------
    CorpusError
        If there is no such table or no speaker, a table cannot be read, or no row can be used.

    References
    ----------
    audEERING, "audformat": https://audeering.github.io/audformat/
    """
    tables = [_read(file) for file in sorted(folder.glob("db.*.csv"))]
    with_emotion = [table for table in tables if {"file", "emotion"} <= set(table)]
    if not with_emotion:
        raise CorpusError(
            f"{folder} has no table db.*.csv with the columns file and emotion. Save its tables as CSV: "
            'db.save(folder, storage_format="csv")'
        )
    clips = max(with_emotion, key=len)
    for key in ("file", "speaker"):
        for table in tables:
            is_by_key = key in table and "start" not in table and table[key].is_unique
            new = [name for name in table if name not in clips]
            if is_by_key and key in clips and new:
                clips = clips.merge(table[[key, *new]], on=key, how="left").fillna("")
    clips = clips.assign(corpus=_name(folder)).rename(columns={name: f"{name}_" for name in manifest.MADE})
    columns = [name for name in clips if name not in ("start", "end")]
    return manifest.of_rows(columns, _rows(clips, columns), (folder / HEADER).absolute())


def _read(file: Path) -> pd.DataFrame:
    try:
        table = by_clip.of_csv(file.read_bytes(), file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas' errors for a file that is no CSV are ValueErrors
        raise CorpusError(f"The table {file} cannot be read ({error})") from error
    table = table.rename(columns=str.lower)
    by_clip.refuse_doubled(table.columns, file)
    return table


def _rows(clips: pd.DataFrame, columns: list[str]) -> Iterator[tuple[int, list[str] | str]]:
    """The rows as `manifest.of_rows` takes them, with the lines of the table."""
    for line, row in enumerate(clips.to_dict("records"), start=2):
        start, end = row.get("start", ""), row.get("end", "")
        if start in START_OF_FILE and end in END_OF_FILE:
            yield line, [row[name].strip() for name in columns]
        else:
            yield line, f"{row['file']} from {start} to {end} is a part of a file: cut it out into a file of its own"


def _name(folder: Path) -> str:
    """The name of the database, from its header."""
    text = (folder / HEADER).read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^name:[ \t]*['\"]?([^'\"\n#]+)", text, re.MULTILINE)
    return found[1].strip() if found else folder.name
