"""The command line: every command, its options, and the values that they accept."""

import argparse
from pathlib import Path

import ser_core
from ser_core.errors import ModelError
from ser_core.models import layers

PLACE = (
    "a folder of clips of a corpus that `corpora` lists, an audformat database, or a manifest of any corpus: a CSV "
    "with the columns file, speaker, emotion, and optionally gender, language and others"
)


def parser() -> argparse.ArgumentParser:
    """The parser of the command line.

    Returns
    -------
    argparse.ArgumentParser
        Its result has, besides the options, `module` and `command` (a module of `ser_core.cli` and its function that
        carries out the command) and `writes` (whether that changes anything on disk).
    """
    made = argparse.ArgumentParser(prog="ser", description=ser_core.__doc__.splitlines()[0])
    made.add_argument("--version", action="version", version=ser_core.__version__)
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    def command(module, name, about, *, writes=False):
        sub = commands.add_parser(name, help=about, description=about)
        sub.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object on the last line of stdout (none for bad input: exit 2)",
        )
        sub.set_defaults(module=module, command=name.replace("-", "_"), writes=writes)
        return sub

    _data_commands(command)
    _experiments_commands(command)
    _tuning_commands(command)
    _predict_commands(command)
    _compare_commands(command)
    _bundles_commands(command)
    _jobs_commands(command)
    _installation_commands(command)
    return made


def _data_commands(command) -> None:
    sub = command("data", "download", "download the official RAVDESS clips, resuming where it stopped", writes=True)
    sub.add_argument("--speech", action="store_true", help="only speech; with --song both")
    sub.add_argument("--song", action="store_true", help="only song; with --speech both")
    sub.add_argument("--dest", type=Path, metavar="DIR", help="default: SER_DATA_DIR")
    sub.add_argument("--accept-licence", action="store_true", help="accept the licence without a prompt")

    sub = command("data", "index", "list the clips of a folder or a manifest, and why other files are left out")
    sub.add_argument("place", metavar="DIR|FILE.csv", help=PLACE)
    sub.add_argument("more", nargs="*", metavar="DIR|FILE.csv", help="further corpora, which --out joins into one")
    written = sub.add_mutually_exclusive_group()
    written.add_argument(
        "--out",
        type=Path,
        metavar="F.csv",
        help="write the index as a manifest, whose emotions, genders and further columns can be edited; every command "
        "reads it in place of the folder",
    )
    _add_name(written)

    sub = command("data", "corpora", "list the corpora whose file names are known, their emotions, and which are here")
    sub.add_argument(
        "places", nargs="*", metavar="DIR", type=Path, help="folders to look through (default: SER_DATA_DIR)"
    )

    sub = command("data", "extract", "extract the features of every clip of a corpus into a table", writes=True)
    sub.add_argument("place", metavar="DIR|FILE.csv", help=PLACE)
    written = sub.add_mutually_exclusive_group(required=True)
    written.add_argument("--out", type=Path, metavar="F.parquet")
    _add_name(written)
    sub.add_argument(
        "--features",
        default="mean180",
        metavar="SET",
        help="feature set: mean180 (default), functionals, egemaps, compare2016, onnx:FILE (a pretrained encoder) or "
        "another; an unknown name lists them all",
    )
    _add_jobs(sub)

    sub = command(
        "data",
        "spectrograms",
        "write a 224 x 224 image of every clip, in folders by part and class",
        writes=True,
    )
    sub.add_argument("--kind", default="mel", help="mel, mfcc or contrast (default: mel)")
    sub.add_argument("--out", required=True, type=Path, metavar="DIR", help="a new folder, or one to continue")
    _add_data(sub)
    sub.add_argument("--augment", type=int, default=0, metavar="N", help="augmented copies of each training clip")
    sub.add_argument("--seed", type=_seed, default=9, help="of the augmentation (default: 9)")
    _add_jobs(sub)

    sub = command(
        "data",
        "hear",
        "write a recording as heard in a recording condition, such as over a telephone",
        writes=True,
    )
    sub.add_argument("file", metavar="FILE", type=Path)
    sub.add_argument("--condition", required=True, metavar="NAME", help="an unknown name lists them all")
    sub.add_argument("--out", required=True, type=Path, metavar="F", help="the WAV or FLAC file to write")
    sub.add_argument("--seed", type=_seed, default=0, help="of the noise, the place in a room, ... (default: 0)")
    sub.add_argument("--voices", type=Path, metavar="DIR", help="clips for babble: a corpus (default: SER_DATA_DIR)")


def _add_name(sub) -> None:
    sub.add_argument(
        "--name",
        metavar="NAME",
        help="write it into the folder corpora of the workspace, whose corpora the pages of the data show",
    )


def _experiments_commands(command) -> None:
    sub = command(
        "experiments", "run", "one model under one protocol: fit, predict, score, save every prediction", writes=True
    )
    _add_recipe(sub)
    sub.add_argument(
        "--seeds",
        type=_count,
        default=1,
        metavar="N",
        help="N runs with the seeds from --seed on, and their mean and deviation (default: 1)",
    )
    sub.add_argument("--weight", type=float, metavar="W", help="of the first member of a vote of saved runs: 0 to 1")
    sub.add_argument(
        "--tune",
        type=_count,
        metavar="N",
        help="nested cross-validation: search hyperparameters inside each fold, with N trials on its training clips; "
        "speaker-independent if the protocol is",
    )
    sub.add_argument(
        "--heard",
        metavar="CONDITION",
        help="also test on the same clips heard in a recording condition, such as telephone, or in all of them (all), "
        "or changed so little that an answer must not change (small: 25 ways); the training clips stay as recorded. "
        "Each is a run of its own",
    )
    _add_test_on(sub, "in place of a protocol: train on all clips, and test on another corpus; ")
    sub.add_argument(
        "--calibrate",
        metavar="CLIPS",
        help="let the model hear some clips of each held-out speaker before, which are not tested on: neutral:2 (two "
        "that are known to be neutral), random:8 (eight of unknown emotion), or all (of unknown emotion; tested on, "
        "too); for robust and centred",
    )

    sub = command("experiments", "train", "run a model and save it for predictions", writes=True)
    _add_recipe(sub)
    _add_network_options(sub)

    sub = command(
        "experiments", "import-run", "save predictions that were made elsewhere as a run, to compare it", writes=True
    )
    sub.add_argument(
        "file",
        type=Path,
        metavar="F.csv",
        help="CSV or Parquet: clip (stem or path), truth, and a column of probabilities for each emotion",
    )
    sub.add_argument("--protocol", required=True, metavar="P", help="whose test clips they are, such as emobox")
    sub.add_argument("--name", default="", help="of the model that predicted (default: that of the file)")
    _add_table(sub)

    sub = command(
        "sweeps",
        "sweep",
        "run every combination of the models, features, protocols, ... in a file; those that exist are not run again",
    )
    sub.add_argument(
        "file",
        type=Path,
        metavar="F.toml",
        help="lists: models and protocols, and optionally features, augmentation, presets, seeds; and clips, a table "
        "that `extract` made (default: the shipped table)",
    )
    sub.add_argument("--plan", action="store_true", help="only say what would be run, and about how long it takes")
    _add_jobs(sub)

    sub = command("experiments", "verify", "repeat a saved run and count the predictions that changed")
    sub.add_argument("run", metavar="RUN", help="id, or its name in the table of `compare` (with --protocol)")
    sub.add_argument("--protocol", default="study", metavar="P", help="of RUN, if it is given by name (default: study)")
    _add_test_on(sub, "the other corpus that RUN was tested on; ")
    sub.add_argument("--code", metavar="MODULE:FACTORY", help="the own code that RUN was made of; it is executed")
    _add_table(sub)
    _add_weights(sub)
    _add_jobs(sub)


def _add_test_on(sub: argparse.ArgumentParser, what: str) -> None:
    sub.add_argument("--test-on", metavar="DIR|FILE.csv", help=what + PLACE)


def _add_recipe(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "model",
        metavar="MODEL",
        help="its key (an unknown one lists them all); or, for run, module:factory: a function or class of your own "
        "that makes a scikit-learn classifier, in the working directory or on the Python path",
    )
    sub.add_argument(
        "--preset",
        help="a named set of parameters: default (ours), study (the original's), functionals, voices, or a tuned one "
        "(default: ours for these features)",
    )
    sub.add_argument(
        "--features",
        metavar="SET",
        help="feature set: mean180 (the original's 180 means over time; also study), functionals, voices (functionals "
        "with --augmentation speaker-perturbation) or another (an unknown name lists them all); a table F.parquet of "
        "your clips, made by `extract`; or features from elsewhere: onnx:FILE (a pretrained encoder), or a CSV or "
        "Parquet file of numbers with a column clip, stem, file or path",
    )
    sub.add_argument("--augmentation", metavar="A", help="of training clips: none or speaker-perturbation")
    sub.add_argument(
        "--preprocessing", metavar="P", help="plain (standardised, as the original) or tailored to the kind of model"
    )
    sub.add_argument("--seed", type=_seed, default=9)
    sub.add_argument(
        "--protocol",
        default="study",
        help="study, study-speech, repetition, statement, actors-K, actors-K-SEED, emobox, luna-jimenez (the last two "
        "with +song train on the other actors' song, too); for any corpus loso (leave one speaker out), actors-K, or "
        "split-COLUMN (the parts train and test, or the folds, that a column of your manifest names; +shared if they "
        "share speakers); an unknown name lists them all (default: study)",
    )
    _add_weights(sub)
    _add_jobs(sub)


def _add_network_options(sub: argparse.ArgumentParser) -> None:
    """Add the options of networks. Those not given are as in the preset."""
    more = sub.add_argument_group("networks only", "These override the preset.")
    more.add_argument("--epochs", type=_count, metavar="N", help="maximum number of epochs")
    more.add_argument("--batch-size", type=_count, metavar="B", help="clips per step")
    more.add_argument("--learning-rate", type=float, metavar="X", help="step size of the optimizer")
    more.add_argument("--optimizer", choices=["sgd", "adam", "rmsprop"])
    more.add_argument("--momentum", type=float, metavar="M", help="of sgd: 0 to 0.99")
    more.add_argument("--dropout", type=float, metavar="Y", help="fraction of units dropped in training: 0 to 0.9")
    more.add_argument(
        "--layers",
        type=_sizes,
        metavar="N,N,...",
        help="size of each hidden layer: filters of the convolutions of cnn and of the blocks of cnn2d, units of rnn "
        "and of the dense layers on vgg16 and its relatives",
    )
    more.add_argument("--l1", type=float, metavar="X", help="penalty on the absolute values of weights")
    more.add_argument("--l2", type=float, metavar="X", help="penalty on the squares of weights")
    flag = argparse.BooleanOptionalAction
    more.add_argument("--augment", action=flag, default=None, help="data augmentation (log-mel frames only)")
    more.add_argument(
        "--validation",
        type=float,
        metavar="S",
        help="fraction of the training clips held back for validation: 0 to 0.5",
    )
    more.add_argument(
        "--patience",
        type=_count,
        metavar="N",
        help="early stopping after N epochs without a better validation accuracy",
    )
    more.add_argument("--cv", action="store_true", help="also cross-validate on the training part, as `run` does")


def _tuning_commands(command) -> None:
    sub = command("tuning", "tune", "search a model's hyperparameters with Optuna, on training clips only", writes=True)
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("--trials", type=_count, default=50, metavar="N", help="total, over all resumes (default: 50)")
    sub.add_argument("--timeout", type=float, metavar="S", help="seconds after which no trial is started")
    sub.add_argument("--space", default="ours", help="search space: ours or study (default: ours)")
    sub.add_argument(
        "--cv", default="study", help="folds: study (shared actors, accuracy; default) or actors (held out, UAR)"
    )
    sub.add_argument("--folds", type=int, default=5, metavar="K", help="3 to 5 (default: 5)")
    sub.add_argument("--sampler", default="tpe", help="tpe or random (default: tpe)")
    sub.add_argument("--pruner", default="median", help="median, wilcoxon or none (default: median)")
    sub.add_argument("--seed", type=_seed, default=9)
    sub.add_argument("--workers", type=_count, metavar="N", help="processes (default: all cores)")
    sub.add_argument("--name", default="", help="of the study (default: derived from the options above)")
    sub.add_argument("--resume", action="store_true", help="continue the study of that name, if there is one")
    sub.add_argument("--save-preset", action="store_true", help="save the best trial as a preset and test it once")
    _add_storage(sub)

    sub = command(
        "tuning", "worker", "run trials of a study that `tune` started on this or another machine", writes=True
    )
    sub.add_argument("--study", required=True, metavar="NAME")
    sub.add_argument("--timeout", type=float, metavar="S", help="seconds after which no trial is started")
    sub.add_argument(
        "--number", type=int, metavar="N", help="of this worker, so that no two sample the same (default: any)"
    )
    _add_storage(sub)

    sub = command("tuning", "preset", "save a study's best trial as a preset and test it once", writes=True)
    sub.add_argument("study", metavar="STUDY")
    sub.add_argument("--name", default="", help="of the preset (default: the study's name)")
    _add_table(sub)
    _add_jobs(sub)


def _add_storage(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--storage", metavar="URL", help="the studies' database (default: SER_OPTUNA_STORAGE, or SQLite)")
    sub.add_argument("--heartbeat", type=_count, default=10, metavar="S", help="seconds between a worker's heartbeats")
    _add_table(sub)


def _predict_commands(command) -> None:
    sub = command("predict", "predict", "predict the emotion of recordings with a trained model")
    sub.add_argument("files", nargs="+", metavar="FILE", help="recordings, or manifests (FILE.csv) of recordings")
    sub.add_argument("--model", default="v_robust", metavar="KEY", help="key of a trained model (default: v_robust)")
    sub.add_argument(
        "--report",
        dest="report_file",  # `report` records the progress of jobs
        type=Path,
        metavar="OUT.html",
        help="also write a report to print or to forward, with a page for each recording",
    )
    sub.add_argument(
        "--speaker-neutral",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="recordings in which the same person speaks neutrally: the files are heard as that person's (of use with "
        "a model that learned so: train centred)",
    )
    sub.add_argument(
        "--one-speaker",
        action="store_true",
        help="all files are one person's, whose usual way of speaking is estimated from all of them",
    )
    sub.add_argument("--turns", action="store_true", help="a row a turn of a long recording, instead of a row a file")
    sub.add_argument("--format", default="table", help="table or csv (default: table)")


def _compare_commands(command) -> None:
    sub = command("compare", "compare", "all runs of a protocol, shipped and own, beside the original study's results")
    sub.add_argument("--protocol", default="study", metavar="P", help="the train/test split (default: study)")
    sub.add_argument("--heard", metavar="CONDITION", help="runs whose test clips were heard in this condition")
    sub.add_argument(
        "--kind",
        help="what is scored: class (16), emotion (8) or gender (default: what publications under the protocol score)",
    )
    what = sub.add_mutually_exclusive_group()
    what.add_argument(
        "--pairs",
        nargs="+",
        metavar="RUN",
        help="test whether two or more runs differ, given by their name in the table or id: by sign flips over "
        "speakers where the protocol holds them out, otherwise by McNemar's test over clips; and the smallest "
        "difference that so many speakers or clips can show",
    )
    what.add_argument(
        "--by",
        metavar="PROPERTY",
        help="the largest gap of each run between clips of a gender, emotion, intensity, ... and all other clips, with "
        "its interval over speakers (of several values, --format markdown, csv and --json have every gap)",
    )
    sub.add_argument(
        "--features",
        metavar="F.parquet",
        help="a table of these clips that `extract` made, whose columns --by can name (default: the shipped table)",
    )
    sub.add_argument("--format", default="table", help="table, csv, latex or markdown (default: table)")
    sub.add_argument(
        "--bibtex",
        action="store_true",
        help="print BibTeX of what the runs use, in place of the table: corpora, the publications of protocol and "
        "features, this software (with --pairs, of those runs)",
    )


def _bundles_commands(command) -> None:
    sub = command("bundles", "bundle", "write runs into one file to hand on: predictions, recipes, a card and a report")
    sub.add_argument("runs", nargs="+", metavar="RUN", help="id, or its name in the table of `compare`")
    sub.add_argument("--out", required=True, type=Path, metavar="Z.zip")
    sub.add_argument("--protocol", default="study", metavar="P", help="of runs given by name (default: study)")

    sub = command(
        "bundles",
        "open",
        "check the runs of a bundle and add them to the workspace, to compare them; nothing in it is executed",
        writes=True,
    )
    sub.add_argument("file", type=Path, metavar="Z.zip")
    _add_table(sub)

    sub = command("bundles", "export-mlflow", "write runs into a folder of MLflow files, as an MLflow run each")
    sub.add_argument("runs", nargs="+", metavar="RUN", help="id, or its name in the table of `compare`")
    sub.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="a new folder, or one of MLflow files")
    sub.add_argument("--protocol", default="study", metavar="P", help="of runs given by name (default: study)")


def _jobs_commands(command) -> None:
    sub = command(
        "jobs", "jobs", "list the jobs that pages started, stop, resume, retry or delete one, or show its log"
    )
    what = ("list", "show", "stop", "resume", "retry", "delete")
    sub.add_argument("what", nargs="?", default="list", choices=what, help="default: list")
    sub.add_argument("job", nargs="?", metavar="ID", help="its id in the list")


def _installation_commands(command) -> None:
    command("installation", "doctor", "check this installation: packages, artifacts, data, workspace")

    sub = command(
        "installation", "study", "rebuild everything in artifacts/ from the clips (`make study`)", writes=True
    )
    _add_data(sub)
    sub.add_argument("--tune", action="store_true", help="tune every model first (half an hour more)")
    sub.add_argument(
        "--deep", nargs="*", metavar="MODEL", help="only the runs of networks (about four hours), or of these models"
    )
    sub.add_argument(
        "--test-on",
        type=Path,
        action="append",
        default=[],
        metavar="MANIFEST|DIR",
        help="also test the models that are kept on this corpus",
    )
    _add_weights(sub)
    _add_jobs(sub)


def _add_jobs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--jobs", type=_processes, default=-1, metavar="N", help="processes (default: all cores)")
    sub.add_argument(
        "--dask",
        metavar="tcp://HOST:PORT",
        help="run on this Dask cluster, whose machines have the clips under the same path",
    )


def _add_data(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--data", type=Path, metavar="DIR", help="folder of the clips (default: SER_DATA_DIR)")


def _add_weights(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--weights", type=Path, metavar="FILE", help="ImageNet weights of vgg16 and its relatives (default: downloaded)"
    )


def _add_table(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--features",
        metavar="F",
        help="a table that `extract` made, or features from elsewhere, as `run` takes them (default: the shipped table "
        "of all clips)",
    )


def _processes(text: str) -> int:
    """A number of processes as joblib counts them: 1 or more, or negative."""
    number = int(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 processes do nothing: give 1 or more, or -1 for all cores")
    return number


def _count(text: str) -> int:
    """A whole number of 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: give 1 or more")
    return number


def _sizes(text: str) -> list[int]:
    """Sizes of layers between commas."""
    try:
        return layers.parse(text)
    except ModelError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seed(text: str) -> int:
    """A seed: a whole number that fits into 32 bits."""
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is no seed: give 0 to {2**32 - 1}")
    return number
