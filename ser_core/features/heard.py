"""Features of clips as they are heard in a recording condition."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ser_core.audio import conditions
from ser_core.errors import FeatureError
from ser_core.features.feature_set import FeatureSet
from ser_core.features.mean180 import SAMPLE_RATE


def heard(features: FeatureSet, condition: str, voices: Sequence[np.ndarray] = ()) -> FeatureSet:
    """The feature set of clips that are changed by a recording condition before their features are extracted.

    Parameters
    ----------
    features : FeatureSet
    condition : str
        Key of `audio.conditions`.
    voices : sequence of np.ndarray [shape=(n,)]
        Clips of other speakers at 22,050 Hz, for babble.

    Returns
    -------
    FeatureSet
        Of another version, so that the store keeps both.

    Raises
    ------
    AudioError
        If there is no such condition.
    FeatureError
        If the feature set is extracted in batches.

    Examples
    --------
    >>> from ser_core.features.registry import MEAN180
    >>> heard(MEAN180, "telephone").version
    'study-1 heard telephone, conditions-1'
    """
    one = conditions.get(condition)
    if features.extract is None:
        raise FeatureError(f"{features.key} cannot be extracted of clips heard in a condition: choose other features")
    version = f"{features.version} heard {condition}, {conditions.VERSION}"
    if one.needs_voices:
        content = hashlib.sha256(b"".join(voice.tobytes() for voice in voices))
        version += f", voices {content.hexdigest()[:12]}"
    else:
        voices = ()
    return replace(
        features,
        version=version,
        title=f"{features.title}, of clips heard {conditions.in_words(condition)}",
        extract=partial(_of_changed, features.extract, one.key, tuple(voices)),
        names=(),
    )


def _of_changed(extract, condition: str, voices: tuple[np.ndarray, ...], samples: np.ndarray) -> np.ndarray:
    return extract(conditions.get(condition).apply(samples, SAMPLE_RATE, voices=voices))
