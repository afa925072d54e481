"""Who is trained on and who is tested on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from ser_core.corpus import official_clips
from ser_core.errors import ProtocolError

STUDY_SEED = 9
STUDY_TEST_SHARE = 0.2
CV_FOLDS = 5
MIN_CLASS_CLIPS = 7  # so that every fold still fits on five, on which probabilities are calibrated

EMOBOX_ACTORS = (
    (1, 11, 20, 21),
    (4, 10, 12, 14),
    (8, 9, 19, 23),
    (3, 5, 7, 24),
    (2, 15, 16, 18),
    (6, 13, 17, 22),
)


@dataclass(frozen=True)
class Fold:
    """Rows of an index to fit on and rows to predict.

    `part` says what the predictions count as: `cv` is a fold inside the training part, `test` the held-out clips.
    """

    number: int
    part: str  # "cv" or "test"
    train: np.ndarray  # row numbers
    held_out: np.ndarray  # row numbers


@dataclass(frozen=True)
class Protocol:
    """A named way to divide a corpus."""

    name: str
    title: str
    folds: Callable[[pd.DataFrame], list[Fold]]
    holds_actors_out: bool = False  # nobody is heard in training and in the test


def get(name: str) -> Protocol:
    """The protocol of that name.

    Raises
    ------
    ProtocolError
        If there is none.
    """
    if name not in PROTOCOLS:
        raise ProtocolError(f"There is no protocol {name!r}; there is {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def _study_folds(index: pd.DataFrame) -> list[Fold]:
    """The study's split: 80 % to train on, 20 % to test on, at random and not stratified, so actors are on both sides;
    within the training part the five folds of scikit-learn's `cross_val_score(cv=5)`."""
    train, test = _study_split(index)
    return [*_cv_folds(index, train, CV_FOLDS), Fold(0, "test", train, test)]


def _study_split(index: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    labels = index["label"].to_numpy(dtype=object)
    if len(index) < 2 * CV_FOLDS:
        raise ProtocolError(f"The study's split needs more than {len(index)} clips: at least {2 * CV_FOLDS}")
    train, test = train_test_split(np.arange(len(index)), test_size=STUDY_TEST_SHARE, random_state=STUDY_SEED)
    counts = pd.Series(labels[train]).value_counts()
    if counts.min() < MIN_CLASS_CLIPS:
        raise ProtocolError(
            f"The study's split needs at least {MIN_CLASS_CLIPS} training clips of every class that is there, "
            f"but {counts.idxmin()} has {counts.min()}. Add clips of it, or leave the class out"
        )
    unseen = sorted(set(labels[test]) - set(labels[train]))
    if unseen:
        raise ProtocolError(f"All clips of {', '.join(unseen)} fell into the test part. Add clips, or leave them out")
    return train, test


def _cv_folds(index: pd.DataFrame, train: np.ndarray, number: int) -> list[Fold]:
    folds = StratifiedKFold(number).split(train, index["label"].to_numpy(dtype=object)[train])
    return [Fold(i, "cv", train[fit], train[held]) for i, (fit, held) in enumerate(folds, start=1)]


def tuning_folds(index: pd.DataFrame, cv: str = "study", number: int = CV_FOLDS) -> list[Fold]:
    """The folds that parameters are chosen on, all of them inside the study's training part.

    `study`: clips at random, so that an actor is on both sides, as the authors tuned; five of them are those of
    `cv_accuracy`. `actors`: each fold is predicted by a model that has heard none of its actors.

    Raises
    ------
    ProtocolError
        If there is no such way, the number is not 3 to 5, or there are too few clips or actors.
    """
    if not 3 <= number <= CV_FOLDS:
        raise ProtocolError(f"Tuning takes 3 to {CV_FOLDS} folds, not {number}")
    train, _ = _study_split(index)
    if cv == "study":
        return _cv_folds(index, train, number)
    if cv != "actors":
        raise ProtocolError(f"There are no folds {cv!r}; there is study (actors on both sides) and actors (held out)")
    rows = index.iloc[train]
    if rows["actor"].nunique() < number:
        raise ProtocolError(f"{number} folds of actors need {number} actors, and there are {rows['actor'].nunique()}")
    by_actor = StratifiedGroupKFold(number, shuffle=True, random_state=STUDY_SEED)
    folds = by_actor.split(rows, rows["gender"], groups=rows["actor"])
    return [Fold(i, "cv", train[fit], train[held]) for i, (fit, held) in enumerate(folds, start=1)]


@lru_cache(maxsize=1)
def study_parts() -> dict[str, str]:
    """Each of RAVDESS' 2,452 clips by its stem -> `train` or `test` of the study's split of all of them.

    Whoever has only some of the clips finds here on which side they stand for every model that was made from all.
    """
    stems = [clip.stem for clip in official_clips()]
    _, test = train_test_split(stems, test_size=STUDY_TEST_SHARE, random_state=STUDY_SEED)
    return dict.fromkeys(stems, "train") | dict.fromkeys(test, "test")


def _emobox_folds(index: pd.DataFrame) -> list[Fold]:
    """EmoBox's six folds (Ma et al. 2024): speech alone, four actors predicted by models of the twenty others."""
    folds = []
    speech = (index["channel"] == "speech").to_numpy()
    for number, actors in enumerate(EMOBOX_ACTORS, start=1):
        theirs = index["actor"].isin(actors).to_numpy()
        train, held_out = np.flatnonzero(speech & ~theirs), np.flatnonzero(speech & theirs)
        if not len(train) or not len(held_out):
            listed = ", ".join(map(str, actors))
            raise ProtocolError(
                f"emobox tests on the speech of actors {listed} and trains on others: clips are missing"
            )
        folds.append(Fold(number, "test", train, held_out))
    return folds


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("study", "The study's split: random 80/20, actors on both sides", _study_folds),
        Protocol("emobox", "EmoBox's folds: actors held out, speech alone", _emobox_folds, holds_actors_out=True),
    )
}
