"""How a speaker's clips lie beside those of others whatever the emotion, estimated from a few of them."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

ROUNDS = 4  # of alternating means: the effects of both are nearly orthogonal where all speakers act all emotions


class SpeakerOffset(BaseEstimator):
    """The offset of a speaker in each feature, shrunk by how much such offsets are worth.

    A feature of a clip is modelled as the mean of its emotion, plus the offset of its speaker, plus the rest. From k
    clips the offset is their mean rest, times s2_speaker / (s2_speaker + s2_within / k), which is the best linear
    prediction of a random effect [1]_. Of clips whose emotion is not known, s2_within has the emotions' part, too.

    Attributes
    ----------
    means_ : np.ndarray [shape=(1 + emotions, d)]
        Of all clips, with every emotion of the same weight; then of each emotion.
    emotions_ : list of str
    between_, within_, within_unknown_ : np.ndarray [shape=(d,)]
        Variances between speakers, and within a speaker's clips of known and of unknown emotion.

    References
    ----------
    .. [1] Robinson 1991, "That BLUP is a good thing: the estimation of random effects".

    Examples
    --------
    Two speakers, one of them 10 higher in everything:

    >>> features = np.array([[0.0], [4.0], [10.0], [14.0]])
    >>> offset = SpeakerOffset().fit(features, ["calm", "angry", "calm", "angry"], ["a", "a", "b", "b"])
    >>> offset.of(np.array([[20.0]]), "calm").round(2)
    array([15.])
    """

    def fit(self, features: np.ndarray, emotions: ArrayLike, speakers: ArrayLike) -> "SpeakerOffset":
        """Estimate the means and variances.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        emotions, speakers : array-like of str [shape=(n,)]
            Of each clip.

        Returns
        -------
        SpeakerOffset
        """
        features = np.asarray(features, dtype=np.float64)
        self.emotions_, of_emotion = np.unique(emotions, return_inverse=True)
        _, of_speaker = np.unique(speakers, return_inverse=True)
        offsets = np.zeros((of_speaker.max() + 1, features.shape[1]))
        for _ in range(ROUNDS):
            means = _means(features - offsets[of_speaker], of_emotion)
            offsets = _means(features - means[of_emotion], of_speaker)
        self.means_ = np.vstack([means.mean(axis=0), means])
        self.between_ = offsets.var(axis=0)
        rest = features - offsets[of_speaker]
        self.within_ = (rest - means[of_emotion]).var(axis=0)
        self.within_unknown_ = (rest - self.means_[0]).var(axis=0)
        return self

    def of(self, features: np.ndarray, emotion: str | None = None) -> np.ndarray:
        """The offset of one speaker.

        Parameters
        ----------
        features : np.ndarray [shape=(k, d)]
            Of some clips of this speaker.
        emotion : str, optional
            Of these clips, if it is known.

        Returns
        -------
        np.ndarray [shape=(d,)]

        Raises
        ------
        ValueError
            If no training clip had the emotion, or there is no clip.
        """
        check_is_fitted(self)
        if not len(features):
            raise ValueError("A speaker's offset takes at least one clip")
        if emotion is None:
            mean, within = self.means_[0], self.within_unknown_
        else:
            if emotion not in self.emotions_:
                raise ValueError(f"No clip that was learned from was {emotion}")
            (place,) = np.flatnonzero(self.emotions_ == emotion)
            mean, within = self.means_[1 + place], self.within_
        worth = self.between_ / np.maximum(self.between_ + within / len(features), 1e-12)
        return worth * (np.mean(features, axis=0, dtype=np.float64) - mean)


def without_offsets(features: np.ndarray, speakers: np.ndarray, offset: SpeakerOffset) -> np.ndarray:
    """Clips without the offsets of their speakers, estimated from all of a speaker's clips.

    Parameters
    ----------
    features : np.ndarray [shape=(n, d) or (n, copies, d)]
        Of clips, or of clips and their copies, each of which counts as another speaker.
    speakers : np.ndarray [shape=(n,)]
    offset : SpeakerOffset

    Returns
    -------
    np.ndarray [shape as features]
    """
    result = features.copy()
    for speaker in np.unique(speakers):
        theirs = speakers == speaker
        for copy in np.ndindex(features.shape[1:-1]):  # one, of clips without copies
            result[theirs, *copy] -= offset.of(features[theirs, *copy])
    return result


def _means(rows: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The mean of each group of rows [shape=(groups, d)]."""
    sums = np.zeros((groups.max() + 1, rows.shape[1]))
    np.add.at(sums, groups, rows)
    return sums / np.bincount(groups)[:, np.newaxis]
