"""All long work: what runs, what waits, what ended and how, with its log."""

import time
from datetime import datetime

import streamlit as st

from ser_core import durations, jobs, ui
from ser_core.ui import visitor, work

ui.require_router()
settings = ui.settings()

st.title("Long work")
st.markdown(
    "Tuning, training and downloads run on the server by themselves: close this page, and they go on. "
    + (
        "One runs at a time; the others wait their turn."
        if settings.max_jobs == 1
        else f"{settings.max_jobs} run at a time; the others wait their turn."
    )
)
if settings.read_only:
    st.info("Nothing can be started or stopped here: this server is for looking only.", icon=":material/lock:")


def show_all() -> None:
    found = work.jobs_now()
    if not found:
        st.info("There is none yet. Tune a model, and it shows here.", icon=":material/pending_actions:")
        st.page_link("pages/tune.py", label="Tune a model", icon=":material/tune:")
        return
    for job in jobs.as_shown(found):
        with st.container(border=True):
            work.show_job(job, where="page")
            st.caption(times(job))
            with st.expander("Command and log"):
                st.code(ui.without_folders(jobs.shell(job.task.arguments)), language=None, wrap_lines=True)
                st.code(ui.without_folders(job.log()) or "It has printed nothing.", language=None, height=240)


def times(job) -> str:
    """When someone asked for it, and how long it ran."""
    words = f"Asked for {datetime.fromtimestamp(job.made):%d %b %Y, %H:%M}"
    if job.began and job.is_alive:
        words += f", at work for {durations.in_words(time.time() - job.began)}"
    elif job.began and job.ended:
        words += f", ran for {durations.in_words(job.ended - job.began)}"
    return f"{words}. Its number: `{job.id}`"


visitor.offer_login()
st.fragment(show_all, run_every=2.0 if any(job.is_alive for job in work.jobs_now()) else None)()
