"""Data augmentation: modified copies of training clips in addition to the originals."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ser_core.audio import conditions
from ser_core.errors import FeatureError
from ser_core.features import speaker_perturbation
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.features.registry import FeatureSet


@dataclass(frozen=True)
class Augmentation:
    """A method of data augmentation.

    Parameters
    ----------
    key, title : str
    version : str
        Raised with any change of the copies.
    label : str
        In titles of runs, after the name of the features.
    copies : callable, optional
        Samples -> list of samples, the original first; computed once, before training. Without it, the network augments
        clips anew in each epoch.
    """

    key: str
    title: str
    version: str = ""
    label: str = ""
    copies: Callable[[np.ndarray], list[np.ndarray]] | None = None


def _in_conditions(samples: np.ndarray) -> list[np.ndarray]:
    """A clip; and it and two other voices, each in a recording condition that is drawn at random."""
    voices = speaker_perturbation.copies(samples)
    return [samples, *(conditions.at_random(voice, SAMPLE_RATE, seed=number) for number, voice in enumerate(voices))]


AUGMENTATIONS: dict[str, Augmentation] = {
    one.key: one
    for one in (
        Augmentation("none", "each clip as it is"),
        Augmentation(
            "speaker-perturbation",
            "each clip also in two other voices",
            speaker_perturbation.VERSION,
            "voices",
            speaker_perturbation.copies,
        ),
        Augmentation(
            "conditions",
            "each clip also in three random recording conditions, twice in another voice",
            "random-conditions-1",
            "conditions",
            _in_conditions,
        ),
        Augmentation("specaugment", "in each epoch louder or softer, shifted, noisy and masked"),
        Augmentation("specaugment+vtlp", "as specaugment, and faster or slower, from longer or shorter vocal tracts"),
    )
}


def get(key: str) -> Augmentation:
    """The augmentation of that key.

    Parameters
    ----------
    key : str
        Of `AUGMENTATIONS`.

    Returns
    -------
    Augmentation

    Raises
    ------
    FeatureError
        If there is none.
    """
    if key not in AUGMENTATIONS:
        raise FeatureError(f"There is no augmentation {key!r}; there is {', '.join(AUGMENTATIONS)}")
    return AUGMENTATIONS[key]


def augmented(features: FeatureSet, key: str) -> FeatureSet:
    """The feature set of clips and their augmented copies.

    Parameters
    ----------
    features : FeatureSet
    key : str
        Of `AUGMENTATIONS`.

    Returns
    -------
    FeatureSet
        Extracts arrays [shape=(1 + copies, ...)], the original first. If the augmentation works in each epoch, or is
        `none`, `features` itself.

    Raises
    ------
    FeatureError
        If there is no such augmentation, or if the feature set is extracted in batches, which supports no copies.
    """
    one = get(key)
    if one.copies is None:
        return features
    if features.extract is None:
        raise FeatureError(f"{features.key} does not support augmentation by copies ({key}): leave it out")
    return replace(
        features,
        version=f"{features.version}+{one.version}",
        title=f"{features.title}; to learn from, {one.title}",
        extract=partial(_of_copies, features.extract, one.copies),
        names=(),
    )


def _of_copies(extract: Callable, copies: Callable, samples: np.ndarray) -> np.ndarray:
    return np.stack([extract(one) for one in copies(samples)])
