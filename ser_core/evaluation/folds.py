"""Scores fold by fold, with their mean and standard deviation."""

import pandas as pd

from ser_core.evaluation.metrics import accuracy, kinds, named_and_true, uar

PREFIX = {"class": "", "emotion": "emotion_"}  # of a score's name, as in `metrics.scores`


def by_fold(rows: pd.DataFrame, kind: str = "class") -> pd.DataFrame:
    """Accuracy and UAR of each fold.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions of one part, such as the test part.
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    pd.DataFrame
        One row a fold: `fold`, `clips`, `accuracy`, `uar`.
    """
    named, truth = named_and_true(rows, kind)
    numbers = rows["fold"].to_numpy()
    found = [(fold, truth[numbers == fold], named[numbers == fold]) for fold in sorted(set(numbers.tolist()))]
    table = [(fold, len(true), accuracy(true, said), uar(true, said)) for fold, true, said in found]
    return pd.DataFrame(table, columns=["fold", "clips", "accuracy", "uar"])


def over_folds(predictions: pd.DataFrame) -> dict[str, dict]:
    """The scores of each fold of the parts that have several, and their mean and standard deviation.

    Parameters
    ----------
    predictions : pd.DataFrame
        Of a run.

    Returns
    -------
    dict
        By part ("cv" or "test"): `each` (a dict a fold: `fold`, `clips`, `accuracy` and `uar` of classes,
        `emotion_accuracy` and `emotion_uar`), `mean` and `deviation` (of these scores; the deviation divides by the
        number of folds less one). Where the genders of clips are not known, the scores of classes are left out.
    """
    made = {}
    for part in ("cv", "test"):
        rows = predictions[predictions["part"] == part]
        if rows["fold"].nunique() < 2:
            continue
        of_kinds = {kind: by_fold(rows, kind) for kind in PREFIX if kind in kinds(rows)}
        table = next(iter(of_kinds.values()))[["fold", "clips"]]
        for kind, scores in of_kinds.items():
            table = table.join(scores[["accuracy", "uar"]].add_prefix(PREFIX[kind]))
        summary = table.drop(columns=["fold", "clips"]).agg(["mean", "std"])
        made[part] = {
            "each": table.to_dict("records"),
            "mean": summary.loc["mean"].to_dict(),
            "deviation": summary.loc["std"].to_dict(),
        }
    return made
