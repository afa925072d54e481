"""Feature tables: one row per clip with the columns of the index and the named features, saved as Parquet."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import float32
from pyarrow.parquet import ParquetFile, read_schema

from ser_core import files, records
from ser_core.corpus.clips import COLUMNS, Corpus, Rejected, in_order, thinned
from ser_core.errors import DamagedError, FeatureError
from ser_core.features import registry, smile, store
from ser_core.features.feature_set import FeatureSet, is_from_elsewhere
from ser_core.features.registry import MEAN180

# Metadata of a table, in `attrs`: the version of its features, and the folder that its paths are relative to.
VERSION, FOLDER = "feature_version", "folder"

MOST_READ = 10_000  # clips whose features the page of features looks at


@dataclass(frozen=True)
class Extraction:
    """A feature table and how it was made.

    Parameters
    ----------
    table : pd.DataFrame
        The index columns and the named features, in the order of the index.
    extracted, reused : int
        Clips whose features were extracted, and clips whose features were in the store.
    rejected : tuple of Rejected
        Clips that could not be decoded, and files that the index left out.
    """

    table: pd.DataFrame
    extracted: int
    reused: int
    rejected: tuple[Rejected, ...]


def extract(
    corpus: Corpus,
    workspace: Path,
    *,
    features: FeatureSet = MEAN180,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """Extract the feature table of a corpus.

    Parameters
    ----------
    corpus : Corpus
    workspace : Path
        Contains the feature store.
    features : FeatureSet
        One that has names.
    jobs, progress
        As `store.extract` takes them.

    Returns
    -------
    Extraction

    Raises
    ------
    FeatureError
        If more than 2% of the clips cannot be read, or if a column of the corpus has the name of a feature.
    """
    clips = corpus.clips
    if taken := set(clips).intersection(features.names):
        raise FeatureError(f"The corpus has a column {min(taken)!r}, which is the name of a feature. Rename the column")
    check = partial(store.check_share, corpus)
    check({})
    made = store.extract(
        [corpus.folder / path for path in clips["path"]], features, workspace, jobs=jobs, progress=progress, check=check
    )
    good = sorted(made.arrays)
    values = np.array([made.arrays[row] for row in good], dtype=np.float32).reshape(len(good), len(features.names))
    named_values = pd.DataFrame(values, columns=list(features.names))
    table = pd.concat([clips.iloc[good].reset_index(drop=True), named_values], axis=1)
    table.attrs |= {VERSION: features.version, FOLDER: str(corpus.folder.absolute())}
    return Extraction(table, made.made, made.reused, store.rejected(corpus, made.faults))


def save(table: pd.DataFrame, file: Path) -> None:
    """Save a feature table as Parquet with the version of its features. A file is replaced completely or not at all.

    Parameters
    ----------
    table : pd.DataFrame
    file : Path

    Raises
    ------
    FeatureError
        If it cannot be written there.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with files.atomically(file) as part:
            files.write(table, part)
    except OSError as error:
        raise FeatureError(f"{file} cannot be written ({error}). Choose another place") from error


def read(file: Path, features: FeatureSet | None = None) -> pd.DataFrame:
    """Read a saved feature table.

    Parameters
    ----------
    file : Path
    features : FeatureSet, optional
        The required feature set; by default, any of `registry.tables`.

    Returns
    -------
    pd.DataFrame
        Sorted by speaker and stem.

    Raises
    ------
    FeatureError
        If the file does not exist, is not a valid feature table, or has another version of the features.
    """
    return _checked(_parquet(file), file, features)


def read_index(file: Path) -> Corpus:
    """Read the index of a saved feature table, without its features.

    Parameters
    ----------
    file : Path

    Returns
    -------
    Corpus

    Raises
    ------
    FeatureError
        If the file does not exist or has no index.
    """
    index = _parquet(file, _columns(file)[0])
    if missing := [name for name in COLUMNS if name not in index]:
        raise FeatureError(
            f"{file} is not a feature table: it lacks the column {missing[0]!r}. Make one: {_command(file)}"
        )
    if fault := _index_fault(index):
        raise FeatureError(f"{file} is not a valid feature table: {fault}")
    return Corpus(Path(index.attrs.get(FOLDER, "")), in_order(index), ())


def read_some(file: Path, most: int = MOST_READ) -> tuple[pd.DataFrame, int]:
    """Read a saved feature table, but no more clips than a page looks at. Others are not held in memory.

    Parameters
    ----------
    file : Path
    most : int > 0

    Returns
    -------
    table : pd.DataFrame
        As `read` returns it; if it has more clips, `clips.thinned` of them.
    clips : int
        In the file.

    Raises
    ------
    FeatureError
        As `read` raises it.
    """
    columns, numbers = _columns(file)
    index = _parquet(file, columns)
    if len(index) <= most or "emotion" not in index:
        return read(file), len(index)
    some = thinned(index.reset_index(drop=True), most)
    parts, before = [], 0
    for batch in ParquetFile(file).iter_batches(most, columns=numbers):
        here = some.index[(some.index >= before) & (some.index < before + len(batch))] - before
        parts.append(batch.take(here.to_numpy()).to_pandas())
        before += len(batch)
    table = pd.concat([some.reset_index(drop=True), pd.concat(parts, ignore_index=True)], axis=1)
    table.attrs = index.attrs
    return _checked(table, file, None), len(index)


def _command(file: Path) -> str:
    return f"python -m ser_core extract DIR --out {file}"


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise FeatureError(f"There is no feature table {file}. Make one: {_command(file)}") from None
    except (DamagedError, OSError, ValueError) as error:  # pyarrow's errors for a damaged file are ValueErrors
        again = f"Make it again: {_command(file)}"
        reason = records.reason_of(error)
        raise FeatureError(f"{file} cannot be read as a feature table: {reason}. {again}") from error


def _parquet(file: Path, columns: list[str] | None = None) -> pd.DataFrame:
    with _readable(file):
        return records.read_table(file) if columns is None else pd.read_parquet(file, columns=columns)


def _columns(file: Path) -> tuple[list[str], list[str]]:
    """The columns of the index, and those of features, which alone are of single precision."""
    with _readable(file):
        schema = read_schema(file)
    numbers = [field.name for field in schema if field.type == float32()]
    return [name for name in schema.names if name not in numbers], numbers


def _checked(table: pd.DataFrame, file: Path, features: FeatureSet | None) -> pd.DataFrame:
    """A table in the order of an index. Raises `FeatureError` if it is not valid, or of other features."""
    features = features or features_of(table) or MEAN180
    if missing := [name for name in (*COLUMNS, *features.names) if name not in table]:
        raise FeatureError(
            f"{file} is not a feature table, or of an earlier version: it lacks {len(missing)} columns, the first "
            f"{missing[0]!r}. Extract it again: {_command(file)}"
        )
    if (version := table.attrs.get(VERSION)) != features.version:
        raise FeatureError(
            f"{file} contains features of version {version!r}, this code extracts {features.version!r}. "
            f"Extract it again: {_command(file)}"
        )
    if fault := _fault(table, features):
        raise FeatureError(f"{file} is not a valid feature table: {fault}")
    order = in_order(table)
    order.attrs = table.attrs
    return order


def features_of(table: pd.DataFrame) -> FeatureSet | None:
    """The feature set of a table, by its version.

    Parameters
    ----------
    table : pd.DataFrame

    Returns
    -------
    FeatureSet or None
        None if no current feature set has that version. Of a set that is not made by this package alone, it names the
        columns and extracts nothing.
    """
    version = table.attrs.get(VERSION, "")
    for one in registry.tables().values():
        if one.version == version:
            return one
    key = version if is_from_elsewhere(version) else version.partition("@")[0]
    if not (is_from_elsewhere(key) or key in smile.SETS):
        return None
    names = tuple(table.select_dtypes(np.float32))  # of such sets, the table alone has them
    return FeatureSet(key, version, registry.title_of(key), names=names)


def _fault(table: pd.DataFrame, features: FeatureSet) -> str | None:
    """What is wrong with the contents of a table; None if nothing is."""
    for name in features.names:
        if not pd.api.types.is_float_dtype(table[name]) or not np.isfinite(table[name]).all():
            return f"{name} contains values that are not finite numbers"
    return _index_fault(table)


def _index_fault(table: pd.DataFrame) -> str | None:
    for name in COLUMNS:
        if table[name].isna().any():
            return f"{name} is missing for some clips"
    if table["stem"].duplicated().any():
        return f"clip {table['stem'][table['stem'].duplicated()].iloc[0]} is in it twice"
    return None


def matrix(table: pd.DataFrame, features: FeatureSet = MEAN180) -> np.ndarray:
    """The features of a table as an array.

    Parameters
    ----------
    table : pd.DataFrame
    features : FeatureSet

    Returns
    -------
    np.ndarray [shape=(clips, features), dtype=float32]
    """
    return table[list(features.names)].to_numpy(dtype=np.float32)


def digest(table: pd.DataFrame) -> str:
    """SHA-256 of the clips of a table or an index: runs with equal digests use the same clips.

    It covers the stem, the label and the duration (to the millisecond) of each clip. Features are not included, so that
    runs on different features of the same clips can be compared.

    Parameters
    ----------
    table : pd.DataFrame
        With `stem`, `label` and `duration_s`.

    Returns
    -------
    str
        Hexadecimal.
    """
    durations = (1000 * table["duration_s"]).round().astype(int).astype(str)
    rows = table["stem"] + " " + table["label"] + " " + durations
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
