"""Export of runs to MLflow, in its own file format and by its own client, as an extra."""

import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ser_core import extras, files
from ser_core.errors import ArtifactError
from ser_core.evaluation import protocols
from ser_core.results import run_report, run_titles, runs
from ser_core.results.runs import CURVES, PREDICTIONS, RECORD, Run

# Files are not MLflow's default any more, and it refuses them without the first; the second keeps it off the network.
ENVIRONMENT = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
BATCH = 100  # parameters, metrics or tags that MLflow takes at once
MAX_VALUE = 6_000  # characters of a parameter


@dataclass(frozen=True)
class Exported:
    """What was done with the runs.

    Parameters
    ----------
    written : list of str
        Ids of the runs that were exported.
    known : list of str
        Ids of those that were in the folder already.
    experiments : list of str
        Names of the MLflow experiments that hold them: one a test.
    """

    written: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    experiments: list[str] = field(default_factory=list)


def export(found: Sequence[Run], folder: Path) -> Exported:
    """Export runs to a folder of MLflow files, which may hold others. A run that is there already is left as it is.

    Of each run: the recipe as parameters; scores, their 95% intervals, those of each fold (step: its number) and of
    each epoch of a network as metrics; versions and digests as tags; predictions, record and report as artifacts.

    Parameters
    ----------
    found : sequence of Run
    folder : Path

    Returns
    -------
    Exported

    Raises
    ------
    MissingPackageError
        If MLflow is not installed.
    ArtifactError
        If the folder holds other files, or cannot be written.
    """
    extras.require("mlflow", "export-mlflow")
    exported, titles = Exported(), run_titles.titles(found)
    try:
        if folder.exists() and any(folder.iterdir()) and not any(folder.glob("*/meta.yaml")):
            raise ArtifactError(f"{folder} holds other files than MLflow's. Give another --out")
        with _environment():
            from mlflow.tracking import MlflowClient

            client = MlflowClient(tracking_uri=folder.resolve().as_uri())
            for run in found:
                name = f"{run.test}, clips {run.data_digest[:8]}"
                known = client.get_experiment_by_name(name)
                experiment = known.experiment_id if known else client.create_experiment(name)
                if name not in exported.experiments:
                    exported.experiments.append(name)
                same = f"tags.`ser.run` = '{run.id}' and tags.`ser.made` = '{run.made}'"
                if client.search_runs([experiment], same):
                    exported.known.append(run.id)
                    continue
                _write(client, experiment, run, titles[run.id])
                exported.written.append(run.id)
    except OSError as error:
        raise ArtifactError(f"{folder} cannot be written ({error.strerror}). Give another --out") from error
    return exported


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ |= ENVIRONMENT
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _write(client, experiment: str, run: Run, title: str) -> None:
    from mlflow.entities import Metric, Param, RunTag

    began = int(1000 * datetime.fromisoformat(run.made).timestamp()) if run.made else 0
    new = client.create_run(experiment, start_time=began, run_name=title).info.run_id
    params = [Param(name, value[:MAX_VALUE]) for name, value in _parameters(run).items()]
    metrics = [Metric(name, value, began, step) for name, value, step in _metrics(run) if math.isfinite(value)]
    for start in range(0, max(len(params), len(metrics)), BATCH):
        client.log_batch(new, metrics=metrics[start : start + BATCH], params=params[start : start + BATCH])
    client.log_batch(new, tags=[RunTag(name, value) for name, value in _tags(run).items() if value])
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        (place / RECORD).write_text(json.dumps(runs.record_of(run), indent=1) + "\n")
        (place / "report.html").write_text(run_report.report([run]), encoding="utf-8")
        files.write(run.predictions, place / PREDICTIONS)
        if run.curves is not None:
            files.write(run.curves, place / CURVES)
        client.log_artifacts(new, made)
    client.set_tag(new, "ser.run", run.id)  # the last: one that was cut off before is exported again
    client.set_terminated(new, end_time=began + int(1000 * run.seconds.total))


def _parameters(run: Run) -> dict[str, str]:
    """The recipe and the test, with names as MLflow takes them."""
    named = asdict(run.recipe) | {"protocol": run.protocol, "heard": run.heard, "cv": run.cv}
    return {re.sub(r"[^\w. -]", "_", name): value for name, value in _flat(named) if value}


def _flat(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", json.dumps(value) if isinstance(value, list | tuple) else str(value)


def _metrics(run: Run) -> Iterator[tuple[str, float, int]]:
    """Name, value and step."""
    for name, value in run.scores.items():
        yield name, value, 0
    for name, (low, high) in run.intervals.items():
        if name in run.scores:
            yield f"{name}_low", low, 0
            yield f"{name}_high", high, 0
    for name, value in asdict(run.seconds).items():
        yield f"seconds_{name}", value, 0
    for part, scores in run.folds.items():
        for row in scores["each"]:
            for name in scores["mean"]:
                yield f"{part}_fold_{name}", row[name], int(row["fold"])
    if run.curves is not None:
        names = [name for name in ("loss", "accuracy", "val_loss", "val_accuracy") if name in run.curves]
        for row in run.curves.to_dict("records"):
            for name in names:
                yield f"epoch_{name}_{row['part']}_{row['fold']}", row[name], int(row["epoch"])


def _tags(run: Run) -> dict[str, str]:
    tags = {
        "ser.made": run.made,
        "ser.origin": run.mark or "shipped",
        "ser.clips": run.data_digest,
        "mlflow.note.content": f"{run.name}. {protocols.get(run.protocol).title}.",
        "mlflow.source.name": "ser-core",
        "mlflow.source.git.commit": run.environment.commit.removesuffix("+changes"),
    }
    return tags | {f"ser.version.{name}": value for name, value in asdict(run.versions).items()}
