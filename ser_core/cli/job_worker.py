"""The process of one job: it waits for its turn, runs the command, and records how it ended.

    python -m ser_core.cli.job_worker FOLDER

It is started when the job is made and waits by itself, so the queue needs nobody to look after it. Until its turn it
loads next to nothing.
"""

import errno
import logging
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from ser_core import interrupts
from ser_core.errors import SerError, TrainingError
from ser_core.jobs import job as jobs
from ser_core.settings import Settings

logger = logging.getLogger(__name__)

LOOK_S = 0.3  # how often one that waits looks whether it is its turn
TELL_S = 0.5  # how often progress is written down


class Report:
    """Records the progress of a command that runs as a job."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._told = 0.0
        self._step, self._step_began, self._step_done = "", 0.0, 0.0

    def progress(self, what: str, done: float, total: float | None, words: str = "", unit: str = "") -> None:
        """Say how far a step is, in units such as epoch; `words` where numbers would not do."""
        interrupts.check()
        now = time.time()
        if what != self._step:
            self._step, self._step_began, self._step_done = what, now, done
            self._told = 0.0
        if now - self._told < TELL_S and done != total:
            return
        self._told = now
        fresh = done - self._step_done  # what was there already says nothing of the pace
        left = (total - done) * (now - self._step_began) / fresh if total and fresh > 0 else None
        told = {"what": what, "done": done, "total": total, "words": words, "seconds_left": left, "unit": unit}
        with suppress(OSError):  # on a full disk; if the work minds, it will say so
            jobs.write_state(self.folder, progress=told)

    def event(self, kind: str, **facts) -> None:
        """Tell what happened, for whoever draws it."""
        jobs.add_event(self.folder, kind, **facts)


def main(folder: Path) -> int:
    """Carry out the job of a folder; the exit status."""
    interrupts.listen()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    began = None
    try:
        _wait_for_turn(folder)
        began = time.time()
        end = _carry_out(folder)
    except KeyboardInterrupt:
        end = _End("stopped", "Stopped. What was done is kept" if began else "Stopped before it began")
    jobs.write_state(folder, **asdict(end), ended=time.time(), is_last=True)
    jobs.add_event(folder, end.status, message=end.message)
    return 0 if end.status == "done" else 1


def _wait_for_turn(folder: Path) -> None:
    from filelock import FileLock

    from ser_core.jobs.control import list_all

    process = psutil.Process()
    settings = Settings.from_environment()
    while True:
        interrupts.check()
        with FileLock(folder.parent / ".lock"):
            # Also before whoever started this process could write it down.
            state = {"pid": process.pid, "process_began": process.create_time()}
            alive = [one for one in list_all(settings) if one.is_alive]
            mine = next((place for place, one in enumerate(alive) if one.folder == folder), 0)
            before = [one for place, one in enumerate(alive) if one.began or place < mine]
            if len(before) < settings.max_jobs:
                jobs.write_state(folder, **state, status="running", began=time.time())
                jobs.add_event(folder, "began")
                return
        time.sleep(LOOK_S)


@dataclass(frozen=True)
class _End:
    """How a job ended, as its state has it."""

    status: str
    message: str = ""
    answer: dict | None = None
    is_final: bool = False


def _carry_out(folder: Path) -> _End:
    from ser_core import cli

    job = jobs.read(folder)
    try:
        assert job is not None, f"{folder} holds no job"
        answer, status, show = cli.carry_out([*job.task.arguments], report=Report(folder))
        show()
    except SerError as error:
        logger.error("%s", error)  # not printed: on a full disk that would be the next fault
        return _End("failed", str(error), is_final=isinstance(error, TrainingError))
    except SystemExit:  # argparse has printed what it does not understand
        return _End("failed", "The command line is not understood; the log says more")
    except OSError as error:
        logger.exception("The job broke off")
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _End("failed", "The disk is full. Make room and go on: what was done is kept")
        return _End("failed", f"The system said no: {error}")
    except Exception:  # the job's end: only its log can say why
        logger.exception("The job broke off")
        return _End("failed", "It broke off through a fault of this program; the log says more")
    if status:
        return _End("failed", "It ended with faults; the log says which", answer)
    return _End("done", answer=answer)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
