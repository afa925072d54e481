"""Tables that were made elsewhere, with a row per clip: reading CSV or Parquet, and finding the clips in an index."""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import ArrowException

from ser_core import records
from ser_core.corpus.clips import SUFFIXES
from ser_core.errors import CorpusError, DamagedError

KEYS = ("clip", "stem", "file", "path")  # columns that may name the clips, the first that is there
NAMED = 5  # of many names, in a message


def read(file: Path) -> tuple[pd.DataFrame, str]:
    """Read a CSV (separated by comma, semicolon or tab) or Parquet file whose rows name clips.

    Parameters
    ----------
    file : Path

    Returns
    -------
    table : pd.DataFrame
        Its first column, `clip`, holds the names of clips as they were written.
    digest : str
        SHA-256 of the file in hexadecimal.

    Raises
    ------
    CorpusError
        If it cannot be read, or no column names the clips.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CorpusError(f"{file} cannot be read ({error.strerror}). Check the path") from error
    if file.suffix.lower() == ".onnx":
        raise CorpusError(f"{file} is an encoder, and not a table of numbers: name it onnx:{file}")
    try:
        if content[:4] == b"PAR1":
            table = _of_parquet(content, file)
        else:
            table = of_csv(content, file, dtype=dict.fromkeys(KEYS, str))
    except (DamagedError, ArrowException, OSError, ValueError) as error:  # also parser errors, and no UTF-8
        raise CorpusError(f"{file} is neither CSV in UTF-8 nor Parquet ({records.reason_of(error)})") from error
    table.columns = [str(name) for name in table.columns]
    key = next((name for name in KEYS if name in table), None)
    if key is None:
        raise CorpusError(
            f"{file} has no column that names the clips: {', '.join(KEYS[:-1])} or {KEYS[-1]}. It has "
            f"{listed(table.columns) or 'none'}"
        )
    clips = table.pop(key).astype(str)
    table.insert(0, "clip", clips)
    return table, hashlib.sha256(content).hexdigest()


def _of_parquet(content: bytes, file: Path) -> pd.DataFrame:
    from pyarrow.parquet import read_schema

    refuse_doubled(read_schema(io.BytesIO(content)).names, file)
    table = records.read_table(file)
    levels = [name for name in table.index.names if name]  # audformat keeps file, start and end there
    refuse_doubled([*levels, *table.columns], file)
    return table.reset_index() if levels else table


def of_csv(content: bytes, file: Path, **options) -> pd.DataFrame:
    """Read a CSV file, separated by comma, semicolon or tab.

    Parameters
    ----------
    content : bytes
        Of the file.
    file : Path
        Its name for messages.
    options
        As `pd.read_csv` takes them.

    Returns
    -------
    pd.DataFrame
        Without columns that have no name, such as the row numbers that pandas writes.

    Raises
    ------
    CorpusError
        If two columns have the same name.
    ValueError
        If it is no CSV in UTF-8.
    """
    text = content.decode("utf-8-sig")
    separator = max(",;\t", key=text.partition("\n")[0].count)
    header = pd.read_csv(io.StringIO(text), sep=separator, header=None, nrows=1, dtype=str, keep_default_na=False)
    refuse_doubled((name for name in header.iloc[0] if name), file)
    table = pd.read_csv(io.StringIO(text), sep=separator, **options)
    return table.loc[:, ~table.columns.str.fullmatch(r"Unnamed: \d+")]


def refuse_doubled(columns: Iterable[str], file: Path) -> None:
    """Refuse a table in which two columns have the same name: pandas would call the second one `a.1`.

    Parameters
    ----------
    columns : iterable of str
        As they are written in the file.
    file : Path

    Raises
    ------
    CorpusError
        It names the column and the file.
    """
    if twice := [name for name, times in Counter(columns).items() if times > 1]:
        raise CorpusError(f"{file} has the column {twice[0]!r} twice. Rename one of them, or leave it out")


def rows_in(clips: pd.DataFrame, names: Iterable[str]) -> np.ndarray:
    """The row of an index that each name stands for.

    Parameters
    ----------
    clips : pd.DataFrame
        An index, or a feature table.
    names : iterable of str
        Stems; or paths of sound files, absolute or relative to any folder, with or without suffix.

    Returns
    -------
    np.ndarray [shape=(names,), dtype=int]
        -1 for a name that is no clip's, or could be several clips'.

    Examples
    --------
    >>> clips = pd.DataFrame({"stem": ["day1/a", "day2/a", "b"], "path": ["day1/a.wav", "day2/a.wav", "b.wav"]})
    >>> rows_in(clips, ["day2/a", "/data/day1/a.wav", "b.flac", "a", "c"]).tolist()
    [1, 0, 2, -1, -1]
    """
    known: dict[str, int] = {}
    for row, (stem, path) in enumerate(zip(clips["stem"], clips["path"], strict=True)):
        for name in {stem, _without_suffix(path)}:
            known[name] = row
    last = pd.Series([stem.rpartition("/")[2] for stem in clips["stem"]])
    known = {name: row for row, name in last[~last.duplicated(keep=False)].items()} | known
    return np.array([_find(known, name) for name in names], dtype=int)


def _find(known: dict[str, int], name: str) -> int:
    """The row by the longest end of a path that is known."""
    name = _without_suffix(name.replace("\\", "/"))
    while True:
        if name in known:
            return known[name]
        _, slash, name = name.partition("/")
        if not slash:
            return -1


def _without_suffix(path: str) -> str:
    return path[: path.rindex(".")] if path.lower().endswith(SUFFIXES) else path


def fault(what: str, names: Iterable[str], of: int = 0) -> str:
    """What is wrong with some clips, for a message.

    Parameters
    ----------
    what : str
    names : iterable of str
        Of the clips.
    of : int, optional
        Number of all clips.

    Returns
    -------
    str

    Examples
    --------
    >>> fault("missing", ["a", "b"], of=1440)
    'missing (2 of 1,440): a, b'
    """
    names = list(names)
    return f"{what} ({len(names):,}{f' of {of:,}' if of else ''}): {listed(names)}"


def listed(names: Iterable[str]) -> str:
    """Names for a message: the first five, and the number of the others.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    str
        E.g. "a, b, c, d, e and 3 more".
    """
    names = [str(name) for name in names]
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
