"""Trainings of networks as jobs and by the shell: killed and gone on with, and every bad input one line."""

import json
import os
import re
import signal

import pandas as pd
import pytest

from ser_core import cli, experiments, jobs
from ser_core.experiments import trainings
from ser_core.jobs import control
from ser_core.models import registry
from ser_core.results import runs
from tests.job_folders import task_of
from tests.waiting import until

EPOCHS = 16  # a few are seen before it is killed, and many are not yet


def test_a_training_killed_between_epochs_goes_on_to_the_run_of_an_unbroken_one(settings, file, table):
    options = {"epochs": EPOCHS, "patience": EPOCHS}
    # Of all networks it is traced soonest, which the three trainings here would spend most of their time on.
    command = ["train", "rnn", "--preset", "study", "--epochs", str(EPOCHS), "--patience", str(EPOCHS)]
    job = jobs.start(task_of([*command, "--features", file]), settings)
    try:
        until(lambda: len(trainings.curves_of(job)) >= 3)
        os.kill(jobs.get(job.id, settings).pid, signal.SIGKILL)
        gone = until(lambda: (now := jobs.get(job.id, settings)).status == "interrupted" and now)
        kept = len(trainings.curves_of(gone))
        assert kept < EPOCHS
        assert gone.is_resumable
        again = jobs.resume(gone, settings)
        assert again.id == job.id
        done = until(lambda: not (now := jobs.get(job.id, settings)).is_alive and now)
        assert done.status == "done", done.log()
    finally:
        control._kill_all(job)
    told = [event["epoch"] for event in done.events() if event["kind"] == "epoch"]
    assert told[-1] == EPOCHS
    assert len(told) <= EPOCHS + 1  # at most the one that it was killed in is told twice
    assert list(trainings.curves_of(done)["epoch"]) == [*range(1, EPOCHS + 1)]
    run = runs.get(done.answer["run"], settings.stores)
    recipe = registry.get("rnn").with_options(registry.recipe("rnn", "study"), options)
    whole = experiments.run(recipe, table, cv=False).run
    assert run.id == whole.own.id
    pd.testing.assert_frame_equal(run.predictions, whole.predictions)
    pd.testing.assert_frame_equal(run.curves.drop(columns="seconds"), whole.curves.drop(columns="seconds"))
    assert not (settings.training / whole.id).exists()  # what it went on from is of no use any more
    assert (settings.workspace / "models" / "rnn" / "network.npz").is_file()


BAD = {
    "dropout": (["cnn", "--dropout", "0.95"], "--dropout 0.95 is out of bounds: give 0 to 0.9"),
    "rate": (["cnn", "--learning-rate", "0"], "--learning-rate 0 is out of bounds: give 1e-06 to 10"),
    "momentum": (["cnn", "--momentum", "1"], "--momentum 1 is out of bounds: give 0 to 0.99"),
    "momentum of adam": (
        ["cnn", "--optimizer", "adam", "--momentum", "0.5"],
        "adam takes no --momentum: that is of --optimizer sgd",
    ),
    "penalty": (["cnn", "--l2", "-1"], "--l2 -1 is out of bounds"),
    "not a number": (["cnn", "--l1", "nan"], "--l1 nan is out of bounds"),
    "batch": (["cnn", "--batch-size", "1"], "--batch-size 1 is out of bounds: give 2 to 512"),
    "validation": (["cnn", "--validation", "0.9"], "--validation 0.9 is out of bounds"),
    "many layers": (
        ["cnn2d", "--layers", "8,8,8,8,8,8"],
        "--layers 8,8,8,8,8,8: give 1 to 5 layers, the filters of each block of two",
    ),
    "a small layer": (["rnn", "--layers", "64,0"], "--layers: size 0 is out of bounds: give 4 to 256"),
    "a large layer": (["vgg16", "--layers", "4096"], "--layers: size 4096 is out of bounds: give 4 to 512"),
    "much at once": (
        ["cnn2d", "--layers", "128", "--batch-size", "256"],
        "A layer of 128 with --batch-size 256 takes too much memory: give a batch of 64 or less",
    ),
    "layers of no network": (["svm", "--layers", "64"], "svm is no network and takes no --layers"),
    "copies of numbers": (["cnn", "--augment"], "cnn cannot learn from changed copies"),
    "no network": (["svm", "--dropout", "0.5"], "svm is no network and takes no --dropout. Networks are cnn, vgg16"),
    "preset": (["cnn", "--preset", "mine"], "'cnn' has no preset 'mine'"),
    "protocol": (["cnn", "--protocol", "mine"], "'mine'"),
    "a vote": (["v_cnn_vgg16"], "is made of the runs of cnn and vgg16. python -m ser_core run v_cnn_vgg16"),
    "no recordings": (["cnn2d"], "needs the recordings"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_one_line_before_any_work(file, tmp_path, monkeypatch, capsys, bad):
    words, says = BAD[bad]
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "nothing"))
    assert cli.main(["train", *words, "--features", file, "--json"]) == 2
    out, err = capsys.readouterr()
    assert says in err.replace("\n", " ")
    assert not out and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("typed", ["64;64", "-64", "", "64,", "6.5", "1e3", "²"])
def test_sizes_of_layers_that_are_none_are_named(capsys, typed):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["train", "cnn", f"--layers={typed}"])
    assert f"{typed!r} are no sizes of layers: give whole numbers between commas" in capsys.readouterr().err


def test_without_imagenets_weights_both_ways_to_them_are_named(file, voices, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    words = ["run", "vgg16", "--features", file, "--weights", str(tmp_path / "none.h5"), "--json"]
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert "Bring this machine online, or name a file of them: --weights FILE, or SER_VGG16_WEIGHTS=FILE" in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--weight", "1.5"], "--weight 1.5 is out of bounds: give 0 to 1"),
        ([], "made of saved runs, and there is none of cnn with .* python -m ser_core run cnn"),
    ],
)
def test_a_vote_without_its_members_or_of_a_weight_that_is_none(file, capsys, words, says):
    given = ["run", "v_cnn_vgg16", *words, *(["--features", file] if not words else []), "--json"]
    assert cli.main(given) == 2
    assert re.search(says, capsys.readouterr().err)


def test_a_weight_of_ones_own_makes_a_vote_of_the_runs_that_ship(settings, capsys):
    assert cli.main(["run", "v_cnn_vgg16", "--weight", "1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    cnn = runs.find(runs.list_all(settings.stores), model="cnn", preset="default", protocol="study")
    assert answer["preset"] == "own"
    assert answer["test_accuracy"] == pytest.approx(cnn.scores["test_accuracy"])
