"""Long work as the pages show it: the drawer of every page, a job in a few lines, and the buttons that begin one."""

import time
from collections.abc import Callable

import streamlit as st

from ser_core.errors import SerError
from ser_core.ui import as_text, in_words, settings


def jobs_now() -> list:
    """`jobs.list_all`, at most a second old and shared by all sessions."""
    return _jobs_now(str(settings().workspace))


@st.cache_resource(ttl=1, max_entries=2, show_spinner=False)
def _jobs_now(workspace: str) -> list:
    from ser_core import jobs

    return jobs.list_all(settings())


def jobs_changed() -> None:
    """Look at the jobs anew: one was stopped or resumed."""
    _jobs_now.clear()


def start_job(command: list[str], title: str):
    """`jobs.start`; the drawer shows it at once."""
    from ser_core import jobs

    job = jobs.start(command, title, settings())
    jobs_changed()
    return job


def job_of(*beginning: str):
    """The latest job whose command begins like that, e.g. `job_of("tune", "svm")`; None if there is none."""
    return next((job for job in reversed(jobs_now()) if job.command[: len(beginning)] == beginning), None)


def jobs_stamp() -> str:
    """Changes when a job does, but for its progress."""
    return " ".join(f"{job.id}-{job.status}" for job in jobs_now())


def act(do: Callable, *arguments) -> None:
    """Carry out what a button says, and show what has become of it."""
    do(*arguments)
    jobs_changed()
    st.rerun()


def begin(command: list[str], title: str):
    """Of a start button: the job that it began; None if it did not, which `offer_start` then says."""
    try:
        return start_job(command, title)
    except SerError as error:
        st.session_state["not-begun"] = str(error)
        return None


def offer_start(
    command: list[str], on_click: Callable, arguments: tuple, *, label: str = "Start", busy: str = ""
) -> None:
    """The button that begins a job, or why there is none, and the command that does the same.

    Parameters
    ----------
    label : str
        Of the button; none where there is nothing to do.
    busy : str
        What is said in the button's place while it is at work.
    """
    from ser_core.tuning.descriptions import shell

    if message := st.session_state.pop("not-begun", None):
        st.error(message)
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
        st.button(label, type="primary", icon=icon, key="start", on_click=on_click, args=arguments)
    st.caption("It goes on when you close this page. In a terminal the same is done by")
    st.code(shell(command), language="bash", wrap_lines=True)


ENDED_SHOWN_S = 600  # how long the drawer tells of a job that ended


def drawer() -> None:
    """What runs and what waits, on every page; it looks again by itself while something does."""
    alive = any(job.is_alive for job in jobs_now())
    st.fragment(_drawer, run_every=2.0 if alive else None)()


def _drawer() -> None:
    found = jobs_now()
    alive = {job.id for job in found if job.is_alive}
    if st.session_state.get("jobs-seen-alive", alive) != alive:
        st.session_state["jobs-seen-alive"] = alive
        st.rerun()  # the whole page: what a job made is there, or the polling ends
    st.session_state["jobs-seen-alive"] = alive
    ended = [job for job in found if job.ended and time.time() - job.ended < ENDED_SHOWN_S]
    shown = [job for job in found if job.id in alive] + ended[-1:]
    if not shown:
        return
    with st.container(border=True):
        for job in shown:
            show_job(job, where="drawer")
        st.page_link("pages/jobs.py", label="All long work", icon=":material/pending_actions:")


JOB_STATES = {
    "queued": ":material/hourglass_empty: waiting",
    "running": ":material/play_arrow: running",
    "stopping": ":material/pause: stopping",
    "done": ":material/check: done",
    "failed": ":material/error: failed",
    "stopped": ":material/stop: stopped",
    "interrupted": ":material/power_off: interrupted",
}


def show_job(job, where: str) -> None:
    """A job in a few lines: what it is, how far, how it ended, and what can be done with it."""
    from ser_core import jobs

    state = JOB_STATES[job.status] + (f", number {job.place} in the queue" if job.place else "")
    st.markdown(f"**{as_text(job.title)}**: {state}")
    if job.is_alive and job.progress and job.progress.total:
        at = job.progress
        words = at.words or f"{at.what}: {at.far}"
        if at.seconds_left and not at.words:
            words += f", about {in_words(at.seconds_left)} left"
        st.progress(min(at.done / at.total, 1.0), text=as_text(words))
    if job.message:
        st.caption(as_text(job.message))
    if settings().read_only:
        return
    offers = [("Stop", "stop", ":material/stop:")] if job.status in ("queued", "running") else []
    if job.is_resumable:
        offers.append(("Resume", "resume", ":material/resume:"))
    elif job.is_repeatable:
        offers.append(("Try again", "retry", ":material/refresh:"))
    if where == "page" and not job.is_alive:
        offers.append(("Delete", "delete", ":material/delete:"))
    with st.container(horizontal=True):
        for label, action, icon in offers:
            if st.button(label, icon=icon, key=f"{where}-{action}-{job.id}", type="tertiary"):
                act(getattr(jobs, action), job, settings())
