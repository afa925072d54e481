"""Features from elsewhere as feature tables: files of numbers by clip, and encoders in ONNX files.

A recipe records them as NAME@DIGEST, the file's name and the start of its SHA-256, so that runs on different files are
told apart; that is also the version of such a table's features.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ser_core.corpus import by_clip
from ser_core.corpus.clips import COLUMNS
from ser_core.errors import FeatureError
from ser_core.features import encoder, model_input, registry, tables
from ser_core.features.feature_set import key_from_elsewhere
from ser_core.settings import Settings

SPAN = ("start", "end")  # columns of audformat, openSMILE and audinterface beside their features


def is_file(named: str | None) -> bool:
    """Whether what `--features` names is a file, and no feature set: an encoder, a feature table, or other numbers.

    Parameters
    ----------
    named : str or None

    Returns
    -------
    bool
    """
    if not named:
        return False
    return named.startswith(encoder.PREFIX) or Path(named).suffix != "" or Path(named).exists()


def is_named(named: str) -> bool:
    """Whether what `--features` names comes from elsewhere: an encoder, or a file that `extract` did not make.

    Parameters
    ----------
    named : str

    Returns
    -------
    bool
    """
    if not is_file(named):
        return False
    if named.startswith(encoder.PREFIX):
        return True
    file = Path(named)
    try:
        schema = pq.read_schema(file)
    except (OSError, pa.ArrowInvalid):  # no Parquet, or none that is there: reading it says so
        return file.suffix.lower() != ".parquet"
    is_extracted = tables.VERSION.encode() in (schema.metadata or {}).get(b"PANDAS_ATTRS", b"")
    return not (is_extracted and set(COLUMNS) <= set(schema.names))


def table(
    named: str,
    clips: pd.DataFrame,
    settings: Settings,
    *,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """The feature table of some clips, with features from elsewhere.

    Parameters
    ----------
    named : str
        `onnx:FILE`, or a file as `of_file` reads it.
    clips : pd.DataFrame
        Rows of an index, or a feature table, whose features are replaced.
    settings : Settings
    jobs, progress
        As `features.store.extract` takes them.

    Returns
    -------
    pd.DataFrame

    Raises
    ------
    CorpusError, FeatureError, MissingPackageError
        If the file cannot be used, or a recording is missing.
    """
    if not named.startswith(encoder.PREFIX):
        return of_file(Path(named), clips)
    wanted = registry.get(named, settings)
    made = model_input.load(clips, settings, features=wanted, jobs=jobs, progress=progress)
    return _table(clips, pd.DataFrame(made.values, columns=list(wanted.names)), wanted.version)


def of_file(file: Path, clips: pd.DataFrame) -> pd.DataFrame:
    """Read a file of numbers by clip, and check that it has all of some clips once.

    Parameters
    ----------
    file : Path
        CSV or Parquet with a column `clip`, `stem`, `file` or `path`, and columns of numbers. Columns of the index, and
        `start` and `end`, are left out; so are clips that are not asked for.
    clips : pd.DataFrame
        Rows of an index, or a feature table, whose features are replaced.

    Returns
    -------
    pd.DataFrame
        A feature table. The version of its features is the file's name and digest.

    Raises
    ------
    CorpusError
        If the file cannot be read, or does not name its clips.
    FeatureError
        If clips lack or are there twice, or values are not finite numbers. The message names them.
    """
    written, digest = by_clip.read(file)
    index = _index(clips)
    rows = by_clip.rows_in(index, written["clip"])
    written, rows = written[rows >= 0], rows[rows >= 0]
    values = written.drop(columns=[name for name in {*COLUMNS, *SPAN, *index, *by_clip.KEYS} if name in written])
    if values.shape[1] == 0:
        raise FeatureError(f"{file} has no column of numbers beside those that name its clips")
    stems, faults = index["stem"].to_numpy(), []
    if len(missing := np.setdiff1d(np.arange(len(index)), rows)):
        faults.append(by_clip.fault("missing", stems[missing], of=len(index)))
    if len(twice := pd.unique(rows[pd.Series(rows).duplicated()])):
        faults.append(by_clip.fault("there twice", stems[twice]))
    with np.errstate(over="ignore"):  # becomes infinite, which is told below
        numbers = values.apply(pd.to_numeric, errors="coerce").astype(np.float32)
    if len(broken := np.argwhere(~np.isfinite(numbers.to_numpy()))):
        places = [
            (written["clip"].iloc[row], values.columns[column], values.iat[row, column]) for row, column in broken
        ]
        each = [f"{clip} in {name} ({str(value)[:20]})" for clip, name, value in places]
        faults.append(by_clip.fault("no finite numbers", each))
    if faults:
        way_out = "Correct the file"
        if len(missing) == len(index):
            corpora = "+".join(sorted(index["corpus"].unique()))
            way_out += (
                f", if it is of {corpora}. If it is of another one, make a table of that corpus's clips with it, and "
                f"name the table: python -m ser_core extract CORPUS --features {file} --out F.parquet"
            )
        raise FeatureError(f"{file} does not hold the features of these clips: {'; '.join(faults)}. {way_out}")
    ordered = numbers.iloc[np.argsort(rows)].reset_index(drop=True)
    return _table(clips, ordered, key_from_elsewhere(file.name, digest))


def _index(clips: pd.DataFrame) -> pd.DataFrame:
    """Clips without features."""
    known = tables.features_of(clips)
    return clips.drop(columns=list(known.names)) if known else clips


def _table(clips: pd.DataFrame, values: pd.DataFrame, version: str) -> pd.DataFrame:
    index = _index(clips).reset_index(drop=True)
    if taken := set(index) & set(values):
        raise FeatureError(f"The corpus has a column {min(taken)!r}, which is the name of a feature. Rename the column")
    made = pd.concat([index, values], axis=1)
    made.attrs = {**clips.attrs, tables.VERSION: version}
    return made
