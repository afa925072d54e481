"""Soft votes of saved runs: what they say, what every weight gives, and what the best is chosen by."""

import numpy as np
import pandas as pd
import pytest

from ser_core import evaluation
from ser_core.corpus import official_clips
from ser_core.corpus.labels import LABELS
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import PROBABILITY_COLUMNS
from ser_core.experiments import fusion
from ser_core.models import registry
from ser_core.results import runs
from ser_core.results.runs import Run
from tests.made_runs import known_of

VOTE = registry.get("v_cnn_vgg16")


def run(model: str, seed: int, *, parts=("cv", "test"), clips: int = 60, **info) -> Run:
    """A run of made-up predictions, each a little better than chance."""
    random = np.random.default_rng(seed)
    rows = []
    for part in parts:
        truth = np.random.default_rng(0).integers(len(LABELS), size=clips)
        given = random.dirichlet(np.ones(len(LABELS)), size=clips)
        given[np.arange(clips), truth] += random.uniform(0, 0.4, size=clips)
        given = (given / given.sum(axis=1, keepdims=True)).astype(np.float32)
        known = known_of(official_clips()[:clips]).assign(fold=0, part=part, truth=np.array(LABELS)[truth])
        rows.append(pd.concat([known, pd.DataFrame(given, columns=PROBABILITY_COLUMNS)], axis=1))
    facts = {"model": model, "preset": "default", "protocol": "study", "seed": 9, "data_digest": "d", "clips": clips}
    facts |= {"features": f"of {model}", "views": "1", "networks": "1", "versions": {}, "name": model, "family": "deep"}
    facts |= {"seconds": 2.0, "fit_seconds": 1.0, "predict_seconds": 0.5}
    return Run(f"study-{model}-{seed}", facts | info, pd.concat(rows, ignore_index=True))


@pytest.fixture
def both() -> tuple[Run, Run]:
    return run("cnn", 1), run("vgg16", 2, weights="from a file")


def test_a_vote_is_the_weighted_mean_of_what_both_said(both):
    vote = fusion.of_runs(VOTE, *both)
    one, other = (evaluation.probabilities(one.part("test")) for one in both)
    expected = pd.DataFrame((3 * one + 2 * other) / 5)
    np.testing.assert_allclose(evaluation.probabilities(vote.part("test")), expected, atol=1e-6)
    assert vote.scores == evaluation.scores(vote.predictions)
    assert list(vote.predictions) == evaluation.COLUMNS
    assert vote.info["members"] == {"cnn": both[0].id, "vgg16": both[1].id}
    assert vote.info["weights"] == "from a file"  # where a member's came from is not lost
    assert (vote.info["seconds"], vote.info["fit_seconds"]) == (4.0, 2.0)


def test_the_order_of_a_members_rows_changes_nothing(both):
    first, second = both
    shuffled = Run(second.id, second.info, second.predictions.sample(frac=1, random_state=1))
    one, other = fusion.of_runs(VOTE, first, second), fusion.of_runs(VOTE, first, shuffled)
    pd.testing.assert_frame_equal(one.predictions, other.predictions)


def test_a_vote_is_only_of_clips_that_both_have(both):
    first, second = both
    fewer = Run(second.id, second.info, second.part("test").iloc[10:])
    assert len(fusion.of_runs(VOTE, first, fewer).predictions) == 50


def test_every_weight_goes_from_the_second_alone_to_the_first_alone(both):
    table = fusion.every_weight(*both)
    assert list(table["weight"]) == pytest.approx(np.arange(21) / 20)
    for row, alone in ((0, both[1]), (-1, both[0])):
        scores = evaluation.scores(alone.predictions)
        assert table["test_accuracy"].iloc[row] == pytest.approx(scores["test_accuracy"])
        assert table["cv_accuracy"].iloc[row] == pytest.approx(scores["cv_accuracy"])
    three_to_two = table.loc[(table["weight"] - 0.6).abs().idxmin()]
    assert three_to_two["test_accuracy"] == fusion.of_runs(VOTE, *both).scores["test_accuracy"]


def test_the_best_weight_is_chosen_on_folds_of_train_and_of_equals_the_most_even():
    table = pd.DataFrame(
        {"weight": [0.0, 0.4, 0.7, 1.0], "cv_accuracy": [0.5, 0.8, 0.8, 0.6], "test_accuracy": [0.9, 0.1, 0.95, 0.9]}
    )
    assert fusion.best_weight(table)["weight"] == 0.4
    with pytest.raises(ModelError, match="chosen on folds of the training part, and these have none"):
        fusion.best_weight(table.drop(columns="cv_accuracy"))


@pytest.mark.parametrize(("name", "value"), [("protocol", "emobox"), ("seed", 10), ("data_digest", "other")])
def test_runs_of_different_things_cannot_vote(both, name, value):
    first, second = both
    second.info[name] = value
    for make in (lambda: fusion.of_runs(VOTE, first, second), lambda: fusion.every_weight(first, second)):
        with pytest.raises(ModelError, match=f"cannot vote: their {name} differs"):
            make()


def test_its_members_are_the_newest_runs_of_the_default_that_fit(both):
    old, new, other = run("cnn", 1), run("cnn", 3), run("cnn", 4, preset="own")
    elsewhere = run("cnn", 5, protocol="emobox")
    found = [old, new, other, elsewhere, both[1]]
    assert fusion.members(VOTE, found, protocol="study") == [new, both[1]]
    with pytest.raises(ArtifactError, match=r"none of vgg16 with protocol study.*python -m ser_core run vgg16"):
        fusion.members(VOTE, found[:4], protocol="study")


@pytest.mark.parametrize(
    ("vote", "wanted", "command"),
    [
        ("v_cnn_vgg16", {"protocol": "study", "seed": 9, "data_digest": "d"}, "run cnn"),
        ("v_cnn_vgg16", {"protocol": "emobox", "seed": 10}, "run cnn --protocol emobox --seed 10"),
        ("best", {"protocol": "emobox", "seed": 9}, "run krr --preset functionals --protocol emobox"),
        ("v_voices", {"protocol": "emobox"}, "run apart --preset voices --protocol emobox --tune 15"),
    ],
)
def test_a_member_that_lacks_is_made_by_the_very_command_that_is_named(vote, wanted, command):
    with pytest.raises(ArtifactError, match=f"python -m ser_core {command}$"):
        fusion.members(registry.get(vote), [], **wanted)


def test_a_weight_of_ones_own(both):
    model = VOTE.with_weight(0.25)
    assert model.parameters("own")["weights"] == {"cnn": 0.25, "vgg16": 0.75}
    vote = fusion.of_runs(model, *both, preset="own")
    expected = fusion.every_weight(*both).set_index("weight").loc[0.25, "test_accuracy"]
    assert vote.scores["test_accuracy"] == expected
    assert vote.id != fusion.of_runs(VOTE, *both).id
    for weight in (-0.1, 1.1, float("nan")):
        with pytest.raises(ModelError, match="is out of bounds: give 0 to 1"):
            VOTE.with_weight(weight)


def test_the_vote_that_ships_is_the_vote_of_the_runs_that_ship(settings):
    shipped = runs.list_all(settings.stores)
    ours = runs.find(shipped, model="v_cnn_vgg16", preset="default")
    members = fusion.members(VOTE, shipped, protocol="study", seed=9, data_digest=ours.info["data_digest"])
    again = fusion.of_runs(VOTE, *members)
    assert again.id == ours.id
    assert again.scores == pytest.approx(ours.scores)
    assert ours.scores["test_accuracy"] > max(one.scores["test_accuracy"] for one in members)
