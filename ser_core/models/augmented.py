"""Learning each clip in several voices, as `features.voices` says it again."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter


class VoicesClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that learns each clip in all its voices, and is asked about its own alone.

    Parameters
    ----------
    estimator : Pipeline
        Is cloned, never fitted itself. If the `fit` of its last step asks for `voices`, it is told their number.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, features: np.ndarray, codes: np.ndarray) -> "VoicesClassifier":
        """Learn from features [shape=(n, voices, d), each clip's own voice first] and codes [shape=(n,)]."""
        _, voices, width = features.shape
        name, last = self.estimator.steps[-1]
        options = {f"{name}__voices": voices} if has_fit_parameter(last, "voices") else {}
        self.estimator_ = clone(self.estimator).fit(features.reshape(-1, width), np.repeat(codes, voices), **options)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Probability of each code [shape=(n, codes)] of clips [shape=(n, voices, d)]."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(features[:, 0])

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(features).argmax(axis=1)]
