"""Two takes side by side: to the ear, in words, and drawn on one scale."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from ser_core.features import differences, speaking
from ser_core.prediction.predictor import Predictor
from ser_core.ui import as_text
from ser_core.ui.answer import at_a_glance, headline
from ser_core.ui.clip import play
from ser_core.ui.side_by_side import Sound, show_views
from ser_core.ui.takes import Take, Takes


def choose_other(take: Take, takes: Takes) -> Take | None:
    """The take to compare one with, if there is another and one is chosen.

    Parameters
    ----------
    take : Take
    takes : Takes

    Returns
    -------
    Take or None
    """
    others = {
        one.key: one for one in (*takes.newest_first, takes.example) if one and one is not take and not one.problem
    }
    if not others:
        return None
    names = {"": "Nothing"} | {key: one.name for key, one in others.items()}
    st.session_state["other"] = takes.other.key if takes.other and takes.other.key in others else ""
    key = st.selectbox(
        "Compare with",
        names,
        format_func=names.__getitem__,
        key="other",
        on_change=lambda: setattr(takes, "other", others.get(st.session_state["other"])),
        width=360,
    )
    return others.get(key)


def compare(take: Take, other: Take, predictor_of: Callable[[Take], Predictor]) -> None:
    """Hear and see two takes on one scale, with their difference in words.

    Parameters
    ----------
    take, other : Take
        Heard, or at least readable.
    predictor_of : callable
        The predictor for a take.
    """
    two = (take, other)
    sounds = [Sound(one.digest, one.waveform, is_private=True) for one in two]
    names = [f"“{as_text(one.name)}”" for one in two]
    for column, one, sound, name in zip(st.columns(2), two, sounds, names, strict=True):
        with column:
            prediction = one.heard(predictor_of(one))
            st.markdown(f"**{name}** {at_a_glance(prediction)}")
            play(one.content, partial(getattr, sound, "waveform"))
            st.caption(f"{headline(prediction)}. {sound.voice}.")
    if take.digest == other.digest:
        st.markdown("Both are the same recording.")
    else:
        said = differences.compare(sounds[0].speaking, sounds[1].speaking, names)
        st.markdown(said or "There is too little voice in them to tell how they differ.")
        st.caption(
            "How loud a recording is as a whole depends on the microphone and is left out; *varied in loudness* is how "
            "far loud and quiet moments of the voice lie apart. 12 semitones are an octave: twice the frequency."
        )
        with st.expander("The numbers"):
            st.dataframe(_numbers(sounds, [one.name for one in two]), hide_index=True)
    show_views(sounds, [one.name for one in two])


def _numbers(sounds: Sequence[Sound], names: Sequence[str]) -> pd.DataFrame:
    """One row for each thing that a listener notices."""
    numbered = [f"{number}. {name}" for number, name in enumerate(names, start=1)]
    rows = []
    for place, measure in enumerate(speaking.MEASURES):
        values = (float(sound.speaking[place]) for sound in sounds)
        said = [measure.said(value) if math.isfinite(value) else "" for value in values]
        rows.append({"what": measure.title, **dict(zip(numbered, said, strict=True)), "how": measure.note})
    return pd.DataFrame(rows)
