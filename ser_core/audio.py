"""One entry for sound: a path or untrusted bytes -> `Waveform`, mono float32 at a known rate, within limits.

WAV, FLAC, OGG and MP3 are decoded by libsndfile, M4A and WebM by FFmpeg. The samples equal `librosa.load`'s: the mean of
the channels, then soxr HQ. But the sound is mixed and resampled block by block, so that memory is bounded by
`Limits.max_seconds` at the asked rate, whatever the file claims to hold.
"""

import io
import itertools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import soxr

from .errors import AudioError

DEFAULT_RATE = 22_050  # Hz, librosa.load's default

# Peak below which a clip counts as silence. It is three steps of 16-bit sound: dither reaches it, no voice stays below.
SILENCE_DBFS = -80.0
SHORT_S = 0.5  # shorter clips are read, with a warning: the shortest clip of RAVDESS lasts 2.9 s
OVERLOAD = 2.0  # times full scale. Lossy formats overshoot 1 a little; only a missing scaling goes beyond this.
MAX_SAMPLE = 2.0**31  # times full scale: 32-bit integers kept as floats. Larger values overflow in the features.
SHORTAGE_S = 0.1  # what a file may lack of its stated length without a warning: codecs pad and round

BLOCK = 4096  # frames. Short, since libsndfile gives back nothing of a block that it finds damaged.
UNKNOWN_FRAMES = 2**62  # libsndfile states a length above this where the header states none

WAV_STREAMED = 0x7FFF0000  # bytes: programs that write WAV to a pipe state this size or more
MAX_WAV_CHUNKS = 1_000

FORMAT_OF_LIBSNDFILE = {"WAV": "wav", "WAVEX": "wav", "RF64": "wav", "FLAC": "flac", "OGG": "ogg", "MP3": "mp3"}
FFMPEG_DEMUXERS = {"m4a": "mov", "webm": "matroska"}
FFMPEG_CODECS = ("aac", "alac", "flac", "mp3float", "opus", "libopus", "vorbis")
MAX_FRAME = 2_000_000  # samples in one FFmpeg frame
MAX_PIECES = 2_000_000  # packets listed in an M4A's index. Ten minutes need about 30,000.

WAY_OUT = "Export it again as WAV, FLAC, OGG, MP3, M4A or WebM."


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
        return len(self.samples) / self.rate


def load(source: str | Path | bytes, *, rate: int = DEFAULT_RATE, limits: Limits = Limits()) -> Waveform:
    """Read one clip.

    Parameters
    ----------
    source : str, Path or bytes
        A file's path, or a file's content, which may come from anyone.
    rate : int
        Rate of the result, in Hz.
    limits : Limits
        What the clip may be.

    Returns
    -------
    Waveform

    Raises
    ------
    AudioError
        If the source is not a readable file, not sound, beyond a limit, silent, or holds samples that are no numbers.
    """
    if not limits.min_rate <= rate <= limits.max_rate:
        raise AudioError(f"Cannot resample to {rate:,} Hz: ask for {limits.min_rate:,} to {limits.max_rate:,} Hz.")
    if isinstance(source, bytes):
        return _load_bytes(source, rate, limits)
    try:
        return _load_bytes(_read(Path(source), limits), rate, limits)
    except AudioError as error:
        raise AudioError(f"{source}: {error}") from error


def recognise(data: bytes) -> str | None:
    """The format that a file's first bytes show, or None: `wav`, `flac`, `ogg`, `mp3`, `m4a` or `webm`."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "wav"
    if data[4:8] == b"ftyp":
        return "m4a"
    for magic, format in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"ID3", "mp3"), (b"\x1a\x45\xdf\xa3", "webm")):
        if data.startswith(magic):
            return format
    return "mp3" if _is_mpeg_frame(data[:4]) else None


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether 4 bytes are the header of an MPEG layer II or III frame (layer I would let UTF-16 text pass)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer in (1, 2) and bitrate != 15 and sample_rate != 3


def _read(path: Path, limits: Limits) -> bytes:
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
    format = recognise(data)
    if format is None:
        raise AudioError(f"This is not a sound file of a known format: it begins with {data[:8]!r}. {WAY_OUT}")
    open_stream = _open_ffmpeg if format in FFMPEG_DEMUXERS else _open_libsndfile
    with open_stream(data, format, limits) as stream:
        samples = _decode(stream, rate, limits)
    _check_sound(samples, stream)
    return Waveform(
        samples=samples,
        rate=rate,
        original_rate=stream.rate,
        channels=stream.channels,
        format=stream.format,
        warnings=(*stream.warnings, *_warnings(stream, rate)),
    )


# ---- Limits and checks


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise AudioError(
            f"The file is too big: {size / 2**20:,.1f} MB, allowed are {limits.max_bytes / 2**20:,.1f} MB. "
            "Cut it, or save it as FLAC or MP3."
        )


def _check_header(rate: int, channels: int, stated_s: float | None, limits: Limits) -> None:
    """Refuse what the header says already, before anything is decoded."""
    if not limits.min_rate <= rate <= limits.max_rate:
        raise AudioError(
            f"The sample rate is {rate:,} Hz, allowed are {limits.min_rate:,} to {limits.max_rate:,} Hz. "
            "The header may be damaged: export the file again."
        )
    if not 1 <= channels <= limits.max_channels:
        raise AudioError(f"The file has {channels:,} channels, allowed are 1 to {limits.max_channels}. Save it as mono.")
    if stated_s is not None:
        _check_length(stated_s, rate, channels, limits)


def _check_length(seconds: float, rate: int, channels: int, limits: Limits) -> None:
    if seconds > limits.max_seconds:
        raise AudioError(
            f"The clip is too long: {seconds:,.1f} s or more, allowed are {limits.max_seconds:,.0f} s. "
            "Cut out the part to recognise."
        )
    if seconds * rate * channels > limits.max_values:
        raise AudioError(
            f"The clip is too detailed to decode: {seconds:,.0f} s of {channels} channels at {rate:,} Hz. "
            "Save it as mono at 48,000 Hz or less."
        )


def _check_sound(samples: np.ndarray, stream: "_Stream") -> None:
    """Refuse what holds nothing to recognise."""
    peak = float(np.abs(samples).max())
    silence = 10 ** (SILENCE_DBFS / 20)
    if peak >= silence:
        return
    heard = "all zeros" if peak == 0 else f"the peak is {20 * math.log10(peak):.0f} dBFS"
    if stream.channels > 1 and stream.peak >= silence:
        raise AudioError(f"The channels cancel each other out when mixed ({heard}). Save one channel alone, as mono.")
    raise AudioError(
        f"The clip is silent: {heard}, and nothing can be recognised below {SILENCE_DBFS:.0f} dBFS. "
        "Check the microphone, or choose another clip."
    )


def _warnings(stream: "_Stream", rate: int) -> Iterator[str]:
    if stream.stated_s is not None and stream.stated_s - stream.decoded_s > SHORTAGE_S:
        yield f"cut off or damaged: the header says {stream.stated_s:.1f} s, decoded were {stream.decoded_s:.1f} s"
    if stream.decoded_s < SHORT_S:
        yield f"very short: {stream.decoded_s:.2f} s, training clips last 3 to 6 s"
    if stream.rate < rate:
        missing = f"sound above {stream.rate // 2:,} Hz is missing, which training clips have"
        yield f"recorded at {stream.rate:,} Hz: {missing}"
    if stream.channels > 2:
        yield f"{stream.channels} channels were mixed into one"
    if stream.peak > OVERLOAD:
        yield f"samples reach {stream.peak:,.1f} times full scale: probably saved without scaling to -1 to 1"


# ---- Decoding


@dataclass
class _Stream:
    """An open file: what its header says, its blocks, and what was met while reading them."""

    format: str
    rate: int  # Hz
    channels: int
    stated_s: float | None  # None if the header states no length
    blocks: Iterator[np.ndarray]  # float32, shape=(channels, frames)
    warnings: list[str] = field(default_factory=list)
    frames: int = 0  # decoded so far
    peak: float = 0.0  # of all channels, before they are mixed

    @property
    def decoded_s(self) -> float:
        return self.frames / self.rate


def _decode(stream: _Stream, rate: int, limits: Limits) -> np.ndarray:
    """Mix and resample block by block -> samples [shape=(n,), dtype=float32]."""
    resampler = None
    if stream.rate != rate:
        resampler = soxr.ResampleStream(stream.rate, rate, 1, dtype="float32", quality="HQ")
    pieces = []
    for block in stream.blocks:
        stream.frames += block.shape[1]
        _check_length(stream.decoded_s, stream.rate, stream.channels, limits)
        stream.peak = max(stream.peak, _checked_peak(block, stream.decoded_s))
        mono = block.mean(axis=0)
        pieces.append(mono if resampler is None else resampler.resample_chunk(mono))
    if not stream.frames:
        stated = "" if not stream.stated_s else f", though its header says {stream.stated_s:.1f} s"
        raise AudioError(f"No sound can be decoded from this {stream.format} file{stated}. {WAY_OUT}")
    if resampler is not None:
        pieces.append(resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
    return _fixed_length(np.concatenate(pieces), math.ceil(stream.frames * (rate / stream.rate)))


def _checked_peak(block: np.ndarray, until_s: float) -> float:
    peak = float(np.abs(block).max(initial=0.0))
    if not math.isfinite(peak):
        raise AudioError(f"Samples before {until_s:.1f} s are not numbers (NaN or infinite). Export the file again.")
    if peak > MAX_SAMPLE:
        raise AudioError(f"Samples before {until_s:.1f} s reach {peak:.1e}. Scale them to -1 to 1.")
    return peak


def _fixed_length(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut, or pad with zeros: soxr may give a sample less than the rates' ratio, and librosa pads it."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


# ---- libsndfile: WAV, FLAC, OGG, MP3


class _ForwardFile(soundfile.SoundFile):
    """A file that is read in order. Otherwise soundfile seeks after each block, which fails in a damaged file."""

    def seekable(self) -> bool:
        return False


@contextmanager
def _open_libsndfile(data: bytes, format: str, limits: Limits) -> Iterator[_Stream]:
    shortage = 1.0
    if format == "wav":
        data, shortage = _with_wav_size(data)
    try:
        file = _ForwardFile(io.BytesIO(data))
    except soundfile.SoundFileError as error:
        raise AudioError(f"This looks like {format}, but it is damaged or cut off. {WAY_OUT}") from error
    with file:
        if file.format not in FORMAT_OF_LIBSNDFILE:
            raise AudioError(f"This is {file.format}, which is not read. {WAY_OUT}")
        stated_s = None
        if 0 <= file.frames < UNKNOWN_FRAMES and file.samplerate > 0:
            stated_s = file.frames / file.samplerate
        _check_header(file.samplerate, file.channels, stated_s, limits)
        stream = _Stream(
            format=FORMAT_OF_LIBSNDFILE[file.format],
            rate=file.samplerate,
            channels=file.channels,
            stated_s=None if stated_s is None else stated_s * shortage,
            blocks=iter(()),
        )
        stream.blocks = _libsndfile_blocks(file, stream)
        yield stream


def _libsndfile_blocks(file: soundfile.SoundFile, stream: _Stream) -> Iterator[np.ndarray]:
    while True:
        try:
            block = file.read(BLOCK, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            stream.warnings.append(f"damaged: nothing could be decoded after {stream.decoded_s:.1f} s")
            return
        if not len(block):
            return
        yield block.T


def _with_wav_size(data: bytes) -> tuple[bytes, float]:
    """A WAV with the size of its sound filled in, and how many times what it holds its header states.

    libsndfile quietly reads what there is where the header states more. Where the header states 0, as some programs do
    that write to a pipe, it reads nothing; the size is filled in for it.
    """
    start, stated = _find_wav_data(data)
    held = len(data) - start
    if start and stated == 0 and held and not _is_chunk(data[start:]):
        return data[: start - 4] + held.to_bytes(4, "little") + data[start:], 1.0
    if not start or not held or stated <= held or WAV_STREAMED <= stated <= 0xFFFFFFFF:
        return data, 1.0
    return data, stated / held


def _find_wav_data(data: bytes) -> tuple[int, int]:
    """Where the sound of a WAV begins and its stated size in bytes; (0, 0) if there is none."""
    position, long_size = 12, None
    for _ in range(MAX_WAV_CHUNKS):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if len(name) < 4:
            break
        if name == b"ds64":  # RF64: the 64-bit size of the file, then that of the sound
            long_size = int.from_bytes(data[position + 16 : position + 24], "little")
        if name == b"data":
            return position + 8, long_size if size == 0xFFFFFFFF and long_size is not None else size
        position += 8 + size + size % 2
    return 0, 0


def _is_chunk(rest: bytes) -> bool:
    """Whether another chunk of a WAV begins here, such as `LIST`, and not sound."""
    fits = 8 + int.from_bytes(rest[4:8], "little") <= len(rest)
    return fits and re.match(rb"[A-Za-z0-9 ]{4}", rest) is not None


# ---- FFmpeg: M4A, WebM


@contextmanager
def _open_ffmpeg(data: bytes, format: str, limits: Limits) -> Iterator[_Stream]:
    import av  # here, since only these formats need it

    if format == "m4a":
        _check_m4a_index(data)
    try:
        # The named demuxer reads these bytes only, where guessing could choose one that opens other files or addresses.
        # The list of codecs keeps FFmpeg from starting a decoder for a video track while it looks at the file.
        container = av.open(
            io.BytesIO(data),
            format=FFMPEG_DEMUXERS[format],
            options={"codec_whitelist": ",".join(FFMPEG_CODECS)},
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        raise AudioError(f"This looks like {format}, but it is damaged or cut off. {WAY_OUT}") from error
    with container:
        track = _sound_track(container)
        codec = track.codec_context
        codec.options = {"max_samples": str(MAX_FRAME)}
        stated_s = _stated_seconds(container, track)
        _check_header(codec.sample_rate, codec.channels, stated_s, limits)
        stream = _Stream(format, codec.sample_rate, codec.channels, stated_s, iter(()))
        frames = _ffmpeg_frames(container, track, stream)
        first = next(frames, None)
        if first is not None:  # Some codecs state half their rate in the header.
            stream.rate, stream.channels = first.sample_rate, first.layout.nb_channels
            _check_header(stream.rate, stream.channels, stated_s, limits)
            stream.blocks = _ffmpeg_blocks(itertools.chain([first], frames), stream)
        yield stream


def _sound_track(container):
    if not container.streams.audio:
        kinds = sorted({stream.type for stream in container.streams})
        raise AudioError(f"The file holds no sound, only: {', '.join(kinds) or 'nothing'}. {WAY_OUT}")
    track = container.streams.audio[0]
    codec = track.codec_context.name if track.codec_context else "unknown"
    if codec not in FFMPEG_CODECS:
        raise AudioError(f"The sound is coded as {codec}, which is not read. {WAY_OUT}")
    return track


def _stated_seconds(container, track) -> float | None:
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    if container.duration and len(container.streams) == 1:  # with a video, this may be the video's length
        return container.duration / 1e6
    return None


def _ffmpeg_frames(container, track, stream: _Stream) -> Iterator:
    """Decoded frames; a damaged packet is left out, since the next ones can be whole."""
    import av

    damaged = 0
    packets = container.demux(track)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            stream.warnings.append(f"damaged: nothing could be decoded after {stream.decoded_s:.1f} s")
            break
        if packet is None:
            break
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            damaged += 1
    if damaged:
        stream.warnings.append(f"damaged: {damaged} packets of sound could not be decoded and were left out")


def _ffmpeg_blocks(frames: Iterator, stream: _Stream) -> Iterator[np.ndarray]:
    for frame in frames:
        if frame.sample_rate != stream.rate:
            change = f"from {stream.rate:,} to {frame.sample_rate:,} Hz"
            stream.warnings.append(f"the rate changes {change} after {stream.decoded_s:.1f} s: the rest was left out")
            return
        yield _frame_samples(frame)


def _frame_samples(frame) -> np.ndarray:
    """One FFmpeg frame -> float32 [shape=(channels, n)], full scale is -1 to 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == "i":
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    return samples.astype(np.float32, copy=False)


def _check_m4a_index(data: bytes) -> None:
    """Refuse an index that a few bytes let grow to gigabytes in memory: FFmpeg builds it in full before it decodes.

    Counted are the packets that sample tables (`stsz`, `stz2`) and fragments (`trun`) announce, times the edits (`elst`)
    that may each repeat them. Everything but the sound itself (`mdat`) is searched, nested in whatever way.
    """
    pieces, edits = 0, 0
    for tables in _m4a_tables(data):
        for match in re.finditer(rb"stsz|stz2|trun|elst|cmov", tables):
            start, name = match.start(), match.group()
            if name == b"cmov":
                raise AudioError(f"The index of this m4a file is compressed, which is not read. {WAY_OUT}")
            header = 8 if tables[max(0, start - 4) : start] == b"\0\0\0\1" else 0  # a 64-bit size follows the name
            position = start + header + (8 if name in (b"trun", b"elst") else 12)
            count = int.from_bytes(tables[position : position + 4], "big")
            if name == b"elst":
                edits += count
            else:
                pieces += count
    if pieces * max(1, edits) > MAX_PIECES:
        raise AudioError(
            f"The index of this m4a file lists {pieces:,} pieces of sound in {edits:,} edits: it is damaged, or too long. "
            "Cut out the part to recognise, or save it as WAV."
        )


def _m4a_tables(data: bytes) -> Iterator[bytes]:
    """The top-level boxes of an M4A but those that hold sound."""
    position = 0
    while position + 8 <= len(data):
        size, name = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16], "big")
        if size == 0:
            size = len(data) - position
        if size < 8:
            return
        if name != b"mdat":
            yield data[position : position + size]
        position += size
