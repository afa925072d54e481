"""The study as a lesson of eight steps, each with something to do, a question, and what to take home."""

import streamlit as st

from ser_core import ui
from ser_core.figures import generalization as figures
from ser_core.models import registry
from ser_core.teaching import lesson
from ser_core.ui import above, cached

ui.require_router()
steps = cached.kept(lesson.steps)(cached.shipped_runs())
titles = {str(number): f"{number}. {step.title}" for number, step in enumerate(steps, 1)}


def go_to(number: int) -> None:
    st.session_state["step"] = str(number)


st.title("A lesson in eight steps")
chosen = int(
    st.pills(
        "Step",
        default=None if "step" in st.session_state else "1",
        required=True,
        label_visibility="collapsed",
        wrap=True,
        **ui.options(titles, "step"),
    )
    or 1
)
st.session_state[above.LESSON_STEP] = chosen
step = steps[chosen - 1]
st.progress(chosen / len(steps), f"Step {chosen} of {len(steps)}, about {lesson.MINUTES} minutes")
st.header(f"{chosen}. {step.title}")
st.markdown(step.text)
with st.container(border=True):
    st.markdown(f"**Do:** {step.task}")
    st.page_link(
        f"pages/{step.link.page}.py",
        label=f"**{step.link.label}**",
        icon=":material/open_in_new:",
        query_params=step.link.query,
    )
    st.caption("The way back stands at the top of each page while a lesson is on.")
if chosen == lesson.LADDER_STEP:
    ui.chart(figures.ladder(lesson.ladder(cached.shipped_runs()), registry.get(lesson.MODEL).name, 1 / 8), key="ladder")
st.markdown(f"**Question:** {step.question}")
with st.expander("The answer", icon=":material/lightbulb:"):
    st.markdown(step.answer)
st.info(f"**To take home:** {step.take_home}", icon=":material/home:")
with st.container(horizontal=True):
    if chosen > 1:
        st.button("Back", icon=":material/arrow_back:", on_click=go_to, args=(chosen - 1,))
    if chosen < len(steps):
        st.button(
            f"Next: {steps[chosen].title}",
            type="primary",
            icon=":material/arrow_forward:",
            on_click=go_to,
            args=(chosen + 1,),
        )
st.divider()
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown("To print:", width="content")
    ui.download("Worksheet", lambda: lesson.worksheet(steps), "worksheet.html", "text/html", key="worksheet")
    ui.download(
        "Teacher's guide, with answers",
        lambda: lesson.worksheet(steps, answers=True),
        "teachers-guide.html",
        "text/html",
        key="guide",
    )
