"""Bundles: runs in one ZIP file, to hand on; and their opening elsewhere, where nothing in them is trusted.

A bundle holds `README.md` (a card), `report.html` and `references.bib` for people; and of each run, in `runs/<id>/`,
`run.json` and its tables as CSV: text, since no library of a binary format should read what strangers made.
"""

import csv
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ser_core import evaluation, files, records
from ser_core.audio import conditions
from ser_core.corpus import by_clip, unpacking
from ser_core.corpus.archives import megabytes
from ser_core.corpus.labels import emotion_of
from ser_core.errors import ArtifactError, SerError
from ser_core.evaluation import protocols
from ser_core.features import tables
from ser_core.models import registry
from ser_core.results import citations, comparison, generalization, imported, run_report, run_titles, runs
from ser_core.results.runs import OPENED, RECORD, Run, Tables

PREDICTIONS, CURVES = "predictions.csv", "curves.csv"
ID = re.compile(r"\w[\w.+-]*")
# Upper limits of what is opened. The predictions of 100,000 clips in 16 classes have 25 million bytes.
MAX_BYTES = 250_000_000  # of a bundle
MAX_DIRECTORY_BYTES = 1_000_000  # of its list of entries, which is read before they can be counted
MAX_ENTRIES = 3_000
MAX_UNPACKED_BYTES = 500_000_000  # of all that is read
MAX_TABLE_BYTES = 100_000_000
MAX_RECORD_BYTES = 2_000_000
MAX_ROWS = 1_000_000  # of a table
MAX_SPEAKERS = 10_000
MAX_FOLDS = 10_000
MAX_CLASSES = 200
MAX_HEADER = 20_000  # characters
MAX_TEXT = 10_000  # characters of a text in a record
MAX_CELL = 300  # and in a table
MAX_ID_BYTES = 200
MAX_NUMBER = 1e15

TOLERANCE = 1e-6  # of scores, which are computed again
CURVE_NUMBERS = ("epoch", "fold", "loss", "accuracy", "val_loss", "val_accuracy", "seconds")
TESTED_ON = {
    "corpus": str,
    "digest": str,
    "speakers": list[str],
    "languages": list[str],
    "shortest_s": float,
    "longest_s": float,
}
LAYER = {"name": str, "kind": str, "parameters": int}
# What a damaged or hostile run may raise where it is used like any other.
FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration, SerError, TypeError, ValueError)


@dataclass(frozen=True)
class Opened:
    """What was done with the runs of a bundle.

    Parameters
    ----------
    added : list of str
        The ids that they have here.
    known : list of str
        Ids of those that are here already, with the same content.
    refused : dict of str to str
        Id in the bundle -> what is wrong.
    """

    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def write(found: Sequence[Run], file: Path) -> None:
    """Write runs into a bundle.

    Parameters
    ----------
    found : sequence of Run
        At least one.
    file : Path
        The ZIP file to write or replace.

    Raises
    ------
    ArtifactError
        If it cannot be written, or a run's tables are damaged.
    """
    try:
        with files.atomically(file) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("README.md", run_report.card(found))
            zipped.writestr("report.html", run_report.report(found))
            zipped.writestr("references.bib", citations.bibtex(found))
            for run in found:
                predictions = run.predictions.to_csv(index=False, float_format="%.9g", lineterminator="\n")
                record = runs.record_of(run) | {"predictions_digest": _digest(predictions.encode())}
                zipped.writestr(f"runs/{run.id}/{RECORD}", json.dumps(record, indent=1) + "\n")
                zipped.writestr(f"runs/{run.id}/{PREDICTIONS}", predictions)
                if run.curves is not None:
                    zipped.writestr(f"runs/{run.id}/{CURVES}", run.curves.to_csv(index=False, lineterminator="\n"))
    except OSError as error:
        raise ArtifactError(f"{file} cannot be written ({error.strerror}). Give another --out") from error


def open_in(file: Path, stores: Sequence[Path], *, table: pd.DataFrame | None = None) -> Opened:
    """Check the runs of a bundle, and save the good ones as runs from elsewhere. Nothing in a bundle is executed.

    Entries are checked before any is unpacked, and unpacked in memory; their names are never used as paths. A run that
    is refused does not keep the others out.

    Parameters
    ----------
    file : Path
    stores : sequence of Path
        The shipped store, then this installation's own, which gets the runs. Their ids here begin with "opened-".
    table : pd.DataFrame, optional
        The clips that are known here: runs on the same clips must have predicted those that their protocol tests.

    Returns
    -------
    Opened

    Raises
    ------
    ArtifactError
        If it is no bundle, is damaged, suspicious or too large, or holds no run.
    """
    stem = re.sub(r"[^\w.-]+", "-", file.stem)[:60]
    name = f"{stem}@{_file_digest(file)[:12]}"
    here, opened = _Here(stores, table), Opened()
    try:
        with zipfile.ZipFile(file) as zipped:
            for run_id, entries in _runs(file, zipped.infolist()).items():
                try:
                    contents = {part: _unpack(zipped, entry) for part, entry in entries.items()}
                    run = replace(_read(run_id, contents), bundle=name)
                    here.check_clips(run)
                    place = opened.known if here.has(run) else opened.added
                    if place is opened.added:
                        runs.save(run, stores[-1])
                    place.append(run.id)
                except (*FAULTS, OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
                    opened.refused[run_id] = records.reason_of(error)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _refusal(file, f"it is damaged ({error})") from error
    return opened


class _Here:
    """The runs and clips that are here, with which those of a bundle are compared."""

    def __init__(self, stores: Sequence[Path], table: pd.DataFrame | None):
        self._stores, self._table = stores, table
        self._digest = None if table is None else tables.digest(table)

    def has(self, run: Run) -> bool:
        """Whether this run is here already. Raises an ArtifactError if another one has its id."""
        folder = self._stores[-1] / "runs" / run.id
        if folder.exists():
            if _is_same(runs.load(folder), run):
                return True
            raise ArtifactError(
                f"{run.id} is here already with other content. Delete {folder} to open this one, or keep that one"
            )
        return False

    def check_clips(self, run: Run) -> None:
        """Raise an ArtifactError if a run on the clips that are here did not predict what its protocol tests."""
        if self._table is None or run.data_digest != self._digest or _other_corpus(run):
            return
        clips = self._table.rename(columns={"stem": "clip"})
        folds = [fold for fold in protocols.get(run.protocol).folds(self._table) if fold.part == "test"]
        wanted = pd.concat([clips.iloc[fold.held_out].assign(fold=fold.number) for fold in folds])
        given = run.predictions[run.predictions["part"].isin(["test", evaluation.OTHER])]
        given = given.assign(emotion=given["truth"].map(emotion_of))
        names = ["fold", *evaluation.CLIP_COLUMNS, "emotion"]
        wanted, given = (set(one[names].itertuples(index=False, name=None)) for one in (wanted, given))
        if differing := sorted({row[1] for row in wanted ^ given}):
            raise ArtifactError(
                f"its predictions are not of what {run.protocol} tests: clips, folds, speakers or emotions differ, "
                f"such as of {by_clip.listed(differing)}"
            )


def _runs(file: Path, entries: list[zipfile.ZipInfo]) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """The entries of each run by their names. A single suspicious entry rejects the bundle; others are left packed."""
    if len(entries) > MAX_ENTRIES:
        raise _refusal(file, f"it has {len(entries):,} entries, more than {MAX_ENTRIES:,}")
    counts = Counter(str(PurePosixPath(entry.filename)) for entry in entries)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise _refusal(file, f"{twice[0]!r} is in it twice")
    found: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        most = MAX_RECORD_BYTES if parts[-1:] == (RECORD,) else MAX_TABLE_BYTES
        if fault := unpacking.fault(entry, most, "such a file"):
            raise _refusal(file, f"{entry.filename!r} {fault}")
        if len(parts) == 3 and parts[0] == "runs" and parts[2] in (RECORD, PREDICTIONS, CURVES):
            found.setdefault(parts[1], {})[parts[2]] = entry
    total = sum(entry.file_size for parts in found.values() for entry in parts.values())
    if total > MAX_UNPACKED_BYTES:
        raise _refusal(file, f"its runs have {megabytes(total)}, more than {megabytes(MAX_UNPACKED_BYTES)}")
    if not found:
        raise _refusal(file, "it holds no run")
    return found


def _file_digest(file: Path) -> str:
    """Of a ZIP file whose size, and the size of whose list of entries, are in bounds."""
    try:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise _refusal(file, f"it has {megabytes(size)}, more than {megabytes(MAX_BYTES)}")
        content = file.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{file} cannot be read ({error.strerror}). Check the path") from error
    end = content[-22:]  # the end of the list of entries, as `write` leaves it: without a comment, and not ZIP64
    if len(end) < 22 or end[:4] != b"PK\5\6" or content[-42:-38] == b"PK\6\7":
        raise _refusal(file, "it is no ZIP file, or is cut off")
    if (directory := struct.unpack("<I", end[12:16])[0]) > MAX_DIRECTORY_BYTES:
        raise _refusal(file, f"its list of entries has {megabytes(directory)}")
    return _digest(content)


def _unpack(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with zipped.open(entry) as source:
        content = source.read(entry.file_size + 1)
    if len(content) > entry.file_size:
        raise ArtifactError(f"{entry.filename} is larger than it says")
    return content


def _read(run_id: str, contents: dict[str, bytes]) -> Run:
    """A run of a bundle, checked; its scores are those of its predictions."""
    if not ID.fullmatch(run_id) or len(run_id.encode()) > MAX_ID_BYTES:
        raise ArtifactError("its id is no name of a run")
    for name in (RECORD, PREDICTIONS):
        if name not in contents:
            raise ArtifactError(f"{name} is missing")
    record = json.loads(contents[RECORD], parse_constant=_no_number)
    if not isinstance(record, dict):
        raise ArtifactError(f"{RECORD} holds no run")
    _check_values(record)
    if lacking := [name for name in runs.REQUIRED if name not in record]:
        raise ArtifactError(f"{RECORD} lacks {lacking[0]!r}")
    if record["predictions_digest"] != _digest(contents[PREDICTIONS]):
        raise ArtifactError(f"{PREDICTIONS} is not what {RECORD} was written for")
    predictions = _predictions(contents[PREDICTIONS])
    curves = _curves(contents[CURVES]) if CURVES in contents else None
    known = {one.name for one in fields(Run)} - {"id", "tables", "shipped"}
    run_id = run_id if run_id.startswith(OPENED) else OPENED + run_id
    record = {name: value for name, value in record.items() if name in known}
    run = records.as_record(Run, record, RECORD, id=run_id, tables=Tables(predictions, curves))
    scores = evaluation.scores(predictions)
    if run.versions.scores != evaluation.VERSION:
        run = replace(run, scores=scores)
    elif not _agree(run.scores, scores):
        raise ArtifactError(f"the scores in {RECORD} are not those of its predictions")
    _check(run)
    return run


def _check(run: Run) -> None:
    """Raise what is wrong with a run, by doing with it what tables and pages do."""
    registry.get(run.recipe.model)
    protocols.get(run.protocol)
    if not re.fullmatch(r"[0-9a-f]{8,64}", run.data_digest):
        raise ArtifactError(f"its digest of clips is none: {run.data_digest[:80]!r}")
    if run.heard and run.heard not in {**conditions.CONDITIONS, **conditions.SMALL_CHANGES}:
        raise ArtifactError(f"there is no recording condition {run.heard[:80]!r}")
    if run.made:
        datetime.fromisoformat(run.made)
    if bool(run.tested_on) != bool(_other_corpus(run)):
        raise ArtifactError(f"it is tested on another corpus, or its protocol is {run.protocol}, and not both")
    if run.tested_on:
        _check_keys("tested_on", run.tested_on, TESTED_ON)
        generalization.about_other_corpus(run)
    elif (there := run.predictions["clip"].nunique()) > run.clips:
        raise ArtifactError(f"it says that it has {run.clips:,} clips, and predicts {there:,}")
    for layer in run.layers:
        _check_keys("layers", layer, LAYER)
    for kind in run.training:
        matrix = run.training_confusion(kind) if kind in evaluation.kinds(run.part("test")) else None
        if matrix is None or matrix.min() < 0 or not matrix.any():
            raise ArtifactError(f"training in {RECORD} has no good {kind[:80]!r}")
    run_titles.title(run)
    comparison.row(run, evaluation.kinds(run.part("test"))[0])
    run_report.report([run])


def _other_corpus(run: Run) -> str | None:
    return protocols.corpus_of(protocols.uncalibrated(run.protocol))


def _check_keys(name: str, value: dict, hints: dict) -> None:
    for key, hint in hints.items():
        if key not in value:
            raise ArtifactError(f"{name} in {RECORD} lacks {key!r}")
        records.as_hinted(hint, value[key], f"{key} of {name} in {RECORD}")


def _check_values(value) -> None:
    """Raise an ArtifactError for numbers out of all bounds, and for text that is too long or changes text around it."""
    if isinstance(value, dict):
        _check_values([*value, *value.values()])
    elif isinstance(value, list):
        for one in value:
            _check_values(one)
    elif isinstance(value, str):
        if len(value) > MAX_TEXT or not value.isprintable():
            raise ArtifactError(f"{RECORD} holds text that is too long or not printable: {value[:40]!r}")
    elif value is not None and not abs(value) <= MAX_NUMBER:
        raise ArtifactError(f"{RECORD} holds a number that is not finite or too large")


def _no_number(text: str):
    raise ArtifactError(f"{RECORD} holds {text}, which is no number")


def _table(name: str, content: bytes, numbers: Mapping[str, type]) -> pd.DataFrame:
    """A table of a bundle. `numbers` are the columns that are no text, with their types."""
    header = next(csv.reader(io.StringIO(content[:MAX_HEADER].decode(errors="replace").partition("\n")[0])), [])
    if len(set(header)) < len(header) or b"\n" not in content[:MAX_HEADER]:
        raise ArtifactError(f"{name} has a damaged first line")
    if content.count(b"\n") > MAX_ROWS:
        raise ArtifactError(f"{name} has more than {MAX_ROWS:,} rows")
    types = {column: numbers.get("p_" if column.startswith("p_") else column, str) for column in header}
    text = content.decode()
    table = pd.read_csv(io.StringIO(text), dtype=types, index_col=False, keep_default_na=False)
    for column in (column for column in header if types[column] is str):
        for cell in table[column].unique():
            if len(cell) > MAX_CELL or not cell.isprintable():
                raise ArtifactError(f"{name} holds text that is too long or not printable: {cell[:40]!r}")
    return table


def _predictions(content: bytes) -> pd.DataFrame:
    numbers = {"fold": np.int64, "p_": np.float32, evaluation.DISTANCE: np.float32}
    table = _table(PREDICTIONS, content, numbers)
    named = [column for column in table if column.startswith("p_")]
    if missing := [column for column in evaluation.ROW_COLUMNS if column not in table]:
        raise ArtifactError(f"{PREDICTIONS} has no column {missing[0]!r}")
    if unknown := set(table) - {*evaluation.ROW_COLUMNS, evaluation.DISTANCE, *named}:
        raise ArtifactError(f"{PREDICTIONS} has the column {min(unknown)!r}, which is not known here")
    if len(named) < 2 or not (table["part"] == "test").any():
        raise ArtifactError(f"{PREDICTIONS} holds no predictions of test clips")
    if unknown := set(table["part"]) - {"train", "cv", "test", evaluation.OTHER}:
        raise ArtifactError(f"{PREDICTIONS} has the part {min(unknown)!r}, which is not known here")
    bounds = {"classes": (len(named), MAX_CLASSES), "speakers": (table["speaker"].nunique(), MAX_SPEAKERS)}
    bounds["folds"] = table["fold"].nunique(), MAX_FOLDS
    for what, (there, most) in bounds.items():
        if there > most:
            raise ArtifactError(f"{PREDICTIONS} has {there:,} {what}, more than {most:,}")
    if (twice := table.duplicated(["part", "fold", "clip"])).any():
        raise ArtifactError(f"{PREDICTIONS} has clips twice: {by_clip.listed(table['clip'][twice])}")
    faults = list(imported.value_faults(table["clip"], table[named].to_numpy(dtype=float)))
    if evaluation.DISTANCE in table and not np.isfinite(table[evaluation.DISTANCE]).all():
        faults.append("distances that are no finite numbers")
    if faults:
        raise ArtifactError(f"{PREDICTIONS} has {'; '.join(faults)}")
    return table


def _curves(content: bytes) -> pd.DataFrame:
    numbers = dict.fromkeys(CURVE_NUMBERS, np.float64) | dict.fromkeys(("epoch", "fold"), np.int64)
    table = _table(CURVES, content, numbers)
    if not {"part", "fold", "epoch", "loss", "accuracy"} <= set(table) <= {"part", *CURVE_NUMBERS}:
        raise ArtifactError(f"{CURVES} has other columns than training curves have")
    return table


def _agree(said: dict, scores: dict) -> bool:
    return set(said) == set(scores) and all(abs(said[name] - scores[name]) <= TOLERANCE for name in scores)


def _is_same(one: Run, other: Run) -> bool:
    """Whether two runs have the same content, whatever bundles they came in."""
    names = [each.name for each in fields(Run) if each.name not in ("id", "tables", "scores", "bundle", "shipped")]
    if any(getattr(one, name) != getattr(other, name) for name in names):
        return False
    mine, theirs = one.curves, other.curves
    if (mine is None) != (theirs is None):
        return False
    return (mine is None or mine.equals(theirs)) and one.predictions.equals(other.predictions)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refusal(file: Path, reason: str) -> ArtifactError:
    return ArtifactError(f"{file} is not opened, since {reason}. Ask for a new file made by `ser bundle`")
