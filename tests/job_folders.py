"""Jobs as a page finds them, without their processes."""

import itertools
import json
import os
import time

import psutil

from ser_core.jobs import job as jobs
from ser_core.settings import Settings

_numbers = itertools.count()


def put_job(settings: Settings, command: list[str], *, status: str, pid: int | None = None, **state) -> jobs.Job:
    """A job's folder; of a process that lives (`pid`), or of one that is gone."""
    folder = settings.workspace / "jobs" / f"job-{next(_numbers):04d}"
    folder.mkdir(parents=True)
    spec = {"title": f"Test of {command[0]}", "command": command, "made": time.time()}
    (folder / jobs.SPEC).write_text(json.dumps(spec))
    state |= {"status": status, "queued": time.time(), "pid": pid or 2**22 + 1}
    state["process_began"] = psutil.Process(pid).create_time() if pid else 1.0
    if status != "queued":
        state.setdefault("began", time.time())
    (folder / jobs.STATE).write_text(json.dumps(state))
    return jobs.read(folder)


def mine(settings: Settings, command: list[str], **state) -> jobs.Job:
    """A job whose process is the test's own."""
    return put_job(settings, command, pid=os.getpid(), **state)
