"""The definition of a feature set: how it is extracted from samples, and its version."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FROM_ELSEWHERE = re.compile(r"[^/]+@[0-9a-f]{12}")  # keys: a file's name, and the start of its SHA-256


def key_from_elsewhere(name: str, digest: str) -> str:
    """The key of features from elsewhere.

    Parameters
    ----------
    name : str
        Of the file that holds them, or that makes them.
    digest : str
        Its SHA-256.

    Returns
    -------
    str
    """
    return f"{name}@{digest[:12]}"


def is_from_elsewhere(key: str) -> bool:
    """Whether a key is of features from elsewhere: see `features.elsewhere`.

    Parameters
    ----------
    key : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_from_elsewhere("embeddings.parquet@0123456789ab"), is_from_elsewhere("mean180")
    (True, False)
    """
    return bool(FROM_ELSEWHERE.fullmatch(key))


@dataclass(frozen=True)
class FeatureSet:
    """Features of clips at 22,050 Hz, as input of models.

    Parameters
    ----------
    key : str
    version : str
        Stored with every table, model and run; raised with any change of the numbers.
    title : str
        The contents, in words.
    extract : callable, optional
        Samples [shape=(n,), dtype=float32] -> an array of the same shape for all clips. Runs in parallel processes.
    names : tuple of str
        The columns in a feature table, if the array is a vector. Empty for other arrays.
    dtype : str
        Of the stored arrays.
    extract_batch : callable, optional
        Instead of `extract`, for networks that use all cores for a batch of clips: a list of samples -> an array
        [shape=(clips, ...)].
    weights : str
        Origin of the weights of a backbone.
    """

    key: str
    version: str
    title: str
    extract: Callable[[np.ndarray], np.ndarray] | None = None
    names: tuple[str, ...] = ()
    dtype: str = "<f4"
    extract_batch: Callable[[list[np.ndarray]], np.ndarray] | None = None
    weights: str = ""

    def of(self, clips: list[np.ndarray]) -> np.ndarray:
        """Extract the features of some clips.

        Parameters
        ----------
        clips : list of np.ndarray [shape=(n,), dtype=float32]
            Samples at 22,050 Hz.

        Returns
        -------
        np.ndarray [shape=(clips, ...)]
        """
        if self.extract_batch:
            made = self.extract_batch(clips)
        else:
            assert self.extract is not None, f"{self.key} has neither extract nor extract_batch"
            made = np.stack([self.extract(one) for one in clips])
        return made.astype(self.dtype, copy=False)
