"""What a worker process of the feature store does with a batch of files.

It imports little, since each worker starts anew: no pandas, no scikit-learn.
"""

import hashlib
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ser_core.audio import Limits, load
from ser_core.errors import AudioError
from ser_core.features.feature_set import FeatureSet
from ser_core.features.mean180 import SAMPLE_RATE


class Stamp(NamedTuple):
    """The state of a file for which its digest is valid.

    Parameters
    ----------
    path : str
    bytes, mtime_ns : int
        Size and modification time.
    digest : str
        SHA-256 of the content.
    """

    path: str
    bytes: int
    mtime_ns: int
    digest: str


def extract_files(work: list[tuple[int, Path]], features: FeatureSet, file_of_store: Path) -> list[tuple]:
    """Read and extract a batch of files.

    The bytes that are hashed are the bytes that are decoded, so features are never stored with the digest of another
    clip.

    Parameters
    ----------
    work : list of (int, Path)
        A row and its file.
    features : FeatureSet
    file_of_store : Path
        Features that it has are not extracted again.

    Returns
    -------
    list of (int, Stamp or None, bytes, str or None)
        For each file: the row, its stamp, and its features as the content of an NPY file. Instead of the bytes: None if
        the store has the features, or a text if the file cannot be read.
    """
    answers: list[tuple[int, Stamp | None, bytes | str | None]] = []
    to_extract: list[tuple[int, Stamp, np.ndarray]] = []
    for row, file in work:
        try:
            stat = file.stat()
            if stat.st_size > Limits().max_bytes:
                raise AudioError(f"too big: {stat.st_size / 2**20:,.0f} MB")
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            stamp = Stamp(str(file.absolute()), stat.st_size, stat.st_mtime_ns, digest)
            if _is_known(file_of_store, digest, features.version):
                answers.append((row, stamp, None))
            else:
                to_extract.append((row, stamp, load(content, rate=SAMPLE_RATE).samples))
        except (AudioError, OSError) as error:
            answers.append((row, None, str(error)))
    if to_extract:
        made = features.of([samples for _, _, samples in to_extract])
        answers += [(row, stamp, _to_bytes(array)) for (row, stamp, _), array in zip(to_extract, made, strict=True)]
    return answers


def _to_bytes(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return content.getvalue()


def _is_known(file: Path, digest: str, version: str) -> bool:
    """Whether the store has an array, for workers. One on another machine may not see the store, and extracts again."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)) as store:
            found = store.execute("SELECT 1 FROM arrays WHERE digest = ? AND version = ?", (digest, version))
            return found.fetchone() is not None
    except sqlite3.Error:
        return False
