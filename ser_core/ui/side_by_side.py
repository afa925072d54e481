"""One sound or two on the same scale: the views of `figures.clip`, which are drawn once and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import streamlit as st

from ser_core import audio
from ser_core.corpus import pairs
from ser_core.features import prosody, speaking
from ser_core.features.mean180 import N_MELS, N_MFCC
from ser_core.figures.clip import BY_KEY, VIEWS, Scale
from ser_core.ui import chart, options

SHOWN_FIRST = ["waveform", "mel", "pitch"]
BANDS = (20, 40, 64, N_MELS)
COEFFICIENTS = (13, 20, N_MFCC)


@dataclass(frozen=True)
class Sound:
    """A sound that can be drawn.

    Parameters
    ----------
    key : str
        Under which what is made of it is kept; another one when the sound has changed.
    waveform : Waveform
    is_private : bool
        Whether what is made of it is kept for this session alone, and little of it.
    """

    key: str
    waveform: audio.Waveform
    is_private: bool = False

    @property
    def scale(self) -> Scale:
        """Its own limits of axes and colours."""
        return self.scale_of(N_MELS, N_MFCC)

    def scale_of(self, n_mels: int, n_mfcc: int) -> Scale:
        """Its own limits of axes and colours with that many mel bands and MFCC."""
        return _kept[self.is_private]["scale"](self.key, n_mels, n_mfcc, self.waveform)

    @property
    def voice(self) -> pairs.Voice:
        """Its loudness, pitch and length."""
        return _kept[self.is_private]["voice"](self.key, self.waveform)

    @property
    def speaking(self) -> np.ndarray:
        """`speaking.extract` of it."""
        return _kept[self.is_private]["speaking"](self.key, self.waveform)

    def view(self, view: str, scale: Scale, name: str):
        """The figure of one of `figures.clip.VIEWS`, and its sentence: never change it."""
        return _kept[self.is_private]["view"](view, self.key, scale, name, self.waveform)


def _scale(key: str, n_mels: int, n_mfcc: int, _waveform: audio.Waveform) -> Scale:
    return Scale.of(_waveform.samples, _waveform.rate, n_mels, n_mfcc)


def _voice(key: str, _waveform: audio.Waveform) -> pairs.Voice:
    loudness_lufs, pitch_hz = prosody.extract(_waveform.samples).tolist()
    return pairs.Voice(loudness_lufs, pitch_hz, _waveform.duration_s)


def _speaking(key: str, _waveform: audio.Waveform) -> np.ndarray:
    return speaking.extract(_waveform.samples)


def _view(view: str, key: str, scale: Scale, name: str, _waveform: audio.Waveform):
    return BY_KEY[view].draw(_waveform.samples, _waveform.rate, scale, name)


def _caches(scope: str, entries: int) -> dict:
    keep = {"scope": scope, "max_entries": entries, "show_spinner": False}
    data, resource = partial(st.cache_data, **keep), partial(st.cache_resource, **keep)
    return {"scale": data(_scale), "voice": data(_voice), "speaking": data(_speaking), "view": resource(_view)}


_kept = {False: _caches("global", 256), True: _caches("session", 2 * len(VIEWS))}


def forget() -> None:
    """Let go of what is kept for this session."""
    for made in _kept[True].values():
        made.clear()


def choose_views() -> list[str]:
    """Which views to show, in their own order; kept in the page's address.

    Returns
    -------
    list of str
        Their keys.
    """
    titles = {view.title for view in VIEWS}
    if not titles.intersection(st.query_params.get_all("views")):  # none is asked for, or none that there is
        st.session_state.setdefault("views", SHOWN_FIRST)  # not as the pills' default: "All" sets them too
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("**Look at**", width="content")
        chosen = st.pills(
            "Views",
            list(BY_KEY),
            selection_mode="multi",
            format_func=lambda key: BY_KEY[key].title,
            key="views",
            bind="query-params",
            wrap=True,
            label_visibility="collapsed",
        )
        st.button(f"All {len(VIEWS)}", type="tertiary", on_click=_choose_all, key="all-views")
    return [key for key in BY_KEY if key in chosen]


def _choose_all() -> None:
    st.session_state["views"] = list(BY_KEY)


def _choose_detail(views: Sequence[str]) -> tuple[int, int]:
    """How many mel bands and how many MFCC, where what is shown has them; kept in the page's address."""
    n_mels, n_mfcc = N_MELS, N_MFCC
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if {"mel", "mfcc"}.intersection(views):
            n_mels = _one_of("Mel bands", BANDS, "n-mels")
        if "mfcc" in views:
            n_mfcc = _one_of("Number of MFCC", COEFFICIENTS, "n-mfcc")
    if n_mfcc > n_mels and "mfcc" in views:
        st.caption(f"There are no more MFCC than mel bands: {n_mels} of each are shown.")
    return n_mels, n_mfcc


def _one_of(label: str, numbers: tuple[int, ...], key: str) -> int:
    """One of a few numbers, of which the last is the study's."""
    titles = {number: str(number) for number in numbers} | {numbers[-1]: f"{numbers[-1]}, as in the 180 numbers"}
    return st.selectbox(
        label,
        index=len(numbers) - 1,
        help="Called n_mels and n_mfcc in librosa. The study's 180 numbers come from 128 mel bands and 40 MFCC; its "
        "program for pictures had 128 and 20. Fewer are coarser: what lies close together becomes one.",
        width=220,
        **options(titles, key),
    )


def show_views(sounds: Sequence[Sound | None], names: Sequence[str]) -> None:
    """The chosen views of each sound, side by side on one scale, and what they are.

    Parameters
    ----------
    sounds : sequence of Sound or None
        At least one sound; None leaves a place empty.
    names : sequence of str
        For the titles of the figures, where there are two.
    """
    views = choose_views()
    n_mels, n_mfcc = _choose_detail(views)
    scale = reduce(Scale.joined, [sound.scale_of(n_mels, n_mfcc) for sound in sounds if sound])
    for key in views:
        view = BY_KEY[key]
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f"**{view.question}**", width="content")
                with st.popover("What is this?", type="tertiary", icon=":material/help:"):
                    st.markdown(f"**{view.title}.** {view.explanation}")
            for side, (column, sound) in enumerate(zip(st.columns(len(sounds)), sounds, strict=True)):
                if sound:
                    with column:
                        chart(sound.view(key, scale, names[side]), key=f"{key}-{side}")
