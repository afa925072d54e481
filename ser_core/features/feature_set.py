"""The definition of a feature set: how it is extracted from samples, and its version."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FeatureSet:
    """Features that a model may see of a clip at 22,050 Hz.

    Parameters
    ----------
    key : str
    version : str
        Part of every table, model and run: raised with any change of the numbers.
    title : str
        What it holds, in words.
    extract : callable, optional
        Samples [shape=(n,), dtype=float32] -> an array of one shape for all clips. Runs in parallel processes.
    names : tuple of str
        Where the array is a vector: its columns in a feature table. Empty for other arrays.
    dtype : str
        In which the arrays are kept.
    extract_batch : callable, optional
        In place of `extract`, where many clips are faster at once and fill all cores: a list of samples -> an array
        [shape=(clips, ...)].
    weights : str
        Of a backbone: where its weights came from.
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
        """The features of some clips [shape=(clips, ...)].

        Parameters
        ----------
        clips : list of np.ndarray [shape=(n,), dtype=float32]
            Samples at 22,050 Hz.
        """
        if self.extract_batch:
            made = self.extract_batch(clips)
        else:
            assert self.extract is not None, f"{self.key} has neither extract nor extract_batch"
            made = np.stack([self.extract(one) for one in clips])
        return made.astype(self.dtype, copy=False)
