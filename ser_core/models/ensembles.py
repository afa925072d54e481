"""The soft votes: each member says how probable every class is, and the (weighted) mean decides.

A vote's parameters are its members, each with its weight; a member is a model of its own, with the same preset.
"""

from ser_core.models import classical
from ser_core.models.model import Model

_SINGLE = {model.key: model for model in classical.MODELS}


def _vote(preset, parameters, seed):
    from sklearn.ensemble import VotingClassifier

    weights = parameters["weights"]
    members = [(key, _SINGLE[key].build(preset, _SINGLE[key].presets[preset], seed)) for key in weights]
    return VotingClassifier(members, voting="soft", weights=list(weights.values()))


def _ensemble(key: str, *members: str) -> Model:
    names = " + ".join(members)
    equal = {"weights": dict.fromkeys(members, 1)}
    about = f"The mean of what {' and '.join(_SINGLE[member].name for member in members)} say."
    return Model(key, f"Vote: {names}", "ensemble", about, _vote, {"default": equal, "study": equal})


MODELS = (
    _ensemble("v", "mlp", "lgb"),
    _ensemble("v2", "kn", "xgb", "mlp"),
    _ensemble("v3", "xgb", "mlp", "rf", "lr"),
    _ensemble("v4", "mlp", "xgb"),
    Model(
        "best",
        "Best vote: svm + mlp",
        "ensemble",
        "x",
        _vote,
        {"default": {"weights": {"svm": 2, "mlp": 1}}},
    ),
)
