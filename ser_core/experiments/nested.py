"""Parameters looked for inside each fold of a protocol, so that nothing is chosen on the clips it is tested on."""

import dataclasses
import warnings
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from ser_core.corpus.labels import EMOTION_NAMES, LABELS, by_emotion, emotion_of, gender_of
from ser_core.errors import TuningError
from ser_core.evaluation import accuracy, protocols, uar
from ser_core.features import functionals, mean180
from ser_core.models import registry, search_spaces
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.model import FUNCTIONALS, INSIDE, VOICES, Model, SingleModel, TwoQuestions
from ser_core.models.preprocessing import COMPONENTS

FOLDS = 3
# The numbers that a distance is made of.
WIDTHS = {"study": len(mean180.NAMES), FUNCTIONALS: COMPONENTS, VOICES: len(functionals.NAMES)}


@dataclass(frozen=True)
class InsideModel(Model):
    """A model whose every fit looks for its own parameters. `tuned_inside` makes one."""

    base: SingleModel | TwoQuestions
    features: str

    def build(self, preset: str, seed: int) -> "TunedInside":
        return TunedInside(self.base, self.features, self.presets[preset]["trials"], seed)

    def input(self, preset: str) -> str:
        return self.features


def tuned_inside(model: str, trials: int, features: str = "study") -> tuple[InsideModel, str]:
    """A model that tries `trials` parameters of our space inside each fold, on these features; and its one preset.

    Raises
    ------
    ModelError, TuningError
        If there is no such model, or it cannot be tuned so.
    """
    base = registry.get(model)
    space = space_of(base, features)  # raises where it has none
    if not isinstance(base, SingleModel | TwoQuestions):
        raise TuningError(f"{model!r} is a network: minutes a trial, hours inside each fold. Tune a classical model")
    if features == VOICES and VOICES not in base.presets:
        able = ", ".join(key for key in registry.of_tables() if VOICES in registry.get(key).presets)
        raise TuningError(f"{model!r} does not learn in other voices; of those that can be tuned, {able} do")
    if trials < 1:
        raise TuningError(f"{trials} trials find nothing: give 1 or more")
    searched = {name: str(distribution) for name, distribution in space.ranges.items()}
    preset = INSIDE if features == "study" else f"{features}-{INSIDE}"
    presets = {preset: {"trials": trials, "folds": FOLDS, "ranges": searched}}
    return InsideModel(base.key, base.name, base.family, base.about, presets, base, features), preset


def space_of(model: Model, features: str) -> search_spaces.Space:
    """Our space of a model's parameters; of one made of fits of a single model, that of the single model.

    Distances grow with the number of features, so a kernel's width is looked for as much further.
    """
    space = search_spaces.get(model.base.key if isinstance(model, TwoQuestions) else model.key)
    ranges, share = dict(space.ranges), WIDTHS["study"] / WIDTHS[features]
    if gamma := ranges.get("gamma"):
        ranges["gamma"] = FloatDistribution(gamma.low * share, gamma.high * share, log=gamma.log)
    return dataclasses.replace(space, ranges=ranges)


class TunedInside(ClassifierMixin, BaseEstimator):
    """A classifier that looks for its parameters whenever it is fitted, on folds of the clips that it is given.

    Parameters
    ----------
    model : SingleModel or TwoQuestions
    features : str
        What it sees: `study`, `functionals` or `voices`.
    trials : int
        Parameters tried, by TPE with this seed.
    seed : int
    """

    def __init__(self, model: SingleModel | TwoQuestions, features: str, trials: int, seed: int):
        self.model = model
        self.features = features
        self.trials = trials
        self.seed = seed

    def fit(
        self, features: np.ndarray, codes: np.ndarray, numbers: np.ndarray, groups: np.ndarray | None = None
    ) -> "TunedInside":
        """Look for parameters on features [shape=(n, d)] and codes [shape=(n,)], and fit the best on all of them.

        `numbers[code]` is a class's place in `LABELS`. With `groups` [shape=(n,)], the speakers, none is on both
        sides of a fold and the UAR of emotions decides, song included where it is learned from; without, accuracy.

        Raises
        ------
        TuningError
            If there are too few clips of a class, or one actor alone, or if no parameters can be fitted.
        """
        space, labels = space_of(self.model, self.features), np.array(LABELS)[numbers[codes]]
        folds, score = _folds(labels, groups), _accuracy if groups is None else _emotion_uar

        def mean_score(trial: optuna.Trial) -> float:
            model, scores = EmotionClassifier(self._made(space.suggest(trial))), []
            for train, held_out in folds:
                with warnings.catch_warnings():  # that poor parameters do not converge shows in their score
                    warnings.simplefilter("ignore")
                    model.fit(features[train], labels[train])
                scores.append(score(labels[held_out], model.predict_proba(features[held_out])))
            return float(np.mean(scores))

        optuna.logging.set_verbosity(optuna.logging.ERROR)  # what it would say of each trial
        search = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=self.seed))
        search.optimize(mean_score, n_trials=self.trials, catch=(ValueError, np.linalg.LinAlgError))
        if not search.get_trials(states=[TrialState.COMPLETE]):
            raise TuningError(f"{self.model.key}: none of {self.trials} parameters could be fitted inside a fold")
        self.found_ = {"parameters": space.parameters(search.best_params), "score": search.best_value}
        self.estimator_ = EmotionClassifier(self._made(self.found_["parameters"])).fit(features, labels)
        self.numbers_, self.classes_ = numbers, np.arange(len(numbers))
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Probability of each code [shape=(n, codes)]."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(features)[:, self.numbers_]

    def predict(self, features: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(features).argmax(axis=1)]

    def _made(self, parameters: dict):
        return self.model.make(parameters, self.seed, features=self.features)


def _accuracy(labels: np.ndarray, given: np.ndarray) -> float:
    return accuracy(labels, np.array(LABELS)[given.argmax(axis=1)])


def _emotion_uar(labels: np.ndarray, given: np.ndarray) -> float:
    """As voices never heard are scored: the genders of an emotion added up."""
    return uar(
        np.array([emotion_of(label) for label in labels]), np.array(EMOTION_NAMES)[by_emotion(given).argmax(axis=1)]
    )


def _folds(labels: np.ndarray, groups: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    if groups is None:
        _, counts = np.unique(labels, return_counts=True)
        if counts.min() < FOLDS:
            raise TuningError(f"{FOLDS} folds need {FOLDS} training clips of every class, and one has {counts.min()}")
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=protocols.STUDY_SEED)
        return list(split.split(labels, labels))
    actors = len(np.unique(groups))
    if actors < 2:
        raise TuningError("Parameters cannot be looked for on one actor's clips: leave two or more in training")
    return list(protocols.by_speaker([gender_of(label) for label in labels], groups, min(FOLDS, actors)))
