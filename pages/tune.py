"""Looking for a model's best parameters: studies that were made or run now, a new one, several beside each other."""

from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st
from streamlit.column_config import DatetimeColumn, NumberColumn

from ser_core import durations, files, jobs, machine, ui
from ser_core.figures import tuning as figures
from ser_core.models import presets, registry, search_spaces
from ser_core.results import runs
from ser_core.tuning import best_trial, costs, dashboard, descriptions, results, studies
from ser_core.tuning.monitor import Snapshot
from ser_core.ui import cached, work

WATCH, START, COMPARE = VIEWS = ("A study", "Start one", "Compare")
HISTORY, IMPORTANCE, PARALLEL, PARAMETER, CONTOUR, TIMELINE, TRIAL, TRIALS = CHARTS = (
    "History",
    "What matters",
    "All parameters",
    "One parameter",
    "Two parameters",
    "Who did what when",
    "One trial",
    "All trials",
)
REFRESH_S = 2


# What all sessions share: thirty that watch one study read it, its jobs and its charts once.
by_stamp = partial(st.cache_resource, max_entries=128, show_spinner=False, hash_funcs=cached.BY_STAMP)


@by_stamp
def chart(snapshot: Snapshot, what: str, choice: tuple = ()):
    study = snapshot.study
    return {
        HISTORY: lambda: figures.history(study, dict(choice)),
        IMPORTANCE: lambda: figures.importances(study),
        PARALLEL: lambda: figures.parallel(study),
        PARAMETER: lambda: figures.one_parameter(study, *choice),
        CONTOUR: lambda: figures.contour(study, *choice),
        TIMELINE: lambda: figures.timeline(study, datetime.now()),
        TRIAL: lambda: figures.folds(study, list(choice)),
    }[what]()


@by_stamp
def comparison(shots: list[Snapshot], by_time: bool):
    return figures.compared([shot.study for shot in shots], by_time=by_time, now=datetime.now())


@by_stamp
def comparison_table(shots: list[Snapshot]) -> pd.DataFrame:
    return figures.compared_table([shot.study for shot in shots])


@by_stamp
def trials_of(snapshot: Snapshot) -> pd.DataFrame:
    return results.table(snapshot.study)


@by_stamp
def trial_table(snapshot: Snapshot) -> pd.DataFrame:
    return figures.trial_table(snapshot.study)


@st.cache_data(ttl=20, max_entries=64, show_spinner=False)
def estimate(plan: dict, trials: int, workers: int, place: tuple) -> tuple[float | None, bool]:
    return costs.estimate(studies.Plan(**plan), trials, workers, ui.settings())


@st.cache_data(ttl=2, max_entries=64, show_spinner=False)
def saved_presets(model: str, stores: tuple, stamp: str) -> tuple[list[presets.TunedPreset], list]:
    return presets.read_all(ui.settings().stores, model)


@st.cache_data(max_entries=64, show_spinner="Reading the test score")
def test_score(run_id: str, stores: tuple) -> tuple[float, float, float, int]:
    """Accuracy on the test part, its 95% interval, and the number of test clips."""
    run = runs.get(run_id, ui.settings().stores)
    return *run.accuracy_interval(), len(run.part("test"))


def stores() -> tuple[str, ...]:
    return tuple(map(str, ui.settings().stores))


# Jobs


def is_live(name: str, snapshot) -> bool:
    """Whether something about a study may change by itself."""
    works = any(job is not None and job.is_alive for job in (work.latest("tune", name), work.latest("preset", name)))
    return works or (snapshot is not None and snapshot.running)


def begin(task: jobs.Task) -> None:
    """Of the start button: the page goes to the study that it began."""
    if work.begin(task):
        st.session_state["show"], st.session_state["study"] = WATCH, task.subject


# A study


def show_studies() -> None:
    found = {one.name: one for one in cached.found_studies()}
    begun = [job.task.subject for job in jobs.as_shown(work.jobs_now()) if job.task.kind == "tune"]
    own = dict.fromkeys([*begun, *reversed([name for name, one in found.items() if not one.shipped])])
    names = sorted(own, key=lambda name: not is_live(name, None))
    names += [name for name in found if name not in own]
    if not names:
        st.info("There is no study yet. Start one above.", icon=":material/tune:")
        return
    name = st.selectbox("Study", **ui.options({name: descriptions.title(name) for name in names}, "study"))
    live = is_live(name, cached.study_now(found[name]) if name in found else None)
    st.fragment(watch, run_every=REFRESH_S if live else None)(name, live)


def watch(name: str, was_live: bool) -> None:
    """A study as it is now, drawn again every two seconds while it is worked on."""
    with ui.routed():
        found = next((one for one in cached.found_studies() if one.name == name), None)
        snapshot = cached.study_now(found) if found else None
        if was_live and not is_live(name, snapshot):
            st.rerun()
        if snapshot is not None:
            plan = descriptions.plan(snapshot.study)
            ships = " It ships with the project, made by this code." if found.shipped else ""
            st.markdown(f"**{registry.get(plan.model).name}**: {descriptions.sentence(plan)}.{ships}")
            st.caption(f"Its name on the command line: `{name}`")
        if found is None or not found.shipped:
            show_work(name, work.latest("tune", name), snapshot)
        if snapshot is not None:
            show_score(snapshot)
            for show in (show_preset, show_charts):
                with ui.part():
                    show(snapshot)
            show_dashboard(found)


def show_work(name: str, job, snapshot) -> None:
    """How it stands with the work on a study of one's own, and the buttons that change it."""
    study = snapshot and snapshot.study
    ended, wanted = (results.count(study)[0], study.user_attrs["trials"]) if study else (0, 0)
    alive = job is not None and job.is_alive
    elsewhere = snapshot is not None and snapshot.running and not alive
    finished = bool(study) and ended >= wanted
    with st.container(border=True):
        if alive or (job is not None and job.status != "done" and not (elsewhere or finished)):
            left = job.progress.seconds_left if job.progress else None
            work.show_state(job, descriptions.job_texts(ended, wanted, left))
        elif elsewhere:
            st.markdown(
                f":material/autorenew: **Workers elsewhere are at it: {ended} of {wanted} trials ended.** They were "
                "started by a command, maybe on another machine, and are stopped there."
            )
        elif finished:
            st.markdown(f":material/check: **Done**: all {ended} trials ended.")
        else:
            st.markdown(f":material/pause: **It is at rest** after {ended} of {wanted} trials, which are kept.")
        if wanted and not finished:
            st.progress(ended / wanted)
        if alive or not (elsewhere or finished):
            work.offer_change(job, descriptions.task(descriptions.plan(study), name, wanted) if study else None)
        else:
            work.offer_change(None)
        work.show_log(job)


def show_score(snapshot) -> None:
    study = snapshot.study
    best, trials = results.best(study), trials_of(snapshot)
    default = results.our_default(study, cached.shipped_runs())
    gap = f"{best.value - default:+.4f} to our default" if best and default else None
    worked = trials.loc[trials["state"].isin(["complete", "pruned"]), "seconds"]
    with st.container(horizontal=True, gap="large"):
        st.metric(
            f"Best {figures.measure(study)}",
            f"{best.value:.4f}" if best else "none yet",
            gap,
            help="Of the trials that ran all folds. The best of many on the same folds is a little flattered; the test "
            "score is not.",
            width="content",
        )
        st.metric("Trials that ended", f"{results.count(study)[0]} of {study.user_attrs['trials']}", width="content")
        st.metric("A trial takes", durations.in_words(worked.mean()) if len(worked) else "none yet", width="content")


def show_preset(snapshot) -> None:
    """The best as a preset: what it scores on the test part, or the button that finds that out."""
    study, best = snapshot.study, results.best(snapshot.study)
    if best is None:
        return
    known, unreadable = saved_presets(study.user_attrs["model"], stores(), work.jobs_stamp())
    ui.name_unreadable(unreadable)
    saved = best_trial.preset_of(study, best, known)
    job = work.latest("preset", study.study_name)
    if saved:
        accuracy, low, high, clips = test_score(saved.run, stores())
        st.success(
            f"**Trial {saved.trial} is the preset `{saved.name}`: {accuracy:.3f} of {clips} test clips named right** "
            f"(95% interval {low:.3f} to {high:.3f}), the best of {saved.trials} trials. The test clips were looked "
            "at once, after the choice.",
            icon=":material/bookmark_added:",
        )
        with st.expander("How to use it"):
            used = [jobs.shell([word, saved.model, "--preset", saved.name]) for word in ("run", "train")]
            st.code("\n".join(used), language=None, wrap_lines=True)
            st.caption("`run` scores it anew and keeps every prediction; `train` also keeps the model for predicting.")
    elif job is not None and job.is_alive:
        st.info("The best is being evaluated on the test clips, once.", icon=":material/autorenew:")
    elif not ui.settings().read_only and not is_live(study.study_name, snapshot):
        if job is not None and job.status != "done":
            st.error(f"The preset was not saved. {job.message}.")
        if st.button("Save the best as a preset", icon=":material/bookmark_add:", key="save-preset"):
            work.act(work.start_job, descriptions.preset_task(study.study_name))
        st.caption(
            f"Trial {best.number} gets a name and is evaluated on the test clips, which no trial has seen. Do it once "
            "and last: who looks at the test score again and again ends up choosing by it."
        )


def show_charts(snapshot) -> None:
    study = snapshot.study
    what = st.pills("Show", CHARTS, default=HISTORY, required=True, key="chart", bind="query-params") or HISTORY
    if what == TRIALS:
        show_trials(snapshot)
    elif what == TRIAL:
        show_trial(snapshot)
    elif what in (PARAMETER, CONTOUR):
        names = list(search_spaces.get(study.user_attrs["model"], study.user_attrs["space"]).ranges)
        left, right = st.columns(2)
        choice = (left.selectbox("Parameter", names, key="first", bind="query-params"),)
        if what == CONTOUR:
            other = min(1, len(names) - 1)
            choice += (right.selectbox("Against", names, index=other, key="second", bind="query-params"),)
        draw(chart(snapshot, what, choice), "-".join((what, *choice)))
    else:
        default = results.our_default(study, cached.shipped_runs()) if what == HISTORY else None
        choice = (("our default", default),) if default else ()
        draw(chart(snapshot, what, choice), what)


def draw(figure_and_sentence, key: str) -> None:
    """A chart, or only what it says if there is too little to draw."""
    figure, sentence = figure_and_sentence
    if figure.data:
        ui.chart(figure_and_sentence, key=key)
    else:
        st.info(sentence, icon=":material/hourglass_empty:")


def show_trials(snapshot) -> None:
    rows = trial_table(snapshot)
    st.dataframe(
        rows,
        hide_index=True,
        column_config={name: name.removeprefix("params_") for name in rows if name.startswith("params_")}
        | {
            "number": NumberColumn("trial", pinned=True),
            "value": NumberColumn(figures.measure(snapshot.study), format="%.4f"),
            "seconds": NumberColumn(format="%.1f"),
            "began": DatetimeColumn(format="YYYY-MM-DD HH:mm:ss"),
            "fold_scores": "each fold",
        },
    )
    st.caption(f"{figures.counted(snapshot.study)}.")
    file = f"{snapshot.study.study_name}.csv"
    ui.download("All trials as CSV", lambda: files.as_csv(rows), file, "text/csv")


def show_trial(snapshot) -> None:
    """One trial's parameters beside the presets of the code, and its folds beside the best one's."""
    study, best = snapshot.study, results.best(snapshot.study)
    trials = {trial.number: trial for trial in results.ranked(study)}
    if not trials:
        st.info("No trial has begun yet.", icon=":material/hourglass_empty:")
        return
    titles = {number: descriptions.trial(trial) for number, trial in trials.items()}
    number = st.selectbox("Trial, the best first", **ui.options(titles, "trial"))
    if reason := trials[number].user_attrs.get("reason"):
        st.error(f"It failed. {ui.as_text(reason)}")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Its parameters beside those that stand in the code**")
        st.dataframe(descriptions.beside_presets(study, trials[number]))
        st.caption("A dash: not set, so that the library's own holds.")
    with right:
        both = tuple(dict.fromkeys([number, best.number])) if best else (number,)
        draw(chart(snapshot, TRIAL, both), "folds")


def show_dashboard(found) -> None:
    """optuna-dashboard on the same database."""
    if ui.settings().read_only:
        return
    here, boards = dashboard.is_local(urlsplit(st.context.url or "").netloc), cached.dashboards()
    with st.expander("optuna-dashboard: the same studies in Optuna's own page"):
        if not here:
            st.info(
                "It has no login and listens on 127.0.0.1 of the machine that runs this server, which is not the one "
                "your browser is on. Open this page there, as http://localhost, or pass the port on with `ssh -L`.",
                icon=":material/lan:",
            )
        if address := boards.address(found.url):
            st.link_button("Open it", address, icon=":material/open_in_new:", disabled=not here)
            st.caption(f"It runs at {address} until this server ends. Out of a container its port is not passed on.")
        elif here and st.button("Start it", icon=":material/monitoring:", key="dashboard"):
            work.act(boards.open, found.url, ui.settings())
        if found.shipped:
            st.caption("These studies ship and are opened for reading only: nothing can be changed in them.")


# A new one


def show_start() -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        plan, trials, workers, minutes = choose_plan()
    with right:
        offer(plan, trials, workers, minutes)
        st.markdown("**Where it looks**")
        st.dataframe(descriptions.ranges(plan.model, plan.space), hide_index=True)


def choose_plan() -> tuple[studies.Plan, int, int, int]:
    """What is to be tuned and how, the number of trials and of workers, and the time limit in minutes."""
    bound = {"bind": "query-params"}
    models = [key for key in registry.MODELS if search_spaces.available(key)]
    first = models.index("kn")  # done within seconds
    titles = {key: registry.get(key).name for key in models}
    model = st.selectbox("Model", index=first, **ui.options(titles, "model"))
    st.caption(registry.get(model).about)
    space = "ours"
    if "study" in search_spaces.available(model):
        space = ui.choice("Ranges to look in", descriptions.SPACES, key="space")
    else:
        st.caption("The study did not tune this model: the ranges to look in are ours.")
    more = "More find better parameters, ever more rarely, and flatter the best score a little more."
    trials = st.number_input("Trials in all", 1, 2000, 30, key="trials", help=more, **bound)
    after = "After it no trial is begun. The study can go on later."
    minutes = st.number_input("Time limit (minutes; 0 is none)", 0, 10_000, 0, key="minutes", help=after, **bound)
    cv = st.radio("Folds to score on", **ui.options(descriptions.FOLDS, "cv"))
    st.caption(descriptions.ABOUT_FOLDS[cv])
    steadier = "With more, each model learns from more clips and scores are steadier; each trial takes longer."
    folds = st.segmented_control(
        "Number of folds", [3, 4, 5], default=5, required=True, key="folds", help=steadier, **bound
    )
    with st.expander("Sampler, pruner, seed, workers"):
        sampler = st.selectbox("Sampler: what is tried next", **ui.options(descriptions.SAMPLERS, "sampler"))
        pruners = ui.options(descriptions.PRUNERS, "pruner")
        pruner = st.selectbox("Pruner: what is given up after a fold or two", **pruners)
        seed = st.number_input("Seed", 0, 2**32 - 1, 9, key="seed", **bound)
        most = machine.most_workers()
        same = f"Processes; this machine has room for {most}. With one, the same seed gives the same study."
        workers = st.number_input("Workers", 1, most, most, key="workers", help=same)
    return studies.Plan(model, space, cv, folds or 5, sampler, pruner, seed), trials, min(workers, most), minutes


def offer(plan: studies.Plan, trials: int, workers: int, minutes: int) -> None:
    """How long it would take, the button, and the command that does the same."""
    found = {one.name: one for one in cached.found_studies()}
    default = studies.own_name(plan, found.values())
    name = st.text_input("Name of the study", placeholder=default, key="name").strip() or default
    if not studies.NAME.fullmatch(name):
        st.error(f"{ui.as_text(name)} is no name for a study: letters, digits, '.', '_' and '-', at most 80.")
        return
    todo, label = trials, "Start"
    if name in found and found[name].shipped:
        st.error(f"The study {ui.as_text(name)} ships with the project. Give yours another name.")
        return
    if name in found:
        study = cached.study_now(found[name]).study
        if differ := [key for key, value in vars(plan).items() if study.user_attrs.get(key) != value]:
            st.warning(f"There is a study {ui.as_text(name)} with another {', '.join(differ)}. Give another name.")
            return
        ended = results.count(study)[0]
        todo, label = trials - ended, f"Go on with it: {trials - ended} more"
        more = " Ask for more trials in all to go on with it." if todo <= 0 else ""
        st.info(f"There is this study already, with {ended} trials.{more}", icon=":material/history:")
    if todo > 0:
        say_estimate(plan, todo, workers, minutes)
    job = work.latest("tune", name)
    busy = "It is being worked on." if job is not None and job.is_alive else ""
    task = descriptions.task(plan, name, trials, workers=workers, minutes=minutes)
    work.offer_start(task, begin, label=label if todo > 0 else "", busy=busy)


def say_estimate(plan: studies.Plan, trials: int, workers: int, minutes: int) -> None:
    settings = ui.settings()
    place = (str(settings.workspace), settings.optuna_storage)
    seconds, from_trials = estimate(vars(plan), trials, workers, place)
    if seconds is None:
        st.markdown("How long it takes cannot be said yet: no trial of this kind has been made.")
        return
    words = descriptions.time_in_words(plan, trials, minutes, seconds, from_trials)
    if seconds > descriptions.LONG_S:
        st.warning(words, icon=":material/schedule:")
    else:
        st.markdown(f":material/schedule: {words}")


# Several


def show_comparison() -> None:
    found = {one.name: one for one in cached.found_studies()}
    if not found:
        st.info("There is no study yet. Start one above.", icon=":material/tune:")
        return
    names = sorted(reversed(found), key=lambda name: found[name].shipped)
    titles = {name: descriptions.title(name) for name in names}
    chosen = st.multiselect("Studies", default=names[:5], **ui.options(titles, "studies"))
    by = ui.choice("Against", {"Trials": "Trials", "Time": "Time"}, key="by")
    live = any(cached.study_now(found[name]).running for name in chosen)
    st.fragment(compare, run_every=REFRESH_S if live else None)(chosen, by == "Time")


def compare(chosen: list[str], by_time: bool) -> None:
    with ui.routed():
        shots = [cached.study_now(one) for one in cached.found_studies() if one.name in chosen]
        if not shots:
            st.info("Choose one or more studies.", icon=":material/stacked_line_chart:")
            return
        draw(comparison(shots, by_time), f"compared-{by_time}")
        formats = {"best": "%.4f", "seconds a trial": "%.1f"}
        st.dataframe(
            comparison_table(shots),
            hide_index=True,
            column_config={name: NumberColumn(format=said) for name, said in formats.items()},
        )


ui.require_router()
st.title("Tune a model")
st.markdown(
    "A model has *parameters* that it does not learn, such as how many neighbours it asks. **Tuning tries many of them "
    "and keeps the best.** Each *trial* learns from a part of the training clips and is scored on the rest, several "
    "times over (*folds*). The test clips are not looked at until the choice is made. All trials of one search are a "
    "*study*."
)
ui.name_unreadable(cached.unreadable_studies())
{WATCH: show_studies, START: show_start, COMPARE: show_comparison}[ui.what_to_do(VIEWS)]()
