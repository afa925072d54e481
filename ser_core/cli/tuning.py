"""Commands for hyperparameter search: `tune`, `worker` and `preset`."""

import argparse
import os

from ser_core.cli.options import add_jobs, add_table, count, read_table, seed
from ser_core.cli.screen import print_table, progress, say


def add(command) -> None:
    """Add `tune`, `worker` and `preset` to the command line."""
    sub = command("tune", tune, "search a model's hyperparameters with Optuna, on training clips only", writes=True)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--trials", type=count, default=50, metavar="N", help="total, over all resumes (default: 50)")
    sub.add_argument("--timeout", type=float, metavar="S", help="seconds after which no trial is started")
    sub.add_argument("--space", default="ours", help="search space: ours or study (default: ours)")
    sub.add_argument(
        "--cv", default="study", help="folds: study (shared actors, accuracy; default) or actors (held out, UAR)"
    )
    sub.add_argument("--folds", type=int, default=5, metavar="K", help="3 to 5 (default: 5)")
    sub.add_argument("--sampler", default="tpe", help="tpe or random (default: tpe)")
    sub.add_argument("--pruner", default="median", help="median, wilcoxon or none (default: median)")
    sub.add_argument("--seed", type=seed, default=9)
    sub.add_argument("--workers", type=count, metavar="N", help="processes (default: all cores)")
    sub.add_argument("--name", default="", help="of the study (default: derived from the options above)")
    sub.add_argument("--resume", action="store_true", help="continue the study of that name, if there is one")
    sub.add_argument("--save-preset", action="store_true", help="save the best trial as a preset and test it once")
    _add_study_place(sub)

    sub = command("worker", worker, "run trials of a study that `tune` started on this or another machine", writes=True)
    sub.add_argument("--study", required=True, metavar="NAME")
    sub.add_argument("--timeout", type=float, metavar="S", help="seconds after which no trial is started")
    sub.add_argument(
        "--number", type=int, metavar="N", help="of this worker, so that no two sample the same (default: any)"
    )
    _add_study_place(sub)

    sub = command("preset", preset, "save a study's best trial as a preset and test it once", writes=True)
    sub.add_argument("study", metavar="STUDY")
    sub.add_argument("--name", default="", help="of the preset (default: the study's name)")
    add_table(sub)
    add_jobs(sub)


def _add_study_place(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--storage", metavar="URL", help="the studies' database (default: SER_OPTUNA_STORAGE, or SQLite)")
    sub.add_argument("--heartbeat", type=count, default=10, metavar="S", help="seconds between a worker's heartbeats")
    add_table(sub)


def tune(options, settings):
    """Search a model's hyperparameters in a study."""
    from ser_core.tuning import best_trial, search, storage, studies

    names = ("model", "space", "cv", "folds", "sampler", "pruner", "seed")
    plan = studies.Plan(**{name: getattr(options, name) for name in names})
    plan.check()
    url = options.storage or storage.url(settings)
    table = read_table(options, settings)
    study = studies.create(plan, url, table, trials=options.trials, name=options.name, resume=options.resume)
    with progress(f"Tuning {options.model}", "trial", options) as advance:
        search.tune(
            study,
            url,
            table,
            workers=options.workers or 0,
            features=options.features,
            timeout_s=options.timeout,
            heartbeat_s=options.heartbeat,
            progress=advance,
        )
    answer = _study_answer(study)
    saved = None
    if options.save_preset:
        with progress("Evaluating the best", "fold", options) as advance:
            saved, new = best_trial.save_preset(study, table, settings, progress=advance)
        answer |= _preset_answer(saved, new, settings)

    def show():
        _show_study(study, answer)
        if saved:
            _show_preset(saved, answer)
        else:
            say(f"Save the best trial as a preset: python -m ser_core preset {study.study_name}")

    return answer, 0, show


def worker(options, settings):
    """Run trials of an existing study."""
    from ser_core.tuning import search, storage

    url = options.storage or storage.url(settings)
    with progress(f"Working on {options.study}", "trial", options) as advance:
        done = search.work(
            options.study,
            url,
            read_table(options, settings),
            number=os.getpid() if options.number is None else options.number,
            timeout_s=options.timeout,
            heartbeat_s=options.heartbeat,
            progress=advance,
        )
    answer = {"study": options.study, "trials_here": done}
    return answer, 0, lambda: say(f"{done} trials of {options.study} were run here")


def preset(options, settings):
    """Save a study's best trial as a preset, and evaluate it once on the test clips."""
    from ser_core.tuning import best_trial, studies

    study = studies.load(studies.find(options.study, settings))
    table = read_table(options, settings)
    with progress("Evaluating the best", "fold", options) as advance:
        saved, new = best_trial.save_preset(
            study, table, settings, name=options.name, jobs=options.jobs, progress=advance
        )
    answer = _preset_answer(saved, new, settings)
    return answer, 0, lambda: _show_preset(saved, answer)


def _study_answer(study) -> dict:
    from ser_core.tuning import results

    best = results.best(study)
    states = results.table(study)["state"].value_counts().to_dict()
    answer = {"study": study.study_name, "trials": states, "best": None}
    if best:
        found = results.parameters(study, best)
        answer["best"] = {"trial": best.number, "score": best.value, "parameters": found}
    return answer


def _show_study(study, answer: dict) -> None:
    states = ", ".join(f"{number} {state}" for state, number in answer["trials"].items())
    say(f"Study {answer['study']}: trials {states}")
    if answer["best"]:
        what = "UAR, actors held out" if study.user_attrs["cv"] == "actors" else "accuracy"
        title = (
            f"Best: trial {answer['best']['trial']}, {answer['best']['score']:.4f} mean {what}, "
            f"of {study.user_attrs['folds']} folds of the training part"
        )
        print_table(title, ["parameter", "value"], list(answer["best"]["parameters"].items()))


def _preset_answer(saved, new, settings) -> dict:
    from ser_core.results import runs

    run = runs.get(saved.run, settings.stores)
    scores = {name: run.scores[name] for name in ("train_accuracy", "cv_accuracy", "test_accuracy", "uar")}
    return {"preset": saved.name, "new": new, "trials_tried": saved.trials, "run": saved.run} | scores


def _show_preset(saved, answer: dict) -> None:
    say(
        f"Preset {saved.name} of {saved.model}{'' if answer['new'] else ' existed already'}: accuracy on test "
        f"{answer['test_accuracy']:.3f}, CV5 {answer['cv_accuracy']:.3f}; the best of {saved.trials} trials, "
        f"chosen without the test part. Use it: python -m ser_core run {saved.model} --preset {saved.name}"
    )
