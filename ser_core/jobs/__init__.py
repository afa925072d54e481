"""Jobs: commands of `python -m ser_core` that run in processes of their own and keep their state on disk.

`workspace/jobs/<id>/` holds `spec.json` (what to do), `state.json` (the current state), `events.jsonl` (what happened)
and `log.txt` (what the command printed). The state of a job is read from its folder, and a job depends on no other
process: it survives a closed tab and a restarted server.
"""

from ser_core.jobs.control import check_control, delete, get, list_all, resume, retry, start, stop
from ser_core.jobs.job import Job, Progress, Task, as_shown, shell

__all__ = [
    "Job",
    "Progress",
    "Task",
    "as_shown",
    "check_control",
    "delete",
    "get",
    "list_all",
    "resume",
    "retry",
    "shell",
    "start",
    "stop",
]
