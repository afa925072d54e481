"""Networks that learn while one watches: begin a training, see its curves, and what the finished ones tell."""

import streamlit as st
from streamlit.column_config import NumberColumn

from ser_core import durations, evaluation, extras, jobs, ui
from ser_core.evaluation import protocols
from ser_core.experiments import fusion, trainings
from ser_core.features import backbones, tables
from ser_core.features import registry as feature_sets
from ser_core.figures import comparison as confusion_figures
from ser_core.figures import networks as figures
from ser_core.jobs import Job, Task
from ser_core.models import deep, layers, registry
from ser_core.results import comparison, run_titles, runs
from ser_core.results.published import ORIGINAL
from ser_core.results.runs import Run
from ser_core.ui import cached, work
from ser_core.ui.cached import kept
from ser_core.ui.clip import link_to_recordings

WATCH, START, CURVES, OVERFIT, VOTE, INSIDE = VIEWS = (
    "A training",
    "Start one",
    "Learning curves",
    "Overfitting",
    "The vote",
    "What it is made of",
)
REFRESH_S = 2
NETWORKS = [model.key for model in deep.MODELS if model.trains_in_epochs]
OFFERED = tuple(dict.fromkeys(["cnn", "vgg16", "rnn", "cnn2d", *NETWORKS]))
PROTOCOLS = {
    "study": "The study's split: actors on both sides",
    "emobox": "Actors held out, speech alone (six networks)",
}
WHATS = {
    "val_accuracy": "Accuracy, watched clips",
    "accuracy": "Accuracy, clips learned from",
    "val_loss": "Loss, watched clips",
    "loss": "Loss, clips learned from",
}


# What all sessions share


overfitting = kept(trainings.overfitting, show_spinner="Comparing the runs")
every_weight = kept(fusion.every_weight, show_spinner="Weighing the two")


@kept
def interval(run: Run) -> tuple[float, float]:
    return run.accuracy_interval("emotion" if protocols.get(run.protocol).holds_actors_out else "class")[1:]


@st.cache_resource(max_entries=1, show_spinner=False)
def table():
    return tables.read(ui.settings().feature_table)


def trained_runs() -> list[Run]:
    """Every run of a network: those of the study's split first, and the grid that ships behind the others."""
    found = [run for run in cached.all_runs() if run.curves is not None]
    return sorted(found, key=lambda run: (run.protocol != "study", run.shipped and run.recipe.origin == "own"))


# A training


def training_jobs() -> list[Job]:
    """Jobs that train a network: those at work, those that wait, then the newest."""
    return [job for job in jobs.as_shown(work.jobs_now()) if job.task.kind == "train"]


def show_training() -> None:
    found = {job.id: job for job in training_jobs()}
    if not found:
        st.info(
            "No network has been trained here yet: start one above. This is how the study's CNN learned.",
            icon=":material/network_node:",
        )
        with ui.part():
            show_result(runs.find(cached.shipped_runs(), model="cnn", preset="default", protocol="study"))
        return
    chosen = st.selectbox("Training", **ui.options({key: called(job) for key, job in found.items()}, "job"))
    live = found[chosen].is_alive
    st.fragment(watch, run_every=REFRESH_S if live else None)(chosen, live)


def called(job: Job) -> str:
    _, state = work.STATES[job.status]
    return f"{trainings.name_of(job.task.arguments)}, {state}"


def watch(job_id: str, was_live: bool) -> None:
    """A training as it is now, drawn again every two seconds while it goes on."""
    with ui.routed():
        job = work.by_id(job_id)
        if job is None or (was_live and not job.is_alive):
            st.rerun()
        model = registry.get(job.task.subject)
        st.markdown(f"**{model.name}**: {model.about}")
        curves = trainings.curves_of(job)
        show_state(job, curves)
        if job.status == "done" and job.answer:
            run = next((run for run in cached.all_runs() if run.id == job.answer.get("run")), None)
            if run is not None:
                show_result(run)
                return
        if not curves.empty:
            fit = curves[curves["fit"] == curves["fit"].max()]
            show_curves(fit, model.key, key="live")


def show_state(job: Job, curves) -> None:
    """How it stands, and the button that changes it."""
    words, epochs, rate = "**It begins**", 0, ""
    if not curves.empty:
        last = curves.iloc[-1]
        epochs = int(last["epoch"])
        rate = f", {curves['seconds'].tail(10).median():.1f} s an epoch"
        of_fits = f" of network {int(last['fit'])} of {int(last['fits'])}" if last["fits"] > 1 else ""
        words = f"**Epoch {epochs} of {int(last['epochs'])}{of_fits}**{rate}"
        if job.progress and job.progress.seconds_left:
            words += f", at most {durations.in_words(job.progress.seconds_left)} left"
    elif job.progress and job.progress.far:
        words += f": {job.progress.what.lower()}, {job.progress.far}"
    details = {
        "running": f"{words}.",
        "stopping": "What it has learned so far is kept.",
        "done": rate,
        "stopped": f"{epochs} epochs",
        "interrupted": f"{epochs} epochs",
    }
    with st.container(border=True):
        work.show_state(job, details)
        if job.status == "running" and epochs:
            at = job.progress
            st.progress(min(1.0, at.done / at.total) if at and at.total else 0.0)
        work.offer_change(job)
        work.show_log(job)


def show_curves(curve, of_what: str, key: str) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        ui.chart(figures.accuracy(curve, of_what), key=f"accuracy-{key}")
    with right:
        ui.chart(figures.loss(curve, of_what), key=f"loss-{key}")


def show_result(run: Run) -> None:
    """What a finished network is worth, how it learned, and what it confuses."""
    show_scores(run)
    with ui.part():
        show_curves(trainings.tested(run), run_titles.title(run), key="result")
    show_confusion(run)


def show_scores(run: Run) -> None:
    low, high = interval(run)
    if protocols.get(run.protocol).holds_actors_out:
        st.success(
            f"**{run.scores['emotion_accuracy']:.3f} of the emotions of voices never heard are named right** (95% "
            f"interval over actors {low:.3f} to {high:.3f}), UAR {run.scores['emotion_uar']:.3f}. It claims to be "
            f"{run.scores['emotion_claimed']:.2f} sure.",
            icon=":material/record_voice_over:",
        )
        return
    clips = sum(run.test_counts.values())
    words = (
        f"**{run.scores['test_accuracy']:.3f} of {clips} test clips are named right** (95% interval {low:.3f} to "
        f"{high:.3f})"
    )
    if original := comparison.original_of(run, cached.shipped_runs()):
        words += f"; the study had {original.test_accuracy:.2f}"
    words += f". On the clips that it learned from: {run.scores['train_accuracy']:.3f}."
    st.success(words + " The actors are the same on both sides: new voices are harder.", icon=":material/flag:")
    if weights := run.versions.weights:
        st.caption(f"{weights}.")


def show_confusion(run: Run) -> None:
    test = run.part("test")
    kind = evaluation.kinds(test)[0]
    matrix = evaluation.confusion(test, kind)
    ui.chart(confusion_figures.confusion(matrix, kind, f"What {run_titles.title(run)} confuses"), key="confusion")


# A new one


def begin(task: Task) -> None:
    """Of the start button: the page goes to the training that it began."""
    if job := work.begin(task):
        st.session_state["show"], st.session_state["job"] = WATCH, job.id


def show_start() -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        model, protocol, preset, options, cv = choose()
    with right, ui.part():
        offer(model, protocol, preset, options, cv)


def choose() -> tuple[str, str, str, dict, bool]:
    """Which network, on what, and how."""
    model = st.selectbox("Network", **ui.options({key: registry.get(key).name for key in OFFERED}, "network"))
    ui.name_model(model)
    network = registry.get(model)
    st.caption(network.about)
    preset = "default"
    if len(network.presets) > 1:
        titles = {name: name for name in network.presets}
        preset = st.segmented_control(
            "Settings to begin with", default="default", required=True, **ui.options(titles, "preset")
        )
    st.caption(f"It sees {feature_sets.title_of(network.presets[preset].features)}.")
    protocol = st.radio("Learn and test on", **ui.options(PROTOCOLS, "protocol"))
    usual = trainings.usual(model, preset)
    suffix = f"{model}-{preset}"  # a network's own values, not those that were chosen for the one before
    options = {
        "epochs": st.number_input(
            "Epochs at most",
            1,
            1000,
            usual["epochs"],
            key=f"epochs-{suffix}",
            help="How often it hears every training clip. More let it learn more, and in the end by heart.",
        ),
        "batch_size": st.select_slider(
            "Batch (clips a step)",
            [4, 8, 16, 32, 64, 128, 256],
            usual["batch_size"],
            key=f"batch-{suffix}",
            help="After how many clips it changes itself. Small batches take longer, and their noise helps against "
            "learning by heart.",
        ),
        "dropout": st.slider(
            "Dropout: share of units left out while it learns",
            0.0,
            0.9,
            usual["dropout"],
            0.05,
            key=f"dropout-{suffix}",
            help="Units that are missing at random make it rely on many of them: it learns less by heart, and slower.",
        ),
    }
    steps = [0.0, 1e-5, 1e-4, 1e-3, 1e-2]
    columns = st.columns(2)
    penalties = {
        "l1": "Makes large weights costly by their size, and drives many of them to 0.",
        "l2": "Makes large weights costly by their square, and so keeps all of them small.",
    }
    for column, (penalty, effect) in zip(columns, penalties.items(), strict=True):
        options[penalty] = column.select_slider(
            f"{penalty.upper()} penalty",
            steps,
            usual[penalty],
            format_func=lambda x: f"{x:g}",
            key=f"{penalty}-{suffix}",
            help=effect,
        )
    if network.presets[preset].features == "frames":
        options["augment"] = st.toggle(
            "Learn from changed copies (noise, gain, shift, masks)",
            usual["augment"],
            key=f"augment-{suffix}",
        )
    hidden = network.layers(network.presets[preset].features)
    options["layers"] = st.text_input(
        f"Layers: {hidden.what}",
        layers.as_text(usual["layers"]),
        max_chars=80,
        key=f"layers-{suffix}",
        help=f"One number a layer, that next to the sound first: 1 to {hidden.most} layers of {layers.SMALLEST} to "
        f"{hidden.largest}. More and larger ones can tell finer differences, learn more by heart, and take longer.",
    )
    cv = False
    with st.expander("Optimiser, momentum, rate, validation"):
        optimizers = list(deep.OPTIMIZERS)
        options["optimizer"] = st.selectbox(
            "Optimiser", optimizers, optimizers.index(usual["optimizer"]), key=f"optimizer-{suffix}"
        )
        st.caption(f"{deep.OPTIMIZERS[options['optimizer']]}.")
        if options["optimizer"] == "sgd":
            options["momentum"] = st.slider(
                "Momentum",
                *deep.OPTIONS["momentum"],
                usual["momentum"],
                0.01,
                key=f"momentum-{suffix}",
                help="How much of the last step goes on into the next: it speeds up where the way is straight, and "
                "overshoots where it bends. 0 is none; the study had 0.9.",
            )
        options["learning_rate"] = st.number_input(
            "Learning rate",
            1e-6,
            10.0,
            usual["learning_rate"],
            format="%g",
            key=f"rate-{suffix}",
            help="How long each step is: too short takes for ever, too long leaps over what is good.",
        )
        options["validation"] = st.slider(
            "Share of the training clips that is only watched",
            0.0,
            0.5,
            usual["validation"],
            0.05,
            key=f"validation-{suffix}",
            help="The best epoch on them is kept, and training ends when they get no better. The test clips are never "
            "looked at for that.",
        )
        if protocol == "study":
            cv = st.toggle("Also the five folds of the training part (six networks)", key="cv")
    return model, protocol, preset, options, cv


def offer(model: str, protocol: str, preset: str, options: dict, cv: bool) -> None:
    """How long it would take, the button, and the command that does the same; in their place, what cannot be."""
    usual = registry.parameters(model, preset)
    options = trainings.chosen(model, preset, options | {"layers": layers.parse(options["layers"])})
    registry.get(model).with_options(registry.recipe(model, preset), options)  # raises if it is out of bounds
    task = trainings.task(model, options, protocol=protocol, preset=preset, cv=cv)
    seconds, is_like = trainings.estimate(
        model, usual | options, trained_runs(), protocol=protocol, preset=preset, cv=cv, table=table()
    )
    if seconds is None:
        words = "How long it takes cannot be said yet: no such network has been trained here."
    else:
        source = "as an earlier training did" if is_like else "judged from one with other settings"
        words = (
            f"**All epochs take about {durations.in_words(seconds)}**, {source}. It ends sooner when it gets no better."
        )
    st.markdown(f":material/schedule: {words}")
    key = registry.recipe(model, preset).features
    if key != "mean180" and not cached.recordings().clips.shape[0]:
        st.warning("This network listens to the recordings, which are not here.", icon=":material/volume_off:")
        link_to_recordings()
    if key in backbones.BACKBONES:
        st.caption(
            "The first time, each clip's picture goes through the large network once, which takes some minutes and is "
            "kept. Its ImageNet weights come from Keras' download, or from the file that "
            f"`{backbones.weights_variable(key)}` names where this app was started."
        )
        if not any(run.recipe.features == key for run in trained_runs()):
            st.caption(
                "No run of it ships: where the others were made, these weights could not be had. The study's VGG19 "
                "that is not pretrained is left out, since all of it would have to be trained."
            )
    busy = "It is being trained now: see *A training*." if work.is_at_work(task) else ""
    if not extras.is_installed("train"):
        busy = f"Training needs TensorFlow, which is not installed on this server: {extras.how_to_install('train')}"
    work.offer_start(task, begin, busy=busy)
    like = [run for run in trained_runs() if (run.recipe.model, run.recipe.features) == (model, key)]
    if like:
        with st.expander("What it is made of"):
            show_layers(like[-1])


# Those that are done


def choose_runs() -> dict[str, Run]:
    """Some of the runs of networks by their titles; to begin with one of each network, with curves of watched clips,
    and one's own."""
    found = {run.id: run for run in trained_runs()}
    titles = run_titles.titles(found.values())
    watched = [run for run in found.values() if "val_accuracy" in trainings.tested(run).dropna(axis="columns")]
    first = {run.recipe.model: run.id for run in reversed(watched) if run.shipped}
    own = [run.id for run in found.values() if not run.shipped]
    shown_first = [*own[-2:], *(first[key] for key in OFFERED if key in first)]
    chosen = st.multiselect("Runs", default=shown_first, **ui.options(titles, "runs"))
    return {titles[run_id]: found[run_id] for run_id in chosen}


def choose_run() -> Run | None:
    """One of the runs of networks."""
    found = {run.id: run for run in trained_runs()}
    if not found:
        st.info("No network's run is here yet. Start one above.", icon=":material/network_node:")
        return None
    titles = run_titles.titles(found.values())
    chosen = st.selectbox("Run", **ui.options(titles, "run"))
    return found[chosen]


def show_learning() -> None:
    chosen = choose_runs()
    if not chosen:
        st.info("Choose one or more runs.", icon=":material/stacked_line_chart:")
        return
    what = st.pills("Show", list(WHATS), format_func=WHATS.get, default="val_accuracy", required=True, key="what")
    curves = {title: trainings.tested(run) for title, run in chosen.items()}
    ui.chart(figures.overlaid(curves, what or "val_accuracy"), key="overlaid")
    st.dataframe(
        trainings.compared(chosen),
        hide_index=True,
        column_config={"seconds an epoch": NumberColumn(format="%.1f")},
    )
    st.caption(
        "Accuracy of 16 classes; a dash: not measured. Of a run with several networks, the curve is that of the first."
    )


def show_overfitting() -> None:
    st.markdown(
        "A network *overfits* when it learns its training clips by heart: it names nearly all of them right, and far "
        "fewer of the others. Here the cnn was trained with one thing changed at a time."
    )
    titles = {option: figures.NAMES[option] for option in trainings.OVERFITTING}
    option = st.pills("What is changed", default="dropout", required=True, **ui.options(titles, "option"))
    found = [run for run in cached.all_runs() if run.recipe.model == "cnn"]
    grid = overfitting(found, option or "dropout")
    if len(grid) < 2:
        st.info("There are too few runs of it here.", icon=":material/hourglass_empty:")
        return
    st.info(trainings.verdict(grid, option), icon=":material/gavel:")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        ui.chart(figures.overfitting(grid, option), key=f"overfitting-{option}")
    with right:
        ui.chart(figures.time_taken(grid, option), key=f"time-{option}")
    st.caption(
        "One network a value, with one seed: differences of two or three points are chance. Runs of your own that "
        "differ from the default in this alone appear here, too."
    )


def show_vote() -> None:
    model = registry.get("v_cnn_vgg16")
    recipe = model.recipe()
    weights = recipe.parameters["weights"]
    first, second = weights
    members = fusion.members(recipe, cached.shipped_runs(), protocol="study")
    weighed = every_weight(*members)
    best = fusion.best_weight(weighed)
    studied = weights[first] / sum(weights.values())
    st.markdown(
        f"{model.about} Two networks that see a clip differently, one its 180 numbers and one its picture, make "
        "different mistakes."
    )
    ui.chart(figures.weights(weighed, best, first, second, studied), key="weights")
    chosen = st.slider(f"Weight of {first}", 0.0, 1.0, studied, 0.05, key="weight", bind="query-params")
    row = weighed.iloc[(weighed["weight"] - chosen).abs().argmin()]
    with st.container(horizontal=True, gap="large"):
        st.metric("Five folds of train", f"{row['cv_accuracy']:.3f}", width="content")
        gain = row["test_accuracy"] - ORIGINAL[model.key].test_accuracy
        at_original = abs(row["weight"] - studied) < 1e-9
        st.metric(
            "Test",
            f"{row['test_accuracy']:.3f}",
            f"{gain:+.3f} to the study's {ORIGINAL[model.key].test_accuracy:.2f}" if at_original else None,
            width="content",
        )
    st.caption(
        "The weight to use is the one that is best on the folds of the training part: test scores choose nothing."
    )


def show_inside() -> None:
    run = choose_run()
    if run is None:
        return
    st.markdown(f"It sees {feature_sets.title_of(run.recipe.features)}.")
    show_layers(run)
    show_result(run)


def show_layers(run: Run) -> None:
    ui.chart(figures.architecture(run.layers), key="architecture")
    numbers = NumberColumn(format="localized")
    st.dataframe(
        figures.layer_table(run.layers),
        hide_index=True,
        column_config={"parameters": numbers, "of those learned": numbers},
    )


ui.require_router()
st.title("Train a network")
st.markdown(
    "A network learns in *epochs*: in each it hears every training clip once and changes itself a little. **Watch how "
    "well it names the clips that it learns from, and a few that it only tries itself on.** When the two part, it "
    "learns by heart."
)
ui.name_unreadable(cached.unreadable_runs())
{
    WATCH: show_training,
    START: show_start,
    CURVES: show_learning,
    OVERFIT: show_overfitting,
    VOTE: show_vote,
    INSIDE: show_inside,
}[ui.what_to_do(VIEWS)]()
