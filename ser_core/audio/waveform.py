"""Decoded sound, and the limits within which anything is decoded."""

from dataclasses import dataclass

import numpy as np

DEFAULT_RATE = 22_050  # Hz, librosa.load's default


@dataclass(frozen=True)
class Limits:
    """What a clip may be. Checked on the file's size, then on its header, then again while decoding: headers lie."""

    max_bytes: int = 25 * 2**20
    max_seconds: float = 600.0
    min_rate: int = 1_000  # Hz
    max_rate: int = 768_000  # Hz
    max_channels: int = 32
    max_values: int = 250_000_000  # samples of all channels together, as in ten minutes of stereo at 192 kHz


@dataclass(frozen=True, eq=False)
class Waveform:
    """A clip as the features want it.

    Attributes
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono, full scale is -1 to 1.
    rate : int
        Of `samples`, in Hz.
    original_rate : int
        Of the file, in Hz.
    channels : int
        Of the file.
    format : str
        `wav`, `flac`, `ogg`, `mp3`, `m4a` or `webm`, by what the file holds, not by its name.
    warnings : tuple of str
        What a person should know before trusting a prediction, in plain words.
    """

    samples: np.ndarray
    rate: int
    original_rate: int
    channels: int
    format: str
    warnings: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate
