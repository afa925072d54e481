"""Nested cross-validation: hyperparameters are searched inside each fold, so nothing is chosen on its test clips."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from ser_core.corpus.labels import LABELS, by_emotion, emotion_of, emotions_of, gender_of
from ser_core.errors import TuningError
from ser_core.evaluation import accuracy, protocols, uar
from ser_core.features import augmentation, mean180
from ser_core.features import registry as feature_sets
from ser_core.models import preprocessing, registry, search_spaces
from ser_core.models.base import ProbabilisticClassifier
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.recipe import Recipe

FOLDS = 3


def recipe(base: Recipe, trials: int, names: Sequence[str] = ()) -> Recipe:
    """A recipe that searches hyperparameters of our space in every fit, with everything else from another recipe.

    Parameters
    ----------
    base : Recipe
        Model, features, preprocessing and augmentation; its parameters are not used.
    trials : int
        Per fold.
    names : sequence of str, optional
        Of the features, if they are not made here.

    Returns
    -------
    Recipe

    Raises
    ------
    ModelError
        If there is no such model.
    TuningError
        If it has no search space or is a network, or there are no trials.
    """
    model = registry.get(base.model)
    search_spaces.get(model.tuned_as)  # raises if it has none
    if model.trains_in_epochs:
        raise TuningError(
            f"{model.key!r} is a network: minutes a trial, hours inside each fold. Tune a classical model"
        )
    if trials < 1:
        raise TuningError(f"{trials} trials find nothing: give 1 or more")
    search = NestedSearch(base)
    ranges = search._space(len(names or feature_sets.get(base.features).names)).ranges
    searched = {name: str(distribution) for name, distribution in ranges.items()}
    label = augmentation.get(base.augmentation).label or base.features
    preset = "tuned-inside" if label == "mean180" else f"{label}-tuned-inside"
    parameters = {"trials": trials, "folds": FOLDS, "ranges": searched}
    return base.with_parameters(parameters, origin="nested", preset=preset)


class NestedSearch(ProbabilisticClassifier):
    """A classifier that searches its hyperparameters whenever it is fitted, by TPE on folds of the training clips.

    Parameters
    ----------
    recipe : Recipe
        As `recipe` makes it: it has the number of trials and the seed.
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe

    def fit(
        self, features: np.ndarray, codes: np.ndarray, names: np.ndarray, groups: np.ndarray | None = None
    ) -> "NestedSearch":
        """Search hyperparameters, then fit the best on all clips.

        With `groups`, the inner folds are speaker-independent, and the score is the UAR of emotions (in speech and
        song, where both are trained on). Without, the folds are stratified and the score is accuracy.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        codes : np.ndarray [shape=(n,), dtype=int]
        names : np.ndarray [shape=(codes,), dtype=str]
            The class of each code.
        groups : np.ndarray [shape=(n,)], optional
            Speaker of each clip.

        Returns
        -------
        NestedSearch

        Raises
        ------
        TuningError
            If there are too few clips of a class, or a single speaker, or if no parameters could be fitted.
        """
        space, labels = self._space(features.shape[-1]), names[codes]
        folds, score = _folds(labels, groups), _accuracy if groups is None else _emotion_uar
        classes = LABELS if set(names) <= set(LABELS) else tuple(names)

        def mean_score(trial: optuna.Trial) -> float:
            model, scores = EmotionClassifier(self._build(space.suggest(trial)), classes), []
            for train, held_out in folds:
                with warnings.catch_warnings():  # parameters that do not converge show in their score
                    warnings.simplefilter("ignore")
                    model.fit(features[train], labels[train])
                scores.append(score(labels[held_out], model.predict_proba(features[held_out]), classes))
            return float(np.mean(scores))

        trials = self.recipe.parameters["trials"]
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # no log line per trial
        search = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=self.recipe.seed))
        search.optimize(mean_score, n_trials=trials, catch=(ValueError, np.linalg.LinAlgError))
        if not search.get_trials(states=[TrialState.COMPLETE]):
            raise TuningError(f"{self.recipe.model}: none of {trials} parameters could be fitted inside a fold")
        self.found_: dict[str, Any] = {"parameters": space.parameters(search.best_params), "score": search.best_value}
        self.estimator_ = EmotionClassifier(self._build(self.found_["parameters"]), classes).fit(features, labels)
        self.classes_ = np.arange(len(names))
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
        return self.estimator_.predict_proba(features)[:, self.estimator_.seen_]

    def _build(self, parameters: dict):
        model = registry.get(self.recipe.model)
        if model.tuned_as != model.key:  # the parameters are those of the model that it is made of
            parameters = {"base": {model.tuned_as: parameters}}
        return model.build(replace(self.recipe, parameters=parameters))

    def _space(self, features: int) -> search_spaces.Space:
        """The search space; the kernel's range is scaled, because distances grow with the number of features."""
        space = search_spaces.get(registry.get(self.recipe.model).tuned_as)
        share = len(mean180.NAMES) / preprocessing.width(self.recipe, features)
        ranges = dict(space.ranges)
        if gamma := ranges.get("gamma"):
            assert isinstance(gamma, FloatDistribution)
            ranges["gamma"] = FloatDistribution(gamma.low * share, gamma.high * share, log=gamma.log)
        return replace(space, ranges=ranges)


def _accuracy(labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]) -> float:
    return accuracy(labels, np.array(classes)[probabilities.argmax(axis=1)])


def _emotion_uar(labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...]) -> float:
    """UAR of emotions, genders added up: the score for speaker-independent folds."""
    return uar(
        np.array([emotion_of(label) for label in labels]),
        np.array(emotions_of(classes))[by_emotion(probabilities, classes).argmax(axis=1)],
    )


def _folds(labels: np.ndarray, groups: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    if groups is None:
        _, counts = np.unique(labels, return_counts=True)
        if counts.min() < FOLDS:
            raise TuningError(f"{FOLDS} folds need {FOLDS} training clips of every class, and one has {counts.min()}")
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=protocols.ORIGINAL_SEED)
        return list(split.split(labels, labels))
    speakers = len(np.unique(groups))
    if speakers < 2:
        raise TuningError("Parameters cannot be looked for on one speaker's clips: leave two or more in training")
    balanced = [gender_of(label) if label in LABELS else label for label in labels]
    return list(protocols.by_speaker(balanced, groups, min(FOLDS, speakers)))
