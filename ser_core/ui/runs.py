"""Damaged runs on pages."""

import streamlit as st

from ser_core.ui import as_text, cached


def name_unreadable() -> None:
    """Show one line for each run that cannot be read."""
    for one in cached.unreadable_runs():
        st.warning(f"{as_text(str(one))}.", icon=":material/broken_image:")
