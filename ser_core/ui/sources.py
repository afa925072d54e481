"""Where a sound comes from: a microphone, files, or one of the clips of RAVDESS."""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ser_core import audio, corpus
from ser_core.corpus import Clip, pairs
from ser_core.corpus.labels import EMOTION_NAMES, GENDERS
from ser_core.errors import CorpusError
from ser_core.evaluation import protocols
from ser_core.ui import as_text, cached, choice
from ser_core.ui.bounds import MAX_TAKES
from ser_core.ui.clip import SHOWN_FIRST, audio_errors_shown, link_to_recordings
from ser_core.ui.takes import Take, Takes

RECORD, UPLOAD, EXAMPLE = "Record", "Upload", "Example"
OFFERED_PART = "test"  # of the study: what the models that ship have not learned from
PARTS = {
    "train": "The models that ship have learned from this very clip: that they know it says little.",
    "test": "The models that ship have not learned from this clip, but from others by the same actor.",
}


def choose_source() -> str:
    """Record, upload or an example; kept in the page's address, where a clip stands for an example.

    Returns
    -------
    str
        `RECORD`, `UPLOAD` or `EXAMPLE`.
    """
    titles = {key: key for key in (RECORD, UPLOAD, EXAMPLE)}
    default = EXAMPLE if st.query_params.get("clip") else RECORD
    return choice("Where the sound comes from", titles, key="source", default=default)


def ask(source: str, takes: Takes) -> Take | None:
    """The widgets of a source, and the take to look at.

    Parameters
    ----------
    source : str
        `RECORD`, `UPLOAD` or `EXAMPLE`.
    takes : Takes

    Returns
    -------
    Take or None
    """
    if source == EXAMPLE:
        return _example(takes)
    if source == RECORD:
        record(takes, "Say a sentence in the emotion of your choice", key="recording")
    else:
        _upload(takes)
    return takes.chosen


def record(takes: Takes, label: str, *, key: str, is_neutral: bool = False) -> None:
    """The microphone: each recording becomes a take.

    Parameters
    ----------
    takes : Takes
    label : str
    key : str
        Beginning of the widget's own.
    is_neutral : bool
        Whether the takes tell how the person usually speaks.
    """
    key = f"{key}-{takes.arrivals}"  # a new one each time: what was recorded is in the list of takes
    st.audio_input(
        label,
        sample_rate=48_000,
        key=key,
        on_change=_receive,
        args=(takes, key, is_neutral),
        help="No microphone? Browsers allow it on this machine (localhost) or over HTTPS only.",
    )


def _upload(takes: Takes) -> None:
    """Files: each becomes a take."""
    key = f"upload-{takes.arrivals}"
    st.file_uploader(
        "Drop one or more recordings of a voice here",  # of any ending or none: each is read by its content
        accept_multiple_files=True,
        key=key,
        on_change=_receive,
        args=(takes, key),
        help=f"Up to {MAX_TAKES} files of 25 MB and 10 minutes each: WAV, FLAC, OGG, MP3, M4A, WebM, AMR and more, "
        "under any name, and the sound of phone videos. They stay in memory, and are gone when you leave.",
    )


def _receive(takes: Takes, key: str, is_neutral: bool = False) -> None:
    """Put what a widget has got in line to be heard, and take it out of Streamlit's own memory."""
    got = st.session_state[key]
    # A widget whose files were taken out counts as changed once more.
    files = [file for file in (got if isinstance(got, list) else [got]) if isinstance(file, UploadedFile)]
    if not files:
        return
    sounds = [(file.name if isinstance(got, list) else "", file.getvalue()) for file in files]
    takes.receive(sounds, is_neutral=is_neutral)
    session: Any = get_script_run_ctx()
    for file in files:
        session.uploaded_file_mgr.remove_file(session.session_id, file.file_id)


def _example(takes: Takes) -> Take | None:
    """A clip of RAVDESS: the one that the address names, or of another emotion and voice; None if it is not here."""
    audible, parts = cached.audible(), protocols.original_parts()
    offered = [
        clip for clip in corpus.official_clips() if clip.stem in audible.files and parts[clip.stem] == OFFERED_PART
    ]
    asked = st.query_params.get("clip")
    clip = None if asked else pairs.nearest(offered, SHOWN_FIRST)
    try:
        clip = clip or corpus.parse(asked or "")
    except CorpusError as error:
        st.warning(as_text(f"{error}."))
    _choose_example(offered, clip or SHOWN_FIRST)
    if clip is None:
        return None
    known = PARTS.get(parts.get(clip.stem, ""), "")
    st.caption(f"**{corpus.title(clip)}**: “{corpus.STATEMENTS[clip.statement]}”. {known}")
    file = audible.file(clip.stem)
    if file is None:
        st.info("There is no recording of it here.", icon=":material/volume_off:")
        link_to_recordings()
        return None
    with audio_errors_shown(clip.stem, file):
        content = audio.read(file)
        if takes.example is None or takes.example.content != content:
            takes.example = Take(file.name, content)
        return takes.example
    return None


def _choose_example(offered: list[Clip], clip: Clip) -> None:
    """An emotion, a voice, and the next clip of them; each names a clip in the address, which is what is heard."""

    def like(emotion: str, voice: str) -> list[Clip]:
        return [one for one in offered if (one.emotion, one.gender) == (emotion, voice)]

    def change() -> None:
        there = like(st.session_state["example-emotion"], st.session_state["example-voice"])
        if there:
            show(pairs.nearest(there, clip))

    def show(other: Clip) -> None:
        st.query_params["clip"] = other.stem

    like_it = pairs.nearest(offered, clip)
    st.session_state["example-emotion"], st.session_state["example-voice"] = like_it.emotion, like_it.gender
    emotions = [name for name in EMOTION_NAMES if any(one.emotion == name for one in offered)]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        name: dict[str, Any] = {"format_func": str.capitalize, "on_change": change}
        emotion = st.selectbox("Emotion", emotions, key="example-emotion", width=132, **name)
        voice = st.selectbox("Voice", GENDERS, key="example-voice", width=108, **name)
        later = [one for one in like(emotion, voice) if one.stem > clip.stem] or like(emotion, voice)
        st.button("Another", icon=":material/skip_next:", on_click=show, args=later[:1], disabled=not later)
