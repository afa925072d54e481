"""What stands above every page: the way back to the lesson, and the words of the field that the page uses."""

import streamlit as st

from ser_core import ui
from ser_core.teaching import glossary

LESSON_STEP = "lesson-step"  # in the session: the step that was open last


def show(page: str) -> None:
    """Show the way back to a lesson that is on, and the words that a page uses.

    Parameters
    ----------
    page : str
        The name of its file, without the ending.
    """
    terms = glossary.on_page(page)
    step = st.session_state.get(LESSON_STEP) if page != "lesson" else None
    if not terms and not step:
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="medium"):
        if step:
            st.page_link(
                "pages/lesson.py",
                label=f"Back to step {step} of the lesson",
                icon=":material/school:",
                query_params={"step": str(step)},
            )
        if terms:
            drawer = st.popover(
                "Words on this page",
                icon=":material/menu_book:",
                type="tertiary",
                on_change="rerun",
                key=f"words-{page}",
            )
            if drawer.open:
                for term in terms:
                    drawer.markdown(f"**{ui.as_text(term.word)}**: {ui.as_text(term.sentence)}")
