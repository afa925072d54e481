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

from ser_core.errors import JobError
from ser_core.jobs import job as jobs
from ser_core.jobs.job import Job, Task
from ser_core.settings import Settings, child_environment

GRACE_S = 15.0  # from the request to stop until the process and its children are killed
JOB_VARIABLE = "SER_JOB"  # marks every process that a job started, also after the job's own process has ended
RESERVE_BYTES = 16_384  # freed for a job's last state on a full disk


def start(task: Task, settings: Settings) -> Job:
    """Start a task as a job. If a job with the same arguments is queued or running, return that one.

    Parameters
    ----------
    task : Task
    settings : Settings

    Returns
    -------
    Job

    Raises
    ------
    ReadOnlyError, JobError
        If the installation is read-only, or the workspace cannot be written.
    """
    settings.require_writable(task.kind)
    with _folder(settings) as folder:
        if known := _alive(task, settings):
            return known
        new = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        making = folder / f".{new.name}"
        making.mkdir()
        spec = dataclasses.asdict(task) | {"made": time.time()}
        (making / jobs.SPEC).write_text(json.dumps(spec))
        _queue(making, place=new)
    return get(new.name, settings)


def _queue(folder: Path, place: Path | None = None) -> None:
    """Queue a job (after moving its folder to `place`): start a process that waits for its turn."""
    (folder / jobs.STOP).unlink(missing_ok=True)
    (folder / jobs.RESERVE).write_bytes(b"\0" * RESERVE_BYTES)
    (folder / jobs.STATE).write_text(json.dumps({"status": "queued", "queued": time.time()}))
    if place:
        folder = folder.rename(place)
    jobs.add_event(folder, "queued")
    with open(folder / jobs.LOG, "ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "ser_core.cli.job_worker", str(folder)],
            env=child_environment(**{JOB_VARIABLE: str(folder)}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its own process group, so that Ctrl-C here does not reach it
        )
    jobs.write_state(folder, pid=worker.pid, process_began=psutil.Process(worker.pid).create_time())


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


def stop(job: Job, settings: Settings, *, grace_s: float = GRACE_S) -> threading.Thread | None:
    """Request a job to stop, and kill it and its child processes if it is still running after a while.

    What it has saved is kept.

    Parameters
    ----------
    job : Job
    settings : Settings
    grace_s : float
        Seconds until it is killed.

    Returns
    -------
    threading.Thread or None
        A thread that waits for the end; None if the job was not alive.

    Raises
    ------
    ReadOnlyError
        If the installation is read-only.
    """
    settings.require_writable("stop of a job")
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


def resume(job: Job, settings: Settings) -> Job:
    """Resume a job that was stopped, failed or was interrupted. It is queued like a new one.

    Parameters
    ----------
    job : Job
    settings : Settings

    Returns
    -------
    Job
        The job, or another one that is alive with the same arguments.

    Raises
    ------
    ReadOnlyError, JobError
        If the installation is read-only, or the job cannot be resumed.
    """
    settings.require_writable(job.task.kind)
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
        _kill_all(now)
        _queue(job.folder)
    return get(job.id, settings)


def retry(job: Job, settings: Settings) -> Job:
    """Start the same task again, as a new job.

    Parameters
    ----------
    job : Job
    settings : Settings

    Returns
    -------
    Job

    Raises
    ------
    ReadOnlyError, JobError
        As `start`; and if it would fail again in the same way.
    """
    settings.require_writable(job.task.kind)
    _refuse_final(jobs.read(job.folder))
    return start(job.task, settings)


def _refuse_final(job: Job | None) -> None:
    if job and job.is_final:
        raise JobError(f"Job {job.id} would end in the same way again. {job.message}")


def delete(job: Job, settings: Settings) -> None:
    """Delete the folder of a job that has ended. Its results are kept.

    Parameters
    ----------
    job : Job
    settings : Settings

    Raises
    ------
    ReadOnlyError, JobError
        If the installation is read-only, or the job is alive.
    """
    settings.require_writable("deletion of a job")
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
