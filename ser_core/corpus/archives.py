"""The two official RAVDESS archives: what they hold, their licence, and how far the work on one is."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ser_core.errors import DownloadStopped

RECORD = "https://zenodo.org/records/1188976"

LICENCE = f"""\
RAVDESS is licensed CC BY-NC-SA 4.0 (https://creativecommons.org/licenses/by-nc-sa/4.0/). You may use, share and change
the recordings if you name their authors (attribution), do not use them commercially (non-commercial), and pass on what
you make of them under the same licence (share alike).
To cite: Livingstone SR, Russo FA (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS),
PLoS ONE 13(5): e0196391, https://doi.org/10.1371/journal.pone.0196391. The archives: {RECORD}"""

BLOCK = 32_768  # bytes that are read, and written, at once
TELL_EVERY_S = 0.2
RATE_WINDOW_S = 5.0


@dataclass(frozen=True)
class Archive:
    """One file to download, and what must come of it."""

    part: str  # "speech" or "song"
    name: str
    url: str
    bytes: int
    sha256: str
    clips: int
    unpacked_bytes: int  # at most: needed on the disk, and more is not unpacked

    @property
    def stem(self) -> str:
        """The folder of its clips."""
        return Path(self.name).stem


# As WAV files the clips take 513 and 452 million bytes; the rest is for what their headers and the disk's blocks add.
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
    """How far one step of one archive is."""

    part: str  # "speech" or "song"
    phase: str  # "downloading", "waiting" (to try again), "checking" or "unpacking"
    done: int  # bytes
    total: int  # bytes
    rate: float | None = None  # bytes a second, of the last few seconds; None while it is not known
    seconds_left: float | None = None

    @property
    def words(self) -> str:
        """E.g. "Downloading speech: 120 of 208 MB, 3.2 MB/s, 0:28 min left"."""
        if self.phase == "waiting":
            return f"No answer for {self.part}: trying again in {self.seconds_left:.0f} s"
        said = f"{self.phase.capitalize()} {self.part}: {self.done / 1e6:.0f} of {self.total / 1e6:.0f} MB"
        if self.rate is not None:
            said += f", {self.rate / 1e6:.1f} MB/s"
        if self.seconds_left is not None:
            minutes, seconds = divmod(round(self.seconds_left), 60)
            said += f", {minutes}:{seconds:02d} min left"
        return said


class Watch:
    """Reports the progress of a download a few times a second, and stops it on request."""

    def __init__(self, tell: Callable[[Progress], None], stopped: Callable[[], bool]):
        self._tell, self._stopped = tell, stopped

    def begin(self, archive: Archive, phase: str, total: int, done: int = 0) -> None:
        """Start a phase of an archive's work."""
        self._at = Progress(archive.part, phase, done, total)
        self._told = time.monotonic()
        self._seen = deque([(self._told, done)])  # for the rate
        self._tell(self._at)

    def move(self, done: int) -> None:
        """Report how much of the phase is done."""
        self._end_if_asked()
        now = time.monotonic()
        if now - self._told < TELL_EVERY_S and done < self._at.total:
            return
        while len(self._seen) > 1 and now - self._seen[0][0] > RATE_WINDOW_S:
            self._seen.popleft()
        since, before = self._seen[0]
        rate = (done - before) / (now - since) if now > since and done > before else None
        left = (self._at.total - done) / rate if rate else None
        self._at = Progress(self._at.part, self._at.phase, done, self._at.total, rate, left)
        self._told = now
        self._seen.append((now, done))
        self._tell(self._at)

    def wait(self, archive: Archive, done: int, seconds: float) -> None:
        """Wait some seconds before the next attempt."""
        self._tell(Progress(archive.part, "waiting", done, archive.bytes, seconds_left=seconds))
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._end_if_asked()
            time.sleep(min(left, TELL_EVERY_S))

    def _end_if_asked(self) -> None:
        if self._stopped():
            raise DownloadStopped("Stopped. What has arrived is kept: start it again to go on from there")


def megabytes(size: int) -> str:
    """A size in megabytes, e.g. `12.3 MB`."""
    return f"{size / 1e6:,.1f} MB"
