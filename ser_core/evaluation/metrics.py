"""Scores and confusion matrices, computed from saved predictions only."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import scipy

from ser_core.corpus.labels import (
    EMOTION_NAMES,
    GENDERS,
    LABELS,
    by_emotion,
    by_gender,
    emotion_of,
    emotions_of,
    gender_of,
)
from ser_core.errors import ModelError

PROBABILITY_COLUMNS = [f"p_{label}" for label in LABELS]  # of the 16 classes
CALIBRATION_BINS = 10
BITS = 12  # of a probability that `rounded` keeps
VERSION = "scores-1"  # Saved with scores. Raise it when `scores` changes, so that saved ones are computed again.
# What is scored -> its values, and functions that give its probabilities and its truth from those of the 16 classes.
# A run with other classes has no genders, and its classes are its emotions.
KINDS = {
    "class": (LABELS, lambda given: given, lambda label: label),
    "emotion": (EMOTION_NAMES, by_emotion, emotion_of),
    "gender": (GENDERS, by_gender, gender_of),
}
# Columns of predictions, one row per predicted clip. Scores are grouped by the columns before the probabilities.
CLIP_COLUMNS = ["clip", "corpus", "speaker", "gender"]
DISTANCE = "distance"  # a column more from models that measure how far a clip is from their training clips
ROW_COLUMNS = [*CLIP_COLUMNS, "fold", "part", "truth"]
COLUMNS = [*ROW_COLUMNS, *PROBABILITY_COLUMNS]  # where the classes are the 16
OTHER = "other"  # the part of test clips whose emotion no training clip has: predicted, but in no score


def accuracy(truth: np.ndarray, named: np.ndarray) -> float:
    """The fraction of clips whose class was predicted correctly.

    Parameters
    ----------
    truth, named : np.ndarray [shape=(n,)]
        The true and the predicted class of each clip.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> accuracy(np.array(["sad", "sad", "sad", "happy"]), np.array(["sad", "sad", "sad", "sad"]))
    0.75
    """
    return float(np.mean(truth == named))


def uar(truth: np.ndarray, named: np.ndarray) -> float:
    """Unweighted average recall (UAR): the mean recall of all classes that occur in `truth`.

    Parameters
    ----------
    truth, named : np.ndarray [shape=(n,)]
        The true and the predicted class of each clip.

    Returns
    -------
    float
        Between 0 and 1. Chance level is 1 / number of classes, also for unbalanced classes.

    References
    ----------
    Schuller et al. 2009, "The INTERSPEECH 2009 Emotion Challenge".

    Examples
    --------
    >>> uar(np.array(["sad", "sad", "sad", "happy"]), np.array(["sad", "sad", "sad", "sad"]))
    0.5
    """
    return float(np.mean([np.mean(named[truth == value] == value) for value in np.unique(truth)]))


def probability_columns(names: Sequence[str]) -> list[str]:
    """The columns of the probabilities of some classes.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    list of str
        `p_<label>` of each.
    """
    return [f"p_{name}" for name in names]


def classes(predictions: pd.DataFrame) -> tuple[str, ...]:
    """The classes of a predictions table.

    Parameters
    ----------
    predictions : pd.DataFrame
        With a column `p_<label>` for each class.

    Returns
    -------
    tuple of str
        The 16 `LABELS`, or the emotions that a model learned in their place: see `labels.classes_of`.
    """
    return tuple(name.removeprefix("p_") for name in predictions.columns if name.startswith("p_"))


def probabilities(predictions: pd.DataFrame) -> np.ndarray:
    """The class probabilities of a predictions table.

    Parameters
    ----------
    predictions : pd.DataFrame
        With the columns `p_<label>`.

    Returns
    -------
    np.ndarray [shape=(rows, classes)]
        Columns in the order of `classes`.
    """
    return predictions[probability_columns(classes(predictions))].to_numpy()


def emotion_probabilities(predictions: pd.DataFrame) -> np.ndarray:
    """The probabilities of emotions in a predictions table: those of classes, summed over genders.

    Parameters
    ----------
    predictions : pd.DataFrame
        With the columns `p_<label>`.

    Returns
    -------
    np.ndarray [shape=(rows, emotions)]
        Columns in the order of `values_of(predictions, "emotion")`.
    """
    return by_emotion(probabilities(predictions), classes(predictions))


def values_of(predictions: pd.DataFrame, kind: str) -> tuple[str, ...]:
    """The values of what is scored, in the order of a confusion matrix.

    Parameters
    ----------
    predictions : pd.DataFrame
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    tuple of str
    """
    return names_of(classes(predictions), kind)


def names_of(names: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """The values of what is scored of some classes: see `values_of`.

    Parameters
    ----------
    names : tuple of str
        As `classes` gives them.
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    tuple of str
    """
    return KINDS[kind][0] if names == LABELS else names


def rounded(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions with 12 bits of each probability, which files keep in a quarter less.

    For runs of which there are a hundred. Scores change by about a millionth.

    Parameters
    ----------
    predictions : pd.DataFrame
        With the columns `p_<label>`.

    Returns
    -------
    pd.DataFrame

    Examples
    --------
    >>> of_two = pd.DataFrame({name: [1 / 3] for name in PROBABILITY_COLUMNS})
    >>> float(rounded(of_two)["p_sad_female"].iloc[0])
    0.3333740234375
    """
    parts, exponents = np.frexp(probabilities(predictions))
    kept = np.ldexp(np.round(parts * 2**BITS) / 2**BITS, exponents).astype(np.float32)
    return predictions.assign(**dict(zip(probability_columns(classes(predictions)), kept.T, strict=True)))


def scores(predictions: pd.DataFrame) -> dict[str, float]:
    """The scores of a run.

    Parameters
    ----------
    predictions : pd.DataFrame
        With the columns `fold`, `part`, `truth` and `p_<label>` (see `COLUMNS`).

    Returns
    -------
    dict
        `train_accuracy` and `cv_accuracy` (the mean over folds, as scikit-learn's `cross_val_score`), each if the
        predictions have that part. For the test part: `test_accuracy`, `uar`, `macro_f1`, `log_loss`, `top2_accuracy`
        and `ece` of the 16 classes; `emotion_accuracy` and `emotion_uar` of the eight emotions, whose probabilities
        are summed over genders; `emotion_claimed`, the mean probability of the predicted emotion (the model is
        overconfident if it is above `emotion_accuracy`); and with several test folds `emotion_ua`, the mean of their
        UARs, as EmoBox reports it. Where the test clips have fewer than eight emotions, also `shared_emotion_accuracy`
        and `shared_emotion_uar`: the answer is taken among the emotions of the test clips alone. Where the genders of
        test clips are not known, the scores of classes are left out.

    Examples
    --------
    Four test clips, of which a model predicts three correctly:

    >>> truth = ["angry_male", "sad_male", "happy_female", "happy_female"]
    >>> predicted = ["angry_male", "sad_male", "happy_female", "sad_female"]
    >>> table = pd.DataFrame({"fold": 0, "part": "test", "truth": truth})
    >>> for label in LABELS:
    ...     table[f"p_{label}"] = [0.85 if label == one else 0.01 for one in predicted]
    >>> made = scores(table)
    >>> made["test_accuracy"], round(made["uar"], 3), round(made["emotion_uar"], 3)
    (0.75, 0.833, 0.833)
    """
    test = predictions[predictions["part"] == "test"]
    of_classes = scores_of(predictions, "class") if "class" in kinds(test) else {}
    return of_classes | (_test_scores(test) if len(test) else {})


def _test_scores(test: pd.DataFrame) -> dict[str, float]:
    given = probabilities(test).astype(float)
    named_emotion, emotion = named_and_true(test, "emotion")
    several = test["fold"].nunique() > 1
    return {
        **(_class_scores(test, given) if "class" in kinds(test) else {}),
        "emotion_accuracy": accuracy(emotion, named_emotion),
        "emotion_uar": uar(emotion, named_emotion),
        "emotion_claimed": float(claimed(test, "emotion").mean()),
        **({"emotion_ua": _mean_over_folds(uar, test, emotion, named_emotion)} if several else {}),
        **(_shared_scores(test) if set(emotion) < set(emotions_of(classes(test))) else {}),
    }


def _class_scores(test: pd.DataFrame, given: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import log_loss, top_k_accuracy_score

    names = classes(test)
    places = np.searchsorted(names, test["truth"].to_numpy(dtype=str))
    top_2 = float(top_k_accuracy_score(places, given, k=2, labels=range(len(names)))) if len(names) > 2 else 1.0
    return {
        "log_loss": float(log_loss(places, given / given.sum(axis=1, keepdims=True), labels=range(len(names)))),
        "top2_accuracy": top_2,
        "ece": ece(calibration(test)),
    }


def _shared_scores(test: pd.DataFrame) -> dict[str, float]:
    named, emotion = named_among_shared(test)
    return {"shared_emotion_accuracy": accuracy(emotion, named), "shared_emotion_uar": uar(emotion, named)}


def _mean_over_folds(score, rows: pd.DataFrame, truth: np.ndarray, named: np.ndarray) -> float:
    folds = rows["fold"].to_numpy()
    return float(np.mean([score(truth[folds == number], named[folds == number]) for number in np.unique(folds)]))


def kinds(rows: pd.DataFrame) -> tuple[str, ...]:
    """What of these predictions can be scored.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.

    Returns
    -------
    tuple of str
        The keys of `KINDS`; only "emotion" where the gender of a clip is not known, and no "gender" where a model's
        classes are emotions.
    """
    names = classes(rows)
    if not set(rows["truth"].unique()) <= set(names):
        return ("emotion",)
    return tuple(KINDS) if names == LABELS else ("class", "emotion")


def named_and_true(rows: pd.DataFrame, kind: str = "class") -> tuple[np.ndarray, np.ndarray]:
    """The predicted and the true value of each clip.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    kind : {"class", "emotion", "gender"}
        For emotions, probabilities are summed over genders; for genders, over emotions.

    Returns
    -------
    named, truth : np.ndarray [shape=(rows,), dtype=str]

    Raises
    ------
    ModelError
        If `kinds` of the predictions lacks that kind.
    """
    if kind not in kinds(rows):
        raise ModelError(
            f"The gender of some of these clips is not known, so no {kind} can be scored. Score "
            "emotions: --kind emotion"
        )
    named = np.array(values_of(rows, kind))[_given(rows, kind).argmax(axis=1)]
    return named, _truth(rows, KINDS[kind][2])


def _truth(rows: pd.DataFrame, of_label: Callable[[str], str]) -> np.ndarray:
    """What the true label of each clip is reduced to, asked once a label."""
    places, labels = pd.factorize(rows["truth"])
    return np.array([of_label(label) for label in labels], dtype=str)[places]


def _given(rows: pd.DataFrame, kind: str) -> np.ndarray:
    """The probability of each of `values_of`."""
    given = probabilities(rows).astype(float)
    return KINDS[kind][1](given) if classes(rows) == LABELS else given


def named_among_shared(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The most probable of the emotions that occur in `truth`, and the true emotion, of each clip.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.

    Returns
    -------
    named, truth : np.ndarray [shape=(rows,), dtype=str]
    """
    truth = _truth(rows, emotion_of)
    emotions = np.array(values_of(rows, "emotion"))
    shared = np.isin(emotions, truth)
    return emotions[shared][_given(rows, "emotion")[:, shared].argmax(axis=1)], truth


def scores_of(predictions: pd.DataFrame, kind: str) -> dict[str, float]:
    """The scores of classes, emotions or genders.

    Parameters
    ----------
    predictions : pd.DataFrame
        As for `scores`.
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    dict
        `train_accuracy`, `cv_accuracy`, `test_accuracy`, and `uar` and `macro_f1` of the test part, as in `scores`.
    """
    result = {}
    for part, rows in predictions[predictions["part"] != OTHER].groupby("part"):
        named, truth = named_and_true(rows, kind)
        if part == "cv":
            result["cv_accuracy"] = _mean_over_folds(accuracy, rows, truth, named)
        else:
            result[f"{part}_accuracy"] = accuracy(truth, named)
        if part == "test":
            macro_f1 = float(macro_f1_of(confusion(rows, kind)[np.newaxis])[0])
            result |= {"uar": uar(truth, named), "macro_f1": macro_f1}
    return result


def confusion(rows: pd.DataFrame, kind: str = "class") -> np.ndarray:
    """The confusion matrix: true classes in rows, predicted classes in columns.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    np.ndarray [shape=(k, k), dtype=int]
        Numbers of clips, in the order of `values_of`; of the 16 classes, k is 16, of emotions 8, of genders 2.
    """
    places = {value: place for place, value in enumerate(values_of(rows, kind))}
    named, truth = (pd.Series(one).map(places).to_numpy() for one in named_and_true(rows, kind))
    # Equal to scikit-learn's confusion_matrix and five times as fast, which matters since every scoring needs it.
    return np.bincount(truth * len(places) + named, minlength=len(places) ** 2).reshape(len(places), len(places))


def claimed(rows: pd.DataFrame, kind: str = "class") -> np.ndarray:
    """The probability of what is named for each clip; those of a clip add up to 1 as far as files keep them.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    np.ndarray [shape=(rows,)]
    """
    return _given(rows, kind).max(axis=1)


def calibration(rows: pd.DataFrame, kind: str = "class", bins: int = CALIBRATION_BINS) -> pd.DataFrame:
    """Accuracy at each level of confidence: the numbers of a reliability diagram.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    kind : {"class", "emotion", "gender"}
    bins : int
        Number of bins of equal width between 0 and 1.

    Returns
    -------
    pd.DataFrame
        One row per bin that contains clips: `low` and `high` (of the predicted probability), `clips`, `claimed` (mean
        predicted probability) and `right` (fraction of the bin's clips that are correct).
    """
    claims = claimed(rows, kind)
    named, truth = named_and_true(rows, kind)
    which = np.minimum((claims * bins).astype(int), bins - 1)
    clips = np.bincount(which, minlength=bins)
    there = np.flatnonzero(clips)
    sums = {"claimed": np.bincount(which, claims, bins), "right": np.bincount(which, named == truth, bins)}
    table = pd.DataFrame({"low": there / bins, "high": (there + 1) / bins, "clips": clips[there]})
    return table.assign(**{name: total[there] / clips[there] for name, total in sums.items()})


def ece(bins: pd.DataFrame) -> float:
    """Expected calibration error: the mean gap between confidence and accuracy, weighted by clips.

    Parameters
    ----------
    bins : pd.DataFrame
        As returned by `calibration`.

    Returns
    -------
    float
        Between 0 and 1.

    References
    ----------
    Guo et al. 2017, "On calibration of modern neural networks".
    """
    return float(np.average((bins["claimed"] - bins["right"]).abs(), weights=bins["clips"]))


def by_property(
    rows: pd.DataFrame, name: str, kind: str = "class", *, clips: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The accuracy for each value of a property, such as speaker, gender or intensity.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    name : str
        `class`, `emotion`, a column of the predictions such as `speaker` or `gender`, or a column of `clips`.
    kind : {"class", "emotion", "gender"}
        What is predicted.
    clips : pd.DataFrame, optional
        The index of these clips, for properties that only some corpora have, e.g. `intensity`.

    Returns
    -------
    pd.DataFrame
        One row per value: `value`, `clips`, `accuracy`, and its 95% Wilson score interval `low` to `high`.

    Raises
    ------
    ValueError
        If neither table has such a column.

    References
    ----------
    Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    named, truth = named_and_true(rows, kind)
    values = property_of(rows, name, clips)
    table = pd.DataFrame({"value": values, "right": named == truth}).groupby("value")["right"].agg(["size", "sum"])
    ranges = [
        scipy.stats.binomtest(int(right), int(clips)).proportion_ci(method="wilson")
        for clips, right in table.to_numpy()
    ]
    return pd.DataFrame(
        {
            "value": table.index,
            "clips": table["size"].to_numpy(),
            "accuracy": (table["sum"] / table["size"]).to_numpy(),
            "low": [one.low for one in ranges],
            "high": [one.high for one in ranges],
        }
    )


def property_of(rows: pd.DataFrame, name: str, clips: pd.DataFrame | None = None) -> np.ndarray:
    """A property of each predicted clip.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    name : str
        `class`, `emotion`, a column of the predictions, or a column of `clips`.
    clips : pd.DataFrame, optional
        The index of these clips.

    Returns
    -------
    np.ndarray [shape=(rows,)]

    Raises
    ------
    ValueError
        If neither table has such a column.
    """
    if name in ("class", "emotion"):
        return rows["truth"].map(KINDS[name][2]).to_numpy()
    if name in rows:
        return rows[name].to_numpy()
    if clips is not None and name in clips:
        return rows["clip"].map(clips.set_index("stem")[name]).to_numpy()
    raise ValueError(f"Neither the predictions nor the clips' table has a column {name!r}")


def report(rows: pd.DataFrame, kind: str = "class") -> pd.DataFrame:
    """Precision, recall, F1 and number of clips of each class that occurs, and their averages.

    Parameters
    ----------
    rows : pd.DataFrame
        Predictions.
    kind : {"class", "emotion", "gender"}

    Returns
    -------
    pd.DataFrame
        One row per class, then `macro avg` and `weighted avg`: `precision`, `recall`, `f1`, `clips`.
    """
    from sklearn.metrics import classification_report

    named, truth = named_and_true(rows, kind)
    table = classification_report(truth, named, output_dict=True, zero_division=0)
    table.pop("accuracy", None)
    return pd.DataFrame(table).T.rename(columns={"f1-score": "f1", "support": "clips"}).astype({"clips": int})


# Scores of many confusion matrices at once, for the bootstrap. Classes without clips are left out of the means.


def uar_of(matrices: np.ndarray) -> np.ndarray:
    """Unweighted average recall of each confusion matrix.

    Parameters
    ----------
    matrices : np.ndarray [shape=(n, k, k)]
        Numbers of clips, as returned by `confusion`.

    Returns
    -------
    np.ndarray [shape=(n,)]
    """
    clips = matrices.sum(axis=2)
    recall = np.diagonal(matrices, axis1=1, axis2=2) / np.maximum(clips, 1)
    return recall.sum(axis=1) / (clips > 0).sum(axis=1)


def macro_f1_of(matrices: np.ndarray) -> np.ndarray:
    """Macro F1 of each confusion matrix, as scikit-learn's `f1_score(average="macro")`.

    It is the mean over classes of 2 TP / (2 TP + FP + FN).

    Parameters
    ----------
    matrices : np.ndarray [shape=(n, k, k)]
        Numbers of clips, as returned by `confusion`.

    Returns
    -------
    np.ndarray [shape=(n,)]
    """
    found = matrices.sum(axis=2) + matrices.sum(axis=1)
    f1 = 2 * np.diagonal(matrices, axis1=1, axis2=2) / np.maximum(found, 1)
    return f1.sum(axis=1) / (found > 0).sum(axis=1)
