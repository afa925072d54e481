import dataclasses

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from ser_core import experiments
from ser_core.corpus.labels import LABELS
from ser_core.errors import ModelError, TuningError
from ser_core.experiments import nested
from ser_core.experiments.nested import NestedSearch
from ser_core.features import registry as feature_sets
from ser_core.models import registry
from ser_core.models.emotion_classifier import EmotionClassifier


def run(table, model="lr", trials=3, protocol="actors-4", jobs=1):
    return experiments.run(nested.recipe(registry.recipe(model), trials), table, protocol=protocol, jobs=jobs).run


def test_each_fold_finds_its_own_parameters_and_the_run_says_which(table):
    made = run(table)
    recipe = made.recipe
    assert (recipe.preset, recipe.origin) == ("tuned-inside", "nested")
    assert (recipe.parameters["trials"], recipe.parameters["folds"]) == (3, 3)
    assert recipe.parameters["ranges"]["C"] == "FloatDistribution(high=30.0, log=True, low=0.01, step=None)"
    assert [(found["part"], found["fold"]) for found in made.found] == [("test", fold) for fold in (1, 2, 3, 4)]
    assert all({"C", "class_weight", "max_iter"} == set(found["parameters"]) for found in made.found)
    assert all(0 <= found["score"] <= 1 for found in made.found)


def test_the_held_out_actor_chooses_nothing(table):
    """With all of one actor's labels shuffled, the fold that holds that actor out finds and predicts the same."""
    honest = run(table)
    first = honest.predictions.query("fold == 1")
    actor = table.set_index("stem").loc[first["clip"], "speaker"].unique()
    assert len(actor) == 1
    spoiled = table.copy()
    theirs = (spoiled["speaker"] == actor[0]).to_numpy()
    spoiled.loc[theirs, "label"] = np.roll(spoiled.loc[theirs, "label"].to_numpy(), 5)
    after = run(spoiled)
    assert after.found[0] == honest.found[0]
    given = [name for name in first.columns if name.startswith("p_")]
    assert len(given) == 16
    np.testing.assert_array_equal(after.predictions.query("fold == 1")[given], first[given])
    assert after.found[1:] != honest.found[1:]


def test_the_same_again_gives_the_same_whatever_the_number_of_processes(table):
    one, other = run(table, "kn", jobs=1), run(table, "kn", jobs=2)
    assert one.id == other.id
    assert one.predictions.equals(other.predictions)


@pytest.fixture
def made_of(monkeypatch):
    """Logistic regression made by another function of parameters and seed."""

    def replace_classifier(classifier):
        model = dataclasses.replace(registry.get("lr"), classifier=classifier)
        monkeypatch.setitem(registry.MODELS, "lr", model)

    return replace_classifier


def test_where_actors_are_not_held_out_accuracy_decides_and_else_the_uar_of_emotions(made_of):
    """A classifier that takes everybody for a calm woman."""
    labels = np.array(["calm_female"] * 30 + ["calm_male"] * 30 + ["sad_male"] * 30)
    made_of(lambda parameters, seed: DummyClassifier(strategy="constant", constant=0))
    recipe = nested.recipe(registry.recipe("lr", preprocessing="plain"), 1)
    features, actors = np.zeros((90, 180)), np.arange(90) % 3
    found = []
    for options in ({}, {"groups": actors}):
        fitted = EmotionClassifier(NestedSearch(recipe)).fit(features, labels, **options)
        found.append(fitted.estimator_.found_["score"])
    assert found == pytest.approx([1 / 3, 1 / 2])


def test_every_preset_lies_in_what_is_searched():
    for key, preset in (("krr", "default"), ("krr", "functionals"), ("krr", "voices"), ("apart", "voices")):
        recipe = registry.recipe(key, preset)
        parameters = recipe.parameters.get("base", {}).get("krr", recipe.parameters)
        space = NestedSearch(recipe)._space(len(feature_sets.get(recipe.features).names))
        for name, range_ in space.ranges.items():
            assert range_.low <= parameters[name] <= range_.high, (key, preset, name)


def test_where_nothing_can_be_fitted_one_line_says_so(made_of):
    made_of(lambda parameters, seed: LogisticRegression(C=-1))
    labels = np.array(["calm_female", "sad_female"] * 9)
    recipe = nested.recipe(registry.recipe("lr", preprocessing="plain"), 2)
    with pytest.raises(TuningError, match="lr: none of 2 parameters could be fitted"):
        EmotionClassifier(NestedSearch(recipe)).fit(np.zeros((18, 180)), labels)


@pytest.mark.parametrize(("key", "shape"), [("svm", (40,)), ("apart", (3, 40))])
def test_what_it_sees_is_chosen_apart(key, shape):
    base = registry.recipe(key, "functionals" if len(shape) == 1 else "voices")
    recipe = nested.recipe(base, 2)
    assert recipe.preset == f"{base.preset}-tuned-inside"
    assert (recipe.features, recipe.augmentation) == (base.features, base.augmentation)
    random = np.random.default_rng(0)
    labels = np.array(LABELS)[np.arange(192) % 16]
    centres = 5 * random.normal(size=(16, *shape))
    clips = (centres[np.arange(192) % 16] + random.normal(size=(192, *shape))).astype(np.float32)
    fitted = EmotionClassifier(NestedSearch(recipe)).fit(clips, labels, groups=np.arange(192) // 32)
    assert np.mean(fitted.predict(clips) == labels) > 0.9


@pytest.mark.parametrize(
    ("model", "trials", "error", "says"),
    [
        ("nobody", 3, ModelError, "There is no model 'nobody'"),
        ("v4", 3, TuningError, "'v4' is not tuned: a vote follows its members"),
        ("cnn", 3, TuningError, "'cnn' is a network"),
        ("lr", 0, TuningError, "0 trials find nothing"),
    ],
)
def test_what_cannot_be_tuned_is_named(model, trials, error, says):
    with pytest.raises(error, match=says):
        nested.recipe(registry.recipe(model), trials)


def test_one_actor_in_training_is_too_few(table):
    two = table[table["speaker"].isin(["01", "02"])].reset_index(drop=True)
    with pytest.raises(TuningError, match="one speaker's clips"):
        run(two, protocol="actors-2")
