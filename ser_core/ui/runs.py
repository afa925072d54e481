"""How pages name runs that cannot be read."""

import streamlit as st

from ser_core.ui import as_text, cached


def name_unreadable() -> None:
    """One line for each run that cannot be read, where it would stand; everything else is shown."""
    for one in cached.unreadable_runs():
        st.warning(f"{as_text(str(one))}.", icon=":material/broken_image:")
