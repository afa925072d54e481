"""The single models. Each is a pipeline whose first step scales, so that nothing is fitted on a clip to be predicted.

The `study` presets are the original authors' values on standardised features. The defaults differ in one idea beside
the parameters: mel power is heavy-tailed (a shout has a thousand times the power of a murmur), so it is taken in
decibels before it is standardised, and the 40 MFCC, which say most about the voice for their number, weigh
`MFCC_WEIGHT` times as much as the 140 others. Trees see no difference in either; the others do.
"""

import numpy as np

from ser_core.features.study import LOG_FLOOR, NAMES
from ser_core.models.model import Model

_MEL = slice(NAMES.index("mel_001"), None)
_MFCC = slice(0, NAMES.index("chroma_C"))
MFCC_WEIGHT = 4.0  # by five-fold cross-validation on the study's training part, among 1, 2, 3, 4, 6


def to_decibels(features: np.ndarray) -> np.ndarray:
    """The features [shape=(n, 180)] with their mel power in dB."""
    result = np.array(features, dtype=np.float64)
    result[:, _MEL] = 10 * np.log10(np.maximum(result[:, _MEL], LOG_FLOOR))
    return result


def weigh_mfcc(features: np.ndarray) -> np.ndarray:
    """Standardised features [shape=(n, 180)] with the MFCC times `MFCC_WEIGHT`."""
    result = features.copy()
    result[:, _MFCC] *= MFCC_WEIGHT
    return result


def pipeline(preset: str, classifier):
    """A classifier behind its preset's view of the features: see the head of this module."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    if preset == "study":
        return make_pipeline(StandardScaler(), classifier)
    return make_pipeline(
        FunctionTransformer(to_decibels), StandardScaler(), FunctionTransformer(weigh_mfcc), classifier
    )


def _decision_tree(preset, parameters, seed):
    from sklearn.tree import DecisionTreeClassifier

    return pipeline(preset, DecisionTreeClassifier(random_state=seed, **parameters))


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

    return pipeline(preset, MLPClassifier(random_state=seed, **parameters))


def _nearest_neighbours(preset, parameters, seed):
    from sklearn.neighbors import KNeighborsClassifier

    return pipeline(preset, KNeighborsClassifier(**parameters))


def _logistic_regression(preset, parameters, seed):
    from sklearn.linear_model import LogisticRegression

    return pipeline(preset, LogisticRegression(random_state=seed, **parameters))


def _svm(preset, parameters, seed):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    # One SVM; its decision values become probabilities by Platt's method, fitted on out-of-fold values.
    return pipeline(preset, CalibratedClassifierCV(SVC(random_state=seed, **parameters), ensemble=False))


def _bagging(preset, parameters, seed):
    from sklearn.ensemble import BaggingClassifier
    from sklearn.tree import DecisionTreeClassifier

    return pipeline(preset, BaggingClassifier(DecisionTreeClassifier(), random_state=seed, **parameters))


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
        {"n_estimators": 300, "bootstrap": False},
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
        {"n_neighbors": 10, "weights": "distance"},
        {"n_neighbors": 32, "weights": "distance"},
    ),
    _classical(
        "lr",
        "Logistic regression",
        "Adds up the features with one weight for each class.",
        _logistic_regression,
        {"C": 0.1, "max_iter": 1000},
        {"solver": "saga", "class_weight": None, "max_iter": 10000},
    ),
    _classical(
        "svm",
        "Support vector machine",
        "Draws the border between two classes as far from both as it can, round corners allowed.",
        _svm,
        {"C": 50.0, "gamma": "scale"},
    ),
    _classical(
        "bag",
        "Bagged trees",
        "Many full trees, each grown on clips drawn with replacement; they vote.",
        _bagging,
        {"n_estimators": 100, "max_features": 0.5},
    ),
)
