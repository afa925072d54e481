"""Emotions, genders and the 16 classes: their codes, fixed order, colours and display names."""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
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

# By their codes, as manifests have them; another one is called by its code.
LANGUAGES = {"de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "zh": "Chinese"}

# Other corpora's words for these emotions. Any other word is an emotion of its own.
SYNONYMS: dict[str, str] = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprised",
}

# For other emotions: none is one of the eight, and all are visible on white and on black.
OTHER_COLOURS = ("#9C755F", "#6C7A9C", "#8A8A2E", "#AA4499", "#5F8A8B", "#B0606B", "#7D8B5A", "#8C6BB1")

GENDERS: tuple[str, str] = ("female", "male")

# Alphabetical, the order in which scikit-learn sorts classes: column i of every probability table is LABELS[i].
LABELS: tuple[str, ...] = tuple(sorted(f"{emotion}_{gender}" for emotion in EMOTION_NAMES for gender in GENDERS))


def common_name(emotion: str) -> str:
    """An emotion in the common vocabulary, whatever a corpus calls it.

    Parameters
    ----------
    emotion : str

    Returns
    -------
    str
        One of `EMOTION_NAMES` if it is one or a synonym of one, in upper or lower case; otherwise as written.

    Examples
    --------
    >>> common_name("Happiness"), common_name("Sad"), common_name("Boredom")
    ('happy', 'sad', 'Boredom')
    """
    lower = emotion.lower()
    name = SYNONYMS.get(lower, lower)
    return name if name in EMOTION_NAMES else emotion


def gender_name(gender: str) -> str:
    """A gender as it is called here, whatever a corpus calls it.

    Parameters
    ----------
    gender : str

    Returns
    -------
    str
        Of `GENDERS`, also for their first letters; any other as it is written.

    Examples
    --------
    >>> gender_name("F"), gender_name("Male"), gender_name("diverse")
    ('female', 'male', 'diverse')
    """
    lower = gender.lower()
    return next((name for name in GENDERS if lower in (name, name[0])), gender)


def ordered(emotions: Iterable[str]) -> list[str]:
    """Emotions in display order: the eight as RAVDESS numbers them, then others by name.

    Parameters
    ----------
    emotions : iterable of str

    Returns
    -------
    list of str
        Each of them once.

    Examples
    --------
    >>> ordered(["sad", "Boredom", "calm"])
    ['calm', 'sad', 'Boredom']
    """
    found = set(emotions)
    return [name for name in EMOTION_NAMES if name in found] + sorted(found - set(EMOTION_NAMES))


def colours(emotions: Iterable[str]) -> dict[str, str]:
    """The colour of each emotion: its own for the eight, and for another one that its name leads to.

    So an emotion keeps its colour when others are filtered away; only where two names lead to the same colour, one of
    them has the next that is free.

    Parameters
    ----------
    emotions : iterable of str

    Returns
    -------
    dict of str to str
        Hexadecimal, in the order of `ordered`. More than eight other emotions share colours.
    """
    found: dict[str, str] = {}
    for name in ordered(emotions):
        if name in BY_NAME:
            found[name] = BY_NAME[name].colour
            continue
        start = zlib.crc32(name.encode()) % len(OTHER_COLOURS)
        turned = OTHER_COLOURS[start:] + OTHER_COLOURS[:start]
        found[name] = next((colour for colour in turned if colour not in found.values()), turned[0])
    return found


def emotion_of(label: str) -> str:
    """The emotion of a class label: `angry_female` -> `angry`.

    Parameters
    ----------
    label : str
        One of `LABELS`, or an emotion, which is returned as it is.

    Returns
    -------
    str
    """
    emotion, _, gender = label.rpartition("_")
    return emotion if gender in GENDERS else label


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


def classes_of(labels: Sequence[str], emotions: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes that a model learns from some clips, and the class of each clip.

    They are the 16 classes if every clip belongs to one of them. Otherwise, if there are other emotions or speakers of
    unknown gender, they are the emotions of these clips.

    Parameters
    ----------
    labels, emotions : sequence of str [shape=(n,)]
        Of each clip, as an index has them.

    Returns
    -------
    classes : tuple of str
        `LABELS`, or the emotions that occur, in alphabetical order.
    of_clips : np.ndarray [shape=(n,), dtype=str]

    Raises
    ------
    ModelError
        If all clips have the same class.

    Examples
    --------
    >>> classes_of(["angry_male", "boredom"], ["angry", "boredom"])[0]
    ('angry', 'boredom')
    """
    is_known = set(labels) <= set(LABELS)
    of_clips = np.asarray(labels if is_known else emotions, dtype=str)
    if len(there := np.unique(of_clips)) < 2:
        raise ModelError(
            f"All clips are {' and '.join(there) or 'missing'}: a model needs clips of two or more classes"
        )
    return LABELS if is_known else tuple(there.tolist()), of_clips


def require_classes(labels: Iterable[str]) -> None:
    """Check that all clips belong to the 16 classes, which models that are kept for predictions are limited to.

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
            f"There are clips of other classes than the 16 that predictions and tuning know: {listed}. A class is one "
            f"of {', '.join(EMOTION_NAMES)}, by a speaker whose gender is female or male. Leave the others out of the "
            "table, or test a model on all of them: run"
        )


def title_of(label: str) -> str:
    """A class label for display: `angry_female` -> `Angry, female`.

    Parameters
    ----------
    label : str
        One of `LABELS`, or an emotion: `boredom` -> `Boredom`.

    Returns
    -------
    str
    """
    emotion = emotion_of(label).capitalize()
    return f"{emotion}, {gender_of(label)}" if label in LABELS else emotion


_WITH_EMOTION = [[i for i, label in enumerate(LABELS) if emotion_of(label) == name] for name in EMOTION_NAMES]
_WITH_GENDER = [[i for i, label in enumerate(LABELS) if gender_of(label) == name] for name in GENDERS]


def emotions_of(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The emotions among which a model with these classes chooses.

    Parameters
    ----------
    classes : tuple of str
        `LABELS`, or emotions, as `classes_of` returns them.

    Returns
    -------
    tuple of str
        `EMOTION_NAMES`, or the classes themselves.
    """
    return EMOTION_NAMES if classes == LABELS else classes


def by_emotion(probabilities: np.ndarray, classes: tuple[str, ...] = LABELS) -> np.ndarray:
    """Sum class probabilities over genders.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(..., classes)]
        In the order of `classes`.
    classes : tuple of str
        `LABELS`, or emotions, whose probabilities are returned as they are.

    Returns
    -------
    np.ndarray [shape=(..., emotions)]
        In the order of `emotions_of(classes)`: 8 by default.
    """
    return probabilities[..., _WITH_EMOTION].sum(axis=-1) if classes == LABELS else probabilities


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


def languages_in_words(codes: Iterable[str]) -> str:
    """Languages by their English names: "German and French". A code that is not known stands for itself.

    Parameters
    ----------
    codes : iterable of str
        Of ISO 639-1, such as "de".

    Returns
    -------
    str
        Empty if there is none.
    """
    return " and ".join(LANGUAGES.get(code, code) for code in codes)
