"""Nested cross-validation: hyperparameters searched inside each fold, so that nothing is chosen on its test clips."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from ser_core.corpus.labels import EMOTION_NAMES, LABELS, by_emotion, emotion_of, gender_of
from ser_core.errors import TuningError
from ser_core.evaluation import accuracy, protocols, uar
from ser_core.features import augmentation, mean180
from ser_core.features import registry as feature_sets
from ser_core.models import preprocessing, registry, search_spaces
from ser_core.models.base import ProbabilisticClassifier
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.recipe import Recipe

FOLDS = 3


def recipe(base: Recipe, trials: int) -> Recipe:
    """A recipe whose every fit searches `trials` hyperparameters of our space, with the features of another.

    Parameters
    ----------
    base : Recipe
        Model, features, preprocessing and augmentation; its parameters are not used.
    trials : int
        A fold.

    Raises
    ------
    ModelError, TuningError
        If there is no such model, or it cannot be tuned so.
    """
    model = registry.get(base.model)
    search_spaces.get(model.tuned_as)  # raises where it has none
    if model.trains_in_epochs:
        raise TuningError(
            f"{model.key!r} is a network: minutes a trial, hours inside each fold. Tune a classical model"
        )
    if trials < 1:
        raise TuningError(f"{trials} trials find nothing: give 1 or more")
    search = NestedSearch(base)
    ranges = search._space(len(feature_sets.get(base.features).names)).ranges
    searched = {name: str(distribution) for name, distribution in ranges.items()}
    label = augmentation.get(base.augmentation).label or base.features
    preset = "tuned-inside" if label == "mean180" else f"{label}-tuned-inside"
    parameters = {"trials": trials, "folds": FOLDS, "ranges": searched}
    return base.with_parameters(parameters, origin="nested", preset=preset)


class NestedSearch(ProbabilisticClassifier):
    """A classifier that searches for its hyperparameters whenever it is fitted, on folds of the clips that it is given.

    Parameters
    ----------
    recipe : Recipe
        As `recipe` makes it: its parameters say how many trials, by TPE with its seed.
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe

    def fit(
        self, features: np.ndarray, codes: np.ndarray, numbers: np.ndarray, groups: np.ndarray | None = None
    ) -> "NestedSearch":
        """Search parameters on features [shape=(n, d)] and codes [shape=(n,)], and fit the best on all of them.

        `numbers[code]` is a class's place in `LABELS`. With `groups` [shape=(n,)], the speakers, none is on both
        sides of a fold and the UAR of emotions decides, song included where it is learned from; without, accuracy.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]
        codes : np.ndarray [shape=(n,), dtype=int]
        numbers : np.ndarray [shape=(codes,), dtype=int]
        groups : np.ndarray [shape=(n,)], optional

        Raises
        ------
        TuningError
            If there are too few clips of a class, or one actor alone, or if no parameters can be fitted.
        """
        space, labels = self._space(features.shape[-1]), np.array(LABELS)[numbers[codes]]
        folds, score = _folds(labels, groups), _accuracy if groups is None else _emotion_uar

        def mean_score(trial: optuna.Trial) -> float:
            model, scores = EmotionClassifier(self._made(space.suggest(trial))), []
            for train, held_out in folds:
                with warnings.catch_warnings():  # that poor parameters do not converge shows in their score
                    warnings.simplefilter("ignore")
                    model.fit(features[train], labels[train])
                scores.append(score(labels[held_out], model.predict_proba(features[held_out])))
            return float(np.mean(scores))

        trials = self.recipe.parameters["trials"]
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # what it would say of each trial
        search = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=self.recipe.seed))
        search.optimize(mean_score, n_trials=trials, catch=(ValueError, np.linalg.LinAlgError))
        if not search.get_trials(states=[TrialState.COMPLETE]):
            raise TuningError(f"{self.recipe.model}: none of {trials} parameters could be fitted inside a fold")
        self.found_: dict[str, Any] = {"parameters": space.parameters(search.best_params), "score": search.best_value}
        self.estimator_ = EmotionClassifier(self._made(self.found_["parameters"])).fit(features, labels)
        self.numbers_, self.classes_ = numbers, np.arange(len(numbers))
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """The probability of each code.

        Parameters
        ----------
        features : np.ndarray [shape=(n, d)]

        Returns
        -------
        np.ndarray [shape=(n, codes)]
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(features)[:, self.numbers_]

    def _made(self, parameters: dict):
        model = registry.get(self.recipe.model)
        if model.tuned_as != model.key:  # made of fits of another model, whose parameters these are
            parameters = {"base": {model.tuned_as: parameters}}
        return model.build(replace(self.recipe, parameters=parameters))

    def _space(self, features: int) -> search_spaces.Space:
        """The search space; a kernel's range is scaled, because distances grow with the number of features."""
        space = search_spaces.get(registry.get(self.recipe.model).tuned_as)
        share = len(mean180.NAMES) / preprocessing.width(self.recipe, features)
        ranges = dict(space.ranges)
        if gamma := ranges.get("gamma"):
            assert isinstance(gamma, FloatDistribution)
            ranges["gamma"] = FloatDistribution(gamma.low * share, gamma.high * share, log=gamma.log)
        return replace(space, ranges=ranges)


def _accuracy(labels: np.ndarray, given: np.ndarray) -> float:
    return accuracy(labels, np.array(LABELS)[given.argmax(axis=1)])


def _emotion_uar(labels: np.ndarray, given: np.ndarray) -> float:
    """UAR of emotions, genders added up: the score for speaker-independent folds."""
    return uar(
        np.array([emotion_of(label) for label in labels]), np.array(EMOTION_NAMES)[by_emotion(given).argmax(axis=1)]
    )


def _folds(labels: np.ndarray, groups: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    if groups is None:
        _, counts = np.unique(labels, return_counts=True)
        if counts.min() < FOLDS:
            raise TuningError(f"{FOLDS} folds need {FOLDS} training clips of every class, and one has {counts.min()}")
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=protocols.ORIGINAL_SEED)
        return list(split.split(labels, labels))
    actors = len(np.unique(groups))
    if actors < 2:
        raise TuningError("Parameters cannot be looked for on one actor's clips: leave two or more in training")
    return list(protocols.by_speaker([gender_of(label) for label in labels], groups, min(FOLDS, actors)))
