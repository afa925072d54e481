"""Unpacking of the clips of an untrusted ZIP archive into a folder."""

import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from ser_core.corpus.archives import BLOCK, RECORD, Archive, Reporter, megabytes
from ser_core.corpus.ravdess import Clip, parse
from ser_core.errors import CorpusError, DownloadError

MAX_CLIP_BYTES = 5_000_000  # the largest official clip has 0.9 million
MAX_ENTRIES = 10_000


def unpack(archive: Archive, part: Path, folder: Path, reporter: Reporter) -> None:
    """Unpack the clips of an archive next to it and, when all are complete, move them to `folder` in one step.

    Names in the archive only identify the clips; they are never used as paths.

    Parameters
    ----------
    archive : Archive
    part : Path
        The archive's file.
    folder : Path
        Must not exist.
    reporter : Reporter

    Raises
    ------
    DownloadError
        If the archive is damaged or suspicious, or does not contain exactly the expected clips.
    DownloadStopped
        If a stop was requested.
    OSError
        If the clips cannot be written.
    """
    staging = part.parent / archive.stem
    try:
        with zipfile.ZipFile(part) as zipped:
            entries = _clips(archive, zipped.infolist())
            reporter.begin(archive, "unpacking", sum(entry.file_size for entry in entries.values()))
            done = 0
            for clip, entry in entries.items():
                file = staging / f"Actor_{clip.speaker}" / f"{clip.stem}.wav"
                file.parent.mkdir(parents=True, exist_ok=True)
                before = done
                with zipped.open(entry) as source, open(file, "wb") as target:
                    while block := source.read(BLOCK):
                        done += len(block)
                        if done - before > MAX_CLIP_BYTES or done > archive.unpacked_bytes:
                            raise _refusal(archive, f"{entry.filename!r} is larger than it says")
                        target.write(block)
                        reporter.update(done)
        os.rename(staging, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise _refusal(archive, f"it is damaged: {error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _clips(archive: Archive, entries: list[zipfile.ZipInfo]) -> dict[Clip, zipfile.ZipInfo]:
    """The clips of an archive. Other files are ignored, but a single suspicious entry rejects the archive."""
    if len(entries) > MAX_ENTRIES:
        raise _refusal(archive, f"it has {len(entries):,} entries, more than {MAX_ENTRIES:,}")
    found = {}
    for entry in entries:
        if reason := fault(entry, MAX_CLIP_BYTES, "a clip"):
            raise _refusal(archive, f"{entry.filename!r} {reason}")
        path = PurePosixPath(entry.filename)
        try:
            clip = parse(path.stem)
        except CorpusError:
            continue
        if entry.is_dir() or path.suffix.lower() != ".wav" or clip.channel != archive.part:
            continue
        if clip in found:
            raise _refusal(archive, f"{clip.stem} is in it twice")
        found[clip] = entry
    if len(found) != archive.clips:
        raise _refusal(archive, f"it holds {len(found):,} {archive.part} clips instead of {archive.clips:,}")
    if (total := sum(entry.file_size for entry in found.values())) > archive.unpacked_bytes:
        raise _refusal(archive, f"its clips have {megabytes(total)}, more than {megabytes(archive.unpacked_bytes)}")
    return found


def fault(entry: zipfile.ZipInfo, most: int, what: str) -> str | None:
    """What is suspicious about an entry of an untrusted archive, before anything of it is unpacked.

    Parameters
    ----------
    entry : zipfile.ZipInfo
    most : int
        Bytes that it may have when it is unpacked.
    what : str
        What it should be, e.g. "a clip".

    Returns
    -------
    str or None
        The end of a sentence that begins with its name.
    """
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(entry.filename).drive:
        return "leads out of the folder"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in an unusual way"
    if entry.file_size > most:
        return f"has {megabytes(entry.file_size)}, more than {what} can have"
    return None


def _refusal(archive: Archive, reason: str) -> DownloadError:
    return DownloadError(
        f"{archive.name} is not unpacked, since {reason}. Get the clips of {RECORD} by hand, and please report this"
    )
