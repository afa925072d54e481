"""The process of one job: it waits for its turn, runs the command, and records how it ended.

    python -m ser_core.cli.job_worker FOLDER

It is started with the job and waits by itself, so the queue needs no process to manage it. While it waits it loads
next to nothing.
"""

import errno
import logging
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ser_core import interrupts
from ser_core.errors import SerError, TrainingError
from ser_core.jobs import job as jobs
from ser_core.settings import Settings

logger = logging.getLogger(__name__)

POLL_S = 0.3  # how often a queued job checks whether it is its turn
REPORT_S = 0.5  # how often progress is written
NICENESS = 10  # so that the pages, and who asks them for an answer, come first; alone, a job has all it can use


class Report:
    """Records the progress of a command that runs as a job.

    Parameters
    ----------
    folder : Path
        The job's.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._written = 0.0
        self._step, self._step_began, self._step_done = "", 0.0, 0.0

    def progress(self, what: str, done: float, total: float | None, words: str = "", unit: str = "") -> None:
        """Record the progress of a step, at most every `REPORT_S` seconds.

        Parameters
        ----------
        what : str
            The step.
        done : float
        total : float or None
            None if it is not known.
        words : str, optional
            Shown instead of the numbers.
        unit : str, optional
            What is counted, e.g. "epoch".

        Raises
        ------
        KeyboardInterrupt
            If the job was requested to stop.
        """
        interrupts.check()
        now = time.time()
        if what != self._step:
            self._step, self._step_began, self._step_done = what, now, done
            self._written = 0.0
        if now - self._written < REPORT_S and done != total:
            return
        self._written = now
        fresh = done - self._step_done  # what was done before does not count for the rate
        left = (total - done) * (now - self._step_began) / fresh if total and fresh > 0 else None
        progress = {"what": what, "done": done, "total": total, "words": words, "seconds_left": left, "unit": unit}
        with suppress(OSError):  # a full disk, which the command itself reports if it matters
            jobs.write_state(self.folder, progress=progress)

    def event(self, kind: str, **facts) -> None:
        """Record an event, e.g. for the figures of a running training.

        Parameters
        ----------
        kind : str
            E.g. "epoch".
        **facts
            What else to record.
        """
        jobs.add_event(self.folder, kind, **facts)


def main(folder: Path) -> int:
    """Carry out a job.

    Parameters
    ----------
    folder : Path
        The job's.

    Returns
    -------
    int
        The exit status.
    """
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

    settings = Settings.from_environment()
    while True:
        interrupts.check()
        with FileLock(folder.parent / ".lock"):
            # The process that started this one may not have recorded it yet.
            state = jobs.identity(os.getpid())
            alive = [one for one in list_all(settings) if one.is_alive]
            mine = next((place for place, one in enumerate(alive) if one.folder == folder), 0)
            before = [one for place, one in enumerate(alive) if one.began or place < mine]
            if len(before) < settings.max_jobs:
                jobs.write_state(folder, **state, status="running", began=time.time())
                jobs.add_event(folder, "began")
                return
        time.sleep(POLL_S)


@dataclass(frozen=True)
class _End:
    """How a job ended: fields of its state."""

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
    except SystemExit:  # argparse has printed what is wrong
        return _End("failed", "The command line is not valid; see the log")
    except OSError as error:
        logger.exception("The job failed")
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _End("failed", "The disk is full. Free some space and start it again: what was done is kept")
        return _End("failed", f"The system refused: {error}")
    except Exception:  # the last resort: only the log shows the cause
        logger.exception("The job failed")
        return _End("failed", "It failed because of a bug in this program; see the log")
    if status:
        return _End("failed", "It ended with errors; see the log", answer)
    return _End("done", answer=answer)


if __name__ == "__main__":
    os.nice(NICENESS)
    sys.exit(main(Path(sys.argv[1])))
