"""Runs on disk.

`runs/<id>/` holds `run.json` (recipe, protocol, versions, scores), `predictions.parquet` (class probabilities of every
clip), and for networks `curves.parquet` (loss and accuracy of every epoch).
"""

import dataclasses
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from ser_core import evaluation, files, records
from ser_core.corpus.labels import LABELS
from ser_core.environment import Environment
from ser_core.errors import ArtifactError, ModelError, ProtocolError
from ser_core.evaluation import protocols
from ser_core.models import registry
from ser_core.models.recipe import Recipe
from ser_core.records import Unreadable

logger = logging.getLogger(__name__)

HEARD = " heard "  # between a protocol and a recording condition
OWN = "own-"  # prefix of the ids of this installation's own runs
OPENED = "opened-"  # and of runs that were opened from a bundle
RECORD, PREDICTIONS, CURVES = "run.json", "predictions.parquet", "curves.parquet"
COLUMNS_OF = {PREDICTIONS: evaluation.ROW_COLUMNS, CURVES: ("part", "fold", "epoch", "loss", "accuracy", "seconds")}
TABLES_KEPT = 64  # in memory: about 0.3 MB each


@dataclass(frozen=True)
class Versions:
    """The versions of everything that the scores depend on; empty where it does not apply."""

    features: str = ""
    preprocessing: str = ""
    networks: str = ""
    weights: str = ""  # source of a backbone's weights
    scores: str = evaluation.VERSION


@dataclass(frozen=True)
class Seconds:
    """Duration of a run: in total, of the last fit, and of predicting its held-out clips."""

    total: float = 0.0
    fit: float = 0.0
    predict: float = 0.0


@dataclass(frozen=True, eq=False)
class Tables:
    """A run's predictions and, for a network, its training curves, in memory.

    Parameters
    ----------
    predictions : pd.DataFrame
    curves : pd.DataFrame, optional
    """

    predictions: pd.DataFrame
    curves: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class SavedTables:
    """The same, read from a run's folder on first use."""

    folder: Path
    stamp: tuple

    @property
    def predictions(self) -> pd.DataFrame:
        """The saved predictions.

        Raises
        ------
        ArtifactError
            If the file is missing or damaged.
        """
        return _read(self.folder / PREDICTIONS, self.stamp)

    @property
    def curves(self) -> pd.DataFrame | None:
        """The saved training curves; None for a model that is not a network."""
        file = self.folder / CURVES
        return _read(file, self.stamp) if os.path.lexists(file) else None


@dataclass(frozen=True, eq=False)
class Run:
    """One recipe under one protocol, with every prediction.

    Parameters
    ----------
    id : str
        Its folder's name; an own run's begins with "own-".
    recipe : Recipe
    protocol : str
        Of `evaluation.protocols`.
    data_digest : str
        Of the clips, by `features.tables.digest`; only runs with the same digest are comparable.
    clips : int
    tables : Tables or SavedTables
    scores : dict
        As `evaluation.scores` gives them.
    made : str
        Date and time in UTC, ISO 8601.
    cv : bool
        Whether cross-validation inside the training part was run, too.
    versions : Versions
    environment : Environment
    seconds : Seconds
    members : dict
        For a vote of saved runs: member -> its run's id.
    found : list of dict
        For nested cross-validation: the result of each fold's search.
    tuned : dict
        For parameters from a study: which study, and how.
    layers : list of dict
        For a network.
    learned_from : int
        For a network: number of training clips, validation clips left out.
    heard : str
        Key of the recording condition in which the test clips were heard; empty for as recorded.
    tested_on : dict
        For a test on another corpus: its name (`corpus`), the `digest` of its clips, its `speakers` and `languages`,
        and the duration of its `shortest_s` and `longest_s` clip, s.
    training : dict
        Where each test fold has a model of its own, what these name of the clips that they were trained on (of many,
        of some): kind -> true -> predicted -> number of clips, over all folds; zeros are left out. With a single test
        fold it is empty, and the predictions have the part "train".
    bundle : str
        For a run that was opened from a bundle: the bundle's name and the start of its SHA-256. Such a run is listed
        and compared, and nothing that is made here rests on it.
    shipped : bool
    """

    id: str
    recipe: Recipe
    protocol: str
    data_digest: str
    clips: int
    tables: Tables | SavedTables = field(repr=False)
    scores: dict[str, float]
    made: str = ""
    cv: bool = True
    versions: Versions = Versions()
    environment: Environment = field(default_factory=Environment)
    seconds: Seconds = Seconds()
    members: dict[str, str] = field(default_factory=dict)
    found: list[dict] = field(default_factory=list)
    tuned: dict = field(default_factory=dict)
    layers: list[dict] = field(default_factory=list)
    learned_from: int = 0
    heard: str = ""
    tested_on: dict = field(default_factory=dict)
    training: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    bundle: str = ""
    shipped: bool = False

    @property
    def name(self) -> str:
        """The name of its model."""
        return registry.get(self.recipe.model).name

    @property
    def family(self) -> str:
        """The family of its model: "classical", "ensemble", "deep", "own code" or "imported"."""
        return registry.get(self.recipe.model).family

    @property
    def mark(self) -> str:
        """Where it comes from: "yours", "own code", "imported" or "from a bundle"; empty for a shipped run."""
        if self.bundle:
            return "from a bundle"
        return "" if self.shipped else {"code": "own code", "imported": "imported"}.get(self.recipe.origin, "yours")

    @property
    def has_classes(self) -> bool:
        """Whether more than emotions can be scored: False where genders are unknown, or imported emotions have none."""
        return "uar" in self.scores or "emotion_uar" not in self.scores

    @property
    def predictions(self) -> pd.DataFrame:
        """One row a clip and fold: clip, corpus, speaker, gender, fold, part, truth, and `p_<label>` of each class.

        `part` is "train", "cv", "test", or of clips that are in no score "other".
        """
        return self.tables.predictions

    @property
    def curves(self) -> pd.DataFrame | None:
        """For a network, one row an epoch: part, fold, epoch, loss, accuracy, val_loss, val_accuracy, seconds."""
        return self.tables.curves

    def part(self, name: str) -> pd.DataFrame:
        """The predictions of one part.

        Parameters
        ----------
        name : {"train", "cv", "test"}

        Returns
        -------
        pd.DataFrame
        """
        return self.predictions[self.predictions["part"] == name]

    @property
    def folds(self) -> dict[str, dict]:
        """Scores of each fold, their mean and deviation, of the parts with several: see `evaluation.over_folds`."""
        return evaluation.over_folds(self.predictions)

    def accuracy_interval(self, kind: str = "class") -> tuple[float, float, float]:
        """Test accuracy and its 95% interval, over speakers where the protocol holds them out, otherwise over clips.

        Parameters
        ----------
        kind : {"class", "emotion", "gender"}

        Returns
        -------
        accuracy, low, high : float
        """
        over = protocols.get(self.protocol).interval_over
        return evaluation.accuracy_interval(self.part("test"), kind, over=over)

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95% intervals of its main scores on the test clips: over speakers where the protocol holds them out.

        Those of accuracy and UAR, of emotions where clips of one speaker are not independent; a dict by score.
        """
        test = self.part("test")
        if protocols.get(self.protocol).holds_actors_out:
            of_accuracy, of_uar = "emotion_accuracy", "shared_emotion_uar"
            if evaluation.classes(self.predictions) != LABELS:
                of_accuracy, of_uar = (
                    "test_accuracy",
                    "shared_emotion_uar" if "shared_emotion_uar" in self.scores else "uar",
                )
            return {
                of_accuracy: self.accuracy_interval("emotion")[1:],
                of_uar: evaluation.shared_uar_interval(test)[1:],
            }
        if "class" not in evaluation.kinds(test):
            return {"emotion_accuracy": self.accuracy_interval("emotion")[1:]}
        of_clips = evaluation.intervals(test)
        return {"test_accuracy": of_clips["accuracy"], "uar": of_clips["uar"], "macro_f1": of_clips["macro_f1"]}

    @property
    def test_counts(self) -> dict[str, int]:
        """Number of test clips of each class."""
        return self.part("test")["truth"].value_counts().sort_index().to_dict()

    def training_confusion(self, kind: str = "class") -> np.ndarray | None:
        """The confusion matrix on clips that the model was trained on, over all folds.

        Parameters
        ----------
        kind : {"class", "emotion", "gender"}

        Returns
        -------
        np.ndarray [shape=(k, k), dtype=int] or None
            As `evaluation.confusion` gives it; None if the run does not keep it.
        """
        if len(train := self.part("train")):
            return evaluation.confusion(train, kind)
        if not (counts := self.training.get(kind)):
            return None
        names = list(evaluation.values_of(self.predictions, kind))
        table = pd.DataFrame.from_dict(counts, orient="index").reindex(index=names, columns=names)
        return table.fillna(0).to_numpy(dtype=int)

    @property
    def what(self) -> tuple[Recipe, str, str, bool, str]:
        """Recipe, protocol, digest of the clips, whether with cross-validation, and how the test clips are heard."""
        return self.recipe, self.protocol, self.data_digest, self.cv, self.heard

    @property
    def test(self) -> str:
        """The protocol and how the test clips are heard, e.g. "emobox heard room": runs of one test are comparable."""
        return f"{self.protocol}{HEARD}{self.heard}" if self.heard else self.protocol

    @property
    def own(self) -> "Run":
        """The same run under an own id, which tells it from the shipped one."""
        return self if self.id.startswith(OWN) else dataclasses.replace(self, id=f"{OWN}{self.id}")


def counts_of(matrix: np.ndarray, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """A confusion matrix as `Run.training` has it.

    Parameters
    ----------
    matrix : np.ndarray [shape=(k, k), dtype=int]
        True classes are rows.
    names : sequence of str [shape=(k,)]

    Returns
    -------
    dict
        True -> predicted -> number of clips, without zeros.

    Examples
    --------
    >>> counts_of(np.array([[2, 1], [0, 3]]), ["happy", "sad"])
    {'happy': {'happy': 2, 'sad': 1}, 'sad': {'sad': 3}}
    """
    rows = ({name: int(count) for name, count in zip(names, row, strict=True) if count} for row in matrix)
    return {truth: counts for truth, counts in zip(names, rows, strict=True) if counts}


def id_of(recipe: Recipe, protocol: str, data_digest: str, cv: bool = True, heard: str = "") -> str:
    """A run's id. The same recipe, protocol and clips give the same id.

    Parameters
    ----------
    recipe : Recipe
    protocol, data_digest : str
    cv : bool
    heard : str

    Returns
    -------
    str
    """
    what = json.dumps([recipe.digest, protocol, data_digest, cv, *([heard] if heard else [])])
    fingerprint = hashlib.sha256(what.encode()).hexdigest()[:8]
    model = re.sub(r"[^\w.+-]+", "-", recipe.model)  # of models from elsewhere, such as module:factory
    return "-".join(filter(None, (protocol, model, recipe.preset, heard, fingerprint)))


def save(run: Run, store: Path) -> Path:
    """Write a run into a store's `runs/`, atomically. It replaces an older run of the same id.

    Parameters
    ----------
    run : Run
    store : Path

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    ArtifactError
        If the store cannot be written.
    """
    folder = store / "runs" / run.id
    make_store(store)
    with FileLock(store / ".lock"):
        part = folder.with_name(f".{run.id}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        files.write(run.predictions, part / PREDICTIONS)
        if run.curves is not None:
            files.write(run.curves, part / CURVES)
        record = record_of(run) | {"predictions_digest": _digest(part / PREDICTIONS)}
        (part / RECORD).write_text(json.dumps(record, indent=1) + "\n")
        old = folder.with_name(f".{run.id}.old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return folder


def record_of(run: Run) -> dict:
    """The contents of `run.json`, without the digest of the predictions that its scores were computed from.

    Parameters
    ----------
    run : Run

    Returns
    -------
    dict
    """
    named = {one.name: getattr(run, one.name) for one in dataclasses.fields(run)}
    for name in ("id", "shipped", "tables"):
        named.pop(name)
    parts = {name: one for name, one in named.items() if isinstance(one, Recipe | Versions | Environment | Seconds)}
    record = named | {name: dataclasses.asdict(one) for name, one in parts.items()}
    return record | {"folds": run.folds}


def make_store(store: Path) -> None:
    """Make a store's folder if it is missing.

    Parameters
    ----------
    store : Path

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


REQUIRED = ("recipe", "protocol", "data_digest", "clips", "scores", "versions", "predictions_digest")
# (folder, shipped) -> modification times and sizes of its files, and the run
_known: dict[tuple, tuple[tuple, Run]] = {}


def load(folder: Path, *, shipped: bool = False) -> Run:
    """Read one run. Its predictions are read on first use.

    Runs are cached in memory until one of their files changes. Saved scores are used if the digest of the predictions
    and the version of `evaluation.scores` still match; otherwise they are computed again.

    Parameters
    ----------
    folder : Path
    shipped : bool

    Returns
    -------
    Run

    Raises
    ------
    ArtifactError
        If a file is missing or damaged, or the model is not known.
    """
    stamp, key = _stamp(folder), (folder, shipped)
    if key in _known and _known[key][0] == stamp:
        return _known[key][1]
    try:
        run = _from_record(records.read_json(folder / RECORD), folder, stamp, shipped)
    except FileNotFoundError as error:
        raise ArtifactError(f"there is no {Path(error.filename).name}") from error
    except (OSError, ValueError, TypeError, KeyError, ModelError, ProtocolError) as error:
        raise ArtifactError(records.reason_of(error)) from error
    _known[key] = stamp, run
    return run


def _from_record(record: Any, folder: Path, stamp: tuple, shipped: bool) -> Run:
    if not isinstance(record, dict):
        raise ArtifactError(f"{RECORD} holds no run")
    if lacking := [name for name in REQUIRED if name not in record]:
        raise ArtifactError(f"{RECORD} lacks {lacking[0]!r}")
    tables = SavedTables(folder, stamp)
    digest = record.pop("predictions_digest")
    record.pop("folds", None)  # written for other programs: `Run.folds` computes them from the predictions
    run = records.as_record(Run, record, RECORD, id=folder.name, tables=tables, shipped=shipped)
    registry.get(run.recipe.model)
    protocols.get(run.protocol)
    _ = tables.curves  # of networks; small, and has no digest in the record
    if digest != _digest(folder / PREDICTIONS) or record["versions"].get("scores") != evaluation.VERSION:
        logger.warning("Run %s: its scores are not of these predictions and this code: computed anew", folder.name)
        run = dataclasses.replace(run, scores=evaluation.scores(tables.predictions))
    return run


def _stamp(folder: Path) -> tuple:
    stats, place = [], os.fspath(folder)
    for name in (RECORD, PREDICTIONS, CURVES):
        try:
            stat = os.stat(os.path.join(place, name))
        except OSError:
            if os.path.lexists(os.path.join(place, name)):  # as a link to itself
                stats.append((name, 0, -1))
            continue
        stats.append((name, stat.st_mtime_ns, stat.st_size))
    return tuple(stats)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@lru_cache(maxsize=TABLES_KEPT)
def _read(file: Path, stamp: tuple) -> pd.DataFrame:
    try:
        return records.read_table(file, COLUMNS_OF[file.name])
    except FileNotFoundError:  # it was there when the record was read
        reason = f"{file.name} of run {file.parent.name} is gone. Restore it, or delete the run's folder"
        raise ArtifactError(reason) from None


def get(run_id: str, stores: Iterable[Path]) -> Run:
    """The run of that id.

    Parameters
    ----------
    run_id : str
    stores : iterable of Path
        The shipped store, then this installation's own.

    Returns
    -------
    Run

    Raises
    ------
    ArtifactError
        If no store has it, or it is damaged.
    """
    for shipped, store in zip((True, False), stores, strict=True):
        if (folder := store / "runs" / run_id).is_dir():
            try:
                return load(folder, shipped=shipped)
            except ArtifactError as error:
                raise ArtifactError(str(_unreadable(run_id, error, shipped))) from error
    raise ArtifactError(f"There is no run {run_id!r}. It was deleted: run it again")


def read_all(stores: Iterable[Path]) -> tuple[list[Run], list[Unreadable]]:
    """Every run of the shipped store (the first) and of this installation's own, newest last; and the unreadable ones.

    One damaged run does not hide the others.

    Parameters
    ----------
    stores : iterable of Path
        The shipped store, then this installation's own.

    Returns
    -------
    runs : list of Run
    unreadable : list of Unreadable
    """
    read = [_read_store(store, shipped) for shipped, store in zip((True, False), stores, strict=False)]
    return [run for runs, _ in read for run in runs], [one for _, faults in read for one in faults]


def read_own(store: Path) -> tuple[list[Run], list[Unreadable]]:
    """The own runs of this installation, as `read_all` has them after the shipped ones.

    Parameters
    ----------
    store : Path

    Returns
    -------
    runs : list of Run
    unreadable : list of Unreadable
    """
    return _read_store(store, shipped=False)


def _read_store(store: Path, shipped: bool) -> tuple[list[Run], list[Unreadable]]:
    found, unreadable = [], []
    for folder in sorted((store / "runs").glob("[!.]*/")):  # unfinished ones begin with a dot
        try:
            found.append(load(folder, shipped=shipped))
        except ArtifactError as error:
            unreadable.append(_unreadable(folder.name, error, shipped))
    return sorted(found, key=lambda run: run.made), unreadable


def _unreadable(run_id: str, error: ArtifactError, shipped: bool) -> Unreadable:
    way_out = f"Restore it (git checkout artifacts/runs/{run_id})" if shipped else "Delete it and run it again"
    return Unreadable("Run", run_id, str(error), way_out, shipped)


def elsewhere(found: Iterable[Run]) -> list[Run]:
    """The newest run on each other corpus, without runs that have heard some of its clips beforehand.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    list of Run
    """
    tested = [run for run in found if run.tested_on and not protocols.calibration_of(run.protocol)]
    return list({run.tested_on["corpus"]: run for run in sorted(tested, key=lambda run: run.made)}.values())


def list_all(stores: Iterable[Path]) -> list[Run]:
    """The runs of `read_all`; those that cannot be read are logged.

    Parameters
    ----------
    stores : iterable of Path
        The shipped store, then this installation's own.

    Returns
    -------
    list of Run
        The newest last.
    """
    found, unreadable = read_all(stores)
    for one in unreadable:
        logger.warning("%s", one)
    return found


def find(found: Iterable[Run], *, protocol: str | None = None, **recipe) -> Run:
    """The first run of this protocol and with these fields in its recipe; its test clips are heard as recorded.

    Parameters
    ----------
    found : iterable of Run
    protocol : str, optional
    recipe
        Fields of a recipe, e.g. `model="best"`.

    Returns
    -------
    Run

    Raises
    ------
    ArtifactError
        If there is none.
    """
    for run in found:
        if matches(run, protocol=protocol, **recipe):
            return run
    wanted = recipe | ({"protocol": protocol} if protocol else {})
    fields = ", ".join(f"{name} {value}" for name, value in wanted.items())
    raise ArtifactError(f"There is no run with {fields}. Make it: python -m ser_core run")


def matches(run: Run, *, protocol: str | None = None, heard: str = "", **recipe) -> bool:
    """Whether a run was made here, is of this protocol and has these fields in its recipe, e.g. `preset="default"`.

    Parameters
    ----------
    run : Run
    protocol : str, optional
    heard : str
        The recording condition of its test clips; empty for as recorded.
    recipe
        Fields of a recipe and their values.

    Returns
    -------
    bool
    """
    is_of_test = run.heard == heard and protocol in (None, run.protocol) and not run.bundle
    return is_of_test and all(getattr(run.recipe, name) == value for name, value in recipe.items())
