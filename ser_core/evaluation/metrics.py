"""Scores and confusion matrices, computed from saved predictions and from nothing else."""

from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import classification_report, log_loss, top_k_accuracy_score

from ser_core import corpus
from ser_core.corpus.labels import EMOTION_NAMES, GENDERS, LABELS, by_emotion, by_gender, emotion_of, gender_of

PROBABILITY_COLUMNS = [f"p_{label}" for label in LABELS]
CALIBRATION_BINS = 10
# What can be named: the 16 classes, or with genders or emotions added up -> its values, its probabilities, its truth.
KINDS = {
    "class": (LABELS, lambda given: given, lambda label: label),
    "emotion": (EMOTION_NAMES, by_emotion, emotion_of),
    "gender": (GENDERS, by_gender, gender_of),
}
PROPERTIES = ("emotion", "gender", "actor", "channel", "intensity", "statement", "repetition")


def probabilities(predictions: pd.DataFrame) -> np.ndarray:
    """The class probabilities of a predictions table [shape=(rows, 16)], columns in the order of `LABELS`."""
    return predictions[PROBABILITY_COLUMNS].to_numpy()


def scores(predictions: pd.DataFrame) -> dict[str, float]:
    """The numbers that a run is summed up by.

    Parameters
    ----------
    predictions : pd.DataFrame
        As `runs.Run` keeps them: `fold`, `part`, `truth` and `p_<label>`.

    Returns
    -------
    dict
        `train_accuracy` (where the part is there), `cv_accuracy` (mean over folds, as scikit-learn's
        `cross_val_score` gives it) and, for the test part, `test_accuracy`, `uar`, `macro_f1`, `log_loss`,
        `top2_accuracy` and `ece` of the 16 classes, `emotion_accuracy` and `emotion_uar` of the eight emotions, genders
        added up, and `emotion_claimed`, the mean probability of the emotion that was named: above `emotion_accuracy`,
        the model is too sure. Where several folds are tested, `emotion_ua` is the mean of their UARs, as EmoBox
        reports it.
    """
    result = {}
    for part, name in (("train", "train_accuracy"), ("test", "test_accuracy")):
        rows = predictions[predictions["part"] == part]
        if len(rows):
            result[name] = float(np.mean(_hits(rows)))
    folds = predictions[predictions["part"] == "cv"]
    if len(folds):
        result["cv_accuracy"] = float(pd.Series(_hits(folds)).groupby(folds["fold"].to_numpy()).mean().mean())
    test = predictions[predictions["part"] == "test"]
    if len(test):
        matrix = confusion(test)[np.newaxis]
        result["uar"] = float(uar_of(matrix)[0])
        result["macro_f1"] = float(macro_f1_of(matrix)[0])
        given = probabilities(test).astype(float)
        truth = np.searchsorted(LABELS, test["truth"])
        result["log_loss"] = float(log_loss(truth, given / given.sum(axis=1, keepdims=True), labels=range(len(LABELS))))
        result["top2_accuracy"] = float(top_k_accuracy_score(truth, given, k=2, labels=range(len(LABELS))))
        result["ece"] = ece(calibration(test))
        named, emotion = named_and_true(test, "emotion")
        result["emotion_accuracy"] = float(np.mean(named == emotion))
        result["emotion_uar"] = _recall(named, emotion)
        result["emotion_claimed"] = float(by_emotion(given).max(axis=1).mean())
        folds = test["fold"].to_numpy()
        if len(numbers := np.unique(folds)) > 1:
            of_each = [_recall(named[folds == number], emotion[folds == number]) for number in numbers]
            result["emotion_ua"] = float(np.mean(of_each))
    return result


def named_and_true(rows: pd.DataFrame, kind: str = "class") -> tuple[np.ndarray, np.ndarray]:
    """What was named, and what is so [shape=(rows,) each], of the `class`, the `emotion` or the `gender`."""
    values, add_up, of_label = KINDS[kind]
    named = np.array(values)[add_up(probabilities(rows).astype(float)).argmax(axis=1)]
    return named, rows["truth"].map(of_label).to_numpy(dtype=str)


def _recall(named: np.ndarray, truth: np.ndarray) -> float:
    """UAR over the values that are there."""
    return float(np.mean([np.mean(named[truth == value] == value) for value in np.unique(truth)]))


def scores_of(predictions: pd.DataFrame, kind: str) -> dict[str, float]:
    """`train_accuracy`, `cv_accuracy`, `test_accuracy`, `uar` and `macro_f1` as in `scores`, of emotions or genders."""
    result = {}
    for part, rows in predictions.groupby("part"):
        named, truth = named_and_true(rows, kind)
        right = pd.Series(named == truth)
        result[f"{part}_accuracy"] = float(right.mean())
        if part == "cv":
            result["cv_accuracy"] = float(right.groupby(rows["fold"].to_numpy()).mean().mean())
        if part == "test":
            result |= {
                "uar": _recall(named, truth),
                "macro_f1": float(macro_f1_of(confusion(rows, kind)[np.newaxis])[0]),
            }
    return result


def confusion(rows: pd.DataFrame, kind: str = "class") -> np.ndarray:
    """How often clips of one class (row) were taken for another (column) [shape=(k, k), dtype=int]; k is 16 classes, 8
    emotions or 2 genders."""
    places = {value: place for place, value in enumerate(KINDS[kind][0])}
    named, truth = (pd.Series(one).map(places).to_numpy() for one in named_and_true(rows, kind))
    # As scikit-learn's confusion_matrix, in a fifth of its time: it is asked of each run that is read.
    return np.bincount(truth * len(places) + named, minlength=len(places) ** 2).reshape(len(places), len(places))


def calibration(rows: pd.DataFrame, kind: str = "class", bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """How often a model is right when it claims to be so and so sure: the reliability diagram's numbers.

    Returns
    -------
    pd.DataFrame
        One row a bin that holds clips: `low` and `high` (of the claimed probability), `clips`, `claimed` (mean) and
        `right` (share of the bin's clips).
    """
    given = KINDS[kind][1](probabilities(rows).astype(float))
    claimed = given.max(axis=1) / given.sum(axis=1)
    named, truth = named_and_true(rows, kind)
    which = np.minimum((claimed * bins).astype(int), bins - 1)
    clips = np.bincount(which, minlength=bins)
    there = np.flatnonzero(clips)
    sums = {"claimed": np.bincount(which, claimed, bins), "right": np.bincount(which, named == truth, bins)}
    table = pd.DataFrame({"low": there / bins, "high": (there + 1) / bins, "clips": clips[there]})
    return table.assign(**{name: total[there] / clips[there] for name, total in sums.items()})


def ece(bins: pd.DataFrame) -> float:
    """Expected calibration error (Guo et al. 2017): the mean gap between claimed and right, weighed by clips."""
    return float(np.average((bins["claimed"] - bins["right"]).abs(), weights=bins["clips"]))


def by_property(rows: pd.DataFrame, name: str, kind: str = "class") -> pd.DataFrame:
    """How well a model does on the clips of each actor, gender, intensity, ...

    Parameters
    ----------
    name : str
        Of `PROPERTIES`; or `class`.

    Returns
    -------
    pd.DataFrame
        One row a value: `value`, `clips`, `accuracy` with its 95 % interval `low` to `high` (Wilson 1927).
    """
    named, truth = named_and_true(rows, kind)
    values = rows["truth"].to_numpy() if name == "class" else np.array([_of_clip(clip)[name] for clip in rows["clip"]])
    table = pd.DataFrame({"value": values, "right": named == truth}).groupby("value")["right"].agg(["size", "sum"])
    ranges = [binomtest(int(right), int(clips)).proportion_ci(method="wilson") for clips, right in table.to_numpy()]
    return pd.DataFrame(
        {
            "value": table.index,
            "clips": table["size"].to_numpy(),
            "accuracy": (table["sum"] / table["size"]).to_numpy(),
            "low": [one.low for one in ranges],
            "high": [one.high for one in ranges],
        }
    )


@lru_cache(maxsize=8192)
def _of_clip(stem: str) -> dict:
    clip = corpus.parse(stem)
    return {name: getattr(clip, name) for name in PROPERTIES}


def report(rows: pd.DataFrame, kind: str = "class") -> pd.DataFrame:
    """Precision, recall, F1 and number of clips of each class that is there, and their means."""
    named, truth = named_and_true(rows, kind)
    table = classification_report(truth, named, output_dict=True, zero_division=0)
    table.pop("accuracy", None)
    return pd.DataFrame(table).T.rename(columns={"f1-score": "f1", "support": "clips"}).astype({"clips": int})


def _given(rows: pd.DataFrame) -> np.ndarray:
    return np.array(LABELS)[probabilities(rows).argmax(axis=1)]


def _hits(rows: pd.DataFrame) -> np.ndarray:
    return _given(rows) == rows["truth"].to_numpy(dtype=str)


# Scores of confusion matrices [shape=(n, 16, 16)]; a class without a clip counts for nothing.


def uar_of(matrices: np.ndarray) -> np.ndarray:
    """Unweighted average recall: the mean over classes of the share of a class's clips that are recognised."""
    clips = matrices.sum(axis=2)
    recall = np.diagonal(matrices, axis1=1, axis2=2) / np.maximum(clips, 1)
    return recall.sum(axis=1) / (clips > 0).sum(axis=1)


def macro_f1_of(matrices: np.ndarray) -> np.ndarray:
    """Mean over classes of 2 TP / (2 TP + FP + FN), as scikit-learn's `f1_score(average="macro")`."""
    found = matrices.sum(axis=2) + matrices.sum(axis=1)
    f1 = 2 * np.diagonal(matrices, axis1=1, axis2=2) / np.maximum(found, 1)
    return f1.sum(axis=1) / (found > 0).sum(axis=1)
