"""Trainings told to people: the command, its name and epochs, the time, and whether the study's findings come out."""

import json

import pandas as pd
import pytest

from ser_core import cli, jobs
from ser_core.experiments import trainings
from ser_core.features import tables
from ser_core.models import deep, registry
from ser_core.results import runs
from ser_core.results.runs import Tables
from tests.job_folders import put_job
from tests.made_runs import changed

CHOSEN = {
    "epochs": 5, "batch_size": 32, "dropout": 0.5, "l1": 1e-5, "l2": 1e-3, "optimizer": "sgd", "learning_rate": 0.002,
    "validation": 0.2, "momentum": 0.5, "layers": [16, 32],
}  # fmt: skip


def test_what_was_chosen_is_understood_by_the_command_line_as_the_same():
    task = trainings.task("cnn2d", CHOSEN | {"augment": False}, protocol="emobox")
    options = cli.parser().parse_args(task.arguments)
    assert {name: getattr(options, name) for name in CHOSEN} == CHOSEN
    assert (options.model, options.protocol, options.augment, options.cv) == ("cnn2d", "emobox", False, False)


@pytest.mark.parametrize("optimizer", deep.OPTIMIZERS)
def test_every_optimizer_can_be_named_on_the_command_line(optimizer):
    assert cli.parser().parse_args(["train", "cnn", "--optimizer", optimizer]).optimizer == optimizer


def test_what_is_as_in_the_preset_is_left_out():
    usual = registry.parameters("cnn")
    assert trainings.task("cnn", usual).arguments == ("train", "cnn")
    rnn = trainings.task("rnn", registry.parameters("rnn", "study"), preset="study")
    assert rnn.arguments == ("train", "rnn", "--preset", "study")
    with_folds = trainings.task("cnn", usual | {"dropout": 0.5}, cv=True)
    assert with_folds.arguments == ("train", "cnn", "--dropout", "0.5", "--cv")


def test_a_training_is_named_by_what_was_chosen():
    task = trainings.task("cnn", {"dropout": 0.5, "batch_size": 32})
    assert trainings.name_of(task.arguments) == "cnn dropout 0.5 batch-size 32"
    assert (task.kind, task.subject, task.title) == ("train", "cnn", "Train cnn dropout 0.5 batch-size 32")
    assert task.resumable
    assert jobs.shell(task.arguments) == "python -m ser_core train cnn --dropout 0.5 --batch-size 32"


@pytest.mark.parametrize(
    ("model", "options", "chosen"),
    [
        ("cnn", {"validation": 0.1, "l2": 0.0, "augment": False}, {}),  # what it does by itself
        ("cnn", {"optimizer": "sgd", "momentum": 0.9}, {}),
        ("cnn", {"momentum": 0.5}, {"momentum": 0.5}),
        ("cnn", {"validation": 0.0, "l2": 0.01}, {"validation": 0.0, "l2": 0.01}),
        ("cnn2d", {"validation": 0.0, "augment": True}, {}),
        ("cnn2d", {"layers": [24, 48, 96, 128]}, {}),
        ("cnn2d", {"layers": [24, 48]}, {"layers": [24, 48]}),
        ("cnn2d", {"validation": 0.1, "augment": False}, {"validation": 0.1, "augment": False}),
    ],
)
def test_what_a_network_does_by_itself_is_not_chosen(model, options, chosen):
    assert trainings.chosen(model, "default", options) == chosen


def test_each_epoch_counts_once_where_a_training_was_broken_off_and_went_on(settings):
    job = put_job(settings, ["train", "cnn"], status="stopped")
    epochs = [(1, 1, 0.1), (1, 2, 0.2), (1, 2, 0.3), (1, 3, 0.4), (2, 1, 0.5)]
    with open(job.folder / "events.jsonl", "w") as file:
        file.write('{"kind": "began", "time": 1}\n')
        for fit, epoch, accuracy in epochs:
            event = dict.fromkeys(trainings.COUNTED, 1) | {"fit": fit, "epoch": epoch, "accuracy": accuracy}
            file.write(json.dumps({"kind": "epoch"} | event) + "\n")
        file.write('{"kind": "epoch", "fit": 2}\n')  # of no use
    curves = trainings.curves_of(job)
    assert list(curves[["fit", "epoch", "accuracy"]].itertuples(index=False, name=None)) == [
        (1, 1, 0.1), (1, 2, 0.3), (1, 3, 0.4), (2, 1, 0.5),
    ]  # fmt: skip
    assert trainings.curves_of(put_job(settings, ["train", "cnn"], status="queued")).empty


@pytest.fixture(scope="module")
def shipped():
    from ser_core.settings import Settings

    return runs.list_all(Settings.from_environment().stores)


def test_the_curve_of_a_run_with_several_networks_is_that_of_the_first_tested(shipped):
    run = runs.find(shipped, model="cnn", preset="default", protocol="study")  # with five folds beside the test part
    curve = trainings.tested(run)
    assert set(curve["part"]) == {"test"}
    assert list(curve["epoch"]) == [*range(1, len(curve) + 1)]


def test_runs_of_networks_are_a_table_to_be_read(shipped):
    known = runs.find(shipped, model="cnn", preset="default", protocol="study")
    unheard = runs.find(shipped, model="cnn2d", preset="default", protocol="emobox")
    table = trainings.compared({"one": known, "other": unheard}).set_index("run")
    assert table.loc["one", "epochs"] == len(trainings.tested(known))
    assert table.loc["one", ["train", "test", "CV5"]].tolist() == [
        f"{known.scores[name]:.3f}" for name in ("train_accuracy", "test_accuracy", "cv_accuracy")
    ]
    assert table.loc["other", ["train", "CV5"]].tolist() == ["–", "–"]


def estimated(shipped, settings, options=None, **also):
    usual = registry.parameters("cnn")
    what = {"protocol": "study", "preset": "default", "cv": False, "table": tables.read(settings.feature_table)}
    return trainings.estimate("cnn", usual | (options or {}), shipped, **what | also)


def test_an_estimate_comes_from_a_step_of_a_training_that_was(shipped, settings):
    run = runs.find(shipped, model="cnn", preset="default", protocol="study")
    seconds, is_like = estimated(shipped, settings)
    assert is_like
    assert seconds == pytest.approx(60 * trainings.tested(run)["seconds"].median(), rel=0.5)
    half, _ = estimated(shipped, settings, {"epochs": 30})
    assert half == pytest.approx(seconds / 2)
    six, _ = estimated(shipped, settings, cv=True)
    assert 4 < six / seconds < 6  # the five of the folds see fewer clips
    _, is_like = estimated(shipped, settings, {"batch_size": 256})
    assert not is_like
    assert estimated([], settings) == (None, False)


def test_layers_of_which_there_was_no_training_are_given_no_time(shipped, settings):
    assert estimated(shipped, settings, {"layers": [8]}) == (None, False)


def test_ones_own_trainings_say_more_of_this_machine_than_what_ships(shipped, settings):
    run = runs.find(shipped, model="cnn", preset="default", protocol="study")
    mine = changed(run, shipped=False, tables=Tables(run.predictions, run.curves.assign(seconds=100.0)))
    assert estimated([*shipped, mine], settings)[0] == pytest.approx(60 * 100, rel=0.01)


def test_a_training_in_other_voices_is_judged_from_one_in_other_voices(shipped, settings):
    default = runs.find(shipped, model="cnn2d", preset="default", protocol="study")
    both = [
        changed(
            default,
            {"parameters": registry.parameters("cnn2d", preset)},
            tables=Tables(default.predictions, default.curves.assign(seconds=seconds)),
        )
        for preset, seconds in (("default", 10.0), ("voices", 40.0))
    ]
    what = {"protocol": "study", "cv": False, "table": tables.read(settings.feature_table)}

    def seconds(preset, found):
        return trainings.estimate("cnn2d", registry.parameters("cnn2d", preset), found, preset=preset, **what)

    usual, voices = seconds("default", both), seconds("voices", both)
    assert voices[0] == pytest.approx(4 * usual[0])
    assert usual[1] and voices[1]
    assert seconds("voices", both[:1]) == (usual[0], False)  # nothing like it was trained: from the other, and so said


@pytest.mark.parametrize("option", trainings.OVERFITTING)
def test_what_ships_shows_how_each_option_overfits(shipped, option):
    """The grid holds the default itself, and nothing in which a second thing was changed."""
    table = trainings.overfitting(shipped, option)
    assert len(table) >= 4
    assert table["value"].is_monotonic_increasing and table["value"].is_unique
    usual = registry.parameters("cnn")
    for row in table.itertuples():
        assert row.test_low < row.test_accuracy < row.test_high
        (run,) = [one for one in shipped if one.id == row.run]
        others = {name: value for name, value in run.recipe.parameters.items() if name != option}
        assert others == {name: value for name, value in usual.items() if name != option}
    words = trainings.verdict(table, option)
    assert words.startswith("**The study found:**") and "**Here:**" in words


def grid(train, watched, seconds=(2.0, 2.0, 1.0, 1.0)) -> pd.DataFrame:
    return pd.DataFrame({"train_accuracy": train, "validation_accuracy": watched, "seconds": seconds})


FLAT, FALLS, RISES = (0.7, 0.7, 0.7, 0.7), (0.9, 0.9, 0.7, 0.5), (0.5, 0.5, 0.7, 0.9)


@pytest.mark.parametrize(
    ("option", "table", "says"),
    [
        ("dropout", grid(FALLS, FALLS), "30 points less on training clips and 30 points less on watched ones: as the"),
        ("l1", grid(FALLS, FLAT), ": in part as the study says"),
        ("l2", grid(RISES, FLAT), ": not as the study says"),
        ("batch_size", grid(FLAT, FALLS), "names 30 points less of the watched clips right, and an epoch takes 1.0 s"),
        ("batch_size", grid(FLAT, FALLS), "less: as the study says"),
        ("batch_size", grid(FLAT, RISES), ": in part as the study says"),
        ("batch_size", grid(FLAT, RISES, (1.0, 1.0, 2.0, 2.0)), "1.0 s more: not as the study says"),
    ],
)
def test_a_verdict_says_whether_the_studys_finding_came_out(option, table, says):
    assert says in trainings.verdict(table, option)


def test_a_difference_that_may_be_chance_is_no_finding():
    small = (0.71, 0.71, 0.69, 0.69)
    assert ": not as the study says" in trainings.verdict(grid(small, small), "dropout")
