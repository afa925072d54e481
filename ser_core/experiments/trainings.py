"""Trainings of networks for the pages: the job, its epochs, the expected time, and how a network overfits."""

from collections.abc import Iterable, Sequence
from statistics import median

import pandas as pd

from ser_core import evaluation
from ser_core.errors import ArtifactError
from ser_core.evaluation import protocols
from ser_core.jobs import Job, Task
from ser_core.models import deep, registry
from ser_core.models.networks import NetworkClassifier
from ser_core.results import runs
from ser_core.results.runs import Run

OVERFITTING = {  # option -> what the original paper found
    "dropout": "Stronger dropout lowers the accuracy on training and validation clips alike",
    "l1": "A stronger L1 penalty lowers the accuracy on training and validation clips alike",
    "l2": "A stronger L2 penalty lowers the accuracy on training and validation clips alike",
    "batch_size": "A smaller batch gives a higher accuracy, and takes longer to train",
}
COUNTED = ("fit", "fits", "epoch", "epochs", "loss", "accuracy", "seconds")  # in each event of an epoch
COPIES = ("augment", "voices")  # options for augmentation: an epoch takes longer
CHANCE = 0.03  # a smaller difference of accuracies may be chance: about one standard error on the validation clips


def usual(model: str, preset: str = "default") -> dict:
    """The options of a network with a preset: those that it sets, and the defaults of all others.

    Parameters
    ----------
    model, preset : str

    Returns
    -------
    dict
        Parameter of `models.networks.NetworkClassifier` -> value.
    """
    network = registry.get(model)
    assert isinstance(network, deep.Network), f"{model} is no network"
    sizes = network.layers(network.presets[preset].features).usual
    return NetworkClassifier().get_params() | {"layers": list(sizes)} | network.parameters(preset)


def chosen(model: str, preset: str, options: dict) -> dict:
    """The options that differ from a network's preset.

    Parameters
    ----------
    model, preset : str
    options : dict

    Returns
    -------
    dict
    """
    known = usual(model, preset)
    return {name: value for name, value in options.items() if value != known[name]}


def task(model: str, options: dict, *, protocol: str = "study", preset: str = "default", cv: bool = False) -> Task:
    """The job that trains a network. Options with the preset's value are left out.

    Parameters
    ----------
    model : str
    options : dict
        Option -> value.
    protocol, preset : str
    cv : bool
        Whether to cross-validate on the training part, too.

    Returns
    -------
    Task
    """
    known = registry.parameters(model, preset)
    parts = ["train", model]
    parts += ["--preset", preset] if preset != "default" else []
    parts += ["--protocol", protocol] if protocol != "study" else []
    for name, value in options.items():
        if value == known.get(name):
            continue
        if isinstance(value, bool):
            parts.append(deep.as_option(name) if value else f"--no-{name}")
        else:
            parts += [deep.as_option(name), deep.as_value(value)]
    parts += ["--cv"] if cv else []
    return Task("train", model, tuple(parts), f"Train {name_of(parts)}", resumable=True)


def name_of(arguments: Sequence[str]) -> str:
    """A training's arguments as its name: the model and what was chosen.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line, from "train".

    Returns
    -------
    str
        E.g. "cnn dropout 0.5 batch-size 32".
    """
    return " ".join(word.removeprefix("--") for word in arguments[1:])


def curves_of(job: Job) -> pd.DataFrame:
    """The epochs that a job has reported so far.

    Parameters
    ----------
    job : Job

    Returns
    -------
    pd.DataFrame
        The columns of `Run.curves`, and `fit` (from 1), the number of `fits` and of `epochs`. After a resume, each
        epoch appears once.
    """
    read = [event for event in job.events() if event["kind"] == "epoch"]
    epochs = pd.DataFrame(
        [event for event in read if all(isinstance(event.get(name), int | float) for name in COUNTED)]
    )
    if epochs.empty:
        return epochs
    return epochs.drop_duplicates(["fit", "epoch"], keep="last").sort_values(["fit", "epoch"]).reset_index(drop=True)


def tested(run: Run) -> pd.DataFrame:
    """The training curve of a run's test model; with several test folds, that of the first.

    Parameters
    ----------
    run : Run
        Of a network.

    Returns
    -------
    pd.DataFrame

    Raises
    ------
    ArtifactError
        If the run has no curves: it is not a network's, or their file is missing.
    """
    if run.curves is None:
        raise ArtifactError(f"{run.id} has no curves of its training")
    of_test = run.curves[run.curves["part"] == "test"]
    return of_test[of_test["fold"] == of_test["fold"].min()]


def compared(found: dict[str, Run]) -> pd.DataFrame:
    """Runs of networks as a table to show; a dash where something was not measured.

    Parameters
    ----------
    found : dict of str to Run
        By the names that the table shows.

    Returns
    -------
    pd.DataFrame
    """

    def shown(run: Run, score: str) -> str:
        return f"{run.scores[score]:.3f}" if score in run.scores else "–"

    return pd.DataFrame(
        {
            "run": name,
            "epochs": len(tested(run)),
            "seconds an epoch": tested(run)["seconds"].median(),
            "train": shown(run, "train_accuracy"),
            "test": shown(run, "test_accuracy"),
            "CV5": shown(run, "cv_accuracy"),
        }
        for name, run in found.items()
    )


def estimate(
    model: str, options: dict, found: Iterable[Run], *, protocol: str, preset: str, cv: bool, table: pd.DataFrame
) -> tuple[float | None, bool]:
    """Estimate how long a training would take, from the seconds per step of earlier runs.

    Own runs are preferred to shipped ones.

    Parameters
    ----------
    model : str
    options : dict
    found : iterable of Run
    protocol, preset : str
    cv : bool
    table : pd.DataFrame
        The clips to train on.

    Returns
    -------
    float or None
        Seconds; None if no run is comparable.
    bool
        Whether those runs had the same batch size and augmentation.
    """
    like = [
        run
        for run in found
        if run.curves is not None
        and run.recipe.model == model
        and run.recipe.features == registry.recipe(model, preset).features
        and run.recipe.parameters.get("layers") == options.get("layers")
    ]
    if not like:
        return None, False
    copies = [run for run in like if all(run.recipe.parameters.get(one, 0) == options.get(one, 0) for one in COPIES)]
    like, batch = copies or like, options["batch_size"]
    before = min((run.recipe.parameters["batch_size"] for run in like), key=lambda size: abs(size - batch))
    same = [run for run in like if run.recipe.parameters["batch_size"] == before]
    own = [run for run in same if not run.shipped]  # shipped runs were made on another machine
    seconds_a_step = median(
        run.curves["seconds"].median() / (run.learned_from / before)
        for run in own or same
        if run.curves is not None  # for mypy: `like` holds networks only
    )
    folds = [fold for fold in protocols.get(protocol).folds(table) if cv or fold.part != "cv"]
    steps = (
        sum(len(fold.train) for fold in folds) * (1 - options.get("validation", NetworkClassifier.validation)) / batch
    )
    # A step on a larger batch takes longer, but less than in proportion.
    seconds = seconds_a_step * steps * max(1.0, (batch / before) ** 0.7)
    return seconds * options["epochs"], bool(copies) and before == batch


def overfitting(found: Iterable[Run], option: str) -> pd.DataFrame:
    """Runs of the cnn on the original's split that differ from its default in one option, and the default itself.

    Parameters
    ----------
    found : iterable of Run
    option : str
        A key of `OVERFITTING`.

    Returns
    -------
    pd.DataFrame
        One row a value, ascending: `value`, `run`, `train_accuracy`, `validation_accuracy` (of the kept epoch),
        `test_accuracy` with `test_low` and `test_high`, `epochs` until it ended, and `seconds` an epoch (median).
    """
    default = registry.parameters("cnn")
    rows = {}
    for run in found:
        if not runs.matches(run, protocol="study", model="cnn", seed=protocols.ORIGINAL_SEED):
            continue
        chosen = run.recipe.parameters
        differs = {name for name in {*chosen, *default} if chosen.get(name) != default.get(name)}
        if differs - {option}:
            continue
        curve = tested(run)
        low, high = evaluation.intervals(run.part("test"))["accuracy"]
        value = chosen.get(option, 0.0)
        rows[value] = {
            "value": value,
            "run": run.id,
            "train_accuracy": run.scores["train_accuracy"],
            "validation_accuracy": curve["val_accuracy"].max(),
            "test_accuracy": run.scores["test_accuracy"],
            "test_low": low,
            "test_high": high,
            "epochs": len(curve),
            "seconds": curve["seconds"].median(),
        }
    return pd.DataFrame([rows[value] for value in sorted(rows)])


def verdict(table: pd.DataFrame, option: str) -> str:
    """What the original paper found about an option, and whether the runs of `overfitting` confirm it, as Markdown.

    The mean over the weaker half of the values is compared with that over the stronger half.

    Parameters
    ----------
    table : pd.DataFrame
        As `overfitting` returns it.
    option : str
        A key of `OVERFITTING`.

    Returns
    -------
    str
        Markdown.
    """
    half = len(table) // 2
    weak, strong = table.iloc[:half], table.iloc[-half:]
    train, validation, seconds = (
        float(strong[name].mean() - weak[name].mean()) for name in ("train_accuracy", "validation_accuracy", "seconds")
    )
    found = f"**The study found:** {OVERFITTING[option][0].lower()}{OVERFITTING[option][1:]}. **Here:** "
    if option == "batch_size":
        confirmed = [_is_beyond_chance(-validation), seconds < 0]
        here = (
            f"the larger half of the batches names {_change(validation)} of the watched clips right, and an epoch "
            f"takes {abs(seconds):.1f} s {'less' if seconds < 0 else 'more'}"
        )
    else:
        confirmed = [_is_beyond_chance(-train), _is_beyond_chance(-validation)]
        here = (
            f"in the stronger half of the values, accuracy is {_change(train)} on training clips and "
            f"{_change(validation)} on watched ones"
        )
    how = {0: "not ", len(confirmed): ""}.get(sum(confirmed), "in part ")
    return f"{found}{here}: {how}as the study says. (Below {100 * CHANCE:.0f} points it may be chance.)"


def _is_beyond_chance(difference: float) -> bool:
    return difference > CHANCE


def _change(difference: float) -> str:
    return f"{100 * abs(difference):.0f} points {'more' if difference > 0 else 'less'}"
