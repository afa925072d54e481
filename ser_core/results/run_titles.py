"""Titles of runs."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from ser_core.audio import conditions
from ser_core.corpus import ravdess
from ser_core.errors import ArtifactError
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
    """A title for each run, no two alike: own runs are marked.

    Where some would be alike, those on another corpus than RAVDESS say so, and those that still are end in their id.

    Parameters
    ----------
    found : iterable of Run
    options
        Of `title`.

    Returns
    -------
    dict of str to str
        Run id -> title.
    """
    found = list(found)
    made = {run.id: title(run, **options) + _marked(run) for run in found}
    alike: dict[str, dict[str, Run]] = defaultdict(dict)  # title -> digest of clips -> a run of these
    for run in found:
        alike[made[run.id]].setdefault(run.data_digest, run)
    for run in found:
        of_clips = alike[made[run.id]]
        if len(of_clips) > 1 and (other := _other_corpus(of_clips[run.data_digest])):
            made[run.id] = f"{title(run, **options)}, {other}{_marked(run)}"
    often = Counter(made.values())
    return {key: words if often[words] == 1 else f"{words} #{key[-8:]}" for key, words in made.items()}


def _marked(run: Run) -> str:
    return f" ({run.mark})" if run.mark else ""


def _other_corpus(run: Run) -> str:
    """The corpora of its clips; empty if that is RAVDESS alone, or not known."""
    if run.tested_on:  # its predictions are of other clips than those that it learned from
        return ""
    try:
        corpora = set(run.predictions["corpus"])
    except ArtifactError:  # which is said where its numbers would stand
        return ""
    return "" if corpora == {ravdess.NAME} else " and ".join(sorted(corpora))
