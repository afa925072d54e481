"""The feature store: parallel extraction, cached by content, resumed after a kill.

Arrays are written to an SQLite file in the workspace after each batch, with the SHA-256 of the clip's bytes and the
version of the feature set as key. A file with the same size and modification time as before is not opened again.
"""

import io
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from ser_core import compiled, machine
from ser_core.corpus import Corpus, Rejected
from ser_core.errors import FeatureError
from ser_core.features import batches
from ser_core.features.feature_set import FeatureSet

BATCH = 32  # clips: a kill loses at most one batch per core, about a tenth of a second of work
MAX_BROKEN_SHARE = 0.02
# Of feature sets that are extracted in batches, by a large network on all cores:
LARGE_BATCH = 16  # clips: larger batches are no faster on a CPU
CLIP_BYTES = 40 * 2**20  # memory per clip of a batch; the maximum of all networks, VGG16 in single precision

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, bytes INTEGER, mtime_ns INTEGER, digest TEXT);
CREATE TABLE IF NOT EXISTS arrays (digest TEXT, version TEXT, content BLOB, PRIMARY KEY (digest, version));
"""


@dataclass(frozen=True)
class Extracted:
    """The features of some files.

    Parameters
    ----------
    arrays : dict of int to np.ndarray
        By the position of the file in the list, without unreadable files.
    faults : dict of int to str
        The reasons for unreadable files, also by position.
    made, reused : int
        Files whose features were extracted, and files whose features were in the store.
    """

    arrays: dict[int, np.ndarray]
    faults: dict[int, str]
    made: int
    reused: int


def extract(
    files: Sequence[Path],
    features: FeatureSet,
    workspace: Path,
    *,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
    check: Callable[[dict[int, str]], None] | None = None,
) -> Extracted:
    """Load or extract the features of every file; features in the store are not extracted again.

    Parameters
    ----------
    files : sequence of Path
    features : FeatureSet
    workspace : Path
        The store is `cache/features.sqlite` in it.
    jobs : int
        Processes, as joblib counts them; -1 for all cores. A set that is extracted in batches uses all cores by itself.
    progress : callable, optional
        Called with the number of files done and of files in all, after each batch.
    check : callable, optional
        Called with the faults so far, after each batch; may raise to stop.

    Returns
    -------
    Extracted

    Raises
    ------
    FeatureError
        If the store cannot be used.
    """
    file_of_store = workspace / "cache" / "features.sqlite"
    with _open(file_of_store) as store:
        digests, faults, made = _known_digests(store, files), {}, 0
        known = {digest for (digest,) in _arrays(store, "digest", digests, features.version)}
        # A file without a known stamp is read, but its features are extracted only if its content is new as well.
        unknown = [row for row, digest in enumerate(digests) if digest not in known]
        done = len(files) - len(unknown)
        if progress:
            progress(done, len(files))
        work = [(row, files[row]) for row in unknown]
        jobs, size = (1, batch_size(machine.free_memory())) if features.extract_batch else (jobs, BATCH)
        for batch in in_parallel(batches.extract_files, work, features, file_of_store, jobs=jobs, size=size):
            with store:
                for row, stamp, answer in batch:
                    if isinstance(answer, str):
                        faults[row] = answer
                        continue
                    digests[row] = stamp.digest
                    store.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", stamp)
                    if answer is not None:
                        made += 1
                        kept = (stamp.digest, features.version, answer)
                        store.execute("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?)", kept)
            if check:
                check(faults)
            done += len(batch)
            if progress:
                progress(done, len(files))
        content = dict(_arrays(store, "digest, content", digests, features.version))
    arrays = {row: _of_bytes(content[digest], file_of_store) for row, digest in enumerate(digests) if row not in faults}
    return Extracted(arrays, faults, made, len(arrays) - made)


def in_parallel(function: Callable, work: list, *more: Any, jobs: int, size: int = BATCH) -> Iterator[list]:
    """Call `function(batch, *more)` for all batches of a list of work in parallel processes.

    Parameters
    ----------
    function : callable
        Takes a part of `work`, and `more`.
    work : list
    *more
        Further arguments.
    jobs : int
        Processes, as joblib counts them; -1 for all cores.
    size : int > 0
        Items of work in a batch.

    Yields
    ------
    list
        The result of `function` for each batch, in the order of completion.
    """
    parts = [work[start : start + size] for start in range(0, len(work), size)]
    # A process takes two seconds to start, so one or two batches are processed here.
    processes = jobs if len(parts) > 2 else 1
    if processes != 1:
        compiled.require_cache()
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator_unordered")
    yield from parallel(joblib.delayed(function)(part, *more) for part in parts)


def _of_bytes(content: bytes, file_of_store: Path) -> np.ndarray:
    try:
        return np.load(io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError, TypeError, EOFError, SyntaxError) as error:  # NumPy reads its header as Python
        raise FeatureError(
            f"The feature cache {file_of_store} holds features that cannot be read ({error}). {WAY_OUT}"
        ) from error


WAY_OUT = "Delete it, since it can be made again, or set SER_WORKSPACE to a folder that can be written"


@contextmanager
def _open(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FeatureError(f"The feature cache {file} cannot be made ({error}). {WAY_OUT}") from error
    try:
        with closing(sqlite3.connect(file, timeout=60)) as store:
            store.execute("PRAGMA journal_mode = WAL")  # readers do not wait for writers
            store.executescript(_SCHEMA)
            yield store
    except sqlite3.Error as error:  # an OSError here would concern a clip, not the store
        raise FeatureError(f"The feature cache {file} cannot be used ({error}). {WAY_OUT}") from error


def _known_digests(store: sqlite3.Connection, files: Sequence[Path]) -> list[str | None]:
    """The digest of each file whose size and modification time have not changed since it was read; None for others."""
    stamps = {path: stamp for path, *stamp in store.execute("SELECT path, bytes, mtime_ns, digest FROM files")}
    digests = []
    for file in files:
        size, mtime_ns, digest = stamps.get(str(file.absolute()), (None, None, None))
        stat = file.stat()
        digests.append(digest if (size, mtime_ns) == (stat.st_size, stat.st_mtime_ns) else None)
    return digests


def _arrays(store: sqlite3.Connection, columns: str, digests: list[str | None], version: str) -> sqlite3.Cursor:
    query = f"SELECT {columns} FROM arrays WHERE version = ? AND digest IN (SELECT value FROM json_each(?))"
    return store.execute(query, (version, json.dumps(digests)))


def rejected(corpus: Corpus, faults: dict[int, str]) -> tuple[Rejected, ...]:
    """The files that an index left out, and clips that turned out to be unreadable.

    Parameters
    ----------
    corpus : Corpus
    faults : dict of int to str
        Reasons by row of the index.

    Returns
    -------
    tuple of Rejected
        Files that are no clips, then clips that cannot be read.
    """
    unreadable = (Rejected(corpus.clips["path"][row], fault, broken=True) for row, fault in faults.items())
    return tuple(sorted((*corpus.rejected, *unreadable), key=lambda item: item.broken))


def check_share(corpus: Corpus, faults: dict[int, str]) -> None:
    """Stop if more than 2% of the clips cannot be read, which suggests a problem with the whole folder.

    Parameters
    ----------
    corpus : Corpus
    faults : dict of int to str
        Reasons by row of the index.

    Raises
    ------
    FeatureError
        If there are more; the message names the first five.
    """
    number = len(faults) + sum(item.broken for item in corpus.rejected)
    total = len(corpus.clips) + number - len(faults)
    if number > MAX_BROKEN_SHARE * total:
        broken = [item for item in rejected(corpus, faults) if item.broken]
        listed = "; ".join(f"{item.file}: {item.reason}" for item in broken[:5])
        raise FeatureError(
            f"{len(broken)} of {total} clips cannot be read ({len(broken) / total:.1%}, at most {MAX_BROKEN_SHARE:.0%} "
            f"may be): {listed}{'; ...' if len(broken) > 5 else ''}. Repair or remove them, then run it again: "
            "finished work is kept."
        )


def batch_size(free: int) -> int:
    """The number of clips in a batch that takes at most half of the free memory.

    Parameters
    ----------
    free : int
        Bytes.

    Returns
    -------
    int
        1 to `LARGE_BATCH`.
    """
    return max(1, min(LARGE_BATCH, free // 2 // CLIP_BYTES))
