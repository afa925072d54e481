"""Jobs on pages: the drawer in the sidebar, a job's state in words, and its buttons."""

import time
from collections.abc import Callable

import streamlit as st

from ser_core import durations, jobs
from ser_core.errors import SerError
from ser_core.jobs import Job, Task
from ser_core.ui import as_text, ask_first, settings, visitor, without_folders


def jobs_now() -> list[Job]:
    """`jobs.list_all`, at most a second old and shared by all sessions.

    Returns
    -------
    list of Job
    """
    return _jobs_now(str(settings().workspace))


@st.cache_resource(ttl=1, max_entries=2, show_spinner=False)
def _jobs_now(workspace: str) -> list[Job]:
    return jobs.list_all(settings())


def jobs_changed() -> None:
    """Read the jobs again: one was stopped or resumed."""
    _jobs_now.clear()


def start_job(task: Task) -> Job:
    """`jobs.start` for this visitor, who may stop it; the drawer shows it at once.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Job

    Raises
    ------
    SerError
        If it cannot be started.
    """
    job = jobs.start(task, settings(), owner=visitor.owner(), network=visitor.network())
    jobs_changed()
    return job


def latest(kind: str, subject: str | None = None) -> Job | None:
    """The latest job of that kind, or of that kind and subject, e.g. `latest("preset", "my-study")`.

    Parameters
    ----------
    kind : str
    subject : str, optional

    Returns
    -------
    Job or None
    """
    fits = (job for job in reversed(jobs_now()) if job.task.kind == kind and subject in (None, job.task.subject))
    return next(fits, None)


def by_id(job_id: str) -> Job | None:
    """The job of that id, if there is one.

    Parameters
    ----------
    job_id : str

    Returns
    -------
    Job or None
    """
    return next((job for job in jobs_now() if job.id == job_id), None)


def is_at_work(task: Task) -> bool:
    """Whether a job with the same arguments runs or waits.

    Parameters
    ----------
    task : Task

    Returns
    -------
    bool
    """
    return any(job.is_alive and job.task.arguments == task.arguments for job in jobs_now())


def jobs_stamp() -> str:
    """A string that changes with the state of any job, not with its progress.

    Returns
    -------
    str
    """
    return " ".join(f"{job.id}-{job.status}" for job in jobs_now())


def act(do: Callable, *arguments) -> None:
    """Carry out a button's action, and show the result; or why it was refused, in a line.

    Parameters
    ----------
    do : callable
    arguments
        Passed on to it.
    """
    try:
        do(*arguments)
    except SerError as error:
        st.error(without_folders(str(error)))
        return
    jobs_changed()
    st.rerun()


def _change(action: str, job: Job) -> None:
    """Stop, resume, retry or delete a job, if it is this visitor's."""
    act(lambda: getattr(jobs, action)(job, settings(), by=visitor.control()))


def begin(task: Task) -> Job | None:
    """Start a job for a start button; None if that fails, and `offer_start` shows why.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Job or None
    """
    try:
        return start_job(task)
    except SerError as error:
        refuse(task, error)
        return None


def refuse(task: Task, error: SerError) -> None:
    """Let `offer_start` show why a task was not begun.

    Parameters
    ----------
    task : Task
    error : SerError
    """
    st.session_state[f"not-begun-{task.kind}"] = str(error)


def offer_start(
    task: Task,
    on_click: Callable[[Task], None],
    *,
    label: str = "Start",
    busy: str = "",
    key: str = "start",
    arguments: tuple[str, ...] = (),
) -> None:
    """The button that starts a job, or the reason why there is none, and the equivalent command.

    Parameters
    ----------
    task : Task
    on_click : callable
        Takes the task.
    label : str
        Of the button; none where there is nothing to do.
    busy : str
        Shown in place of the button while the job runs.
    key : str
        Of the button, where a page has several.
    arguments : tuple of str
        Of the command that is shown; by default, those of the task.
    """
    if message := st.session_state.pop(f"not-begun-{task.kind}", None):
        st.error(without_folders(message))
    if settings().read_only:
        st.info(
            "This installation is for looking only: nothing can be started here. On one of your own, the command below "
            "does it.",
            icon=":material/lock:",
        )
    elif busy:
        st.info(busy, icon=":material/autorenew:")
    elif label:
        icon = ":material/play_arrow:"
        st.button(label, type="primary", icon=icon, key=key, on_click=on_click, args=(task,))
    st.caption("It goes on when you close this page. In a terminal the same is done by")
    st.code(without_folders(jobs.shell(arguments or task.arguments)), language=None, wrap_lines=True)


ENDED_SHOWN_S = 600  # how long the drawer shows a job that has ended


def drawer() -> None:
    """Running and waiting jobs, on every page; refreshed while there are any."""
    alive = any(job.is_alive for job in jobs_now())
    st.fragment(_drawer, run_every=2.0 if alive else None)()


def _drawer() -> None:
    found = jobs_now()
    alive = {job.id for job in found if job.is_alive}
    if st.session_state.get("jobs-seen-alive", alive) != alive:
        st.session_state["jobs-seen-alive"] = alive
        st.rerun()  # the whole page, since a job's result is there or polling ends
    st.session_state["jobs-seen-alive"] = alive
    ended = [job for job in found if job.ended and time.time() - job.ended < ENDED_SHOWN_S]
    shown = [job for job in found if job.id in alive] + ended[-1:]
    if not shown:
        return
    with st.container(border=True):
        for job in shown:
            show_job(job, where="drawer")
        st.page_link("pages/jobs.py", label="All long work", icon=":material/pending_actions:")


STATES = {  # of a job: an icon and a word
    "queued": (":material/hourglass_empty:", "waiting"),
    "running": (":material/play_arrow:", "running"),
    "stopping": (":material/pause:", "stopping"),
    "done": (":material/check:", "done"),
    "failed": (":material/error:", "failed"),
    "stopped": (":material/stop:", "stopped"),
    "interrupted": (":material/power_off:", "interrupted"),
    "unreadable": (":material/broken_image:", "cannot be read"),
}
ACTIONS = {  # of `jobs`: a label and an icon
    "stop": ("Stop", ":material/stop:"),
    "resume": ("Resume", ":material/resume:"),
    "retry": ("Try again", ":material/refresh:"),
}


def show_job(job: Job, where: str) -> None:
    """A job in a few lines: title, progress, outcome, and buttons.

    Parameters
    ----------
    job : Job
    where : str
        "page" for the page of all jobs; else part of its buttons' keys.
    """
    icon, word = STATES[job.status]
    place = f", number {job.place} in the queue" if job.place else ""
    st.markdown(f"**{as_text(job.task.title)}**: {icon} {word}{place}")
    at = job.progress
    if job.is_alive and at and at.total:
        words = at.words or f"{at.what}: {at.far}"
        if at.seconds_left and not at.words:
            words += f", about {durations.in_words(at.seconds_left)} left"
        st.progress(min(at.done / at.total, 1.0), text=as_text(words))
    if job.message:
        st.caption(as_text(job.message))
    if settings().read_only:
        return
    if not visitor.may_control(job):
        if where == "page":
            st.caption(":material/lock: Started in another browser, where it can be changed.")
        return
    actions = ["stop"] if job.status in ("queued", "running") else []
    if job.is_resumable:
        actions.append("resume")
    elif job.is_repeatable:
        actions.append("retry")
    with st.container(horizontal=True):
        for action in actions:
            if _button(action, key=f"{where}-{action}-{job.id}", type="tertiary"):
                _change(action, job)
        if where == "page" and not job.is_alive:
            question = "Delete its record and its log? Its results are kept."
            if ask_first("Delete", question, "Delete it", key=f"{where}-delete-{job.id}"):
                _change("delete", job)


def _button(action: str, key: str, **look) -> bool:
    label, icon = ACTIONS[action]
    return st.button(label, icon=icon, key=key, **look)


def show_state(job: Job, details: dict[str, str]) -> None:
    """The state of a job in a sentence, on the page of its subject.

    Parameters
    ----------
    job : Job
    details : dict
        What the page has to say in each state: of `running` all; of `stopping` what becomes of the work; of `stopped`
        and `interrupted` what was done, e.g. "12 epochs"; of `failed` and `done` what follows.
    """
    more, icon = details.get(job.status, ""), STATES[job.status][0]
    message = as_text(job.message.removesuffix(".")) + "."
    if job.status == "failed":
        st.error(f"It failed. {message} {more}", icon=icon)
    elif job.status == "unreadable":
        st.error(message, icon=icon)
    elif job.status == "interrupted":
        st.warning(f"**It was interrupted** after {more}, which are kept. {message}", icon=icon)
    else:
        place = f", place {job.place} in the line" if job.place else ""
        words = {
            "queued": f"**It waits for its turn**{place}: other work runs before it.",
            "running": more,
            "stopping": f"**It is being stopped.** {more}",
            "done": f"**Done**{more}.",
            "stopped": f"**It was stopped** after {more}, which are kept.",
        }
        st.markdown(f"{icon} {words[job.status]}")


def offer_change(job: Job | None, task: Task | None = None) -> None:
    """Below a state: the button that stops the job or goes on with it; or, where none can be resumed, with the task.

    Parameters
    ----------
    job : Job or None
    task : Task, optional
    """
    if settings().read_only:
        st.caption("This installation is for looking only: nothing is started or stopped here.")
    elif job and (job.is_alive or job.is_resumable) and not visitor.may_control(job):
        st.caption(":material/lock: Started in another browser, where it can be changed.")
    elif job and job.is_alive:
        if _button("stop", key="stop", disabled=job.status == "stopping"):
            _change("stop", job)
    elif job and job.is_resumable:
        if _button("resume", key="resume", type="primary"):
            _change("resume", job)
    elif task and _button("resume", key="resume", type="primary"):
        act(start_job, task)


def show_log(job: Job | None) -> None:
    """The log of a job that failed or was interrupted, in an expander.

    Parameters
    ----------
    job : Job or None
    """
    if job and job.status in ("failed", "interrupted") and (log := job.log(30).strip()):
        with st.expander("What it wrote"):
            st.code(without_folders(log), language=None)
