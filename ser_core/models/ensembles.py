"""Models made of others: soft votes, where the (weighted) mean of what each member says decides, and gender first."""

from ser_core.models import classical
from ser_core.models.model import GenderFirst, Vote

_SINGLE = {model.key: model for model in classical.MODELS}


def _vote(key: str, *members: str) -> Vote:
    """A vote of the study, in which all members weigh the same."""
    about = f"The mean of what {' and '.join(_SINGLE[member].name for member in members)} say."
    equal = {"weights": dict.fromkeys(members, 1)}
    presets = {"default": equal, "study": equal}
    return Vote(key, f"Vote: {' + '.join(members)}", "ensemble", about, presets, _members(*members))


def _members(*keys: str) -> dict:
    return {key: _SINGLE[key] for key in keys}


MODELS = (
    _vote("v", "mlp", "lgb"),
    _vote("v2", "kn", "xgb", "mlp"),
    _vote("v3", "xgb", "mlp", "rf", "lr"),
    _vote("v4", "mlp", "xgb"),
    Vote(
        "best",
        "Our best vote",
        "ensemble",
        "Kernel ridge has the say; the perceptron and logistic regression temper it.",
        # By five-fold cross-validation on the study's training part, among votes that answer for one clip in no more
        # time than its features take.
        {"default": {"weights": {"krr": 6, "mlp": 1, "lr": 1}}},
        _members("krr", "mlp", "lr"),
    ),
    GenderFirst(
        "hier",
        "Gender first",
        "ensemble",
        "Tells women from men first, then asks a kernel ridge model that has heard only that gender.",
        {"default": {"routing": "soft"}, "hard": {"routing": "hard"}},
        _SINGLE["krr"],
    ),
)
