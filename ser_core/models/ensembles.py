"""Models made of others: soft votes, where the (weighted) mean of what each member says decides, and gender first."""

from ser_core.models import classical
from ser_core.models.model import FUNCTIONALS, INSIDE, VOICES, SavedVote, TwoQuestions, Vote

_SINGLE = {model.key: model for model in classical.MODELS}


def _vote(key: str, *members: str) -> Vote:
    """A vote of the study, in which all members weigh the same."""
    about = f"The mean of what {' and '.join(_SINGLE[member].name for member in members)} say."
    equal = {"weights": dict.fromkeys(members, 1)}
    presets = {"default": equal, "study": equal, FUNCTIONALS: equal}
    return Vote(key, f"Vote: {' + '.join(members)}", "ensemble", about, presets, _members(*members))


def _members(*keys: str) -> dict:
    return {key: _SINGLE[key] for key in keys}


MODELS = (
    _vote("v", "mlp", "lgb"),
    _vote("v2", "kn", "xgb", "mlp"),
    _vote("v3", "xgb", "mlp", "rf", "lr"),
    _vote("v4", "mlp", "xgb"),
    Vote(
        "v5",
        "Vote: krr + mlp + lr",
        "ensemble",
        "Kernel ridge has the say; the perceptron and logistic regression temper it.",
        # By five-fold cross-validation on the study's training part, among votes that answer for one clip in no more
        # time than its features take.
        {preset: {"weights": {"krr": 6, "mlp": 1, "lr": 1}} for preset in ("default", FUNCTIONALS)},
        _members("krr", "mlp", "lr"),
    ),
    TwoQuestions(
        "hier",
        "Gender first",
        "ensemble",
        "Tells women from men first, then asks a kernel ridge model that has heard only that gender.",
        {"default": {"routing": "soft"}, "hard": {"routing": "hard"}, FUNCTIONALS: {"routing": "soft"}},
        _SINGLE["krr"],
        "GenderFirstClassifier",
    ),
    TwoQuestions(
        "apart",
        "Emotion and gender apart",
        "ensemble",
        "One kernel ridge model tells emotions, having heard women and men alike, another tells women from men.",
        {"default": {}, FUNCTIONALS: {}, VOICES: {}},
        _SINGLE["krr"],
        "ApartClassifier",
    ),
    # Of equal weights: what five-fold cross-validation on the study's training part chose for the first.
    SavedVote(
        "best",
        "Our best vote",
        "ensemble",
        "Kernel ridge on a thousand statistics of the voice and a small network that sees its sound, half and half.",
        {"default": {"weights": {"krr": 1, "cnn2d": 1}}},
        {"krr": FUNCTIONALS},
    ),
    SavedVote(
        "v_apart_cnn2d",
        "Vote: apart + cnn2d",
        "ensemble",
        "As our best vote, but its kernel ridge names emotion and gender apart: meant for voices never heard.",
        {"default": {"weights": {"apart": 1, "cnn2d": 1}}},
        {"apart": FUNCTIONALS},
    ),
    SavedVote(
        "v_voices",
        "Vote: both in other voices",
        "ensemble",
        "Apart and cnn2d, each having learned every clip in other voices, too, so as to know fewer by heart.",
        {"default": {"weights": {"apart": 1, "cnn2d": 1}}},
        {"apart": f"{VOICES}-{INSIDE}", "cnn2d": VOICES},
    ),
)
