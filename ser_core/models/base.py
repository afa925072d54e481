"""What our scikit-learn classifiers share."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class ProbabilisticClassifier(ClassifierMixin, BaseEstimator):
    """Base of classifiers that define `predict_proba` and predict the most probable class.

    A subclass sets `classes_` when it is fitted; `predict_proba` returns [shape=(n, len(classes_))].
    """

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict the most probable class of each clip.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]
            As `predict_proba` takes them.

        Returns
        -------
        np.ndarray [shape=(n,)]
            Of `classes_`.
        """
        return self.classes_[self.predict_proba(features).argmax(axis=1)]
