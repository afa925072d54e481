"""The interface of every model: fitted on class names, it predicts all classes in a fixed order."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from ser_core.corpus.labels import LABELS
from ser_core.errors import ModelError
from ser_core.models.base import ProbabilisticClassifier


class EmotionClassifier(ProbabilisticClassifier):
    """A scikit-learn classifier over the 16 classes of `labels.LABELS`, or over others.

    The classes of the training clips are numbered without gaps, as XGBoost requires; a class without training clips
    gets probability 0.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict_proba`
        Cloned before it is fitted.
    classes : sequence of str
        In alphabetical order.
    """

    def __init__(self, estimator, classes: Sequence[str] = LABELS):
        self.estimator = estimator
        self.classes = classes

    def fit(self, features: np.ndarray, labels: np.ndarray, **options) -> "EmotionClassifier":
        """Fit the estimator.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]
        labels : np.ndarray [shape=(n,), dtype=str]
            Class names.
        options
            For the estimator's `fit`.

        Returns
        -------
        EmotionClassifier

        Raises
        ------
        ValueError
            If a name is none of the classes.
        """
        unknown = sorted(set(labels) - set(self.classes))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of the {len(self.classes)} classes")
        self.classes_ = np.array(self.classes)
        self.seen_, codes = np.unique(np.searchsorted(self.classes_, labels), return_inverse=True)
        if has_fit_parameter(self.estimator, "names"):  # it splits classes by emotion and gender, or is a search
            options["names"] = self.classes_[self.seen_]
        self.estimator_ = clone(self.estimator).fit(features, codes, **options)
        return self

    @classmethod
    def of_fitted(cls, estimator, seen: list[int]) -> "EmotionClassifier":
        """A classifier around an estimator that is already fitted.

        Parameters
        ----------
        estimator : classifier with `predict_proba`
        seen : list of int
            Places in `LABELS` of the classes that it was fitted on.

        Returns
        -------
        EmotionClassifier
        """
        model = cls(estimator)
        model.classes_, model.seen_, model.estimator_ = np.array(LABELS), np.array(seen), estimator
        return model

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]

        Returns
        -------
        np.ndarray [shape=(n, classes)]
            Columns in the order of `classes`; 16 by default.
        """
        check_is_fitted(self)
        return self._all_classes(self.estimator_.predict_proba(features))

    def distances(self, features: np.ndarray) -> np.ndarray | None:
        """How far clips are from the training clips, in the model's own space; None from a model that has none.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]

        Returns
        -------
        np.ndarray [shape=(n,)] or None
        """
        check_is_fitted(self)
        measure = getattr(self.estimator_, "distances", None)
        return measure(features) if measure else None

    @property
    def takes_speakers(self) -> bool:
        """Whether it estimates the offset of a speaker."""
        check_is_fitted(self)
        return getattr(self.estimator_, "offset_", None) is not None

    def speaker_offset(self, features: np.ndarray, emotion: str | None = None) -> np.ndarray:
        """The offset of a speaker, to be taken away from the features of all their clips.

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
        ModelError
            If the model estimates no offsets.
        """
        if not self.takes_speakers:
            raise ModelError("This model takes no clips of a speaker beforehand: choose robust or centred")
        return self.estimator_.offset_.of(features, emotion)

    def distances_to_each(self, features: np.ndarray) -> np.ndarray | None:
        """How far clips are from each training clip, in the model's own space; None from a model that has none.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]

        Returns
        -------
        np.ndarray [shape=(n, training rows)] or None
            In the order in which the model was fitted; the augmented copies of a clip come after it.
        """
        check_is_fitted(self)
        measure = getattr(self.estimator_, "distances_to_each", None)
        return measure(features) if measure else None

    def members_proba(self, features: np.ndarray) -> dict[str, np.ndarray]:
        """Predict the class probabilities of each member of a vote.

        The vote itself is their weighted mean: to get both, compute the members once and pass them to `vote`.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]

        Returns
        -------
        dict of str to np.ndarray [shape=(n, classes)]
            By the members' keys; empty for other models.
        """
        check_is_fitted(self)
        vote = self._vote()
        if vote is None:
            return {}
        if vote is not self.estimator_:  # preprocessing that all members share
            features = self.estimator_[:-1].transform(features)
        return {
            key: self._all_classes(member.predict_proba(features))
            for (key, _), member in zip(vote.estimators, vote.estimators_, strict=True)
        }

    def vote(self, members: dict[str, np.ndarray]) -> np.ndarray:
        """The probabilities of a vote, computed from those of its members.

        Parameters
        ----------
        members : dict of str to np.ndarray [shape=(n, classes)]
            As `members_proba` returns them.

        Returns
        -------
        np.ndarray [shape=(n, classes)]
            The same as `predict_proba`.
        """
        vote = self._vote()
        assert vote is not None, "only a vote has members"
        return np.average(list(members.values()), axis=0, weights=vote.weights)

    def _vote(self) -> VotingClassifier | None:
        last = self.estimator_[-1] if isinstance(self.estimator_, Pipeline) else self.estimator_
        return last if isinstance(last, VotingClassifier) else None

    def _all_classes(self, probabilities: np.ndarray) -> np.ndarray:
        result = np.zeros((len(probabilities), len(self.classes_)))
        result[:, self.seen_] = probabilities
        return result
