"""Gender and emotion as two separate decisions.

`GenderFirstClassifier` decides the gender first, then the emotion with a model of that gender's voices: an idea that
the original authors leave to future work. `ApartClassifier` decides both independently, each on all voices.
"""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from ser_core.corpus.labels import GENDERS, LABELS, emotion_of, gender_of
from ser_core.models.base import ProbabilisticClassifier


class GenderFirstClassifier(ProbabilisticClassifier):
    """One model for the gender, and for each gender one for the emotion, fitted on clips of that gender alone.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict_proba`
        Cloned for each of the three models.
    routing : {"soft", "hard"}
        "soft" uses both emotion models, weighted by the probability of their gender; "hard" only that of the more
        probable gender, so that the classes of the other get probability 0.
    """

    def __init__(self, estimator, routing: str = "soft"):
        self.estimator = estimator
        self.routing = routing

    def fit(self, features: np.ndarray, codes: np.ndarray, names: np.ndarray) -> "GenderFirstClassifier":
        """Fit the gender model and the emotion models.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        codes : np.ndarray [shape=(n,), dtype=int]
            Classes, numbered without gaps.
        names : np.ndarray [shape=(codes,), dtype=str]
            The class of each code, one of `LABELS`.

        Returns
        -------
        GenderFirstClassifier
        """
        self.classes_ = np.arange(len(names))
        of_code = np.array([GENDERS.index(gender_of(name)) for name in names])
        self.codes_ = [np.flatnonzero(of_code == gender) for gender in range(len(GENDERS))]
        genders = of_code[codes]
        self.genders_ = np.unique(genders)
        self.gender_ = self._fitted(features, np.searchsorted(self.genders_, genders))
        self.emotion_ = [
            self._fitted(features[genders == gender], np.searchsorted(codes_, codes[genders == gender]))
            for gender, codes_ in enumerate(self.codes_)
        ]
        return self

    def _fitted(self, features: np.ndarray, codes: np.ndarray):
        """A model of these codes; None if there is only one."""
        return clone(self.estimator).fit(features, codes) if len(np.unique(codes)) > 1 else None

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each code.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]

        Returns
        -------
        np.ndarray [shape=(n, codes)]
        """
        check_is_fitted(self)
        result = np.zeros((len(features), len(self.classes_)))
        of_gender = _probabilities(self.gender_, features)
        if self.routing == "hard":
            of_gender = np.eye(len(self.genders_))[of_gender.argmax(axis=1)]
        for column, gender in enumerate(self.genders_):
            emotions = _probabilities(self.emotion_[gender], features)
            result[:, self.codes_[gender]] = of_gender[:, [column]] * emotions
        return result


class ApartClassifier(ProbabilisticClassifier):
    """One model for the emotion and one for the gender, each fitted on the clips of all speakers.

    The probability of a class is that of its emotion times that of its gender. Each emotion has twice as many training
    clips as a class has. Where the classes are emotions alone, there is only the model for the emotion.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict_proba`
        Cloned for each of the two models.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, features: np.ndarray, codes: np.ndarray, names: np.ndarray) -> "ApartClassifier":
        """Fit the emotion model and the gender model.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        codes : np.ndarray [shape=(n,), dtype=int]
            Classes, numbered without gaps.
        names : np.ndarray [shape=(codes,), dtype=str]
            The class of each code.

        Returns
        -------
        ApartClassifier
        """
        self.classes_ = np.arange(len(names))
        self.questions_ = []
        for of_label in (emotion_of, gender_of) if set(names) <= set(LABELS) else (emotion_of,):
            _, answers = np.unique([of_label(name) for name in names], return_inverse=True)
            one_answer = len(np.unique(answers)) == 1
            model = None if one_answer else clone(self.estimator).fit(features, answers[codes])
            self.questions_.append((model, answers))
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each code.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]

        Returns
        -------
        np.ndarray [shape=(n, codes)]
        """
        check_is_fitted(self)
        result = np.ones((len(features), len(self.classes_)))
        for model, answers in self.questions_:
            result *= _probabilities(model, features)[:, answers]
        return result / result.sum(axis=1, keepdims=True)


def _probabilities(model, features: np.ndarray) -> np.ndarray:
    return np.ones((len(features), 1)) if model is None else model.predict_proba(features)
