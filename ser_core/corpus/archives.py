"""The two official RAVDESS archives: contents, licence, and progress of a download."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ser_core import durations
from ser_core.errors import DownloadStopped

RECORD = "https://zenodo.org/records/1188976"

LICENCE = f"""\
RAVDESS is licensed CC BY-NC-SA 4.0 (https://creativecommons.org/licenses/by-nc-sa/4.0/). You may use, share and change
the recordings if you name their authors (attribution), do not use them commercially (non-commercial), and pass on what
you make of them under the same licence (share alike).
To cite: Livingstone SR, Russo FA (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS),
PLoS ONE 13(5): e0196391, https://doi.org/10.1371/journal.pone.0196391. The archives: {RECORD}"""

BLOCK = 32_768  # bytes per read and write
REPORT_EVERY_S = 0.2
RATE_WINDOW_S = 5.0


@dataclass(frozen=True)
class Archive:
    """An archive to download, and what it must contain.

    Parameters
    ----------
    part : str
        `speech` or `song`.
    name, url : str
    bytes : int
        Size of the archive.
    sha256 : str
    clips : int
        Number of clips in it.
    unpacked_bytes : int
        Upper limit of the size of its clips: reserved on the disk, and never exceeded while unpacking.
    """

    part: str
    name: str
    url: str
    bytes: int
    sha256: str
    clips: int
    unpacked_bytes: int

    @property
    def stem(self) -> str:
        """Name of the folder of its clips."""
        return Path(self.name).stem


# As WAV files the clips take 513 and 452 million bytes; the rest is for headers and partly filled disk blocks.
ARCHIVES = (
    Archive(
        part="speech",
        name="Audio_Speech_Actors_01-24.zip",
        url=f"{RECORD}/files/Audio_Speech_Actors_01-24.zip?download=1",
        bytes=208_468_073,
        sha256="5d208e01632cc3e5242106fa2af3273e6dc5239fb8143131979ac74c4aa40657",
        clips=1440,
        unpacked_bytes=600_000_000,
    ),
    Archive(
        part="song",
        name="Audio_Song_Actors_01-24.zip",
        url=f"{RECORD}/files/Audio_Song_Actors_01-24.zip?download=1",
        bytes=225_505_317,
        sha256="89f3df66cc67ebb70c8af6f72f3f359bee497f6f763a9d863b6477619716d428",
        clips=1012,
        unpacked_bytes=530_000_000,
    ),
)


@dataclass(frozen=True)
class Progress:
    """Progress of one phase of one archive.

    Parameters
    ----------
    part : str
        `speech` or `song`.
    phase : str
        `downloading`, `waiting` (to try again), `checking` or `unpacking`.
    done, total : int
        Bytes.
    rate : float, optional
        Bytes per second over the last few seconds; None while unknown.
    seconds_left : float, optional
        Estimate; while waiting, the time to the next attempt.
    """

    part: str
    phase: str
    done: int
    total: int
    rate: float | None = None
    seconds_left: float | None = None

    @property
    def words(self) -> str:
        """E.g. "Downloading speech: 120 of 208 MB, 3.2 MB/s, 28 s left"."""
        if self.phase == "waiting":
            return f"No answer for {self.part}: trying again in {durations.in_words(self.seconds_left or 0)}"
        words = f"{self.phase.capitalize()} {self.part}: {self.done / 1e6:.0f} of {self.total / 1e6:.0f} MB"
        if self.rate is not None:
            words += f", {self.rate / 1e6:.1f} MB/s"
        if self.seconds_left is not None:
            words += f", {durations.in_words(self.seconds_left)} left"
        return words


class Reporter:
    """Reports the progress of a download a few times a second, and stops it on request.

    Parameters
    ----------
    report : callable
        Called with a `Progress`.
    stopped : callable
        Whether to stop; polled between blocks.
    """

    def __init__(self, report: Callable[[Progress], None], stopped: Callable[[], bool]):
        self._report, self._stopped = report, stopped

    def begin(self, archive: Archive, phase: str, total: int, done: int = 0) -> None:
        """Start a phase of the work on an archive.

        Parameters
        ----------
        archive : Archive
        phase : str
            As in `Progress`.
        total, done : int
            Bytes of the phase, and of these the bytes done by an earlier attempt.
        """
        self._progress = Progress(archive.part, phase, done, total)
        self._reported_at = time.monotonic()
        self._recent = deque([(self._reported_at, done)])  # for the rate
        self._report(self._progress)

    def update(self, done: int) -> None:
        """Report how much of the phase is done, unless the last report was just now.

        Parameters
        ----------
        done : int
            Bytes.

        Raises
        ------
        DownloadStopped
            If a stop was requested.
        """
        self._check_stop()
        now = time.monotonic()
        if now - self._reported_at < REPORT_EVERY_S and done < self._progress.total:
            return
        while len(self._recent) > 1 and now - self._recent[0][0] > RATE_WINDOW_S:
            self._recent.popleft()
        since, before = self._recent[0]
        rate = (done - before) / (now - since) if now > since and done > before else None
        left = (self._progress.total - done) / rate if rate else None
        self._progress = Progress(self._progress.part, self._progress.phase, done, self._progress.total, rate, left)
        self._reported_at = now
        self._recent.append((now, done))
        self._report(self._progress)

    def wait(self, archive: Archive, done: int, seconds: float) -> None:
        """Wait before the next attempt.

        Parameters
        ----------
        archive : Archive
        done : int
            Bytes received so far.
        seconds : float

        Raises
        ------
        DownloadStopped
            If a stop was requested.
        """
        self._report(Progress(archive.part, "waiting", done, archive.bytes, seconds_left=seconds))
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._check_stop()
            time.sleep(min(left, REPORT_EVERY_S))

    def _check_stop(self) -> None:
        if self._stopped():
            raise DownloadStopped("Stopped. What has arrived is kept: start it again to go on from there")


def megabytes(size: int) -> str:
    """A size in megabytes, e.g. `12.3 MB`.

    Parameters
    ----------
    size : int
        Bytes.

    Returns
    -------
    str
    """
    return f"{size / 1e6:,.1f} MB"
