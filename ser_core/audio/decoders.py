"""Decoders of untrusted bytes to blocks of samples: libsndfile for WAV, FLAC, OGG and MP3, FFmpeg for what it lacks.

FFmpeg decodes M4A, WebM, AMR and AAC, and the codecs of WAV and OGG that libsndfile does not, such as G.726 and Speex.
The format is recognised by the first bytes; file names play no part.
"""

import io
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import soundfile

from ser_core.audio.measurement import Measurement
from ser_core.errors import AudioError

WAY_OUT = "Export it again as WAV, FLAC, OGG, MP3, M4A or WebM."

BLOCK = 65_536  # samples of all channels: memory is bounded by it, and larger blocks are no faster
DAMAGED_BLOCK = 4096  # frames of FLAC; of a read that runs into damage, libsndfile returns nothing
UNKNOWN_FRAMES = 2**62  # libsndfile states a length above this where the header states none
UNREAD_PART = 0.1  # share of a file that may follow the sound, as tags do, without a warning

WAV_STREAMED = 0x7FFF0000  # bytes: programs that write WAV to a pipe put this size or more into the header
MAX_WAV_CHUNKS = 1_000
MAX_TAGS = 10  # before the first frame of an MP3

QUICKTIME = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free")  # names of the first box
MAGIC = {b"fLaC": "flac", b"OggS": "ogg", b"ID3": "mp3", b"\x1a\x45\xdf\xa3": "webm", b"#!AMR": "amr"}
UNREAD = {b"0&\xb2u": "WMA", b"FORM": "AIFF", b"caff": "CAF", b".snd": "AU", b".RMF": "RealAudio", b"MThd": "MIDI"}
OGG_HEAD = 27  # bytes of a page's head before its table, whose size is the last of them
NO_ZERO = re.compile(rb"[^\0]")

FORMAT_OF_LIBSNDFILE = {"WAV": "wav", "WAVEX": "wav", "RF64": "wav", "FLAC": "flac", "OGG": "ogg", "MP3": "mp3"}
LIBSNDFILE_WAV = (1, 2, 3, 6, 7, 0x11, 0x31, 0x55, 0xFFFE)  # codecs: PCM, ADPCM, float, G.711, GSM, MP3, extensible
LIBSNDFILE_OGG = (b"\x01vorbis", b"OpusHead")  # beginnings of the first packet
FFMPEG_DEMUXERS = {"m4a": "mov", "webm": "matroska", "amr": "amr", "aac": "aac", "ogg": "ogg", "wav": "wav"}
FFMPEG_CODECS = ("aac", "alac", "flac", "mp3float", "opus", "libopus", "vorbis")
# Codecs of telephones, and the format that is named for them, whatever the container: no browser plays it.
SPEECH_CODECS = {"amrnb": "amr", "amrwb": "amr", "speex": "speex", "g722": "g722", "g726": "g726", "g726le": "g726"}
MAX_FRAME = 2_000_000  # samples in one FFmpeg frame

# Called with rate (Hz), channels and stated seconds (None: not stated) before decoding; raises AudioError to refuse.
CheckHeader = Callable[[int, int, float | None], None]


@dataclass
class Stream:
    """An open file: its header, its blocks, and the faults found while reading them.

    Parameters
    ----------
    format : str
        As `recognise` returns it.
    rate : int
        In Hz.
    channels : int
    stated_s : float or None
        Length in seconds according to the header; None if it states none.
    blocks : iterator of np.ndarray [shape=(channels, frames), dtype=float32]
    warnings : list of str
    is_8bit : bool
        Whether its samples have 256 steps.
    measured : Measurement
        Of what is decoded so far.
    frames : int
        Decoded so far.
    is_broken : bool
        Whether decoding stopped at damaged data.
    """

    format: str
    rate: int
    channels: int
    stated_s: float | None
    blocks: Iterator[np.ndarray]
    warnings: list[str] = field(default_factory=list)
    is_8bit: bool = False
    measured: Measurement = field(default_factory=Measurement)
    frames: int = 0
    is_broken: bool = False

    @property
    def decoded_s(self) -> float:
        """Length decoded so far, in seconds."""
        return self.frames / self.rate


def open_stream(data: bytes, check_header: CheckHeader) -> AbstractContextManager[Stream]:
    """Open a file's content for decoding.

    Parameters
    ----------
    data : bytes
    check_header : callable
        Called with rate (Hz), channels and stated seconds (None: not stated) before decoding; raises to refuse.

    Returns
    -------
    context manager of Stream

    Raises
    ------
    AudioError
        If the format is unknown, the file is damaged from its start on, or `check_header` refuses it.
    """
    format = recognise(data)
    if format is None:
        start = data[:8].decode("ascii", "backslashreplace")
        found = f"it is {UNREAD[data[:4]]}, which is not read" if data[:4] in UNREAD else f"it begins with {start!r}"
        raise AudioError(f"This is not a sound file of a known format: {found}. {WAY_OUT}")
    return (_open_ffmpeg if needs_sandbox(data) else _open_libsndfile)(data, format, check_header)


def needs_sandbox(data: bytes) -> bool:
    """Whether the content is decoded by FFmpeg, which runs in a separate process (see `sandbox`).

    Parameters
    ----------
    data : bytes

    Returns
    -------
    bool
    """
    format = recognise(data)
    if format == "wav":
        return _wav_codec(data) not in (None, *LIBSNDFILE_WAV)
    if format == "ogg":
        return not data.startswith(LIBSNDFILE_OGG, OGG_HEAD + sum(data[OGG_HEAD - 1 : OGG_HEAD]))
    return format in FFMPEG_DEMUXERS


def recognise(data: bytes) -> str | None:
    """The format of a file's content, by its first bytes.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    str or None
        `wav`, `flac`, `ogg`, `mp3`, `m4a`, `webm`, `amr` or `aac`; None if it is none of them.
    """
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "wav"
    if data[4:8] in QUICKTIME:
        return "m4a"
    for magic, format in MAGIC.items():
        if data.startswith(magic):
            return format
    if _is_aac(data):
        return "aac"
    start = _mp3_start(data)
    return "mp3" if _is_mpeg_frame(data[start : start + 4]) else None


def _wav_codec(data: bytes) -> int | None:
    """The number of a WAV's codec; None if it states none."""
    start, size = _find_chunk(data, b"fmt ")
    return int.from_bytes(data[start : start + 2], "little") if size >= 2 and start + 2 <= len(data) else None


def _mp3_start(data: bytes) -> int:
    """Offset of the first frame: after ID3 tags, and after zeros, which some programs leave behind the tags."""
    start = 0
    for _ in range(MAX_TAGS):
        if data[start : start + 3] != b"ID3":
            break
        size = int.from_bytes(data[start + 6 : start + 10], "big")  # of whose bytes seven bits count
        start += 10 + sum((size >> 8 * byte & 0x7F) << 7 * byte for byte in range(4))
    first = NO_ZERO.search(data, start)
    return first.start() if first else len(data)


def _is_aac(data: bytes) -> bool:
    """Whether the content begins with two ADTS frames of AAC."""
    length = int.from_bytes(data[3:6], "big") >> 5 & 0x1FFF
    return length > 7 and _is_adts_frame(data[:2]) and _is_adts_frame(data[length : length + 2])


def _is_adts_frame(head: bytes) -> bool:
    return len(head) == 2 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether 4 bytes are the header of an MPEG layer II or III frame (layer I would also match UTF-16 text)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer in (1, 2) and bitrate != 15 and sample_rate != 3


# ---- libsndfile: WAV, FLAC, OGG, MP3


class _ForwardFile(soundfile.SoundFile):
    """A file that is read sequentially. Otherwise soundfile seeks after each block, which fails in a damaged file."""

    def seekable(self) -> bool:
        return False


@contextmanager
def _open_libsndfile(data: bytes, format: str, check_header: CheckHeader) -> Iterator[Stream]:
    shortage = 1.0
    if format == "wav":
        data, shortage = _with_wav_size(data)
    if format == "mp3":
        data = _without_zeros(data)
    content = io.BytesIO(data)
    try:
        file = _ForwardFile(content)
    except soundfile.SoundFileError as error:
        raise AudioError(f"This looks like {format}, but it is damaged or cut off. {WAY_OUT}") from error
    with file:
        if file.format not in FORMAT_OF_LIBSNDFILE:
            raise AudioError(f"This is {file.format}, which is not read. {WAY_OUT}")
        stated_s = None
        if 0 <= file.frames < UNKNOWN_FRAMES and file.samplerate > 0:
            stated_s = file.frames / file.samplerate
        check_header(file.samplerate, file.channels, stated_s)
        stream = Stream(
            format=FORMAT_OF_LIBSNDFILE[file.format],
            rate=file.samplerate,
            channels=file.channels,
            stated_s=None if stated_s is None else stated_s * shortage,
            blocks=iter(()),
            is_8bit=file.subtype in ("PCM_S8", "PCM_U8"),
        )
        stream.blocks = _libsndfile_blocks(file, content, stream)
        yield stream


def _libsndfile_blocks(file: soundfile.SoundFile, content: io.BytesIO, stream: Stream) -> Iterator[np.ndarray]:
    frames = 0
    try:
        for block in _reads(file, BLOCK // stream.channels):
            frames += len(block)
            yield block.T
    except soundfile.SoundFileError:
        stream.is_broken = True
        if stream.format == "flac":
            yield from _before_damage(content, frames)
    size = len(content.getbuffer())
    unread = size - content.tell()
    if not stream.is_broken and stream.format != "wav" and unread > UNREAD_PART * size:
        stream.warnings.append(
            f"The header says {stream.decoded_s:.1f} s, but the file seems to go on: that was not read."
        )


def _reads(file: soundfile.SoundFile, frames: int) -> Iterator[np.ndarray]:
    # A read of FLAC that ends beyond the stated length decodes on, and hides that the file goes on.
    left = file.frames if file.format == "FLAC" else UNKNOWN_FRAMES
    while len(block := file.read(min(frames, left), dtype="float32", always_2d=True)):
        left -= len(block)
        yield block


def _before_damage(content: io.BytesIO, frames: int) -> Iterator[np.ndarray]:
    """What lies between the first `frames` of a FLAC and its damage, read from the start, since seeking may fail."""
    start = 0
    with suppress(soundfile.SoundFileError), _ForwardFile(io.BytesIO(content.getvalue())) as file:
        for block in _reads(file, DAMAGED_BLOCK):
            if start + len(block) > frames:
                yield block[max(0, frames - start) :].T
            start += len(block)


def _without_zeros(data: bytes) -> bytes:
    """An MP3 from its first frame on, if zeros stand before that: libsndfile does not look behind them."""
    start = _mp3_start(data)
    has_zeros = data[start - 1 : start] == b"\0" and _is_mpeg_frame(data[start : start + 4])
    return data[start:] if has_zeros else data


def _with_wav_size(data: bytes) -> tuple[bytes, float]:
    """A WAV whose header states the size of its data, and the ratio of the stated to the actual size.

    Where the header states more than there is, libsndfile silently reads what there is. Where it states 0, as programs
    that write to a pipe do, libsndfile reads nothing, so the actual size is filled in.
    """
    start, stated = _find_chunk(data, b"data")
    held = len(data) - start
    if start and stated == 0 and held and not _is_chunk(data[start:]):
        return data[: start - 4] + held.to_bytes(4, "little") + data[start:], 1.0
    if not start or not held or stated <= held or WAV_STREAMED <= stated <= 0xFFFFFFFF:
        return data, 1.0
    return data, stated / held


def _find_chunk(data: bytes, wanted: bytes) -> tuple[int, int]:
    """Offset of a WAV's chunk and its stated size in bytes; (0, 0) if there is none."""
    position, long_size = 12, None
    for _ in range(MAX_WAV_CHUNKS):
        name, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if position + 8 > len(data):
            break
        if name == b"ds64":  # RF64: the 64-bit size of the file, then that of the data
            long_size = int.from_bytes(data[position + 16 : position + 24], "little")
        if name == wanted:
            return position + 8, long_size if size == 0xFFFFFFFF and long_size is not None else size
        position += 8 + size + size % 2
    return 0, 0


def _is_chunk(rest: bytes) -> bool:
    """Whether another chunk of a WAV, such as `LIST`, begins here rather than samples."""
    fits = 8 + int.from_bytes(rest[4:8], "little") <= len(rest)
    return fits and re.match(rb"[A-Za-z0-9 ]{4}", rest) is not None


# ---- FFmpeg: M4A, WebM, AMR, AAC, codecs that libsndfile lacks


@contextmanager
def _open_ffmpeg(data: bytes, format: str, check_header: CheckHeader) -> Iterator[Stream]:
    import av  # here: only these formats need it

    try:
        # With the demuxer named, FFmpeg reads these bytes only; probing could pick one that opens other files or URLs.
        # The codec whitelist keeps FFmpeg from starting a decoder for a video track while it probes the file.
        container = av.open(
            io.BytesIO(data),
            format=FFMPEG_DEMUXERS[format],
            options={"codec_whitelist": ",".join((*FFMPEG_CODECS, *SPEECH_CODECS))},
            metadata_errors="replace",
        )
    except av.error.FFmpegError as error:
        raise AudioError(f"This looks like {format}, but it is damaged or cut off. {WAY_OUT}") from error
    with container:
        track = _sound_track(container)
        codec = track.codec_context
        codec.options = {"max_samples": str(MAX_FRAME)}
        # FFmpeg guesses a length from the bitrate where the format states none.
        stated_s = None if format in ("aac", "amr") else _stated_seconds(container, track)
        check_header(codec.sample_rate, codec.channels, stated_s)
        format = SPEECH_CODECS.get(codec.name, format)
        stream = Stream(format, codec.sample_rate, codec.channels, stated_s, iter(()))
        frames = _ffmpeg_frames(container, track, stream)
        first = next(frames, None)
        if first is not None:  # Some codecs state half their rate in the header.
            stream.rate, stream.channels = first.sample_rate, first.layout.nb_channels
            check_header(stream.rate, stream.channels, stated_s)
            stream.blocks = _ffmpeg_blocks(itertools.chain([first], frames), stream)
        yield stream


def _sound_track(container):
    if not container.streams.audio:
        kinds = sorted({stream.type for stream in container.streams})
        raise AudioError(f"The file holds no sound, only: {', '.join(kinds) or 'nothing'}. {WAY_OUT}")
    track = container.streams.audio[0]
    codec = track.codec_context
    if codec is None or codec.name not in (*FFMPEG_CODECS, *SPEECH_CODECS):
        name = f"{codec.codec.long_name} ({codec.name})" if codec else "an unknown codec"
        raise AudioError(f"The sound is coded as {name}, which is not read. {WAY_OUT}")
    return track


def _stated_seconds(container, track) -> float | None:
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    if container.duration and len(container.streams) == 1:  # with a video, this may be the video's length
        return container.duration / 1e6
    return None


def _ffmpeg_frames(container, track, stream: Stream) -> Iterator:
    """Decoded frames; damaged packets are skipped, since later ones may be intact."""
    import av

    damaged = 0
    packets = container.demux(track)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            stream.is_broken = True
            break
        if packet is None:
            break
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            damaged += 1
    if damaged:
        stream.warnings.append(f"Damaged: {damaged} packets of sound could not be decoded and were left out.")


def _ffmpeg_blocks(frames: Iterator, stream: Stream) -> Iterator[np.ndarray]:
    for frame in frames:
        if frame.sample_rate != stream.rate:
            change = f"from {stream.rate:,} to {frame.sample_rate:,} Hz"
            stream.warnings.append(f"The rate changes {change} after {stream.decoded_s:.1f} s: the rest was left out.")
            return
        yield _frame_samples(frame)


def _frame_samples(frame) -> np.ndarray:
    """One FFmpeg frame as float32 [shape=(channels, n)]; full scale is -1 to 1."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind == "i":
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    return samples.astype(np.float32, copy=False)
