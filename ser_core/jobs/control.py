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

GRACE_S = 15.0  # from the request to stop until the process and all that it started are killed
JOB_VARIABLE = "SER_JOB"  # by which all that a job started is known, also after its own process is gone
RESERVE_BYTES = 16_384  # for a job's last state on a full disk


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
        If nothing may be started here, or the workspace cannot be written.
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
    """Put a job's folder in the queue (and in its `place`), with a process that waits there for its turn."""
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
            start_new_session=True,  # its own process group, which no Ctrl-C of ours reaches
        )
    jobs.write_state(folder, pid=worker.pid, process_began=psutil.Process(worker.pid).create_time())


def list_all(settings: Settings) -> list[Job]:
    """All jobs, oldest first; queued ones with their place in the queue.

    Parameters
    ----------
    settings : Settings
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
    """The job of that id.

    Parameters
    ----------
    job_id : str
    settings : Settings

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
    """Ask a job to end, and if it has not after a while, kill it and all that it started. What it did is kept.

    Returns
    -------
    threading.Thread or None
        What waits for the end; None if the job was not alive.

    Raises
    ------
    ReadOnlyError
        If nothing may be changed here.
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
    thread = threading.Thread(target=_see_to_its_end, args=(now, grace_s), name=f"stop-{job.id}", daemon=True)
    thread.start()
    return thread


def _see_to_its_end(job: Job, grace_s: float) -> None:
    until = time.monotonic() + grace_s
    while time.monotonic() < until:
        now = jobs.read(job.folder)
        if not now or not now.is_alive:
            break
        time.sleep(0.1)
    _kill_all(job)


def resume(job: Job, settings: Settings) -> Job:
    """Resume a job that was stopped, failed or was interrupted; it queues like a new one.

    Parameters
    ----------
    job : Job
    settings : Settings

    Raises
    ------
    ReadOnlyError, JobError
        If nothing may be started here, or the job cannot be resumed.
    """
    settings.require_writable(job.task.kind)
    with _folder(settings):
        now = jobs.read(job.folder)
        if now is None or not now.is_resumable:
            if now and now.is_alive:
                return get(job.id, settings)  # someone else was faster
            _refuse_final(now)
            raise JobError(f"Job {job.id} cannot go on: {job.task.kind} starts anew each time. Try it again instead")
        if other := _alive(now.task, settings):
            return other
        _kill_all(now)
        _queue(job.folder)
    return get(job.id, settings)


def retry(job: Job, settings: Settings) -> Job:
    """Start the same task again, as a job of its own.

    Parameters
    ----------
    job : Job
    settings : Settings

    Raises
    ------
    ReadOnlyError, JobError
        As `start`; and if it would end in the same way again.
    """
    settings.require_writable(job.task.kind)
    _refuse_final(jobs.read(job.folder))
    return start(job.task, settings)


def _refuse_final(job: Job | None) -> None:
    if job and job.is_final:
        raise JobError(f"Job {job.id} would end in the same way again. {job.message}")


def delete(job: Job, settings: Settings) -> None:
    """Delete the folder of a job that has ended. Its results stay.

    Parameters
    ----------
    job : Job
    settings : Settings

    Raises
    ------
    ReadOnlyError, JobError
        If nothing may be changed here, or it is alive.
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
    """Kill a job's process, if it is still there, and whatever it started."""
    killed = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(JOB_VARIABLE) == str(job.folder):
                process.kill()
                killed.append(process)
    psutil.wait_procs(killed, timeout=5)


@contextmanager
def _folder(settings: Settings):
    """The folder of all jobs, held alone."""
    folder = settings.workspace / "jobs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            yield folder
    except OSError as error:
        raise JobError(
            f"{folder} cannot be written ({error}). Make room, or set SER_WORKSPACE to another folder"
        ) from error
