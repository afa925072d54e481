"""Runs on disk: `runs/<id>/run.json` says what was done, `predictions.parquet` what came out for every clip;
of a network, `curves.parquet` how each epoch went."""

import json
import logging
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
from filelock import FileLock

from ser_core import evaluation, files
from ser_core.errors import ArtifactError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One model under one protocol."""

    id: str
    info: dict  # run.json: model, preset, parameters, protocol, features, seed, versions, data digest, seconds, scores
    predictions: pd.DataFrame  # evaluation.COLUMNS: clip, ..., part ("train", "cv" or "test"), truth, p_<label> of each
    shipped: bool = False
    # Of a network: part and fold that it was tested on, epoch, loss, accuracy, val_loss, val_accuracy, seconds.
    curves: pd.DataFrame | None = None

    @property
    def scores(self) -> dict[str, float]:
        return self.info["scores"]

    def part(self, name: str) -> pd.DataFrame:
        """The predictions that count as `train`, `cv` or `test`."""
        return self.predictions[self.predictions["part"] == name]


def save(run: Run, store: Path) -> Path:
    """Write a run into a store's `runs/`, whole or not at all; the same run made again takes the old one's place."""
    folder = store / "runs" / run.id
    make_store(store)
    with FileLock(store / ".lock"):
        part = folder.with_name(f".{run.id}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        (part / "run.json").write_text(json.dumps(run.info, indent=1) + "\n")
        files.write(run.predictions, part / "predictions.parquet")
        if run.curves is not None:
            files.write(run.curves, part / "curves.parquet")
        old = folder.with_name(f".{run.id}.old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return folder


def make_store(store: Path) -> None:
    """Make a store's folder where it is missing.

    Raises
    ------
    ArtifactError
        If it cannot be written.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(f"{store} cannot be made ({error}). Set SER_WORKSPACE to a folder that can") from error
    if not os.access(store, os.W_OK):
        raise ArtifactError(f"{store} cannot be written. Set SER_WORKSPACE to a folder that can")


def load(folder: Path, *, shipped: bool = False) -> Run:
    """Read one run; in one process only once, until a file of it changes.

    Raises
    ------
    ArtifactError
        If a file is missing or damaged, or the saved scores are not those of the saved predictions.
    """
    stamps = tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in sorted(folder.glob("*.*")))
    return _load(folder, shipped, stamps)


@lru_cache(maxsize=512)
def _load(folder: Path, shipped: bool, stamps: tuple) -> Run:
    try:
        info = json.loads((folder / "run.json").read_text())
        predictions = pd.read_parquet(folder / "predictions.parquet")[evaluation.COLUMNS]
        curves = pd.read_parquet(folder / "curves.parquet") if (folder / "curves.parquet").exists() else None
        recomputed = evaluation.scores(predictions)
        wrong = [name for name, value in info["scores"].items() if abs(recomputed[name] - value) > 1e-6]
        info["scores"] = recomputed  # with those that are newer than the run
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"The run {folder} cannot be read ({error}). Delete the folder and run it again") from error
    if wrong:
        raise ArtifactError(f"The run {folder} says another {wrong[0]} than its predictions give. Run it again")
    return Run(folder.name, info, predictions, shipped, curves)


def get(run_id: str, stores: Iterable[Path]) -> Run:
    """The run of that id.

    Raises
    ------
    ArtifactError
        If no store has it, or it is damaged.
    """
    for shipped, store in zip((True, False), stores, strict=True):
        if (folder := store / "runs" / run_id).is_dir():
            return load(folder, shipped=shipped)
    raise ArtifactError(f"There is no run {run_id!r}. It was deleted: run it again")


def list_all(stores: Iterable[Path]) -> list[Run]:
    """Every run of the shipped store (the first) and of this installation's own, newest last.

    An own run that cannot be read is left out and logged, so that it takes nothing else down with it.

    Raises
    ------
    ArtifactError
        If a shipped run cannot be read.
    """
    shipped, *own = stores
    found = [load(folder, shipped=True) for folder in sorted((shipped / "runs").glob("[!.]*/"))]
    return sorted(found, key=_made) + [run for store in own for run in list_own(store)]


def list_own(store: Path) -> list[Run]:
    """This installation's own runs, as `list_all` has them after the shipped ones."""
    found = []
    for folder in sorted((store / "runs").glob("[!.]*/")):
        try:
            found.append(load(folder))
        except ArtifactError as error:
            logger.warning("%s", error)
    return sorted(found, key=_made)


def _made(run: Run) -> str:
    return run.info.get("made", "")


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
