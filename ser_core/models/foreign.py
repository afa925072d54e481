"""Models from elsewhere: estimators of one's own code, and the names of models whose predictions were imported.

Neither is in `registry.MODELS`. Own code is passed on as an estimator and never found by its name, so that reading a
run executes nothing: a recipe says which code made a run, and only somebody who names that code in a shell, or has the
estimator in Python, runs it.
"""

import hashlib
import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier

from ser_core.corpus.labels import LABELS
from ser_core.errors import ModelError
from ser_core.models.base import ProbabilisticClassifier
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.model import Model, Preset
from ser_core.models.recipe import Recipe

IMPORTED = "imported:"  # prefix of the keys of models whose predictions were imported
KEY = re.compile(r"[\w.-]{1,100}:[\w.-]{1,100}")  # nothing that a page or a file system could take for more than a name
SUM_TOLERANCE = 0.01  # of probabilities, which own code and files may round
FEATURES = "elsewhere"  # what an imported model has seen, which nobody here knows


@dataclass(frozen=True)
class ForeignModel(Model):
    """A model that a run names and nothing here can build."""

    def build(self, recipe: Recipe):
        """Raise a `ModelError`, since its code is not in this package.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(f"{self.name} is not in this package, so that it cannot be fitted by its name alone")


def is_key(key: str) -> bool:
    """Whether a model's key is of one from elsewhere.

    Parameters
    ----------
    key : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_key("my_models:svm"), is_key("imported:wav2vec2"), is_key("svm")
    (True, True, False)
    """
    return bool(KEY.fullmatch(key))


def model(key: str) -> ForeignModel:
    """What is known of a model from elsewhere.

    Parameters
    ----------
    key : str
        `module:factory`, or `imported:NAME`.

    Returns
    -------
    ForeignModel
    """
    if key.startswith(IMPORTED):
        name, family = f"{key.removeprefix(IMPORTED)}, imported", "imported"
        about = "Predictions that were made elsewhere, and imported."
        preset = Preset({}, features=FEATURES, preprocessing=FEATURES, origin="imported")
    else:
        name, family, about = f"{key}, own code", "own code", "An estimator of one's own code."
        preset = Preset({}, preprocessing="internal", origin="code")
    return ForeignModel(key, name, family, about, {"default": preset})


@dataclass(frozen=True, eq=False)
class OwnCode:
    """An estimator of one's own code, and the recipe that records it.

    Parameters
    ----------
    recipe : Recipe
        Its `parameters` are those of `estimator.get_params()`; what JSON cannot hold stands there as text.
    estimator : classifier
        Unfitted.
    """

    recipe: Recipe
    estimator: Any


def own_code(estimator, *, name: str = "", features: str = "mean180", seed: int = 9) -> OwnCode:
    """Any scikit-learn classifier as a model of experiments.

    It gets the features as they are: preprocessing belongs into the estimator, e.g. as a pipeline. Every `random_state`
    that is None is set to the seed, so that a run can be repeated. If it has no `predict_proba`, the class that it
    predicts gets probability 1, so that its accuracy holds and scores of probabilities say nothing.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict`
        Is cloned, not changed.
    name : str, optional
        `module:factory`; by default the estimator's class.
    features : str
        Key of `features.registry`, or of features from elsewhere.
    seed : int

    Returns
    -------
    OwnCode

    Raises
    ------
    ModelError
        If it is no scikit-learn classifier, or the name has another form.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> code = own_code(LogisticRegression(C=10))
    >>> code.recipe.model, code.recipe.origin, code.recipe.parameters["C"]
    ('sklearn.linear_model._logistic:LogisticRegression', 'code', 10)
    """
    kind = type(estimator)
    name = name or f"{kind.__module__}:{kind.__qualname__.rpartition('>.')[2]}"  # without the function it stands in
    if not is_key(name) or name.startswith(IMPORTED):
        raise ModelError(f"{name!r} is no name for own code: give module:factory")
    if not isinstance(estimator, BaseEstimator) or not is_classifier(estimator):
        raise ModelError(
            f"{name} gives {kind.__name__}, and a scikit-learn classifier is wanted: a class of BaseEstimator and "
            "ClassifierMixin with fit and predict, or a pipeline that ends in one"
        )
    with _blaming(name, "gives no estimator that can be copied"):
        estimator = clone(estimator)
        parameters = estimator.get_params()
    random = [key for key in parameters if key.rpartition("__")[2] == "random_state" and parameters[key] is None]
    estimator.set_params(**dict.fromkeys(random, seed))
    recipe = Recipe(
        model=name,
        features=features,
        preprocessing="internal",
        augmentation="none",
        parameters={key: _as_json(value) for key, value in sorted(estimator.get_params().items())},
        origin="code",
        seed=seed,
    )
    return OwnCode(recipe, estimator if hasattr(estimator, "predict_proba") else SureClassifier(estimator))


def from_shell(name: str, **options) -> OwnCode:
    """Import a module from the working directory or the Python path, and call what makes its estimator.

    It executes code, so it must only be called with what a person has typed in a shell.

    Parameters
    ----------
    name : str
        `module:factory`: a function without arguments, or a class of estimators.
    options
        As `own_code` takes them.

    Returns
    -------
    OwnCode

    Raises
    ------
    ModelError
        If the module cannot be imported, has no such factory, or the factory fails or gives no classifier.
    """
    module_name, _, factory = name.partition(":")
    if os.getcwd() not in sys.path:  # as `python -m` has it, and `ser` not; worker processes take it over
        sys.path.insert(0, os.getcwd())
    with _blaming(name, "gives no estimator"):
        module = importlib.import_module(module_name)
        made = getattr(module, factory)()
    code = own_code(made, name=name, **options)
    source = Path(getattr(module, "__file__", None) or "")
    if not source.is_file():
        return code
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    parameters = code.recipe.parameters | {"source": f"{source.name}@{digest[:12]}"}  # other code is another run
    return replace(code, recipe=replace(code.recipe, parameters=parameters))


@contextmanager
def _blaming(name: str, what: str) -> Iterator[None]:
    """Raise a `ModelError` that names the line of own code which failed, in place of its exception."""
    try:
        yield
    except Exception as error:  # of code that is not ours
        frames = [one for one in traceback.extract_tb(error.__traceback__) if _is_theirs(one.filename)]
        at = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
        reason = next(iter(str(error).splitlines()), "")
        raise ModelError(f"{name} {what}: {type(error).__name__}: {reason}{at}") from error


def _is_theirs(file: str) -> bool:
    """Whether a source file is neither of this package, nor of an installed one, nor of Python."""
    not_theirs = (str(Path(__file__).parents[1]), os.path.dirname(os.__file__), "<frozen")
    return "site-packages" not in file and not file.startswith(not_theirs)


class OwnClassifier(EmotionClassifier):
    """As `EmotionClassifier`, of own code: what fails in it is told with its line, and what it gives is checked.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict_proba`
    classes : sequence of str
        In alphabetical order.
    name : str
        Of the code.
    """

    def __init__(self, estimator, classes: Sequence[str] = LABELS, name: str = ""):
        super().__init__(estimator, classes)
        self.name = name

    def fit(self, features: np.ndarray, labels: np.ndarray, **options) -> "OwnClassifier":
        """Fit the estimator.

        Parameters
        ----------
        features, labels, options
            As `EmotionClassifier.fit` takes them.

        Returns
        -------
        OwnClassifier

        Raises
        ------
        ModelError
            If the estimator raises.
        """
        with _blaming(self.name, "failed in fit"):
            super().fit(features, labels, **options)
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]

        Returns
        -------
        np.ndarray [shape=(n, classes)]

        Raises
        ------
        ModelError
            If the estimator raises, or gives no probabilities of these clips and the classes that it was fitted on.
        """
        with _blaming(self.name, "failed in its prediction"):
            given = np.asarray(self.estimator_.predict_proba(features), dtype=float)
        wanted = (len(features), len(self.seen_))
        if given.shape != wanted:
            raise ModelError(f"{self.name} gives probabilities of shape {given.shape}, and {wanted} are wanted")
        if not np.isfinite(given).all() or (given < 0).any():
            raise ModelError(f"{self.name} gives probabilities that are negative or no finite numbers")
        if (off := np.abs(given.sum(axis=1) - 1)).max(initial=0) > SUM_TOLERANCE:
            total = given[off.argmax()].sum()
            raise ModelError(f"{self.name} gives a clip probabilities that add up to {total:.4g}, and not to 1")
        return self._all_classes(given)


def _as_json(value):
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _as_json(one) for key, one in value.items()}
    if isinstance(value, BaseEstimator):  # its parameters stand beside it
        return type(value).__name__
    return getattr(value, "__qualname__", None) or type(value).__name__


class SureClassifier(ProbabilisticClassifier):
    """A classifier whose predicted class has probability 1, for estimators without `predict_proba`.

    Parameters
    ----------
    estimator : classifier with `fit` and `predict`
        Is cloned before it is fitted.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, features: np.ndarray, codes: np.ndarray) -> "SureClassifier":
        """Fit the estimator.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]
        codes : np.ndarray [shape=(n,)]

        Returns
        -------
        SureClassifier
        """
        self.estimator_ = clone(self.estimator).fit(features, codes)
        self.classes_ = np.unique(codes)
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Give the predicted class probability 1.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]

        Returns
        -------
        np.ndarray [shape=(n, classes)]
        """
        return (np.asarray(self.estimator_.predict(features))[:, np.newaxis] == self.classes_).astype(float)
