"""Kernel ridge regression on classes with an RBF kernel, also known as the least-squares support vector machine."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from ser_core.models.base import ProbabilisticClassifier

LOG_SHARPNESS = (-3.0, 7.0)  # search range: from nearly uniform probabilities to nearly certain ones


class KernelRidgeClassifier(ProbabilisticClassifier):
    """Kernel ridge regression on one-hot classes; the class with the highest score wins.

    The scores are those of `sklearn.kernel_ridge.KernelRidge` on centred one-hot classes [1]_. A softmax turns them
    into probabilities. Its sharpness (inverse temperature) minimises the log loss of the leave-one-clip-out scores of
    the training clips, which kernel ridge gives without fitting again: the residual of clip i, left out, is weight_i /
    inverse_ii, and that of a block of rows is inverse_ii^-1 weight_i [2]_.

    Parameters
    ----------
    alpha : float > 0
        Regularisation: how strongly large weights are penalised.
    gamma : float > 0
        The kernel is exp(-gamma * squared distance).

    References
    ----------
    .. [1] Suykens & Vandewalle 1999, "Least squares support vector machine classifiers".
    .. [2] Rifkin & Lippert 2007, "Notes on regularized least squares", section 3.
    """

    def __init__(self, alpha: float = 1.0, gamma: float = 1.0):
        self.alpha = alpha
        self.gamma = gamma

    def fit(self, features: np.ndarray, labels: np.ndarray, copies: int = 1) -> "KernelRidgeClassifier":
        """Fit by solving one system of n linear equations.

        Each `copies` consecutive rows are one clip and its perturbed copies, the original first. For the sharpness they
        are left out together, and only the score of the original counts.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        labels : np.ndarray [shape=(n,)]
        copies : int > 0
            Rows of each clip: the original and its copies.

        Returns
        -------
        KernelRidgeClassifier
        """
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self.clips_ = np.array(features, dtype=np.float64)
        self.squares_ = np.square(self.clips_).sum(axis=1)
        has_class = np.eye(len(self.classes_))[codes]
        self.shares_ = has_class.mean(axis=0)
        kernel = self._kernel(self.clips_)
        kernel[np.diag_indices_from(kernel)] = 1 + self.alpha
        inverse = cho_solve(cho_factor(kernel, overwrite_a=True), np.eye(len(kernel)))
        self.weights_ = inverse @ (has_class - self.shares_)
        clips = np.arange(len(codes)) // copies
        scores = (has_class - left_out(inverse, self.weights_, clips))[::copies]
        self.sharpness_ = best_sharpness(scores, codes[::copies])
        return self

    def decision_function(self, features: np.ndarray) -> np.ndarray:
        """Compute the score of each class.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]

        Returns
        -------
        np.ndarray [shape=(n, classes)]
        """
        return self._kernel(np.asarray(features, dtype=np.float64)) @ self.weights_ + self.shares_

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]

        Returns
        -------
        np.ndarray [shape=(n, classes)]
        """
        return softmax(self.sharpness_ * self.decision_function(features), axis=1)

    def _kernel(self, features: np.ndarray) -> np.ndarray:
        squares = np.square(features).sum(axis=1)[:, np.newaxis]
        distances = np.maximum(squares + self.squares_ - 2 * features @ self.clips_.T, 0)
        return np.exp(-self.gamma * distances)


def left_out(inverse: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The residuals of clips when all clips of their group are left out, without fitting again [2]_.

    Parameters
    ----------
    inverse : np.ndarray [shape=(n, n)]
        Of the regularised kernel matrix.
    weights : np.ndarray [shape=(n, classes)]
    groups : np.ndarray [shape=(n,)]
        Rows of a group are left out together: a clip and its copies, or all clips of a speaker.

    Returns
    -------
    np.ndarray [shape=(n, classes)]

    References
    ----------
    .. [2] Rifkin & Lippert 2007, "Notes on regularized least squares", section 3.
    """
    residuals = np.empty_like(weights)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        residuals[rows] = np.linalg.solve(inverse[np.ix_(rows, rows)], weights[rows])
    return residuals


def best_sharpness(scores: np.ndarray, codes: np.ndarray) -> float:
    """The factor of scores whose softmax has the lowest log loss for the true classes.

    Parameters
    ----------
    scores : np.ndarray [shape=(n, classes)]
    codes : np.ndarray [shape=(n,), dtype=int]

    Returns
    -------
    float
    """

    def loss(log_sharpness: float) -> float:
        return -log_softmax(np.exp(log_sharpness) * scores, axis=1)[np.arange(len(codes)), codes].mean()

    return float(np.exp(minimize_scalar(loss, bounds=LOG_SHARPNESS, method="bounded").x))
