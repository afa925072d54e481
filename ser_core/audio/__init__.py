"""Audio: decoding of any file or untrusted bytes within limits, and checks of recording quality."""

from ser_core.audio.decoding import decode
from ser_core.audio.loading import load, read
from ser_core.audio.waveform import DEFAULT_RATE, Limits, Waveform

__all__ = ["DEFAULT_RATE", "Limits", "Waveform", "decode", "load", "read"]
