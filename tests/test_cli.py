import json
import subprocess
import sys

import pandas as pd
import pytest

from ser_core import synthetic
from ser_core.cli import main
from ser_core.features import study
from ser_core.labels import LABELS
from ser_core.settings import PROJECT


@pytest.fixture
def call(capsys):
    """Run a command with --json: its exit status, its answer, and what it said on stderr."""

    def run(*arguments):
        status = main([*map(str, arguments), "--json"])
        printed = capsys.readouterr()
        lines = printed.out.splitlines()
        return status, json.loads(lines[-1]) if lines else None, printed.err

    return run


@pytest.fixture
def features(table, tmp_path):
    from ser_core.features import store

    store.save_table(table, tmp_path / "F.parquet")
    return tmp_path / "F.parquet"


def test_index(call, voices):
    status, answer, _ = call("index", voices)
    assert status == 0
    assert answer == {"clips": 64, "speech": 64, "song": 0, "actors": 4, "rejected": []}


def test_index_lists_what_it_leaves_out(call, tmp_path):
    synthetic.write_corpus(tmp_path, actors=(1,), emotions=("sad",), seconds=0.5)
    (tmp_path / "cough.wav").touch()
    status, answer, _ = call("index", tmp_path)
    assert status == 0
    (rejected,) = answer["rejected"]
    assert rejected["file"] == "cough.wav"
    assert "seven two-digit fields" in rejected["reason"]


def test_an_empty_folder_is_one_clear_line_and_exit_2(call, tmp_path):
    status, answer, said = call("index", tmp_path)
    assert (status, answer) == (2, None)
    assert said.startswith("Error: No RAVDESS clip in")
    assert len(said.strip().splitlines()) == 1


def test_extract(call, voices, tmp_path):
    out = tmp_path / "made" / "F.parquet"
    status, answer, _ = call("extract", voices, "--out", out, "--jobs", 1)
    assert status == 0
    assert answer.pop("seconds") > 0
    assert answer == {"clips": 64, "features": 180, "extracted": 64, "reused": 0, "rejected": []}
    table = pd.read_parquet(out)
    assert list(table.columns[-180:]) == list(study.NAMES)
    again = call("extract", voices, "--out", out, "--jobs", 1)[1]
    assert (again["extracted"], again["reused"]) == (0, 64)


def test_run(call, features, own_workspace):
    status, answer, _ = call("run", "kn", "--protocol", "study", "--features", features, "--jobs", 1)
    assert status == 0
    assert list(answer) == [
        "model", "protocol", "preset", "test_counts", "seconds", "train_accuracy", "cv_accuracy", "test_accuracy",
        "uar", "macro_f1", "emotion_accuracy", "emotion_uar", "run",
    ]  # fmt: skip
    assert (answer["model"], answer["protocol"], answer["preset"]) == ("kn", "study", "default")
    assert sum(answer["test_counts"].values()) == 13
    assert (own_workspace / "runs" / answer["run"] / "predictions.parquet").is_file()


def test_train_then_predict_with_it(call, features, voices, own_workspace):
    status, answer, _ = call("train", "lr", "--features", features, "--jobs", 1)
    assert status == 0
    assert (own_workspace / "models" / "lr" / "card.md").is_file()
    clips = [voices / "Actor_01" / "03-01-05-01-01-01-01.wav", voices / "Actor_02" / "03-01-04-01-01-01-02.wav"]
    status, answer, _ = call("predict", *clips, "--model", "lr")
    assert status == 0
    assert [item["label"] for item in answer["predictions"]] == ["angry_male", "sad_female"]


def test_predict_with_the_shipped_model(call, tmp_path):
    clip = tmp_path / "voice.wav"
    clip.write_bytes(synthetic.wav("angry", actor=1))
    status, answer, _ = call("predict", clip)
    assert status == 0
    (prediction,) = answer["predictions"]
    assert list(prediction) == ["file", "label", "emotion", "gender", "probability", "probabilities", "warnings"]
    assert prediction["file"] == str(clip)
    assert tuple(prediction["probabilities"]) == LABELS
    assert prediction["label"] == f"{prediction['emotion']}_{prediction['gender']}"
    assert answer["errors"] == []


def test_one_bad_file_is_named_the_others_are_answered_and_the_exit_is_2(call, tmp_path):
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    good.write_bytes(synthetic.wav("angry", actor=1))
    bad.write_bytes(b"not sound at all")
    status, answer, said = call("predict", bad, good, tmp_path / "none.wav")
    assert status == 2
    assert [item["file"] for item in answer["predictions"]] == [str(good)]
    assert [item["file"] for item in answer["errors"]] == [str(bad), str(tmp_path / "none.wav")]
    assert "bad.wav" in said
    assert "Traceback" not in said


def test_compare_shows_shipped_and_own_runs_beside_the_original(call, features):
    own = call("run", "kn", "--features", features, "--jobs", 1)[1]["run"]
    status, answer, _ = call("compare")
    assert status == 0
    shipped = {row["model"]: row for row in answer["runs"] if row["shipped"]}
    assert {
        "dt",
        "rf",
        "lgb",
        "xgb",
        "mlp",
        "kn",
        "lr",
        "v",
        "v2",
        "v3",
        "v4",
        "svm",
        "krr",
        "bag",
        "best",
        "cnn2d",
    } < set(shipped)
    assert shipped["v4"]["original_test_accuracy"] == 0.84
    assert shipped["svm"]["original_test_accuracy"] is None
    (mine,) = [row for row in answer["runs"] if not row["shipped"]]
    assert mine["run"] == own
    assert mine["original_test_accuracy"] is None  # it is on other clips than the study's
    assert mine["test_clips"] == 13


def test_a_model_runs_on_the_functionals_of_ones_own_recordings(call, features, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    status, answer, error = call("run", "lr", "--features", features, "--preset", "functionals", "--jobs", 1)
    assert status == 0, error
    assert answer["preset"] == "functionals"
    assert answer["test_accuracy"] > 0.7


def test_functionals_of_the_shipped_clips_need_no_recording(call, monkeypatch):
    from ser_core.features import functionals, inputs, store
    from ser_core.settings import Settings

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
        (("extract", "nowhere", "--out", "x.parquet", "--features", "plp"), "no feature set 'plp'"),
    ],
)
def test_a_feature_set_that_does_not_fit_is_one_clear_line(call, arguments, said):
    status, answer, error = call(*arguments)
    assert (status, answer) == (2, None)
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_doctor(call):
    status, answer, _ = call("doctor")
    assert status == 0
    assert answer["ok"]
    assert {"Python", "packages", "workspace", "tables", "runs"} <= {check["name"] for check in answer["checks"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "cnn99"), "no model 'cnn99'"),
        (("run", "lr", "--protocol", "random"), "no protocol 'random'"),
        (("run", "lr", "--preset", "fast"), "no preset 'fast'"),
        (("run", "lr", "--features", "nowhere.parquet"), "no feature table nowhere.parquet"),
        (("predict", "x.wav", "--model", "svm"), "no trained model 'svm'"),
        (("extract", "nowhere", "--out", "x.parquet"), "no folder nowhere"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_2(call, arguments, said):
    status, answer, error = call(*arguments)
    assert (status, answer) == (2, None)
    assert said in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "lr", "--jobs", "0"), "0 processes do nothing"),
        (("run", "lr", "--seed", "-1"), "-1 is no seed"),
        (("train", "lr", "--loud"), "unrecognized arguments"),
        (("sing",), "invalid choice"),
    ],
)
def test_a_wrong_option_is_explained_and_exit_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*arguments])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_a_workspace_that_cannot_be_made_is_named_before_any_work(call, features, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SER_WORKSPACE", str(tmp_path / "file" / "workspace"))
    monkeypatch.setattr("ser_core.experiments.run", lambda *_, **__: pytest.fail("it was run"))
    status, _, said = call("run", "kn", "--features", features)
    assert status == 2
    assert "Set SER_WORKSPACE" in said


@pytest.mark.parametrize(
    "arguments", [("index",), ("run", "kn"), ("compare",), ("doctor",), ("predict",), ("extract",)]
)
def test_without_json_a_person_reads_it(arguments, voices, features, tmp_path, capsys):
    command, *more = arguments
    more += {
        "index": [voices],
        "run": ["--features", features, "--jobs", 1],
        "predict": [voices / "Actor_01" / "03-01-05-01-01-01-01.wav"],
        "extract": [voices, "--out", tmp_path / "out.parquet", "--jobs", 1],
    }.get(command, [])
    assert main([command, *map(str, more)]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 1


def test_the_package_is_imported_fast_and_brings_nothing_heavy():
    code = """
import time
start = time.perf_counter()
import ser_core, sys
print(time.perf_counter() - start)
print([name for name in ("tensorflow", "streamlit", "sklearn", "librosa", "pandas") if name in sys.modules])
"""
    printed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    seconds, heavy = printed.stdout.splitlines()
    assert heavy == "[]"
    assert float(seconds) < 0.5


@pytest.mark.parametrize("module", ["cli", "predict", "experiments", "health", "figures.prediction"])
def test_no_module_brings_streamlit_or_tensorflow(module):
    code = (
        f"import ser_core.{module}, sys; print([n for n in ('tensorflow', 'keras', 'streamlit') if n in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
