"""The robust classifier: kernel ridge regression on clips and their copies, for clips recorded elsewhere."""

import numpy as np
from scipy.linalg import inv
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from ser_core.corpus.labels import EMOTION_NAMES, GENDERS, LABELS, emotion_of, gender_of
from ser_core.features import functionals
from ser_core.features import registry as feature_sets
from ser_core.features.feature_set import is_from_elsewhere
from ser_core.models.base import ProbabilisticClassifier
from ser_core.models.kernel_ridge import LOG_SHARPNESS, best_sharpness, left_out
from ser_core.models.recipe import Recipe
from ser_core.models.speaker_offset import SpeakerOffset, without_offsets

BOUND = 4.0  # standard deviations: one odd feature alone does not carry a clip away
STEPS = 31  # of a standard deviation, to which features are rounded: a byte holds each in a file
NEIGHBOURS = 10


class RobustClassifier(ProbabilisticClassifier):
    """Kernel ridge regression that answers for emotion and gender apart, calibrated on speakers left out.

    Where the classes are emotions alone, emotion is all that it answers for.

    Features are standardised, bounded, and compared by an RBF kernel. The scores of an emotion are those of its classes
    added up, as if it had been fitted on emotions: kernel ridge is linear in what it is fitted on. Two softmaxes turn
    the scores of emotions and genders into probabilities. Their sharpness changes with the distance from what was
    learned; both numbers minimise the log loss of all clips and copies when their speaker is left out. All emotions
    weigh the same, however many clips they have, and scores are not centred: far from all clips every answer is alike.

    Parameters
    ----------
    alpha : float > 0
        Regularisation; of a clip, divided by the weight of its emotion.
    gamma : float > 0
        The kernel is exp(-gamma * weighted mean squared difference of the features).
    weights : np.ndarray [shape=(d,)], optional
        Of the features; equal if left out.
    centred : bool
        Whether to learn from clips without the offsets of their speakers. Then clips to predict are meant to come
        without them, too: `offset_` estimates them.

    Attributes
    ----------
    sharpness_ : dict of str to np.ndarray [shape=(2,)]
        Of "emotion" and "gender": the logarithm of the sharpness at distance 0, and how it changes with the distance.

    offset_ : SpeakerOffset
        What a few clips tell about a speaker: take it away from the features of further clips of theirs.

    See Also
    --------
    ser_core.models.kernel_ridge.KernelRidgeClassifier
    """

    def __init__(
        self, alpha: float = 0.1, gamma: float = 0.5, weights: np.ndarray | None = None, centred: bool = False
    ):
        self.alpha = alpha
        self.gamma = gamma
        self.weights = weights
        self.centred = centred

    def fit(
        self, features: np.ndarray, codes: np.ndarray, names: np.ndarray, speakers: np.ndarray
    ) -> "RobustClassifier":
        """Fit by solving one system of linear equations.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d) or (n, copies, d)]
            Of clips, or of clips and their copies.
        codes : np.ndarray [shape=(n,), dtype=int]
            Classes, numbered without gaps.
        names : np.ndarray [shape=(codes,), dtype=str]
            The class of each code.
        speakers : np.ndarray [shape=(n,)]

        Returns
        -------
        RobustClassifier
        """
        originals = features[:, 0] if features.ndim == 3 else features
        emotions = np.array([emotion_of(name) for name in names])
        self.offset_ = SpeakerOffset().fit(originals, emotions[codes], speakers)
        if self.centred:
            features = without_offsets(features, speakers, self.offset_)
        copies = features.shape[1] if features.ndim == 3 else 1
        rows = features.reshape(-1, features.shape[-1])
        codes, speakers = np.repeat(codes, copies), np.repeat(speakers, copies)
        self.classes_ = np.arange(len(names))
        if set(names) <= set(LABELS):
            self.answers_ = {
                "emotion": np.array([EMOTION_NAMES.index(emotion) for emotion in emotions]),
                "gender": np.array([GENDERS.index(gender_of(name)) for name in names]),
            }
        else:
            self.answers_ = {"emotion": self.classes_}
        self.scaler_ = StandardScaler().fit(rows)
        weights = np.ones(rows.shape[1]) if self.weights is None else np.asarray(self.weights)
        self.factors_ = np.sqrt(weights / weights.mean()).astype(np.float32)
        self.clips_ = self._standardised(rows)
        self.squares_ = _squares(self.clips_)
        has_class = np.eye(len(names))[codes]
        kernel = self._kernel(self.clips_)
        is_same = speakers[:, np.newaxis] == speakers
        distances = self._distances(np.where(is_same, 0, kernel))
        kernel = kernel.astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += self.alpha / _balanced(self.answers_["emotion"][codes])
        inverse = inv(kernel, overwrite_a=True, assume_a="pos")
        dual = inverse @ has_class
        self.dual_ = dual.astype(np.float32)
        scores = has_class - left_out(inverse, dual, speakers)
        self.sharpness_ = {}
        for question, answers in self.answers_.items():
            seen, truth = np.unique(answers[codes], return_inverse=True)
            self.sharpness_[question] = _best_sharpness(_added(scores, answers)[:, seen], truth, distances)
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each code: that of its emotion times that of its gender.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d) or (n, copies, d)]
            Of copies, only the original, which comes first, is used.

        Returns
        -------
        np.ndarray [shape=(n, codes)]
        """
        check_is_fitted(self)
        kernel = self._kernel(self._of_originals(features))
        scores, distances = kernel @ self.dual_, self._distances(kernel)
        result = np.ones((len(features), len(self.classes_)))
        for question, answers in self.answers_.items():
            seen, places = np.unique(answers, return_inverse=True)
            sharpness = _sharpness(self.sharpness_[question], distances)
            result *= softmax(sharpness * _added(scores, answers)[:, seen], axis=1)[:, places]
        return result / result.sum(axis=1, keepdims=True)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """How far clips are from what was learned: the mean distance to the nearest training clips.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d) or (n, copies, d)]

        Returns
        -------
        np.ndarray [shape=(n,)]
            In standard deviations of a feature, root mean square.
        """
        check_is_fitted(self)
        return self._distances(self._kernel(self._of_originals(features)))

    def distances_to_each(self, features: np.ndarray) -> np.ndarray:
        """How far clips are from each clip and copy that was learned from.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d) or (n, copies, d)]

        Returns
        -------
        np.ndarray [shape=(n, rows)]
            In the order in which the model was fitted, each clip's copies after it; in the unit of `distances`.
        """
        check_is_fitted(self)
        return self._as_distance(self._kernel(self._of_originals(features)))

    def _distances(self, kernel: np.ndarray) -> np.ndarray:
        nearest = np.partition(kernel, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:] if kernel.shape[1] > NEIGHBOURS else kernel
        return self._as_distance(nearest).mean(axis=1)

    def _as_distance(self, kernel: np.ndarray) -> np.ndarray:
        return np.sqrt(-np.log(np.maximum(kernel, 1e-30)) / self.gamma)

    def _of_originals(self, features: np.ndarray) -> np.ndarray:
        return self._standardised(features[:, 0] if features.ndim == 3 else features)

    def _standardised(self, rows: np.ndarray) -> np.ndarray:
        steps = np.rint(np.clip(self.scaler_.transform(rows), -BOUND, BOUND) * STEPS)
        return steps.astype(np.float32) * (self.factors_ / STEPS)

    def _kernel(self, rows: np.ndarray) -> np.ndarray:
        products = rows @ self.clips_.T
        products *= -2
        products += _squares(rows)[:, np.newaxis] + self.squares_
        np.maximum(products, 0, out=products)
        products *= -self.gamma / rows.shape[1]
        return np.exp(products, out=products)

    def __getstate__(self) -> dict:
        """A byte a feature in a file, which is exact: the clips were rounded to it before they were learned from."""
        state = dict(super().__getstate__())
        if state.pop("squares_", None) is not None:
            state["clips_"] = np.rint(state["clips_"] / (self.factors_ / STEPS)).astype(np.int8)
        return state

    def __setstate__(self, state: dict) -> None:
        if "clips_" in state:
            clips = state["clips_"].astype(np.float32) * (state["factors_"] / STEPS)
            state = state | {"clips_": clips, "squares_": _squares(clips)}
        super().__setstate__(state)


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.square(rows).sum(axis=1)


def _balanced(emotions: np.ndarray) -> np.ndarray:
    """The weight of each row, with which all emotions weigh the same; 1 in the mean over emotions."""
    clips = np.bincount(emotions)
    return (clips[clips > 0].mean() / np.maximum(clips, 1))[emotions]


def _sharpness(fitted: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """The factor of each clip's scores [shape=(n, 1)]."""
    at_none, change = fitted
    return np.exp(np.clip(at_none + change * distances, *LOG_SHARPNESS))[:, np.newaxis]


def _best_sharpness(scores: np.ndarray, truth: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """What `_sharpness` takes, with the lowest log loss for the true answers."""

    def loss(fitted: np.ndarray) -> float:
        return -log_softmax(_sharpness(fitted, distances) * scores, axis=1)[np.arange(len(truth)), truth].mean()

    start = np.array([np.log(best_sharpness(scores, truth)), 0.0])
    return minimize(loss, start, method="Nelder-Mead").x


def build(recipe: Recipe) -> RobustClassifier:
    """The unfitted classifier of a recipe.

    Parameters
    ----------
    recipe : Recipe
        Its parameters are `alpha`, `gamma` and `voice_weight`: that of each feature of pitch and voice quality, where
        any other has 1. There are 35 of them among 1,300, and they tell most.

    Returns
    -------
    RobustClassifier
    """
    parameters = dict(recipe.parameters)
    voice_weight = parameters.pop("voice_weight")
    if is_from_elsewhere(recipe.features):  # where no feature is known to be one of the voice
        return RobustClassifier(**parameters)
    names = feature_sets.get(recipe.features).names
    weights = np.array([voice_weight if name in functionals.VOICE else 1.0 for name in names])
    return RobustClassifier(**parameters, weights=weights)


def _added(scores: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """The scores of classes [shape=(n, codes)], added up by their answers [shape=(n, 1 + the highest answer)]."""
    return scores @ np.eye(answers.max() + 1)[answers]
