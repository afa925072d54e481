"""Which corpus the pages of the data show: RAVDESS, or one that is registered in the workspace."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.errors import StreamlitAPIException

from ser_core.corpus import Corpus, by_clip, file_names, ravdess, registered, wording
from ser_core.corpus.registered import Registered
from ser_core.corpus.wording import Wording
from ser_core.errors import SerError
from ser_core.ui import TERMS, as_text, cached, cite, name_unreadable, settings, without_folders

KEY = "corpus"  # in the address: ?corpus=emodb
RAVDESS = "RAVDESS"


@dataclass(frozen=True)
class Shown:
    """The corpus that a page shows.

    Parameters
    ----------
    clips : pd.DataFrame
        Its index, shared by all sessions: never change it. That of RAVDESS has its features, too.
    audible : Corpus
        The clips that can be heard.
    wording : Wording
    registered : Registered or None
        None for RAVDESS.
    """

    clips: pd.DataFrame
    audible: Corpus
    wording: Wording
    registered: Registered | None = None

    @property
    def is_ravdess(self) -> bool:
        """Whether it is RAVDESS, of which there is more to see."""
        return self.registered is None

    @property
    def name(self) -> str:
        """What it is called in addresses and file names."""
        return self.registered.name if self.registered else ravdess.NAME

    @property
    def address(self) -> dict[str, str]:
        """What stands in the addresses of its pages."""
        return {KEY: self.name} if self.registered else {}

    def title(self, clip) -> str:
        """A clip in words, for Markdown: "Angry speech by actor 12, female"."""
        words = self.wording.title(clip)
        return words if self.is_ravdess else as_text(words)

    def file(self, stem: str) -> Path | None:
        """The recording of a clip; None if it is not here."""
        file = self.audible.file(stem)
        return file if file and file.is_file() else None


def choose() -> Shown:
    """The corpus that the address names, with a way to another one where any is registered.

    What was chosen on another page holds on this one, unless its address says something else: links to clips of RAVDESS
    name no corpus.

    Returns
    -------
    Shown
        RAVDESS, below a line that says why, if the corpus cannot be read.
    """
    there, unreadable = registered.read_all(settings().workspace)
    asked = st.query_params.get(KEY)
    if asked is None and not st.query_params:
        asked = st.session_state.get("corpus-kept")
    chosen = None
    if asked and asked != ravdess.NAME:
        try:
            chosen = registered.find(asked, there)
        except SerError as error:
            st.warning(as_text(f"{error}. RAVDESS is shown instead."))
    name = chosen.name if chosen else ravdess.NAME
    _point_at(name)
    if there:
        titles = {ravdess.NAME: RAVDESS} | {one.name: one.name for one in there}
        st.session_state["corpus-chosen"] = name
        st.selectbox(
            "Corpus", list(titles), format_func=titles.__getitem__, key="corpus-chosen", on_change=_change, width=260
        )
    name_unreadable(unreadable)
    if chosen:
        try:
            found = cached.registered_clips(chosen)
        except SerError as error:
            st.error(as_text(f"{chosen.name} cannot be shown. {error}. RAVDESS is shown instead."))
        else:
            cite(terms(found.clips["corpus"].unique()))
            return Shown(found.clips, found, wording.of(found.clips), chosen)
    return Shown(cached.clips(), cached.audible(), wording.RAVDESS)


def terms(names: Iterable[str]) -> str:
    """What is cited for some corpora, and whose terms hold.

    Parameters
    ----------
    names : iterable of str
        As in an index.

    Returns
    -------
    str
        Markdown.
    """
    from ser_core.results import citations

    titles = {one.name: one.title for one in file_names.CORPORA}
    said, own = [], []
    for name in sorted(names):
        if name == ravdess.NAME:
            said.append(TERMS)
        elif name in titles:
            doi = citations.doi_of(name)
            said.append(f"{as_text(titles[name])}, [doi:{doi}](https://doi.org/{doi}). Its makers' terms hold.")
        else:
            own.append(name)
    if own:
        whose = "one's own recordings, added by those who run this app. Their makers' terms hold."
        said.append(f"{as_text(by_clip.listed(own))}: {whose}")
    return "\n\n".join(said)


def _point_at(name: str) -> None:
    st.session_state["corpus-kept"] = name
    if name == ravdess.NAME:
        st.query_params.pop(KEY, None)
    elif st.query_params.get(KEY) != name:
        st.query_params[KEY] = name


def _change() -> None:
    """Another corpus, of which a clip in the address is none. What widgets keep there stays if it has that, too."""
    for name in list(st.query_params):
        with suppress(StreamlitAPIException):  # a widget's
            del st.query_params[name]
    _point_at(st.session_state["corpus-chosen"])


def command(shown: Shown) -> str:
    """The command that makes the features of a registered corpus, without the folders of this server above it.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    str
    """
    one: Any = shown.registered
    return without_folders(f"python -m ser_core extract {one.manifest or 'DIR'} --name {one.name}")
