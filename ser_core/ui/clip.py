"""A clip on a page: player, description, mel spectrogram."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from ser_core import audio, corpus
from ser_core.audio import decoders
from ser_core.errors import AudioError, CorpusError
from ser_core.ui import MIME, as_text, cached, chart, settings, without_folders
from ser_core.ui.corpora import Shown

SHOWN_FIRST = corpus.parse("03-01-05-02-01-01-12")


def player(file: Path | None, *, link: bool = True) -> None:
    """Play a clip's file, or say that there is none, with a link to the page that gets the recordings.

    Parameters
    ----------
    file : Path or None
    link : bool
        Whether to link to the page that gets the recordings.
    """
    if file is None:
        st.info("There is no recording of it here.", icon=":material/volume_off:")
        if link and not settings().read_only:
            link_to_recordings()
        return
    play(audio.read(file), lambda: cached.waveform(file))


def link_to_recordings() -> None:
    """A link to the page that gets the recordings."""
    st.page_link("pages/dataset.py", label="Get the recordings", icon=":material/download:")


def play(content: bytes, decoded: Callable[[], audio.Waveform]) -> None:
    """Play a file, or what is decoded from it if browsers do not play its format.

    Parameters
    ----------
    content : bytes
    decoded : callable
        Returns the waveform of the content.
    """
    format = decoded().format if decoders.needs_sandbox(content) else decoders.recognise(content)
    if format not in MIME:
        content, format = decoded().wav(), "wav"
    st.audio(content, format=MIME[format])


def clip_card(stem: str, file: Path | None, *, link: bool = True, of: Shown | None = None) -> None:
    """A clip's description and player, with buttons that open it on other pages.

    Parameters
    ----------
    stem : str
    file : Path or None
    link : bool
        As `player` takes it.
    of : Shown, optional
        The corpus of the clip; RAVDESS if left out.
    """
    try:
        heading = _in_words(stem, of)
    except CorpusError:  # of another corpus, whose names have no fields
        st.markdown(f"**{as_text(stem)}**")
        return
    with st.container(border=True):
        st.markdown(heading)
        with audio_errors_shown(stem, file):
            player(file, link=link)
        if file is None:
            return
        # A link would add the clip to this page's own address, too.
        with st.container(horizontal=True):
            if st.button("See more of it", icon=":material/graphic_eq:", type="tertiary", key="see-more"):
                st.switch_page("pages/sound.py", query_params={"clip": stem, **(of.address if of else {})})
            if of and not of.is_ravdess:
                return
            if st.button("What does a model hear?", icon=":material/hearing:", type="tertiary", key="hear-it"):
                st.switch_page("pages/predict.py", query_params={"clip": stem})


def _in_words(stem: str, of: Shown | None) -> str:
    if of is None or of.is_ravdess:
        clip = corpus.parse(stem)
        return f"**{corpus.title(clip)}**: “{corpus.STATEMENTS[clip.statement]}”"
    (title,) = of.wording.titles_of(of.clips[of.clips["stem"] == stem])
    return f"**{as_text(title)}**: {as_text(stem)}"


def clip_picture(stem: str, file: Path | None) -> None:
    """A clip's mel spectrogram, if it is there.

    Parameters
    ----------
    stem : str
    file : Path or None
    """
    from ser_core.figures import clip as figures

    if file:
        with audio_errors_shown(stem, file):
            sound = cached.waveform(file)
            chart(figures.mel(sound.samples, sound.rate), key=f"mel-{stem}")


@contextmanager
def audio_errors_shown(stem: str, file: Path | None):
    """Show an `AudioError` of a clip in one line, and continue with the page.

    Parameters
    ----------
    stem : str
    file : Path or None
    """
    try:
        yield
    except AudioError as error:
        st.error(without_folders(f"{stem} cannot be heard. {str(error).removeprefix(f'{file}: ')}"))
