"""Titles of runs."""

from collections import Counter
from collections.abc import Iterable

from ser_core.audio import conditions
from ser_core.evaluation import protocols
from ser_core.features import augmentation
from ser_core.models import deep, foreign, layers, registry
from ser_core.results.runs import Run


def title(run: Run, *, protocol: bool = True) -> str:
    """A run in a few words, such as "cnn dropout 0.5" or "cnn2d, emobox"; without its `protocol` where all share it.

    Parameters
    ----------
    run : Run
    protocol : bool
        Whether the title names the protocol.

    Returns
    -------
    str
    """
    recipe, model = run.recipe, registry.get(run.recipe.model)
    words = recipe.model.removeprefix(foreign.IMPORTED)
    if recipe.origin == "own":
        words += _chosen(recipe.parameters, model.parameters("default"))
    elif recipe.origin == "nested":
        words += " (tuned-inside)"
    elif recipe.preset != "default" and recipe.preset != _usual(run):
        words += f" ({recipe.preset})"
    # The features of a network or a vote of runs follow from its model and preset; those of any other model are named
    # unless they are the default.
    if model.learns_from_clips and not model.trains_in_epochs and recipe.features != model.presets["default"].features:
        words += f", {augmentation.get(recipe.augmentation).label or recipe.features}"
    if protocol and run.tested_on:
        words += f", tested on {run.tested_on['corpus']}"
    elif protocol and run.protocol != "study":
        words += f", {run.protocol}"
    if protocol and run.heard:
        words += f", heard {conditions.in_words(run.heard)}"
    if recipe.seed != protocols.ORIGINAL_SEED:
        words += f", seed {recipe.seed}"
    return words


def _chosen(own: dict, usual: dict) -> str:
    """The parameters that were set by hand."""
    if weights := own.get("weights"):  # of a vote of two, whose weights add up to 1
        first = next(iter(weights))
        own = {first: weights[first]}
    return "".join(
        f" {deep.as_option(name)[2:]} {layers.as_text(value) if name == 'layers' else value}"
        for name, value in own.items()
        if usual.get(name) != value
    )


def _usual(run: Run) -> str | None:
    """The default preset of a classical model for the run's features."""
    recipe, model = run.recipe, registry.get(run.recipe.model)
    if model.trains_in_epochs:
        return None
    return model.recipe(features=recipe.features, augmentation=recipe.augmentation).preset


def titles(found: Iterable[Run], **options) -> dict[str, str]:
    """A title for each run, no two alike: own runs are marked, and where needed, followed by the end of the id.

    Parameters
    ----------
    found : iterable of Run

    Returns
    -------
    dict of str to str
        Run id -> title.
    """
    made = {run.id: title(run, **options) + (f" ({run.mark})" if run.mark else "") for run in found}
    often = Counter(made.values())
    return {key: words if often[words] == 1 else f"{words} #{key[-8:]}" for key, words in made.items()}
