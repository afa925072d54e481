"""`jobs`: list and control the jobs that pages started."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.table import Column

from ser_core import jobs as control
from ser_core.cli.screen import print_table, say
from ser_core.errors import JobError


def jobs(options, settings):
    """List jobs, or stop, resume, retry or delete one, or show its log."""
    if options.what == "list":
        found = control.list_all(settings)
    elif not options.job:
        raise JobError(f"Which job? python -m ser_core jobs {options.what} ID. The list: python -m ser_core jobs")
    else:
        found = [control.get(options.job, settings)]
        if options.what == "stop" and (waiting := control.stop(found[0], settings)):
            waiting.join()
            found = [control.get(options.job, settings)]
        elif options.what in ("resume", "retry"):
            found = [getattr(control, options.what)(found[0], settings)]
        elif options.what == "delete":
            control.delete(found[0], settings)
    answer: dict[str, Any] = {"jobs": [_job_answer(job) for job in found]}
    if options.what == "show":
        answer["log"] = found[0].log()

    def show():
        rows = []
        for job in found:
            at = job.progress
            far = f"{at.what}: {at.far}" if at and at.far else ""
            state = f"{job.status}, place {job.place}" if job.place else job.status
            made = f"{datetime.fromtimestamp(job.made):%d %b %H:%M}"
            rows.append((job.id, made, job.task.title, state, far, job.message))
        title = "Deleted" if options.what == "delete" else "Jobs, oldest first"
        print_table(title, [Column("job", no_wrap=True), "made", "what", "state", "progress", "how it ended"], rows)
        if options.what == "show":
            say(control.shell(found[0].task.arguments))
            say(answer["log"])

    return answer, 0, show


def _job_answer(job) -> dict:
    answer = asdict(job)
    del answer["folder"], answer["owner"]
    task = answer.pop("task")
    task["command"] = task.pop("arguments")
    return {"id": job.id} | task | answer
