"""Sign-in with an OpenID provider, where the server asks for it: `[auth]` in Streamlit's secrets, or SER_LOGIN."""

from collections.abc import Mapping

import streamlit as st
from streamlit.errors import StreamlitAuthError, StreamlitMissingAuthlibError, StreamlitSecretNotFoundError

from ser_core.errors import SettingsError
from ser_core.ui import as_text, settings

ANYBODY = "*"  # whom the provider signs in


def is_asked() -> bool:
    """Whether visitors must sign in.

    Returns
    -------
    bool
    """
    return bool(settings().login) or "is_logged_in" in st.user  # which Streamlit sets where there is an [auth]


def may_enter() -> bool:
    """Whether this visitor may use the pages: has signed in, and is one of SER_LOGIN; anybody if nobody must sign in.

    Returns
    -------
    bool
    """
    try:
        return not is_asked() or (_is_in() and is_welcome(st.user.to_dict(), settings().login))
    except SettingsError:  # `ask` says which
        return False


def _is_in() -> bool:
    return st.user.get("is_logged_in") is True


def is_welcome(user: Mapping, allowed: tuple[str, ...]) -> bool:
    """Whether somebody who has signed in is one of those who may enter.

    Parameters
    ----------
    user : mapping
        The claims of the provider.
    allowed : tuple of str
        E-mail addresses, domains, or "*"; everybody if it is empty. An address counts if the provider has verified it.

    Returns
    -------
    bool
    """
    if not allowed or ANYBODY in allowed:
        return True
    address = str(user.get("email", "")).lower()
    wanted = {one.lower() for one in allowed}
    return user.get("email_verified") is True and bool({address, address.rpartition("@")[2]} & wanted)


def ask() -> None:
    """The page of those who may not enter yet.

    Raises
    ------
    SettingsError
        If sign-in is asked for and not set up, or a setting cannot be read.
    """
    settings()
    st.title("Please sign in")
    if _is_in():
        st.warning("You are signed in, but this account has no access here. Sign in with another one.")
        st.button("Sign out", on_click=st.logout)
        return
    providers = _providers()
    if not providers:
        raise SettingsError(
            "Sign-in is asked for, but not set up: the server's .streamlit/secrets.toml has no [auth] that can be read"
        )
    for key, label in providers.items():
        st.button(label, type="primary", icon=":material/login:", key=f"sign-in-{key}", on_click=_sign_in, args=(key,))
    if problem := st.session_state.pop("sign-in-problem", ""):
        st.error(as_text(problem))
    st.caption("What you upload stays in the memory of this server, and is not kept under your name.")


def _providers() -> dict[str, str]:
    """Name -> words of its button; the unnamed one has an empty name."""
    try:
        auth = st.secrets.get("auth", {})
    except StreamlitSecretNotFoundError:
        return {}
    named = {key: f"Sign in with {key}" for key, one in auth.items() if isinstance(one, Mapping) and "client_id" in one}
    return ({"": "Sign in"} if "client_id" in auth else {}) | named


def _sign_in(provider: str) -> None:
    try:
        st.login(provider or None)
    except StreamlitMissingAuthlibError:
        st.session_state["sign-in-problem"] = "Sign-in needs two packages: pip install 'streamlit[auth]' on the server."
    except StreamlitAuthError as error:
        st.session_state["sign-in-problem"] = f"Sign-in is not set up: {error}"


def offer_sign_out() -> None:
    """Who is signed in, and the way out."""
    if _is_in():
        name = st.user.get("name") or st.user.get("email") or "you"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Signed in: {as_text(str(name))}", width="content")
            st.button("Sign out", type="tertiary", icon=":material/logout:", on_click=st.logout)
