"""A job, read from its folder."""

import json
import shlex
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from ser_core.files import atomically

SPEC, STATE, EVENTS, LOG = "spec.json", "state.json", "events.jsonl", "log.txt"
STOP = "stop"  # is there once someone has asked the job to end; only the job itself writes its state
RESERVE = "reserve"  # room for the last state on a full disk

ALIVE = ("queued", "running", "stopping")

BIRTH_S = 30.0  # from a job's place in the queue until its process is written down
CLOCK_SLACK_S = 2.0  # between two readings of one process's start, whose clock ticks in 1/100 s


def shell(arguments: Iterable[str]) -> str:
    """Arguments of `python -m ser_core` as the whole command is typed."""
    return shlex.join(["python", "-m", "ser_core", *arguments])


@dataclass(frozen=True)
class Task:
    """What a job does. It is stated by whoever starts the job, never parsed from the arguments.

    Parameters
    ----------
    kind : str
        E.g. "tune".
    subject : str
        What it is about: the name of a study that is tuned, the key of a network that is trained.
    arguments : tuple of str
        Of `python -m ser_core`, which carries it out. Two tasks of the same arguments are the same work.
    title : str
        What people call it.
    resumable : bool
        Whether these arguments, given again, go on from where the work was broken off.
    """

    kind: str
    subject: str
    arguments: tuple[str, ...]
    title: str
    resumable: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a job is with its present step."""

    what: str
    done: float
    total: float | None
    words: str = ""  # where numbers alone would not do, e.g. a download's rate
    seconds_left: float | None = None  # from the pace since the step began here
    unit: str = ""  # what is counted, e.g. epoch

    @property
    def far(self) -> str:
        """How far, in words: "epoch 8 of 40"; empty where that is not known."""
        if self.words or not self.total:
            return self.words
        return f"{self.unit} {self.done:,.0f} of {self.total:,.0f}".lstrip()


@dataclass(frozen=True)
class Job:
    """A job at one moment."""

    id: str
    folder: Path
    task: Task
    # queued, running, stopping, done, failed, stopped, or interrupted: its process is gone without a word
    status: str
    made: float  # seconds since 1970, as all times here
    queued: float  # when it was started, or resumed
    began: float | None = None
    ended: float | None = None
    place: int | None = None  # in the queue, from 1
    progress: Progress | None = None
    message: str = ""  # how it ended, fit to be shown
    answer: dict | None = None  # what the command answers with --json
    pid: int | None = None
    process_began: float | None = None
    is_final: bool = False  # it failed, and would fail again in the same way: something else must be asked for

    @property
    def is_alive(self) -> bool:
        """Whether it is queued, running or stopping."""
        return self.status in ALIVE

    @property
    def is_resumable(self) -> bool:
        """Whether it can go on from where it was; otherwise it can only be tried again from the start."""
        return self.task.resumable and not (self.is_alive or self.is_final or self.status == "done")

    @property
    def is_repeatable(self) -> bool:
        """Whether it may end otherwise if it is tried again from the start."""
        return self.status in ("failed", "stopped", "interrupted") and not self.is_final

    def log(self, lines: int = 200) -> str:
        """The last lines of what the command printed."""
        try:
            with open(self.folder / LOG, errors="replace") as file:
                return "".join(deque(file, maxlen=lines))
        except OSError:
            return ""

    def events(self) -> list[dict]:
        """What happened, oldest first: each has `time` and `kind`. A line cut off by a full disk is passed over."""
        found = []
        try:
            for line in (self.folder / EVENTS).read_text().splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        except OSError:
            pass
        return found


def read(folder: Path) -> Job | None:
    """The job of a folder, without its place in the queue; None where there is none that can be read.

    Parameters
    ----------
    folder : Path
    """
    try:
        spec = json.loads((folder / SPEC).read_text())
        made = spec["made"]
        task = {name: value for name, value in spec.items() if name != "made"}
        state = json.loads((folder / STATE).read_text())
        status = state["status"]
        pid, process_began = state.get("pid"), state.get("process_began")
        message = state.get("message", "")
        is_being_born = status == "queued" and not pid and time.time() - state["queued"] < BIRTH_S
        ended = state.get("ended")
        asked = (folder / STOP).stat().st_mtime if (folder / STOP).exists() else None
        if status in ALIVE and not is_being_born and not lives(pid, process_began):
            status, message = "interrupted", "Its process ended without a word: it was killed, or the machine went off"
            if asked:
                status, message, ended = "stopped", "Stopped. What was done is kept", asked
        elif status in ALIVE and asked:
            status = "stopping"
        progress = state.get("progress")
        return Job(
            id=folder.name,
            folder=folder,
            task=Task(**task | {"arguments": tuple(task["arguments"])}),
            status=status,
            made=made,
            queued=state["queued"],
            began=state.get("began"),
            ended=ended,
            progress=Progress(**progress) if progress else None,
            message=message,
            answer=state.get("answer"),
            pid=pid,
            process_began=process_began,
            is_final=state.get("is_final", False) and status == "failed",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def as_shown(found: list[Job]) -> list[Job]:
    """Jobs in the order in which one looks for them: at work, waiting in their order, then ended, the newest first."""
    at_work = [one for one in found if one.status in ("running", "stopping")]
    waiting = [one for one in found if one.status == "queued"]
    return [*at_work, *waiting, *(one for one in reversed(found) if not one.is_alive)]


def lives(pid: int | None, process_began: float | None) -> bool:
    """Whether a process is still running, and is not a later one with the same number.

    Parameters
    ----------
    pid : int
    process_began : float
        Seconds since 1970.
    """
    if not pid:
        return False
    try:
        process = psutil.Process(pid)
        is_the_same = process_began is None or abs(process.create_time() - process_began) < CLOCK_SLACK_S
        return is_the_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def write_state(folder: Path, *, is_last: bool = False, **changes) -> None:
    """Change some of a job's state, whole or not at all; for the last state on a full disk the reserve is given up.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        state = json.loads((folder / STATE).read_text())
    except (OSError, ValueError):
        state = {}
    state |= changes
    try:
        _replace_state(folder, state)
    except OSError:
        if not is_last:
            raise
        (folder / RESERVE).unlink(missing_ok=True)
        _replace_state(folder, state)


def _replace_state(folder: Path, state: dict) -> None:
    with atomically(folder / STATE) as part:
        part.write_text(json.dumps(state))


def add_event(folder: Path, kind: str, **facts) -> None:
    """Record an event. On a full disk it is dropped: the work is worth more."""
    try:
        with open(folder / EVENTS, "a") as file:
            file.write(json.dumps({"time": round(time.time(), 3), "kind": kind, **facts}) + "\n")
    except OSError:
        pass
