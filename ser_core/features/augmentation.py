"""Data augmentation by key: changed copies of training clips, added to the originals."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ser_core.errors import FeatureError
from ser_core.features import speaker_perturbation
from ser_core.features.registry import FeatureSet


@dataclass(frozen=True)
class Augmentation:
    """One way to change clips. `copies` makes them once, of samples; without it they are made in each epoch."""

    key: str
    title: str
    version: str = ""
    label: str = ""  # in titles of runs, after the name of the features
    copies: Callable[[np.ndarray], list[np.ndarray]] | None = None  # samples -> the original first


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
        Augmentation("specaugment", "in each epoch louder or softer, shifted, noisy and masked"),
        Augmentation("specaugment+vtlp", "as specaugment, and faster or slower, from longer or shorter vocal tracts"),
    )
}


def get(key: str) -> Augmentation:
    """The augmentation of that key.

    Parameters
    ----------
    key : str

    Raises
    ------
    FeatureError
        If there is none.
    """
    if key not in AUGMENTATIONS:
        raise FeatureError(f"There is no augmentation {key!r}; there is {', '.join(AUGMENTATIONS)}")
    return AUGMENTATIONS[key]


def augmented(features: FeatureSet, key: str) -> FeatureSet:
    """A feature set of each clip and of its copies [shape=(1 + copies, ...)], the original first.

    Where the augmentation makes its copies in each epoch, or none, it is the feature set itself.

    Parameters
    ----------
    features : FeatureSet
    key : str

    Raises
    ------
    FeatureError
        If there is no such augmentation, or the feature set is extracted in batches, so that it cannot be made of
        copies.
    """
    one = get(key)
    if one.copies is None:
        return features
    if features.extract is None:
        raise FeatureError(f"{features.key} cannot be made of changed copies ({key}): leave the augmentation out")
    return replace(
        features,
        version=f"{features.version}+{one.version}",
        title=f"{features.title}, of the clip and, to learn from, of the clip in two other voices",
        extract=partial(_of_copies, features.extract, one.copies),
        names=(),
    )


def _of_copies(extract: Callable, copies: Callable, samples: np.ndarray) -> np.ndarray:
    return np.stack([extract(one) for one in copies(samples)])
