"""Predictions that were made elsewhere, as a run that is compared like any other."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from ser_core import evaluation
from ser_core.corpus import by_clip
from ser_core.corpus.labels import GENDERS, LABELS, classes_of, common_name, emotions_of
from ser_core.environment import Environment
from ser_core.errors import ArtifactError
from ser_core.evaluation import protocols
from ser_core.features import tables
from ser_core.models import foreign
from ser_core.models.recipe import Recipe
from ser_core.results import runs
from ser_core.results.runs import Run, Tables

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
IGNORED = ("corpus", "speaker", "gender", "fold", "part")  # also in our own predictions; the index has them


def read(file: Path, table: pd.DataFrame, protocol: str, *, name: str = "") -> Run:
    """Read the predicted probabilities of a protocol's test clips.

    Parameters
    ----------
    file : Path
        CSV or Parquet: `clip` (stem or path), `truth` (emotion, or class such as angry_female), and a column for each
        emotion with its probability. Emotions without a column have probability 0. Columns for the 16 classes (with or
        without the prefix `p_`) are taken, too; with emotions alone, emotions alone are scored.
    table : pd.DataFrame
        The clips that the protocol divides: a feature table, or rows of an index.
    protocol : str
    name : str, optional
        Of the model; by default that of the file.

    Returns
    -------
    Run
        Its recipe has the origin `imported`, and the file's name and digest as parameters.

    Raises
    ------
    CorpusError
        If the file cannot be read.
    ProtocolError
        If there is no such protocol, or it cannot divide these clips.
    ArtifactError
        If a column is missing or no emotion's; if test clips lack or are there twice, or others are there; if a truth
        is not the index's; or if probabilities are not finite, negative, or do not add up to 1. It names the clips.
    """
    name = name or re.sub(r"[^\w.-]+", "-", file.stem, flags=re.ASCII).lstrip("._-")[:60]
    if not NAME.fullmatch(name):
        raise ArtifactError(f"{name!r} is no name for a model: letters, digits, '.', '_' and '-', at most 60")
    folds = [fold for fold in protocols.get(protocol).folds(table) if fold.part == "test"]
    written, digest = by_clip.read(file)
    classes, _ = classes_of(table["label"], table["emotion"])
    columns = _columns(file, written, classes)
    rows = by_clip.rows_in(table, written["clip"])
    tested = np.concatenate([fold.held_out for fold in folds])
    values = written[[*columns]].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    faults = [*_of_clips(table, written["clip"], rows, tested), *_of_truths(table, written, rows)]
    faults += value_faults(written["clip"], values)
    if faults:
        raise ArtifactError(f"{file} is not what {protocol} tests: {'; '.join(faults)}. Correct the file")
    place = pd.Series(range(len(rows)), index=rows)
    given = _of_classes(values, list(columns.values()), classes)
    truth = table["label" if set(columns.values()) <= set(LABELS) else "emotion"]
    clips = table.rename(columns={"stem": "clip"})[evaluation.CLIP_COLUMNS].assign(truth=truth)
    parts = [_rows(clips, table["emotion"], fold, given[place.loc[fold.held_out]], classes) for fold in folds]
    predictions = pd.concat(parts, ignore_index=True)
    data_digest = tables.digest(table)
    recipe = Recipe(
        model=f"{foreign.IMPORTED}{name}",
        features=foreign.FEATURES,
        preprocessing=foreign.FEATURES,
        augmentation="none",
        parameters={"file": file.name, "sha256": digest},
        origin="imported",
    )
    return Run(
        id=runs.id_of(recipe, protocol, data_digest, cv=False),
        recipe=recipe,
        protocol=protocol,
        data_digest=data_digest,
        clips=len(table),
        tables=Tables(predictions),
        scores=evaluation.scores(predictions),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        cv=False,
        environment=Environment(),  # of the machine that predicted, which is not known
    )


def _columns(file: Path, written: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, str]:
    """The columns of probabilities -> emotion or class."""
    if "truth" not in written:
        raise ArtifactError(f"{file} has no column truth: the emotion of each clip. It has {', '.join(written)}")
    found = {
        column: common_name(column.strip().removeprefix("p_"))
        for column in written
        if column not in ("clip", "truth", *IGNORED)
    }
    emotions = emotions_of(classes)
    if unknown := [column for column, value in found.items() if value not in (*emotions, *classes)]:
        raise ArtifactError(
            f"{file} has columns that are no emotions: {by_clip.listed(unknown)}. An emotion is one of "
            f"{', '.join(emotions)}; leave other columns out"
        )
    values = list(found.values())
    if twice := sorted({value for value in values if values.count(value) > 1}):
        raise ArtifactError(f"{file} has two columns of {by_clip.listed(twice)}: leave one out")
    if not values or (set(values) - set(emotions) and set(values) & set(emotions)):
        raise ArtifactError(f"{file} needs a column for each emotion, or for each class such as {LABELS[0]}, not both")
    return found


def _of_clips(table: pd.DataFrame, names: pd.Series, rows: np.ndarray, tested: np.ndarray) -> Iterable[str]:
    """What is wrong with which clips are there."""
    stems = table["stem"].to_numpy()
    if len(missing := np.setdiff1d(tested, rows)):
        yield by_clip.fault("missing", stems[missing], of=len(tested))
    if len(more := names[~np.isin(rows, tested)]):
        yield by_clip.fault("no test clips", more)
    places = pd.Series(rows[rows >= 0])
    if len(twice := places[places.duplicated()].unique()):
        yield by_clip.fault("there twice", stems[twice])


def _of_truths(table: pd.DataFrame, written: pd.DataFrame, rows: np.ndarray) -> Iterable[str]:
    known = written[rows >= 0]
    clips = table.iloc[rows[rows >= 0]]
    said = known["truth"].astype(str).str.strip()
    emotions, labels = (clips[name].to_numpy(dtype=str) for name in ("emotion", "label"))
    is_wrong = ((said.map(common_name) != emotions) & (said != labels)).to_numpy()
    if is_wrong.any():
        each = zip(known["clip"][is_wrong], said[is_wrong], emotions[is_wrong], strict=True)
        yield by_clip.fault("of another truth", [f"{clip} is {ours}, not {theirs}" for clip, theirs, ours in each])


def value_faults(names: pd.Series, values: np.ndarray) -> Iterable[str]:
    """What is wrong with which probabilities that were made elsewhere.

    Parameters
    ----------
    names : pd.Series
        Of the clips.
    values : np.ndarray [shape=(n, classes)]

    Yields
    ------
    str
    """
    is_finite = np.isfinite(values).all(axis=1)
    sums = values.sum(axis=1)
    is_positive = ~(values < 0).any(axis=1)
    is_whole = np.abs(sums - 1) <= foreign.SUM_TOLERANCE
    for is_wrong, what in (
        (~is_finite, "probabilities that are no finite numbers"),
        (is_finite & ~is_positive, "negative probabilities"),
        (is_finite & is_positive & ~is_whole, "probabilities that do not add up to 1"),
    ):
        if is_wrong.any():
            yield by_clip.fault(what, names[is_wrong])


def _of_classes(values: np.ndarray, named: list[str], classes: tuple[str, ...]) -> np.ndarray:
    """Probabilities of the classes; where these are the 16, an emotion's is divided between both genders."""
    found = pd.DataFrame(values, columns=named)
    if named[0] not in classes:
        found = pd.DataFrame({f"{name}_{gender}": found[name] / len(GENDERS) for name in named for gender in GENDERS})
    return found.reindex(columns=classes, fill_value=0.0).to_numpy()


def _rows(
    clips: pd.DataFrame, emotions: pd.Series, fold: protocols.Fold, given: np.ndarray, classes: tuple[str, ...]
) -> pd.DataFrame:
    """A fold's predictions. Clips whose emotion no training clip has are in no score, as in runs that are made here."""
    is_learned = emotions.iloc[fold.held_out].isin(emotions.iloc[fold.train])
    part = np.where(is_learned, "test", evaluation.OTHER)
    known = clips.iloc[fold.held_out].assign(fold=fold.number, part=part)[evaluation.ROW_COLUMNS]
    values = pd.DataFrame(given.astype(np.float32), columns=evaluation.probability_columns(classes))
    return pd.concat([known.reset_index(drop=True), values], axis=1)
