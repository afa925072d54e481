"""Decoding in this process: a file's bytes to a `Waveform`, mixed to mono and resampled block by block.

The samples equal `librosa.load`'s: the mean of the channels, then soxr HQ. Unlike there, memory is bounded by
`Limits.max_seconds` at the requested rate, whatever the header states. `decoders` turns bytes into samples.
"""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import soxr

from ser_core.audio import decoders
from ser_core.audio.decoders import WAY_OUT, Stream
from ser_core.audio.waveform import Limits, Waveform
from ser_core.errors import AudioError

# Peak below which a clip counts as silence: three steps of 16-bit audio, which dither reaches and any voice exceeds.
SILENCE_DBFS = -80.0
OVERLOAD = 2.0  # times full scale. Lossy formats overshoot 1 a little; only unscaled samples exceed this.
MAX_SAMPLE = 2.0**31  # times full scale: 32-bit integers kept as floats. Larger values overflow in the features.
PADDING_S = 0.5  # over the longest clip: lossy formats begin with a delay and fill up their last block
SHORTAGE_S = 0.1  # tolerated difference from the stated length: codecs pad and round


def decode(data: bytes, rate: int, limits: Limits) -> Waveform:
    """Decode a file's content in this process: `load` without its checks of the source.

    Parameters
    ----------
    data : bytes
    rate : int
        Rate of the result, in Hz.
    limits : Limits

    Returns
    -------
    Waveform

    Raises
    ------
    AudioError
        If the content is not sound, beyond a limit, silent, or contains NaN or infinite samples.
    """
    with decoders.open_stream(data, partial(_check_header, limits)) as stream:
        samples = _decode(stream, rate, limits)
    _check_sound(samples, stream)
    return Waveform(
        samples=samples,
        rate=rate,
        original_rate=stream.rate,
        channels=stream.channels,
        format=stream.format,
        warnings=(*stream.warnings, *_warnings(stream, rate)),
        is_clipped=stream.measured.is_clipped(is_8bit=stream.is_8bit),
        is_8bit=stream.is_8bit,
    )


def _check_header(limits: Limits, rate: int, channels: int, stated_s: float | None) -> None:
    """Check the header before anything is decoded."""
    if not limits.min_rate <= rate <= limits.max_rate:
        raise AudioError(
            f"The sample rate is {rate:,} Hz, allowed are {limits.min_rate:,} to {limits.max_rate:,} Hz. "
            "The header may be damaged: export the file again."
        )
    if not 1 <= channels <= limits.max_channels:
        raise AudioError(f"There are {channels:,} channels, allowed are 1 to {limits.max_channels}. Save it as mono.")
    if stated_s is not None:
        _check_length(limits, stated_s, rate, channels)


def _check_length(limits: Limits, seconds: float, rate: int, channels: int) -> None:
    if seconds > limits.max_seconds + PADDING_S:
        raise AudioError(
            f"The clip is too long: {seconds:,.1f} s or more, allowed are {limits.max_seconds:,.0f} s. "
            "Cut out the part to recognise."
        )
    if seconds * rate * channels > limits.max_values:
        raise AudioError(
            f"The clip is too detailed to decode: {seconds:,.0f} s of {channels} channels at {rate:,} Hz. "
            "Save it as mono at 48,000 Hz or less."
        )


def _check_sound(samples: np.ndarray, stream: Stream) -> None:
    """Refuse silence, whatever its offset."""
    peak = min(float(np.abs(samples).max()), stream.measured.amplitude)
    silence = 10 ** (SILENCE_DBFS / 20)
    if peak >= silence:
        return
    found = f"the peak is {20 * math.log10(peak):.0f} dBFS" if peak else "all zeros"
    if stream.measured.is_cancelled:
        raise AudioError(f"The channels cancel each other out when mixed ({found}). Save one channel alone, as mono.")
    if peak == 0 and stream.measured.peak:
        found = "all samples are the same"
    raise AudioError(
        f"The clip is silent: {found}, and nothing can be recognised below {SILENCE_DBFS:.0f} dBFS. "
        "Check the microphone, or choose another clip."
    )


def _warnings(stream: Stream, rate: int) -> Iterator[str]:
    if stream.stated_s is not None and stream.stated_s - stream.decoded_s > SHORTAGE_S:
        yield f"Cut off or damaged: the header says {stream.stated_s:.1f} s, decoded were {stream.decoded_s:.1f} s."
    elif stream.is_broken:
        yield f"Damaged: nothing could be decoded after {stream.decoded_s:.1f} s."
    if stream.rate < rate:
        missing = f"sound above {stream.rate // 2:,} Hz is missing, which the training clips have"
        yield f"Resampled from {stream.rate:,} Hz: {missing}."
    if stream.measured.is_cancelled:
        yield (
            "The channels nearly cancel each other out when mixed, so that little of the voice is left. "
            "Save one channel alone, as mono."
        )
    if stream.channels > 2:
        yield f"{stream.channels} channels were mixed into one."
    if stream.measured.peak > OVERLOAD:
        yield f"Samples reach {stream.measured.peak:,.1f} times full scale: probably saved without scaling to -1 to 1."


def _decode(stream: Stream, rate: int, limits: Limits) -> np.ndarray:
    """Mix and resample block by block -> samples [shape=(n,), dtype=float32]."""
    resampler = None
    if stream.rate != rate:
        resampler = soxr.ResampleStream(stream.rate, rate, 1, dtype="float32", quality="HQ")
    kept = bytearray()  # grows in place: a list of pieces would be twice as much memory when it is joined
    for block in stream.blocks:
        stream.frames += block.shape[1]
        _check_length(limits, stream.decoded_s, stream.rate, stream.channels)
        _check_samples(block, stream.decoded_s)
        mono = block[0] if len(block) == 1 else block.mean(axis=0)
        stream.measured.add(block, mono)
        kept += np.ascontiguousarray(mono if resampler is None else resampler.resample_chunk(mono)).data
    if not stream.frames:
        raise AudioError(_nothing_decoded(stream))
    if resampler is not None:
        kept += resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True).data
    length = math.ceil(stream.frames * (rate / stream.rate))
    # Padded with zeros as librosa does: soxr may return a sample less than the ratio of the rates.
    kept += bytes(max(0, 4 * length - len(kept)))
    return np.frombuffer(kept, dtype=np.float32)[:length]


def _nothing_decoded(stream: Stream) -> str:
    if stream.stated_s == 0:
        return f"This {stream.format} file has no length: it holds 0 samples, or is damaged. Choose another."
    stated = "" if stream.stated_s is None else f", though its header says {stream.stated_s:.1f} s"
    return f"Nothing can be decoded from this {stream.format} file{stated}: it is damaged or cut off. {WAY_OUT}"


def _check_samples(block: np.ndarray, until_s: float) -> None:
    peak = float(np.abs(block).max(initial=0.0))
    if not math.isfinite(peak):
        raise AudioError(f"Samples before {until_s:.1f} s are not numbers (NaN or infinite). Export the file again.")
    if peak > MAX_SAMPLE:
        raise AudioError(f"Samples before {until_s:.1f} s reach {peak:.1e}. Scale them to -1 to 1.")
