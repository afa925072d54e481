"""Learning each clip in several voices, as `features.voices` says it again."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted


class VoicesClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that learns each clip in all its voices, and is asked about its own alone.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict_proba`
        Is cloned, never fitted itself.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, features: np.ndarray, codes: np.ndarray) -> "VoicesClassifier":
        """Learn from features [shape=(n, voices, d), each clip's own voice first] and codes [shape=(n,)]."""
        _, voices, width = features.shape
        self.estimator_ = clone(self.estimator).fit(features.reshape(-1, width), np.repeat(codes, voices))
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Probability of each code [shape=(n, codes)] of clips [shape=(n, voices, d)]."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(features[:, 0])

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(features).argmax(axis=1)]
