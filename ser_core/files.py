"""Files that are written whole or not at all, and tables as Parquet files: lossless and small."""

from __future__ import annotations  # pandas is not loaded for what writes no table

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 15  # of zstd: a tenth of a second for a run's predictions


@contextmanager
def atomically(file: Path) -> Iterator[Path]:
    """Write a file whole or not at all, also where the process is killed or the disk is full.

    Parameters
    ----------
    file : Path
        What is written or replaced. Its folder is there.

    Yields
    ------
    Path
        A hidden file beside it, to be written. It takes the file's place when the block ends; after an error nothing
        is left of it.

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

    Floats are stored as byte streams, which compress a third better than dictionaries of values that hardly repeat.

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
