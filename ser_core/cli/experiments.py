"""Commands that fit models and keep what comes of it: `run` and `train`."""

import argparse
import shutil
from pathlib import Path

from ser_core.cli.options import add_jobs, count, seed
from ser_core.cli.screen import out, print_table, progress, score


def add(command) -> None:
    sub = command("run", run, "one model under one protocol: fit, predict, score, keep every prediction", writes=True)
    _add_experiment(sub)
    sub.add_argument("--weight", type=float, metavar="W", help="of a saved vote's first member: 0 to 1")
    sub.add_argument(
        "--tune",
        type=count,
        metavar="N",
        help="try N parameters inside each fold, on its training clips alone; where the protocol holds actors out, on "
        "folds of its training actors",
    )

    sub = command("train", train, "run a model and keep it, for predicting", writes=True)
    _add_experiment(sub)
    _add_training(sub)


def _add_experiment(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument(
        "--preset",
        default="default",
        help="default (ours), study (the authors' values), functionals, voices, or a tuned one",
    )
    sub.add_argument(
        "--features",
        type=Path,
        metavar="SET",
        help="study (the 180, default), functionals (the second set), voices (that of each clip and of the same in two "
        "other voices), or a table F.parquet of your clips' 180",
    )
    sub.add_argument("--seed", type=seed, default=9)
    sub.add_argument(
        "--protocol",
        default="study",
        help="study, study-speech, repetition, statement, actors-K, actors-K-SEED, emobox, luna-jimenez; the last two "
        "with +song train on the other actors' song, too (default: study)",
    )
    sub.add_argument(
        "--weights", type=Path, metavar="FILE", help="ImageNet weights of vgg16 and its relatives (default: downloaded)"
    )
    add_jobs(sub)


def _add_training(sub: argparse.ArgumentParser) -> None:
    """Options of networks. What is left out stays as the preset has it."""
    more = sub.add_argument_group("networks only", "The options' own values, in the place of the preset's.")
    more.add_argument("--epochs", type=count, metavar="N", help="at most")
    more.add_argument("--batch-size", type=count, metavar="B", help="clips a step")
    more.add_argument("--learning-rate", type=float, metavar="X", help="how far a step goes")
    more.add_argument("--optimizer", choices=["sgd", "adam"])
    more.add_argument("--dropout", type=float, metavar="Y", help="share of units left out while learning: 0 to 0.9")
    more.add_argument("--l1", type=float, metavar="X", help="penalty on the sizes of weights")
    more.add_argument("--l2", type=float, metavar="X", help="penalty on the squares of weights")
    flag = argparse.BooleanOptionalAction
    more.add_argument("--augment", action=flag, default=None, help="learn from changed copies (log-mel frames only)")
    more.add_argument("--validation", type=float, metavar="S", help="share of the training clips to watch: 0 to 0.5")
    more.add_argument("--patience", type=count, metavar="N", help="epochs without a better validation until it ends")
    more.add_argument("--cv", action="store_true", help="also the five folds of the training part, as `run` does")


def run(options, settings):
    result, _ = _experiment(options, settings)
    _keep(result.run, settings)
    return run_answer(result.run), 0, lambda: _show_run(result.run, settings)


def train(options, settings):
    from ser_core.prediction import model_store

    result, table = _experiment(options, settings, training=True)
    _keep(result.run, settings)
    if result.model is None:  # everybody was tested by a model of the others
        return run_answer(result.run), 0, lambda: _show_run(result.run, settings)
    entry = model_store.save(result, table, settings.workspace)

    def show():
        _show_run(result.run, settings)
        out.print(
            f"Kept as {entry.folder}. Use it: python -m ser_core predict FILE --model {entry.key}", soft_wrap=True
        )

    return run_answer(result.run) | {"artifact": str(entry.folder)}, 0, show


def _experiment(options, settings, *, training=False):
    from ser_core import experiments
    from ser_core.errors import ModelError
    from ser_core.features import inputs, store
    from ser_core.models import deep, presets, registry
    from ser_core.models.model import FUNCTIONALS, OWN, VOICES, SavedVote
    from ser_core.results import runs

    asked = str(options.features or "")
    file = options.features if asked not in ("", "study", FUNCTIONALS, VOICES) else None
    if asked in (FUNCTIONALS, VOICES):
        if options.preset not in ("default", asked):
            raise ModelError(f"--features {asked} has a preset of its own: leave --preset {options.preset} out")
        options.preset = asked
    if asked == "study" and options.preset in (FUNCTIONALS, VOICES):
        raise ModelError(f"--preset {options.preset} sees other features than the study's: leave --features out")
    if trials := getattr(options, "tune", None):
        from ser_core.experiments.nested import tuned_inside

        if options.preset not in ("default", FUNCTIONALS, VOICES):
            raise ModelError(f"--tune looks for the parameters itself: leave --preset {options.preset} out")
        features = "study" if options.preset == "default" else options.preset
        model, options.preset = tuned_inside(options.model, trials, features)
    else:
        model = presets.model(options.model, settings.stores)
    registry.parameters(model, options.preset)  # both are asked before any work
    if (weight := getattr(options, "weight", None)) is not None:
        if not isinstance(model, SavedVote):
            votes = ", ".join(key for key, one in registry.MODELS.items() if isinstance(one, SavedVote))
            raise ModelError(f"{options.model} is no vote of two runs and takes no --weight. Such votes are {votes}")
        model, options.preset = model.with_weight(weight), OWN
    chosen = {name: getattr(options, name, None) for name in deep.OPTIONS}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    table = store.read_table(file or settings.feature_table)
    runs.make_store(settings.workspace)  # before any work: it would be lost
    if isinstance(model, SavedVote):
        if training:
            model.build(options.preset, options.seed)  # says why not
        return _vote(model, table, options, settings), table
    if not isinstance(model, deep.Network):
        if chosen:
            raise ModelError(
                f"{options.model} is no network and takes no {', '.join(map(deep.as_option, chosen))}. "
                f"Networks are {', '.join(key for key in deep.KEYS if isinstance(registry.get(key), deep.Network))}"
            )
        with progress(f"Looking at clips for {options.model}", "clip", options) as advance:
            seen = inputs.load(model.input(options.preset), table, settings, progress=advance)
        with progress(f"Fitting {options.model}", "fold", options) as advance:
            result = experiments.run(
                model,
                table,
                protocol=options.protocol,
                preset=options.preset,
                seed=options.seed,
                seen=seen,
                jobs=options.jobs,
                progress=advance,
            )
        return result, table
    preset = options.preset
    if chosen:
        model, preset = model.with_options(preset, chosen), OWN
    with progress(f"Preparing clips for {options.model}", "clip", options) as advance:
        seen = inputs.load(model.input(preset), table, settings, weights=options.weights, progress=advance)
    with progress(f"Training {options.model}", "epoch", options) as advance:

        def watch(epoch):
            ended = (epoch["fit"] - 1) * epoch["epochs"] + epoch["epoch"]
            advance(ended, epoch["fits"] * epoch["epochs"])
            if options.report:
                options.report.event("epoch", **epoch)

        result = experiments.run(
            model,
            table,
            protocol=options.protocol,
            preset=preset,
            seed=options.seed,
            seen=seen,
            cv=not training or options.cv,
            training=experiments.Training(watch, settings.training),
        )
    return result, table


def _vote(model, table, options, settings):
    from ser_core import experiments
    from ser_core.experiments import fusion
    from ser_core.features import store
    from ser_core.results import runs

    wanted = {"protocol": options.protocol, "seed": options.seed, "data_digest": store.digest(table)}
    members = fusion.members(model, runs.list_all(settings.stores), **wanted)
    return experiments.Result(fusion.of_runs(model, *members, preset=options.preset), None)


def _keep(run, settings):
    """Save a run. What its training left behind to go on from is of no use any more."""
    from ser_core.results import runs

    runs.save(run, settings.workspace)
    shutil.rmtree(settings.training / run.id, ignore_errors=True)


def run_answer(run) -> dict:
    keys = ("model", "protocol", "preset", "test_counts", "seconds")
    names = ("train_accuracy", "cv_accuracy", "test_accuracy", "uar", "macro_f1", "emotion_accuracy", "emotion_uar")
    return {key: run.info[key] for key in keys} | {name: run.scores.get(name) for name in names} | {"run": run.id}


def _show_run(run, settings) -> None:
    from ser_core import evaluation
    from ser_core.evaluation import protocols
    from ser_core.results import comparison, runs

    if protocols.get(run.info["protocol"]).holds_actors_out:  # clips of one actor stand or fall together
        bounds = {"emotions": evaluation.accuracy_interval(run.part("test"), "emotion", over="speakers")[1:]}
    else:
        bounds = evaluation.intervals(run.part("test"))
    original = comparison.original_of(run, runs.list_all(settings.stores))
    rows = []
    for name, key, interval, then in (
        ("accuracy on train", "train_accuracy", None, original and original.train_accuracy),
        ("accuracy, five folds of train", "cv_accuracy", None, original and original.cv_accuracy),
        ("accuracy on test", "test_accuracy", "accuracy", original and original.test_accuracy),
        ("UAR on test", "uar", "uar", None),
        ("macro F1 on test", "macro_f1", "macro_f1", None),
        ("accuracy of eight emotions on test", "emotion_accuracy", "emotions", None),
        ("UAR of eight emotions on test", "emotion_uar", None, None),
    ):
        if key not in run.scores:
            continue
        low_to_high = "{:.3f} to {:.3f}".format(*bounds[interval]) if interval in bounds else ""
        rows.append((name, score(run.scores[key]), low_to_high, score(then)))
    title = f"{run.info['name']}, protocol {run.info['protocol']}"
    print_table(title, ["score", "here", "95 % interval", "the original"], rows)
    out.print(evaluation.report(run.part("test")).round(3).to_string(), highlight=False)
    out.print(f"{run.info['seconds']} s. Every prediction is in {settings.workspace / 'runs' / run.id}", soft_wrap=True)
