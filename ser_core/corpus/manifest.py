"""The reader of any corpus: a manifest is a CSV file that names clips, who speaks in them, and in which emotion.

    file,speaker,emotion,gender,language
    wav/03a01Fa.wav,03,happy,male,de
    wav/08a01Na.wav,08,neutral,female,de

`file`, `speaker` and `emotion` are required; `gender`, `language` and `corpus` are known; any further column becomes
a column of text in the index. A path counts from the manifest's folder, or is absolute. Columns are separated by comma
or semicolon, and the text is UTF-8.
"""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ser_core.corpus.clips import COLUMNS, Corpus, Rejected, duration, in_order
from ser_core.corpus.labels import EMOTION_NAMES, GENDERS, label_of
from ser_core.errors import CorpusError

SUFFIX = ".csv"
REQUIRED = ("file", "speaker", "emotion")
OPTIONAL = ("gender", "language", "corpus")
MADE = tuple(name for name in COLUMNS if name not in (*REQUIRED, *OPTIONAL))  # by the index


def index(file: str | os.PathLike) -> Corpus:
    """Every clip that a manifest names. Rows that are of no use are rejected, each with its line number and reason.

    A clip's stem is its path below the deepest folder that holds all the clips, without suffix: `03a01Fa`, or
    `session1/a` and `session2/a`. Emotions other than the eight known ones are kept as written.

    Parameters
    ----------
    file : str or path

    Returns
    -------
    Corpus
        Its `corpus` is the manifest's name without suffix, where no column says otherwise.

    Raises
    ------
    CorpusError
        If there is no such file, it is not such a table, it lacks a required column, or no row can be used.
    """
    file = Path(file).absolute()
    records = _records(file)
    columns = [name.lower() for name in next(records, (1, None))[1] or ()]
    _check_columns(columns, file)
    clips, rejected = [], []
    lines: dict[Path, int] = {}  # a clip's path without suffix -> its line
    for line, cells in records:
        named = dict(zip(columns, cells or (), strict=False)).get("file") or file.name
        try:
            clip = _clip(columns, cells, file)
            if (same := lines.setdefault(clip["path"].with_suffix(""), line)) != line:
                raise CorpusError(f"the same clip as in line {same}")
        except CorpusError as error:
            rejected.append(Rejected(named, f"line {line}: {error}"))
        else:
            clips.append(clip)
    if not clips:
        found = f"of {len(rejected)} rows, the first: {rejected[0].reason}" if rejected else "since it has no rows"
        raise CorpusError(f"No clip of {file} can be used, {found}. Each row names a sound file, a speaker, an emotion")
    folder = Path(os.path.commonpath([clip["path"].parent for clip in clips]))
    for clip in clips:
        path = clip["path"].relative_to(folder)
        clip |= {"path": path.as_posix(), "stem": path.with_suffix("").as_posix()}
    further = [name for name in columns if name not in (*REQUIRED, *OPTIONAL)]
    return Corpus(folder, in_order(pd.DataFrame(clips, columns=[*COLUMNS, *further])), tuple(rejected))


def _records(file: Path) -> Iterator[tuple[int, list[str] | None]]:
    """The number of each record's first line and its cells, None where they cannot be told apart; the header first."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CorpusError(f"The manifest {file} cannot be read ({error.strerror}). Check the path") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"The manifest {file} is not UTF-8 ({error}). Save it as CSV in UTF-8") from error
    first = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;", key=first.count), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > line:  # a quotation that is not closed swallows the rows after it
                raise CorpusError(f"{file}, line {line}: {error}. Mend its quotation marks") from error
            cells = None
        if cells is None or any(cells):
            yield line, cells


def _check_columns(columns: list[str], file: Path) -> None:
    if lacking := [name for name in REQUIRED if name not in columns]:
        raise CorpusError(
            f"The manifest {file} lacks the columns {', '.join(lacking)}; it has {', '.join(columns) or 'none'}. "
            f"Its first line names its columns: {', '.join(REQUIRED)} and more"
        )
    for name in columns:
        if columns.count(name) > 1:
            raise CorpusError(f"The manifest {file} has the column {name!r} twice. Rename one of them")
        if name in MADE or not name:
            why = "the index has one of its own" if name else "it has no name"
            raise CorpusError(f"The manifest {file} has a column {name!r} that cannot be used: {why}. Rename it")


def _clip(columns: list[str], cells: list[str] | None, file: Path) -> dict:
    """A row of the index; its path is absolute.

    Raises
    ------
    CorpusError
        With what is wrong with the row.
    """
    if cells is None:
        raise CorpusError("a quotation mark is out of place")
    if len(cells) != len(columns):
        raise CorpusError(f"there are {len(cells)} cells, and the header has {len(columns)}")
    row = dict(zip(columns, cells, strict=True))
    for name in REQUIRED:
        if not row[name]:
            raise CorpusError(f"{name} is empty")
    path = Path(os.path.normpath(file.parent / row.pop("file")))
    if not path.is_file():
        raise CorpusError("there is no such file")
    duration_s, fault = duration(path)
    if fault:
        raise CorpusError(fault)
    emotion, gender = _known(row["emotion"], EMOTION_NAMES), _known(row.get("gender", ""), GENDERS)
    return row | {
        "corpus": row.get("corpus") or file.stem,
        "language": row.get("language", ""),
        "path": path,
        "emotion": emotion,
        "gender": gender,
        "label": label_of(emotion, gender),
        "duration_s": duration_s,
    }


def _known(text: str, names: tuple[str, ...]) -> str:
    """A name in lower case if it is a known one; else as it is written."""
    return text.lower() if text.lower() in names else text
