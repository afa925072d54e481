"""Figures of networks, and that their sentences say what is there."""

import numpy as np
import pandas as pd
import pytest

from ser_core.experiments import fusion, trainings
from ser_core.figures import networks as figures
from ser_core.results import runs
from ser_core.settings import Settings


def curve(train=(0.3, 0.6, 0.9), watched=(0.3, 0.5, 0.4), watched_loss=(2.0, 1.5, 1.8)) -> pd.DataFrame:
    made = pd.DataFrame({"epoch": range(1, len(train) + 1), "loss": [2.0, 1.0, 0.5], "accuracy": train, "seconds": 1.0})
    return made if watched is None else made.assign(val_accuracy=watched, val_loss=watched_loss)


@pytest.fixture(scope="module")
def shipped():
    return [run for run in runs.list_all(Settings.from_environment().stores) if run.family == "deep"]


def plain(sentence: str) -> str:
    return sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_every_figure_has_a_title_a_sentence_and_names_its_axes(shipped):
    cnn, vgg16 = (runs.find(shipped, model=key, preset="default", protocol="study") for key in ("cnn", "vgg16"))
    grid = trainings.overfitting(shipped, "l2")
    weighed = fusion.every_weight(cnn, vgg16)
    made = {
        "accuracy": figures.accuracy(curve(), "cnn"),
        "loss": figures.loss(curve(), "cnn"),
        "overlaid": figures.overlaid({"cnn": curve(), "rnn": curve()}, "val_loss"),
        "overfitting": figures.overfitting(grid, "l2"),
        "time": figures.time_taken(grid, "l2"),
        "weights": figures.weights(weighed, fusion.best_weight(weighed), "cnn", "vgg16", 0.6),
    }
    for name, (figure, sentence) in made.items():
        assert figure.layout.meta["title"], name
        assert len(sentence) > 30 and sentence.endswith("."), name
        assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text, name
        assert figure.data, name


def test_accuracy_says_where_it_ended_what_was_best_and_whether_it_overfits():
    figure, sentence = figures.accuracy(curve(), "cnn")
    assert plain(sentence) == (
        "After 3 epochs it names 90% of the clips that it learns from right, and 40% of those that are only watched; "
        "the best was 50% in epoch 2. The gap is overfitting."
    )
    (kept,) = [trace for trace in figure.data if trace.name == "kept"]
    assert (kept.x[0], kept.y[0]) == (2, 0.5)
    assert "overfitting" not in figures.accuracy(curve(watched=(0.3, 0.5, 0.85)), "cnn")[1]


def test_where_no_clip_was_watched_that_is_said():
    figure, sentence = figures.accuracy(curve(watched=None), "cnn2d")
    assert "None is held out to watch" in sentence
    assert len(figure.data) == 1
    assert "lowest" not in figures.loss(curve(watched=None), "cnn2d")[1]


def test_a_loss_that_rises_again_is_told():
    assert "lowest in epoch 2 (1.50), and rises since" in figures.loss(curve(), "cnn")[1]
    assert "rises" not in figures.loss(curve(watched_loss=(2.0, 1.5, 1.4)), "cnn")[1]


def test_curves_that_were_not_watched_are_left_out_of_a_chart_of_watched_ones():
    both = {"cnn": curve(), "cnn2d": curve(watched=None)}
    figure, sentence = figures.overlaid(both, "val_accuracy")
    assert [trace.name for trace in figure.data] == ["cnn"]
    assert plain(sentence) == (
        "The best epoch of each: cnn 50%. Without clips held out to watch, and so without a curve: cnn2d."
    )
    figure, sentence = figures.overlaid(both, "loss")
    assert [trace.name for trace in figure.data] == ["cnn", "cnn2d"]
    assert "cnn 0.50; cnn2d 0.50" in sentence
    assert figures.overlaid({"cnn2d": curve(watched=None)}, "val_loss")[1] == "None of them held clips out to watch."


def test_as_many_curves_as_anyone_chooses_are_told_apart():
    figure, _ = figures.overlaid({f"run {number}": curve() for number in range(12)}, "accuracy")
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 12


def test_every_layer_of_every_network_that_ships_is_explained(shipped):
    networks = [run for run in shipped if run.curves is not None]
    assert {run.recipe.model for run in networks} == {"cnn", "vgg16", "rnn", "cnn2d", "robust_cnn"}
    for run in networks:
        layers = figures.layer_table(run.layers)
        assert (layers["what it does"].str.len() > 5).all(), run.id
        assert layers["what comes out"].iloc[-1] == "16"
        assert (layers["of those learned"] <= layers["parameters"]).all()
        figure, sentence = figures.architecture(run.layers)
        assert f"{layers['parameters'].sum():,} parameters" in sentence
        drawn = sum(len(trace.x) for trace in figure.data)
        left_out = layers["layer"].isin(["Dropout", "SpatialDropout2D", "ReLU", "BatchNormalization"]).sum()
        assert drawn == len(layers) - left_out == len(figure.layout.yaxis.ticktext)


def test_the_weights_say_what_was_chosen_on_train_and_what_that_was_worth():
    table = pd.DataFrame(
        {
            "weight": np.arange(5) / 4,
            "cv_accuracy": [0.5, 0.6, 0.7, 0.6, 0.55],
            "test_accuracy": [0.9, 0.6, 0.65, 0.6, 0.5],
        }
    )
    _, sentence = figures.weights(table, table.iloc[2], "cnn", "vgg16", 0.6)
    assert sentence == (
        "By cross-validation the best weight of cnn is 0.50 (0.700; cnn alone 0.550, vgg16 alone 0.500). On the test "
        "clips that choice names 0.650 right."
    )
