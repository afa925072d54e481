import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from ser_core import experiments
from ser_core.corpus.labels import LABELS
from ser_core.errors import ModelError, TuningError
from ser_core.experiments.nested import TunedInside, space_of, tuned_inside
from ser_core.models import registry
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.model import SingleModel


def run(table, model="lr", trials=3, protocol="actors-4", jobs=1):
    model, preset = tuned_inside(model, trials)
    return experiments.run(model, table, protocol=protocol, preset=preset, jobs=jobs).run


def test_each_fold_finds_its_own_parameters_and_the_run_says_which(table):
    info = run(table).info
    assert info["preset"] == "tuned-inside"
    assert (info["parameters"]["trials"], info["parameters"]["folds"]) == (3, 3)
    assert info["parameters"]["ranges"]["C"] == "FloatDistribution(high=30.0, log=True, low=0.01, step=None)"
    assert [(found["part"], found["fold"]) for found in info["found"]] == [("test", fold) for fold in (1, 2, 3, 4)]
    assert all({"C", "class_weight", "max_iter"} == set(found["parameters"]) for found in info["found"])
    assert all(0 <= found["score"] <= 1 for found in info["found"])


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
    assert after.info["found"][0] == honest.info["found"][0]
    given = [name for name in first.columns if name.startswith("p_")]
    assert len(given) == 16
    np.testing.assert_array_equal(after.predictions.query("fold == 1")[given], first[given])
    assert after.info["found"][1:] != honest.info["found"][1:]


def test_the_same_again_gives_the_same_whatever_the_number_of_processes(table):
    one, other = run(table, "kn", jobs=1), run(table, "kn", jobs=2)
    assert one.id == other.id
    assert one.predictions.equals(other.predictions)


def test_where_actors_are_not_held_out_accuracy_decides_and_else_the_uar_of_emotions():
    """A classifier that takes everybody for a calm woman."""
    labels = np.array(["calm_female"] * 30 + ["calm_male"] * 30 + ["sad_male"] * 30)

    class Model(SingleModel):
        def make(self, parameters, seed, *, plain=False, features="study"):
            return DummyClassifier(strategy="constant", constant=0)

    model = Model("lr", "", "", "", {}, "distance", None)
    features, actors = np.zeros((90, 2)), np.arange(90) % 3
    found = []
    for options in ({}, {"groups": actors}):
        fitted = EmotionClassifier(TunedInside(model, "study", 1, 9)).fit(features, labels, **options)
        found.append(fitted.estimator_.found_["score"])
    assert found == pytest.approx([1 / 3, 1 / 2])


def test_every_preset_lies_in_what_is_looked_through():
    for key, features, preset in (("krr", "study", "default"), ("krr", "functionals", "functionals"),
                                  ("krr", "voices", "voices"), ("apart", "voices", "voices")):  # fmt: skip
        model = registry.get(key)
        parameters = getattr(model, "base", model).presets[preset]
        for name, range_ in space_of(model, features).ranges.items():
            assert range_.low <= parameters[name] <= range_.high, (key, features, name)


def test_where_nothing_can_be_fitted_one_line_says_so():
    class Model(SingleModel):
        def make(self, parameters, seed, *, plain=False, features="study"):
            return LogisticRegression(C=-1)

    model = Model("lr", "", "", "", {}, "distance", None)
    labels = np.array(["calm_female", "sad_female"] * 9)
    with pytest.raises(TuningError, match="lr: none of 2 parameters could be fitted"):
        EmotionClassifier(TunedInside(model, "study", 2, 9)).fit(np.zeros((18, 2)), labels)


@pytest.mark.parametrize(("key", "shape"), [("svm", (40,)), ("apart", (3, 40))])
def test_what_it_sees_is_chosen_apart(key, shape):
    features = "functionals" if len(shape) == 1 else "voices"
    model, preset = tuned_inside(key, 2, features)
    assert (preset, model.input(preset)) == (f"{features}-tuned-inside", features)
    random = np.random.default_rng(0)
    labels = np.array(LABELS)[np.arange(192) % 16]
    centres = 5 * random.normal(size=(16, *shape))
    clips = (centres[np.arange(192) % 16] + random.normal(size=(192, *shape))).astype(np.float32)
    fitted = EmotionClassifier(model.build(preset, 9)).fit(clips, labels, groups=np.arange(192) // 32)
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
        tuned_inside(model, trials)


def test_a_model_that_does_not_learn_in_other_voices_is_not_tuned_in_them():
    with pytest.raises(TuningError, match=r"'svm' does not learn in other voices; .* krr, apart do"):
        tuned_inside("svm", 3, "voices")


def test_one_actor_in_training_is_too_few(table):
    two = table[table["speaker"].isin(["01", "02"])].reset_index(drop=True)
    with pytest.raises(TuningError, match="one actor's clips"):
        run(two, protocol="actors-2")
