"""Every model by its key: the classical ones, the votes, the networks. A new one is an entry of those modules."""

from collections.abc import Iterable
from pathlib import Path

from ser_core.errors import ArtifactError, ModelError
from ser_core.models import classical, deep, ensembles, foreign, presets
from ser_core.models.model import Model
from ser_core.models.recipe import Recipe

MODELS: dict[str, Model] = {model.key: model for model in (*classical.MODELS, *ensembles.MODELS, *deep.MODELS)}


def of_tables() -> list[str]:
    """The keys of the models that are fitted on a table of features, behind preprocessing that they share."""
    return [key for key, model in MODELS.items() if model.fits_any_table]


def get(key: str, stores: Iterable[Path] = ()) -> Model:
    """The model of that key, with the tuned presets of some stores beside its own.

    A key with a colon is of a model from elsewhere, which runs name and nothing here can build: see `foreign`.

    Parameters
    ----------
    key : str
    stores : iterable of Path

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        If there is none.
    """
    if foreign.is_key(key):
        return foreign.model(key)
    if key not in MODELS:
        raise ModelError(f"There is no model {key!r}; there is {', '.join(MODELS)}")
    tuned = {one.name: one.as_preset(MODELS[key]) for one in presets.list_all(stores, key)}
    return MODELS[key].with_presets(tuned) if tuned else MODELS[key]


def recipe(model: str, preset: str | None = None, *, stores: Iterable[Path] = (), **options) -> Recipe:
    """The recipe of a model. What is not given is taken from the preset.

    Parameters
    ----------
    model : str
        A key of `MODELS`.
    preset : str, optional
        If left out, the default preset for these features and this augmentation.
    stores : iterable of Path
        Where to look for tuned presets.
    options
        `features`, `preprocessing`, `augmentation`, `seed`: as `Model.recipe` takes them.

    Returns
    -------
    Recipe

    Raises
    ------
    ModelError, FeatureError
        As `Model.recipe`; and if there is no such model.
    ArtifactError
        If the preset cannot be read.

    Examples
    --------
    >>> recipe("krr").features, recipe("krr", "functionals").features
    ('mean180', 'functionals')
    """
    stores = list(stores)
    known = get(model, stores)
    if preset and preset not in known.presets:
        damaged = {one.id: one for one in presets.read_all(stores, model)[1]}
        if one := damaged.get(f"{model}/{preset}"):
            raise ArtifactError(str(one))
    return known.recipe(preset, **options)


def parameters(model: str, preset: str = "default") -> dict:
    """The parameters of a model's preset.

    Parameters
    ----------
    model, preset : str

    Returns
    -------
    dict

    Raises
    ------
    ModelError
        If there is no such model, or it has no such preset.
    """
    return get(model).parameters(preset)


def build(recipe: Recipe):
    """Build an unfitted classifier, including its preprocessing.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    classifier with `fit` and `predict_proba`

    Raises
    ------
    ModelError
        If there is no such model, or it is a vote of saved runs.
    """
    return get(recipe.model).build(recipe)
