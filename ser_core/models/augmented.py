"""Training on perturbed copies of clips beside the originals."""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from ser_core.models.base import ProbabilisticClassifier


class AugmentedClassifier(ProbabilisticClassifier):
    """Trains on original and perturbed copies; predicts from the original alone.

    Parameters
    ----------
    estimator : Pipeline
        Cloned before it is fitted. If the `fit` of its last step takes `copies`, it receives the number of copies, so
        that a clip and its copies are held out together.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, features: np.ndarray, codes: np.ndarray) -> "AugmentedClassifier":
        """Fit on all copies of each clip.

        Parameters
        ----------
        features : np.ndarray [shape=(n, copies, d)]
            The original first.
        codes : np.ndarray [shape=(n,), dtype=int]
            Class of each clip.

        Returns
        -------
        AugmentedClassifier
        """
        _, copies, width = features.shape
        name, last = self.estimator.steps[-1]
        options = {f"{name}__copies": copies} if has_fit_parameter(last, "copies") else {}
        self.estimator_ = clone(self.estimator).fit(features.reshape(-1, width), np.repeat(codes, copies), **options)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d) or (n, copies, d)]
            Of the copies, only the original is used.

        Returns
        -------
        np.ndarray [shape=(n, classes)]
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(features[:, 0] if features.ndim == 3 else features)
