import numpy as np
import pytest

from ser_core import experiments
from ser_core.errors import ModelError, TuningError
from ser_core.labels import LABELS
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.tuning.inside import INSIDE, tuned_inside


def run(table, model="lr", trials=3, protocol="actors-4", jobs=1):
    return experiments.run(tuned_inside(model, trials), table, protocol=protocol, preset=INSIDE, jobs=jobs).run


def test_each_fold_finds_its_own_parameters_and_the_run_says_which(table):
    info = run(table).info
    assert info["preset"] == "tuned-inside"
    assert info["parameters"] == {"trials": 3, "space": "ours", "folds": 3}
    assert [(found["part"], found["fold"]) for found in info["found"]] == [("test", fold) for fold in (1, 2, 3, 4)]
    assert all({"C", "class_weight", "max_iter"} == set(found["parameters"]) for found in info["found"])
    assert all(0 <= found["score"] <= 1 for found in info["found"])
    assert len({found["score"] for found in info["found"]}) > 1  # each chose on clips of its own


def test_the_held_out_actor_chooses_nothing(table):
    """With all of one actor's labels shuffled, the fold that holds that actor out finds and predicts the same."""
    honest = run(table)
    first = honest.predictions.query("fold == 1")
    actor = table.set_index("stem").loc[first["clip"], "actor"].unique()
    assert len(actor) == 1
    spoiled = table.copy()
    theirs = (spoiled["actor"] == actor[0]).to_numpy()
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


def test_where_actors_are_not_held_out_accuracy_decides(table):
    info = run(table, protocol="study", trials=2).info
    assert [found["part"] for found in info["found"]] == ["cv"] * 5 + ["test"]


@pytest.mark.parametrize(("key", "shape"), [("svm", (40,)), ("apart", (3, 40))])
def test_what_it_sees_is_chosen_apart(key, shape):
    features = "functionals" if len(shape) == 1 else "voices"
    model = tuned_inside(key, 2, features)
    assert model.input(INSIDE) == features
    random = np.random.default_rng(0)
    labels = np.array(LABELS)[np.arange(192) % 16]
    centres = 5 * random.normal(size=(16, *shape))
    clips = (centres[np.arange(192) % 16] + random.normal(size=(192, *shape))).astype(np.float32)
    fitted = EmotionClassifier(model.build(INSIDE, 9)).fit(clips, labels, groups=np.arange(192) // 32)
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


def test_one_actor_in_training_is_too_few(table):
    two = table[table["actor"].isin(sorted(table["actor"].unique())[:2])].reset_index(drop=True)
    with pytest.raises(TuningError, match="one actor's clips"):
        run(two, protocol="actors-2")
