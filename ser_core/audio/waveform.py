"""Decoded audio, and the limits of what is decoded."""

import io
from dataclasses import dataclass

import numpy as np
import soundfile

DEFAULT_RATE = 22_050  # Hz, librosa.load's default


@dataclass(frozen=True)
class Limits:
    """Limits of what is decoded, checked on the file size, on the header, and again while decoding: headers lie.

    Parameters
    ----------
    max_bytes : int
        Of the file.
    max_seconds : float
    min_rate, max_rate : int
        In Hz.
    max_channels : int
    max_values : int
        Samples of all channels together; the default is about ten minutes of stereo at 192 kHz.
    """

    max_bytes: int = 25 * 2**20
    max_seconds: float = 600.0
    min_rate: int = 1_000
    max_rate: int = 768_000
    max_channels: int = 32
    max_values: int = 250_000_000


@dataclass(frozen=True, eq=False)
class Waveform:
    """A decoded clip, ready for feature extraction.

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
        `wav`, `flac`, `ogg`, `mp3`, `m4a`, `webm` or `aac`, or a codec of telephones (`amr`, `speex`, `g722`, `g726`);
        by the content of the file, not by its name.
    warnings : tuple of str
        What to know before trusting a prediction, in plain sentences.
    is_clipped : bool
        Whether peaks of the file's own samples are cut off.
    is_8bit : bool
        Whether the file's samples have 256 steps.
    """

    samples: np.ndarray
    rate: int
    original_rate: int
    channels: int
    format: str
    warnings: tuple[str, ...] = ()
    is_clipped: bool = False
    is_8bit: bool = False

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    def wav(self) -> bytes:
        """The content of a 16-bit WAV file. What is beyond full scale is clipped, as loudspeakers do.

        Returns
        -------
        bytes
        """
        return wav(self.samples, self.rate)


def wav(samples: np.ndarray, rate: int) -> bytes:
    """The content of a 16-bit WAV file.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
        Full scale is -1 to 1.
    rate : int > 0, Hz

    Returns
    -------
    bytes
    """
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")
    return file.getvalue()
