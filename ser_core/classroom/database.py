"""The database of classes: one SQLite file, its schema and its transactions.

It is in WAL mode, so that pages read while pupils write, and each change is one short transaction, on disk before the
pupil is told that it was taken. Deleted rows are overwritten (`secure_delete`). Of pupils it has nicknames and answers,
never sound, and nothing that says who they are.
"""

from __future__ import annotations  # pandas is loaded only where tables are made

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from ser_core.errors import ClassroomError

if TYPE_CHECKING:
    import pandas as pd

FILE = "classes.sqlite"  # in the workspace
LOCK_WAIT_S = 30  # for others that are writing

_TABLES = """
CREATE TABLE IF NOT EXISTS classes (
    code TEXT PRIMARY KEY, salt BLOB NOT NULL, proof BLOB NOT NULL, opened REAL NOT NULL, ended REAL,
    stage TEXT NOT NULL, clip INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pupils (
    class TEXT NOT NULL REFERENCES classes ON DELETE CASCADE, pupil INTEGER NOT NULL, nickname TEXT NOT NULL,
    compared TEXT NOT NULL, proof BLOB NOT NULL, ready INTEGER NOT NULL,
    PRIMARY KEY (class, pupil), UNIQUE (class, compared)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rounds (
    class TEXT NOT NULL REFERENCES classes ON DELETE CASCADE, round INTEGER NOT NULL, address TEXT NOT NULL,
    choices TEXT NOT NULL, clips INTEGER NOT NULL, revealed INTEGER NOT NULL,
    PRIMARY KEY (class, round)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    class TEXT NOT NULL, pupil INTEGER NOT NULL, round INTEGER NOT NULL, clip INTEGER NOT NULL, emotion TEXT NOT NULL,
    sure REAL NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (class, pupil, round, clip),
    FOREIGN KEY (class, pupil) REFERENCES pupils ON DELETE CASCADE,
    FOREIGN KEY (class, round) REFERENCES rounds ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shared (
    class TEXT NOT NULL, pupil INTEGER NOT NULL, number INTEGER NOT NULL, verdict TEXT NOT NULL,
    emotions TEXT NOT NULL, model TEXT NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (class, pupil, number),
    FOREIGN KEY (class, pupil) REFERENCES pupils ON DELETE CASCADE
) WITHOUT ROWID;
"""


class Database:
    """The SQLite file of the classes of one installation.

    Parameters
    ----------
    file : Path
        Made if it is missing.

    Raises
    ------
    ClassroomError
        If it cannot be used.
    """

    def __init__(self, file: Path):
        self.file = file
        self._writing = threading.Lock()  # SQLite would let sessions of one server try again and again, in no order
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(file.with_suffix(".lock")):  # two that change a new file to WAL get in each other's way
                if file.is_file() and not file.stat().st_size:
                    raise sqlite3.DatabaseError("the file is empty")  # where classes were lost in silence otherwise
                file.touch(mode=0o600)
                # Stays open: the last one to close would write the log back into the file each time.
                self._kept = self._connect()
                self._kept.execute("PRAGMA journal_mode = WAL")
                self._kept.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(file, error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._kept.close()

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are all kept, or none of them after an error.

        Parameters
        ----------
        writes : bool
            Whether anything is changed; only one writes at a time.

        Yields
        ------
        sqlite3.Connection

        Raises
        ------
        ClassroomError
            If the file cannot be used.
        """
        try:
            with closing(self._connect()) as db, self._writing if writes else nullcontext():
                db.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                yield db
                db.execute("COMMIT")
        except sqlite3.Error as error:
            raise _unusable(self.file, error) from error

    def empty_log(self) -> None:
        """Empty the log, which holds pages as they were before rows were deleted.

        Raises
        ------
        ClassroomError
            If the file cannot be used.
        """
        try:
            with closing(self._connect()) as db:
                for _attempt in range(3):  # each waits for those who read what was there before
                    is_busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if not is_busy:
                        return
        except sqlite3.Error as error:
            raise _unusable(self.file, error) from error

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.file, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA synchronous = FULL")  # an answer that was taken survives a power cut, too
        return db


def digest(secret: bytes) -> bytes:
    """What the database has of a password's key or of a token: both are too long to be guessed from it.

    Parameters
    ----------
    secret : bytes

    Returns
    -------
    bytes
        Its SHA-256.
    """
    return hashlib.sha256(secret).digest()


def read_table(db: sqlite3.Connection, query: str, *values) -> pd.DataFrame:
    """The rows of a query as a table.

    Parameters
    ----------
    db : sqlite3.Connection
    query : str
    *values
        Of its question marks.

    Returns
    -------
    pd.DataFrame
    """
    import pandas as pd

    found = db.execute(query, values)
    return pd.DataFrame(found.fetchall(), columns=[column[0] for column in found.description])


def _unusable(file: Path, error: OSError | sqlite3.Error) -> ClassroomError:
    # SQLite raises an OperationalError for what may pass: a lock, a full disk.
    is_damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    way_out = "restore it, or move it away: a new one is begun then"
    way_out = way_out if is_damaged else "see that its folder is there and can be written"
    return ClassroomError(f"The database of classes, {file}, cannot be used ({error}): {way_out}")
