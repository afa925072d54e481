"""Emotions, genders and the 16 classes: their codes, fixed order, colours and display names."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ser_core.errors import ModelError


@dataclass(frozen=True)
class Emotion:
    """One of the eight emotions of RAVDESS.

    Parameters
    ----------
    name : str
    code : str
        Third field of a RAVDESS file name.
    colour : str
        Hexadecimal, from a palette that is distinguishable with colour blindness.

    References
    ----------
    Okabe & Ito 2008, "Color Universal Design".
    """

    name: str
    code: str
    colour: str

    @property
    def title(self) -> str:
        """The name, capitalised."""
        return self.name.capitalize()


EMOTIONS: tuple[Emotion, ...] = (
    Emotion("neutral", "01", "#000000"),
    Emotion("calm", "02", "#56B4E9"),
    Emotion("happy", "03", "#F0E442"),
    Emotion("sad", "04", "#0072B2"),
    Emotion("angry", "05", "#D55E00"),
    Emotion("fearful", "06", "#CC79A7"),
    Emotion("disgust", "07", "#009E73"),
    Emotion("surprised", "08", "#E69F00"),
)
EMOTION_NAMES: tuple[str, ...] = tuple(emotion.name for emotion in EMOTIONS)
BY_NAME: dict[str, Emotion] = {emotion.name: emotion for emotion in EMOTIONS}
BY_CODE: dict[str, Emotion] = {emotion.code: emotion for emotion in EMOTIONS}

GENDERS: tuple[str, str] = ("female", "male")

# Alphabetical, the order in which scikit-learn sorts classes: column i of every probability table is LABELS[i].
LABELS: tuple[str, ...] = tuple(sorted(f"{emotion}_{gender}" for emotion in EMOTION_NAMES for gender in GENDERS))


def emotion_of(label: str) -> str:
    """The emotion of a class label: `angry_female` -> `angry`.

    Parameters
    ----------
    label : str

    Returns
    -------
    str
    """
    return label.split("_")[0]


def gender_of(label: str) -> str:
    """The gender of a class label: `angry_female` -> `female`.

    Parameters
    ----------
    label : str
        One of `LABELS`.

    Returns
    -------
    str
    """
    return label.split("_")[1]


def label_of(emotion: str, gender: str) -> str:
    """The class label of a clip.

    Parameters
    ----------
    emotion, gender : str

    Returns
    -------
    str
        `<emotion>_<gender>` if that is one of `LABELS`, otherwise the emotion alone.

    Examples
    --------
    >>> label_of("angry", "female")
    'angry_female'
    >>> label_of("boredom", "female")
    'boredom'
    """
    label = f"{emotion}_{gender}"
    return label if label in LABELS else emotion


def require_classes(labels: Iterable[str]) -> None:
    """Check that all clips belong to the 16 classes, before a model is fitted to them.

    Parameters
    ----------
    labels : iterable of str

    Raises
    ------
    ModelError
        If some do not; the message lists the other labels with their numbers of clips.
    """
    others = {label: clips for label, clips in sorted(Counter(labels).items()) if label not in LABELS}
    if others:
        listed = ", ".join(f"{clips:,} of {label!r}" for label, clips in others.items())
        raise ModelError(
            f"There are clips that no model here can learn: {listed}. A class is one of {', '.join(EMOTION_NAMES)}, by "
            "a speaker whose gender is female or male. Leave the others out of the table"
        )


def title_of(label: str) -> str:
    """A class label for display: `angry_female` -> `Angry, female`.

    Parameters
    ----------
    label : str
        One of `LABELS`.

    Returns
    -------
    str
    """
    return f"{emotion_of(label).capitalize()}, {gender_of(label)}"


_WITH_EMOTION = [[i for i, label in enumerate(LABELS) if emotion_of(label) == name] for name in EMOTION_NAMES]
_WITH_GENDER = [[i for i, label in enumerate(LABELS) if gender_of(label) == name] for name in GENDERS]


def by_emotion(probabilities: np.ndarray) -> np.ndarray:
    """Sum class probabilities over genders.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(..., 16)]
        In the order of `LABELS`.

    Returns
    -------
    np.ndarray [shape=(..., 8)]
        In the order of `EMOTION_NAMES`.
    """
    return probabilities[..., _WITH_EMOTION].sum(axis=-1)


def by_gender(probabilities: np.ndarray) -> np.ndarray:
    """Sum class probabilities over emotions.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(..., 16)]
        In the order of `LABELS`.

    Returns
    -------
    np.ndarray [shape=(..., 2)]
        In the order of `GENDERS`.
    """
    return probabilities[..., _WITH_GENDER].sum(axis=-1)
