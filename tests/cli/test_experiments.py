import sys

import pytest

from ser_core.features import functionals, inputs, store
from ser_core.settings import Settings


def test_run(call, file, own_workspace):
    status, answer, _ = call("run", "kn", "--protocol", "study", "--features", file, "--jobs", 1)
    assert status == 0
    assert list(answer) == [
        "model", "protocol", "preset", "test_counts", "seconds", "train_accuracy", "cv_accuracy", "test_accuracy",
        "uar", "macro_f1", "emotion_accuracy", "emotion_uar", "run",
    ]  # fmt: skip
    assert (answer["model"], answer["protocol"], answer["preset"]) == ("kn", "study", "default")
    assert sum(answer["test_counts"].values()) == 13
    assert (own_workspace / "runs" / answer["run"] / "predictions.parquet").is_file()


def test_train_then_predict_with_it(call, file, voices, own_workspace):
    status, answer, _ = call("train", "lr", "--features", file, "--jobs", 1)
    assert status == 0
    assert (own_workspace / "models" / "lr" / "card.md").is_file()
    clips = [voices / "Actor_01" / "03-01-05-01-01-01-01.wav", voices / "Actor_02" / "03-01-04-01-01-01-02.wav"]
    status, answer, _ = call("predict", *clips, "--model", "lr")
    assert status == 0
    assert [item["label"] for item in answer["predictions"]] == ["angry_male", "sad_female"]


def test_a_model_runs_on_the_functionals_of_ones_own_recordings(call, file, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    status, answer, error = call("run", "lr", "--features", file, "--preset", "functionals", "--jobs", 1)
    assert status == 0, error
    assert answer["preset"] == "functionals"
    assert answer["test_accuracy"] > 0.7


def test_functionals_of_the_shipped_clips_need_no_recording(call, monkeypatch):
    settings = Settings.from_environment()
    table = store.read_table(settings.feature_table)
    monkeypatch.setenv("SER_DATA_DIR", "nowhere")
    seen = inputs.load("functionals", table, settings)
    assert (seen.version, seen.clips.shape) == (functionals.VERSION, (2452, len(functionals.NAMES)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "mlp", "--features", "functionals", "--preset", "study"), "leave --preset study out"),
        (("run", "cnn", "--features", "functionals"), "'cnn' has no preset 'functionals'"),
        (("run", "svm", "--features", "voices"), "'svm' has no preset 'voices'"),
        (("run", "krr", "--features", "study", "--preset", "voices"), "leave --features out"),
        (("extract", "nowhere", "--out", "x.parquet", "--features", "plp"), "no feature set 'plp'"),
    ],
)
def test_a_feature_set_that_does_not_fit_is_one_clear_line(call, arguments, said):
    status, answer, error = call(*arguments)
    assert (status, answer) == (2, None)
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_a_workspace_that_cannot_be_made_is_named_before_any_work(call, file, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SER_WORKSPACE", str(tmp_path / "file" / "workspace"))
    monkeypatch.setattr("ser_core.experiments.run", lambda *_, **__: pytest.fail("it was run"))
    status, _, said = call("run", "kn", "--features", file)
    assert status == 2
    assert "Set SER_WORKSPACE" in said


@pytest.mark.parametrize("weight", ["1.5", "-0.1", "nan"])
def test_a_weight_that_is_no_share_is_refused_before_any_run_is_read(call, monkeypatch, weight):
    monkeypatch.setattr("ser_core.results.runs.list_all", lambda *_: pytest.fail("the runs were read"))
    monkeypatch.setattr("ser_core.features.store.read_table", lambda *_: pytest.fail("the clips were read"))
    assert call("run", "v_cnn_vgg16", "--weight", weight) == (
        2,
        None,
        f"Error: --weight {weight} is out of bounds: give 0 to 1\n",
    )


def test_a_weight_is_taken_by_votes_of_two_runs_alone(call):
    status, _, said = call("run", "svm", "--weight", "0.5")
    assert status == 2
    assert "svm is no vote of two runs and takes no --weight. Such votes are " in said and "v_cnn_vgg16" in said


def test_parameters_are_looked_for_inside_each_fold(call, file):
    status, answer, error = call("run", "lr", "--features", file, "--protocol", "actors-4", "--tune", 2, "--jobs", 1)
    assert status == 0, error
    assert answer["preset"] == "tuned-inside"
    assert answer["run"].startswith("actors-4-lr-tuned-inside-")
    status, _, error = call("run", "lr", "--features", file, "--preset", "study", "--tune", 2)
    assert (status, error) == (2, "Error: --tune looks for the parameters itself: leave --preset study out\n")


@pytest.mark.parametrize("command", ["run", "train"])
def test_without_tensorflow_a_network_is_refused_before_any_clip_is_read(call, file, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr(inputs, "load", lambda *_, **__: pytest.fail("clips were read"))
    status, answer, error = call(command, "cnn", "--features", file)
    assert (status, answer) == (2, None)
    assert 'Error: Model cnn needs TensorFlow, which is not installed: pip install "ser-core[train]"' in error
