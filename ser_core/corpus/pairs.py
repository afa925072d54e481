"""Choosing clips to listen to: the available values, clips worth comparing, and how two clips differ, in words."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ser_core.corpus import Clip, said
from ser_core.corpus.labels import EMOTION_NAMES, GENDERS

# In the order in which they are chosen: the choices of a field depend on the fields before it.
FIELDS = ("channel", "emotion", "intensity", "statement", "repetition", "speaker")
# Criteria of similarity, the most important first.
LIKENESS = ("speaker", "emotion", "channel", "statement", "intensity", "repetition")


def nearest(clips: Sequence[Clip], clip: Clip) -> Clip:
    """The clip that is most similar to another one, by `LIKENESS`.

    Parameters
    ----------
    clips : sequence of Clip
        At least one; may include `clip`.
    clip : Clip

    Returns
    -------
    Clip
    """
    for field in LIKENESS:
        clips = _agreeing(clips, clip, (field,)) or clips
    return clips[0]


def offered(clips: Sequence[Clip], clip: Clip, field: str) -> list:
    """The available values of a field, given a clip's values of the fields before it.

    Parameters
    ----------
    clips : sequence of Clip
    clip : Clip
    field : str
        One of `FIELDS`.

    Returns
    -------
    list of str or int
    """
    values = {getattr(other, field) for other in _agreeing(clips, clip, _before(field))}
    return sorted(values, key=EMOTION_NAMES.index if field == "emotion" else None)


def changed(clips: Sequence[Clip], clip: Clip, field: str, value) -> Clip:
    """The clip after one of its fields is changed.

    The fields before it stay the same; those after it stay the same if there is such a clip.

    Parameters
    ----------
    clips : sequence of Clip
    clip : Clip
    field : str
        One of `FIELDS`.
    value : str or int
        One of `offered`.

    Returns
    -------
    Clip
    """
    candidates = _agreeing(clips, clip, _before(field))
    return nearest([other for other in candidates if getattr(other, field) == value], clip)


def other_emotions(clips: Sequence[Clip], clip: Clip) -> dict[str, Clip]:
    """The same actor with the same sentence in each other emotion, in the same intensity if possible.

    Parameters
    ----------
    clips : sequence of Clip
    clip : Clip

    Returns
    -------
    dict of str to Clip
        By emotion.
    """
    same = _agreeing(clips, clip, ("speaker", "statement", "channel"))
    found = {name: [other for other in same if other.emotion == name] for name in EMOTION_NAMES if name != clip.emotion}
    return {name: nearest(there, clip) for name, there in found.items() if there}


def other_voices(clips: Sequence[Clip], clip: Clip, after: str) -> dict[str, Clip]:
    """The same sentence in the same emotion by another woman and by another man, if there are such clips.

    Parameters
    ----------
    clips : sequence of Clip
    clip : Clip
    after : str
        A speaker. The next speaker by number is taken, and the first one after the last.

    Returns
    -------
    dict of str to Clip
        By gender.
    """
    same = _agreeing(clips, clip, ("emotion", "statement", "channel"))
    found = {}
    for gender in GENDERS:
        others = [other for other in same if other.gender == gender and other.speaker != clip.speaker]
        if others:
            speaker = min((other.speaker for other in others), key=lambda speaker: (speaker <= after, speaker))
            found[gender] = nearest([other for other in others if other.speaker == speaker], clip)
    return found


def partners(clips: Sequence[Clip], clip: Clip) -> list[Clip]:
    """Clips worth comparing with a clip: other emotions, then other voices.

    Parameters
    ----------
    clips : sequence of Clip
    clip : Clip

    Returns
    -------
    list of Clip
        If there are none, the clip itself.
    """
    emotions, voices = other_emotions(clips, clip), other_voices(clips, clip, after=clip.speaker)
    return [*emotions.values(), *voices.values()] or [clip]


def names(one: Clip, other: Clip) -> tuple[str, str]:
    """Short names of two clips, made of what distinguishes them, e.g. `Angry` and `Calm`.

    Parameters
    ----------
    one, other : Clip

    Returns
    -------
    tuple of str
    """
    differ = [field for field in FIELDS if getattr(one, field) != getattr(other, field)] or ["emotion"]
    return _name(one, differ), _name(other, differ)


def _name(clip: Clip, differ: list[str]) -> str:
    words = {field: said(field, getattr(clip, field)) for field in ("emotion", "speaker", *FIELDS)}
    words["intensity"] += " intensity"
    words["statement"] = f"“{words['statement'].split()[0]} …”"
    first, *rest = [word for field, word in words.items() if field in differ]
    return first + (f" ({', '.join(map(_lower, rest))})" if rest else "")


@dataclass(frozen=True)
class Voice:
    """The acoustic properties in which clips are compared.

    Parameters
    ----------
    loudness_lufs : float
    pitch_hz : float
        Median; NaN if the clip is unvoiced.
    length_s : float
        In seconds.
    """

    loudness_lufs: float
    pitch_hz: float
    length_s: float

    def __str__(self) -> str:
        pitch = "no pitch" if math.isnan(self.pitch_hz) else f"median pitch {self.pitch_hz:.0f} Hz"
        loudness = f"loudness {self.loudness_lufs:.0f} LUFS".replace("-", "\N{MINUS SIGN}")
        return f"{self.length_s:.1f} s, {loudness}, {pitch}"


def compare(one: Voice, other: Voice, names: tuple[str, str]) -> str:
    """Describe how the first of two clips differs from the second.

    Differences that are hardly audible (below 1 dB, half a semitone or 0.1 s) are reported as equal.

    Parameters
    ----------
    one, other : Voice
    names : tuple of str
        As `names` returns them.

    Returns
    -------
    str
        Markdown.
    """
    if names[0] == names[1]:
        return "Both are the same clip."
    pitch = 12 * math.log2(one.pitch_hz / other.pitch_hz)
    loudness, length = one.loudness_lufs - other.loudness_lufs, one.length_s - other.length_s
    return in_words(
        (
            (loudness, 1.0, f"{abs(loudness):.0f} dB", "louder", "quieter", "loud"),
            (pitch, 0.5, semitones(pitch), "higher", "lower", "high"),
            (length, 0.1, f"{abs(length):.1f} s", "longer", "shorter", "long"),
        ),
        names,
    )


def semitones(number: float) -> str:
    """A difference in pitch in words, without its direction.

    Parameters
    ----------
    number : float

    Returns
    -------
    str
    """
    return "1 semitone" if 0.5 <= abs(number) < 1.5 else f"{abs(number):.0f} semitones"


def in_words(differences: Iterable[tuple[float, float, str, str, str, str]], names: Sequence[str]) -> str:
    """Say how the first of two clips differs from the second.

    Parameters
    ----------
    differences : iterable of tuple
        The difference, the least one that is not reported as equal, the amount in words, what the first clip is if the
        difference is above 0 and if it is below, and what both are if they are equal, e.g. `(3.2, 1.0, "3 dB",
        "louder", "quieter", "loud")`. Of an infinite difference nothing is said.
    names : sequence of str
        Of both clips.

    Returns
    -------
    str
        Markdown.
    """
    first, second = names
    differ, alike = [], []
    for difference, least, amount, more, less, quality in differences:
        if abs(difference) < least:
            alike.append(quality)
        elif math.isfinite(difference):
            differ.append(f"**{amount} {more if difference > 0 else less}**")
    sentences = []
    if differ:
        sentences.append(f"{first} is {_listed(differ)} than {_lower(second)}.")
    if alike:
        who = "Both" if differ else f"{first} and {_lower(second)}"
        sentences.append(f"{who} are about equally {_listed(alike)}.")
    return " ".join(sentences)


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _before(field: str) -> tuple[str, ...]:
    return FIELDS[: FIELDS.index(field)]


def _agreeing(clips: Sequence[Clip], clip: Clip, fields: tuple[str, ...]) -> list[Clip]:
    """The clips that agree with `clip` in some fields."""
    return [other for other in clips if all(getattr(other, field) == getattr(clip, field) for field in fields)]
