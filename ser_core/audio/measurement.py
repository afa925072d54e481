"""What is measured on a file's own samples, before mixing and resampling: clipping, silence, cancelling channels."""

import numpy as np

CLIPPED_RUN = 3  # equal samples in a row at the extreme value
MIN_RUNS = 3
MIN_EXTREME = 0.002  # times full scale: 65 steps of 16 bits
MIN_EXTREME_8BIT = 0.15  # 19 steps
NEAR = 0.8  # of the extreme value
MARGIN = 1.5  # of the flat share of a tone's peak, since few samples fall on each peak
MAX_FLAT = 0.75  # of the samples near the extreme value; steps that leave more cannot be told from clipping
# Power of the mix, relative to that of channels with nothing in common; of two, 20 dB below that of the louder one.
CANCELLED_DB = -16.0
BLOCK = 262_144  # samples at a time of what is measured whole, which bounds the memory that it takes


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
        self._peaks: dict[tuple[int, int], _Peaks] = {}  # by channel and sign

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
        self.peak = max(self.peak, float(block.max()), -float(block.min()))
        self._lowest = min(self._lowest, float(mono.min()))
        self._highest = max(self._highest, float(mono.max()))
        if len(block) > 1:
            # Around the mean of each block, so that an offset does not count.
            self._mixed += len(mono) * float(mono.var(dtype=np.float64))
            self._apart += len(mono) * float(block.var(axis=1, dtype=np.float64).sum()) / len(block) ** 2
        for channel, samples in enumerate(block):
            for sign in (1, -1):
                self._peaks.setdefault((channel, sign), _Peaks()).add(samples if sign == 1 else -samples)

    def expect(self, *, highest: float, lowest: float) -> None:
        """Say what the extreme values of the only channel will be, before any block is measured.

        Parameters
        ----------
        highest, lowest : float
        """
        self._peaks = {(0, 1): _Peaks(highest), (0, -1): _Peaks(-lowest)}

    @property
    def amplitude(self) -> float:
        """Peak of the mix around the middle between its extremes: that of a constant is 0."""
        return max(0.0, (self._highest - self._lowest) / 2)

    @property
    def is_cancelled(self) -> bool:
        """Whether the channels nearly cancel each other out when mixed."""
        return self._mixed < 10 ** (CANCELLED_DB / 10) * self._apart

    def is_clipped(self, *, is_8bit: bool) -> bool:
        """Whether peaks are cut off in any channel.

        Parameters
        ----------
        is_8bit : bool
            Whether the samples have 256 steps.

        Returns
        -------
        bool
        """
        min_extreme = MIN_EXTREME_8BIT if is_8bit else MIN_EXTREME
        return any(peaks.are_clipped(min_extreme) for peaks in self._peaks.values())


def is_clipped(samples: np.ndarray, *, is_8bit: bool = False) -> bool:
    """Whether the peaks of samples are cut off.

    Samples that were resampled or coded with loss after they were clipped do not show it.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    is_8bit : bool
        Whether the samples have 256 steps.

    Returns
    -------
    bool

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8_000) / 8_000)
    >>> is_clipped(tone), is_clipped(np.clip(2 * tone, -1, 1))
    (False, True)
    """
    measured = Measurement()
    if samples.size:
        # Known from the start, so that what is near them counts from the first block on.
        measured.expect(highest=samples.max(), lowest=samples.min())
    for start in range(0, len(samples), BLOCK):
        block = samples[start : start + BLOCK]
        measured.add(block[np.newaxis], block)
    return measured.is_clipped(is_8bit=is_8bit)


class _Peaks:
    """Runs of equal samples at the highest value of one channel.

    A peak that is not clipped is flat, too, where samples have few steps: 8 bits, G.711, a quiet recording turned up.
    The size of a step, which is the gap below the highest value, tells how much of a tone's peak that can be.
    """

    def __init__(self, highest: float = -np.inf):
        self._highest, self._second = highest, -np.inf
        self._runs = self._inside = self._near = 0  # runs, samples in them, samples near the highest value
        self._last = np.full(CLIPPED_RUN, -np.inf, np.float32)  # samples of the block before

    def add(self, samples: np.ndarray) -> None:
        highest = samples.max()
        if highest > self._highest:
            self._second, self._highest = self._highest, highest
            self._runs = self._inside = self._near = 0
        near = samples[samples > NEAR * self._highest]
        below = near[near < self._highest]
        self._near += len(near)
        self._second = max(self._second, below.max(initial=-np.inf))
        if len(below) < len(near):
            at_highest = np.concatenate([self._last, samples]) == self._highest
            is_run = at_highest[2:] & at_highest[1:-1] & at_highest[:-2]  # from its third sample on
            runs = int((is_run[1:] & ~is_run[:-1]).sum())
            self._runs += runs
            self._inside += int(is_run[1:].sum()) + (CLIPPED_RUN - 1) * runs
        self._last = np.concatenate([self._last, samples[-CLIPPED_RUN:]])[-CLIPPED_RUN:]

    def are_clipped(self, min_extreme: float) -> bool:
        if self._highest < min_extreme or self._runs < MIN_RUNS:
            return False
        # Where a cosine is within a step of its peak, of where it is near it: more is flat only if it is clipped.
        flat = np.arccos(max(0.0, self._second / self._highest)) / np.arccos(NEAR)
        return bool(self._inside > min(MARGIN * flat, MAX_FLAT) * self._near)
