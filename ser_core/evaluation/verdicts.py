"""Verdicts: whether an emotion may be named at all, from predictions for the clips of held-out speakers.

`heard`: one emotion is possible. `unsure`: several are, or none. `unlike`: the clip is further from all that was
learned than the clips of new speakers are, so that its answer is a guess. Two more are not read from predictions:
`no_voice` where nobody speaks, and `untested` of a model that was never asked about speakers whom it had not heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ser_core.evaluation.metrics import DISTANCE, emotion_probabilities, named_and_true, values_of

HEARD, UNSURE, UNLIKE = VERDICTS = ("heard", "unsure", "unlike")
NO_VOICE, UNTESTED = "no_voice", "untested"
TURNS = "turns"  # of a recording in which each turn has a verdict of its own
IN_WORDS = {
    HEARD: "heard",
    UNSURE: "not sure",
    UNLIKE: "unlike all it has heard",
    NO_VOICE: "no voice",
    UNTESTED: "never tested on new voices",
    TURNS: "several turns",
}
COVERED = 0.8  # of held-out clips have their true emotion among the possible ones
NEAR = 0.95  # of held-out clips, as recorded, count as near to what was learned
TOGETHER = 3  # so many emotions at most are named together


@dataclass(frozen=True)
class Limits:
    """What an answer of a model must pass to be said.

    Parameters
    ----------
    probability : float
        Emotions that are at least so probable are possible: a split conformal set [1]_.
    distance : float, optional
        Clips that are further away are unlike all that was learned; None of a model that measures no distances.
    right : float
        Share of answers `heard` for held-out clips that were right.
    heard : float
        Share of held-out clips that had such an answer.
    clips, conditions : int
        How many clips that was, and in how many recording conditions each was heard.

    References
    ----------
    .. [1] Sadinle, Lei & Wasserman 2019, "Least ambiguous set-valued classifiers with bounded error levels".
    """

    probability: float
    distance: float | None
    right: float
    heard: float
    clips: int
    conditions: int

    def possible(self, emotions: np.ndarray) -> np.ndarray:
        """Which emotions are possible.

        Parameters
        ----------
        emotions : np.ndarray [shape=(..., 8)]
            The probability of each.

        Returns
        -------
        np.ndarray [shape=(..., 8), dtype=bool]
        """
        return emotions >= self.probability

    def verdicts(self, emotions: np.ndarray, distances: np.ndarray | None = None) -> np.ndarray:
        """The verdict on each clip.

        Parameters
        ----------
        emotions : np.ndarray [shape=(n, 8)]
            The probability of each.
        distances : np.ndarray [shape=(n,)], optional

        Returns
        -------
        np.ndarray [shape=(n,), dtype=str]
            Of `VERDICTS`.

        Examples
        --------
        >>> limits = Limits(probability=0.3, distance=1.0, right=0.8, heard=0.4, clips=1440, conditions=31)
        >>> sure, torn = [0.9, 0.1, 0, 0, 0, 0, 0, 0], [0.5, 0.4, 0.1, 0, 0, 0, 0, 0]
        >>> limits.verdicts(np.array([sure, torn, sure]), np.array([0.8, 0.8, 1.2])).tolist()
        ['heard', 'unsure', 'unlike']
        """
        result = np.where(self.possible(emotions).sum(axis=-1) == 1, HEARD, UNSURE)
        if self.distance is None or distances is None:
            return result
        return np.where(distances > self.distance, UNLIKE, result)


def of_predictions(predictions: pd.DataFrame, limits: Limits) -> np.ndarray:
    """The verdict on each saved prediction.

    Parameters
    ----------
    predictions : pd.DataFrame
    limits : Limits

    Returns
    -------
    np.ndarray [shape=(n,), dtype=str]
    """
    distances = predictions[DISTANCE].to_numpy() if DISTANCE in predictions else None
    return limits.verdicts(emotion_probabilities(predictions), distances)


def limits(as_recorded: pd.DataFrame, otherwise: Sequence[pd.DataFrame] = ()) -> Limits:
    """The limits of a model, from its predictions for clips of speakers that it has not learned from.

    Parameters
    ----------
    as_recorded : pd.DataFrame
        Predictions for clips as recorded. They alone decide on the distance.
    otherwise : sequence of pd.DataFrame
        Those for the same clips in recording conditions.

    Returns
    -------
    Limits

    Examples
    --------
    >>> from ser_core.results import runs
    >>> from ser_core.settings import Settings
    >>> found = runs.list_all([Settings.from_environment().artifacts])
    >>> run = runs.find(found, model="krr", preset="functionals", protocol="emobox")
    >>> limits(run.part("test")).clips
    1440
    """
    pooled = pd.concat([as_recorded, *otherwise], ignore_index=True)
    named, truth = named_and_true(pooled, "emotion")
    emotions, names = emotion_probabilities(pooled), values_of(pooled, "emotion")
    of_truth = emotions[np.arange(len(pooled)), [names.index(emotion) for emotion in truth]]
    # The highest bound that `COVERED` of the clips pass, one clip more being counted: theirs, who asks next.
    missed = int(round((len(of_truth) + 1) * (1 - COVERED), 6))  # 10 * (1 - 0.8) is a little less than 2
    probability = float(np.sort(of_truth)[max(missed - 1, 0)])
    distance = float(as_recorded[DISTANCE].quantile(NEAR)) if DISTANCE in as_recorded else None
    found = Limits(probability, distance, 0.0, 0.0, len(as_recorded), 1 + len(otherwise))
    heard = of_predictions(pooled, found) == HEARD
    right = float((named == truth)[heard].mean()) if heard.any() else 0.0
    return Limits(probability, distance, right, float(heard.mean()), len(as_recorded), 1 + len(otherwise))
