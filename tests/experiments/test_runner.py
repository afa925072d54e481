import dataclasses

import joblib
import numpy as np
import pytest

from ser_core import evaluation, experiments
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import protocols
from ser_core.models import presets
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
    info = result.run.info
    assert (info["model"], info["preset"], info["protocol"], info["seed"]) == ("v2", "default", "study", 9)
    assert info["parameters"]["weights"] == {"kn": 1, "xgb": 1, "mlp": 1}
    assert info["parameters"]["members"]["kn"] == {"n_neighbors": 20, "weights": "nearness"}
    assert info["scores"] == evaluation.scores(result.run.predictions)
    assert sum(info["test_counts"].values()) == 13
    assert {"python", "scikit-learn", "xgboost", "lightgbm", "librosa"} <= set(info["versions"])
    assert len(info["data_digest"]) == 64


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
    one, other = (experiments.run("bag", table, jobs=1, seed=seed).run for seed in (1, 2))
    assert one.id != other.id
    assert not one.predictions.equals(other.predictions)


def test_the_study_preset_runs_too(table):
    run = experiments.run("kn", table, preset="study", jobs=1).run
    assert run.info["parameters"] == {"weights": "distance", "n_neighbors": 32}


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
    }  # fmt: skip


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
    assert again.info == result.run.info
    assert again.predictions.equals(result.run.predictions)
    runs.save(result.run, tmp_path)
    assert [run.id for run in runs.list_all([tmp_path / "none", tmp_path])] == [result.run.id]


def test_shipped_runs_are_marked(result, tmp_path):
    runs.save(result.run, tmp_path / "artifacts")
    runs.save(result.run, tmp_path / "workspace")
    assert [run.shipped for run in runs.list_all([tmp_path / "artifacts", tmp_path / "workspace"])] == [True, False]


def test_a_run_whose_scores_are_not_its_predictions_is_refused(result, tmp_path):
    file = runs.save(result.run, tmp_path) / "run.json"
    accuracy = result.run.scores["cv_accuracy"]
    file.write_text(file.read_text().replace(f'"cv_accuracy": {accuracy}', '"cv_accuracy": 0.999'))
    with pytest.raises(ArtifactError, match="another cv_accuracy than its predictions give"):
        runs.load(file.parent)


def test_a_damaged_run_of_ones_own_takes_nothing_else_down(result, tmp_path, caplog):
    runs.save(result.run, tmp_path / "artifacts")
    (tmp_path / "workspace" / "runs" / "half").mkdir(parents=True)
    assert [run.shipped for run in runs.list_all([tmp_path / "artifacts", tmp_path / "workspace"])] == [True]
    assert "half" in caplog.text
    with pytest.raises(ArtifactError, match="half"):
        runs.list_all([tmp_path / "workspace"])


def test_a_run_that_is_saved_twice_at_once_is_whole(result, tmp_path):
    joblib.Parallel(n_jobs=4, backend="threading")(joblib.delayed(runs.save)(result.run, tmp_path) for _ in range(12))
    assert [file.name for file in (tmp_path / "runs").iterdir()] == [result.run.id]
    assert runs.load(tmp_path / "runs" / result.run.id).predictions.equals(result.run.predictions)


def test_a_run_that_does_not_say_who_speaks_is_named(result, tmp_path):
    """As earlier versions kept them."""
    old = dataclasses.replace(result.run, predictions=result.run.predictions.drop(columns="speaker"))
    with pytest.raises(ArtifactError, match=r"cannot be read .*speaker.*run it again"):
        runs.load(runs.save(old, tmp_path))


def test_a_damaged_run_is_named(result, tmp_path):
    folder = runs.save(result.run, tmp_path)
    (folder / "predictions.parquet").write_bytes(b"")
    with pytest.raises(ArtifactError, match=f"The run .*{result.run.id} cannot be read"):
        runs.load(folder)


def test_what_was_tuned_on_an_actors_clips_is_not_tested_as_if_it_had_never_heard_them(table, settings):
    model = presets.model("lr", settings.stores)
    assert "tuned" in model.presets
    with pytest.raises(ModelError, match="'tuned' of lr was tuned on clips of all actors, so actors-2 would not hold"):
        experiments.run(model, table, preset="tuned", protocol="actors-2", jobs=1)
