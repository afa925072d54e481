"""Choosing clips to listen to: the available values, clips worth comparing, and how two clips differ, in words."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import pandas as pd

from ser_core.corpus import labels, wording
from ser_core.corpus.ravdess import Clip
from ser_core.corpus.wording import Wording

# In the order in which they are chosen: the choices of a field depend on the fields before it.
FIELDS = ("channel", "emotion", "intensity", "statement", "repetition", "speaker")
# Criteria of similarity, the most important first.
LIKENESS = ("speaker", "emotion", "channel", "statement", "intensity", "repetition")
SAME = ("statement", "channel")  # what clips that are worth comparing have in common


class AnyClip(SimpleNamespace):
    """A clip of any corpus: the columns of its index are its attributes."""

    fields: tuple[str, ...] = ("stem",)  # as `FIELDS`, for its corpus


def clips_of(index: pd.DataFrame) -> list[AnyClip]:
    """The clips of an index of any corpus. They are chosen by what the words of its corpus name, and then by stem.

    Parameters
    ----------
    index : pd.DataFrame

    Returns
    -------
    list of AnyClip
    """
    chosen = [name for name in wording.of(index).titles if name != "gender"]
    fields = (*chosen, "stem")
    named = index[[*dict.fromkeys([*fields, "gender", "emotion", "speaker"])]]
    kind = type("ClipOfCorpus", (AnyClip,), {"fields": fields})
    names = list(named)
    return [kind(**dict(zip(names, row, strict=True))) for row in named.itertuples(index=False, name=None)]


def fields_of(clip: Clip | AnyClip) -> tuple[str, ...]:
    """The fields by which clips of its corpus are chosen, in their order.

    Parameters
    ----------
    clip : Clip or AnyClip

    Returns
    -------
    tuple of str
    """
    return FIELDS if isinstance(clip, Clip) else type(clip).fields


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
    for field in LIKENESS if isinstance(clip, Clip) else ("speaker", *fields_of(clip)):
        clips = _agreeing(clips, clip, (field,)) or clips
    return clips[0]


def offered(clips: Sequence[Clip], clip: Clip, field: str) -> list:
    """The available values of a field, given a clip's values of the fields before it.

    Parameters
    ----------
    clips : sequence of Clip
    clip : Clip
    field : str
        One of `fields_of(clip)`.

    Returns
    -------
    list of str or int
    """
    values = {getattr(other, field) for other in _agreeing(clips, clip, _before(field, clip))}
    return labels.ordered(values) if field == "emotion" else sorted(values)


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
    candidates = _agreeing(clips, clip, _before(field, clip))
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
    same = _agreeing(clips, clip, ("speaker", *_same(clip)))
    found: dict[str, list[Clip]] = {}
    for other in same:
        if other.emotion != clip.emotion:
            found.setdefault(other.emotion, []).append(other)
    return {name: nearest(found[name], clip) for name in labels.ordered(found)}


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
    same = _agreeing(clips, clip, ("emotion", *_same(clip)))
    found = {}
    for gender in labels.GENDERS:
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


def names(one: Clip, other: Clip, words: Wording = wording.RAVDESS) -> tuple[str, str]:
    """Short names of two clips, made of what distinguishes them, e.g. `Angry` and `Calm`.

    Parameters
    ----------
    one, other : Clip
    words : Wording
        Of their corpus.

    Returns
    -------
    tuple of str
    """
    differ = [field for field in fields_of(one) if getattr(one, field) != getattr(other, field)] or ["emotion"]
    return _name(one, differ, words), _name(other, differ, words)


def _name(clip: Clip, differ: list[str], words: Wording) -> str:
    said = {field: words.said(field, getattr(clip, field)) for field in ("emotion", "speaker", *fields_of(clip))}
    if isinstance(clip, Clip):
        said["intensity"] += " intensity"
        said["statement"] = f"“{said['statement'].split()[0]} …”"
    first, *rest = [word for field, word in said.items() if field in differ]
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
        sentences.append(f"{first} is {wording.enumerated(differ)} than {_lower(second)}.")
    if alike:
        who = "Both" if differ else f"{first} and {_lower(second)}"
        sentences.append(f"{who} are about equally {wording.enumerated(alike)}.")
    return " ".join(sentences)


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _before(field: str, clip: Clip) -> tuple[str, ...]:
    fields = fields_of(clip)
    return fields[: fields.index(field)]


def _same(clip: Clip) -> tuple[str, ...]:
    """What clips worth comparing have in common; of another corpus it is not known which column is the sentence."""
    return SAME if isinstance(clip, Clip) else ()


def _agreeing(clips: Sequence[Clip], clip: Clip, fields: tuple[str, ...]) -> list[Clip]:
    """The clips that agree with `clip` in some fields."""
    return [other for other in clips if all(getattr(other, field) == getattr(clip, field) for field in fields)]
