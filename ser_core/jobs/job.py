"""A job, read from its folder."""

import json
import shlex
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ser_core import records
from ser_core.errors import DamagedError
from ser_core.files import atomically

SPEC, STATE, EVENTS, LOG = "spec.json", "state.json", "events.jsonl", "log.txt"
STOP = "stop"  # exists once the job was requested to stop; only the job itself writes its state
RESERVE = "reserve"  # space that is freed to write the last state on a full disk

ALIVE = ("queued", "running", "stopping")
STATUSES = (*ALIVE, "done", "failed", "stopped", "interrupted")
UNREADABLE = "unreadable"

BIRTH_S = 30.0  # after it was queued, a job may be without a recorded process for this long
CLOCK_SLACK_S = 2.0  # tolerance between two readings of one process's start time
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # of Linux: another one after each start of the machine
STARTTIME = 19  # among the fields after the name in /proc/PID/stat: clock ticks from the boot to the process's start


def shell(arguments: Iterable[str]) -> str:
    """Arguments of `python -m ser_core` as one line to type in a shell.

    Parameters
    ----------
    arguments : iterable of str

    Returns
    -------
    str
    """
    return shlex.join(["python", "-m", "ser_core", *arguments])


@dataclass(frozen=True)
class Task:
    """What a job does. Set by the caller that starts the job, never parsed from the arguments.

    Parameters
    ----------
    kind : str
        E.g. "tune".
    subject : str
        What it works on: the name of the study for tuning, the key of the network for training.
    arguments : tuple of str
        The arguments of `python -m ser_core`. Two tasks with the same arguments are the same work.
    title : str
        Shown to people.
    resumable : bool
        Whether the same arguments resume work that was interrupted.
    """

    kind: str
    subject: str
    arguments: tuple[str, ...]
    title: str
    resumable: bool = False


@dataclass(frozen=True)
class Progress:
    """The progress of a job's current step.

    Parameters
    ----------
    what : str
        The step, e.g. "Training cnn2d".
    done : float
    total : float or None
        None if it is not known.
    words : str
        Shown instead of the numbers, e.g. with a download's rate.
    seconds_left : float or None
        Estimated from the rate since the step began.
    unit : str
        What is counted, e.g. "epoch".
    """

    what: str
    done: float
    total: float | None
    words: str = ""
    seconds_left: float | None = None
    unit: str = ""

    @property
    def far(self) -> str:
        """The progress as text, e.g. "epoch 8 of 40"; empty if the total is not known."""
        if self.words or not self.total:
            return self.words
        return f"{self.unit} {self.done:,.0f} of {self.total:,.0f}".lstrip()


@dataclass(frozen=True)
class Job:
    """A snapshot of a job. All times are in seconds since 1970.

    Parameters
    ----------
    id : str
        Its folder's name.
    folder : Path
    task : Task
    status : {"queued", "running", "stopping", "done", "failed", "stopped", "interrupted", "unreadable"}
        "interrupted" if its process ended without reporting how; "unreadable" if its folder is damaged.
    made : float
        When the job was created.
    queued : float
        When it was started or resumed.
    began, ended : float or None
    place : int or None
        In the queue, from 1.
    progress : Progress or None
    message : str
        How it ended, to be shown to people.
    answer : dict or None
        What the command prints with `--json`.
    pid : int or None
    process_began : float or None
        The start time of the process.
    process : str
        What tells it from a later one with the same number; empty where `process_began` does.
    is_final : bool
        Whether it failed and would fail again with the same arguments.
    owner : str
        Who started it: the hash of a visitor's token. Empty if that is nobody in particular.
    network : str
        Where it was started: a hash of a visitor's network, which another server makes another one of.
    """

    id: str
    folder: Path
    task: Task
    status: str
    made: float
    queued: float
    began: float | None = None
    ended: float | None = None
    place: int | None = None
    progress: Progress | None = None
    message: str = ""
    answer: dict | None = None
    pid: int | None = None
    process_began: float | None = None
    process: str = ""
    is_final: bool = False
    owner: str = ""
    network: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether it is queued, running or stopping."""
        return self.status in ALIVE

    @property
    def is_resumable(self) -> bool:
        """Whether it can be resumed; otherwise it can only be retried from the start."""
        return self.task.resumable and not (self.is_alive or self.is_final or self.status in ("done", UNREADABLE))

    @property
    def is_repeatable(self) -> bool:
        """Whether a retry from the start may succeed."""
        return self.status in ("failed", "stopped", "interrupted") and not self.is_final

    def log(self, lines: int = 200) -> str:
        """The last lines of what the command printed; empty if it printed nothing.

        Parameters
        ----------
        lines : int

        Returns
        -------
        str
        """
        try:
            with open(self.folder / LOG, errors="replace") as file:
                return "".join(deque(file, maxlen=lines))
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{LOG} cannot be read ({records.reason_of(error)})"

    def events(self) -> list[dict]:
        """The recorded events, oldest first. A line that was cut off by a full disk is skipped.

        Returns
        -------
        list of dict
            With `time` (seconds since 1970), `kind`, and what `add_event` was given.
        """
        found = []
        with suppress(OSError), open(self.folder / EVENTS, errors="replace") as file:
            for line in file:
                with suppress(ValueError, RecursionError):
                    event = json.loads(line)
                    if isinstance(event, dict) and isinstance(event.get("kind"), str):
                        found.append(event)
        return found


@dataclass(frozen=True)
class _State:
    """What `state.json` holds."""

    status: str
    queued: float | None = None
    began: float | None = None
    ended: float | None = None
    progress: Progress | None = None
    message: str = ""
    answer: dict | None = None
    pid: int | None = None
    process_began: float | None = None
    process: str = ""
    is_final: bool = False


def read(folder: Path) -> Job | None:
    """Read a job from its folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Job or None
        Without its place in the queue. One that cannot be read has the status "unreadable", and the reason as its
        message; None if there is no such folder, or it is being deleted.
    """
    try:
        return _read(folder)
    except (DamagedError, FileNotFoundError) as error:
        if not folder.is_dir():
            return None
        reason = str(error) if isinstance(error, DamagedError) else f"it lacks {Path(error.filename).name}"
        message = f"It cannot be read: {reason}. Delete it, and start it again"
        made = folder.stat().st_mtime
        owner, task = _owner_and_task(folder)
        return Job(folder.name, folder, task, UNREADABLE, made, made, ended=made, message=message, owner=owner)


def _read(folder: Path) -> Job:
    made, owner, network, task = _read_spec(folder)
    state = _read_state(folder)
    if state.status not in STATUSES:
        raise DamagedError(f"{STATE} has the status {state.status!r}, which is not known here")
    queued = made if state.queued is None else state.queued
    status, message, ended = state.status, state.message, state.ended
    is_starting = status == "queued" and not state.pid and time.time() - queued < BIRTH_S
    stop_requested = (folder / STOP).stat().st_mtime if (folder / STOP).exists() else None
    if status in ALIVE and not is_starting and not lives(state.pid, state.process_began, state.process):
        status = "interrupted"
        message = "Its process ended without reporting: it was killed, or the machine was switched off"
        if stop_requested:
            status, message, ended = "stopped", "Stopped. What was done is kept", stop_requested
    elif status in ALIVE and stop_requested:
        status = "stopping"
    return Job(
        id=folder.name,
        folder=folder,
        task=task,
        status=status,
        made=made,
        queued=queued,
        began=state.began,
        ended=ended,
        progress=state.progress,
        message=message,
        answer=state.answer,
        pid=state.pid,
        process_began=state.process_began,
        process=state.process,
        is_final=state.is_final and status == "failed",
        owner=owner,
        network=network,
    )


def _read_spec(folder: Path) -> tuple[float, str, str, Task]:
    """When a job was made, by whom and where, and its task."""
    spec = records.read_json(folder / SPEC)
    found = spec if isinstance(spec, dict) else {}
    made, owner, network = found.pop("made", None), found.pop("owner", ""), found.pop("network", "")
    task = records.as_record(Task, spec, SPEC)
    if not isinstance(made, int | float):
        raise DamagedError(f"{SPEC} lacks 'made'")
    return made, str(owner), str(network), task


def _read_state(folder: Path) -> _State:
    state = records.read_json(folder / STATE)
    if isinstance(state, dict):  # a later version may have more to say
        state = {name: value for name, value in state.items() if name in _State.__dataclass_fields__}
    return records.as_record(_State, state, STATE)


def _owner_and_task(folder: Path) -> tuple[str, Task]:
    try:
        _, owner, _, task = _read_spec(folder)
        return owner, task
    except (DamagedError, FileNotFoundError):
        return "", Task("unknown", "", (), f"Job {folder.name}")


def as_shown(found: list[Job]) -> list[Job]:
    """Sort jobs for display: running, queued in their order, then ended, the newest first.

    Parameters
    ----------
    found : list of Job
        The oldest first, as `list_all` gives them.

    Returns
    -------
    list of Job
    """
    running = [one for one in found if one.status in ("running", "stopping")]
    queued = [one for one in found if one.status == "queued"]
    return [*running, *queued, *(one for one in reversed(found) if not one.is_alive)]


def identity(pid: int) -> dict:
    """What a job's state records of its process: `pid`, `process_began` and `process`.

    Parameters
    ----------
    pid : int

    Returns
    -------
    dict
    """
    return {"pid": pid, "process_began": psutil.Process(pid).create_time(), "process": _mark(pid)}


def _mark(pid: int) -> str:
    """What tells a process from all others and stays when somebody sets the clock: the boot, and ticks since then.

    Empty if it is gone, and on systems that record the time of day at which a process began, which stays by itself.
    """
    try:
        boot, stat = BOOT_ID.read_text(), Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return f"{boot.strip()} {stat.rpartition(')')[2].split()[STARTTIME]}"


def lives(pid: int | None, process_began: float | None, mark: str = "") -> bool:
    """Whether a process is still running, and is not a later one with the same number.

    Parameters
    ----------
    pid : int or None
    process_began : float or None
        Seconds since 1970. On Linux this changes when the clock is set.
    mark : str
        As `identity` records it under `process`. If there is one, it decides.

    Returns
    -------
    bool
    """
    if not pid or pid < 0:
        return False
    try:
        process = psutil.Process(pid)
        if mark and (now := _mark(pid)):
            is_the_same = mark == now
        else:
            is_the_same = process_began is None or abs(process.create_time() - process_began) < CLOCK_SLACK_S
        return is_the_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def write_state(folder: Path, *, is_last: bool = False, **changes) -> None:
    """Update a job's state file atomically.

    Parameters
    ----------
    folder : Path
        The job's.
    is_last : bool
        Whether to free the reserved space if the disk is full.
    **changes
        The fields of the state to replace.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    try:
        state = dict(records.read_json(folder / STATE)) | changes
    except (OSError, DamagedError, TypeError, ValueError):
        state = changes
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
    """Append an event to a job's record. On a full disk it is dropped, so that the work goes on.

    Parameters
    ----------
    folder : Path
        The job's.
    kind : str
        E.g. "epoch".
    **facts
        What else to record; must be serialisable as JSON.
    """
    try:
        with open(folder / EVENTS, "a") as file:
            file.write(json.dumps({"time": round(time.time(), 3), "kind": kind, **facts}) + "\n")
    except OSError:
        pass
