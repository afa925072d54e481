"""The router: sign-in where it is asked for, navigation, page configuration, sidebar. Nothing else."""

import streamlit as st

from ser_core import ui
from ser_core.ui import above, classes, login, look, lost, work

may_enter = login.may_enter()
page = st.navigation(lost.pages(ui.pages()), expanded=True, position="sidebar" if may_enter else "hidden")
st.set_page_config(page_title=f"{page.title} · Speech emotion explorer", page_icon=ui.ICON, layout="wide")
look.apply()
if not may_enter:
    with ui.routed():
        login.ask()
    st.stop()
ui.enter(page.url_path)
with st.sidebar:
    with ui.routed():
        work.drawer()
        classes.tidy()
        login.offer_sign_out()
    ui.foot()

with ui.routed():
    above.show(page.url_path or "overview")
    page.run()
