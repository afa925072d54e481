"""What is measured on a file's own samples, before mixing and resampling: clipping, silence, cancelling channels."""

import numpy as np

CLIPPED_RUN = 3  # equal samples in a row at the extreme value
MIN_RUNS = 3
MIN_EXTREME = 0.02  # times full scale: no recorder clips below it
NEAR = 0.8  # of the extreme value
MARGIN = 1.5  # of the flat share of a tone's peak, since few samples fall on each peak
MAX_FLAT = 0.75  # of the samples near the extreme value; steps that leave more cannot be told from clipping
CANCELLED_DB = -20.0  # power of the mix, relative to that of channels that have nothing in common


class Measurement:
    """Measures a file block by block.

    Attributes
    ----------
    peak : float
        Over all channels, before they are mixed.
    """

    def __init__(self):
        self.peak = 0.0
        self._lowest, self._highest = np.inf, -np.inf  # of the mix
        self._mixed = self._apart = 0.0  # energy of the mix, and what it would be if the channels were independent
        self._runs = _Runs()

    def add(self, block: np.ndarray, mono: np.ndarray) -> None:
        """Measure one more block.

        Parameters
        ----------
        block : np.ndarray [shape=(channels, frames), dtype=float32]
        mono : np.ndarray [shape=(frames,), dtype=float32]
            The mean of its channels.
        """
        if not block.size:
            return
        self.peak = max(self.peak, float(np.abs(block).max()))
        self._lowest = min(self._lowest, float(mono.min()))
        self._highest = max(self._highest, float(mono.max()))
        if len(block) > 1:
            # Around the mean of each block, so that an offset does not count.
            self._mixed += len(mono) * float(mono.var(dtype=np.float64))
            self._apart += len(mono) * float(block.var(axis=1, dtype=np.float64).sum()) / len(block) ** 2
        self._runs.add(block)

    @property
    def amplitude(self) -> float:
        """Peak of the mix around the middle between its extremes: that of a constant is 0."""
        return max(0.0, (self._highest - self._lowest) / 2)

    @property
    def is_cancelled(self) -> bool:
        """Whether the channels nearly cancel each other out when mixed."""
        return self._mixed < 10 ** (CANCELLED_DB / 10) * self._apart

    @property
    def is_clipped(self) -> bool:
        """Whether peaks are cut off in any channel."""
        return self._runs.are_clipped()


def is_clipped(samples: np.ndarray) -> bool:
    """Whether the peaks of samples are cut off.

    Samples that were resampled or coded with loss after they were clipped do not show it.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]

    Returns
    -------
    bool

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8_000) / 8_000)
    >>> is_clipped(tone), is_clipped(np.clip(2 * tone, -1, 1))
    (False, True)
    """
    runs = _Runs()
    runs.add(np.asarray(samples)[np.newaxis])
    return runs.are_clipped()


class _Runs:
    """Runs of equal samples at the highest and at the lowest value of each channel.

    A peak that is not clipped is flat, too, where samples have few steps: 8 bits, G.711, a quiet recording turned up.
    The size of a step, which is the gap below the extreme value, tells how much of a tone's peak that can be.
    """

    def __init__(self):
        self._last = np.empty((0, CLIPPED_RUN))  # samples of the block before

    def add(self, block: np.ndarray) -> None:
        upright = np.concatenate([block, -block])
        if len(upright) != len(self._last):  # the first block
            self._last = np.full((len(upright), CLIPPED_RUN), -np.inf, dtype=block.dtype)
            self._extreme, self._second = np.full((2, len(upright)), -np.inf)
            self._runs, self._inside, self._near = np.zeros((3, len(upright)), dtype=int)
        extreme = np.maximum(self._extreme, upright.max(axis=1))
        is_higher = extreme > self._extreme
        for counts in (self._runs, self._inside, self._near):
            counts[is_higher] = 0
        self._second[is_higher] = self._extreme[is_higher]
        self._extreme = extreme
        below = np.where(upright < extreme[:, np.newaxis], upright, -np.inf)
        self._second = np.maximum(self._second, below.max(axis=1))
        joined = np.concatenate([self._last, upright], axis=1)
        at_extreme = joined == extreme[:, np.newaxis]
        run_ends = at_extreme[:, 2:] & at_extreme[:, 1:-1] & at_extreme[:, :-2]
        new_runs = (run_ends[:, 1:] & ~run_ends[:, :-1]).sum(axis=1)
        self._runs += new_runs
        self._inside += run_ends[:, 1:].sum(axis=1) + (CLIPPED_RUN - 1) * new_runs
        self._near += (upright > NEAR * extreme[:, np.newaxis]).sum(axis=1)
        self._last = joined[:, -CLIPPED_RUN:]

    def are_clipped(self) -> bool:
        if not len(self._last):
            return False
        there = (self._extreme > MIN_EXTREME) & (self._runs >= MIN_RUNS)
        extreme, second = self._extreme[there], self._second[there]
        # Where a cosine is within a step of its peak, of where it is near it: more is flat only if it is clipped.
        flat = np.arccos(np.maximum(second / extreme, 0)) / np.arccos(NEAR)
        return bool((self._inside[there] > np.minimum(MARGIN * flat, MAX_FLAT) * self._near[there]).any())
