"""Verdicts: whether an emotion may be named at all, from predictions for the clips of held-out speakers.

`heard`: one emotion is possible. `unsure`: several are, or none. `unlike`: the clip is further from all that was
learned than the clips of new speakers are, so that its answer is a guess. Two more are not read from predictions:
`no_voice` where nobody speaks, and `untested` of a model that was never asked about speakers whom it had not heard,
or only once it had heard some clips of each, and does not know this one.
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
    UNTESTED: "not tested on unknown voices",
    TURNS: "several turns",
}
COVERED = 0.8  # of held-out clips have their true emotion among the possible ones, at least
LIKELY = 0.5  # what the possible ones have together, at least: more likely than all others
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
        """Which emotions are possible: those at the bound, and the most probable until they outweigh the others.

        One emotion alone is possible only where it is more likely than all others together: in strong noise, one with
        a third of the probability can be the only one at the bound.

        Parameters
        ----------
        emotions : np.ndarray [shape=(..., 8)]
            The probability of each.

        Returns
        -------
        np.ndarray [shape=(..., 8), dtype=bool]

        Examples
        --------
        >>> limits = Limits(probability=0.3, distance=None, right=0.8, heard=0.4, clips=1440, conditions=31)
        >>> limits.possible(np.array([0.4, 0.2, 0.2, 0.1, 0.1, 0, 0, 0])).tolist()
        [True, True, False, False, False, False, False, False]
        """
        order = np.argsort(-emotions, axis=-1, kind="stable")
        sorted_down = np.take_along_axis(emotions, order, axis=-1)
        more_probable = np.zeros_like(sorted_down)
        more_probable[..., 1:] = np.cumsum(sorted_down, axis=-1)[..., :-1]
        needed = np.empty(emotions.shape, dtype=bool)
        np.put_along_axis(needed, order, more_probable < LIKELY, axis=-1)
        return needed | (emotions >= self.probability)

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
