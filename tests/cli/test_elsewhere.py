"""What comes from elsewhere on the command line: own code, imported predictions, features of files and encoders."""

import sys

import numpy as np
import pandas as pd
import pytest

from ser_core import cli, evaluation, extras
from ser_core.corpus.labels import EMOTION_NAMES, by_emotion, emotion_of
from ser_core.errors import ModelError
from ser_core.features import tables
from ser_core.results import runs
from ser_core.settings import Settings
from tests.features.test_encoder import network

CODE = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def lr(C=1.0):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C))
"""


@pytest.fixture
def code(tmp_path, monkeypatch) -> str:
    """The name of a module of one's own, in the working directory."""
    name = f"code_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.fixture
def embeddings(table, tmp_path):
    """A file of numbers by clip from elsewhere: 12 of the table's features under other names."""
    values = table[[f"mfcc_{number:02d}" for number in range(1, 13)]].set_axis([f"e{n}" for n in range(12)], axis=1)
    file = tmp_path / "embeddings.csv"
    pd.concat([table["path"].rename("file"), values], axis=1).sample(frac=1, random_state=1).to_csv(file, index=False)
    return file


@pytest.fixture
def as_shipped(file, monkeypatch):
    """The synthetic clips in place of those that ship."""
    monkeypatch.setattr(Settings, "feature_table", property(lambda settings: file))


def test_own_code_runs_from_a_shell_and_is_verified(call, file, code):
    status, answer, error = call("run", f"{code}:lr", "--features", file, "--protocol", "actors-4", "--jobs", 1)
    assert status == 0, error
    assert (answer["model"], answer["recipe"]["origin"]) == (f"{code}:lr", "code")
    assert answer["recipe"]["features"] == "mean180"
    assert answer["run"].startswith(f"own-actors-4-{code}-lr-default-")
    status, _, error = call("verify", answer["run"], "--features", file)
    assert (status, error) == (
        2,
        f"Error: {answer['run']} is of own code, which runs only if you name it: --code {code}:lr\n",
    )
    status, verified, error = call("verify", answer["run"], "--features", file, "--code", f"{code}:lr", "--jobs", 1)
    assert (status, verified["predictions"], verified["changed"]) == (0, 64, 0), error


def test_own_code_is_tested_on_another_corpus(call, file, code, elsewhere):
    status, answer, error = call("run", f"{code}:lr", "--features", file, "--test-on", elsewhere, "--jobs", 1)
    assert status == 0, error
    assert answer["tested_on"]["corpus"] == "elsewhere"


def test_a_job_of_a_page_never_runs_own_code(file, code, monkeypatch):
    monkeypatch.setattr("ser_core.models.foreign.from_shell", lambda *_, **__: pytest.fail("it was imported"))
    with pytest.raises(ModelError, match="own code, which runs from a shell alone and never as a job"):
        cli.carry_out(["run", f"{code}:lr", "--features", file], report=object())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--preset", "default"), "own code and takes no --preset"),
        (("--tune", 2), "own code and takes no --tune"),
        (("--weight", 0.5), "own code and takes no --weight"),
        (("--augmentation", "none"), "own code and takes no --augmentation"),
        (("--features", "plp"), "There is no feature set 'plp'"),
    ],
)
def test_own_code_takes_no_options_of_models(call, code, options, said):
    status, _, error = call("run", f"{code}:lr", *options)
    assert status == 2 and said in error


def test_own_code_is_not_kept_for_predictions(call, file, code):
    status, _, error = call("train", f"{code}:lr", "--features", file)
    assert status == 2 and "loading a model here runs none" in error


def test_predictions_from_elsewhere_are_imported_and_compared(call, file, tmp_path):
    _, ours, _ = call("run", "kn", "--features", file, "--protocol", "actors-4", "--jobs", 1)
    test = runs.get(ours["run"], Settings.from_environment().stores).part("test").reset_index(drop=True)
    given = pd.DataFrame(by_emotion(evaluation.probabilities(test)), columns=EMOTION_NAMES)
    theirs = pd.concat([test["clip"], test["truth"].map(emotion_of), given], axis=1)
    theirs.to_csv(tmp_path / "theirs.csv", index=False)
    options = ("--protocol", "actors-4", "--features", file)
    status, answer, error = call("import-run", tmp_path / "theirs.csv", *options)
    assert status == 0, error
    assert (answer["model"], answer["recipe"]["origin"]) == ("imported:theirs", "imported")
    assert answer["emotion_uar"] == pytest.approx(ours["emotion_uar"])
    pairs = ("--kind", "emotion", "--pairs", "kn (yours)", "theirs (imported)")
    status, compared, error = call("compare", "--protocol", "actors-4", *pairs)
    assert (status, compared["pairs"][0]["only_first"]) == (0, 0), error
    status, compared, error = call("compare", "--protocol", "actors-4")  # of classes: the other run is not hidden
    assert [row["run"] for row in compared["runs"]] == [ours["run"]]
    assert "--kind emotion" in error
    status, _, error = call("verify", answer["run"], "--features", file)
    assert status == 2 and "predicted elsewhere: here is nothing to repeat" in error


def test_an_import_is_shown_without_a_time(file, table, tmp_path, capsys):
    rows = table.iloc[evaluation.protocols.get("study").folds(table)[-1].held_out]
    rows[["stem"]].assign(truth=rows["emotion"], angry=0.5, sad=0.5).to_csv(tmp_path / "t.csv", index=False)
    assert cli.main(["import-run", str(tmp_path / "t.csv"), "--protocol", "study", "--features", file]) == 0
    printed = capsys.readouterr().out
    assert "accuracy of eight emotions on test" in printed and "accuracy on test " not in printed
    speakers = rows["speaker"].nunique()
    assert f"\nTested on {len(rows)} clips of {speakers} speakers of {rows['corpus'].iloc[0]}." in printed
    assert "\nIntervals are over clips." in printed
    assert "\nEvery prediction is in" in printed


def test_a_run_says_what_it_saw_and_over_what_its_intervals_are(file, code, capsys):
    assert cli.main(["run", f"{code}:lr", "--features", file, "--protocol", "actors-4", "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{code}:lr, own code, mean180, protocol actors-4\n")
    assert "\nIntervals are over speakers." in printed and "macro avg counts it as 0" not in printed


def test_clips_that_are_in_no_score_are_counted(table, code, tmp_path, capsys):
    alone = table.copy()
    alone.loc[alone["speaker"].eq("01") & alone["emotion"].eq("sad"), ["emotion", "label"]] = "envy"
    tables.save(alone, tmp_path / "envy.parquet")
    options = ["--features", str(tmp_path / "envy.parquet"), "--protocol", "loso", "--jobs", "1"]
    assert cli.main(["run", f"{code}:lr", *options]) == 0
    printed = capsys.readouterr().out
    left = (alone["emotion"] == "envy").sum()
    assert f"\nTested on {len(alone) - left} clips of 4 speakers" in printed
    assert f"\n{left} more clips have an emotion that no training clip of their fold has" in printed


def test_where_macro_avg_is_not_uar_the_reason_is_said(file, table, tmp_path, capsys):
    rows = table.iloc[evaluation.protocols.get("study").folds(table)[-1].held_out]
    rows[["stem"]].assign(truth=rows["emotion"], disgust=1.0).to_csv(tmp_path / "t.csv", index=False)
    assert cli.main(["import-run", str(tmp_path / "t.csv"), "--protocol", "study", "--features", file]) == 0
    assert "\nUAR leaves out what has no test clips, and macro avg counts it as 0." in capsys.readouterr().out


def test_a_file_of_numbers_is_what_a_model_sees(call, as_shipped, embeddings, table):
    status, answer, error = call("run", "lr", "--features", embeddings, "--protocol", "actors-4", "--jobs", 1)
    assert status == 0, error
    assert answer["recipe"]["features"].startswith("embeddings.csv@")
    run = runs.get(answer["run"], Settings.from_environment().stores)
    assert run.versions.features == answer["recipe"]["features"]
    assert answer["emotion_accuracy"] > 0.7
    status, verified, error = call("verify", answer["run"], "--features", embeddings, "--jobs", 1)
    assert (status, verified["changed"]) == (0, 0), error
    status, _, error = call("verify", answer["run"])
    assert status == 2
    assert error.endswith("is not made here, so that this needs its file: name it with --features\n")


def test_own_code_on_own_features(call, as_shipped, embeddings, code):
    status, answer, error = call("run", f"{code}:lr", "--features", embeddings, "--protocol", "actors-4", "--jobs", 1)
    assert status == 0, error
    assert answer["recipe"]["features"].startswith("embeddings.csv@")


def test_parameters_are_searched_on_own_features(call, as_shipped, embeddings):
    options = ("--features", embeddings, "--protocol", "actors-4", "--tune", 1, "--jobs", 1)
    status, answer, error = call("run", "svm", *options)
    assert status == 0, error
    assert answer["recipe"]["preset"].endswith("-tuned-inside")


def test_a_study_tunes_on_own_features(call, as_shipped, embeddings):
    options = ("--features", embeddings, "--trials", 1, "--folds", 3, "--workers", 1, "--name", "mine")
    status, answer, error = call("tune", "kn", *options, "--save-preset")
    assert status == 0, error
    assert answer["trials"] == {"complete": 1}


@pytest.mark.parametrize(
    ("model", "said"),
    [("cnn", "'cnn' sees mean180, and not embeddings.csv@"), ("best", "'best' is made of saved runs")],
)
def test_a_model_that_cannot_see_a_table_says_so(call, as_shipped, embeddings, model, said):
    status, _, error = call("run", model, "--features", embeddings)
    assert status == 2 and said in error


def test_a_model_of_own_features_is_not_kept(call, as_shipped, embeddings):
    status, _, error = call("train", "lr", "--features", embeddings)
    assert status == 2 and "could not predict a recording" in error


def test_own_features_are_of_the_clips_as_recorded(call, as_shipped, embeddings, voices, monkeypatch):
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    status, _, error = call("run", "lr", "--features", embeddings, "--heard", "telephone", "--jobs", 1)
    assert status == 2 and "cannot be extracted of clips heard in a condition" in error


def test_the_other_corpus_is_in_the_same_file(call, as_shipped, embeddings, elsewhere):
    options = ("--features", embeddings, "--test-on", elsewhere, "--jobs", 1)
    status, _, error = call("run", "lr", *options)
    assert status == 2 and "missing (16 of 16): " in error
    written = pd.read_csv(embeddings)
    names = [line.partition(",")[0] for line in elsewhere.read_text().splitlines()[1:]]
    more = pd.DataFrame(np.zeros((16, 12)), columns=[f"e{n}" for n in range(12)]).assign(file=names)
    pd.concat([written, more]).to_csv(embeddings, index=False)
    status, answer, error = call("run", "lr", *options)
    assert status == 0, error
    assert sum(answer["test_counts"].values()) == 8


def test_a_table_of_an_earlier_version_is_no_file_from_elsewhere(call, table, tmp_path):
    old = table.copy()
    old.attrs[tables.VERSION] = "study-0"
    tables.save(old, tmp_path / "old.parquet")
    status, _, error = call("run", "kn", "--features", tmp_path / "old.parquet")
    assert status == 2 and "contains features of version 'study-0'" in error


def test_an_encoder_is_what_a_model_sees(call, as_shipped, voices, tmp_path, monkeypatch):
    if not extras.is_installed("onnx"):
        pytest.skip("onnxruntime is not installed")
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    (tmp_path / "tiny.onnx").write_bytes(network().SerializeToString())
    named = f"onnx:{tmp_path}/tiny.onnx"
    status, _, error = call("run", "cnn", "--features", named)
    assert status == 2 and "'cnn' sees mean180, and not onnx:tiny.onnx@" in error
    status, answer, error = call("run", "lr", "--features", named, "--protocol", "actors-4", "--jobs", 1)
    assert status == 0, error
    assert answer["recipe"]["features"].startswith("onnx:tiny.onnx@")
    status, verified, error = call("verify", answer["run"], "--features", named, "--jobs", 1)
    assert (status, verified["changed"]) == (0, 0), error
    status, extracted, error = call("extract", voices, "--features", named, "--out", tmp_path / "T.parquet")
    assert (status, extracted["features"], extracted["reused"]) == (0, 8, 64), error
    options = ("--features", tmp_path / "T.parquet", "--protocol", "actors-4", "--jobs", 1)
    status, again, error = call("run", "lr", *options)
    assert (status, again["run"], again["test_accuracy"]) == (0, answer["run"], answer["test_accuracy"]), error


def test_a_model_of_egemaps_is_run_kept_and_predicts(call, as_shipped, voices, tmp_path, monkeypatch):
    pytest.importorskip("opensmile")
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    status, answer, error = call("train", "lr", "--features", "egemaps", "--jobs", 1)
    assert status == 0, error
    run = runs.get(answer["run"], Settings.from_environment().stores)
    assert (run.recipe.features, run.versions.features[:18]) == ("egemaps", "egemaps@opensmile-")
    assert answer["test_accuracy"] > 0.8
    status, answer, error = call("predict", voices / "Actor_01" / "03-01-05-01-01-01-01.wav", "--model", "lr")
    assert (status, answer["predictions"][0]["label"]) == (0, "angry_male"), error


@pytest.mark.parametrize(("features", "package"), [("egemaps", "opensmile"), ("onnx:tiny.onnx", "onnxruntime")])
def test_a_missing_extra_is_one_line(call, tmp_path, monkeypatch, features, package):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.onnx").touch()
    monkeypatch.setitem(sys.modules, package, None)
    status, _, error = call("run", "lr", "--features", features)
    assert status == 2
    assert "which is not installed: pip install" in error and len(error.strip().splitlines()) == 1
