"""Who looks at a page: a browser, told from others by a cookie, and perhaps the administrator of this server."""

import hashlib
import hmac
import secrets

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ser_core import jobs
from ser_core.classroom.guesses import Allowance, Guesses
from ser_core.errors import JobError, SerError
from ser_core.jobs import Job
from ser_core.ui import settings
from ser_core.ui.bounds import network_of

COOKIE = "ser_visitor"

# Wrong passwords: of one network fewer than of all, so that nobody who guesses locks out the administrator elsewhere.
guesses = Guesses(Allowance(5, 12.0), Allowance(30, 2.0))

_secret = secrets.token_bytes(32)  # so that no address can be told from a hash of it


def owner() -> str:
    """The hash of this browser's token, under which its jobs are kept.

    Returns
    -------
    str
    """
    token = st.context.cookies.get(COOKIE)
    if not token:  # of a browser that takes no cookies: it is known until its page is loaded again
        token = st.session_state.setdefault("visitor-token", secrets.token_urlsafe(32))
    return hashlib.sha256(str(token).encode()).hexdigest()


def network() -> str:
    """A hash of this visitor's network, under which jobs are counted. Other servers' hashes are others.

    Returns
    -------
    str
        Empty of the server's own work, which nobody has asked for.
    """
    if not get_script_run_ctx(suppress_warning=True):
        return ""
    return hmac.digest(_secret, network_of(st.context.ip_address).encode(), "sha256").hex()


def control() -> str | None:
    """What `jobs.stop` and its like take as `by`: None for the administrator.

    Returns
    -------
    str or None
    """
    return None if st.session_state.get("is-administrator") else owner()


def may_control(job: Job) -> bool:
    """Whether this visitor may stop, resume or delete a job.

    Parameters
    ----------
    job : Job

    Returns
    -------
    bool
    """
    try:
        jobs.check_control(job, control())
    except JobError:
        return False
    return True


def log_in(password: str) -> None:
    """Make this session the administrator's, if the password is right.

    Parameters
    ----------
    password : str

    Raises
    ------
    SerError
        If it is wrong, or too many were.
    """
    wanted, here = settings().admin_password or "", network()
    guesses.require_free(here)
    if not wanted or not hmac.compare_digest(password.encode(), wanted.encode()):
        guesses.count(here)
        raise SerError("This is not the administrator's password")
    st.session_state["is-administrator"] = True


def offer_login() -> None:
    """Where an administrator's password is set: a place to type it."""
    if not settings().admin_password or settings().read_only:
        return
    if st.session_state.get("is-administrator"):
        st.caption(":material/shield_person: You can stop, resume and delete everybody's work.")
        return
    with st.popover("Administrator", icon=":material/shield_person:", type="tertiary"), st.form("administrator"):
        password = st.text_input("Password", type="password", key="admin-password")
        if st.form_submit_button("Control everybody's work"):
            try:
                log_in(password)
            except SerError as error:
                st.error(f"{error}.")
            else:
                st.rerun()
