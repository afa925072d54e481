"""Atomic writes, and tables as compact Parquet files or as CSV."""

from __future__ import annotations  # pandas is loaded only where tables are written

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 15  # of zstd; a run's predictions take 0.1 s
# With which spreadsheets begin what they compute; some read the wide ones of Chinese and Japanese as the plain ones.
FORMULA = ("=", "+", "-", "@", "\t", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@contextmanager
def atomically(file: Path) -> Iterator[Path]:
    """Write a file atomically: it is complete or unchanged, even if the process is killed or the disk is full.

    Parameters
    ----------
    file : Path
        The file to write or replace. Its folder must exist.

    Yields
    ------
    Path
        A temporary file beside it, to write to. It replaces the file when the block ends, and is deleted after an
        error.

    Examples
    --------
    >>> with atomically(Path("answer.txt")) as part:
    ...     _ = part.write_text("42")
    """
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield part
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def write(table: pd.DataFrame, file: Path) -> None:
    """Write a table as Parquet.

    Floats are stored as byte streams, which are a third smaller here than dictionaries, since values hardly repeat.

    Parameters
    ----------
    table : pd.DataFrame
    file : Path

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    floats = table.select_dtypes("floating").columns
    table.to_parquet(
        file,
        index=False,
        compression="zstd",
        compression_level=LEVEL,
        use_byte_stream_split=list(floats),
        use_dictionary=list(table.columns.difference(floats)),
    )


def as_csv(table: pd.DataFrame) -> str:
    """A table as CSV in which no text is taken for a formula by a spreadsheet.

    Text that begins with `= + - @` or with a tab gets an apostrophe before it. Numbers stay as they are, also those
    in columns of text. Every table that a page or a command gives as CSV goes through here.

    Parameters
    ----------
    table : pd.DataFrame

    Returns
    -------
    str

    References
    ----------
    OWASP, "CSV Injection".

    Examples
    --------
    >>> import pandas as pd
    >>> print(as_csv(pd.DataFrame({"file": ["=1+1.wav", "a.wav"], "level": [-3.5, 0.0]})))
    file,level
    '=1+1.wav,-3.5
    a.wav,0.0
    <BLANKLINE>
    """
    harmless = table.copy()
    for name in table.select_dtypes(exclude=["number", "bool", "datetime", "datetimetz", "timedelta"]):
        harmless[name] = table[name].map(_harmless)
    return harmless.rename(columns=_harmless).to_csv(index=False)


def _harmless(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    cell = cell.replace("\r", " ")  # which would begin a new line, since it is not quoted
    return f"'{cell}" if cell.lstrip(" \n").startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
