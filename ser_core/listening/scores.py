"""Scores of a listening test: people's answers and a model's, by the same functions.

Answers are a table with one row per listener and clip: `listener`, `clip` (its number in the round), `answer` (an
emotion) and `sure` (0 to 1: in how many of such cases the listener expects to be right). What the clips are is joined
at scoring only.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from ser_core.errors import ListeningError
from ser_core.evaluation import accuracy, mean_interval

COLUMNS = ("listener", "clip", "answer", "sure")
# How sure a listener may say to be: the middles of five equal parts of 0 to 1.
SURE: dict[float, str] = {0.1: "Guessing", 0.3: "Unsure", 0.5: "Half sure", 0.7: "Quite sure", 0.9: "Certain"}


@dataclass(frozen=True)
class Score:
    """How many answers are right.

    Parameters
    ----------
    right, answers, listeners : int
    accuracy : float
    low, high : float
        The 95% interval of the accuracy.
    """

    right: int
    answers: int
    listeners: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Sureness:
    """Whether listeners are right as often as they expect.

    Parameters
    ----------
    claimed : float
        The mean of `sure`.
    right : float
        The accuracy.
    levels : pd.DataFrame
        One row per fifth of `sure` that occurs: `low` and `high` (its bounds), `clips` (number of answers), `claimed`,
        `right`, and the 95% interval of that, `right_low` to `right_high`.
    """

    claimed: float
    right: float
    levels: pd.DataFrame

    @property
    def gap(self) -> float:
        """Claimed minus right: above 0 is too sure."""
        return self.claimed - self.right


def marked(answers: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Join answers with what the clips are.

    Parameters
    ----------
    answers : pd.DataFrame
        With `COLUMNS`; further columns are kept.
    truth : pd.DataFrame
        With `clip` and `emotion`, one row per clip: see `rounds.Round.truth`.

    Returns
    -------
    pd.DataFrame
        The answers, in their order, with the columns `truth` (an emotion) and `right` (bool) more.

    Raises
    ------
    ListeningError
        If a column is missing, a listener has answered a clip twice, a clip is not of the round, an answer is empty, or
        `sure` is not between 0 and 1.

    Examples
    --------
    >>> truth = pd.DataFrame({"clip": [1, 2], "emotion": ["sad", "angry"]})
    >>> answers = pd.DataFrame({"listener": "me", "clip": [1, 2], "answer": ["sad", "happy"], "sure": [0.9, 0.3]})
    >>> marked(answers, truth)["right"].tolist()
    [True, False]
    """
    if lacking := [name for name in COLUMNS if name not in answers]:
        raise ListeningError(f"The answers lack the column {lacking[0]!r}. They need {', '.join(COLUMNS)}")
    twice = answers[answers.duplicated(["listener", "clip"])]
    if len(twice):
        listener, clip = twice[["listener", "clip"]].iloc[0]
        raise ListeningError(f"{listener!r} has answered clip {clip} twice. Keep one of the answers")
    unknown = answers.loc[~answers["clip"].isin(truth["clip"]), "clip"]
    if len(unknown):
        raise ListeningError(f"There is no clip {unknown.iloc[0]} in this round. Score the answers of its clips alone")
    if (empty := answers["answer"].isna() | (answers["answer"] == "")).any():
        raise ListeningError(f"The answer to clip {answers.loc[empty, 'clip'].iloc[0]} is empty. Leave its row out")
    sure = pd.to_numeric(answers["sure"], errors="coerce")
    if not (known := sure.between(0, 1)).all():
        raise ListeningError(f"sure is {answers.loc[~known, 'sure'].iloc[0]!r}, but can only be a number from 0 to 1")
    emotions = answers["clip"].map(truth.set_index("clip")["emotion"])
    return answers.assign(sure=sure.astype(float), truth=emotions, right=answers["answer"] == emotions)


def score(rows: pd.DataFrame) -> Score:
    """How many answers are right, with a 95% interval.

    Parameters
    ----------
    rows : pd.DataFrame
        As `marked` returns them.

    Returns
    -------
    Score
        The interval of one listener is Wilson's, over clips. That of several is a percentile bootstrap over listeners:
        how much it would vary with other people, on the same clips.

    Raises
    ------
    ListeningError
        If there is no answer.

    References
    ----------
    Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if rows.empty:
        raise ListeningError("There is no answer yet, so nothing to score")
    share = accuracy(rows["truth"].to_numpy(), rows["answer"].to_numpy())
    return Score(int(rows["right"].sum()), len(rows), rows["listener"].nunique(), share, *_interval(rows))


def confusion(rows: pd.DataFrame, emotions: tuple[str, ...]) -> np.ndarray:
    """The confusion matrix: true emotions in rows, answers in columns.

    Parameters
    ----------
    rows : pd.DataFrame
        As `marked` returns them.
    emotions : tuple of str
        The order: see `rounds.Round.emotions`.

    Returns
    -------
    np.ndarray [shape=(k, k), dtype=int]
        Numbers of answers; those that are none of the emotions are not counted.
    """
    if not rows["truth"].isin(emotions).any():  # which scikit-learn does not take
        return np.zeros((len(emotions), len(emotions)), dtype=int)
    return confusion_matrix(rows["truth"], rows["answer"], labels=list(emotions))


def by_emotion(rows: pd.DataFrame, emotions: tuple[str, ...]) -> pd.DataFrame:
    """How well each emotion is heard.

    Parameters
    ----------
    rows : pd.DataFrame
        As `marked` returns them.
    emotions : tuple of str
        The order: see `rounds.Round.emotions`.

    Returns
    -------
    pd.DataFrame
        One row per emotion that occurs: `emotion`, `answers`, `right` (number), `accuracy` and its 95% interval `low`
        to `high`, as `score` gives it.
    """
    table = []
    for emotion in emotions:
        of_it = rows[rows["truth"] == emotion]
        if len(of_it):
            found = score(of_it)
            table.append((emotion, found.answers, found.right, found.accuracy, found.low, found.high))
    return pd.DataFrame(table, columns=["emotion", "answers", "right", "accuracy", "low", "high"])


def sureness(rows: pd.DataFrame) -> Sureness:
    """Whether listeners are right as often as they expect.

    Parameters
    ----------
    rows : pd.DataFrame
        As `marked` returns them.

    Returns
    -------
    Sureness

    Raises
    ------
    ListeningError
        If there is no answer.
    """
    if rows.empty:
        raise ListeningError("There is no answer yet, so nothing to score")
    parts = len(SURE)
    level = np.minimum((rows["sure"].to_numpy() * parts).astype(int), parts - 1)
    table = []
    for number in np.unique(level):
        of_it = rows[level == number]
        claimed, right = of_it["sure"].mean(), of_it["right"].mean()
        table.append((number / parts, (number + 1) / parts, len(of_it), claimed, right, *_interval(of_it)))
    columns = ["low", "high", "clips", "claimed", "right", "right_low", "right_high"]
    levels = pd.DataFrame(table, columns=columns)
    return Sureness(float(rows["sure"].mean()), float(rows["right"].mean()), levels)


def votes(rows: pd.DataFrame, emotions: tuple[str, ...]) -> pd.DataFrame:
    """How many listeners gave each answer to each clip: the table from which agreement is computed.

    Parameters
    ----------
    rows : pd.DataFrame
        Answers; `marked` or not.
    emotions : tuple of str
        The columns: see `rounds.Round.emotions`.

    Returns
    -------
    pd.DataFrame [index=clip, columns=emotions, dtype=int]
        One row per clip that was answered.
    """
    return pd.crosstab(rows["clip"], rows["answer"]).reindex(columns=list(emotions), fill_value=0)


def _interval(rows: pd.DataFrame) -> tuple[float, float]:
    """The 95% interval of the share of right answers, over clips for one listener and otherwise over listeners."""
    if rows["listener"].nunique() == 1:
        found = binomtest(int(rows["right"].sum()), len(rows)).proportion_ci(method="wilson")
        return float(found.low), float(found.high)
    return mean_interval(rows["right"].to_numpy(), rows["listener"].to_numpy())
