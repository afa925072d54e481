"""Reading of what stands on disk: whatever is wrong with a file, there is one kind of error, with its reason in a line.

A file may be empty, cut off, of another program, of another version, a folder, or not readable at all.
"""

from __future__ import annotations  # pandas is loaded only where tables are read

import json
import types
from collections.abc import Collection, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ser_core.errors import DamagedError

if TYPE_CHECKING:
    import pandas as pd

Record = TypeVar("Record")


@dataclass(frozen=True)
class Unreadable:
    """Something on disk that cannot be read, to be named where it would stand.

    Parameters
    ----------
    kind : str
        What it would be, e.g. "Run".
    id : str
        Its name, e.g. that of its folder.
    reason : str
    way_out : str
        What to do, as a sentence without its full stop.
    shipped : bool
        Whether it ships with the project.
    """

    kind: str
    id: str
    reason: str
    way_out: str
    shipped: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.id} cannot be read: {self.reason}. {self.way_out}"


def reason_of(error: BaseException) -> str:
    """What is wrong, in one line without a full stop.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        Of the system's errors, its words without the number and the path.
    """
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    says = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return next(iter(says.strip().splitlines()), type(error).__name__).rstrip(".")


def read_json(file: Path) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    file : Path

    Returns
    -------
    object

    Raises
    ------
    FileNotFoundError
        If there is none.
    DamagedError
        If it cannot be read.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise DamagedError(f"{file.name} is damaged ({reason_of(error)})") from error
    except RecursionError as error:
        raise DamagedError(f"{file.name} is damaged (it is nested too deeply)") from error


def read_table(file: Path, columns: Collection[str] = ()) -> pd.DataFrame:
    """Read a Parquet file.

    Parameters
    ----------
    file : Path
    columns : collection of str, optional
        Which it must have.

    Returns
    -------
    pd.DataFrame
        With all its columns.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DamagedError
        If it cannot be read, or lacks a column.
    """
    import pandas as pd
    from pyarrow import ArrowException

    try:
        with open(file, "rb") as content:  # of a folder, pandas would join all files, and take columns from its name
            table = pd.read_parquet(content)
    except FileNotFoundError:
        raise
    except (OSError, ArrowException, ValueError, TypeError, LookupError, AttributeError) as error:  # found by mutants
        raise DamagedError(f"{file.name} is damaged ({reason_of(error)})") from error
    if lacking := [name for name in columns if name not in table]:
        raise DamagedError(f"{file.name} lacks the column {lacking[0]!r}")
    return table


def read_shipped(file: Path, columns: Collection[str] = ()) -> pd.DataFrame:
    """`read_table` of a table that ships with the project.

    Parameters
    ----------
    file : Path
    columns : collection of str, optional
        Which it must have.

    Returns
    -------
    pd.DataFrame

    Raises
    ------
    DamagedError
        If it is missing, too; with the way out.
    """
    try:
        return read_table(file, columns)
    except FileNotFoundError as error:
        raise DamagedError(f"There is no {file.name}. Restore it (git checkout {file})") from error
    except DamagedError as error:
        raise DamagedError(f"{error}. Restore it (git checkout {file})") from error


def as_record(kind: type[Record], values: Any, what: str, **ready: Any) -> Record:
    """A dataclass of what a JSON file holds, each field checked by its type hint.

    Parameters
    ----------
    kind : type
        A dataclass; its fields may be dataclasses, too, and lists, tuples and dicts of them.
    values : object
        As `read_json` gives it.
    what : str
        What the values are, for the message.
    **ready
        Fields that are not among the values, and are not checked.

    Returns
    -------
    Record

    Raises
    ------
    DamagedError
        If it is no object, lacks a field, has an unknown one, or one of another type.

    Examples
    --------
    >>> from ser_core.models.recipe import Recipe
    >>> as_record(Recipe, {"model": "svm"}, "run.json")
    Traceback (most recent call last):
    ...
    ser_core.errors.DamagedError: run.json lacks 'features'
    """
    if not isinstance(values, dict):
        raise DamagedError(f"{what} is {_in_words(values)}, and no {kind.__name__}")
    hints, required = _fields(kind)  # type: ignore[arg-type]  # mypy takes no TypeVar for hashable
    if lacking := [name for name in required if name not in values and name not in ready]:
        raise DamagedError(f"{what} lacks {lacking[0]!r}")
    if unknown := [name for name in values if name not in hints or name in ready]:
        raise DamagedError(f"{what} has {unknown[0]!r}, which is not known here")
    return kind(**ready, **{name: as_hinted(hints[name], value, f"{name} in {what}") for name, value in values.items()})


@cache
def _fields(kind: type) -> tuple[dict[str, Any], list[str]]:
    """The type hints of a dataclass, and its fields without a default."""
    hints, found = get_type_hints(kind), fields(kind)
    required = [one.name for one in found if one.default is MISSING and one.default_factory is MISSING]
    return {one.name: hints[one.name] for one in found}, required


def as_hinted(hint: Any, value: Any, what: str) -> Any:
    """A value of a JSON file, checked by a type hint.

    Parameters
    ----------
    hint : type
        As a field of `as_record` may have it.
    value : object
    what : str
        What the value is, for the message.

    Returns
    -------
    object
        The value; of dicts and lists, dataclasses and tuples where the hint has these.

    Raises
    ------
    DamagedError
        If it is of another type.

    Examples
    --------
    >>> as_hinted(tuple[int, ...], [32, 64], "layers")
    (32, 64)
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (hint,) = (one for one in inner if one is not type(None))  # of JSON, the other is one type
        return as_hinted(hint, value, what)
    if is_dataclass(hint):
        return as_record(hint, value, what)  # type: ignore[arg-type]
    if origin is dict and isinstance(value, dict):
        return {key: as_hinted(inner[1], one, f"{key} of {what}") for key, one in value.items()}
    if origin in (list, tuple, Sequence) and isinstance(value, list):
        read = [as_hinted(inner[0], one, what) for one in value]
        return tuple(read) if origin is tuple else read
    wanted = origin or hint
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return value  # JSON has 1 for 1.0
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise DamagedError(f"{what} is {_in_words(value)}")
    return value


def _in_words(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
