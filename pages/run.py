"""Run a model: what is chosen, whether it ran already, and what it gave."""

from dataclasses import replace
from datetime import datetime

import streamlit as st

from ser_core import durations, jobs, ui
from ser_core.audio.conditions import CONDITIONS
from ser_core.errors import SerError
from ser_core.evaluation import protocols
from ser_core.experiments import fusion, plans
from ser_core.experiments.plans import ACTORS, Plan
from ser_core.features import model_input
from ser_core.features import registry as feature_sets
from ser_core.jobs import Job, Task
from ser_core.models import registry
from ser_core.results.runs import Run
from ser_core.ui import cached, sweep, work
from ser_core.ui.result import offer_comparison, say_scores, show_evidence

REFRESH_S = 2
FIRST = "mlp"  # the best single model of the study
AS_RECORDED = {"": "As recorded"}
LATELY = 5  # runs that were started here and are offered again


@st.cache_data(max_entries=16, show_spinner=False)
def protocols_for(digest: str, _table) -> dict[str, str]:
    return plans.protocols_for(_table)


# What is run


def choose() -> Plan:
    """What is to be run; every choice stands in the page's address."""
    settings, models = ui.settings(), plans.models()
    titles = {key: model.name for key, model in models.items()}
    key = st.selectbox("Model", index=list(titles).index(FIRST), **among(titles, "model"))
    ui.name_model(key)
    model = registry.get(key, settings.stores)
    st.caption(model.about)
    presets, preset = plans.presets_of(model), plans.OURS
    if len(presets) > 1:
        keep_among(presets, "preset")
        preset = ui.choice("Parameters", presets, key="preset")
    clips = ""
    found, unreadable = plans.tables_in(settings.workspace)
    ui.name_unreadable(unreadable)
    if found:
        clips = st.selectbox("Clips", **among({"": "RAVDESS"} | {name: name for name in found}, "clips"))
    table, digest = cached.feature_table(clips)
    return Plan(
        key,
        preset,
        "" if clips else choose_features(model, preset),
        choose_protocol(table, digest),
        clips,
        choose_condition(clips),
        int(st.number_input("Seed", 0, 2**32 - 1, protocols.ORIGINAL_SEED, key="seed", bind="query-params")),
    )


def among(titles: dict[str, str], key: str) -> dict:
    """As `ui.options`; what was chosen before and is not among them is forgotten."""
    keep_among(titles, key)
    return ui.options(titles, key)


def keep_among(titles: dict[str, str], key: str) -> None:
    if st.session_state.get(key) not in titles:
        st.session_state.pop(key, None)


def choose_features(model, preset: str) -> str:
    if not (found := plans.features_of(model, preset)):
        st.caption("It is made of saved runs, and sees what they saw.")
        return ""
    titles = {key: key if plans.ships(key, ui.settings()) else f"{key}, made of the recordings" for key in found}
    features = st.selectbox("Features", **among(titles, "features"))
    seen, _, copies = features.partition(plans.WITH_COPIES)
    more = f" It also learns from copies of each clip ({copies})." if copies else ""
    st.caption(f"It sees {feature_sets.title_of(seen)}.{more}")
    return features


def choose_protocol(table, digest: str) -> str:
    protocol = st.selectbox("Learn and test on", **among(protocols_for(digest, table), "protocol"))
    if protocol != ACTORS:
        return protocol
    most = min(protocols.MAX_ACTOR_FOLDS, table["speaker"].nunique())
    folds = st.number_input("Number of folds", 2, most, min(6, most), key="folds", bind="query-params")
    return protocol.replace("K", str(folds))


def choose_condition(clips: str) -> str:
    """How the held-out clips are heard; only conditions that can be made here, or were, are offered."""
    there = CONDITIONS if not lacking(clips) else {run.heard for run in cached.all_runs()}
    able = {key: one.title for key, one in CONDITIONS.items() if key in there}
    heard = st.selectbox("Held-out clips are heard", **among(AS_RECORDED | able, "heard"))
    if heard:
        st.caption(
            f"{CONDITIONS[heard].note[0].upper()}{CONDITIONS[heard].note[1:]}. It learns from clips as recorded."
        )
    return heard


def lacking(clips: str) -> str:
    """Why features cannot be made of the recordings; empty if they can."""
    table, digest = cached.feature_table(clips)
    if clips:
        return lacking_of(digest, table)
    there = set(table["stem"]) <= set(cached.recordings().files)
    return "" if there else "This is made of the recordings, which are not all here. Get them on the page *Recordings*."


@st.cache_data(ttl=60, max_entries=8, show_spinner=False)
def lacking_of(digest: str, _table) -> str:
    try:
        model_input.recordings(_table, ui.settings())
    except SerError as error:
        return str(error)
    return ""


# Whether it ran, and the way to run it


def offer(plan: Plan) -> Run | None:
    """The run of a plan, if there is one; otherwise its job, or the way to start one."""
    settings, (table, digest) = ui.settings(), cached.feature_table(plan.table)
    try:
        recipe = plans.recipe_of(plan, table, settings)
    except SerError as error:
        st.error(str(error))
        return None
    task = plans.task_of(plan, settings, recipe)
    job = next((job for job in reversed(work.jobs_now()) if job.task.arguments == task.arguments), None)
    if job is not None and job.is_alive:
        st.fragment(watch, run_every=REFRESH_S)(job.id)
        show_command(task)
        return None
    found = cached.all_runs()
    run = plans.find(found, plan, recipe, digest)
    if run is not None:
        say_scores(run)
        say_that_it_ran(run)
        if run.training_confusion("emotion") is None and not plan.heard and registry.get(plan.model).learns_from_clips:
            say_time(plan, recipe, table)
            work.offer_start(task, work.begin, label="Run it again, to see its training clips")
        else:
            show_command(task)
        return run
    if job is not None and job.status != "done":
        show_end(job)
    if fault := why_not(plan, recipe, found):
        st.warning(fault, icon=":material/block:")
        show_command(task)
        return None
    say_time(plan, recipe, table)
    work.offer_start(task, work.begin, label="Start" if job is None else "Start again")
    return None


def show_end(job: Job) -> None:
    """How a run ended that has no result."""
    if job.status == "failed":
        work.show_state(job, {})
    else:
        icon, word = work.STATES[job.status]
        st.markdown(f"{icon} **It was {word}** before it was done; features that were made are kept.")
    work.show_log(job)


def why_not(plan: Plan, recipe, found: list[Run]) -> str:
    """Why it cannot be run here now; empty if it can."""
    table, digest = cached.feature_table(plan.table)
    if plans.needs_recordings(plan, recipe, table, ui.settings()):
        return lacking(plan.table)
    if not registry.get(plan.model).learns_from_clips:
        try:
            for heard in {"", plan.heard}:
                fusion.members(recipe, found, protocol=plan.protocol, data_digest=digest, heard=heard)
        except SerError as error:
            return str(error)
    return ""


def say_that_it_ran(run: Run) -> None:
    whose = "It ships with the project" if run.shipped else "It is one of yours"
    made = f", made on {datetime.fromisoformat(run.made):%d %B %Y}" if run.made else ""
    took = f" in {durations.in_words(run.seconds.total)}" if run.seconds.total else ""
    st.markdown(f":material/history: **It ran already.** {whose}{made}{took}.")
    offer_comparison(run)


def show_command(task: Task) -> None:
    st.caption("In a terminal the same is done by")
    st.code(jobs.shell(task.arguments), language=None, wrap_lines=True)


def say_time(plan: Plan, recipe, table) -> None:
    seconds, source = plans.estimate(cached.all_runs(), plan, recipe, table)
    if not registry.get(plan.model).learns_from_clips:
        words = "**It takes a few seconds**: two saved runs are put together."
    elif seconds is None:
        words = "How long it takes cannot be said yet: no run with these parameters has been timed."
    else:
        words = f"**It takes about {durations.in_words(seconds)}**, judged from {ui.as_text(source)}."
    if plans.needs_recordings(plan, recipe, table, ui.settings()):
        words += " Before that, features are made of the recordings, once."
    st.markdown(f":material/schedule: {words}")


def watch(job_id: str) -> None:
    """A run at work, drawn again every two seconds."""
    with ui.routed():
        job = work.by_id(job_id)
        if job is None or not job.is_alive:
            st.rerun()
        at, words = job.progress, "**It begins**"
        if at and at.total:
            words = f"**{ui.as_text(at.what)}: {ui.as_text(at.far)}**"
            words += f", about {durations.in_words(at.seconds_left)} left" if at.seconds_left else ""
        with st.container(border=True):
            work.show_state(job, {"running": f"{words}.", "stopping": "Features that were made are kept."})
            if job.status == "running":
                st.progress(min(1.0, at.done / at.total) if at and at.total else 0.0)
            work.offer_change(job)


# Those that were started here


def look_at(plan: Plan) -> None:
    """Choose on the page what a plan says."""
    chosen = vars(plan) | {"clips": plan.table}
    chosen.pop("table")
    if plan.protocol.startswith("actors-"):
        chosen |= {"protocol": ACTORS, "folds": int(plan.protocol.removeprefix("actors-"))}
    st.session_state.update(chosen)


def show_lately() -> None:
    lately: dict[tuple, Job] = {}
    for job in jobs.as_shown(work.jobs_now()):
        if job.task.kind == "run":
            lately.setdefault(job.task.arguments, job)
    if not lately:
        return
    st.markdown("**Started here**")
    with st.container(horizontal=True):
        for job in list(lately.values())[:LATELY]:
            icon, word = work.STATES[job.status]
            title = f"{ui.as_text(job.task.title)}: {word}"
            plan = Plan.of_text(job.task.subject)
            st.button(title, icon=icon, key=f"look-{job.id}", type="tertiary", on_click=look_at, args=(plan,))


ui.require_router()
st.title("Run a model")
st.markdown(
    "A model learns from some clips and is asked about others. **Choose the model, what it sees, and which clips it is "
    "asked about**: what ran before is shown at once, anything else is started here."
)
left, right = st.columns([2, 3], gap="large")
with left:
    plan = choose()
with right:
    run = offer(plan)
if run is not None:
    table, digest = cached.feature_table(plan.table)
    as_recorded = replace(plan, heard="")
    recipe = plans.recipe_of(as_recorded, table, ui.settings())
    trained = plans.find(cached.all_runs(), as_recorded, recipe, digest) or run
    show_evidence(run, trained)
show_lately()
st.header("Many at once")
if st.toggle("Show how", key="sweep", bind="query-params"):
    sweep.show()
