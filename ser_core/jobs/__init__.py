"""Long work: a writing command of `python -m ser_core` in a process of its own, its state on disk.

`workspace/jobs/<id>/` holds `spec.json` (what to do), `state.json` (how it stands), `events.jsonl` (what happened)
and `log.txt` (what the command printed). Whoever reads that folder can tell how the work stands, and nobody has to stay
for it to go on: it survives a closed tab, a restarted server and a killed worker.
"""

from ser_core.jobs.control import delete, get, list_all, resume, retry, start, stop
from ser_core.jobs.job import Job, Progress, Task, as_shown, shell

__all__ = [
    "Job",
    "Progress",
    "Task",
    "as_shown",
    "delete",
    "get",
    "list_all",
    "resume",
    "retry",
    "shell",
    "start",
    "stop",
]
