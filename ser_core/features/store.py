"""Feature tables: extracted on all cores, kept by content, resumed after a kill, extracted anew where a clip changed.

Every vector goes into one SQLite file of the workspace as soon as its batch is done, under the SHA-256 of the clip's
bytes and the feature version. A file whose size and time of change are known is not even opened again.

`features` is always a module that says what is extracted: `VERSION`, `NAMES`, `SAMPLE_RATE` and `extract(samples)`.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd

from ser_core import files
from ser_core.corpus.clips import COLUMNS, Corpus, Rejected, in_order
from ser_core.errors import AudioError, FeatureError
from ser_core.features import mean180

BATCH = 32  # clips: about a tenth of a second of work, which is the most that a kill can lose on each core
MAX_BROKEN_SHARE = 0.02

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, bytes INTEGER, mtime_ns INTEGER, digest TEXT);
CREATE TABLE IF NOT EXISTS features (digest TEXT, version TEXT, vector BLOB, PRIMARY KEY (digest, version));
"""


@dataclass(frozen=True)
class Extraction:
    """A feature table and how it came about."""

    table: pd.DataFrame  # the index columns and the named features, in the index's order
    extracted: int  # clips that were decoded for it
    reused: int  # clips whose features were known
    rejected: tuple[Rejected, ...]  # clips that could not be decoded, and what the index had left out


def load_table(
    corpus: Corpus,
    workspace: Path,
    *,
    features: ModuleType = mean180,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """The features of every clip of a corpus.

    Parameters
    ----------
    corpus : Corpus
    workspace : Path
        Where vectors are kept from one call to the next, in `cache/features.sqlite`.
    features : module
        Which features; the study's 180 if not said.
    jobs : int
        Processes, as joblib counts them; -1 for all cores.
    progress : callable, optional
        Told the number of clips done and the number of clips in all, after each batch.

    Raises
    ------
    FeatureError
        If more than 2 % of the corpus's clips cannot be read: that is a fault of the folder, not of a clip. Or if a
        column of the corpus has a feature's name.
    """
    clips = corpus.clips
    if taken := set(clips).intersection(features.NAMES):
        raise FeatureError(f"The corpus has a column {min(taken)!r}, and so is a feature called. Rename the column")
    files = [corpus.folder / path for path in clips["path"]]
    total = len(clips)
    broken = [item for item in corpus.rejected if item.broken]
    check_share(broken, named := total + len(broken))
    extracted = 0
    with _open_cache(workspace / "cache" / "features.sqlite") as cache:
        vectors = _known_vectors(cache, features.VERSION)
        digests = _known_digests(cache, files)
        # A file that is not known by its stamp is read; it is extracted only if its content is not known either.
        unknown = [row for row in range(total) if digests[row] not in vectors]
        done = total - len(unknown)
        if progress:
            progress(done, total)
        work = [(row, files[row]) for row in unknown]
        for batch in in_batches(_extract_file, work, frozenset(vectors), features, jobs=jobs):
            with cache:
                for row, (stamp, answer) in batch:
                    if isinstance(answer, str):
                        broken.append(Rejected(clips["path"][row], answer, broken=True))
                        continue
                    digests[row] = stamp.digest
                    cache.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", stamp)
                    if answer is not None:
                        extracted += 1
                        vectors[stamp.digest] = answer
                        row_of_cache = (stamp.digest, features.VERSION, answer.astype("<f4").tobytes())
                        cache.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", row_of_cache)
            check_share(broken, named)
            done += len(batch)
            if progress:
                progress(done, total)
    good = [row for row in range(total) if digests[row] in vectors]
    values = np.array([vectors[digests[row]] for row in good], dtype=np.float32).reshape(len(good), len(features.NAMES))
    table = pd.concat(
        [clips.iloc[good].reset_index(drop=True), pd.DataFrame(values, columns=list(features.NAMES))], axis=1
    )
    table.attrs["feature_version"] = features.VERSION
    misnamed = tuple(item for item in corpus.rejected if not item.broken)
    return Extraction(table, extracted, len(good) - extracted, (*misnamed, *broken))


def save_table(table: pd.DataFrame, file: Path) -> None:
    """Write a feature table as Parquet, with its feature version; an old file is replaced whole or not at all.

    Raises
    ------
    FeatureError
        If it cannot be written there.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write(table, part)
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FeatureError(f"{file} cannot be written ({error}). Choose another place") from error


def read_table(file: Path, features: ModuleType = mean180) -> pd.DataFrame:
    """A saved feature table.

    Raises
    ------
    FeatureError
        If there is no such file, it is no feature table, or another version of the features made it.
    """
    try:
        table = pd.read_parquet(file)
    except FileNotFoundError:
        raise FeatureError(
            f"There is no feature table {file}. Make one: python -m ser_core extract DIR --out {file}"
        ) from None
    except (OSError, ValueError) as error:  # pyarrow's errors for a damaged file are ValueErrors
        raise FeatureError(f"{file} cannot be read as a feature table: {error}") from error
    lacking = [name for name in (*COLUMNS, *features.NAMES) if name not in table]
    if lacking:
        raise FeatureError(
            f"{file} is no feature table, or of an earlier version: it lacks {len(lacking)} columns, the first "
            f"{lacking[0]!r}. Make it anew: python -m ser_core extract DIR --out {file}"
        )
    version = table.attrs.get("feature_version")
    if version != features.VERSION:
        raise FeatureError(
            f"{file} holds features of version {version!r}, this code makes {features.VERSION!r}. "
            f"Make it anew: python -m ser_core extract DIR --out {file}"
        )
    fault = _fault(table, features)
    if fault:
        raise FeatureError(f"{file} is no feature table as `extract` makes it: {fault}")
    order = in_order(table)
    order.attrs = table.attrs
    return order


def _fault(table: pd.DataFrame, features: ModuleType) -> str | None:
    """What is wrong with a table's contents."""
    for name in features.NAMES:
        if not pd.api.types.is_float_dtype(table[name]) or not np.isfinite(table[name]).all():
            return f"{name} holds values that are no numbers"
    for name in COLUMNS:
        if table[name].isna().any():
            return f"{name} is not said of every clip"
    if table["stem"].duplicated().any():
        return f"clip {table['stem'][table['stem'].duplicated()].iloc[0]} is in it twice"
    return None


def matrix(table: pd.DataFrame, features: ModuleType = mean180) -> np.ndarray:
    """The features of a table as numbers alone [shape=(clips, features), dtype=float32]."""
    return table[list(features.NAMES)].to_numpy(dtype=np.float32)


def digest(table: pd.DataFrame) -> str:
    """SHA-256 over a table's clips, classes and feature values: two tables with one digest give the same scores."""
    content = hashlib.sha256("\n".join(table["stem"] + " " + table["label"]).encode())
    content.update(matrix(table).astype("<f4").tobytes())
    return content.hexdigest()


class Stamp(NamedTuple):
    """A file as it was when its content had this digest."""

    path: str
    bytes: int
    mtime_ns: int
    digest: str


def in_batches(function: Callable, work: list[tuple[int, Any]], *more, jobs: int) -> Iterator[list[tuple[int, Any]]]:
    """Every (row, item) -> (row, `function(item, *more)`), in `jobs` processes; a batch as soon as it is done."""
    batches = [work[start : start + BATCH] for start in range(0, len(work), BATCH)]
    calls = (joblib.delayed(_batch)(function, batch, more) for batch in batches)
    # A process costs two seconds to start, so a batch or two is done here.
    yield from joblib.Parallel(n_jobs=jobs if len(batches) > 2 else 1, return_as="generator_unordered")(calls)


def _batch(function: Callable, work: list[tuple[int, Any]], more: tuple) -> list[tuple[int, Any]]:
    return [(row, function(item, *more)) for row, item in work]


def _extract_file(
    file: Path, known: frozenset[str], features: ModuleType
) -> tuple[Stamp | None, np.ndarray | str | None]:
    """The file's stamp, and its features, None if they are known, or what is wrong with it.

    The bytes that are hashed are those that are decoded, so features never stand under another clip's digest.
    """
    from ser_core import audio

    try:
        stat = file.stat()
        if stat.st_size > audio.Limits().max_bytes:
            return None, f"too big: {stat.st_size / 2**20:,.0f} MB"
        content = file.read_bytes()
        stamp = Stamp(str(file.absolute()), stat.st_size, stat.st_mtime_ns, hashlib.sha256(content).hexdigest())
        if stamp.digest in known:
            return stamp, None
        return stamp, features.extract(audio.load(content, rate=features.SAMPLE_RATE).samples)
    except (AudioError, OSError) as error:
        return None, str(error)


@contextmanager
def _open_cache(file: Path) -> Iterator[sqlite3.Connection]:
    way_out = "Delete it, since it can be made again, or set SER_WORKSPACE to a folder that can be written"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FeatureError(f"The feature cache {file} cannot be made ({error}). {way_out}") from error
    try:
        with closing(sqlite3.connect(file, timeout=60)) as cache:
            cache.execute("PRAGMA journal_mode = WAL")  # who reads does not wait for who writes
            cache.executescript(_SCHEMA)
            yield cache
    except sqlite3.Error as error:  # an OSError here is of a clip, not of the cache
        raise FeatureError(f"The feature cache {file} cannot be used ({error}). {way_out}") from error


def _known_digests(cache: sqlite3.Connection, files: list[Path]) -> list[str | None]:
    """The digest of each file whose size and time of change are as they were when it was read."""
    stamps = {path: stamp for path, *stamp in cache.execute("SELECT path, bytes, mtime_ns, digest FROM files")}
    digests = []
    for file in files:
        size, mtime_ns, digest = stamps.get(str(file.absolute()), (None, None, None))
        stat = file.stat()
        digests.append(digest if (size, mtime_ns) == (stat.st_size, stat.st_mtime_ns) else None)
    return digests


def _known_vectors(cache: sqlite3.Connection, version: str) -> dict[str, np.ndarray]:
    rows = cache.execute("SELECT digest, vector FROM features WHERE version = ?", (version,))
    return {digest: np.frombuffer(vector, dtype="<f4") for digest, vector in rows}


def check_share(broken: list[Rejected], total: int) -> None:
    """Stop if more than 2 % of the clips cannot be read: that is a fault of the folder, not of a clip.

    Raises
    ------
    FeatureError
        The first five are named.
    """
    if len(broken) > MAX_BROKEN_SHARE * total:
        listed = "; ".join(f"{item.file}: {item.reason}" for item in broken[:5])
        raise FeatureError(
            f"{len(broken)} of {total} clips cannot be read ({len(broken) / total:.1%}, at most {MAX_BROKEN_SHARE:.0%} "
            f"may be): {listed}{'; ...' if len(broken) > 5 else ''}. Mend or remove them, then run it again: "
            "what was done is kept."
        )
