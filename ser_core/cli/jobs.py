"""`jobs`: list and control the jobs that pages started."""

from typing import Any

from rich.table import Column

from ser_core.cli.screen import print_table, say


def add(command) -> None:
    """Add `jobs` to the command line."""
    sub = command("jobs", jobs, "list the jobs that pages started, stop, resume, retry or delete one, or show its log")
    what = ("list", "show", "stop", "resume", "retry", "delete")
    sub.add_argument("what", nargs="?", default="list", choices=what, help="default: list")
    sub.add_argument("job", nargs="?", metavar="ID", help="its id in the list")


def jobs(options, settings):
    """List jobs, or stop, resume, retry or delete one, or show its log."""
    from datetime import datetime

    from ser_core import jobs as control
    from ser_core.errors import JobError

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
    from dataclasses import asdict

    answer = asdict(job)
    del answer["folder"]
    task = answer.pop("task")
    task["command"] = task.pop("arguments")
    return {"id": job.id} | task | answer
