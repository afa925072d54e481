"""Many experiments at once: a file of lists, what it would run and how long that takes, the start, and the results."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.column_config import NumberColumn

from ser_core import durations
from ser_core.errors import SerError
from ser_core.jobs import Job, Task
from ser_core.ui import as_text, cached, settings, work
from ser_core.ui.bounds import refusal

KIND = "sweep"
EXAMPLE = """\
# Each model learns from each of the features, under each protocol, with each seed.
models = ["svm", "kn", "mlp"]
features = ["mean180", "functionals"]
protocols = ["emobox"]
seeds = [9, 10]

# Also: augmentation = ["none", "speaker-perturbation"], presets = ["default", "study"]
"""
SHOWN_JOBS = 3
MAX_CHARACTERS = 20_000
FILE = "sweep.toml"  # as it is saved


def show() -> None:
    """A form for a file of experiments, its plan, a button that starts what is missing, and earlier sweeps."""
    st.markdown(
        "Name models, features and protocols in lists: every combination becomes a run of its own. Those that exist "
        "are not run again, so a sweep that was stopped goes on where it ended."
    )
    text = st.text_area("Experiments", EXAMPLE, height=230, key="sweep-text", max_chars=MAX_CHARACTERS)
    with st.expander("From a file, or into one"):
        st.file_uploader("A file of experiments (TOML)", type=["toml"], key="sweep-file", on_change=_take_file)
        st.download_button("Save these experiments", text, FILE, "application/toml", icon=":material/download:")
    try:
        _show_plan(text)
    except SerError as error:
        st.error(as_text(str(error)), icon=":material/error:")
    is_alive = any(job.is_alive for job in _jobs())
    st.fragment(_show_jobs, run_every=2.0 if is_alive else None)(is_alive)


def _take_file() -> None:
    uploaded = st.session_state["sweep-file"]
    if uploaded is not None:
        content = uploaded.getvalue()
        text = f"# {words}" if (words := refusal(content)) else content[:MAX_CHARACTERS].decode(errors="replace")
        st.session_state["sweep-text"] = text


def _show_plan(text: str) -> None:
    from ser_core.experiments import sweeps

    plan = _plan(text, [run.id for run in cached.all_runs() if not run.shipped])
    st.markdown(f":material/schedule: {plan.in_words}")
    rows = [
        one.choices
        | {
            "state": "left out" if one.fault else "exists" if one.run else "to run",
            "about": durations.in_words(one.seconds) if one.is_to_run and one.seconds is not None else "",
        }
        for one in plan.combinations
    ]
    table = pd.DataFrame(rows)
    table = table.loc[:, (table != "").any()]
    with st.expander(f"All {len(rows)} combinations"):
        st.dataframe(table, hide_index=True, key="sweep-plan")
    for reason, number in plan.reasons.items():
        st.caption(f"Left out ({number}): {as_text(reason)}.")
    number = len(plan.to_run)
    task = sweeps.task(text, settings(), number)
    busy = "It is at work now: see below." if work.is_at_work(task) else ""
    label = f"Start {number} {'run' if number == 1 else 'runs'}" if number else ""
    work.offer_start(task, partial(_begin, text), label=label, busy=busy, key="sweep-start", arguments=(KIND, FILE))


@st.cache_resource(max_entries=16, show_spinner="Planning the runs")
def _plan(text: str, own_runs: list[str]):
    from ser_core.experiments import sweeps

    asked = sweeps.read(text, settings(), from_shell=False)
    return sweeps.plan(asked, settings(), found=cached.all_runs())


def _begin(text: str, task: Task) -> None:
    from ser_core.experiments import sweeps

    try:
        sweeps.keep(text, settings())
    except SerError as error:
        work.refuse(task, error)
    else:
        work.begin(task)


def _jobs() -> list[Job]:
    """The latest sweeps, newest first."""
    return [job for job in reversed(work.jobs_now()) if job.task.kind == KIND][:SHOWN_JOBS]


def _show_jobs(were_alive: bool) -> None:
    found = _jobs()
    if were_alive and not any(job.is_alive for job in found):
        st.rerun()  # the plan, too: runs exist now
    for job in found:
        with st.container(border=True):
            work.show_job(job, where="sweep")
            _show_result(job)


def _show_result(job: Job) -> None:
    """The runs of a sweep that has ended, the best of each protocol first."""
    if not (job.answer and job.answer.get("table")):
        return
    names = ["protocol", "label", "accuracy", "low", "high", "uar", "kind", "seed"]
    number = partial(NumberColumn, format="%.3f")
    look: dict[str, Any] = {"label": "run", "kind": "right about", "accuracy": number(), "uar": number("UAR")}
    look |= {"low": number("from"), "high": number("to (95%)")}
    table = pd.DataFrame(job.answer["table"])[names]
    st.dataframe(table, hide_index=True, column_config=look, key=f"sweep-table-{job.id}")
    for one in job.answer["failed"]:
        st.caption(f"{as_text(one['model'])} under {as_text(one['protocol'])} failed: {as_text(one['reason'])}.")
    if len(table) > 1:
        st.caption("The best of several on the same test clips is in part luck: *Compare* tests whether two differ.")
