"""The two official RAVDESS archives, from Zenodo to a folder of clips that the index can read.

Whatever is in the making lies in the hidden folder `.download`, which the index passes over: an archive while it
arrives, and its clips while they are unpacked. One rename puts all clips of an archive into place, so that at any
moment, also if this process is killed, the index finds all of them or none.
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
from ser_core.corpus.archives import BLOCK, RECORD, Archive, Progress, Watch, megabytes
from ser_core.corpus.unpacking import unpack
from ser_core.errors import DownloadError

MAKING = ".download"  # the folder of whatever is in the making
TIMEOUT_S = (10, 30)  # to connect, and between two pieces of an answer
WAITS_S = (1, 2, 4, 8, 16)  # before each new try, in a row of tries that brought nothing new
MAX_WAIT_S = 60  # a server may ask for more

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Downloaded:
    """What a download brought."""

    dest: Path
    parts: tuple[str, ...]  # that are new
    already_there: tuple[str, ...]  # parts whose clips were complete, so that nothing was asked of the server
    clips: int  # that are new
    bytes: int  # of archives, that were not here from an earlier try


def download(
    archives: Iterable[Archive],
    dest: str | os.PathLike,
    *,
    progress: Callable[[Progress], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Downloaded:
    """Bring the clips of some archives into a folder; a part whose clips are all there is left as it is.

    What has arrived is kept when this ends early, and the next call goes on from there.

    Parameters
    ----------
    archives : iterable of Archive
        Some of `ARCHIVES`.
    dest : str or path
        Made if it is missing. Each archive's clips come into a folder of the archive's name in it.
    progress : callable, optional
        Told how far it is a few times a second.
    stopped : callable, optional
        Asked again and again whether to end early. While a server says nothing it is not asked, for up to 30 s.

    Raises
    ------
    DownloadError
        If another download into the folder is running, the disk has no room, the server has not the file or does not
        answer, or what arrived is not the official archive.
    DownloadStopped
        If `stopped` said so.
    """
    archives, dest = tuple(archives), Path(dest).absolute()
    watch = Watch(progress or (lambda _: None), stopped or (lambda: False))
    missing = _missing(archives, dest)
    arrived = 0
    if missing:
        making = dest / MAKING
        with _alone(making):
            missing = _missing(archives, dest)  # another download may have ended just now
            try:
                for archive in missing:
                    shutil.rmtree(making / archive.stem, ignore_errors=True)  # of a process that was killed
                _check_room(missing, making)
                for archive in missing:
                    part = making / f"{archive.name}.part"
                    arrived += _fetch(archive, part, watch)
                    _check(archive, part, watch)
                    unpack(archive, part, dest / archive.stem, watch)
                    part.unlink(missing_ok=True)
            except OSError as error:
                raise _disk_fault(error, missing, making) from error
    for archive in archives:
        if archive not in missing:
            with suppress(OSError):  # it may be left from a process that was killed after its clips were in place
                (dest / MAKING / f"{archive.name}.part").unlink()
    return Downloaded(
        dest,
        parts=tuple(archive.part for archive in missing),
        already_there=tuple(archive.part for archive in archives if archive not in missing),
        clips=sum(archive.clips for archive in missing),
        bytes=arrived,
    )


def _missing(archives: Iterable[Archive], dest: Path) -> list[Archive]:
    """The archives whose clips are not all below a folder already, in whatever layout."""
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
def _alone(making: Path) -> Iterator[None]:
    """Hold the folder's lock. It is the operating system's, so it ends with the process, however that ends."""
    lock = FileLock(making / "lock")
    try:
        making.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise DownloadError(
            f"Another download into {making.parent} is running. Wait until it is done, or stop it"
        ) from None
    except OSError as error:
        raise DownloadError(f"{making.parent} cannot be written ({error}). Choose another folder") from error
    try:
        yield
    finally:
        lock.release()


def _arrived(part: Path) -> int:
    """Bytes of an archive that are here."""
    try:
        return part.stat().st_size
    except OSError:
        return 0


def room_needed(archives: Iterable[Archive], dest: Path) -> int:
    """Bytes of disk that a download takes.

    That is all clips and the largest rest of an archive: each archive is deleted before the next one arrives.
    """
    rests = [archive.bytes - _arrived(dest / MAKING / f"{archive.name}.part") for archive in archives]
    return sum(archive.unpacked_bytes for archive in archives) + max([0, *rests])


def _check_room(archives: Iterable[Archive], making: Path) -> None:
    needed, free = room_needed(archives, making.parent), shutil.disk_usage(making).free
    if free < needed:
        raise DownloadError(
            f"The disk of {making.parent} has {megabytes(free)} free, but the download needs {megabytes(needed)}. "
            "Free some space, or choose another folder"
        )


def _disk_fault(error: OSError, archives: list[Archive], making: Path) -> DownloadError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        waiting = [archive for archive in archives if not (making.parent / archive.stem).exists()]
        return DownloadError(
            f"The disk of {making.parent} is full: the rest needs {megabytes(room_needed(waiting, making.parent))}. "
            "What has arrived is kept: free some space, then run it again"
        )
    return DownloadError(
        f"{making.parent} cannot be written ({error}). Mend that or choose another folder, then run it again"
    )


class _TryAgain(Exception):
    """A fault that may pass."""

    def __init__(self, reason: str, wait_s: float = 0):
        super().__init__(reason)
        self.wait_s = wait_s  # as the server asks


def _fetch(archive: Archive, part: Path, watch: Watch) -> int:
    """Download the missing bytes of an archive; without a request to the server if none are missing."""
    if _arrived(part) > archive.bytes:
        part.unlink()  # whatever it is, it is no beginning of this archive
    before = most = _arrived(part)
    failures = 0
    while _arrived(part) < archive.bytes:
        try:
            _receive(archive, part, watch)
        except (_TryAgain, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Only what never was here before is progress: a server that starts at zero each time and is always cut
            # at the same place would be asked for ever.
            failures = 1 if _arrived(part) > most else failures + 1
            most = max(most, _arrived(part))
            if isinstance(error, _TryAgain):
                reason, wait_s = str(error), error.wait_s
            else:
                reason, wait_s = f"there is no connection ({type(error).__name__})", 0
            if failures > len(WAITS_S):
                raise DownloadError(
                    f"{archive.url} does not come: {failures} tries in a row failed, the last since {reason}. "
                    f"{megabytes(_arrived(part))} of {megabytes(archive.bytes)} are here and kept: try again later, or "
                    "set SER_DATA_DIR to a copy of your own"
                ) from error
            logger.info("%s: %s, trying again", archive.url, reason)
            watch.wait(archive, _arrived(part), min(max(WAITS_S[failures - 1], wait_s), MAX_WAIT_S))
    return archive.bytes - before


def _receive(archive: Archive, part: Path, watch: Watch) -> None:
    """Ask once, and write what comes."""
    have = _arrived(part)
    headers = {"Accept-Encoding": "identity", "User-Agent": f"ser_core/{ser_core.__version__}"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(archive.url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        done = _start(archive, response, have)
        if done is None:
            part.unlink(missing_ok=True)
            raise _TryAgain(f"the server cannot go on from byte {have:,}")
        watch.begin(archive, "downloading", archive.bytes, done)
        with open(part, "ab" if done else "wb") as file:
            # What is there, however little: on a slow line a whole block would be long in coming, and lost in a cut.
            while block := response.raw.read1(BLOCK, decode_content=False):
                done += len(block)
                if done > archive.bytes:
                    file.truncate(0)
                    raise DownloadError(_wrong_size(archive, f"more than {archive.bytes:,}"))
                file.write(block)
                watch.move(done)
    if done < archive.bytes:
        raise _TryAgain("the answer ended early")


def _start(archive: Archive, response: requests.Response, have: int) -> int | None:
    """The byte at which a response starts; None if this server cannot resume, so that all of it must be requested."""
    code = response.status_code
    if code == 206:
        said = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        start, total = (int(said[1]), said[2]) if said else (None, "*")
        if start != have:
            return None
    elif code == 200:
        start, total = 0, response.headers.get("Content-Length", "*")
    elif code == 416:
        return None
    elif code == 429 or code >= 500:
        raise _TryAgain(f"the server answers {code} {response.reason}", _retry_after_s(response))
    else:
        raise DownloadError(
            f"{archive.url} cannot be had: the server answers {code} {response.reason}. "
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


def _check(archive: Archive, part: Path, watch: Watch) -> None:
    """Hold an archive against its digest; a wrong one is deleted."""
    watch.begin(archive, "checking", archive.bytes)
    with open(part, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    watch.move(archive.bytes)
    if digest != archive.sha256:
        part.unlink()
        raise DownloadError(
            f"{archive.name} did not arrive as it should: its SHA-256 is {digest}, expected "
            f"{archive.sha256}. It was deleted: run it again"
        )
