"""What a bundle says of its runs to people: a card, an HTML report of tables, and the commands that repeat them."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import jinja2
import pandas as pd

import ser_core
from ser_core import evaluation, templates
from ser_core.audio import conditions
from ser_core.corpus import ravdess
from ser_core.corpus.archives import LICENCE
from ser_core.corpus.clips import speakers_of
from ser_core.errors import SerError
from ser_core.evaluation import protocols
from ser_core.features.feature_set import is_from_elsewhere
from ser_core.models import registry
from ser_core.results import run_titles
from ser_core.results.published import ORIGINAL_CLIPS
from ser_core.results.runs import OPENED, Run

LIMITS = (
    "The scores hold for clips of these corpora and this protocol alone. They do not say what anyone feels: do not "
    "decide anything about a person with them."
)


def commands(run: Run) -> list[str]:
    """The commands that repeat a run, to be given in a shell where its bundle was opened.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of str
        `ser verify`, which repeats its recipe and counts changed predictions; before that `ser run`, if its options can
        give the recipe. Capital words stand for files that are not in the bundle. Empty for imported predictions.
    """
    recipe = run.recipe
    if recipe.origin == "imported":
        return []
    files = []
    if is_from_elsewhere(recipe.features):
        files = ["--features", "FILE"]
    elif run.clips != ORIGINAL_CLIPS:
        files = ["--features", "TABLE"]
    if run.tested_on:
        files += ["--test-on", "MANIFEST"]
    code = ["--code", recipe.model] if recipe.origin == "code" else []
    opened = run.id if run.id.startswith(OPENED) else f"{OPENED}{run.id}"
    made = [["ser", "verify", opened, *files, *code]]
    if (options := _options(run)) is not None:
        calibration = protocols.calibration_of(run.protocol)
        options += [] if run.tested_on else ["--protocol", protocols.uncalibrated(run.protocol)]
        options += ["--calibrate", calibration] if calibration else []
        options += ["--heard", run.heard] if run.heard else []
        made.insert(0, ["ser", "run", recipe.model, *options, *files])
    return [shlex.join(one) for one in made]


def _options(run: Run) -> list[str] | None:
    """The options of `ser run` for a recipe; None if they do not lead to it."""
    recipe = run.recipe
    seed = [] if recipe.seed == protocols.ORIGINAL_SEED else ["--seed", str(recipe.seed)]
    if recipe.origin == "code":
        named = [] if is_from_elsewhere(recipe.features) else ["--features", recipe.features]
        return named + seed
    if is_from_elsewhere(recipe.features):
        return None
    given = {name: getattr(recipe, name) for name in ("preset", "features", "augmentation", "preprocessing")}
    for kept in (("preset",), tuple(given)):
        chosen = {name: given[name] for name in kept}
        try:
            if registry.recipe(recipe.model, **chosen, seed=recipe.seed) == recipe:
                options = [word for name, value in chosen.items() for word in (f"--{name}", value)]
                return options + seed
        except SerError:
            continue
    return None


def card(found: Sequence[Run]) -> str:
    """The card of a bundle.

    Parameters
    ----------
    found : sequence of Run

    Returns
    -------
    str
        Markdown.
    """
    titles = run_titles.titles(found)
    parts = []
    for run in found:
        repeated = "".join(f"    {command}\n" for command in commands(run))
        repeated = repeated or "These predictions were made elsewhere; nothing here can repeat them.\n"
        parts.append(f"## {titles[run.id]}\n\n`{run.id}`: {_about(run)}\n\n{_scores_in_words(run)}\n\n{repeated}")
    return f"""# Runs of speech emotion recognition

Made with ser-core {ser_core.__version__}. `report.html` has their scores, confusion matrices and recipes;
`references.bib` what to cite; `runs/` each run's record (`run.json`, with its recipe) and predictions.

To compare them with your own runs: `ser open FILE.zip`. To repeat them after that, give the commands below.

{chr(10).join(parts)}
## What they do not say

{LIMITS}

## Terms

{_terms(found)}
"""


def report(found: Sequence[Run]) -> str:
    """A report on runs: what their figures show, as tables.

    Parameters
    ----------
    found : sequence of Run

    Returns
    -------
    str
        HTML without scripts and without addresses of anything outside. All text is escaped.
    """
    titles = run_titles.titles(found)
    return _template().render(
        runs=[
            {"title": titles[run.id], "id": run.id, "about": _about(run), "commands": commands(run)}
            | {"tables": _tables(run)}
            for run in found
        ],
        overview=pd.DataFrame([_row(run) | {"run": titles[run.id]} for run in found]),
        limits=LIMITS,
        terms=_terms(found),
        version=ser_core.__version__,
    )


def _about(run: Run) -> str:
    corpora = ", ".join(sorted(run.predictions["corpus"].unique()))
    test = run.part("test")
    heard = f", heard {conditions.in_words(run.heard)}" if run.heard else ""
    return (
        f"{run.name}. {protocols.get(run.protocol).title}. {len(test):,} test clips of {corpora}{heard}, by "
        f"{len(set(speakers_of(test)))} speakers. Clips: SHA-256 {run.data_digest[:12]}."
    )


def _scores_in_words(run: Run) -> str:
    row = _row(run)
    return ", ".join(f"{name} {value}" for name, value in row.items() if value and name not in ("run", "protocol"))


def _row(run: Run) -> dict[str, str]:
    test = run.part("test")
    kind = _kind(run)
    right, low, high = run.accuracy_interval(kind)
    scores = evaluation.scores_of(run.predictions, kind)
    over = protocols.get(run.protocol).interval_over
    return {
        "run": "",
        "protocol": run.test,
        "scored": kind,
        "accuracy": f"{right:.3f}",
        f"95% interval over {over}": f"{low:.3f} to {high:.3f}",
        "UAR": f"{scores['uar']:.3f}",
        "macro F1": f"{scores['macro_f1']:.3f}",
        "test clips": f"{len(test):,}",
    }


def _kind(run: Run) -> str:
    there = evaluation.kinds(run.part("test"))
    usual = protocols.get(run.protocol).usual_kind
    return usual if usual in there else there[0]


def _tables(run: Run) -> dict[str, pd.DataFrame]:
    """The tables of a run by their titles."""
    test, kind = run.part("test"), _kind(run)
    values = evaluation.values_of(test, kind)
    confusion = pd.DataFrame(evaluation.confusion(test, kind), columns=list(values))
    confusion.insert(0, "true, down; predicted, across", list(values))
    recipe = asdict(run.recipe)
    facts = recipe | {f"version of {name}": value for name, value in asdict(run.versions).items()}
    facts |= run.environment.packages | {"platform": run.environment.platform, "commit": run.environment.commit}
    made = {
        "Scores": _as_table(run.scores, "score"),
        "Fold by fold": evaluation.by_fold(test, kind),
        "Precision, recall and F1": evaluation.report(test, kind).rename_axis(kind).reset_index(),
        "Confusion matrix": confusion,
        "Right answers at each level of confidence": evaluation.calibration(test, kind),
        "By speaker": evaluation.by_property(test, "speaker", kind),
    }
    if test["gender"].nunique() > 1:
        made["By gender"] = evaluation.by_property(test, "gender", kind)
    if run.curves is not None:
        made["Training, epoch by epoch"] = run.curves
    made["Recipe and versions"] = _as_table({name: value for name, value in facts.items() if value != ""}, "what")
    return made


def _as_table(values: dict, name: str) -> pd.DataFrame:
    return pd.DataFrame({name: list(values), "value": list(values.values())}, dtype=object)


def _terms(found: Sequence[Run]) -> str:
    corpora = sorted({corpus for run in found for corpus in run.predictions["corpus"].unique()})
    if any(run.clips == ORIGINAL_CLIPS for run in found):
        corpora = sorted({*corpora, ravdess.NAME})
    others = [corpus for corpus in corpora if corpus != ravdess.NAME]
    terms = [LICENCE] if ravdess.NAME in corpora else []
    terms += [f"The terms of {' and '.join(others)} hold for what was computed from their clips."] if others else []
    return "\n\n".join(terms)


@cache
def _template() -> jinja2.Template:
    environment = templates.environment(Path(__file__).parent)
    environment.filters["cell"] = _cell
    return environment.get_template("run_report.html")


def _cell(value) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4g}"
    return str(value)
