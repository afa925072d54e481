"""The search space of each model's hyperparameters: `study`, the original authors' spaces, and `ours`.

The authors' spaces are those of their code, with today's parameter names (LightGBM's `min_data_in_leaf` is
`min_child_samples`; XGBoost's `eta`, `lambda` and `alpha` are `learning_rate`, `reg_lambda` and `reg_alpha`). A trial
with 15,000 trees or 20,000 rounds of dart takes hours; in ours, five fits take seconds.
"""

from dataclasses import dataclass, field

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from ser_core.errors import TuningError
from ser_core.models import registry


@dataclass(frozen=True)
class Space:
    """A search space.

    Parameters
    ----------
    ranges : dict of str to optuna.distributions.BaseDistribution
        Of the parameters that are searched.
    fixed : dict
        Parameters that are not searched.
    only_if : dict
        Parameters that exist only for some value of another: name -> (the other, its value).
    """

    ranges: dict[str, BaseDistribution]
    fixed: dict = field(default_factory=dict)
    only_if: dict[str, tuple[str, object]] = field(default_factory=dict)

    def suggest(self, trial: Trial) -> dict:
        """A trial's parameters, including the fixed ones.

        Parameters
        ----------
        trial : optuna.Trial

        Returns
        -------
        dict
        """
        chosen = dict(self.fixed)
        for name, distribution in self.ranges.items():
            other, value = self.only_if.get(name, (None, None))
            if other is None or chosen[other] == value:
                chosen[name] = _suggest(trial, name, distribution)
        return chosen

    def parameters(self, found: dict) -> dict:
        """All parameters of a trial, including the fixed ones.

        Parameters
        ----------
        found : dict
            The trial's own.

        Returns
        -------
        dict
        """
        return self.fixed | found


def _suggest(trial: Trial, name: str, distribution: BaseDistribution):
    match distribution:
        case IntDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_int(name, low, high, log=log, step=step)
        case FloatDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_float(name, low, high, log=log, step=step)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(name, choices)
    raise TypeError(f"{name}: {distribution}")


def get(model: str, space: str = "ours") -> Space:
    """A search space of a model.

    Parameters
    ----------
    model : str
    space : {"ours", "study"}

    Returns
    -------
    Space

    Raises
    ------
    ModelError
        If there is no such model.
    TuningError
        If the model is not tuned, or has no such space.
    """
    family = registry.get(model).family
    if space not in SPACES:
        raise TuningError(f"There is no search space {space!r}; there is {' and '.join(SPACES)}")
    if model not in OURS:
        reason = "it has no search space" if family == "classical" else "a vote follows its members"
        raise TuningError(f"{model!r} is not tuned: {reason}. Tune one of {', '.join(OURS)}")
    if space == "study" and model not in AUTHORS:
        raise TuningError(f"The study did not tune {model!r}: it has no search space 'study'. Use 'ours'")
    return SPACES[space][model]


def available(model: str) -> list[str]:
    """The names of a model's search spaces.

    Parameters
    ----------
    model : str

    Returns
    -------
    list of str
        Empty if it is not tuned.
    """
    return [name for name, spaces in SPACES.items() if model in spaces]


_int, _float = IntDistribution, FloatDistribution


def _log(low: float, high: float) -> FloatDistribution:
    return FloatDistribution(low, high, log=True)


def _one_of(*choices) -> CategoricalDistribution:
    return CategoricalDistribution(choices)


OURS: dict[str, Space] = {
    "dt": Space(
        {
            "criterion": _one_of("gini", "entropy"),
            "max_depth": _int(5, 40),
            "min_samples_leaf": _int(1, 10),
            "min_impurity_decrease": _float(0.0, 0.01),
        }
    ),
    "rf": Space(
        {
            "n_estimators": _int(50, 250, step=50),
            "criterion": _one_of("gini", "entropy"),
            "bootstrap": _one_of(True, False),
            "max_features": _log(0.03, 0.3),
            "min_samples_leaf": _int(1, 4),
        }
    ),
    "lgb": Space(
        {
            "n_estimators": _int(50, 300, step=25),
            "learning_rate": _log(0.03, 0.3),
            "num_leaves": _int(4, 24),
            "colsample_bytree": _log(0.03, 0.5),
            "min_child_samples": _int(3, 30),
            "reg_lambda": _log(0.001, 30.0),
        },
        {"max_bin": 63},
    ),
    "xgb": Space(
        {
            "n_estimators": _int(50, 300, step=25),
            "learning_rate": _log(0.05, 0.4),
            "max_depth": _int(2, 6),
            "colsample_bytree": _log(0.05, 0.5),
            "subsample": _float(0.4, 1.0),
            "min_child_weight": _log(0.1, 5.0),
            "reg_lambda": _log(0.01, 10.0),
        },
        {"max_bin": 64},
    ),
    "mlp": Space(
        {
            "hidden_layer_sizes": _int(100, 1000, step=50),
            "activation": _one_of("relu", "tanh"),
            "alpha": _log(0.1, 30.0),
        },
        {"solver": "lbfgs", "tol": 1e-3, "max_iter": 500},
    ),
    "kn": Space(
        {
            "n_neighbors": _int(1, 100, log=True),
            "weights": _one_of("uniform", "distance", "nearness"),
            "metric": _one_of("euclidean", "manhattan", "cosine"),
        }
    ),
    "lr": Space({"C": _log(0.01, 30.0), "class_weight": _one_of(None, "balanced")}, {"max_iter": 500}),
    "svm": Space({"C": _log(0.5, 200.0), "gamma": _log(0.0005, 0.05)}),
    "krr": Space({"alpha": _log(0.0005, 1.0), "gamma": _log(0.0005, 0.05)}),
    "bag": Space(
        {"n_estimators": _int(20, 80, step=10), "max_features": _log(0.03, 0.6), "bootstrap": _one_of(True, False)}
    ),
}

# The networks: minutes a trial. The optimiser stays that of the default preset.
_HEAD = Space(
    {"dropout": _float(0.2, 0.7), "l2": _log(1e-6, 1e-2), "batch_size": _one_of(8, 16, 32, 64)},
    {"optimizer": "sgd", "learning_rate": 0.01, "epochs": 60},
)
_CNN2D = {
    "dropout": _float(0.0, 0.5),
    "learning_rate": _log(0.0005, 0.01),
    "batch_size": _one_of(16, 32, 64),
    "smoothing": _float(0.0, 0.2),
}
_CNN2D_SET = {"optimizer": "adam", "epochs": 40, "decay": True, "validation": 0.0}
OURS |= {
    "cnn": Space({**_HEAD.ranges, "learning_rate": _log(0.001, 0.05)}, {"optimizer": "sgd", "epochs": 60}),
    **dict.fromkeys(("vgg16", "vgg19", "resnet50", "inception", "mobilenet"), _HEAD),
    "rnn": Space(
        {
            "dropout": _float(0.1, 0.6),
            "learning_rate": _log(0.0003, 0.01),
            "batch_size": _one_of(16, 32, 64),
        },
        {"optimizer": "adam", "epochs": 40},
    ),
    "cnn2d": Space(_CNN2D | {"augment": _one_of(True, False)}, _CNN2D_SET),
    "robust_cnn": Space(_CNN2D, _CNN2D_SET | {"augment": True, "copies": True}),
}

AUTHORS: dict[str, Space] = {
    "dt": Space(
        {
            "criterion": _one_of("gini", "entropy"),
            "max_depth": _int(5, 100),
            "min_samples_leaf": _int(2, 5),
            "min_samples_split": _int(2, 25),
            "max_leaf_nodes": _int(50, 250),
        }
    ),
    "rf": Space(
        {
            "criterion": _one_of("gini", "entropy"),
            "max_depth": _int(5, 25),
            "n_estimators": _int(15000, 25000),
            "min_samples_leaf": _int(2, 5),
            "min_samples_split": _int(2, 25),
            "max_leaf_nodes": _int(50, 250),
        }
    ),
    "lgb": Space(
        {
            "num_leaves": _int(2, 150),
            "max_depth": _int(2, 100),
            "n_estimators": _int(10, 20000),
            "subsample_for_bin": _int(100000, 500000),
            "min_child_samples": _int(10, 500),
            "reg_alpha": _float(0.0, 100.0),
            "colsample_bytree": _float(0.0, 1.0),
            "learning_rate": _log(1e-05, 1.0),
            "boosting_type": _one_of("goss", "gbdt", "dart"),
        }
    ),
    "xgb": Space(
        {
            "booster": _one_of("gbtree", "gblinear", "dart"),
            "reg_lambda": _log(1e-08, 1.0),
            "reg_alpha": _log(1e-08, 1.0),
            "max_depth": _int(1, 9),
            "learning_rate": _log(1e-08, 1.0),
            "gamma": _log(1e-08, 1.0),
            "grow_policy": _one_of("depthwise", "lossguide"),
            "sample_type": _one_of("uniform", "weighted"),
            "normalize_type": _one_of("tree", "forest"),
            "rate_drop": _log(1e-08, 1.0),
            "skip_drop": _log(1e-08, 1.0),
        },
        {"base_score": 0.5},
        dict.fromkeys(("sample_type", "normalize_type", "rate_drop", "skip_drop"), ("booster", "dart")),
    ),
    "mlp": Space(
        {
            "activation": _one_of("logistic", "tanh", "relu"),
            "solver": _one_of("lbfgs", "sgd", "adam"),
            "hidden_layer_sizes": _int(100, 1500),
            "alpha": _float(0.001, 0.99),
            "batch_size": _int(150, 300),
            "learning_rate": _one_of("adaptive", "constant", "invscaling"),
        },
        {"max_iter": 1000},
    ),
    "kn": Space({"weights": _one_of("uniform", "distance"), "n_neighbors": _int(1, 200)}),
    "lr": Space(
        {"class_weight": _one_of("balanced", None), "solver": _one_of("newton-cg", "sag", "saga", "lbfgs")},
        {"max_iter": 10000},
    ),
}

SPACES = {"ours": OURS, "study": AUTHORS}
