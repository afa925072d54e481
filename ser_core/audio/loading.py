"""Loading of a path or untrusted bytes as a `Waveform`: mono float32 at a known rate, within limits."""

from pathlib import Path

from ser_core.audio import decoders, sandbox
from ser_core.audio.decoding import decode
from ser_core.audio.waveform import DEFAULT_RATE, Limits, Waveform
from ser_core.errors import AudioError

LIMITS = Limits()


def load(source: str | Path | bytes, *, rate: int = DEFAULT_RATE, limits: Limits = LIMITS) -> Waveform:
    """Load one clip as mono samples.

    Parameters
    ----------
    source : str, Path or bytes
        A file's path or its content, which need not be trusted.
    rate : int
        Rate of the result, in Hz.
    limits : Limits

    Returns
    -------
    Waveform

    Raises
    ------
    AudioError
        If the source is not a readable file, not sound, beyond a limit, silent, or contains NaN or infinite samples.

    Examples
    --------
    A synthetic clip in place of a recording:

    >>> from ser_core.corpus import synthetic
    >>> clip = load(synthetic.wav("angry", actor=1, seconds=1.0))
    >>> clip.samples.shape, clip.rate, clip.duration_s
    ((22050,), 22050, 1.0)
    """
    if not limits.min_rate <= rate <= limits.max_rate:
        raise AudioError(f"Cannot resample to {rate:,} Hz: choose {limits.min_rate:,} to {limits.max_rate:,} Hz.")
    if isinstance(source, bytes):
        return _load_bytes(source, rate, limits)
    try:
        return _load_bytes(read(Path(source), limits), rate, limits)
    except AudioError as error:
        raise AudioError(f"{source}: {error}") from error


def read(path: Path, limits: Limits = LIMITS) -> bytes:
    """The content of a file within the size limit.

    Parameters
    ----------
    path : Path
    limits : Limits
        `max_bytes` applies.

    Returns
    -------
    bytes

    Raises
    ------
    AudioError
        If it is not a regular file, is too big, or cannot be read.
    """
    try:
        if path.is_dir():
            raise AudioError("This is a folder. Name one file in it.")
        if not path.exists():
            raise AudioError("There is no such file. Check the path.")
        if not path.is_file():
            raise AudioError("This is a device or a pipe. Name a file.")
        _check_size(path.stat().st_size, limits)
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise AudioError(f"The file cannot be read ({error}).") from error


def _load_bytes(data: bytes, rate: int, limits: Limits) -> Waveform:
    _check_size(len(data), limits)
    if not data:
        raise AudioError("The file is empty (0 bytes). Choose a recording.")
    if decoders.needs_sandbox(data):
        return sandbox.decode(data, rate, limits)
    return decode(data, rate, limits)


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise AudioError(
            f"The file is too big: {size / 2**20:,.1f} MB, allowed are {limits.max_bytes / 2**20:,.1f} MB. "
            "Cut it, or save it as FLAC or MP3."
        )
