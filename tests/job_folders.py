"""Jobs as a page finds them, without their processes."""

import dataclasses
import itertools
import json
import os
import time

import psutil

from ser_core.jobs import Task
from ser_core.jobs import job as jobs
from ser_core.settings import Settings

_numbers = itertools.count()


def task_of(arguments: list[str]) -> Task:
    """A task of these arguments, as the pages would make it."""
    kind, subject, *_ = *arguments, ""
    return Task(kind, subject, tuple(arguments), f"Test of {kind}", kind in ("download", "sweep", "train", "tune"))


def put_job(
    settings: Settings,
    task: Task | list[str],
    *,
    status: str,
    pid: int | None = None,
    owner: str = "",
    network: str = "",
    **state,
) -> jobs.Job:
    """A job's folder; of a process that lives (`pid`), or of one that is gone."""
    folder = settings.workspace / "jobs" / f"job-{next(_numbers):04d}"
    folder.mkdir(parents=True)
    task = task if isinstance(task, Task) else task_of(task)
    spec = dataclasses.asdict(task) | {"made": time.time(), "owner": owner}
    (folder / jobs.SPEC).write_text(json.dumps(spec))
    state |= {"status": status, "queued": time.time(), "pid": pid or 2**22 + 1}
    state["process_began"] = psutil.Process(pid).create_time() if pid else 1.0
    if status != "queued":
        state.setdefault("began", time.time())
    (folder / jobs.STATE).write_text(json.dumps(state))
    return jobs.read(folder)


def mine(settings: Settings, task: Task | list[str], **state) -> jobs.Job:
    """A job whose process is the test's own."""
    return put_job(settings, task, pid=os.getpid(), **state)
