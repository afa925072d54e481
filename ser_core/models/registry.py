"""Every model by its key: the classical ones, the votes, the networks."""

from ser_core.errors import ModelError
from ser_core.models import classical, deep, ensembles
from ser_core.models.model import Model, SavedVote

MODELS: dict[str, Model] = {model.key: model for model in (*classical.MODELS, *ensembles.MODELS, *deep.MODELS)}


def of_tables() -> list[str]:
    """The keys of the models that are fitted on a table of features: all but networks, and votes of saved runs."""
    return [key for key, model in MODELS.items() if not isinstance(model, deep.Network | SavedVote)]


def get(key: str) -> Model:
    """The model of that key.

    Raises
    ------
    ModelError
        If there is none.
    """
    if key not in MODELS:
        raise ModelError(f"There is no model {key!r}; there is {', '.join(MODELS)}")
    return MODELS[key]


def parameters(model: str | Model, preset: str = "default") -> dict:
    """The parameters of a model's preset.

    Raises
    ------
    ModelError
        If the model has no such preset.
    """
    model = get(model) if isinstance(model, str) else model
    if preset not in model.presets:
        reason = " (the study did not have this model)" if preset == "study" else ""
        raise ModelError(f"Model {model.key!r} has no preset {preset!r}{reason}; it has {', '.join(model.presets)}")
    return model.parameters(preset)


def build(model: str | Model, *, preset: str = "default", seed: int = 9):
    """An unfitted classifier with everything that it fits inside it, the scaler first of all.

    Raises
    ------
    ModelError
        If there is no such model or preset.
    """
    model = get(model) if isinstance(model, str) else model
    parameters(model, preset)  # raises where there is no such preset
    return model.build(preset, seed)
