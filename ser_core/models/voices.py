"""Learning each clip in several voices, as `features.voices` says it again."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter


class VoicesClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that learns each clip in all its voices, and is asked about its own alone.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict_proba`
        Is cloned, never fitted itself.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, features: np.ndarray, codes: np.ndarray, numbers: np.ndarray | None = None) -> "VoicesClassifier":
        """Learn from features [shape=(n, voices, d), each clip's own voice first] and codes [shape=(n,)];
        `numbers[code]` is a class's place in `LABELS`."""
        _, voices, width = features.shape
        options = {"numbers": numbers} if has_fit_parameter(self.estimator, "numbers") else {}
        said = features.reshape(-1, width)
        self.estimator_ = clone(self.estimator).fit(said, np.repeat(codes, voices), **options)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Probability of each code [shape=(n, codes)] of clips [shape=(n, voices, d)]."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(features[:, 0])

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(features).argmax(axis=1)]
