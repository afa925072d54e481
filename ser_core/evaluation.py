"""Scores, intervals and confusion matrices, computed from saved predictions and from nothing else."""

import joblib
import numpy as np
import pandas as pd
from sklearn.metrics import classification_report, log_loss

from ser_core.labels import EMOTION_NAMES, LABELS, by_emotion, emotion_of

RESAMPLES = 1000
RESAMPLES_A_TASK = 250
CONFIDENCE = 0.95
PROBABILITY_COLUMNS = [f"p_{label}" for label in LABELS]


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
        `cross_val_score` gives it) and, for the test part, `test_accuracy`, `uar`, `macro_f1` and `log_loss` of the 16
        classes, `emotion_accuracy` and `emotion_uar` of the eight emotions, genders added up, and `emotion_claimed`,
        the mean probability of the emotion that was named: above `emotion_accuracy`, the model is too sure.
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
        result["uar"] = float(_uar(matrix)[0])
        result["macro_f1"] = float(_macro_f1(matrix)[0])
        given = probabilities(test).astype(float)
        truth = np.searchsorted(LABELS, test["truth"])
        result["log_loss"] = float(log_loss(truth, given / given.sum(axis=1, keepdims=True), labels=range(len(LABELS))))
        emotion = _true_emotions(test)
        of_emotions = by_emotion(given)
        named = np.array(EMOTION_NAMES)[of_emotions.argmax(axis=1)]
        result["emotion_accuracy"] = float(np.mean(named == emotion))
        result["emotion_uar"] = float(np.mean([np.mean(named[emotion == name] == name) for name in np.unique(emotion)]))
        result["emotion_claimed"] = float(of_emotions.max(axis=1).mean())
    return result


def confusion(rows: pd.DataFrame) -> np.ndarray:
    """How often clips of one class (row) were taken for another (column) [shape=(16, 16), dtype=int]."""
    return np.bincount(_cells(rows), minlength=len(LABELS) ** 2).reshape(len(LABELS), len(LABELS))


def report(rows: pd.DataFrame) -> pd.DataFrame:
    """Precision, recall, F1 and number of clips of each class that is there, and their means."""
    truth, given = rows["truth"].to_numpy(dtype=str), _given(rows)
    table = classification_report(truth, given, output_dict=True, zero_division=0)
    table.pop("accuracy", None)
    return pd.DataFrame(table).T.rename(columns={"f1-score": "f1", "support": "clips"}).astype({"clips": int})


def intervals(rows: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95 % percentile bootstrap intervals of accuracy, UAR and macro F1 over clips (Efron & Tibshirani 1993, ch. 13).

    Clips are drawn with replacement. That says how far another test set of the same actors would move the number; it
    says nothing about other actors.
    """
    cells = _cells(rows)
    draws = np.random.default_rng(seed).integers(len(cells), size=(resamples, len(cells)))
    # All is drawn before it is shared out, so the numbers are the same wherever joblib works.
    blocks = np.array_split(draws, max(1, resamples // RESAMPLES_A_TASK))
    counted = joblib.Parallel()(joblib.delayed(_count_drawn)(cells, block) for block in blocks)
    matrices = np.concatenate(counted)
    return {
        name: _bounds(score(matrices))
        for name, score in (("accuracy", _accuracy), ("uar", _uar), ("macro_f1", _macro_f1))
    }


def _count_drawn(cells: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The confusion matrix of each drawing of clips [shape=(drawings, 16, 16)]."""
    size = len(LABELS) ** 2
    counted = np.bincount((cells[draws] + size * np.arange(len(draws))[:, None]).ravel(), minlength=size * len(draws))
    return counted.reshape(len(draws), len(LABELS), len(LABELS))


def unheard_interval(rows: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the accuracy of eight emotions over actors: how far another set of actors
    would move it. For protocols that hold actors out, where clips of one actor stand or fall together."""
    named = np.array(EMOTION_NAMES)[by_emotion(probabilities(rows)).argmax(axis=1)]
    hits = pd.Series(named == _true_emotions(rows))
    by_actor = hits.groupby(rows["clip"].str[-2:].to_numpy()).agg(["sum", "size"]).to_numpy()
    drawn = by_actor[np.random.default_rng(seed).integers(len(by_actor), size=(resamples, len(by_actor)))].sum(axis=1)
    return _bounds(drawn[:, 0] / drawn[:, 1])


def _bounds(resampled: np.ndarray) -> tuple[float, float]:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return float(low), float(high)


def _true_emotions(rows: pd.DataFrame) -> np.ndarray:
    return rows["truth"].map(emotion_of).to_numpy(dtype=str)


def _given(rows: pd.DataFrame) -> np.ndarray:
    return np.array(LABELS)[probabilities(rows).argmax(axis=1)]


def _hits(rows: pd.DataFrame) -> np.ndarray:
    return _given(rows) == rows["truth"].to_numpy(dtype=str)


def _cells(rows: pd.DataFrame) -> np.ndarray:
    """The confusion matrix's cell that each clip falls into, counted row by row."""
    truth = np.searchsorted(LABELS, rows["truth"].to_numpy(dtype=str))
    return truth * len(LABELS) + probabilities(rows).argmax(axis=1)


# Scores of confusion matrices [shape=(n, 16, 16)]; a class without a clip counts for nothing.


def _accuracy(matrices: np.ndarray) -> np.ndarray:
    return matrices.trace(axis1=1, axis2=2) / matrices.sum(axis=(1, 2))


def _uar(matrices: np.ndarray) -> np.ndarray:
    """Unweighted average recall: the mean over classes of the share of a class's clips that are recognised."""
    clips = matrices.sum(axis=2)
    recall = np.diagonal(matrices, axis1=1, axis2=2) / np.maximum(clips, 1)
    return recall.sum(axis=1) / (clips > 0).sum(axis=1)


def _macro_f1(matrices: np.ndarray) -> np.ndarray:
    """Mean over classes of 2 TP / (2 TP + FP + FN), as scikit-learn's `f1_score(average="macro")`."""
    found = matrices.sum(axis=2) + matrices.sum(axis=1)
    f1 = 2 * np.diagonal(matrices, axis1=1, axis2=2) / np.maximum(found, 1)
    return f1.sum(axis=1) / (found > 0).sum(axis=1)
