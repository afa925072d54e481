"""Commands that fit and evaluate models: `run`, `train`, `verify` and `import-run`."""

from argparse import Namespace
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pandas as pd

from ser_core import durations, evaluation, experiments, extras
from ser_core.audio import conditions
from ser_core.cli.clips import clips, with_features
from ser_core.cli.screen import complain, print_table, progress, say, score
from ser_core.corpus.clips import speakers_of
from ser_core.corpus.labels import LABELS, require_classes
from ser_core.errors import ModelError
from ser_core.evaluation import protocols
from ser_core.experiments import fusion, nested, other_corpus, runner, verification
from ser_core.features import elsewhere, encoder, model_input, tables
from ser_core.features import registry as feature_sets
from ser_core.features.feature_set import is_from_elsewhere
from ser_core.models import deep, foreign, registry
from ser_core.prediction import model_store
from ser_core.results import comparison, generalization, imported, runs

# Values of --features that stand for a feature set with an augmentation.
ALIASES = {"voices": {"features": "functionals", "augmentation": "speaker-perturbation"}}


def run(options, settings):
    """Fit and test a model under a protocol, with one seed or several, and save each run."""
    seeds = range(options.seed, options.seed + options.seeds)
    results = [_experiment(_with_seed(options, seed), settings)[0] for seed in seeds]
    answers = []
    for result in results:
        answer = run_answer(result.run)
        if result.heard:
            answer["heard"] = [{"condition": one.heard} | run_answer(one) for one in result.heard]
        answers.append(answer)

    def show():
        for result in results:
            _show_run(result.run, settings)
            if result.heard:
                _show_heard(result.heard)
        if len(results) > 1:
            _show_seeds([result.run for result in results])

    if len(results) == 1:
        return answers[0], 0, show
    table = over_seeds([result.run for result in results])
    return (
        {
            **{name: answers[0][name] for name in ("model", "protocol", "preset")},
            "seeds": list(seeds),
            "runs": answers,
            "mean": table["mean"].to_dict(),
            "deviation": table["deviation"].to_dict(),
        },
        0,
        show,
    )


def _with_seed(options, seed: int) -> Namespace:
    return Namespace(**vars(options) | {"seed": seed})


def over_seeds(found) -> pd.DataFrame:
    """Mean and standard deviation of the scores of runs that differ in their seed alone.

    Parameters
    ----------
    found : sequence of results.runs.Run

    Returns
    -------
    pd.DataFrame
        One row a score, those that the protocol is usually judged by first: `mean` and `deviation`.
    """
    scores = pd.DataFrame([run.scores for run in found])
    names = [key for key, *_ in _scores_shown(found[0]) if key in scores]
    table = scores[names].agg(["mean", "std"]).T
    return table.rename(columns={"std": "deviation"})


def _show_seeds(found) -> None:
    table = over_seeds(found)
    rows = [
        (name, *(score(run.scores[key]) for run in found), score(table.loc[key, "mean"], table.loc[key, "deviation"]))
        for key, name, _ in _scores_shown(found[0])
        if key in table.index and _is_shown(key, found[0])
    ]
    seeds = [f"seed {run.recipe.seed}" for run in found]
    print_table(f"{found[0].name}: {len(found)} seeds", ["score", *seeds, "mean ± deviation"], rows)
    if not table["deviation"].any():
        say("No score depends on the seed: this model learns the same from the same clips.")


def _show_heard(found) -> None:
    rows = [(conditions.get(one.heard).title, *_heard_scores(one)) for one in found]
    title = "The same test clips, heard in other conditions"
    print_table(title, ["condition", "accuracy", "emotions right", "95% interval", "UAR of emotions"], rows)


def _heard_scores(run) -> tuple[str, ...]:
    right, low, high = run.accuracy_interval("emotion")
    return (
        score(run.scores["test_accuracy"]),
        score(right),
        f"{low:.3f} to {high:.3f}",
        score(run.scores["emotion_uar"]),
    )


def train(options, settings):
    """Do what `run` does, and save the fitted model for predictions."""
    result, table = _experiment(options, settings, training=True)
    if result.model is None:  # several test folds, each with a model of its own
        return run_answer(result.run), 0, lambda: _show_run(result.run, settings)
    tests = model_store.Tests.of(result.run, runs.list_all(settings.stores))
    entry = model_store.save(result, table, settings.workspace, tests=tests)

    def show():
        _show_run(result.run, settings)
        say(f"Saved as {entry.folder}. Use it: python -m ser_core predict FILE --model {entry.key}")

    return run_answer(result.run) | {"artifact": str(entry.folder)}, 0, show


def import_run(options, settings):
    """Save predictions that were made elsewhere as a run."""
    table = clips(options, settings)
    run = imported.read(options.file, table, options.protocol, name=options.name).own
    runs.save(run, settings.workspace)
    return run_answer(run), 0, lambda: _show_run(run, settings)


def verify(options, settings):
    """Repeat a saved run and count the predictions that changed."""
    protocols.get(options.protocol)  # raises before any work
    found = runs.list_all(settings.stores)
    if options.run not in {run.id for run in found}:
        found = [run for run in found if run.test == options.protocol]
    (run,) = comparison.find([options.run], found)
    table = clips(options, settings)
    code = None
    if options.code:
        code = foreign.from_shell(options.code, features=run.recipe.features, seed=run.recipe.seed)
    with progress(f"Repeating {run.id}", "fold", options) as advance:
        result = verification.verify(
            run,
            table,
            settings,
            weights=options.weights,
            test_on=options.test_on,
            code=code,
            jobs=options.jobs,
            progress=advance,
        )

    def show():
        say(
            f"{result.run}: {result.changed} of {result.predictions:,} predicted classes changed "
            f"({result.changed_emotions} in the emotion); the largest difference of a probability is "
            f"{result.largest_difference:.2g}"
        )
        if result.environment:
            rows = [(name, then or "not recorded", now) for name, (then, now) in result.environment.items()]
            print_table("Differences of the environment", ["what", "then", "now"], rows)

    return asdict(result), 0, show


def _experiment(options, settings, *, training=False):
    """Run the experiment that the options describe, and save it as one of this installation's own runs."""
    protocols.get(options.protocol)  # raises before any work
    _conditions(options)
    calibration = getattr(options, "calibrate", None) or ""
    if calibration and not options.test_on:
        options.protocol = protocols.calibrated(options.protocol, calibration)
    if not foreign.is_key(options.model) and (options.features or "").startswith(encoder.PREFIX):
        registry.recipe(options.model, features=options.features)  # raises before all clips are encoded
    table = clips(options, settings) if elsewhere.is_file(options.features) else None
    code = _own_code(options, table, training) if foreign.is_key(options.model) else None
    recipe = code.recipe if code else _recipe(options, table, settings)
    model = registry.get(recipe.model)
    if training and is_from_elsewhere(recipe.features):
        raise ModelError(
            f"A model of {recipe.features} could not predict a recording, whose features are not made here: test it "
            "with run"
        )
    if model.trains_in_epochs:
        extras.require("train", f"Model {model.key}")
    if table is None:
        table = tables.read(settings.feature_table)
    if training:
        require_classes(table["label"])
    runs.make_store(settings.workspace)  # before any work: it would be lost
    other = _other_corpus(options, table)
    if other and options.features and elsewhere.is_named(options.features):
        other = replace(other, clips=with_features(other.clips, options, settings))
    elif other and is_from_elsewhere(recipe.features):
        raise ModelError(
            f"{options.features} holds no features of the clips of {other.name}, and {recipe.features} are not made "
            f"here. Make one table of both corpora (python -m ser_core index A B --out both.csv; extract both.csv "
            "--features F --out both.parquet), and test each on the other: --protocol split-corpus"
        )
    if model.learns_from_clips:
        experiments.check(recipe, table, None if other else options.protocol)  # raises before features are extracted
        result = _fit(code or recipe, recipe, table, other, options, settings, training)
        _say_what_was_not_used(recipe, table, options)
    else:
        if training:
            model.build(recipe)  # raises: such a vote is not fitted
        if not other:
            protocols.get(options.protocol).folds(table)  # raises if they cannot be made
        found = runs.list_all(settings.stores)
        protocol = other.protocol if other else options.protocol
        of = {"protocol": protocol, "data_digest": tables.digest(table)}
        fused, *heard = (
            fusion.fuse(recipe, *fusion.members(recipe, found, heard=condition, **of))
            for condition in ("", *_conditions(options))
        )
        result = experiments.Result(fused, None, heard)
    return experiments.keep(result, settings), table


def _say_what_was_not_used(recipe, table, options) -> None:
    held = tables.features_of(table)
    if elsewhere.is_file(options.features) and held and held.key != recipe.features:
        complain(
            f"{options.model} learned from {recipe.features}, which were measured on the clips of {options.features}; "
            f"the {held.key} in it were not used"
        )


def _conditions(options) -> list[str]:
    """The recording conditions in which to test, too."""
    named = getattr(options, "heard", None)
    lists = {"all": conditions.CONDITIONS, "small": conditions.SMALL_CHANGES}
    if named in lists:
        return list(lists[named])
    return [conditions.get(named).key] if named else []


def _other_corpus(options, table) -> other_corpus.OtherCorpus | None:
    """The corpus to test on in place of a protocol; what cannot be used of it is told."""
    place = getattr(options, "test_on", None)
    if not place:
        return None
    if options.protocol != "study" or options.heard:
        raise ModelError("--test-on trains on all clips and tests on others: leave out --protocol and --heard")
    other = other_corpus.read(place, table)
    for one in other.rejected:
        complain(f"Left out {one.file}: {one.reason}")
    return other


def _fit(model, recipe, table, other, options, settings, training):
    """Fit and test a model that learns from clips; with `training`, a network without cross-validation.

    `model` is the recipe, or the code that it records.
    """
    load = partial(
        model_input.load, settings=settings, features=recipe.features, weights=options.weights, jobs=options.jobs
    )
    with progress(f"Preparing clips for {recipe.model}", "clip", options) as advance:
        features = load(table, augmentation=recipe.augmentation, progress=advance)
    epochs = registry.get(recipe.model).trains_in_epochs
    words, unit = ("Training", "epoch") if epochs else ("Fitting", "fold")
    if other:
        with progress(f"Preparing clips of {other.name}", "clip", options) as advance:
            tested = load(other.clips, progress=advance)
        with progress(f"{words} {recipe.model}", unit, options) as advance:
            watched = experiments.Training(partial(_watch, advance, options.report), settings.training)
            made = experiments.run_on(
                model,
                table,
                other,
                features=features,
                tested=tested,
                calibration=getattr(options, "calibrate", None) or "",
                training=watched,
            )
        return experiments.Result(made, None)
    heard, chosen = [], _conditions(options)
    folds = protocols.get(options.protocol).folds(table) if chosen else []
    rows = np.unique(np.concatenate([rows for fold in folds for rows in _heard_rows(fold)])) if folds else None
    for condition in chosen:
        with progress(f"Hearing clips {conditions.in_words(condition)}", "clip", options) as advance:
            heard.append(load(table, heard=condition, rows=rows, progress=advance))
    with progress(f"{words} {recipe.model}", unit, options) as advance:
        return experiments.run(
            model,
            table,
            protocol=options.protocol,
            features=features,
            heard=heard,
            cv=not (training and epochs) or options.cv,
            jobs=options.jobs,
            progress=None if epochs else advance,
            training=experiments.Training(partial(_watch, advance, options.report), settings.training),
        )


def _heard_rows(fold):
    """The clips of a fold that are heard in a condition: those tested, and those heard before."""
    return [fold.held_out, *(one.clips for one in fold.known)] if fold.part == "test" else []


def _own_code(options, table, training) -> foreign.OwnCode:
    """The estimator of `run module:factory`, which is imported for somebody at a shell alone."""
    if options.model.startswith(foreign.IMPORTED):
        raise ModelError(f"{options.model} predicted elsewhere: its run is saved by import-run")
    if options.report:
        raise ModelError(f"{options.model} is own code, which runs from a shell alone and never as a job")
    if training:
        raise ModelError(
            f"{options.model} is own code, and loading a model here runs none, so that it cannot be kept: test it with "
            "run"
        )
    ours = ("preset", "augmentation", "preprocessing", "weight", "tune", "calibrate")
    given = [f"--{name}" for name in ours if getattr(options, name) is not None]
    given += ["--features voices"] if options.features in ALIASES else []
    if given:
        raise ModelError(f"{options.model} is own code and takes no {given[0]}: leave it out")
    held = tables.features_of(table) if table is not None else None
    seen = held.key if held else feature_sets.key_of(options.features or "mean180")
    return foreign.from_shell(options.model, features=seen, seed=options.seed)


def _recipe(options, table, settings):
    """The recipe that the options describe. The table is that of --features, if it is one."""
    choices = {name: getattr(options, name) for name in ("preset", "augmentation", "preprocessing", "seed")}
    choices["stores"] = settings.stores
    held = None if table is None else tables.features_of(table)
    if options.features in ALIASES:
        choices |= ALIASES[options.features]
    elif held is None:
        choices["features"] = options.features
    elif is_from_elsewhere(held.key):
        choices["features"] = held.key
    recipe = registry.recipe(options.model, **choices)
    model = registry.get(recipe.model)
    if held and recipe.features == "mean180" and model.learns_from_clips and not model.trains_in_epochs:
        recipe = registry.recipe(options.model, **choices, features=held.key)  # with the parameters that suit them
    if trials := getattr(options, "tune", None):
        if recipe.origin != "default":
            raise ModelError(f"--tune searches the parameters itself: leave out --preset {options.preset}")
        recipe = nested.recipe(recipe, trials, held.names if held and held.key == recipe.features else ())
    if (weight := getattr(options, "weight", None)) is not None:
        if model.learns_from_clips:
            votes = ", ".join(key for key, one in registry.MODELS.items() if not one.learns_from_clips)
            raise ModelError(f"{options.model} is no vote of two runs and takes no --weight. Such votes are {votes}")
        recipe = model.with_weight(recipe, weight)
    chosen = {name: value for name in deep.OPTIONS if (value := getattr(options, name, None)) is not None}
    if chosen:
        if not model.options:
            able = ", ".join(key for key, one in registry.MODELS.items() if one.options)
            raise ModelError(
                f"{options.model} is no network and takes no {', '.join(map(deep.as_option, chosen))}. "
                f"Networks are {able}"
            )
        recipe = model.with_options(recipe, chosen)
    return recipe


def _watch(advance, report, epoch: dict) -> None:
    """Report an epoch of a network's training."""
    advance(*runner.epochs_done(epoch))
    if report:
        report.event("epoch", **epoch)


def run_answer(run) -> dict:
    """The answer of a command about a run, for `--json`.

    Parameters
    ----------
    run : results.runs.Run

    Returns
    -------
    dict
    """
    names = ["train_accuracy", "cv_accuracy", "test_accuracy", "uar", "macro_f1", "emotion_accuracy", "emotion_uar"]
    more = {}
    if run.tested_on:
        names += ["emotion_claimed", "shared_emotion_accuracy", "shared_emotion_uar"]
        more = {"tested_on": run.tested_on, "other_clips": len(run.part(evaluation.OTHER))}
    return {
        "model": run.recipe.model,
        "protocol": run.protocol,
        "preset": run.recipe.preset,
        "test_counts": run.test_counts,
        "seconds": run.seconds.total,
        **{name: run.scores.get(name) for name in names},
        "emotion_ua": run.scores.get("emotion_ua"),
        "folds": run.folds,
        "run": run.id,
        "recipe": asdict(run.recipe),
        **more,
    }


# Scores of a run: key, name, and the score of each fold of `evaluation.over_folds` that it summarises (part, key).
_OF_TRAINING = (
    ("train_accuracy", "accuracy on train", None),
    ("cv_accuracy", "accuracy, five folds of train", ("cv", "accuracy")),
)
_OF_CLASSES = (
    ("test_accuracy", "accuracy on test", ("test", "accuracy")),
    ("uar", "UAR on test", ("test", "uar")),
    ("macro_f1", "macro F1 on test", None),
)
_OF_EMOTIONS = (
    ("emotion_accuracy", "accuracy of eight emotions on test", ("test", "emotion_accuracy")),
    ("emotion_ua", "UA of eight emotions: mean UAR of the folds", ("test", "emotion_uar")),
    ("emotion_uar", "UAR of eight emotions on test", None),
    ("shared_emotion_uar", "UAR among the emotions of the test", None),
)


def _scores_shown(run) -> tuple:
    """The scores of a run, those first that publications under its protocol give."""
    if protocols.get(run.protocol).usual_kind == "emotion":
        return _OF_EMOTIONS + _OF_CLASSES + _OF_TRAINING
    return _OF_TRAINING + _OF_CLASSES + _OF_EMOTIONS


def _is_shown(key: str, run) -> bool:
    """Where the classes are emotions, the scores of the eight emotions are those of the classes again."""
    return evaluation.classes(run.predictions) == LABELS or not key.startswith("emotion_")


def _show_run(run, settings) -> None:
    protocol, test = protocols.get(run.protocol), run.part("test")
    has_study_classes = evaluation.classes(run.predictions) == LABELS
    bounds = run.intervals
    original = comparison.original_of(run, runs.list_all(settings.stores))
    rows, folds = [], run.folds
    for key, name, of_fold in _scores_shown(run):
        if key not in run.scores or not _is_shown(key, run):
            continue
        low_to_high = "{:.3f} to {:.3f}".format(*bounds[key]) if key in bounds else ""
        part, of_part = of_fold or ("", "")
        of_part = of_part if has_study_classes or of_part.startswith("emotion_") else f"emotion_{of_part}"
        over = score(folds[part]["mean"].get(of_part), folds[part]["deviation"].get(of_part)) if part in folds else ""
        rows.append((name, score(run.scores[key]), low_to_high, over, score(getattr(original, key, None))))
    columns = ["score", "here", "95% interval", "mean ± deviation of folds", "original"]
    features = run.recipe.features
    saw = f", {features}" * (registry.get(run.recipe.model).learns_from_clips and features != foreign.FEATURES)
    corpora = ", ".join(sorted(test["corpus"].unique()))
    speakers = len(set(speakers_of(test)))
    print_table(f"{run.name}{saw}, protocol {run.protocol}", columns, rows)
    of_classes = " Scores that name no emotions are of the 16 classes." * has_study_classes
    say(f"Tested on {len(test):,} clips of {speakers} speakers of {corpora}.{of_classes}")
    if not run.tested_on and (unlearned := len(run.part(evaluation.OTHER))):
        say(f"{unlearned:,} more clips have an emotion that no training clip of their fold has, and are in no score.")
    say(f"Intervals are over {protocol.interval_over}.")
    kinds = evaluation.kinds(test)
    kind = protocol.usual_kind if protocol.usual_kind in kinds else kinds[0]
    if "test" in folds:
        _show_folds(folds["test"], "" if kind == "class" else "emotion_")
    report = evaluation.report(test, kind)
    say(report.round(3).to_string())
    if (report["clips"] == 0).any():
        say("UAR leaves out what has no test clips, and macro avg counts it as 0.")
    if run.tested_on:
        say(generalization.about_other_corpus(run))
    took = f"{durations.in_words(run.seconds.total)}. " if run.seconds.total else ""
    say(f"{took}Every prediction is in {settings.workspace / 'runs' / run.id}")


def _show_folds(folds: dict, prefix: str) -> None:
    names = [f"{prefix}accuracy", f"{prefix}uar"]
    rows = [(each["fold"], each["clips"], *(score(each[name]) for name in names)) for each in folds["each"]]
    summary = [score(folds["mean"][name], folds["deviation"][name]) for name in names]
    print_table("Fold by fold", ["fold", "clips", "accuracy", "UAR"], [*rows, ("mean ± deviation", "", *summary)])
