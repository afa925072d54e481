"""Gaps of runs between the clips of a property, such as women's and men's."""

from collections.abc import Iterable

import pandas as pd

from ser_core import evaluation
from ser_core.errors import ModelError
from ser_core.results import run_titles
from ser_core.results.runs import Run


def table(found: Iterable[Run], name: str, kind: str = "class", *, clips: pd.DataFrame | None = None) -> pd.DataFrame:
    """The gap of each run between the clips of each value of a property and all its other clips.

    Parameters
    ----------
    found : iterable of Run
    name : str
        The property: `emotion`, a column of the predictions such as `gender`, or one of `clips`.
    kind : {"class", "emotion", "gender"}
    clips : pd.DataFrame, optional
        The index of the clips.

    Returns
    -------
    pd.DataFrame
        One row a run and value: `run`, `label` (its title), and the columns of `evaluation.gaps`. Runs on clips of
        one value, or of none, are left out.

    Raises
    ------
    ModelError
        If the clips of no run have such a property.
    """
    found = list(found)
    labels, made = run_titles.titles(found, protocol=False), []
    for run in found:
        try:
            gaps = evaluation.gaps(run.part("test"), name, kind, clips=clips)
        except ValueError as error:
            raise ModelError(
                f"{error}. There is, for example, gender, emotion and speaker; "
                "--features names the table of another corpus, whose columns can be named, too"
            ) from error
        made.append(gaps.assign(run=run.id, label=labels[run.id]))
    table = pd.concat(made, ignore_index=True).dropna(subset="gap", ignore_index=True)
    if table.empty:
        raise ModelError(
            f"There is no gap by {name}: it is the same of all clips of these runs, or not known. Name the table that "
            "they were run on: --features TABLE"
        )
    return table[["run", "label", *table.columns.drop(["run", "label"])]]
