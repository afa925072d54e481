"""Robustness: what models score on the same test clips, heard in other recording conditions or changed a little."""

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from ser_core import evaluation
from ser_core.audio import conditions
from ser_core.audio.conditions import CONDITIONS, SMALL_CHANGES
from ser_core.evaluation import protocols as tests
from ser_core.results import run_titles
from ser_core.results.published import ROBUSTNESS_TESTS
from ser_core.results.runs import Run

AS_RECORDED = "As recorded"
COLUMNS = ["model", "condition", "title", "run", "clips", "accuracy", "low", "high", "uar", "claims", "same"]
CHANGE_COLUMNS = [
    *("model", "change", "is_small", "clips", "same", "low", "high", "lowest", "uar_change"),
    *("published_low", "published_high", "published_uar_low", "published_uar_high"),
]


def protocols(found: Iterable[Run], among: Collection[str] = CONDITIONS) -> list[str]:
    """The protocols under which test clips were heard in recording conditions, that with the most runs first.

    Parameters
    ----------
    found : iterable of Run
    among : collection of str
        The keys of the conditions.

    Returns
    -------
    list of str
    """
    return pd.Series([run.protocol for run in found if run.heard in among], dtype=str).value_counts().index.tolist()


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
        as recorded), `title` (of the condition), `run`, `clips`, `accuracy` with its 95% interval `low` to `high`
        (over actors where they are held out), `uar`, `claims` (mean probability of the prediction) and `same` (share
        of clips with the same prediction as recorded).
    """
    rows = []
    for model, group in by_model(found, protocol, CONDITIONS).items():
        plain = _answers(group[""], kind)["named"]
        for condition in filter(group.get, ("", *CONDITIONS)):
            answers = _answers(group[condition], kind)
            named, truth = answers["named"].to_numpy(), answers["truth"].to_numpy()
            rows.append(
                (
                    model,
                    condition,
                    CONDITIONS[condition].title if condition else AS_RECORDED,
                    group[condition].id,
                    len(answers),
                    evaluation.accuracy(truth, named),
                    *evaluation.mean_interval(truth == named, answers["group"].to_numpy()),
                    evaluation.uar(truth, named),
                    answers["claim"].mean(),
                    float((named == plain.reindex(answers.index)).mean()),
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def small_changes(found: Iterable[Run], protocol: str, kind: str = "emotion") -> pd.DataFrame:
    """How often models keep their answer in the published tests of robustness, beside what large networks reach.

    A model is listed if it was tested in all conditions of one test of a small change or more; a test, if the model was
    tested in all of its conditions.

    Parameters
    ----------
    found : iterable of Run
        The newest last.
    protocol : str
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    pd.DataFrame
        One row a model and test, in the order of `published.ROBUSTNESS_TESTS`: `model` (the title of its run),
        `change` (in words), `is_small`, `clips`, `same` (share of clips with the same prediction as recorded, the mean
        over the test's conditions) with its 95% interval `low` to `high` (over actors where they are held out),
        `lowest` (of its conditions), `uar_change` (against as recorded, the mean over the conditions), and the
        published range: `published_low`, `published_high`, `published_uar_low`, `published_uar_high` (NaN where it is
        not published).
    """
    rows = []
    for model, group in by_model(found, protocol, [*SMALL_CHANGES, *CONDITIONS]).items():
        plain = _answers(group[""], kind)
        plain_uar = evaluation.uar(plain["truth"], plain["named"])
        for test in ROBUSTNESS_TESTS:
            if not set(test.conditions) <= set(group):
                continue
            heard = [_answers(group[condition], kind) for condition in test.conditions]
            same = np.array([answers["named"].reindex(plain.index) == plain["named"] for answers in heard])
            uar = np.mean([evaluation.uar(answers["truth"], answers["named"]) for answers in heard])
            rows.append(
                (
                    model,
                    test.change,
                    test.conditions[0] in SMALL_CHANGES,
                    len(plain),
                    same.mean(),
                    *evaluation.mean_interval(same.mean(axis=0), plain["group"].to_numpy()),
                    same.mean(axis=1).min(),
                    uar - plain_uar,
                    *test.same,
                    *(test.uar or (np.nan, np.nan)),
                )
            )
    table = pd.DataFrame(rows, columns=CHANGE_COLUMNS)
    return table[table.groupby("model")["is_small"].transform("any")].reset_index(drop=True)


def by_model(found: Iterable[Run], protocol: str, among: Collection[str]) -> dict[str, dict[str, Run]]:
    """Of each model that was tested as recorded and in a condition: its title, and its newest run in each.

    Parameters
    ----------
    found : iterable of Run
        The newest last.
    protocol : str
    among : collection of str
        The keys of the conditions.

    Returns
    -------
    dict of str to dict of str to Run
        The model's title -> the condition, empty for as recorded -> run.
    """
    by_recipe: dict[tuple, dict[str, Run]] = {}
    for run in found:
        if run.protocol == protocol and run.heard in ("", *among):
            by_recipe.setdefault((run.recipe.digest, run.data_digest), {})[run.heard] = run
    tested = [group for group in by_recipe.values() if "" in group and len(group) > 1]
    titles = run_titles.titles((group[""] for group in tested), protocol=False)
    return {titles[group[""].id]: group for group in tested}


def _answers(run: Run, kind: str) -> pd.DataFrame:
    """By test clip: what is `named`, the `truth`, what it claims, and the `group` that an interval draws whole."""
    test = run.part("test")
    named, truth = evaluation.named_and_true(test, kind)
    group = evaluation.resampled(test, tests.get(run.protocol).interval_over)
    return pd.DataFrame(
        {"named": named, "truth": truth, "claim": evaluation.claimed(test, kind), "group": group}, index=test["clip"]
    )


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


def changes_in_words(found: pd.DataFrame, model: str) -> str:
    """A sentence on how often a model keeps its answer under small and larger changes, and how often networks do.

    Parameters
    ----------
    found : pd.DataFrame
        As `small_changes` gives it.
    model : str
        A value of its column `model`.

    Returns
    -------
    str
    """
    rows = found[found["model"] == model]
    sentences = []
    for is_small, changes in ((True, "small changes"), (False, "larger changes")):
        some = rows[rows["is_small"] == is_small]
        if some.empty:
            continue
        worst = some.loc[some["same"].idxmin()]
        sentences.append(
            f"Under {changes} {model} names the same emotion in {some['same'].mean():.0%} of clips on average and "
            f"{worst['same']:.0%} at worst ({worst['change'][0].lower()}{worst['change'][1:]}; the large networks "
            f"{worst['published_low']:.0%} to {worst['published_high']:.0%})."
        )
    return " ".join(sentences)
