"""Tables of runs and the original study's numbers, and their export as text."""

from collections.abc import Iterable, Sequence
from functools import partial

import pandas as pd

from ser_core import evaluation, files
from ser_core.audio import conditions
from ser_core.errors import ArtifactError, ModelError, ProtocolError
from ser_core.evaluation import protocols
from ser_core.models import registry
from ser_core.results import published, run_titles
from ser_core.results.published import ORIGINAL, OriginalResult
from ser_core.results.runs import HEARD, Run

# The preset with the original's input features, where our default preset of the same model has others.
SEES_AS_THE_ORIGINAL = {"rnn": "study"}

COLUMNS = [
    "run",
    "label",
    "model",
    "name",
    "family",
    "preset",
    "features",
    "corpus",
    "shipped",
    "original_cv_accuracy",
    "original_test_accuracy",
    "cv_accuracy",
    "cv_deviation",
    "test_accuracy",
    "test_deviation",
    "test_low",
    "test_high",
    "test_clips",
    "uar",
    "ua",
    "ua_deviation",
    "macro_f1",
    "train_accuracy",
    "gap",
    "seconds",
    "fit_seconds",
    "predict_ms",
    "file_bytes",
    "parameters",
]
# Columns of the tables that people read, and their headings; intervals are put in brackets.
SHOWN = {
    "label": "run",
    "name": "model",
    "corpus": "corpus",
    "original_cv_accuracy": "original CV5",
    "cv_accuracy": "CV5",
    "cv_deviation": "CV5 deviation",
    "original_test_accuracy": "original test",
    "test_accuracy": "test (95% interval)",
    "uar": "UAR",
    "ua": "UA",
    "ua_deviation": "UA deviation",
    "gap": "train less test",
    "fit_seconds": "fit (s)",
    "predict_ms": "predict (ms a clip)",
    "file_bytes": "file (MB)",
    "parameters": "parameters",
}
PAIRS_SHOWN = {
    "first": "A",
    "second": "B",
    "clips": "clips",
    "only_first": "only A right",
    "only_second": "only B right",
    "difference": "A less B (95% interval)",
    "p": "p",
    "corrected": "p, corrected",
    "smallest": "smallest found",
    "test": "test",
}
GAPS_SHOWN = {
    "label": "run",
    "value": "clips of",
    "than": "less",
    "clips": "clips",
    "speakers": "speakers",
    "accuracy": "accuracy",
    "others": "accuracy of the others",
    "gap": "gap (95% interval)",
    "p": "p",
}
INTERVALS = {  # column -> the ends of its interval, which stand behind it in brackets
    "test_accuracy": ("test_low", "test_high"),
    "difference": ("low", "high"),
    "gap": ("low", "high"),
}
DIGITS = dict.fromkeys(("parameters", "clips", "only_first", "only_second", "speakers"), ",.0f") | dict.fromkeys(
    ("fit_seconds", "predict_ms"), ".2f"
)
FORMATS = ("csv", "latex", "markdown")


def same_test(found: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs grouped by protocol and clips; only runs of one group are comparable.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    dict of str to list of Run
        By `Run.test`; for clips other than those of the shipped runs, also the start of their digest, such as
        "study of a1b2c3d4".
    """
    found = list(found)
    digests = _shipped_digests(found)
    groups: dict[str, list[Run]] = {}
    for run in found:
        test, digest = run.test, run.data_digest
        groups.setdefault(test if digest in digests else f"{test} of {digest[:8]}", []).append(run)
    order = {name: place for place, name in enumerate(protocols.PROTOCOLS)}
    return dict(sorted(groups.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def title_of_test(test: str, found: Sequence[Run] = ()) -> str:
    """The title of one of the groups of `same_test`.

    Parameters
    ----------
    test : str
        A name that `same_test` gives.
    found : sequence of Run
        The group, to name the corpora of clips other than those of the shipped runs.

    Returns
    -------
    str
    """
    protocol, name, digest = _protocol_of(test)
    title = protocol.title if protocol else name
    if heard := _condition_of(test):
        title += f"; test clips heard {conditions.in_words(heard)}"
    return f"{title} ({_clips_in_words(found)}, {digest})" if digest else title


def _clips_in_words(found: Sequence[Run]) -> str:
    try:
        return f"{' and '.join(sorted(found[0].predictions['corpus'].unique()))}: {found[0].clips:,} clips"
    except (
        IndexError,
        ArtifactError,
    ):  # no run is given, or it is damaged, which is said where its numbers would stand
        return "other clips"


def usual_kind(test: str) -> str:
    """What publications predict under a test's protocol: "emotion" or "class".

    Parameters
    ----------
    test : str
        A name that `same_test` gives.

    Returns
    -------
    {"class", "emotion"}
    """
    protocol, *_ = _protocol_of(test)
    return protocol.usual_kind if protocol else "class"


def _condition_of(test: str) -> str:
    return test.partition(" of ")[0].partition(HEARD)[2]


def _protocol_of(test: str) -> tuple[protocols.Protocol | None, str, str]:
    """A test's protocol, its name, and the start of the clips' digest; no protocol for one of an earlier version."""
    name, _, digest = test.partition(" of ")
    name = name.partition(HEARD)[0]
    try:
        return protocols.get(name), name, digest
    except ProtocolError:
        return None, name, digest


def _shipped_digests(found: Iterable[Run]) -> set[str]:
    return {run.data_digest for run in found if run.shipped}


def original_of(run: Run, found: Iterable[Run]) -> OriginalResult | None:
    """The original study's numbers for a run; None where they are not comparable.

    They are comparable if the run has the same clips, features and one set of parameters for all folds.

    Parameters
    ----------
    run : Run
    found : iterable of Run
        With the shipped runs, which are on the study's clips.

    Returns
    -------
    OriginalResult or None
    """
    key = run.recipe.model
    if not published.original(key) or run.test != "study" or run.data_digest not in _shipped_digests(found):
        return None
    if not registry.get(key).learns_from_clips:
        return published.original(key)
    seen_then = registry.recipe(key, SEES_AS_THE_ORIGINAL.get(key, "default")).features
    is_nested = run.recipe.origin == "nested"  # parameters differ between folds
    return published.original(key) if run.recipe.features == seen_then and not is_nested else None


def table(
    found: Iterable[Run], *, protocol: str = "study", kind: str = "class", sizes: dict[str, int] | None = None
) -> pd.DataFrame:
    """One row for each of the runs under a protocol, shipped and own, in the order of the study's table.

    Parameters
    ----------
    found : iterable of Run
    protocol : str
    kind : str
        What has to be predicted: "class" (16), "emotion" (8, genders added up) or "gender".
    sizes : dict, optional
        Run -> bytes of the model's file, as `artifacts.sizes` gives it.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`: `corpus` of the tested clips, `original_cv_accuracy`, `original_test_accuracy` (missing where
        `original_of` gives none), `cv_accuracy` with its deviation over folds, `test_accuracy` with its 95% interval
        `test_low` to `test_high` (over clips, or over actors where they are held out), its deviation over folds and
        `ua`, the mean of their UARs, where there are several test folds, `gap` (accuracy on train less that on test),
        `fit_seconds` and `predict_ms` (a clip) of the last fit, `parameters` of a network, ...
    """
    found = list(found)
    chosen = scorable([run for run in found if run.test == protocol], kind)
    labels = run_titles.titles(chosen, protocol=False)
    rows = [row(run, kind, original_of(run, found)) | {"label": labels[run.id]} for run in chosen]
    return as_table(rows, sizes or {})


def scorable(found: Iterable[Run], kind: str) -> list[Run]:
    """The runs whose predictions can be scored so: of emotions alone, or of unknown genders, no class can be.

    Parameters
    ----------
    found : iterable of Run
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    list of Run

    Raises
    ------
    ModelError
        If there are runs, and none can be.
    """
    found = list(found)
    able = [run for run in found if kind == "emotion" or run.has_classes]
    if found and not able:
        evaluation.named_and_true(found[0].part("test"), kind)  # raises with the way out
    return able


def as_table(rows: list[dict], sizes: dict[str, int]) -> pd.DataFrame:
    """Rows in the order of the study's table.

    Parameters
    ----------
    rows : list of dict
        As `row` gives them, each with `label`.
    sizes : dict
        Run -> bytes of the model's file.

    Returns
    -------
    pd.DataFrame
        With the columns `COLUMNS`.
    """
    order = {key: place for place, key in enumerate(ORIGINAL)}
    rows = sorted(rows, key=lambda row: (order.get(row["model"], len(order)), row["model"], not row["shipped"]))
    made = pd.DataFrame(rows, columns=COLUMNS)
    return made.assign(file_bytes=made["file_bytes"].fillna(made["run"].map(sizes)).astype(float))


def row(run: Run, kind: str = "class", original: OriginalResult | None = None) -> dict:
    """A row of `table` without its label; for the 16 classes beside the original's numbers, if there are any.

    Parameters
    ----------
    run : Run
    kind : {"class", "emotion", "gender"}
    original : OriginalResult, optional

    Returns
    -------
    dict
        Column of `COLUMNS` -> value.
    """
    test = run.part("test")
    original = original if kind == "class" else None
    share, low, high = run.accuracy_interval(kind)
    scores = run.scores if kind == "class" else evaluation.scores_of(run.predictions, kind)
    folds = _over_folds(test, kind)
    is_timed = run.recipe.origin != "imported"
    last = test[test["fold"] == test["fold"].max()]  # the clips that `seconds.predict` was measured on
    return {
        "run": run.id,
        "model": run.recipe.model,
        "name": run.name,
        "family": run.family,
        "preset": run.recipe.preset,
        "features": run.versions.features,
        "corpus": ", ".join(sorted(run.predictions["corpus"].unique())),
        "seconds": run.seconds.total if is_timed else None,
        "fit_seconds": run.seconds.fit if is_timed else None,
        "shipped": run.shipped,
        "original_cv_accuracy": original.cv_accuracy if original else None,
        "original_test_accuracy": original.test_accuracy if original else None,
        "cv_accuracy": scores.get("cv_accuracy"),
        "cv_deviation": _over_folds(run.part("cv"), kind)["accuracy"][1],
        "test_accuracy": share,
        "test_deviation": folds["accuracy"][1],
        "test_low": low,
        "test_high": high,
        "test_clips": len(test),
        "uar": scores["uar"],
        "ua": folds["uar"][0],
        "ua_deviation": folds["uar"][1],
        "macro_f1": scores["macro_f1"],
        "train_accuracy": scores.get("train_accuracy"),
        "gap": scores["train_accuracy"] - share if "train_accuracy" in scores else None,
        "predict_ms": 1000 * run.seconds.predict / len(last) if is_timed else None,
        "file_bytes": None,
        "parameters": sum(layer["parameters"] for layer in run.layers) or None,
    }


def _over_folds(rows: pd.DataFrame, kind: str) -> dict[str, tuple[float | None, float | None]]:
    """Mean and deviation over folds of accuracy and UAR; None where there are not several."""
    if rows["fold"].nunique() < 2:
        return dict.fromkeys(("accuracy", "uar"), (None, None))
    table = evaluation.by_fold(rows, kind)
    return {name: (float(table[name].mean()), float(table[name].std())) for name in ("accuracy", "uar")}


def find(names: Iterable[str], found: Sequence[Run]) -> list[Run]:
    """The runs of one test with these titles or ids.

    Parameters
    ----------
    names : iterable of str
        Labels as in `table`, or ids.
    found : sequence of Run

    Returns
    -------
    list of Run

    Raises
    ------
    ModelError
        If there is no such run.
    """
    labels = run_titles.titles(found, protocol=False)
    called = {run.id: run for run in found} | {labels[run.id]: run for run in found}
    for name in names:
        if not called:
            raise ModelError(f"There is no run {name!r}: there is none at all under this protocol. Name its --protocol")
        if name not in called:
            there = "\n  ".join(sorted(labels.values()))  # names may hold commas
            raise ModelError(f"There is no run {name!r} to compare; there is\n  {there}")
    return [called[name] for name in names]


def written(table: pd.DataFrame, form: str) -> str:
    """A table of `table`, `differences.all_pairs` or `gaps.table` as text.

    Parameters
    ----------
    table : pd.DataFrame
    form : {"csv", "latex", "markdown"}
        CSV has every column and digit; the others have what people read.

    Returns
    -------
    str

    Raises
    ------
    ModelError
        If there is no such form.
    """
    if form == "csv":
        return files.as_csv(table)
    if form not in FORMATS:
        raise ModelError(f"There is no form {form!r} of a table; there is {', '.join(FORMATS)}")
    shown = for_people(table)
    if form == "latex":
        return shown.to_latex(index=False, escape=True)
    rows = [list(shown), ["---"] * shown.shape[1], *shown.to_numpy().tolist()]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table that people read, as text. Empty columns are left out, and the corpus that all have.

    Parameters
    ----------
    table : pd.DataFrame
        Of `table`, `differences.all_pairs` or `gaps.table`.

    Returns
    -------
    pd.DataFrame
    """
    heads = next((heads for heads in (GAPS_SHOWN, PAIRS_SHOWN) if set(heads) <= set(table)), SHOWN)
    shown = pd.DataFrame({head: table[name].map(partial(_formatted, name)) for name, head in heads.items()})
    if "corpus" in shown and shown["corpus"].nunique() < 2:
        shown = shown.drop(columns="corpus")
    for name, (low, high) in INTERVALS.items():
        if name in heads and low in table:
            ends = table[low].map(" ({:.3f} to ".format) + table[high].map("{:.3f})".format)
            shown[heads[name]] += ends.where(table[low].notna(), "")
    return shown.loc[:, (shown != "").any()] if len(shown) else shown


def _formatted(name: str, value) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    if name == "file_bytes":
        return f"{value / 1e6:.1f}"
    if name in ("p", "corrected") and value < 0.001:
        return "< 0.001"
    return format(value, DIGITS.get(name, ".3f"))
