"""Files that are not what they should be: each kind of file that the app reads, and each way in which it may be odd."""

import io
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ser_core.settings import ARTIFACTS, Settings

DAMAGES = ("missing", "empty", "cut off", "garbage", "of another kind", "a folder", "not readable")


def shipped_run(protocol: str, model: str) -> str:
    """The id of a run that ships, of a model's default, whose test clips are heard as recorded."""
    is_it = re.compile(rf"{protocol}-{model}-default-[0-9a-f]{{8}}").fullmatch
    return next(folder.name for folder in (ARTIFACTS / "runs").iterdir() if is_it(folder.name))


def another(file: Path) -> bytes:
    """A file that can be read and holds something else."""
    content = io.BytesIO()
    match file.suffix:
        case ".json":
            return b"[3]"
        case ".parquet":
            pd.DataFrame({"colour": ["red"]}).to_parquet(content)
        case ".npz":
            np.savez(content, colour=np.zeros(3))
        case ".skops":
            import skops.io

            return skops.io.dumps({"colour": "red"})
        case ".sqlite":
            with closing(sqlite3.connect(":memory:")) as database, database:
                database.execute("CREATE TABLE colours (name TEXT)")
                return database.serialize()
        case _:
            return b"red"
    return content.getvalue()


def spoil(file: Path, damage: str) -> None:
    """Put something odd in the place of a file."""
    content = file.read_bytes()
    file.unlink()
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "cut off":
            file.write_bytes(content[: len(content) // 2])
        case "garbage":
            file.write_bytes(bytes(range(256)) * 64)
        case "of another kind":
            file.write_bytes(another(file))
        case "a folder":
            file.mkdir()
        case "not readable":  # a link to itself, which not even the superuser can read
            file.symlink_to(file)


class House:
    """The artifacts that ship, in a place where they can be damaged: a folder of links.

    Parameters
    ----------
    folder : Path
        A new one.
    """

    def __init__(self, folder: Path):
        self.artifacts = folder / "artifacts"
        shutil.copytree(ARTIFACTS, self.artifacts, copy_function=lambda source, target: os.symlink(source, target))

    @contextmanager
    def damaged(self, name: str, damage: str) -> Iterator[Path]:
        """One file is odd for a while."""
        file = self.artifacts / name
        source = os.readlink(file)
        spoil(file, damage)
        try:
            yield file
        finally:
            if file.is_dir():
                file.rmdir()
            file.unlink(missing_ok=True)
            file.symlink_to(source)

    def move_in(self, monkeypatch) -> None:
        """Read what ships from here for the rest of a test."""
        usual = Settings.from_environment
        monkeypatch.setattr(
            Settings, "from_environment", classmethod(lambda cls: replace(usual(), artifacts=self.artifacts))
        )
