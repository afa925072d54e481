"""Who one is in a class: the teacher or a pupil of this session. Light: every page looks whether a class is too old."""

from __future__ import annotations  # what this is about is loaded by the pages that need it

import logging
from typing import TYPE_CHECKING

import streamlit as st

from ser_core.classroom.database import FILE
from ser_core.errors import ClassroomError
from ser_core.ui import as_text, settings

if TYPE_CHECKING:
    from ser_core.classroom.room import Pupil, Teacher
    from ser_core.classroom.rules import Store
    from ser_core.prediction.predictor import Prediction

logger = logging.getLogger(__name__)

PLACE, TOKEN = "class", "me"  # in addresses: the class's code, and what a pupil comes back with
_TEACHER, _PUPIL = "classroom-teacher", "classroom-pupil"  # in a session


def store() -> Store:
    """The classes of this installation, shared by all sessions.

    Returns
    -------
    Store

    Raises
    ------
    ReadOnlyError
        If this installation may hold none.
    """
    settings().require_classes()
    return _store(str(settings().workspace))


@st.cache_resource(max_entries=2, show_spinner=False)
def _store(workspace: str) -> Store:
    from ser_core.classroom.rules import Store

    return Store.of(settings())


@st.cache_resource(ttl=3600, max_entries=2, show_spinner=False)
def _tidied(workspace: str) -> None:
    try:
        store().tidy()
    except ClassroomError as error:  # which the pages of classes show; the others need none
        logger.error("Classes cannot be tidied: %s", error)


def tidy() -> None:
    """Delete the classes whose time is over, once an hour; a visit to any page is enough."""
    file = settings().workspace / FILE
    if settings().classes and file.exists():
        _tidied(str(settings().workspace))


def client() -> str:
    """Who visits, for counting wrong guesses.

    Returns
    -------
    str
        The visitor's address; empty on this machine itself.
    """
    return st.context.ip_address or ""


def teacher() -> Teacher | None:
    """The teacher of this session. Nothing in an address makes one a teacher.

    Returns
    -------
    Teacher or None
    """
    return st.session_state.get(_TEACHER)


def enter(who: Teacher | None) -> None:
    """Remember, or with None forget, that this session is a teacher's.

    Parameters
    ----------
    who : Teacher or None
    """
    st.session_state[_TEACHER] = who
    if who:
        st.query_params[PLACE] = who.code  # which says nothing that the teacher's screen does not


def pupil() -> Pupil | None:
    """The pupil of this session, or the one whom the page's address brings back.

    Returns
    -------
    Pupil or None
    """
    code, token = st.query_params.get(PLACE, ""), st.query_params.get(TOKEN, "")
    if token and (found := store().pupil(code, token)):
        st.session_state[_PUPIL] = found
    elif code and (kept := st.session_state.get(_PUPIL)) and kept.code != code:
        st.session_state[_PUPIL] = None  # an invitation to another class
    found = st.session_state.get(_PUPIL)
    if found and not store().pupil(found.code, found.token):
        found = st.session_state[_PUPIL] = None
    return found


def sit_down(who: Pupil | None) -> None:
    """Remember a pupil in the session and in the page's address, or with None forget them.

    Parameters
    ----------
    who : Pupil or None
    """
    st.session_state[_PUPIL] = who
    if who:
        st.query_params.update({PLACE: who.code, TOKEN: who.token})
    else:
        st.query_params.clear()


def offer_sharing(prediction: Prediction, model: str, key: str) -> None:
    """A button that shares a take's answer, never its sound, with the class that this session's pupil is in.

    Parameters
    ----------
    prediction : Prediction
    model : str
        Its title.
    key : str
        Of the take.
    """
    who = st.session_state.get(_PUPIL)
    if who is None or prediction.turns is not None or not settings().classes:
        return
    shared = st.session_state.setdefault("classroom-shared", set())
    if (key, model) in shared:
        st.caption(f"Shared with class {who.code}: this answer, not the sound.")
    elif st.button(
        f"Share this answer with class {who.code}",
        icon=":material/group:",
        help="The teacher sees your nickname, the verdict, the emotions that it names and the model; the sound stays.",
    ):
        try:
            store().share(who, prediction.verdict, prediction.possible, model)
        except ClassroomError as error:
            st.error(as_text(str(error)))
            return
        shared.add((key, model))
        st.rerun()
