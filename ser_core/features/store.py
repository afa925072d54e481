"""Feature tables: extracted on all cores, kept by content, resumed after a kill, extracted anew where a clip changed.

Every vector goes into one SQLite file of the workspace as soon as its batch is done, under the SHA-256 of the clip's
bytes and the feature version. A file whose size and time of change are known is not even opened again.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from ser_core.corpus import COLUMNS, Corpus, Rejected
from ser_core.errors import AudioError, FeatureError
from ser_core.features import study

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
    corpus: Corpus, workspace: Path, *, jobs: int = -1, progress: Callable[[int, int], None] | None = None
) -> Extraction:
    """The study's features of every clip of a corpus.

    Parameters
    ----------
    corpus : Corpus
    workspace : Path
        Where vectors are kept from one call to the next, in `cache/features.sqlite`.
    jobs : int
        Processes, as joblib counts them; -1 for all cores.
    progress : callable, optional
        Told the number of clips done and the number of clips in all, after each batch.

    Raises
    ------
    FeatureError
        If more than 2 % of the corpus's clips cannot be read: that is a fault of the folder, not of a clip.
    """
    clips = corpus.clips
    total = len(clips)
    broken = [item for item in corpus.rejected if item.broken]
    named = total + len(broken)
    _check_share(broken, named)
    with closing(_open_cache(workspace / "cache" / "features.sqlite")) as cache:
        digests = _digests(cache, [corpus.folder / path for path in clips["path"]])
        known = _vectors(cache, digests)
        missing = [row for row in range(total) if digests[row] not in known]
        done = total - len(missing)
        if progress:
            progress(done, total)
        for rows, results in _extract(corpus, missing, jobs):
            with cache:
                for row, result in zip(rows, results, strict=True):
                    if isinstance(result, np.ndarray):
                        known[digests[row]] = result
                        values = (digests[row], study.VERSION, result.astype("<f4").tobytes())
                        cache.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", values)
                    else:
                        broken.append(Rejected(clips["path"][row], result, broken=True))
            _check_share(broken, named)
            done += len(rows)
            if progress:
                progress(done, total)
    good = [row for row in range(total) if digests[row] in known]
    vectors = np.array([known[digests[row]] for row in good], dtype=np.float32).reshape(len(good), len(study.NAMES))
    table = pd.concat(
        [clips.iloc[good].reset_index(drop=True), pd.DataFrame(vectors, columns=list(study.NAMES))], axis=1
    )
    table.attrs["feature_version"] = study.VERSION
    misnamed = tuple(item for item in corpus.rejected if not item.broken)
    return Extraction(table, len(missing) - (total - len(good)), total - len(missing), (*misnamed, *broken))


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
        table.to_parquet(part, compression="zstd", index=False)
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FeatureError(f"{file} cannot be written ({error}). Choose another place") from error


def read_table(file: Path) -> pd.DataFrame:
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
    lacking = [name for name in (*COLUMNS, *study.NAMES) if name not in table]
    if lacking:
        raise FeatureError(f"{file} is no feature table: it lacks {len(lacking)} columns, the first {lacking[0]!r}")
    version = table.attrs.get("feature_version")
    if version != study.VERSION:
        raise FeatureError(
            f"{file} holds features of version {version!r}, this code makes {study.VERSION!r}. "
            f"Make it anew: python -m ser_core extract DIR --out {file}"
        )
    return table


def matrix(table: pd.DataFrame) -> np.ndarray:
    """The features of a table as numbers alone [shape=(clips, 180), dtype=float32]."""
    return table[list(study.NAMES)].to_numpy(dtype=np.float32)


def digest(table: pd.DataFrame) -> str:
    """SHA-256 over a table's clips, classes and feature values: two tables with one digest give the same scores."""
    content = hashlib.sha256("\n".join(table["stem"] + " " + table["label"]).encode())
    content.update(matrix(table).astype("<f4").tobytes())
    return content.hexdigest()


def _extract(corpus: Corpus, rows: list[int], jobs: int) -> Iterator[tuple[list[int], list[np.ndarray | str]]]:
    """Batches of rows with their vectors, or with what is wrong, as soon as each is done."""
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    paths = corpus.clips["path"]
    work = (joblib.delayed(_extract_batch)(batch, [corpus.folder / paths[row] for row in batch]) for batch in batches)
    # A process costs two seconds to start, so a batch or two is done here.
    yield from joblib.Parallel(n_jobs=jobs if len(batches) > 2 else 1, return_as="generator_unordered")(work)


def _extract_batch(rows: list[int], files: Iterable[Path]) -> tuple[list[int], list[np.ndarray | str]]:
    return rows, [_extract_file(file) for file in files]


def _extract_file(file: Path) -> np.ndarray | str:
    from ser_core import audio

    try:
        return study.extract(audio.load(file, rate=study.SAMPLE_RATE).samples)
    except AudioError as error:
        return str(error).removeprefix(f"{file}: ")


def _open_cache(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    cache = sqlite3.connect(file, timeout=60)
    cache.executescript(_SCHEMA)
    return cache


def _digests(cache: sqlite3.Connection, files: list[Path]) -> list[str]:
    """The SHA-256 of each file, read only where its size or its time of change is not the known one."""
    known = {path: stamp for path, *stamp in cache.execute("SELECT path, bytes, mtime_ns, digest FROM files")}
    digests = []
    with cache:
        for file in files:
            stat = file.stat()
            size, mtime_ns, value = known.get(str(file.absolute()), (None, None, None))
            if (size, mtime_ns) != (stat.st_size, stat.st_mtime_ns):
                value = hashlib.sha256(file.read_bytes()).hexdigest()
                stamp = (str(file.absolute()), stat.st_size, stat.st_mtime_ns, value)
                cache.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", stamp)
            digests.append(value)
    return digests


def _vectors(cache: sqlite3.Connection, digests: list[str]) -> dict[str, np.ndarray]:
    wanted = set(digests)
    rows = cache.execute("SELECT digest, vector FROM features WHERE version = ?", (study.VERSION,))
    return {digest: np.frombuffer(vector, dtype="<f4") for digest, vector in rows if digest in wanted}


def _check_share(broken: list[Rejected], total: int) -> None:
    if len(broken) > MAX_BROKEN_SHARE * total:
        listed = "; ".join(f"{item.file}: {item.reason}" for item in broken[:5])
        raise FeatureError(
            f"{len(broken)} of {total} clips cannot be read ({len(broken) / total:.1%}, at most {MAX_BROKEN_SHARE:.0%} "
            f"may be): {listed}{'; ...' if len(broken) > 5 else ''}. Mend or remove them, then run it again: "
            "what was extracted is kept."
        )
