"""What the answers of a class say: agreement between people, and which clips divide them.

Scores and confusion matrices of people and models are in `listening.scores`.
"""

import math
from dataclasses import dataclass

import krippendorff
import numpy as np
import pandas as pd
from scipy.stats import entropy

from ser_core.listening import scores
from ser_core.listening.rounds import Round
from ser_core.listening.scores import Score


@dataclass(frozen=True)
class Heard:
    """What a class and a model heard in the same clips.

    Parameters
    ----------
    answers, model : pd.DataFrame
        As `scores.marked` returns them. The model's are those to clips that somebody in the class answered.
    people, machine : Score
        Theirs. The interval of several people is over listeners, the model's over clips.
    votes : pd.DataFrame [index=clip, columns=emotions, dtype=int]
        How many gave each answer.
    clips : pd.DataFrame
        As `divided` returns it, with the columns `truth` and `model` (its answer) more.
    alpha : float
        The `agreement` between people.
    """

    answers: pd.DataFrame
    model: pd.DataFrame
    people: Score
    machine: Score
    votes: pd.DataFrame
    clips: pd.DataFrame
    alpha: float

    @property
    def each(self) -> pd.Series:
        """The accuracy of each listener."""
        return self.answers.groupby("listener")["right"].mean()

    def own(self, listener: int) -> Score | None:
        """The score of one listener.

        Parameters
        ----------
        listener : int

        Returns
        -------
        Score or None
            None if they have not answered.
        """
        rows = self.answers[self.answers["listener"] == listener]
        return scores.score(rows) if len(rows) else None


def heard(drawn: Round, answers: pd.DataFrame) -> Heard:
    """Score a class and a model on the same clips.

    Parameters
    ----------
    drawn : Round
        Whose clips were answered.
    answers : pd.DataFrame
        As `listening.scores` takes them; at least one.

    Returns
    -------
    Heard

    Raises
    ------
    ListeningError
        If there is no answer, or one that does not fit the round.
    """
    truth = drawn.truth[drawn.truth["clip"].isin(answers["clip"])]
    marked = scores.marked(answers, truth)
    model = scores.marked(drawn.model[drawn.model["clip"].isin(truth["clip"])], truth)
    votes = scores.votes(marked, drawn.emotions)
    clips = divided(votes)
    emotions, says = truth.set_index("clip")["emotion"], model.set_index("clip")["answer"]
    clips = clips.assign(truth=clips["clip"].map(emotions), model=clips["clip"].map(says))
    return Heard(marked, model, scores.score(marked), scores.score(model), votes, clips, agreement(votes))


def agreement(votes: pd.DataFrame) -> float:
    """Krippendorff's alpha of answers without an order.

    Parameters
    ----------
    votes : pd.DataFrame [index=clip, columns=emotions, dtype=int]
        How many listeners gave each answer, as `listening.scores.votes` has them. Clips that fewer than two listeners
        answered do not count.

    Returns
    -------
    float
        1 if all agree on every clip, 0 if they agree as often as by chance, below if less; NaN where no clip has two
        answers, or all answers to all clips are the same, which tells agreement from habit no more.

    References
    ----------
    Krippendorff 2019, "Content Analysis", chapter 12. Computed by Castro 2017, "Fast Krippendorff".

    Examples
    --------
    >>> agreement(pd.DataFrame({"sad": [3, 0, 1], "angry": [0, 3, 2]}))
    0.6
    """
    counted = votes.to_numpy()[votes.sum(axis=1).to_numpy() > 1]
    if (counted.sum(axis=0) > 0).sum() < 2:
        return math.nan
    return float(krippendorff.alpha(value_counts=counted, level_of_measurement="nominal"))


def divided(votes: pd.DataFrame) -> pd.DataFrame:
    """How far each clip divides its listeners.

    Parameters
    ----------
    votes : pd.DataFrame [index=clip, columns=emotions, dtype=int]
        As `agreement` takes them.

    Returns
    -------
    pd.DataFrame
        One row a clip, the one that divides most first: `clip`, `listeners`, `most` (the commonest answer, the first of
        several), `share` (of listeners who gave it), and `entropy` of the answers in bits: 0 if all are the same, 1 if
        two are as common, 3 if eight are.

    References
    ----------
    Shannon 1948, "A Mathematical Theory of Communication".

    Examples
    --------
    >>> votes = pd.DataFrame({"sad": [3, 1], "angry": [0, 1]}, index=pd.Index([1, 2], name="clip"))
    >>> divided(votes)[["clip", "most", "entropy"]].to_numpy().tolist()
    [[2, 'sad', 1.0], [1, 'sad', 0.0]]
    """
    listeners = votes.sum(axis=1)
    votes = votes[listeners > 0]
    counts = votes.to_numpy()
    table = pd.DataFrame(
        {
            "clip": votes.index.to_numpy(),
            "listeners": counts.sum(axis=1),
            "most": votes.columns.to_numpy()[counts.argmax(axis=1)] if len(votes) else [],
            "share": counts.max(axis=1, initial=0) / counts.sum(axis=1),
            "entropy": np.abs(entropy(counts, base=2, axis=1)) if len(votes) else [],
        }
    )
    return table.sort_values(["entropy", "clip"], ascending=[False, True], ignore_index=True)


def with_truth(answers: pd.DataFrame, drawn: dict[int, Round]) -> pd.DataFrame:
    """The answers of a class for a spreadsheet, beside what the clips are and what the model says.

    Parameters
    ----------
    answers : pd.DataFrame
        As `rules.Store.answers` gives them.
    drawn : dict of int to Round
        The class's rounds by their numbers.

    Returns
    -------
    pd.DataFrame
        One row an answer: `nickname`, `round`, `address` (what draws the round again), `clip`, `answer`, `sure`,
        `truth`, `model` (its answer), and `time` (UTC).
    """
    known = [
        one.truth[["clip", "emotion"]].assign(round=number, address=one.address, model=one.model["answer"])
        for number, one in drawn.items()
    ]
    columns = ["clip", "emotion", "round", "address", "model"]
    of_clips = pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=columns)
    table = answers.merge(of_clips.rename(columns={"emotion": "truth"}), on=["round", "clip"], how="left")
    table["time"] = pd.to_datetime(table["time"].round(), unit="s", utc=True).dt.strftime("%Y-%m-%d %H:%M:%S")
    return table[["nickname", "round", "address", "clip", "answer", "sure", "truth", "model", "time"]]
