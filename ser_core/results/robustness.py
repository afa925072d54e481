"""Robustness: what models score on the same test clips, heard in other recording conditions."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ser_core import evaluation
from ser_core.audio import conditions
from ser_core.audio.conditions import CONDITIONS
from ser_core.results import run_titles
from ser_core.results.runs import Run

AS_RECORDED = "As recorded"
COLUMNS = ["model", "condition", "title", "run", "clips", "accuracy", "low", "high", "uar", "claims", "same"]


def protocols(found: Iterable[Run]) -> list[str]:
    """The protocols under which test clips were heard in recording conditions, that with the most runs first.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    list of str
    """
    return pd.Series([run.protocol for run in found if run.heard], dtype=str).value_counts().index.tolist()


def table(found: Iterable[Run], protocol: str, kind: str = "emotion") -> pd.DataFrame:
    """Every model that was tested in a recording condition under a protocol, in each condition.

    Parameters
    ----------
    found : iterable of Run
        The newest last.
    protocol : str
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    pd.DataFrame
        One row a model and condition, as recorded first: `model` (the title of its run), `condition` (key; empty for
        as recorded), `title` (of the condition), `run`, `clips`, `accuracy` with its 95 % interval `low` to `high`
        (over actors where they are held out), `uar`, `claims` (mean probability of the prediction) and `same` (share
        of clips with the same prediction as recorded).
    """
    by_recipe: dict[tuple, dict[str, Run]] = {}
    for run in found:
        if run.protocol == protocol and run.heard in ("", *CONDITIONS):
            by_recipe.setdefault((run.recipe.digest, run.data_digest), {})[run.heard] = run
    tested = {key: group for key, group in by_recipe.items() if "" in group and len(group) > 1}
    titles = run_titles.titles((group[""] for group in tested.values()), protocol=False)
    rows = []
    for group in tested.values():
        plain, _ = _named_by_clip(group[""], kind)
        for condition in filter(group.get, ("", *CONDITIONS)):
            tested_in = group[condition]
            named, claims = _named_by_clip(tested_in, kind)
            rows.append(
                (
                    titles[group[""].id],
                    condition,
                    CONDITIONS[condition].title if condition else AS_RECORDED,
                    tested_in.id,
                    len(named),
                    *tested_in.accuracy_interval(kind),
                    evaluation.scores_of(tested_in.part("test"), kind)["uar"],
                    claims,
                    float((named == plain.reindex(named.index)).mean()),
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _named_by_clip(run: Run, kind: str) -> tuple[pd.Series, float]:
    """The prediction for each test clip, and the mean of their probabilities."""
    test = run.part("test")
    named, _ = evaluation.named_and_true(test, kind)
    bins = evaluation.calibration(test, kind)
    return pd.Series(named, index=test["clip"]), float(np.average(bins["claimed"], weights=bins["clips"]))


def in_words(found: pd.DataFrame, model: str) -> str:
    """A sentence on what the conditions cost a model.

    Parameters
    ----------
    found : pd.DataFrame
        As `table` gives it.
    model : str
        A value of its column `model`.

    Returns
    -------
    str
    """
    rows = found[found["model"] == model].set_index("condition")
    plain, others = rows.loc[""], rows.drop("").sort_values("accuracy")
    worst, best = others.iloc[0], others.iloc[-1]
    sentence = (
        f"{model} names {plain['accuracy']:.0%} of the same {plain['clips']:,} clips right as recorded, and "
        f"{worst['accuracy']:.0%} at worst ({conditions.in_words(worst.name)})"
    )
    if len(others) > 1:
        sentence += f"; {best['accuracy']:.0%} at best ({conditions.in_words(best.name)})"
    return f"{sentence}. It claims {worst['claims']:.0%} where it is right in {worst['accuracy']:.0%}."
