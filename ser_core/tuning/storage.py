"""The database of studies, which Optuna's workers share.

On one machine it is an SQLite file in the workspace, in WAL mode, so that pages read while workers write. For several
machines it is PostgreSQL, named by `SER_OPTUNA_STORAGE`. The shipped studies are an SQLite file that is opened
read-only.
"""

import json
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ser_core import extras, records
from ser_core.errors import TuningError
from ser_core.files import atomically
from ser_core.settings import Settings

HEARTBEAT_S = 10  # interval of a running trial's heartbeats
GRACE_BEATS = 3  # after this number of missed heartbeats, the trial is retried
MAX_RETRIES = 3  # per trial: what kills three workers would kill the fourth
LOCK_KEY = 1_188_976  # of the advisory lock: any number that no other user of the server takes
EMPTY = "the file is empty"  # SQLite would begin a new database in it, and what was in it would be lost in silence
LOCK_WAIT_S = 60  # timeout for an SQLite file that others are writing


def url(settings: Settings) -> str:
    """The URL of the database of this installation's own studies.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    str
    """
    return settings.optuna_storage or f"sqlite:///{settings.workspace / 'studies.sqlite'}"


def shipped_file(settings: Settings) -> Path:
    """The SQLite file of the shipped studies.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    Path
    """
    return settings.artifacts / "studies.sqlite"


def shipped_url(settings: Settings) -> str:
    """The URL of the database of the shipped studies, read-only.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    str
    """
    # immutable: SQLite needs no lock and no journal beside the file.
    return f"sqlite:///file:{shipped_file(settings)}?mode=ro&immutable=1&uri=true"


def without_password(url: str) -> str:
    """A database's URL without its password, for messages.

    Parameters
    ----------
    url : str

    Returns
    -------
    str
    """
    return make_url(url).render_as_string(hide_password=True)


def exists(url: str) -> bool:
    """Whether there is a database. That of a server is assumed to exist.

    Parameters
    ----------
    url : str

    Returns
    -------
    bool
        False for a missing SQLite file.
    """
    file = _sqlite_file(url)
    return file is None or os.path.lexists(file)


def stamp(url: str) -> tuple:
    """What changes when another file is put in the place of a database's.

    Parameters
    ----------
    url : str

    Returns
    -------
    tuple
        Empty for a database of a server, and where there is no file.
    """
    file = _sqlite_file(url)
    try:
        stat = os.stat(file) if file else None
    except OSError:
        return ()
    if stat is None:
        return ()
    # One that is worked on changes all the time.
    return stat.st_dev, stat.st_ino, *((stat.st_mtime_ns, stat.st_size) if "immutable" in url else ())


def connect(url: str, *, heartbeat_s: int = HEARTBEAT_S) -> RDBStorage:
    """Open a database, and create it if it is missing. Concurrent processes wait for each other.

    Parameters
    ----------
    url : str
    heartbeat_s : int
        Seconds between a worker's heartbeats.

    Returns
    -------
    RDBStorage

    Raises
    ------
    TuningError
        If it cannot be reached, created or written, or a driver is missing.
    MissingPackageError
        If it is a PostgreSQL database and psycopg is not installed.
    """
    file = _sqlite_file(url)
    is_sqlite = file is not None
    with reachable(url), _locked(url):
        if file is not None and "immutable" in url and not file.stat().st_size:
            raise sqlite3.DatabaseError(EMPTY)
        return RDBStorage(
            url,
            engine_kwargs={"connect_args": {"timeout": LOCK_WAIT_S}} if is_sqlite else {"pool_pre_ping": True},
            heartbeat_interval=heartbeat_s,
            grace_period=GRACE_BEATS * heartbeat_s,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=MAX_RETRIES),
        )


@contextmanager
def _locked(url: str):
    """Hold a lock: of two that open a new database at once, both would make its tables, and one would fail."""
    file = _sqlite_file(url)
    if file is not None and "immutable" not in url:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock")):
            if file.is_file() and not file.stat().st_size:
                raise sqlite3.DatabaseError(EMPTY)
            with closing(sqlite3.connect(file, timeout=LOCK_WAIT_S)) as database:
                database.execute("PRAGMA journal_mode = WAL")
            yield
    elif make_url(url).get_backend_name() == "postgresql":
        with create_engine(url, poolclass=NullPool).connect() as server:
            server.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})  # until the connection closes
            yield
    else:
        yield


def pack(url: str, file: Path) -> None:
    """Copy an SQLite database of studies into one small file that can be opened read-only.

    Parameters
    ----------
    url : str
        Of an SQLite database.
    file : Path
    """
    source = _sqlite_file(url)
    assert source is not None, f"{url} is no SQLite database"
    with atomically(file) as part:
        with closing(sqlite3.connect(source)) as database:
            database.execute("VACUUM INTO ?", (str(part),))
        with closing(sqlite3.connect(part)) as database:
            database.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def reachable(url: str):
    """Turn a database's errors into a one-line `TuningError`.

    Parameters
    ----------
    url : str

    Yields
    ------
    None

    Raises
    ------
    TuningError
        If the database fails inside the context.
    MissingPackageError
        If it is a PostgreSQL database and psycopg is not installed.
    """
    try:
        yield
    except (ArgumentError, NoSuchModuleError) as error:
        raise TuningError(
            f"SER_OPTUNA_STORAGE or --storage is no address of a database ({error}). "
            "Write it as sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        ) from error
    except ImportError as error:  # Optuna raises it if a driver is missing
        if make_url(url).get_driver_name() == "psycopg":
            extras.require("postgres", without_password(url))
        raise TuningError(f"{without_password(url)} needs a driver: {error}".splitlines()[0]) from error
    except Exception as error:
        # Optuna raises some of them as its own errors, one as an AssertionError while it cleans up.
        fault = next((each for each in _chain(error) if isinstance(each, FAULTS)), None)
        if fault is None:
            raise
        fault = getattr(fault, "orig", None) or fault
        raise TuningError(
            f"The studies' database {_name(url)} cannot be used: {records.reason_of(fault)}. {_way_out(url, fault)}"
        ) from error


FAULTS = (SQLAlchemyError, sqlite3.Error, OSError, json.JSONDecodeError)


def _name(url: str) -> str:
    return str(_sqlite_file(url)) if "immutable" in url else without_password(url)


def _way_out(url: str, fault: BaseException) -> str:
    file = _sqlite_file(url)
    if file is not None and "immutable" in url:
        return f"Restore it (git checkout {file})"
    # SQLite raises an OperationalError for what may pass: a lock, a full disk.
    is_damaged = isinstance(fault, sqlite3.DatabaseError | json.JSONDecodeError)
    if file is not None and is_damaged and not isinstance(fault, sqlite3.OperationalError):
        return f"Restore it, or move {file} away: a new one is begun then"
    return "Check that it runs, that its disk has room, and that it may be written. Trials that ended are kept"


def _chain(error: BaseException | None):
    """An error and its causes."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _sqlite_file(url: str) -> Path | None:
    try:
        parts = make_url(url)
    except ArgumentError:
        return None
    if parts.get_backend_name() != "sqlite" or not parts.database:
        return None
    return Path(parts.database.removeprefix("file:"))
