"""The command line. Each command prints a table, or with `--json` one JSON object on the last line of stdout.

Logs and progress go to stderr. Exit status: 0 done, 2 bad input (one clear line says what and what to do), 1 a fault.
"""

import argparse
import json
import logging
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.prompt import Confirm
from rich.table import Column, Table

import ser_core
from ser_core.errors import SerError
from ser_core.settings import Settings

out = Console()
err = Console(stderr=True)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    options = _parser().parse_args(arguments)
    try:
        answer, status, show = carry_out(options)
    except SerError as error:
        err.print(f"[red]Error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        return 2
    except KeyboardInterrupt:
        err.print("Stopped.")
        return 130
    if options.json:
        print(json.dumps(answer))
    else:
        show()
    return status


def carry_out(arguments: list[str] | argparse.Namespace, report=None):
    """Carry out a command: its answer (a dict), its exit status, and a function that shows the answer to a person.

    Parameters
    ----------
    arguments : list of str, or what the parser made of it
    report : jobs.worker.Report, optional
        Told of the progress, where the command is a job.

    Raises
    ------
    SerError
        If the input is bad.
    """
    options = _parser().parse_args(arguments) if isinstance(arguments, list) else arguments
    options.report = report
    settings = Settings.from_environment()
    if options.starts:
        settings.require_writable(options.starts)
    if not getattr(options, "dask", None):
        return options.command(options, settings)
    from ser_core import parallel

    with parallel.on(options.dask):
        return options.command(options, settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ser_core", description=ser_core.__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=ser_core.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, about, *, writes=False):
        sub = commands.add_parser(name, help=about, description=about)
        sub.add_argument(
            "--json",
            action="store_true",
            help="one JSON object on the last line of stdout (none where the input is bad: exit 2)",
        )
        sub.set_defaults(command=function, starts=name if writes else None)
        return sub

    sub = command("download", download, "bring the official RAVDESS clips here, going on where it stopped", writes=True)
    sub.add_argument("--speech", action="store_true", help="only speech, or with --song both")
    sub.add_argument("--song", action="store_true", help="only song, or with --speech both")
    sub.add_argument("--dest", type=Path, metavar="DIR", help="default: SER_DATA_DIR")
    sub.add_argument("--accept-licence", action="store_true", help="accept the licence without being asked")

    sub = command("index", index, "list the RAVDESS clips of a folder, and what is wrong with the others")
    sub.add_argument("folder", metavar="DIR")

    sub = command("extract", extract, "extract the features of every clip of a folder into a table", writes=True)
    sub.add_argument("folder", metavar="DIR")
    sub.add_argument("--out", required=True, type=Path, metavar="F.parquet")
    sub.add_argument("--features", default="study", metavar="SET", help="study (the 180, default) or functionals")
    _add_jobs(sub)

    sub = command(
        "spectrograms",
        spectrograms,
        "a 224 x 224 picture of every clip, in folders by part and class",
        writes=True,
    )
    sub.add_argument("--kind", default="mel", help="mel, mfcc or contrast (default: mel)")
    sub.add_argument("--out", required=True, type=Path, metavar="DIR", help="a new folder, or one to go on with")
    sub.add_argument("--data", type=Path, metavar="DIR", help="the clips (default: SER_DATA_DIR)")
    sub.add_argument("--augment", type=int, default=0, metavar="N", help="changed copies of each training clip to add")
    sub.add_argument("--seed", type=_seed, default=9, help="of the changed copies (default: 9)")
    _add_jobs(sub)

    sub = command("run", run, "one model under one protocol: fit, predict, score, keep every prediction", writes=True)
    _add_experiment(sub)
    sub.add_argument("--weight", type=float, metavar="W", help="of v_cnn_vgg16's cnn: 0 to 1 (default: 0.6, 3 : 2)")
    sub = command("train", train, "run a model under the study's split and keep it, for predicting", writes=True)
    _add_experiment(sub)
    _add_training(sub)

    sub = command("tune", tune, "look for a model's best parameters, with Optuna, on training clips only", writes=True)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--trials", type=_count, default=50, metavar="N", help="in all, over every resume (default: 50)")
    sub.add_argument("--timeout", type=float, metavar="S", help="seconds after which no trial is begun")
    sub.add_argument("--space", default="ours", help="ours or study: the ranges to look in (default: ours)")
    sub.add_argument(
        "--cv", default="study", help="folds: study (actors on both sides, accuracy) or actors (held out, UAR)"
    )
    sub.add_argument("--folds", type=int, default=5, metavar="K", help="3 to 5 (default: 5)")
    sub.add_argument("--sampler", default="tpe", help="tpe or random (default: tpe)")
    sub.add_argument("--pruner", default="median", help="median, wilcoxon or none (default: median)")
    sub.add_argument("--seed", type=_seed, default=9)
    sub.add_argument("--workers", type=_count, metavar="N", help="processes (default: all cores)")
    sub.add_argument("--name", default="", help="of the study (default: made of the choices above)")
    sub.add_argument("--resume", action="store_true", help="go on with the study of that name if there is one")
    sub.add_argument("--save-preset", action="store_true", help="make a preset of the best, tested once")
    _add_study_place(sub)

    sub = command("worker", worker, "work on a study that `tune` began, on this or another machine", writes=True)
    sub.add_argument("--study", required=True, metavar="NAME")
    sub.add_argument("--timeout", type=float, metavar="S", help="seconds after which no trial is begun")
    sub.add_argument(
        "--number", type=int, metavar="N", help="of this worker, so that it tries others than the rest (default: any)"
    )
    _add_study_place(sub)

    sub = command("preset", preset, "make a preset of a study's best trial and evaluate it, once", writes=True)
    sub.add_argument("study", metavar="STUDY")
    sub.add_argument("--name", default="", help="of the preset (default: the study's)")
    sub.add_argument("--features", type=Path, metavar="F.parquet", help="default: the shipped table of all clips")
    _add_jobs(sub)

    sub = command("predict", predict, "which emotion a trained model hears in each file")
    sub.add_argument("files", nargs="+", metavar="FILE")
    sub.add_argument("--model", default="best", metavar="KEY", help="a trained model (default: best)")

    sub = command("compare", compare, "every run under a protocol, shipped and own, beside the original numbers")
    sub.add_argument("--protocol", default="study", metavar="P", help="who was tested on what (default: study)")
    sub.add_argument(
        "--kind", default="class", help="what had to be named: class (16), emotion (8) or gender (default: class)"
    )
    sub.add_argument(
        "--pairs",
        nargs="+",
        metavar="RUN",
        help="two runs or more, as the table calls them or by id: does each pair differ? (McNemar, corrected)",
    )
    sub.add_argument("--format", default="table", help="table, csv, latex or markdown (default: table)")
    sub = command("jobs", jobs, "the long work that pages started: list it, stop it, go on with it, show its log")
    what = ("list", "show", "stop", "resume", "retry", "delete")
    sub.add_argument("what", nargs="?", default="list", choices=what, help="default: list")
    sub.add_argument("job", nargs="?", metavar="ID", help="of the list")

    command("doctor", doctor, "check this installation: packages, artifacts, data, workspace")

    sub = command("study", study, "make everything in artifacts/ anew from the clips (`make study`)", writes=True)
    sub.add_argument("--data", type=Path, metavar="DIR", help="the clips (default: SER_DATA_DIR)")
    sub.add_argument("--tune", action="store_true", help="tune every model first (half an hour more)")
    sub.add_argument(
        "--deep", nargs="*", metavar="MODEL", help="only the networks' runs (two hours), or those of these models"
    )
    sub.add_argument("--weights", type=Path, metavar="FILE", help="VGG16's ImageNet weights (default: downloaded)")
    _add_jobs(sub)
    return parser


def _jobs(text: str) -> int:
    number = int(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 processes do nothing: give 1 or more, or -1 for all cores")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: give 1 or more")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is no seed: give 0 to {2**32 - 1}")
    return number


def _add_jobs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--jobs", type=_jobs, default=-1, metavar="N", help="processes (default: all cores)")
    sub.add_argument(
        "--dask", metavar="tcp://HOST:PORT", help="work on this Dask cluster, whose machines see the same files"
    )


def _add_study_place(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--storage", metavar="URL", help="the studies' database (default: SER_OPTUNA_STORAGE, or SQLite)")
    sub.add_argument("--heartbeat", type=_count, default=10, metavar="S", help="seconds between signs of life")
    sub.add_argument("--features", type=Path, metavar="F.parquet", help="default: the shipped table of all clips")


def _add_experiment(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--preset", default="default", help="default (ours), study (the authors' values), or a tuned one")
    sub.add_argument(
        "--features",
        type=Path,
        metavar="SET",
        help="study (the 180, default), functionals (the second set), or a table F.parquet of your clips' 180",
    )
    sub.add_argument("--seed", type=_seed, default=9)
    sub.add_argument(
        "--protocol",
        default="study",
        help="study, study-speech, repetition, statement, actors-K, actors-K-SEED, emobox, luna-jimenez; the last two "
        "with +song train on the other actors' song, too (default: study)",
    )
    sub.add_argument(
        "--weights", type=Path, metavar="FILE", help="ImageNet weights of vgg16 and its relatives (default: downloaded)"
    )
    _add_jobs(sub)


def _add_training(sub: argparse.ArgumentParser) -> None:
    """Options of networks. What is left out stays as the preset has it."""
    more = sub.add_argument_group("networks only", "The options' own values, in the place of the preset's.")
    more.add_argument("--epochs", type=_count, metavar="N", help="at most")
    more.add_argument("--batch-size", type=_count, metavar="B", help="clips a step")
    more.add_argument("--learning-rate", type=float, metavar="X", help="how far a step goes")
    more.add_argument("--optimizer", choices=["sgd", "adam"])
    more.add_argument("--dropout", type=float, metavar="Y", help="share of units left out while learning: 0 to 0.9")
    more.add_argument("--l1", type=float, metavar="X", help="penalty on the sizes of weights")
    more.add_argument("--l2", type=float, metavar="X", help="penalty on the squares of weights")
    flag = argparse.BooleanOptionalAction
    more.add_argument("--augment", action=flag, default=None, help="learn from changed copies (log-mel frames only)")
    more.add_argument("--validation", type=float, metavar="S", help="share of the training clips to watch: 0 to 0.5")
    more.add_argument("--patience", type=_count, metavar="N", help="epochs without a better validation until it ends")
    more.add_argument("--cv", action="store_true", help="also the five folds of the training part, as `run` does")


# Each command returns its answer for --json, its exit status, and how to show the answer to a person.


def download(options, settings):
    from ser_core import download as downloading

    _accept_licence(downloading.LICENCE, options)
    wanted = [
        archive
        for archive in downloading.ARCHIVES
        if options.speech == options.song or getattr(options, archive.part)  # neither is both
    ]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    started = time.perf_counter()
    try:
        with Progress(*columns, console=err, disable=options.json or options.report is not None) as bar:
            tasks = {}

            def advance(at):
                step = (at.part, "downloading" if at.phase == "waiting" else at.phase)
                what = f"{at.phase.capitalize()} {at.part}"
                if step not in tasks:  # begun where an earlier try stopped, so that the rate is of what arrives now
                    tasks[step] = bar.add_task(what, total=at.total, completed=at.done)
                bar.update(tasks[step], description=what, completed=at.done)
                if options.report:
                    options.report.progress(what, at.done, at.total, at.words)

            done = downloading.download(wanted, options.dest or settings.data_dir, progress=advance)
    except KeyboardInterrupt:
        err.print("What has arrived is kept: run it again to go on from there.")
        raise
    answer = {
        "dest": str(done.dest),
        "downloaded": list(done.parts),
        "already_there": list(done.already_there),
        "clips": done.clips,
        "bytes": done.bytes,
        "seconds": round(time.perf_counter() - started, 2),
    }

    def show():
        if done.parts:
            said = f"{done.clips:,} clips ({' and '.join(done.parts)}) are new in {done.dest}"
            out.print(said, markup=False, highlight=False, soft_wrap=True)
        if done.already_there:
            said = f"All clips of {' and '.join(done.already_there)} were already in {done.dest}: nothing to download"
            out.print(said, markup=False, highlight=False, soft_wrap=True)

    return answer, 0, show


def _accept_licence(licence: str, options) -> None:
    from ser_core.errors import DownloadError

    err.print(licence, markup=False, highlight=False, soft_wrap=True)
    if options.accept_licence:
        return
    if not sys.stdin.isatty():
        raise DownloadError("The licence must be accepted, and there is no terminal to ask at: add --accept-licence")
    try:
        accepted = Confirm.ask("Do you accept this licence?", console=err, default=False)
    except EOFError:
        accepted = False
    if not accepted:
        raise DownloadError("Nothing was downloaded, since the licence was not accepted")


def index(options, settings):
    from ser_core import corpus

    found = corpus.index(options.folder)
    clips = found.clips
    answer = {
        "clips": len(clips),
        "speech": int((clips["channel"] == "speech").sum()),
        "song": int((clips["channel"] == "song").sum()),
        "actors": int(clips["actor"].nunique()),
        "rejected": _left_out(found.rejected),
    }

    def show():
        out.print(
            f"{answer['clips']:,} clips ({answer['speech']:,} speech, {answer['song']:,} song) of "
            f"{answer['actors']} actors"
        )
        if found.rejected:
            _print_table("Left out", ["file", "reason"], [(item.file, item.reason) for item in found.rejected])

    return answer, 0, show


def extract(options, settings):
    from ser_core import corpus
    from ser_core.errors import FeatureError
    from ser_core.features import inputs, store

    started = time.perf_counter()
    if options.features not in inputs.TABLES:
        raise FeatureError(f"There is no feature set {options.features!r}; there is {' and '.join(inputs.TABLES)}")
    features = inputs.TABLES[options.features]
    found = corpus.index(options.folder)
    with _progress("Extracting", options) as advance:
        extraction = store.load_table(found, settings.workspace, features=features, jobs=options.jobs, progress=advance)
    store.save_table(extraction.table, options.out)
    _print_left_out(extraction.rejected)
    answer = {
        "clips": len(extraction.table),
        "features": len(features.NAMES),
        "extracted": extraction.extracted,
        "reused": extraction.reused,
        "seconds": round(time.perf_counter() - started, 2),
        "rejected": _left_out(extraction.rejected),
    }

    def show():
        out.print(
            f"{answer['clips']:,} clips, {answer['features']} features each, in {options.out}: "
            f"{answer['extracted']:,} extracted, {answer['reused']:,} reused, {answer['seconds']} s",
            soft_wrap=True,
        )

    return answer, 0, show


def spectrograms(options, settings):
    from ser_core import corpus
    from ser_core.features import images

    started = time.perf_counter()
    with _progress("Drawing", options) as advance:
        written = images.write(
            corpus.index(options.data or settings.data_dir),
            options.out,
            kind=options.kind,
            copies=options.augment,
            seed=options.seed,
            jobs=options.jobs,
            progress=advance,
        )
    _print_left_out(written.rejected)
    answer = {
        "pictures": written.train + written.test,
        "train": written.train,
        "test": written.test,
        "made": written.made,
        "reused": written.train + written.test - written.made,
        "seconds": round(time.perf_counter() - started, 2),
        "rejected": _left_out(written.rejected),
    }

    def show():
        out.print(
            f"{answer['pictures']:,} pictures in {written.folder} ({answer['train']:,} to train on, {answer['test']:,} "
            f"to test on): {answer['made']:,} made, {answer['reused']:,} reused, {answer['seconds']} s",
            soft_wrap=True,
        )

    return answer, 0, show


def _left_out(rejected) -> list[dict]:
    return [{"file": item.file, "reason": item.reason} for item in rejected]


def _print_left_out(rejected) -> None:
    for item in rejected:
        err.print(f"Left out {item.file}: {item.reason}", markup=False, soft_wrap=True, highlight=False)


def run(options, settings):
    result, _ = _experiment(options, settings)
    _keep(result.run, settings)
    return _run_answer(result.run), 0, lambda: _show_run(result.run, settings)


def train(options, settings):
    from ser_core import artifacts

    result, table = _experiment(options, settings, training=True)
    _keep(result.run, settings)
    if result.model is None:  # everybody was tested by a model of the others
        return _run_answer(result.run), 0, lambda: _show_run(result.run, settings)
    entry = artifacts.save(result, table, settings.workspace)

    def show():
        _show_run(result.run, settings)
        out.print(
            f"Kept as {entry.folder}. Use it: python -m ser_core predict FILE --model {entry.key}", soft_wrap=True
        )

    return _run_answer(result.run) | {"artifact": str(entry.folder)}, 0, show


def tune(options, settings):
    from ser_core.features import store
    from ser_core.tuning import storage, studies

    names = ("model", "space", "cv", "folds", "sampler", "pruner", "seed")
    plan = studies.Plan(**{name: getattr(options, name) for name in names})
    plan.check()
    url = options.storage or storage.url(settings)
    table = store.read_table(options.features or settings.feature_table)
    study = studies.create(plan, url, table, trials=options.trials, name=options.name, resume=options.resume)
    with _progress(f"Tuning {options.model}", options) as advance:
        studies.tune(
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
        with _progress("Evaluating the best", options) as advance:
            saved = studies.save_preset(study, table, settings, progress=advance)
        answer |= _preset_answer(*saved, settings)

    def show():
        _show_study(study)
        if saved:
            _show_preset(*saved, settings)
        else:
            out.print(f"Make a preset of the best: python -m ser_core preset {study.study_name}", soft_wrap=True)

    return answer, 0, show


def worker(options, settings):
    import os

    from ser_core.features import store
    from ser_core.tuning import storage, studies

    url = options.storage or storage.url(settings)
    with _progress(f"Working on {options.study}", options) as advance:
        done = studies.work(
            options.study,
            url,
            store.read_table(options.features or settings.feature_table),
            number=os.getpid() if options.number is None else options.number,
            timeout_s=options.timeout,
            heartbeat_s=options.heartbeat,
            progress=advance,
        )
    answer = {"study": options.study, "trials_here": done}
    return answer, 0, lambda: out.print(f"{done} trials of {options.study} were done here", soft_wrap=True)


def preset(options, settings):
    from ser_core.features import store
    from ser_core.tuning import studies

    study = studies.load(studies.find(options.study, settings))
    table = store.read_table(options.features or settings.feature_table)
    with _progress("Evaluating the best", options) as advance:
        saved = studies.save_preset(study, table, settings, name=options.name, jobs=options.jobs, progress=advance)
    return _preset_answer(*saved, settings), 0, lambda: _show_preset(*saved, settings)


def _study_answer(study) -> dict:
    from ser_core.tuning import studies

    best = studies.best(study)
    states = studies.table(study)["state"].value_counts().to_dict()
    answer = {"study": study.study_name, "trials": states, "best": None}
    if best:
        found = studies.parameters(study, best)
        answer["best"] = {"trial": best.number, "score": best.value, "parameters": found}
    return answer


def _show_study(study) -> None:
    answer = _study_answer(study)
    states = ", ".join(f"{number} {state}" for state, number in answer["trials"].items())
    out.print(f"Study {answer['study']}: trials {states}", soft_wrap=True, highlight=False)
    if answer["best"]:
        what = "UAR, actors held out" if study.user_attrs["cv"] == "actors" else "accuracy"
        title = (
            f"Best: trial {answer['best']['trial']}, {answer['best']['score']:.4f} mean {what}, "
            f"of {study.user_attrs['folds']} folds of the training part"
        )
        _print_table(title, ["parameter", "value"], list(answer["best"]["parameters"].items()))


def _preset_answer(saved, new, settings) -> dict:
    from ser_core import runs

    run = runs.get(saved.run, settings.stores)
    scores = {name: run.scores[name] for name in ("train_accuracy", "cv_accuracy", "test_accuracy", "uar")}
    return {"preset": saved.name, "new": new, "trials_tried": saved.trials, "run": saved.run} | scores


def _show_preset(saved, new, settings) -> None:
    answer = _preset_answer(saved, new, settings)
    out.print(
        f"Preset {saved.name} of {saved.model}{'' if new else ' was there already'}: accuracy on test "
        f"{answer['test_accuracy']:.3f}, CV5 {answer['cv_accuracy']:.3f}; the best of {saved.trials} trials, "
        f"chosen without the test part. Use it: python -m ser_core run {saved.model} --preset {saved.name}",
        soft_wrap=True,
        highlight=False,
    )


def predict(options, settings):
    from ser_core import artifacts
    from ser_core.errors import AudioError
    from ser_core.predict import Predictor

    predictor = Predictor.load(artifacts.find(options.model, settings.stores))
    predictions, errors = [], []
    for file in options.files:
        try:
            predictions.append({"file": file} | predictor.predict_file(Path(file)).as_dict())
        except AudioError as error:
            errors.append({"file": file, "error": str(error).removeprefix(f"{file}: ")})
            err.print(f"{file}: {errors[-1]['error']}", markup=False, soft_wrap=True, highlight=False)

    def show():
        if predictions:
            rows = [
                (
                    item["file"],
                    item["emotion"],
                    item["gender"],
                    f"{item['probability']:.2f}",
                    "\n".join(item["warnings"]),
                )
                for item in predictions
            ]
            title = f"What {predictor.entry.entry['name']} hears"
            _print_table(title, ["file", "emotion", "voice", "probability of both", "mind"], rows)
            out.print(f"{'. '.join(predictor.entry.worth)}.", highlight=False, soft_wrap=True)

    answer = {"predictions": predictions, "errors": errors, "worth": list(predictor.entry.worth)}
    return answer, 2 if errors else 0, show


def compare(options, settings):
    from ser_core import artifacts, comparison, evaluation, protocols, runs
    from ser_core.errors import ModelError

    protocol = protocols.get(options.protocol)
    for name, value, there in (
        ("kind", options.kind, tuple(evaluation.KINDS)),
        ("format", options.format, ("table", *comparison.FORMATS)),
    ):
        if value not in there:
            raise ModelError(f"There is no {name} {value!r}; there is {', '.join(there)}")
    found = [run for run in runs.list_all(settings.stores) if run.info["protocol"] == options.protocol]
    if not found:
        raise ModelError(
            f"There is no run under {options.protocol} yet. Make one: python -m ser_core run MODEL --protocol "
            f"{options.protocol}"
        )
    if options.pairs:
        table, verdicts = comparison.named_pairs(options.pairs, found, kind=options.kind)
        answer = {"pairs": json.loads(table.to_json(orient="records")), "verdicts": verdicts}
    else:
        sizes = artifacts.sizes(settings.stores)
        table = comparison.table(found, protocol=options.protocol, kind=options.kind, sizes=sizes)
        answer, verdicts = {"runs": json.loads(table.to_json(orient="records"))}, []

    def show():
        if options.format != "table":
            print(comparison.written(table, options.format), end="")
            return
        if options.pairs:
            _show_pairs(answer["pairs"], f"{protocol.title}: who is right where the other is not")
            for said in verdicts:
                out.print(f"{said}.", markup=False, highlight=False, soft_wrap=True)
        else:
            _show_runs(answer["runs"], f"{protocol.title}; then: the original study; * ships with the project")

    return answer, 0, show


def _show_runs(rows: list[dict], title: str) -> None:
    shown = [
        (
            row["label"] + " *" * row["shipped"],
            _score(row["original_cv_accuracy"]),
            _score(row["cv_accuracy"]),
            _score(row["original_test_accuracy"]),
            _score(row["test_accuracy"]),
            f"{row['test_low']:.3f}-{row['test_high']:.3f}",
            _score(row["uar"]),
            _score(row["train_accuracy"]),
            str(row["test_clips"]),
            f"{row['seconds']:.1f}",
        )
        for row in rows
    ]
    columns = ["model", "CV5 then", "CV5", "test then", "test", "95 %", "UAR", "train", "clips", "s"]
    _print_table(title, columns, shown)


def _show_pairs(rows: list[dict], title: str) -> None:
    shown = [
        (
            row["first"],
            row["second"],
            str(row["only_first"]),
            str(row["only_second"]),
            f"{row['difference']:+.3f}",
            f"{row['low']:+.3f} to {row['high']:+.3f}",
            f"{row['corrected']:.3f}",
        )
        for row in rows
    ]
    _print_table(title, ["A", "B", "only A", "only B", "A less B", "95 %", "p"], shown)


def jobs(options, settings):
    from datetime import datetime

    from ser_core import jobs as control
    from ser_core.errors import JobError

    if options.what == "list":
        found = control.list_all(settings)
    elif not options.job:
        raise JobError(f"Which job? python -m ser_core jobs {options.what} ID. The list: python -m ser_core jobs")
    else:
        found = [control.get(options.job, settings)]
        if options.what == "stop" and (waiting := control.stop(found[0], settings)):
            waiting.join()
            found = [control.get(options.job, settings)]
        elif options.what in ("resume", "retry"):
            found = [getattr(control, options.what)(found[0], settings)]
        elif options.what == "delete":
            control.delete(found[0], settings)
    answer = {"jobs": [_job_answer(job) for job in found]}
    if options.what == "show":
        answer["log"] = found[0].log()

    def show():
        rows = []
        for job in found:
            at = job.progress
            far = f"{at.what} {at.words or f'{at.done:,.0f} of {at.total:,.0f}'}" if at and at.total else ""
            state = f"{job.status}, place {job.place}" if job.place else job.status
            rows.append((job.id, f"{datetime.fromtimestamp(job.made):%d %b %H:%M}", job.title, state, far, job.message))
        said = "Deleted" if options.what == "delete" else "Jobs, oldest first"
        _print_table(said, [Column("job", no_wrap=True), "made", "what", "state", "progress", "how it ended"], rows)
        if options.what == "show":
            out.print(f"python -m ser_core {' '.join(found[0].command)}", markup=False, highlight=False, soft_wrap=True)
            out.print(answer["log"], markup=False, highlight=False, soft_wrap=True)

    return answer, 0, show


def _job_answer(job) -> dict:
    from dataclasses import asdict

    return {name: value for name, value in asdict(job).items() if name != "folder"}


def doctor(options, settings):
    from ser_core import health

    checks = health.check(settings)

    def show():
        rows = [("ok" if check.ok else "--" if check.optional else "NO", check.name, check.says) for check in checks]
        _print_table("This installation", ["", "what", "state"], rows)

    answer = {
        "ok": all(check.ok or check.optional for check in checks),
        "checks": [{"name": check.name, "ok": check.ok, "says": check.says} for check in checks],
    }
    return answer, 0 if answer["ok"] else 2, show


def study(options, settings):
    from ser_core import shipping

    if options.tune:
        with _progress("Tuning", options) as advance:
            shipping.make_studies(settings, jobs=options.jobs, progress=advance)
    with _progress("Study", options) as advance:
        if options.deep is None:
            made = shipping.make(options.data or settings.data_dir, settings, jobs=options.jobs, progress=advance)
        else:
            made = shipping.make_deep(settings, only=options.deep, weights=options.weights, progress=advance)

    def show():
        names = ("cv_accuracy", "test_accuracy", "emotion_uar")
        rows = [
            (run.info["model"], run.info["protocol"], *(_score(run.scores.get(name)) for name in names)) for run in made
        ]
        columns = ["model", "protocol", "CV5", "test", "UAR of emotions"]
        _print_table(f"Made in {settings.artifacts}", columns, rows)

    return {"runs": [_run_answer(run) for run in made]}, 0, show


def _experiment(options, settings, *, training=False):
    from ser_core import experiments, runs
    from ser_core.errors import ModelError
    from ser_core.features import inputs, store
    from ser_core.models import deep, presets, registry
    from ser_core.models.model import FUNCTIONALS, OWN, SavedVote

    file = None if options.features is None or str(options.features) in inputs.TABLES else options.features
    if options.features and file is None and str(options.features) == FUNCTIONALS:
        if options.preset not in ("default", FUNCTIONALS):
            raise ModelError(f"--features {FUNCTIONALS} has a preset of its own: leave --preset {options.preset} out")
        options.preset = FUNCTIONALS
    model = presets.model(options.model, settings.stores)
    registry.parameters(model, options.preset)  # both are asked before any work
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
        with _progress(f"Looking at clips for {options.model}", options) as advance:
            seen = inputs.load(model.input(options.preset), table, settings, progress=advance)
        with _progress(f"Fitting {options.model}", options) as advance:
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
    with _progress(f"Preparing clips for {options.model}", options) as advance:
        seen = inputs.load(model.input(preset), table, settings, weights=options.weights, progress=advance)
    with _progress(f"Training {options.model}", options) as advance:

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
    from ser_core import experiments, runs, votes
    from ser_core.features import store
    from ser_core.models.model import OWN

    wanted = {"protocol": options.protocol, "seed": options.seed, "data_digest": store.digest(table)}
    members = votes.members(model, runs.list_all(settings.stores), **wanted)
    preset = options.preset
    if options.weight is not None:
        model, preset = model.with_weight(options.weight), OWN
    return experiments.Result(votes.of_runs(model, *members, preset=preset), None)


def _keep(run, settings):
    """Save a run. What its training left behind to go on from is of no use any more."""
    import shutil

    from ser_core import runs

    runs.save(run, settings.workspace)
    shutil.rmtree(settings.training / run.id, ignore_errors=True)


def _run_answer(run) -> dict:
    keys = ("model", "protocol", "preset", "test_counts", "seconds")
    names = ("train_accuracy", "cv_accuracy", "test_accuracy", "uar", "macro_f1", "emotion_accuracy", "emotion_uar")
    return {key: run.info[key] for key in keys} | {name: run.scores.get(name) for name in names} | {"run": run.id}


def _show_run(run, settings) -> None:
    from ser_core import evaluation, protocols, runs
    from ser_core.reference import ORIGINAL

    if protocols.get(run.info["protocol"]).holds_actors_out:  # clips of one actor stand or fall together
        bounds = {"emotions": evaluation.unheard_interval(run.part("test"))}
    else:
        bounds = evaluation.intervals(run.part("test"))
    shipped = next((row for row in runs.list_all(settings.stores) if row.shipped), None)
    is_the_studys = (
        run.info["protocol"] == "study" and shipped and run.info["data_digest"] == shipped.info["data_digest"]
    )
    original = ORIGINAL.get(run.info["model"]) if is_the_studys else None
    rows = []
    for name, score, interval, then in (
        ("accuracy on train", "train_accuracy", None, original and original.train_accuracy),
        ("accuracy, five folds of train", "cv_accuracy", None, original and original.cv_accuracy),
        ("accuracy on test", "test_accuracy", "accuracy", original and original.test_accuracy),
        ("UAR on test", "uar", "uar", None),
        ("macro F1 on test", "macro_f1", "macro_f1", None),
        ("accuracy of eight emotions on test", "emotion_accuracy", "emotions", None),
        ("UAR of eight emotions on test", "emotion_uar", None, None),
    ):
        if score not in run.scores:
            continue
        low_to_high = "{:.3f} to {:.3f}".format(*bounds[interval]) if interval in bounds else ""
        rows.append((name, _score(run.scores.get(score)), low_to_high, _score(then)))
    title = f"{run.info['name']}, protocol {run.info['protocol']}"
    _print_table(title, ["score", "here", "95 % interval", "the original"], rows)
    out.print(evaluation.report(run.part("test")).round(3).to_string(), highlight=False)
    out.print(f"{run.info['seconds']} s. Every prediction is in {settings.workspace / 'runs' / run.id}", soft_wrap=True)


def _score(value) -> str:
    return "" if value is None else f"{value:.3f}"


def _print_table(title: str, columns: list[str | Column], rows: list[tuple]) -> None:
    table = Table(*columns, title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    out.print(table)


class _progress:
    """A progress bar on stderr; none with --json, where a program reads on, nor in a job, which is told instead."""

    def __init__(self, what: str, options):
        self.what, self.report = what, options.report
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=err, disable=options.json or self.report is not None)
        self.task = self.bar.add_task(what, total=None)

    def __enter__(self):
        self.bar.start()
        return self.advance

    def advance(self, done, total):
        self.bar.update(self.task, completed=done, total=total)
        if self.report:
            self.report.progress(self.what, done, total)

    def __exit__(self, *_):
        self.bar.stop()
