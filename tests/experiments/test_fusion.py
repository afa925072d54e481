"""Soft votes of saved runs: what they say, what every weight gives, and what the best is chosen by."""

import numpy as np
import pandas as pd
import pytest

from ser_core import cli, evaluation
from ser_core.cli import experiments as commands
from ser_core.corpus import official_clips
from ser_core.corpus.labels import LABELS
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import PROBABILITY_COLUMNS
from ser_core.experiments import fusion
from ser_core.models import registry
from ser_core.results import runs
from ser_core.results.runs import Run, Seconds, Tables, Versions
from tests.made_runs import changed, known_of, of

VOTE = registry.recipe("v_cnn_vgg16")


def run(model: str, seed: int, *, parts=("cv", "test"), clips: int = 60, **fields) -> Run:
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
    facts = {"id": f"study-{model}-{seed}", "seconds": Seconds(2.0, 1.0, 0.5)}
    return of(pd.concat(rows, ignore_index=True), model, **facts | fields)


@pytest.fixture
def both() -> tuple[Run, Run]:
    versions = {"preprocessing": "1", "networks": "1"}
    cnn = run("cnn", 1, versions=Versions("of cnn", **versions))
    return cnn, run("vgg16", 2, versions=Versions("of vgg16", **versions, weights="from a file"))


def test_a_vote_is_the_weighted_mean_of_what_both_said(both):
    vote = fusion.fuse(VOTE, *both)
    one, other = (evaluation.probabilities(one.part("test")) for one in both)
    expected = pd.DataFrame((3 * one + 2 * other) / 5)
    np.testing.assert_allclose(evaluation.probabilities(vote.part("test")), expected, atol=1e-6)
    assert vote.scores == evaluation.scores(vote.predictions)
    assert list(vote.predictions) == evaluation.COLUMNS
    assert vote.members == {"cnn": both[0].id, "vgg16": both[1].id}
    assert vote.recipe.features == "mean180 and vgg16"
    # Where a member's weights came from is not lost.
    assert vote.versions == Versions("of cnn and of vgg16", "1", "1", "from a file")
    assert vote.seconds == Seconds(4.0, 2.0, 1.0)


def test_the_order_of_a_members_rows_changes_nothing(both):
    first, second = both
    shuffled = changed(second, tables=Tables(second.predictions.sample(frac=1, random_state=1)))
    one, other = fusion.fuse(VOTE, first, second), fusion.fuse(VOTE, first, shuffled)
    pd.testing.assert_frame_equal(one.predictions, other.predictions)


def test_a_vote_is_only_of_clips_that_both_have(both):
    first, second = both
    fewer = changed(second, tables=Tables(second.part("test").iloc[10:]))
    assert len(fusion.fuse(VOTE, first, fewer).predictions) == 50


@pytest.mark.parametrize("place", [0, 1])
def test_a_vote_is_as_far_away_as_its_member_that_measures_it_says(both, place):
    measured = both[place].predictions.assign(distance=np.arange(120, dtype=np.float32))
    pair = [changed(one, tables=Tables(measured)) if number == place else one for number, one in enumerate(both)]
    vote = fusion.fuse(VOTE, *pair)
    expected = measured.set_index(fusion.KEY)["distance"]
    pd.testing.assert_series_equal(
        vote.predictions.set_index(fusion.KEY)["distance"].sort_index(), expected.sort_index()
    )


def test_every_weight_goes_from_the_second_alone_to_the_first_alone(both):
    table = fusion.every_weight(*both)
    assert list(table["weight"]) == pytest.approx(np.arange(21) / 20)
    for row, alone in ((0, both[1]), (-1, both[0])):
        scores = evaluation.scores(alone.predictions)
        assert table["test_accuracy"].iloc[row] == pytest.approx(scores["test_accuracy"])
        assert table["cv_accuracy"].iloc[row] == pytest.approx(scores["cv_accuracy"])
    three_to_two = table.loc[(table["weight"] - 0.6).abs().idxmin()]
    assert three_to_two["test_accuracy"] == fusion.fuse(VOTE, *both).scores["test_accuracy"]


def test_the_best_weight_is_chosen_on_folds_of_train_and_of_equals_the_most_even():
    table = pd.DataFrame(
        {"weight": [0.0, 0.4, 0.7, 1.0], "cv_accuracy": [0.5, 0.8, 0.8, 0.6], "test_accuracy": [0.9, 0.1, 0.95, 0.9]}
    )
    assert fusion.best_weight(table)["weight"] == 0.4
    with pytest.raises(ModelError, match="chosen on folds of the training part, and these have none"):
        fusion.best_weight(table.drop(columns="cv_accuracy"))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("protocol", {"protocol": "emobox"}),
        ("seed", {"recipe": {"seed": 10}}),
        ("data_digest", {"data_digest": "other"}),
    ],
)
def test_runs_of_different_things_cannot_vote(both, name, other):
    first, second = both[0], changed(both[1], **other)
    for make in (lambda: fusion.fuse(VOTE, first, second), lambda: fusion.every_weight(first, second)):
        with pytest.raises(ModelError, match=f"cannot vote: their {name} differs"):
            make()


def test_its_members_are_the_newest_runs_of_the_default_that_fit(both):
    old, new, other = run("cnn", 1), run("cnn", 3), run("cnn", 4, recipe={"preset": "own", "origin": "own"})
    elsewhere = run("cnn", 5, protocol="emobox")
    found = [old, new, other, elsewhere, both[1]]
    assert fusion.members(VOTE, found, protocol="study") == [new, both[1]]
    with pytest.raises(ArtifactError, match=r"none of vgg16 with protocol study.*python -m ser_core run vgg16"):
        fusion.members(VOTE, found[:4], protocol="study")


@pytest.mark.parametrize(
    ("vote", "seed", "wanted", "command"),
    [
        ("v_cnn_vgg16", 9, {"protocol": "study", "data_digest": "d"}, "run cnn"),
        ("v_cnn_vgg16", 10, {"protocol": "emobox"}, "run cnn --protocol emobox --seed 10"),
        ("best", 9, {"protocol": "emobox"}, "run krr --features functionals --protocol emobox"),
        ("v_voices", 9, {"protocol": "emobox"}, "run apart --features voices --tune 15 --protocol emobox"),
    ],
)
def test_a_member_that_lacks_is_made_by_the_very_command_that_is_named(vote, seed, wanted, command, settings):
    recipe = registry.recipe(vote, seed=seed)
    with pytest.raises(ArtifactError, match=f"python -m ser_core {command}$"):
        fusion.members(recipe, [], **wanted)
    options = cli.parser().parse_args(command.split())
    made = commands._recipe(options, None, settings)
    assert (made.model, made.seed, options.protocol) == (options.model, seed, wanted["protocol"])
    member = registry.get(vote).members[made.model]
    assert member.fits(made, registry.recipe(made.model, features=made.features, augmentation=made.augmentation))


def test_a_member_is_known_by_what_its_recipe_holds_and_not_by_its_presets_name():
    member, wanted = registry.get("best").members["krr"], registry.recipe("krr", features="functionals")
    assert member.fits(wanted.with_parameters(wanted.parameters, origin="default", preset="renamed"), wanted)
    assert not member.fits(registry.recipe("krr", "functionals", features="mean180"), wanted)
    assert not member.fits(registry.recipe("krr", "default", features="functionals"), wanted)
    assert not member.fits(registry.recipe("krr", "voices"), wanted)


def test_a_weight_of_ones_own(both):
    model = registry.get("v_cnn_vgg16")
    own = model.with_weight(VOTE, 0.25)
    assert own.parameters["weights"] == {"cnn": 0.25, "vgg16": 0.75}
    assert (own.preset, own.origin) == ("own", "own")
    vote = fusion.fuse(own, *both)
    expected = fusion.every_weight(*both).set_index("weight").loc[0.25, "test_accuracy"]
    assert vote.scores["test_accuracy"] == expected
    assert vote.id != fusion.fuse(VOTE, *both).id
    for weight in (-0.1, 1.1, float("nan")):
        with pytest.raises(ModelError, match="is out of bounds: give 0 to 1"):
            model.with_weight(VOTE, weight)


def test_the_vote_that_ships_is_the_vote_of_the_runs_that_ship(settings):
    shipped = runs.list_all(settings.stores)
    ours = runs.find(shipped, model="v_cnn_vgg16", preset="default")
    members = fusion.members(VOTE, shipped, protocol="study", data_digest=ours.data_digest)
    again = fusion.fuse(VOTE, *members)
    assert again.what == ours.what
    assert again.members == ours.members
    assert {name: again.scores[name] for name in ours.scores} == pytest.approx(ours.scores)
    assert ours.scores["test_accuracy"] > max(one.scores["test_accuracy"] for one in members)
