"""Where studies are kept: a database that Optuna's workers share.

On one machine that is an SQLite file in the workspace, in WAL mode, so that pages read while workers write. On many it
is PostgreSQL, named by `SER_OPTUNA_STORAGE`. What ships is an SQLite file that is opened for reading only.
"""

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ser_core import extras
from ser_core.errors import TuningError
from ser_core.files import atomically
from ser_core.settings import Settings

HEARTBEAT_S = 10  # interval of a running trial's signs of life
GRACE_BEATS = 3  # after this number of missed beats, the trial is started again
MAX_RETRIES = 3  # of one trial: what kills three workers would kill the fourth
LOCK_KEY = 1_188_976  # any number that the server's other users do not lock on
LOCK_WAIT_S = 60  # until a worker gives up on an SQLite file that others write


def url(settings: Settings) -> str:
    """The database of this installation's own studies."""
    return settings.optuna_storage or f"sqlite:///{settings.workspace / 'studies.sqlite'}"


def shipped_file(settings: Settings) -> Path:
    """The SQLite file of the studies that ship."""
    return settings.artifacts / "studies.sqlite"


def shipped_url(settings: Settings) -> str:
    """The database of the studies that ship, for reading only."""
    # Immutable: SQLite looks for no lock and no journal beside it.
    return f"sqlite:///file:{shipped_file(settings)}?mode=ro&immutable=1&uri=true"


def said(url: str) -> str:
    """A database's address without its password.

    Parameters
    ----------
    url : str
    """
    return make_url(url).render_as_string(hide_password=True)


def exists(url: str) -> bool:
    """Whether there is a database: False for a missing SQLite file; that of a server is assumed to exist.

    Parameters
    ----------
    url : str
    """
    file = _sqlite_file(url)
    return file is None or file.is_file()


def connect(url: str, *, heartbeat_s: int = HEARTBEAT_S) -> RDBStorage:
    """Open a database, and create it if it is missing. Processes that do so at once wait for each other.

    Parameters
    ----------
    url : str
    heartbeat_s : int
        Seconds between a worker's signs of life.

    Raises
    ------
    TuningError
        If it cannot be reached, made or written, or a driver is missing.
    MissingPackageError
        If it is a PostgreSQL database and psycopg is not installed.
    """
    is_sqlite = _sqlite_file(url) is not None
    with reachable(url), _alone(url):
        return RDBStorage(
            url,
            engine_kwargs={"connect_args": {"timeout": LOCK_WAIT_S}} if is_sqlite else {"pool_pre_ping": True},
            heartbeat_interval=heartbeat_s,
            grace_period=GRACE_BEATS * heartbeat_s,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=MAX_RETRIES),
        )


@contextmanager
def _alone(url: str):
    """Hold a lock: of two that open a new database at once, both would make its tables, and one would fail."""
    file = _sqlite_file(url)
    if file is not None and "immutable" not in url:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock")):
            with closing(sqlite3.connect(file, timeout=LOCK_WAIT_S)) as database:
                database.execute("PRAGMA journal_mode = WAL")
            yield
    elif make_url(url).get_backend_name() == "postgresql":
        with create_engine(url, poolclass=NullPool).connect() as server:
            server.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})  # until the connection is closed
            yield
    else:
        yield


def pack(url: str, file: Path) -> None:
    """Copy an SQLite database of studies into one small file that can be opened for reading only.

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
    """Turn a database's faults into one line.

    Raises
    ------
    TuningError
        If the work inside is stopped by the database.
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
    except ImportError as error:  # Optuna says so where a driver is missing
        if make_url(url).get_driver_name() == "psycopg":
            extras.require("postgres", said(url))
        raise TuningError(f"{said(url)} needs a driver: {error}".splitlines()[0]) from error
    except Exception as error:
        # Optuna lets some of them out as its own, one even as an AssertionError while it cleans up.
        fault = next((each for each in _chain(error) if isinstance(each, FAULTS)), None)
        if fault is None:
            raise
        reason = str(getattr(fault, "orig", None) or fault).strip().splitlines()[0]
        raise TuningError(
            f"The studies' database {said(url)} cannot be used: {reason}. See that it runs, that its disk has "
            "room, and that it may be written. Trials that ended are kept"
        ) from error


FAULTS = (SQLAlchemyError, sqlite3.Error, OSError)


def _chain(error: BaseException | None):
    """An error and those that it came from."""
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
