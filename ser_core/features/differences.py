"""How two recordings differ in what a listener notices, in words."""

import math
from collections.abc import Sequence

import numpy as np

from ser_core.corpus import pairs
from ser_core.features import speaking


def compare(one: np.ndarray, other: np.ndarray, names: Sequence[str]) -> str:
    """Describe how the first of two recordings differs from the second, whatever their levels.

    Parameters
    ----------
    one, other : np.ndarray [shape=(len(speaking.NAMES),)]
        As `speaking.extract` returns them.
    names : sequence of str
        Of the recordings.

    Returns
    -------
    str
        Markdown; empty if nothing can be measured in both.

    Examples
    --------
    >>> from ser_core.corpus import synthetic
    >>> from ser_core.features.speaking import extract
    >>> angry, sad = (extract(synthetic.speak(emotion, actor=1)) for emotion in ("angry", "sad"))
    >>> compare(angry, angry, ("One", "the other"))
    'One and the other are about equally high, varied in loudness, fast, bright and rough.'
    """
    first, second = (dict(zip(speaking.NAMES, values.tolist(), strict=True)) for values in (one, other))
    more = {name: first[name] - second[name] for name in speaking.NAMES}
    semitones = _logarithm(2, first["pitch_hz"], second["pitch_hz"]) * 12
    faster = _logarithm(math.e, first["pace"], second["pace"])
    varied, bright, rough = more["loudness_range_db"], more["brightness_db"], more["roughness_db"]
    # The smallest differences that are said: about as small as listeners tell apart, or as two takes of one sentence
    # that are meant to be alike differ anyway.
    found = (
        (semitones, 0.5, pairs.semitones(semitones), "higher", "lower", "high"),
        (
            varied,
            2.0,
            f"{abs(varied):.0f} dB",
            "more varied in loudness",
            "less varied in loudness",
            "varied in loudness",
        ),
        (faster, 0.1, f"{abs(math.expm1(faster)):.0%}", "faster", "slower", "fast"),
        (bright, 2.0, f"{abs(bright):.0f} dB", "brighter", "duller", "bright"),
        (rough, 1.5, f"{abs(rough):.0f} dB", "rougher", "clearer", "rough"),
    )
    return pairs.in_words([one for one in found if math.isfinite(one[0])], names)


def _logarithm(base: float, one: float, other: float) -> float:
    """The logarithm of how many times a value is another; NaN where one of them is not measured."""
    return math.log(one / other, base) if one > 0 and other > 0 else math.nan
