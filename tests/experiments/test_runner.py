import dataclasses
import json

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import confusion_matrix

from ser_core import evaluation, experiments, files
from ser_core.corpus.labels import LABELS
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import protocols
from ser_core.experiments import nested, runner
from ser_core.features import registry as feature_sets
from ser_core.features import tables
from ser_core.features.model_input import ModelInput
from ser_core.models import registry
from ser_core.results import runs


def test_a_run_keeps_every_prediction(result, table):
    run = result.run
    counts = run.predictions.groupby("part").size().to_dict()
    assert counts == {"cv": 51, "test": 13, "train": 51}
    assert set(run.part("train")["clip"]) == set(run.part("cv")["clip"])
    assert set(run.part("test")["clip"]) | set(run.part("train")["clip"]) == set(table["stem"])
    assert list(run.predictions.columns) == [
        *("clip", "corpus", "speaker", "gender", "fold", "part", "truth"),
        *evaluation.PROBABILITY_COLUMNS,
    ]
    known = table.set_index("stem").loc[run.predictions["clip"]]
    for column, source in (("corpus",) * 2, ("speaker",) * 2, ("gender",) * 2, ("truth", "label")):
        assert run.predictions[column].tolist() == known[source].tolist()


def test_a_run_says_how_it_was_obtained(result):
    run, recipe = result.run, result.run.recipe
    assert recipe == registry.recipe("v2")
    assert (recipe.features, recipe.origin, run.protocol, recipe.seed) == ("mean180", "default", "study", 9)
    assert recipe.parameters["weights"] == {"kn": 1, "xgb": 1, "mlp": 1}
    assert recipe.parameters["members"]["kn"] == {"n_neighbors": 20, "weights": "nearness"}
    assert run.scores == evaluation.scores(run.predictions)
    assert sum(run.test_counts.values()) == 13
    assert {"python", "scikit-learn", "xgboost", "lightgbm", "librosa"} <= set(run.environment.packages)
    assert all((run.environment.platform, run.environment.processor, run.environment.blas, run.environment.praat))
    assert len(run.data_digest) == 64


def test_the_model_is_the_one_that_made_the_test_predictions(result, table):
    test = result.run.part("test")
    rows = table.set_index("stem").loc[test["clip"]]
    features = rows[[name for name in table.columns if name.startswith(("mfcc", "chroma", "mel"))]].to_numpy(np.float32)
    np.testing.assert_allclose(result.model.predict_proba(features), evaluation.probabilities(test), atol=1e-6)


@pytest.mark.parametrize("key", ["dt", "lgb", "mlp", "svm", "bag"])
def test_the_same_run_twice_gives_the_same_numbers(key, table):
    one, other = (experiments.run(key, table, jobs=jobs).run for jobs in (1, 2))
    assert one.id == other.id
    assert one.predictions.equals(other.predictions)


def test_another_seed_is_another_run(table):
    one, other = (experiments.run(registry.recipe("bag", seed=seed), table, jobs=1).run for seed in (1, 2))
    assert one.id != other.id
    assert not one.predictions.equals(other.predictions)


def test_the_study_preset_runs_too(table):
    run = experiments.run(registry.recipe("kn", "study"), table, jobs=1).run
    assert run.recipe.parameters == {"weights": "distance", "n_neighbors": 32}


def test_nothing_is_learned_from_the_test_clips(table):
    """Test clips with absurd features move no prediction of the cross-validation."""
    honest = experiments.run("lr", table, jobs=1).run
    absurd = table.copy()
    tested = absurd["stem"].isin(honest.part("test")["clip"])
    absurd.loc[tested, "mfcc_01"] = 1e6
    other = experiments.run("lr", absurd, jobs=1).run
    assert other.part("cv").equals(honest.part("cv"))
    assert other.part("train").equals(honest.part("train"))


def test_where_actors_are_held_out_everybody_is_predicted_once_by_those_who_never_heard_them(table, monkeypatch):
    monkeypatch.setitem(protocols.PUBLISHED, "emobox", ((1, 2), (3, 4)))
    made = experiments.run("kn", table, protocol="emobox", jobs=1)
    assert made.model is None
    assert set(made.run.predictions["part"]) == {"test"}
    assert sorted(made.run.predictions["clip"]) == sorted(table["stem"])
    folds = made.run.predictions.groupby("fold")["clip"].agg(lambda clips: {int(clip[-2:]) for clip in clips})
    assert folds.to_dict() == {1: {1, 2}, 2: {3, 4}}
    assert set(made.run.scores) == {
        "test_accuracy", "uar", "macro_f1", "log_loss", "top2_accuracy", "ece",
        "emotion_accuracy", "emotion_uar", "emotion_ua", "emotion_claimed",
        "shared_emotion_accuracy", "shared_emotion_uar",
    }  # fmt: skip


def test_what_models_of_several_folds_name_of_their_own_training_clips_is_counted(table, tmp_path):
    run = experiments.run("kn", table, protocol="loso", jobs=1).run
    assert set(run.training) == {"class", "emotion", "gender"}
    matrix = run.training_confusion("emotion")
    assert matrix.sum() == 3 * len(table)  # each clip is learned from in three of four folds
    assert np.array_equal(matrix, np.diag(np.diag(matrix)))  # the nearest neighbour of a training clip is itself
    again = runs.load(runs.save(run, tmp_path))
    assert np.array_equal(again.training_confusion("class"), run.training_confusion("class"))


def test_what_it_counts_of_training_clips_is_what_plain_scikit_learn_names(table):
    shuffled = table.assign(label=table["label"].sample(frac=1, random_state=0).to_numpy())
    recipe = registry.recipe("dt", "study")
    run = experiments.run(recipe, shuffled, protocol="actors-2", jobs=1).run
    features, labels = tables.matrix(table), shuffled["label"].to_numpy(dtype=str)
    expected = 0
    for fold in protocols.get("actors-2").folds(shuffled):
        model = clone(registry.build(recipe)).fit(features[fold.train], labels[fold.train])
        expected += confusion_matrix(labels[fold.train], model.predict(features[fold.train]), labels=LABELS)
    assert np.array_equal(run.training_confusion(), expected)
    assert np.trace(expected) < expected.sum()  # leaves of four clips do not know everything by heart


def test_of_very_many_training_clips_some_are_counted(table, monkeypatch):
    monkeypatch.setattr(runner, "TRAINED_COUNTED", 10)
    run = experiments.run("kn", table, protocol="loso", jobs=1).run
    assert run.training_confusion().sum() == 4 * 10


def test_where_one_part_is_tested_the_training_part_is_among_the_predictions(result):
    assert result.run.training == {}
    assert result.run.training_confusion().sum() == len(result.run.part("train"))


def test_a_run_that_keeps_nothing_of_its_training_clips_says_so(table):
    run = experiments.run("kn", table, protocol="loso", jobs=1).run
    assert dataclasses.replace(run, training={}).training_confusion() is None


@pytest.mark.parametrize(
    ("protocol", "names"),
    [
        ("study", {"test_accuracy", "uar", "macro_f1"}),
        ("loso", {"emotion_accuracy", "shared_emotion_uar"}),
    ],
)
def test_scores_lie_in_their_intervals(table, protocol, names):
    run = experiments.run("v2" if protocol == "study" else "kn", table, protocol=protocol, jobs=1).run
    assert set(run.intervals) == names
    assert all(low <= run.scores[name] <= high for name, (low, high) in run.intervals.items())


def test_a_run_can_be_found_by_what_it_says(result):
    assert runs.find([result.run], model="v2", protocol="study") is result.run
    with pytest.raises(ArtifactError, match="no run with model v2, protocol emobox"):
        runs.find([result.run], model="v2", protocol="emobox")


def test_an_unknown_model_is_refused_before_any_work(table):
    with pytest.raises(ModelError, match="no model 'vgg99'"):
        experiments.run("vgg99", table)


def test_a_saved_run_is_read_back_as_it_was(result, tmp_path):
    folder = runs.save(result.run, tmp_path)
    again = runs.load(folder)
    assert again.what == result.run.what
    for name in ("id", "scores", "environment", "seconds", "versions", "made", "clips"):
        assert getattr(again, name) == getattr(result.run, name)
    assert again.predictions.equals(result.run.predictions)
    runs.save(result.run, tmp_path)
    assert [run.id for run in runs.list_all([tmp_path / "none", tmp_path])] == [result.run.id]


def test_shipped_runs_are_marked(result, tmp_path):
    runs.save(result.run, tmp_path / "artifacts")
    runs.save(result.run, tmp_path / "workspace")
    assert [run.shipped for run in runs.list_all([tmp_path / "artifacts", tmp_path / "workspace"])] == [True, False]


def test_scores_are_computed_anew_where_the_predictions_are_not_those_that_they_are_of(result, tmp_path, caplog):
    folder = runs.save(result.run, tmp_path)
    files.write(result.run.predictions.assign(truth="sad_male"), folder / "predictions.parquet")
    again = runs.load(folder)
    assert again.scores == evaluation.scores(again.predictions) != result.run.scores
    assert "computed anew" in caplog.text


def test_scores_of_an_earlier_version_are_computed_anew(result, tmp_path, monkeypatch):
    folder = runs.save(result.run, tmp_path)
    monkeypatch.setattr(evaluation, "VERSION", "scores-2")
    monkeypatch.setattr(evaluation, "scores", lambda _: {"mood": 1.0})
    assert runs.load(folder).scores == {"mood": 1.0}


def test_scores_are_trusted_while_the_predictions_are_theirs(result, tmp_path, monkeypatch):
    folder = runs.save(result.run, tmp_path)
    monkeypatch.setattr(evaluation, "scores", lambda _: pytest.fail("scored again"))
    monkeypatch.setattr(runs, "_read", lambda *_: pytest.fail("predictions were read"))
    assert runs.load(folder).scores == result.run.scores


def test_what_cannot_be_read_takes_nothing_else_down(result, tmp_path, caplog):
    runs.save(result.run, tmp_path / "artifacts")
    (tmp_path / "workspace" / "runs" / "half").mkdir(parents=True)
    found, (unreadable,) = runs.read_all([tmp_path / "artifacts", tmp_path / "workspace"])
    assert [run.shipped for run in found] == [True]
    assert (unreadable.id, unreadable.shipped) == ("half", False)
    assert "Run half cannot be read" in str(unreadable)
    assert runs.list_all([tmp_path / "artifacts", tmp_path / "workspace"]) == found
    assert "half" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda record: record.pop("recipe"), "run.json lacks 'recipe'"),
        (lambda record: record.pop("predictions_digest"), "run.json lacks 'predictions_digest'"),
        (lambda record: record["recipe"].update(model="gone"), "There is no model 'gone'"),
        (lambda record: record.update(mood="good"), "run.json has 'mood', which is not known here"),
    ],
)
def test_a_run_that_lacks_something_says_what(result, tmp_path, spoil, says):
    file = runs.save(result.run, tmp_path) / "run.json"
    record = json.loads(file.read_text())
    spoil(record)
    file.write_text(json.dumps(record))
    with pytest.raises(ArtifactError, match=says):
        runs.load(file.parent)


def test_an_own_run_has_an_id_of_its_own(result):
    assert result.run.own.id == f"own-{result.run.id}"
    assert result.run.own.own == result.run.own or result.run.own.own.id == result.run.own.id


def test_a_run_that_is_saved_twice_at_once_is_whole(result, tmp_path):
    joblib.Parallel(n_jobs=4, backend="threading")(joblib.delayed(runs.save)(result.run, tmp_path) for _ in range(12))
    assert [file.name for file in (tmp_path / "runs").iterdir()] == [result.run.id]
    assert runs.load(tmp_path / "runs" / result.run.id).predictions.equals(result.run.predictions)


def test_a_damaged_run_is_named(result, tmp_path):
    folder = runs.save(result.run, tmp_path / "artifacts")
    (folder / "predictions.parquet").write_bytes(b"")
    with pytest.raises(ArtifactError, match=f"{result.run.id}.* cannot be read"):
        runs.get(result.run.id, [tmp_path / "artifacts", tmp_path / "workspace"])


def test_what_was_tuned_on_an_actors_clips_is_not_tested_as_if_it_had_never_heard_them(table, settings):
    recipe = registry.recipe("lr", "tuned", stores=settings.stores)
    with pytest.raises(ModelError, match="'tuned' of lr was tuned on clips of all actors, so actors-2 would not hold"):
        experiments.run(recipe, table, protocol="actors-2", jobs=1)


@pytest.fixture
def bored(table):
    """The table with another emotion than the eight: half of the sad clips are boredom's."""
    other = table.copy()
    rows = other.index[(other["emotion"] == "sad") & (other["repetition"] == 1)]
    other.loc[rows, ["emotion", "label"]] = "boredom"
    return other


def test_a_run_on_other_emotions_than_the_eight_has_these_emotions_as_its_classes(bored):
    run = experiments.run("kn", bored, protocol="loso", jobs=1).run
    assert evaluation.classes(run.predictions) == ("angry", "boredom", "sad")
    assert list(run.predictions["truth"]) == list(bored["emotion"])
    assert np.allclose(evaluation.probabilities(run.predictions).sum(axis=1), 1)
    assert evaluation.kinds(run.predictions) == ("class", "emotion")
    assert run.scores["uar"] == run.scores["emotion_uar"]
    assert run.training_confusion().shape == (3, 3)
    assert set(run.intervals) == {"test_accuracy", "uar"}
    assert "shared_emotion_uar" not in run.scores  # all emotions that it chooses among are tested


def test_speakers_of_unknown_gender_are_learned_by_emotion_alone(table):
    run = experiments.run("kn", table.assign(gender="", label=table["emotion"]), protocol="loso", jobs=1).run
    assert evaluation.classes(run.predictions) == ("angry", "sad")


def test_parameters_are_searched_for_other_emotions_too(bored):
    recipe = nested.recipe(registry.recipe("kn"), 2)
    run = experiments.run(recipe, bored, protocol="loso", jobs=1).run
    assert evaluation.classes(run.predictions) == ("angry", "boredom", "sad")
    assert len(run.found) == 4


def test_a_model_of_emotion_and_gender_apart_answers_for_other_emotions_alone(bored):
    apart, alone = (experiments.run(key, bored, protocol="loso", jobs=1).run for key in ("apart", "krr"))
    assert evaluation.classes(apart.predictions) == ("angry", "boredom", "sad")
    np.testing.assert_allclose(evaluation.probabilities(apart.predictions), evaluation.probabilities(alone.predictions))


@pytest.mark.parametrize("key", ["robust", "centred"])
def test_the_models_that_know_speakers_answer_for_other_emotions_alone(bored, key):
    recipe = registry.recipe(key)
    features = feature_sets.get(recipe.features)
    values = np.random.default_rng(0).normal(size=(len(bored), 2, len(features.names))).astype(np.float32)
    values += bored["emotion"].astype("category").cat.codes.to_numpy()[:, np.newaxis, np.newaxis]
    values = values if key == "robust" else values[:, 0]
    given = ModelInput(features.key, recipe.augmentation, "made", values)
    run = experiments.run(recipe, bored, protocol="loso", features=given, jobs=1).run
    assert evaluation.classes(run.predictions) == ("angry", "boredom", "sad")
    assert np.allclose(evaluation.probabilities(run.predictions).sum(axis=1), 1)
    assert run.scores["uar"] > 0.6


def test_a_model_that_learns_from_copies_refuses_features_of_which_there_are_none():
    with pytest.raises(ModelError, match=r"'robust' learns from copies of each clip .*such as svm"):
        registry.recipe("robust", features="mine.csv@0123456789ab")
    assert registry.build(registry.recipe("centred", features="mine.csv@0123456789ab")).weights is None


def test_a_model_that_asks_for_the_gender_first_refuses_other_emotions_and_names_itself_and_the_way_out(bored):
    with pytest.raises(ModelError, match=r"'hier' tells women from men first.*Choose 'krr'"):
        experiments.run("hier", bored, protocol="loso", jobs=1)


def test_clips_of_one_class_cannot_be_learned(table):
    with pytest.raises(ModelError, match="All clips are angry_male"):
        experiments.run("kn", table[table["label"] == "angry_male"], protocol="loso", jobs=1)


def test_test_clips_of_an_emotion_that_a_fold_has_not_learned_are_in_no_score(table):
    only_there = table.copy()
    rows = (only_there["speaker"] == "04") & (only_there["emotion"] == "sad")
    only_there.loc[rows, ["emotion", "label"]] = "calm", "calm_female"
    run = experiments.run("kn", only_there, protocol="loso", jobs=1).run
    assert set(run.part("other")["clip"]) == set(only_there["stem"][rows])
    assert len(run.part("test")) == len(table) - rows.sum()


def test_a_table_of_other_features_than_the_recipes_is_refused(table):
    with pytest.raises(ModelError, match="'kn' sees functionals, and the table holds mean180"):
        experiments.run(registry.recipe("kn", features="functionals"), table, jobs=1)
