"""The page of networks: what ships, a training in every state, a new one."""

import json
import sys

import pytest

from ser_core import jobs
from ser_core.figures.networks import NAMES
from ser_core.models import deep, registry
from ser_core.results import runs
from tests.app.pages import at, charts, texts, well, widget
from tests.job_folders import mine, put_job
from tests.made_runs import changed


def epoch(number: int, of: int = 5, fit: int = 1, fits: int = 1) -> dict:
    return {
        "kind": "epoch",
        "time": 0.0,
        "fit": fit,
        "fits": fits,
        "part": "test",
        "fold": 0,
        "epoch": number,
        "epochs": of,
        "loss": 2.0 / number,
        "accuracy": 0.2 * number,
        "val_loss": 1.0 + 0.1 * number,
        "val_accuracy": 0.1 * number,
        "seconds": 1.5,
    }


COMMAND = ["train", "cnn", "--epochs", "5"]


def put_training(settings, done: int, put=put_job, **state):
    """A training's job that has told of so many epochs."""
    job = put(settings, COMMAND, **state)
    with open(job.folder / "events.jsonl", "a") as file:
        file.writelines(json.dumps(epoch(number)) + "\n" for number in range(1, done + 1))
    return job


def test_before_any_training_it_shows_how_the_cnn_that_ships_learned(app):
    at(app, "train")
    assert "No network has been trained here yet" in app.info[0].value
    assert len(charts(app)) == 3
    assert "test clips are named right" in app.success[0].value
    assert "the study had 0.68" in app.success[0].value
    cells, _ = (matrix := json.loads(charts(app)[2].spec))["data"]
    assert matrix["layout"]["meta"]["title"] == "What cnn confuses"
    assert cells["colorbar"]["orientation"] == "h"  # beside it, a phone would have half its width for 16 classes
    assert max(map(len, cells["x"])) <= 12


def test_a_running_one_says_where_it_is_and_draws_its_curves(app, settings):
    put_training(settings, 3, put=mine, status="running")
    at(app, "train")
    assert "Epoch 3 of 5" in texts(app)
    assert "1.5 s an epoch" in texts(app)
    assert len(charts(app)) == 2
    assert app.button(key="stop")


def test_one_that_has_not_ended_an_epoch_begins(app, settings):
    progress = {"what": "Preparing clips for cnn", "done": 16, "total": 2452, "unit": "clip"}
    put_training(settings, 0, put=mine, status="running", progress=progress)
    at(app, "train")
    assert "It begins**: preparing clips for cnn, clip 16 of 2,452." in texts(app)
    assert not charts(app)


def test_a_stopped_one_can_go_on(app, settings, monkeypatch):
    job = put_training(settings, 2, status="stopped")
    resumed = []
    monkeypatch.setattr(jobs, "resume", lambda job, settings, **_: resumed.append(job.id))
    at(app, "train")
    assert "It was stopped** after 2 epochs" in texts(app)
    well(app.button(key="resume").click().run())
    assert resumed == [job.id]


def test_an_interrupted_one_says_so(app, settings):
    put_training(settings, 2, status="running")
    at(app, "train")
    assert "It was interrupted** after 2 epochs" in app.warning[0].value


def test_a_failed_one_gives_the_reason(app, settings):
    says = "The loss is nan in epoch 2: the steps are too long. Try a learning rate below 5"
    put_training(settings, 1, status="failed", message=says, is_final=True)
    at(app, "train")
    assert says in app.error[0].value.replace("\\", "")
    assert not any(button.key == "resume" for button in app.button)  # it would fail again in the same way


def test_one_that_failed_for_want_of_room_can_go_on(app, settings):
    put_training(settings, 1, status="failed", message="The disk is full")
    at(app, "train")
    assert app.button(key="resume")


def test_a_queued_one_waits(app, settings):
    put_training(settings, 0, put=mine, status="queued")
    at(app, "train")
    assert "It waits for its turn" in texts(app)


def test_the_one_at_work_is_shown_before_those_that_wait(app, settings):
    put_training(settings, 3, put=mine, status="running")
    mine(settings, ["train", "cnn2d"], status="queued")
    put_job(settings, ["train", "rnn"], status="stopped")
    at(app, "train")
    assert "Epoch 3 of 5" in texts(app)
    assert widget(app, "job").options == ["cnn epochs 5, running", "cnn2d, waiting", "rnn, stopped"]


@pytest.mark.parametrize("key", [model.key for model in deep.MODELS if model.trains_in_epochs])
def test_every_network_can_be_chosen_and_says_its_command(app, key):
    at(app, "train", show="Start one", network=registry.get(key).name)
    assert app.code[0].value == f"python -m ser_core train {key}"
    assert app.button(key="start")


def test_what_is_chosen_stands_in_the_command_and_is_started(app, monkeypatch):
    at(app, "train", show="Start one", network=registry.get("cnn").name)
    app.number_input(key="epochs-cnn-default").set_value(3)
    app.slider(key="dropout-cnn-default").set_value(0.5)
    app.select_slider(key="l2-cnn-default").set_value(1e-3)
    well(app.run())
    command = ("train", "cnn", "--epochs", "3", "--dropout", "0.5", "--l2", "0.001")
    assert app.code[0].value == " ".join(["python", "-m", "ser_core", *command])
    begun = []

    class Begun:
        id = "20261124-000000-abcd"

    def start(task, settings, **_):
        begun.append(task.arguments)
        return Begun

    monkeypatch.setattr(jobs, "start", start)
    well(app.button(key="start").click().run())
    assert begun == [command]


def test_layers_are_chosen_within_bounds_and_stand_in_the_command(app):
    at(app, "train", show="Start one", network=registry.get("cnn").name)
    assert app.text_input(key="layers-cnn-default").value == "32,32,64,64,64,64,64,64"
    well(app.text_input(key="layers-cnn-default").set_value("64, 32").run())
    assert app.code[0].value == "python -m ser_core train cnn --layers 64,32"
    assert "cannot be said yet" in texts(app)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "are no sizes of layers"),
        ("many", "'many' are no sizes of layers: give whole numbers between commas"),
        ("64, 1e9", "are no sizes of layers"),
        ("100000", "size 100000 is out of bounds: give 4 to 256"),
        (",".join(["64"] * 13), "give 1 to 12 layers"),
    ],
)
def test_layers_that_cannot_be_are_said_in_place_of_the_start(app, typed, said):
    at(app, "train", show="Start one", network=registry.get("cnn").name)
    well(app.text_input(key="layers-cnn-default").set_value(typed).run())
    assert said in app.error[0].value.replace("\\", "")
    assert not [button for button in app.button if button.key == "start"]


def test_the_time_is_said_before_it_is_started(app):
    at(app, "train", show="Start one", network=registry.get("cnn").name)
    assert "All epochs take about" in texts(app)


def test_an_installation_for_looking_only_offers_no_start(app, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    at(app, "train", show="Start one")
    assert "for looking only" in app.info[0].value
    assert not [button for button in app.button if button.key == "start"]


def test_without_tensorflow_it_says_how_to_install_it_in_place_of_the_start(app, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    at(app, "train", show="Start one")
    assert "needs TensorFlow" in app.info[0].value
    assert "requirements-train.txt" in app.info[0].value
    assert not [button for button in app.button if button.key == "start"]


def test_networks_that_listen_say_when_there_are_no_recordings(app, monkeypatch, tmp_path):
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "none"))
    at(app, "train", show="Start one", network=registry.get("cnn2d").name)
    assert "listens to the recordings" in app.warning[0].value


@pytest.mark.parametrize(("run", "stands_beside_it"), [("rnn (study)", True), ("rnn", False)])
def test_an_rnn_that_reads_frames_is_not_held_against_the_studys(app, run, stands_beside_it):
    at(app, "train", show="What it is made of", run=run)
    assert "test clips are named right" in app.success[0].value
    assert ("the study had 0.18" in app.success[0].value) == stands_beside_it


def test_two_runs_of_one_title_are_two_rows_and_two_curves(app, settings):
    shipped = runs.find(runs.list_all([settings.artifacts]), model="cnn", preset="default", protocol="study")
    for name in ("study-cnn-default-11112222", "study-cnn-default-33334444"):
        runs.save(changed(shipped, id=name), settings.workspace)
    at(app, "train", show="Learning curves")
    names = ["cnn (yours) #11112222", "cnn (yours) #33334444"]
    assert list(app.dataframe[0].value["run"][:2]) == names
    assert all(name in charts(app)[0].alt for name in names)


def test_curves_of_several_runs_lie_on_one_chart(app):
    at(app, "train", show="Learning curves")
    assert len(widget(app, "runs").value) > 1
    assert len(charts(app)) == 1
    table = app.dataframe[0].value
    assert list(table["run"]) == ["cnn", "vgg16", "rnn", "cnn2d validation 0.1"]
    assert list(table["CV5"])[2:] == ["–", "–"]
    assert all(name in charts(app)[0].alt for name in table["run"])


@pytest.mark.parametrize("option", ["dropout", "l1", "l2", "batch_size"])
def test_overfitting_says_what_the_study_found_and_what_came_out_here(app, option):
    at(app, "train", show="Overfitting", option=NAMES[option])
    assert "The study found" in app.info[0].value
    assert "Here:" in app.info[0].value
    assert len(charts(app)) == 2


def test_the_vote_can_be_weighed_anew(app):
    at(app, "train", show="The vote")
    assert "the study's 0.78" in app.metric[1].delta
    before = app.metric[0].value
    well(app.slider(key="weight").set_value(0.0).run())
    assert app.metric[0].value != before


def test_a_network_is_told_layer_by_layer(app):
    at(app, "train", show="What it is made of")
    layers = app.dataframe[0].value
    assert layers["layer"].iloc[0] == "InputLayer"
    assert layers["what comes out"].iloc[-1] == "16"
    assert len(charts(app)) == 4


def test_momentum_is_offered_with_the_optimiser_that_has_it_and_is_in_the_command(app):
    at(app, "train", show="Start one")
    assert "Momentum" in str(app.slider)
    next(one for one in app.slider if one.key == "momentum-cnn-default").set_value(0.5).run()
    assert "--momentum 0.5" in well(app).code[0].value
    widget(app, "optimizer-cnn-default").set_value("rmsprop").run()
    assert not [one for one in well(app).slider if one.label == "Momentum"]
    assert "--optimizer rmsprop" in app.code[0].value and "momentum" not in app.code[0].value
    assert "RMSprop gives each weight" in texts(app)
