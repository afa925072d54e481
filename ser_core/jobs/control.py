"""Start, stop, resume, delete and list jobs."""

import dataclasses
import itertools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock

from ser_core import machine
from ser_core.errors import JobError
from ser_core.files import atomically
from ser_core.jobs import job as jobs
from ser_core.jobs.job import Job, Task
from ser_core.settings import Settings, child_environment

GRACE_S = 15.0  # from the request to stop until the process and its children are killed
JOB_VARIABLE = "SER_JOB"  # marks every process that a job started, also after the job's own process has ended
RESERVE_BYTES = 16_384  # freed for a job's last state on a full disk
MAX_OF_ONE = 4  # jobs of a visitor that run or wait, each of which is a process
WAITING_BYTES = 15 * 2**20  # of a job that waits
MAX_OF_ALL = max(MAX_OF_ONE, min(20, machine.memory() // 10 // WAITING_BYTES))  # of all visitors together


def start(task: Task, settings: Settings, *, owner: str = "", network: str = "") -> Job:
    """Start a task as a job. If a job with the same arguments is queued or running, return that one.

    Parameters
    ----------
    task : Task
    settings : Settings
    owner : str
        Who starts it: the hash of a visitor's token. Others cannot stop it; see `check_control`.
    network : str
        Where it is started: a hash of a visitor's network, of whose jobs there may be only so many.

    Returns
    -------
    Job

    Raises
    ------
    ReadOnlyError, JobError
        If the installation is read-only, the workspace cannot be written, or too many jobs run or wait already.
    """
    settings.require_writable(task.kind)
    with _folder(settings) as folder:
        if known := _alive(task, settings):
            return known
        _check_room(owner, network, settings)
        for left in folder.glob(".*-*/"):  # by starts that were killed: this one holds the lock
            shutil.rmtree(left, ignore_errors=True)
        new = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        making = folder / f".{new.name}"
        try:
            making.mkdir()
            spec = dataclasses.asdict(task) | {"made": time.time(), "owner": owner, "network": network}
            (making / jobs.SPEC).write_text(json.dumps(spec))
            _set_up(making)
            making.rename(new)
            _begin(new)
        except (OSError, JobError):
            for one in (making, new):
                shutil.rmtree(one, ignore_errors=True)
            raise
    return get(new.name, settings)


def _check_room(owner: str, network: str, settings: Settings) -> None:
    """Refuse one more job of a visitor or a network that has many, or of any while visitors have many.

    A visitor whose browser keeps no cookies is another one with each page: only the network tells. A shell may start
    any.
    """
    if not owner:
        return
    alive = [one for one in list_all(settings) if one.is_alive and one.owner]
    own = sum(one.owner == owner for one in alive)
    if own >= MAX_OF_ONE:
        raise JobError(f"{own} jobs of yours run or wait already. Wait for one of them, or stop one")
    if len(alive) >= MAX_OF_ALL:
        raise JobError(f"{len(alive)} jobs run or wait already: this server is busy. Try again when some have ended")
    here = sum(one.network == network for one in alive)
    if here >= max(MAX_OF_ONE, machine.fair_share(MAX_OF_ALL, len(alive) - here)):
        raise JobError(
            f"{here} jobs that were started at your place run or wait already, and others need room, too. Try again "
            "when some have ended"
        )


def check_control(job: Job, by: str | None) -> None:
    """Check that somebody may stop, resume or delete a job.

    Parameters
    ----------
    job : Job
    by : str or None
        The hash of a visitor's token; None for a shell or an administrator, who may control any job.

    Raises
    ------
    JobError
        If it is somebody else's.
    """
    if by is not None and job.owner not in ("", by):
        raise JobError(
            f"Job {job.id} was started in another browser: only there, or in a terminal of the server, can it be "
            f"changed. In the terminal: python -m ser_core jobs stop {job.id}"
        )


def _set_up(folder: Path) -> None:
    """Make a job's folder one of a job that waits."""
    (folder / jobs.STOP).unlink(missing_ok=True)
    (folder / jobs.RESERVE).write_bytes(b"\0" * RESERVE_BYTES)
    with atomically(folder / jobs.STATE) as part:
        part.write_text(json.dumps({"status": "queued", "queued": time.time()}))


def _begin(folder: Path) -> None:
    """Start the process of a job, which waits for its turn."""
    with open(folder / jobs.LOG, "ab") as log:
        try:
            worker = subprocess.Popen(
                [sys.executable, "-m", "ser_core.cli.job_worker", str(folder)],
                env=child_environment(**{JOB_VARIABLE: str(folder)}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C here does not reach it. In a session of its own it would not give way to this one: Linux
                # shares the processors out among sessions first (sched_autogroup).
                process_group=0,
            )
        except OSError as error:
            raise JobError(
                f"No process can be started ({error.strerror}). Try it again when less is running"
            ) from error
    jobs.add_event(folder, "queued")
    try:
        jobs.write_state(folder, **jobs.identity(worker.pid))
    except OSError:
        worker.kill()
        worker.wait()
        raise


def list_all(settings: Settings) -> list[Job]:
    """All jobs.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    list of Job
        The oldest first; queued ones with their place in the queue.
    """
    read = (jobs.read(folder) for folder in (settings.workspace / "jobs").glob("[!.]*/"))
    found = sorted((one for one in read if one), key=lambda one: (one.queued, one.id))
    places = itertools.count(1)
    return [dataclasses.replace(one, place=next(places)) if one.status == "queued" else one for one in found]


def _alive(task: Task, settings: Settings) -> Job | None:
    """The job that is queued or running with these arguments, if there is one."""
    alive = (one for one in list_all(settings) if one.is_alive and one.task.arguments == task.arguments)
    return next(alive, None)


def get(job_id: str, settings: Settings) -> Job:
    """The job with this id.

    Parameters
    ----------
    job_id : str
    settings : Settings

    Returns
    -------
    Job

    Raises
    ------
    JobError
        If there is none.
    """
    for one in list_all(settings):
        if one.id == job_id:
            return one
    raise JobError(f"There is no job {job_id!r}. See: python -m ser_core jobs")


def stop(job: Job, settings: Settings, *, grace_s: float = GRACE_S, by: str | None = None) -> threading.Thread | None:
    """Request a job to stop, and kill it and its child processes if it is still running after a while.

    What it has saved is kept.

    Parameters
    ----------
    job : Job
    settings : Settings
    grace_s : float
        Seconds until it is killed.
    by : str, optional
        The hash of a visitor's token, as in `check_control`.

    Returns
    -------
    threading.Thread or None
        A thread that waits for the end; None if the job was not alive.

    Raises
    ------
    ReadOnlyError, JobError
        If the installation is read-only, or the job is somebody else's.
    """
    settings.require_writable("stop of a job")
    check_control(job, by)
    if not job.is_alive:
        return None
    with _folder(settings):
        now = jobs.read(job.folder)
        if not now or not now.is_alive or now.pid is None:
            return None
        (job.folder / jobs.STOP).touch()
        with suppress(ProcessLookupError):
            os.kill(now.pid, signal.SIGTERM)
    thread = threading.Thread(target=_wait_and_kill, args=(now, grace_s), name=f"stop-{job.id}", daemon=True)
    thread.start()
    return thread


def _wait_and_kill(job: Job, grace_s: float) -> None:
    until = time.monotonic() + grace_s
    while time.monotonic() < until:
        now = jobs.read(job.folder)
        if not now or not now.is_alive:
            break
        time.sleep(0.1)
    _kill_all(job)


def resume(job: Job, settings: Settings, *, by: str | None = None) -> Job:
    """Resume a job that was stopped, failed or was interrupted. It is queued like a new one.

    Parameters
    ----------
    job : Job
    settings : Settings
    by : str, optional
        The hash of a visitor's token, as in `check_control`.

    Returns
    -------
    Job
        The job, or another one that is alive with the same arguments.

    Raises
    ------
    ReadOnlyError, JobError
        If the installation is read-only, or the job cannot be resumed or is somebody else's.
    """
    settings.require_writable(job.task.kind)
    check_control(job, by)
    with _folder(settings):
        now = jobs.read(job.folder)
        if now is None or not now.is_resumable:
            if now and now.is_alive:
                return get(job.id, settings)  # another process resumed it first
            _refuse_final(now)
            raise JobError(
                f"Job {job.id} cannot be resumed: {job.task.kind} always starts from the beginning. Retry it instead"
            )
        if other := _alive(now.task, settings):
            return other
        _check_room(now.owner if by else "", now.network, settings)
        _kill_all(now)
        before = (job.folder / jobs.STATE).read_bytes()
        try:
            _set_up(job.folder)
            _begin(job.folder)
        except (OSError, JobError):
            with suppress(OSError):  # of a full disk: it is interrupted then
                (job.folder / jobs.STATE).write_bytes(before)
            raise
    return get(job.id, settings)


def retry(job: Job, settings: Settings, *, by: str | None = None) -> Job:
    """Start the same task again, as a new job of the same owner.

    Parameters
    ----------
    job : Job
    settings : Settings
    by : str, optional
        The hash of a visitor's token, as in `check_control`.

    Returns
    -------
    Job

    Raises
    ------
    ReadOnlyError, JobError
        As `start`; and if it would fail again in the same way, or is somebody else's.
    """
    settings.require_writable(job.task.kind)
    check_control(job, by)
    _refuse_final(jobs.read(job.folder))
    return start(job.task, settings, owner=job.owner, network=job.network)


def _refuse_final(job: Job | None) -> None:
    if job and job.status == jobs.UNREADABLE:
        raise JobError(f"Job {job.id}: {job.message}")
    if job and job.is_final:
        raise JobError(f"Job {job.id} would end in the same way again. {job.message}")


def delete(job: Job, settings: Settings, *, by: str | None = None) -> None:
    """Delete the folder of a job that has ended. Its results are kept.

    Parameters
    ----------
    job : Job
    settings : Settings
    by : str, optional
        The hash of a visitor's token, as in `check_control`.

    Raises
    ------
    ReadOnlyError, JobError
        If the installation is read-only, or the job is alive or somebody else's.
    """
    settings.require_writable("deletion of a job")
    check_control(job, by)
    with _folder(settings):
        now = jobs.read(job.folder)
        if now and now.is_alive:
            raise JobError(f"Job {job.id} is {now.status}: stop it before you delete it")
        if now:
            _kill_all(now)
        shutil.rmtree(job.folder, ignore_errors=True)


def _kill_all(job: Job) -> None:
    """Kill a job's process and its children, if they still run."""
    killed = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(JOB_VARIABLE) == str(job.folder):
                process.kill()
                killed.append(process)
    psutil.wait_procs(killed, timeout=5)


@contextmanager
def _folder(settings: Settings):
    """The folder of all jobs, locked."""
    folder = settings.workspace / "jobs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            yield folder
    except OSError as error:
        raise JobError(
            f"{folder} cannot be written ({error}). Make room, or set SER_WORKSPACE to another folder"
        ) from error
