"""Trainings of networks as pages show them: the job, its epochs, its time, and how a network overfits."""

from collections.abc import Iterable, Sequence
from statistics import median

import pandas as pd

from ser_core import evaluation
from ser_core.evaluation import protocols
from ser_core.jobs import Job, Task
from ser_core.models import deep, registry
from ser_core.results import runs
from ser_core.results.runs import Run

OVERFITTING = {  # option -> what the study found
    "dropout": "Stronger dropout lowers the accuracy on training and validation clips alike",
    "l1": "A stronger L1 penalty lowers the accuracy on training and validation clips alike",
    "l2": "A stronger L2 penalty lowers the accuracy on training and validation clips alike",
    "batch_size": "A smaller batch gives a higher accuracy, and takes longer to train",
}
WATCHED = 0.1  # share of the training clips that is only watched where a network's preset says nothing
COPIES = ("augment", "voices")  # options that make changed copies of clips: an epoch takes longer
CHANCE = 0.03  # a smaller difference of accuracies may be chance: about one standard error of watched clips


def chosen(model: str, preset: str, options: dict) -> dict:
    """The options that differ from a network's preset.

    Parameters
    ----------
    model, preset : str
    options : dict
    """
    usual = {"validation": WATCHED} | registry.parameters(model, preset)
    return {name: value for name, value in options.items() if value != usual.get(name, 0.0)}


def task(model: str, options: dict, *, protocol: str = "study", preset: str = "default", cv: bool = False) -> Task:
    """The job that trains a network. Options that are as in the preset are left out.

    Parameters
    ----------
    model : str
    options : dict
    protocol, preset : str
    cv : bool

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
            parts += [deep.as_option(name), f"{value:g}" if isinstance(value, float) else str(value)]
    parts += ["--cv"] if cv else []
    return Task("train", model, tuple(parts), f"Train {name_of(parts)}", resumable=True)


def name_of(arguments: Sequence[str]) -> str:
    """A training's arguments as its name: its model and what was chosen, e.g. "cnn dropout 0.5 batch-size 32"."""
    return " ".join(word.removeprefix("--") for word in arguments[1:])


def curves_of(job: Job) -> pd.DataFrame:
    """The epochs that a job has reported, with the columns of `Run.curves`.

    Added are `fit` (from 1) and the number of `fits` and of `epochs` in all. Where the job was resumed, each epoch
    stands once.

    Parameters
    ----------
    job : Job

    Returns
    -------
    pd.DataFrame
    """
    epochs = pd.DataFrame([event for event in job.events() if event["kind"] == "epoch"])
    if epochs.empty:
        return epochs
    return epochs.drop_duplicates(["fit", "epoch"], keep="last").sort_values(["fit", "epoch"]).reset_index(drop=True)


def tested(run: Run) -> pd.DataFrame:
    """The training curve of a run's test model; of several, that of the first.

    Parameters
    ----------
    run : Run
        Of a network.
    """
    assert run.curves is not None, f"{run.id} is not a network's"
    of_test = run.curves[run.curves["part"] == "test"]
    return of_test[of_test["fold"] == of_test["fold"].min()]


def compared(found: dict[str, Run]) -> pd.DataFrame:
    """Runs of networks as a table for people; a dash where something was not measured.

    Parameters
    ----------
    found : dict of str to Run
        By the names that the table shows.
    """

    def said(run: Run, score: str) -> str:
        return f"{run.scores[score]:.3f}" if score in run.scores else "–"

    return pd.DataFrame(
        {
            "run": name,
            "epochs": len(tested(run)),
            "seconds an epoch": tested(run)["seconds"].median(),
            "train": said(run, "train_accuracy"),
            "test": said(run, "test_accuracy"),
            "CV5": said(run, "cv_accuracy"),
        }
        for name, run in found.items()
    )


def estimate(
    model: str, options: dict, found: Iterable[Run], *, protocol: str, preset: str, cv: bool, table: pd.DataFrame
) -> tuple[float | None, bool]:
    """Seconds that a training would take, estimated from the seconds per step of earlier runs.

    Own runs go before shipped ones. The second value says whether those runs had the same batch size and learned from
    the same kind of copies. The first is None where no run is comparable.

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
    float or None, bool
    """
    like = [
        run
        for run in found
        if run.curves is not None
        and run.recipe.model == model
        and run.recipe.features == registry.recipe(model, preset).features
    ]
    if not like:
        return None, False
    copies = [run for run in like if all(run.recipe.parameters.get(one, 0) == options.get(one, 0) for one in COPIES)]
    like, batch = copies or like, options["batch_size"]
    before = min((run.recipe.parameters["batch_size"] for run in like), key=lambda size: abs(size - batch))
    same = [run for run in like if run.recipe.parameters["batch_size"] == before]
    own = [run for run in same if not run.shipped]  # what ships was made on another machine
    seconds_a_step = median(
        run.curves["seconds"].median() / (run.learned_from / before)
        for run in own or same
        if run.curves is not None  # never here: `like` holds networks alone
    )
    folds = [fold for fold in protocols.get(protocol).folds(table) if cv or fold.part != "cv"]
    steps = sum(len(fold.train) for fold in folds) * (1 - options.get("validation", WATCHED)) / batch
    # A larger batch takes longer, but not in proportion: between the two where no run says it.
    seconds = seconds_a_step * steps * max(1.0, (batch / before) ** 0.7)
    return seconds * options["epochs"], bool(copies) and before == batch


def overfitting(found: Iterable[Run], option: str) -> pd.DataFrame:
    """Runs of the cnn on the study's split that differ from its default in one option, and the default itself.

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
    usual = registry.parameters("cnn")
    rows = {}
    for run in found:
        if not runs.matches(run, protocol="study", model="cnn", seed=protocols.ORIGINAL_SEED):
            continue
        chosen = run.recipe.parameters
        differs = {name for name in {*chosen, *usual} if chosen.get(name) != usual.get(name)}
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
    """What the study found about an option, and whether the runs of `overfitting` confirm it, in words for a page.

    The mean of the weaker half of the values is set against that of the stronger half.

    Parameters
    ----------
    table : pd.DataFrame
        As `overfitting` gives it.
    option : str
    """
    half = len(table) // 2
    weak, strong = table.iloc[:half], table.iloc[-half:]
    train, watched, seconds = (
        float(strong[name].mean() - weak[name].mean()) for name in ("train_accuracy", "validation_accuracy", "seconds")
    )
    said = f"**The study found:** {OVERFITTING[option][0].lower()}{OVERFITTING[option][1:]}. **Here:** "
    if option == "batch_size":
        so = [_is(-watched), seconds < 0]
        here = (
            f"the larger half of the batches names {_change(watched)} of the watched clips right, and an epoch takes "
            f"{abs(seconds):.1f} s {'less' if seconds < 0 else 'more'}"
        )
    else:
        so = [_is(-train), _is(-watched)]
        here = (
            f"in the stronger half of the values, accuracy is {_change(train)} on training clips and "
            f"{_change(watched)} on watched ones"
        )
    words = "as the study says" if all(so) else "not as the study says" if not any(so) else "in part as the study says"
    return f"{said}{here}: {words}. (Below {100 * CHANCE:.0f} points it may be chance.)"


def _is(difference: float) -> bool:
    return difference > CHANCE


def _change(difference: float) -> str:
    return f"{100 * abs(difference):.0f} points {'more' if difference > 0 else 'less'}"
