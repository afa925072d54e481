"""Download of the two official RAVDESS archives from Zenodo into a folder of clips that can be indexed.

Partial archives and clips that are being unpacked are kept in the hidden folder `.download`, which the index ignores.
A single rename puts all clips of an archive into place, so that at any moment, even after a kill, the index finds all
of them or none.
"""

import errno
import hashlib
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3
from filelock import FileLock, Timeout

import ser_core
from ser_core import corpus
from ser_core.corpus.archives import BLOCK, RECORD, Archive, Progress, Reporter, megabytes
from ser_core.corpus.unpacking import unpack
from ser_core.errors import DownloadError

STAGING = ".download"  # the folder of unfinished work
TIMEOUT_S = (10, 30)  # to connect, and between two reads of a response
WAITS_S = (1, 2, 4, 8, 16)  # before each retry, in a row of attempts without progress
MAX_WAIT_S = 60  # even if the server asks for more

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Downloaded:
    """The result of a download.

    Parameters
    ----------
    dest : Path
    parts : tuple of str
        New parts, `speech` or `song`.
    already_there : tuple of str
        Parts whose clips were complete, so that no request was sent.
    clips : int
        New clips.
    bytes : int
        Received from the server, without what an earlier attempt had received.
    """

    dest: Path
    parts: tuple[str, ...]
    already_there: tuple[str, ...]
    clips: int
    bytes: int


def download(
    archives: Iterable[Archive],
    dest: str | os.PathLike,
    *,
    progress: Callable[[Progress], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Downloaded:
    """Download archives and unpack their clips into a folder; parts that are complete are left as they are.

    Partial downloads are kept when this ends early, and the next call resumes them.

    Parameters
    ----------
    archives : iterable of Archive
        Some of `ARCHIVES`.
    dest : str or path
        Created if it does not exist. Each archive's clips are put into a subfolder named after the archive.
    progress : callable, optional
        Called with a `Progress` a few times a second.
    stopped : callable, optional
        Polled for whether to stop; not while the server is silent, for up to 30 s.

    Returns
    -------
    Downloaded

    Raises
    ------
    DownloadError
        If another download into the folder is running, the disk is too full, the server lacks the file or does not
        respond, or the file received is not the official archive.
    DownloadStopped
        If `stopped` returned True.
    """
    archives, dest = tuple(archives), Path(dest).absolute()
    reporter = Reporter(progress or (lambda _: None), stopped or (lambda: False))
    missing = _missing(archives, dest)
    received = 0
    if missing:
        staging = dest / STAGING
        with _locked(staging):
            missing = _missing(archives, dest)  # another download may have just finished
            try:
                for archive in missing:
                    shutil.rmtree(staging / archive.stem, ignore_errors=True)  # of a process that was killed
                _check_room(missing, staging)
                for archive in missing:
                    part = staging / f"{archive.name}.part"
                    received += _fetch(archive, part, reporter)
                    _check(archive, part, reporter)
                    unpack(archive, part, dest / archive.stem, reporter)
                    part.unlink(missing_ok=True)
            except OSError as error:
                raise _disk_fault(error, missing, staging) from error
    complete = [archive for archive in archives if archive not in missing]
    for archive in complete:
        with suppress(OSError):  # left by a process that was killed after its clips were in place
            (dest / STAGING / f"{archive.name}.part").unlink()
    return Downloaded(
        dest,
        parts=tuple(archive.part for archive in missing),
        already_there=tuple(archive.part for archive in complete),
        clips=sum(archive.clips for archive in missing),
        bytes=received,
    )


def _missing(archives: Iterable[Archive], dest: Path) -> list[Archive]:
    """The archives whose clips are not all in a folder yet, whatever its layout."""
    there = corpus.look_through(dest).clips["channel"].value_counts()
    missing = [archive for archive in archives if there.get(archive.part, 0) < archive.clips]
    for archive in missing:
        if os.path.lexists(dest / archive.stem):
            raise DownloadError(
                f"{dest / archive.stem} is there, but of the {archive.clips:,} {archive.part} clips only "
                f"{there.get(archive.part, 0):,} can be read in {dest}. Move it away or delete it, then run it again"
            )
    return missing


@contextmanager
def _locked(staging: Path) -> Iterator[None]:
    """Hold the folder's lock, which the operating system releases when the process ends in any way."""
    lock = FileLock(staging / "lock")
    try:
        staging.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise DownloadError(
            f"Another download into {staging.parent} is running. Wait until it is done, or stop it"
        ) from None
    except OSError as error:
        raise DownloadError(f"{staging.parent} cannot be written ({error}). Choose another folder") from error
    try:
        yield
    finally:
        lock.release()


def _received(part: Path) -> int:
    """Bytes of an archive received so far."""
    try:
        return part.stat().st_size
    except OSError:
        return 0


def room_needed(archives: Iterable[Archive], dest: Path) -> int:
    """Disk space that a download takes.

    That is all clips and the largest remainder of an archive: each archive is deleted before the next is downloaded.

    Parameters
    ----------
    archives : iterable of Archive
    dest : Path
        As `download` takes them.

    Returns
    -------
    int
        Bytes.
    """
    remainders = [archive.bytes - _received(dest / STAGING / f"{archive.name}.part") for archive in archives]
    return sum(archive.unpacked_bytes for archive in archives) + max([0, *remainders])


def _check_room(archives: Iterable[Archive], staging: Path) -> None:
    needed, free = room_needed(archives, staging.parent), shutil.disk_usage(staging).free
    if free < needed:
        raise DownloadError(
            f"The disk of {staging.parent} has {megabytes(free)} free, but the download needs {megabytes(needed)}. "
            "Free some space, or choose another folder"
        )


def _disk_fault(error: OSError, archives: list[Archive], staging: Path) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        waiting = [archive for archive in archives if not (staging.parent / archive.stem).exists()]
        return DownloadError(
            f"The disk of {staging.parent} is full: the rest needs {megabytes(room_needed(waiting, staging.parent))}. "
            "What has arrived is kept: free some space, then run it again"
        )
    return DownloadError(
        f"{staging.parent} cannot be written ({error}). Fix that or choose another folder, then run it again"
    )


class _Retry(Exception):
    """A failure that may be temporary."""

    def __init__(self, reason: str, wait_s: float = 0):
        super().__init__(reason)
        self.wait_s = wait_s  # requested by the server


def _fetch(archive: Archive, part: Path, reporter: Reporter) -> int:
    """Download the missing bytes of an archive; sends no request if none are missing."""
    if _received(part) > archive.bytes:
        part.unlink()  # cannot be the start of this archive
    before = most = _received(part)
    failures = 0
    while _received(part) < archive.bytes:
        try:
            _receive(archive, part, reporter)
        except (_Retry, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Progress is more than any attempt had received: otherwise, a server that starts at zero each time and
            # always breaks off at the same byte would be retried forever.
            failures = 1 if _received(part) > most else failures + 1
            most = max(most, _received(part))
            if isinstance(error, _Retry):
                reason, wait_s = str(error), error.wait_s
            else:
                reason, wait_s = f"there is no connection ({type(error).__name__})", 0
            if failures > len(WAITS_S):
                raise DownloadError(
                    f"{archive.url} cannot be downloaded: {failures} tries in a row failed, the last since {reason}. "
                    f"{megabytes(_received(part))} of {megabytes(archive.bytes)} are kept: try again later, or "
                    "set SER_DATA_DIR to a copy of your own"
                ) from error
            logger.info("%s: %s, trying again", archive.url, reason)
            reporter.wait(archive, _received(part), min(max(WAITS_S[failures - 1], wait_s), MAX_WAIT_S))
    return archive.bytes - before


def _receive(archive: Archive, part: Path, reporter: Reporter) -> None:
    """Send one request, and write the response to the part file."""
    have = _received(part)
    headers = {"Accept-Encoding": "identity", "User-Agent": f"ser_core/{ser_core.__version__}"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(archive.url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        done = _start(archive, response, have)
        if done is None:
            part.unlink(missing_ok=True)
            raise _Retry(f"the server cannot go on from byte {have:,}")
        reporter.begin(archive, "downloading", archive.bytes, done)
        with open(part, "ab" if done else "wb") as file:
            # `read1` returns what has arrived: on a slow line, a full block would take long, and be lost if cut off.
            while block := response.raw.read1(BLOCK, decode_content=False):
                done += len(block)
                if done > archive.bytes:
                    file.truncate(0)
                    raise DownloadError(_wrong_size(archive, f"more than {archive.bytes:,}"))
                file.write(block)
                reporter.update(done)
    if done < archive.bytes:
        raise _Retry("the answer ended early")


def _start(archive: Archive, response: requests.Response, have: int) -> int | None:
    """The byte at which a response starts; None if the server cannot resume, so that the whole file is needed."""
    code = response.status_code
    if code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        start, total = (int(match[1]), match[2]) if match else (None, "*")
        if start != have:
            return None
    elif code == 200:
        start, total = 0, response.headers.get("Content-Length", "*")
    elif code == 416:
        return None
    elif code == 429 or code >= 500:
        raise _Retry(f"the server answers {code} {response.reason}", _retry_after_s(response))
    else:
        raise DownloadError(
            f"{archive.url} cannot be downloaded: the server answers {code} {response.reason}. "
            f"See {RECORD} for where {archive.name} is now, and unpack it into the folder of the clips"
        )
    if total.isdecimal() and int(total) != archive.bytes:
        raise DownloadError(_wrong_size(archive, f"{int(total):,}"))
    return start


def _wrong_size(archive: Archive, got: str) -> str:
    return (
        f"{archive.url} is not the official archive: it has {got} bytes instead of {archive.bytes:,}. "
        f"See whether something stands between here and {RECORD}, then run it again"
    )


def _retry_after_s(response: requests.Response) -> float:
    try:
        return urllib3.Retry().get_retry_after(response.raw) or 0
    except urllib3.exceptions.InvalidHeader:
        return 0


def _check(archive: Archive, part: Path, reporter: Reporter) -> None:
    """Check an archive's digest; a wrong archive is deleted."""
    reporter.begin(archive, "checking", archive.bytes)
    with open(part, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    reporter.update(archive.bytes)
    if digest != archive.sha256:
        part.unlink()
        raise DownloadError(
            f"{archive.name} is damaged: its SHA-256 is {digest}, expected "
            f"{archive.sha256}. It was deleted: run it again"
        )
