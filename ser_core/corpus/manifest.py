"""Manifests: CSV files that list the clips of any corpus with speaker and emotion; their reader and their writer.

    file,speaker,emotion,gender,language
    wav/03a01Fa.wav,03,happy,male,de
    wav/08a01Na.wav,08,neutral,female,de

`file`, `speaker` and `emotion` are required; `gender`, `language` and `corpus` are optional; any further column becomes
a text column of the index. Paths are absolute or relative to the manifest's folder. Columns are separated by comma,
semicolon or tab, and the encoding is UTF-8.
"""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from ser_core import files
from ser_core.corpus import by_clip
from ser_core.corpus.clips import COLUMNS, Corpus, Rejected, duration, in_order
from ser_core.corpus.labels import common_name, gender_name, label_of
from ser_core.errors import CorpusError

SUFFIX = ".csv"
REQUIRED = ("file", "speaker", "emotion")
OPTIONAL = ("gender", "language", "corpus")
NO_VALUE = ("nan", "<na>")  # what pandas may write for a value that is missing
MADE = tuple(name for name in COLUMNS if name not in (*REQUIRED, *OPTIONAL))  # computed by the index


def index(file: str | os.PathLike) -> Corpus:
    """Index every clip of a manifest. Rows that cannot be used are rejected, each with its line number and reason.

    The stem of a clip is its path without suffix, relative to the deepest folder that contains all clips: `03a01Fa`, or
    `session1/a` and `session2/a`. Emotions are named as in the common vocabulary (`labels.common_name`); other than the
    eight known ones are kept as written.

    Parameters
    ----------
    file : str or path

    Returns
    -------
    Corpus
        Where the manifest has no `corpus`, the name of its file without suffix is taken.

    Raises
    ------
    CorpusError
        If the file does not exist or is not such a table, a required column is missing, or no row can be used.
    """
    file = Path(file).absolute()
    records = _records(file)
    _, head = next(records, (1, []))
    return of_rows([name.lower() for name in head if not isinstance(head, str)], records, file)


def of_rows(columns: list[str], records: Iterable[tuple[int, list[str] | str]], file: Path) -> Corpus:
    """Index the rows of a table with the columns of a manifest.

    Parameters
    ----------
    columns : list of str
    records : iterable of (int, list of str or str)
        The line number of each row, and its cells or why they cannot be used.
    file : Path
        Absolute; what the paths of clips are relative to the folder of.

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError
        If a required column is missing, or no row can be used.
    """
    _check_columns(columns, file)
    clips, rejected = [], []
    lines: dict[Path, int] = {}  # path without suffix -> line number
    for line, cells in records:
        named = dict(zip(columns, cells, strict=False)).get("file") if isinstance(cells, list) else None
        try:
            clip = _clip(columns, cells, file)
            if (same := lines.setdefault(clip["path"].with_suffix(""), line)) != line:
                raise CorpusError(f"the same clip as in line {same}")
        except CorpusError as error:
            rejected.append(Rejected(named or file.name, f"line {line}: {error}"))
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


def write(corpora: Sequence[Corpus], file: Path) -> None:
    """Write the index of one or more corpora as a manifest, which can be edited and read again.

    Parameters
    ----------
    corpora : sequence of Corpus
    file : Path
        Replaced completely or not at all. Clips below its folder are named relative to it, others by absolute path.

    Raises
    ------
    CorpusError
        If it cannot be written.
    """
    here, parts = file.absolute().parent, []
    for corpus in corpora:
        paths = [(corpus.folder / path).absolute() for path in corpus.clips["path"]]
        named = [path.relative_to(here) if path.is_relative_to(here) else path for path in paths]
        parts.append(corpus.clips.astype(str).assign(file=[path.as_posix() for path in named]))
    clips = pd.concat(parts).fillna("")
    further = [name for name in clips.columns if name not in (*REQUIRED, *OPTIONAL, *MADE)]
    try:
        here.mkdir(parents=True, exist_ok=True)
        with files.atomically(file) as part:
            clips[[*REQUIRED, *OPTIONAL, *further]].to_csv(part, index=False)
    except OSError as error:
        raise CorpusError(f"{file} cannot be written ({error}). Choose another place") from error


def _records(file: Path) -> Iterator[tuple[int, list[str] | str]]:
    """Each record's first line number and its cells, or why they cannot be parsed; the header comes first."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CorpusError(f"The manifest {file} cannot be read ({error.strerror}). Check the path") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"The manifest {file} is not UTF-8 ({error}). Save it as CSV in UTF-8") from error
    first = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > line:  # an unclosed quotation mark swallows the rows after it
                raise CorpusError(f"{file}, line {line}: {error}. Correct its quotation marks") from error
            yield line, "a quotation mark is out of place"
            continue
        if any(cells):
            yield line, cells


def _check_columns(columns: list[str], file: Path) -> None:
    if lacking := [name for name in REQUIRED if name not in columns]:
        raise CorpusError(
            f"The manifest {file} lacks the columns {', '.join(lacking)}; it has {', '.join(columns) or 'none'}. "
            f"Its first line names its columns: {', '.join(REQUIRED)} and more, separated by comma, semicolon or tab"
        )
    by_clip.refuse_doubled(filter(None, columns), file)
    for name in columns:
        if name in MADE or not name:
            why = "the index has one of its own" if name else "it has no name"
            raise CorpusError(f"The manifest {file} has a column {name!r} that cannot be used: {why}. Rename it")


def _clip(columns: list[str], cells: list[str] | str, file: Path) -> dict:
    """A row of the index, with an absolute path. Raises `CorpusError` with what is wrong with the row."""
    if isinstance(cells, str):
        raise CorpusError(cells)
    if len(cells) != len(columns):
        raise CorpusError(f"there are {len(cells)} cells, and the header has {len(columns)}")
    row = dict(zip(columns, cells, strict=True))
    for name in REQUIRED:
        if not row[name] or row[name].lower() in NO_VALUE:
            raise CorpusError(f"{name} is {row[name] or 'empty'}")
    path = Path(os.path.normpath(file.parent / row.pop("file")))
    if not path.is_file():
        raise CorpusError("there is no such file")
    duration_s, fault = duration(path)
    if fault:
        raise CorpusError(fault)
    emotion, gender = common_name(row["emotion"]), row.get("gender", "")
    gender = gender_name(gender)
    return row | {
        "corpus": row.get("corpus") or file.stem,
        "language": row.get("language", ""),
        "path": path,
        "emotion": emotion,
        "gender": gender,
        "label": label_of(emotion, gender),
        "duration_s": duration_s,
    }
