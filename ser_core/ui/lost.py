"""The page that stands where an address leads nowhere."""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ser_core import ui

_KEPT = "lost"  # in the session: a page is asked for by name once, and by its hash when it runs again


def pages(known: dict[str, list]) -> dict[str, list]:
    """The page for an address that leads nowhere, where Streamlit would show its own dialog and the first page.

    Parameters
    ----------
    known : dict of str to list of st.Page
        As `ui.pages` gives them.

    Returns
    -------
    dict of str to list of st.Page
        The same, and that page if it is asked for.
    """
    script: Any = get_script_run_ctx()
    asked = script.pages_manager.intended_page_name if script else None
    paths = {page.url_path for section in known.values() for page in section} | {ui.FIRST}
    if asked and asked not in paths and "/" not in asked:
        st.session_state[_KEPT] = asked
    name = st.session_state.get(_KEPT)
    if not name:
        return known
    page = st.Page(lambda: _show(name), title="No such page", url_path=name, visibility="hidden")
    return known | {"Nowhere": [page]}


def _show(name: str) -> None:
    st.title("There is no such page")
    st.markdown(f"Nothing stands at the address **/{ui.as_text(name)}**. It may be misspelt, or from an older version.")
    st.page_link("pages/overview.py", label="To the overview", icon=":material/home:")
    st.caption("All pages are in the menu at the left; on a phone, the arrows at the top open it.")
