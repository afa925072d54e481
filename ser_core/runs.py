"""Runs on disk: `runs/<id>/run.json` says what was done, `predictions.parquet` what came out for every clip."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser_core import evaluation
from ser_core.errors import ArtifactError


@dataclass(frozen=True)
class Run:
    """One model under one protocol."""

    id: str
    info: dict  # run.json: model, preset, parameters, protocol, features, seed, versions, data digest, seconds, scores
    predictions: pd.DataFrame  # clip, fold, part ("train", "cv" or "test"), truth, p_<label> of each class
    shipped: bool = False

    @property
    def scores(self) -> dict[str, float]:
        return self.info["scores"]

    def part(self, name: str) -> pd.DataFrame:
        """The predictions that count as `train`, `cv` or `test`."""
        return self.predictions[self.predictions["part"] == name]


def save(run: Run, store: Path) -> Path:
    """Write a run into a store's `runs/`, whole or not at all; the same run made again takes the old one's place."""
    folder = store / "runs" / run.id
    part = folder.with_name(f".{run.id}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / "run.json").write_text(json.dumps(run.info, indent=1) + "\n")
    run.predictions.to_parquet(part / "predictions.parquet", compression="zstd", index=False)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def load(folder: Path, *, shipped: bool = False) -> Run:
    """Read one run.

    Raises
    ------
    ArtifactError
        If a file is missing or damaged, or the saved scores are not those of the saved predictions.
    """
    try:
        info = json.loads((folder / "run.json").read_text())
        predictions = pd.read_parquet(folder / "predictions.parquet")
        recomputed = evaluation.scores(predictions)
        wrong = [name for name, value in recomputed.items() if abs(info["scores"][name] - value) > 1e-6]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"The run {folder} cannot be read ({error}). Delete the folder and run it again") from error
    if wrong:
        raise ArtifactError(f"The run {folder} says another {wrong[0]} than its predictions give. Run it again")
    return Run(folder.name, info, predictions, shipped)


def list_all(stores: Iterable[Path]) -> list[Run]:
    """Every run of the shipped store (the first) and of this installation's own, newest last."""
    found = [
        load(folder, shipped=number == 0)
        for number, store in enumerate(stores)
        for folder in sorted((store / "runs").glob("*/"))
        if not folder.name.startswith(".")
    ]
    return sorted(found, key=lambda run: (not run.shipped, run.info.get("made", "")))


def find(found: Iterable[Run], **wanted: str) -> Run:
    """The first of some runs whose `run.json` says what is wanted, e.g. `model="best"`.

    Raises
    ------
    ArtifactError
        If there is none.
    """
    for run in found:
        if all(run.info[name] == value for name, value in wanted.items()):
            return run
    said = ", ".join(f"{name} {value}" for name, value in wanted.items())
    raise ArtifactError(f"There is no run with {said}. Make it: python -m ser_core run")
