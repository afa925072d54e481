"""The single models. Each is a pipeline whose first step scales, so that nothing is fitted on a clip to be predicted.

The `study` presets are the original authors' values on standardised features. The defaults see the features in another
way as well, and what that is was chosen by five-fold cross-validation on the study's training part:

- Mel power is heavy-tailed (a shout has a thousand times the power of a murmur): it is taken in dB, then standardised.
- Models that measure distances, or that are held back by a penalty on weights, see the 40 MFCC four times as large as
  the others: they say most about a voice for their number, and 128 mel bands that rise and fall together drown them.
- Single and bagged trees ask about one feature at a time. Beside the 180 they get 15 linear discriminants (Fisher
  1936), the directions in which the classes lie furthest apart. Forests and boosting gained nothing by them.
"""

import numpy as np

from ser_core.features.study import LOG_FLOOR, NAMES
from ser_core.models.model import Model

MFCC_WEIGHT = 4.0  # among 1, 2, 3, 4, 6
LDA_SHRINKAGE = 0.05  # towards a round covariance: neighbouring mel bands are nearly copies of each other
NEARNESS_POWER = 8  # among 1, 4, 8

_MFCC = slice(0, NAMES.index("chroma_C"))
_MEL = slice(NAMES.index("mel_001"), None)


def to_decibels(features: np.ndarray) -> np.ndarray:
    """The features [shape=(n, 180)] with their mel power in dB."""
    result = np.array(features, dtype=np.float64)
    result[:, _MEL] = 10 * np.log10(np.maximum(result[:, _MEL], LOG_FLOOR))
    return result


def weigh_mfcc(features: np.ndarray) -> np.ndarray:
    """Standardised features [shape=(n, 180)] with the MFCC times `MFCC_WEIGHT`."""
    result = np.array(features)
    result[:, _MFCC] *= MFCC_WEIGHT
    return result


def nearness(distances: np.ndarray) -> np.ndarray:
    """How much a neighbour's vote counts: 1 / distance^8, so that a very near clip decides alone."""
    return 1 / np.maximum(distances, 1e-9) ** NEARNESS_POWER


def pipeline(preset: str, classifier, *views):
    """A classifier behind its preset's view of the features: the study's, or ours with what `views` add to it."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    if preset == "study":
        return make_pipeline(StandardScaler(), classifier)
    return make_pipeline(FunctionTransformer(to_decibels), StandardScaler(), *views, classifier)


def weighted():
    """A view in which the MFCC are larger than the other features."""
    from sklearn.preprocessing import FunctionTransformer

    return FunctionTransformer(weigh_mfcc)


def with_discriminants():
    """A view in which the 15 linear discriminants stand beside the features."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_union

    return make_union("passthrough", LinearDiscriminantAnalysis(solver="eigen", shrinkage=LDA_SHRINKAGE))


def _decision_tree(preset, parameters, seed):
    from sklearn.tree import DecisionTreeClassifier

    return pipeline(preset, DecisionTreeClassifier(random_state=seed, **parameters), with_discriminants())


def _random_forest(preset, parameters, seed):
    from sklearn.ensemble import RandomForestClassifier

    return pipeline(preset, RandomForestClassifier(**{"random_state": seed} | parameters))


def _lightgbm(preset, parameters, seed):
    from lightgbm import LGBMClassifier

    fixed = {"random_state": seed, "n_jobs": 1, "deterministic": True, "verbose": -1}
    return pipeline(preset, LGBMClassifier(**fixed | parameters))


def _xgboost(preset, parameters, seed):
    from xgboost import XGBClassifier

    return pipeline(preset, XGBClassifier(random_state=seed, n_jobs=1, **parameters))


def _mlp(preset, parameters, seed):
    from sklearn.neural_network import MLPClassifier

    return pipeline(preset, MLPClassifier(random_state=seed, **parameters), weighted())


def _nearest_neighbours(preset, parameters, seed):
    from sklearn.neighbors import KNeighborsClassifier

    if parameters["weights"] == "nearness":
        parameters = parameters | {"weights": nearness}
    return pipeline(preset, KNeighborsClassifier(**parameters), weighted())


def _logistic_regression(preset, parameters, seed):
    from sklearn.linear_model import LogisticRegression

    return pipeline(preset, LogisticRegression(random_state=seed, **parameters), weighted())


def _svm(preset, parameters, seed):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    # One SVM on all clips; one temperature, fitted on out-of-fold values, makes its decision values probabilities.
    machine = SVC(random_state=seed, **parameters)
    return pipeline(preset, CalibratedClassifierCV(machine, method="temperature", ensemble=False), weighted())


def _bagging(preset, parameters, seed):
    from sklearn.ensemble import BaggingClassifier
    from sklearn.tree import DecisionTreeClassifier

    return pipeline(
        preset, BaggingClassifier(DecisionTreeClassifier(), random_state=seed, **parameters), with_discriminants()
    )


def _classical(key, name, about, build, default, study=None) -> Model:
    presets = {"default": default} if study is None else {"default": default, "study": study}
    return Model(key, name, "classical", about, build, presets)


MODELS = (
    _classical(
        "dt",
        "Decision tree",
        "A list of yes-or-no questions about single features.",
        _decision_tree,
        {"criterion": "entropy", "min_samples_leaf": 3},
        {
            "criterion": "entropy",
            "max_depth": 35,
            "min_samples_leaf": 4,
            "min_samples_split": 23,
            "max_leaf_nodes": 169,
        },
    ),
    _classical(
        "rf",
        "Random forest",
        "Many trees, each grown on other clips and features; they vote.",
        _random_forest,
        {"n_estimators": 200, "criterion": "entropy", "bootstrap": False},
        {
            "criterion": "entropy",
            "max_depth": 15,
            "n_estimators": 22984,
            "min_samples_leaf": 3,
            "min_samples_split": 9,
            "max_leaf_nodes": 239,
            "random_state": 22,
        },
    ),
    _classical(
        "lgb",
        "LightGBM",
        "Trees grown one after the other, each mending what the ones before got wrong.",
        _lightgbm,
        {"n_estimators": 150, "learning_rate": 0.1, "num_leaves": 15, "colsample_bytree": 0.3, "min_child_samples": 10},
        {
            "num_leaves": 22,
            "max_depth": 37,
            "n_estimators": 12310,
            "subsample_for_bin": 491645,
            "min_child_samples": 27,
            "reg_alpha": 1.744123586157066,
            "colsample_bytree": 0.6495503686746514,
            "learning_rate": 0.8581745963346554,
            "boosting_type": "dart",
        },
    ),
    _classical(
        "xgb",
        "XGBoost",
        "Trees grown one after the other, as LightGBM's, in another way.",
        _xgboost,
        {"n_estimators": 150, "learning_rate": 0.15, "max_depth": 4, "colsample_bytree": 0.3, "subsample": 0.7},
        {
            "booster": "gbtree",
            "reg_lambda": 7.201651687969849e-08,
            "reg_alpha": 2.2495125443474775e-05,
            "max_depth": 7,
            "learning_rate": 9.307925211476325e-06,
            "gamma": 1.7948741419263195e-05,
            "grow_policy": "lossguide",
        },
    ),
    _classical(
        "mlp",
        "Multilayer perceptron",
        "A small neural network with one hidden layer.",
        _mlp,
        {"hidden_layer_sizes": (600,), "alpha": 3.0, "solver": "lbfgs", "max_iter": 150},
        {
            "activation": "relu",
            "solver": "lbfgs",
            "hidden_layer_sizes": 1283,
            "alpha": 0.3849485717707319,
            "batch_size": 163,
            "learning_rate": "constant",
            "max_iter": 1000,
        },
    ),
    _classical(
        "kn",
        "K nearest neighbours",
        "Looks up the most similar training clips and takes their class.",
        _nearest_neighbours,
        {"n_neighbors": 20, "weights": "nearness"},
        {"n_neighbors": 32, "weights": "distance"},
    ),
    _classical(
        "lr",
        "Logistic regression",
        "Adds up the features with one weight for each class.",
        _logistic_regression,
        {"C": 0.3, "max_iter": 500},
        {"solver": "saga", "class_weight": None, "max_iter": 10000},
    ),
    _classical(
        "svm",
        "Support vector machine",
        "Draws the border between two classes as far from both as it can, round corners allowed.",
        _svm,
        {"C": 20.0, "gamma": 1 / 780},
    ),
    _classical(
        "bag",
        "Bagged trees",
        "Many full trees, each grown on a fifth of the features; they vote.",
        _bagging,
        {"n_estimators": 50, "max_features": 0.2, "bootstrap": False},
    ),
)
