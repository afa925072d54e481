"""Commands for hyperparameter search: `tune`, `worker` and `preset`."""

import os

from ser_core.cli.clips import clips
from ser_core.cli.screen import print_table, progress, say
from ser_core.results import runs
from ser_core.tuning import best_trial, results, search, storage, studies


def tune(options, settings):
    """Search a model's hyperparameters in a study."""
    names = ("model", "space", "cv", "folds", "sampler", "pruner", "seed")
    plan = studies.Plan(**{name: getattr(options, name) for name in names})
    plan.check()
    url = options.storage or storage.url(settings)
    table = clips(options, settings)
    name = studies.own_name(plan, studies.list_all(settings, url), options.name)
    study = studies.create(plan, url, table, trials=options.trials, name=name, resume=options.resume)
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
    url = options.storage or storage.url(settings)
    with progress(f"Working on {options.study}", "trial", options) as advance:
        done = search.work(
            options.study,
            url,
            clips(options, settings),
            number=os.getpid() if options.number is None else options.number,
            timeout_s=options.timeout,
            heartbeat_s=options.heartbeat,
            progress=advance,
        )
    answer = {"study": options.study, "trials_here": done}
    return answer, 0, lambda: say(f"{done} trials of {options.study} were run here")


def preset(options, settings):
    """Save a study's best trial as a preset, and evaluate it once on the test clips."""
    study = studies.load(studies.find(options.study, settings))
    table = clips(options, settings)
    with progress("Evaluating the best", "fold", options) as advance:
        saved, new = best_trial.save_preset(
            study, table, settings, name=options.name, jobs=options.jobs, progress=advance
        )
    answer = _preset_answer(saved, new, settings)
    return answer, 0, lambda: _show_preset(saved, answer)


def _study_answer(study) -> dict:
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
    run = runs.get(saved.run, settings.stores)
    scores = {name: run.scores[name] for name in ("train_accuracy", "cv_accuracy", "test_accuracy", "uar")}
    return {"preset": saved.name, "new": new, "trials_tried": saved.trials, "run": saved.run} | scores


def _show_preset(saved, answer: dict) -> None:
    say(
        f"Preset {saved.name} of {saved.model}{'' if answer['new'] else ' existed already'}: accuracy on test "
        f"{answer['test_accuracy']:.3f}, CV5 {answer['cv_accuracy']:.3f}; the best of {saved.trials} trials, "
        f"chosen without the test part. Use it: python -m ser_core run {saved.model} --preset {saved.name}"
    )
