"""Runs that were exported to MLflow, read by MLflow's own client."""

import dataclasses
import os
import sys

import pandas as pd
import pytest

from ser_core import experiments, extras
from ser_core.errors import ArtifactError, MissingPackageError
from ser_core.models import registry
from ser_core.results import mlflow_export
from tests import made_runs


@pytest.fixture
def read(tmp_path, monkeypatch):
    """MLflow's runs in a folder, by the id that they have here."""
    if not extras.is_installed("mlflow"):
        pytest.skip("MLflow is not installed")
    for name, value in mlflow_export.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def runs(folder):
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=folder.as_uri())
        ids = [one.experiment_id for one in client.search_experiments()]
        return client, {run.data.tags["ser.run"]: run for run in client.search_runs(ids)}

    return runs


@pytest.fixture(scope="module")
def held_out(table):
    """A run with folds of speakers."""
    return experiments.run("kn", table, protocol="actors-4", jobs=1).run


def test_a_run_is_read_back_with_its_recipe_scores_and_predictions(held_out, read, tmp_path):
    folder = tmp_path / "for mlflow"
    exported = mlflow_export.export([held_out], folder)
    assert (exported.written, exported.known) == ([held_out.id], [])
    client, found = read(folder)
    (run,) = found.values()
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "kn, actors-4 (yours)"
    assert run.data.params["model"] == "kn" and run.data.params["protocol"] == "actors-4"
    parameters = {f"parameters.{name}": str(value) for name, value in held_out.recipe.parameters.items()}
    assert parameters.items() <= run.data.params.items()
    assert {name: run.data.metrics[name] for name in held_out.scores} == pytest.approx(held_out.scores)
    low, high = held_out.intervals["emotion_accuracy"]
    assert run.data.metrics["emotion_accuracy_low"] == pytest.approx(low)
    assert run.data.metrics["emotion_accuracy_high"] == pytest.approx(high)
    history = client.get_metric_history(run.info.run_id, "test_fold_emotion_accuracy")
    each = {row["fold"]: row["emotion_accuracy"] for row in held_out.folds["test"]["each"]}
    assert {one.step: one.value for one in history} == pytest.approx(each)
    assert run.data.tags["ser.clips"] == held_out.data_digest
    assert run.data.tags["ser.version.features"] == held_out.versions.features
    (file,) = [one.path for one in client.list_artifacts(run.info.run_id) if one.path.endswith(".parquet")]
    predictions = pd.read_parquet(client.download_artifacts(run.info.run_id, file, str(tmp_path)))
    pd.testing.assert_frame_equal(predictions, held_out.predictions.reset_index(drop=True))
    assert {one.path for one in client.list_artifacts(run.info.run_id)} == {
        "run.json",
        "report.html",
        "predictions.parquet",
    }


def test_runs_of_one_test_are_one_experiment(held_out, read, tmp_path):
    other = dataclasses.replace(held_out, id="other")
    elsewhere = dataclasses.replace(held_out, id="elsewhere", data_digest="f" * 64)
    exported = mlflow_export.export([held_out, other, elsewhere], tmp_path / "out")
    of_clips = f"actors-4, clips {held_out.data_digest[:8]}"
    assert exported.experiments == [of_clips, "actors-4, clips ffffffff"]
    client, found = read(tmp_path / "out")
    same = client.get_experiment_by_name(of_clips).experiment_id
    assert {key for key, run in found.items() if run.info.experiment_id == same} == {held_out.id, "other"}


def test_a_run_is_exported_once(held_out, read, tmp_path):
    mlflow_export.export([held_out], tmp_path / "out")
    again = mlflow_export.export([held_out], tmp_path / "out")
    assert (again.written, again.known) == ([], [held_out.id])
    assert len(read(tmp_path / "out")[1]) == 1


def test_one_that_was_cut_off_is_exported_again(held_out, read, tmp_path, monkeypatch):
    with monkeypatch.context() as cut:
        cut.setattr(mlflow_export.run_report, "report", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            mlflow_export.export([held_out], tmp_path / "out")
    assert mlflow_export.export([held_out], tmp_path / "out").written == [held_out.id]


def test_the_epochs_of_a_network_are_steps(held_out, read, tmp_path):
    curves = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "seconds": 1.0, "part": "test", "fold": 0})
    tables = dataclasses.replace(held_out.tables, curves=curves)
    mlflow_export.export([dataclasses.replace(held_out, tables=tables)], tmp_path / "out")
    client, found = read(tmp_path / "out")
    history = client.get_metric_history(found[held_out.id].info.run_id, "epoch_loss_test_0")
    assert [(one.step, one.value) for one in history] == [(1, 2.0), (2, 1.0)]


def test_more_parameters_than_mlflow_takes_at_once(held_out, read, tmp_path):
    many = {f"p{number}": number for number in range(230)} | {"long": "x" * 7000, "a/b": 1, "nested": {"c": [1, 2]}}
    recipe = held_out.recipe.with_parameters(many)
    mlflow_export.export([dataclasses.replace(held_out, recipe=recipe)], tmp_path / "out")
    params = read(tmp_path / "out")[1][held_out.id].data.params
    assert sum(name.startswith("parameters.p") for name in params) == 230
    assert params["parameters.a_b"] == "1" and params["parameters.nested.c"] == "[1, 2]"
    assert len(params["parameters.long"]) == 6000


def test_a_folder_of_other_files_is_refused(held_out, read, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(ArtifactError, match="holds other files than MLflow"):
        mlflow_export.export([held_out], tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(held_out, read, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match="cannot be written"):
        mlflow_export.export([held_out], tmp_path / "file" / "out")


def test_the_environment_stays_as_it_was(held_out, read, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "0")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    mlflow_export.export([held_out], tmp_path / "out")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "0" and "MLFLOW_ALLOW_FILE_STORE" not in os.environ


def test_without_mlflow_one_clear_line_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingPackageError, match=r"export-mlflow needs MLflow, .*ser-core\[mlflow\]"):
        mlflow_export.export([made_runs.run(True)], tmp_path / "out")


def test_the_shell_exports_a_shipped_run_by_its_name(call, read, tmp_path):
    status, answer, error = call("export-mlflow", "svm", "--protocol", "emobox", "--out", tmp_path / "out")
    assert status == 0, error
    (run,) = read(tmp_path / "out")[1].values()
    assert answer["written"] == [run.data.tags["ser.run"]]
    assert run.data.tags["ser.origin"] == "shipped"
    assert run.data.params["parameters.C"] == str(registry.parameters("svm")["C"])
    status, answer, _ = call("export-mlflow", "svm", "--protocol", "emobox", "--out", tmp_path / "out")
    assert (answer["written"], len(answer["known"])) == ([], 1)


def test_a_run_that_is_not_there_is_named(call, read, tmp_path):
    status, _, error = call("export-mlflow", "svn", "--out", tmp_path / "out")
    assert status == 2 and "no run 'svn'" in error
    assert not (tmp_path / "out").exists()
