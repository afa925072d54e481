"""The router: navigation, page configuration, sidebar. Nothing else."""

import streamlit as st

from ser_core import ui
from ser_core.ui import work

page = st.navigation(ui.pages())
st.set_page_config(
    page_title=f"{page.title} · Speech emotion explorer", page_icon=":material/graphic_eq:", layout="wide"
)
with st.sidebar:
    with ui.routed():
        work.drawer()
    st.caption(ui.TERMS)

with ui.routed():
    page.run()
