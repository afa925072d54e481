"""The router: page configuration, navigation, sidebar. Nothing else."""

import streamlit as st

from ser_core import ui

# An address that equals a file's stem would open that file without this router.
page = st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/home:", url_path="home", default=True),
        st.Page("pages/predict.py", title="Hear an emotion", icon=":material/hearing:", url_path="hear"),
    ]
)
st.set_page_config(
    page_title=f"{page.title} · Speech emotion explorer", page_icon=":material/graphic_eq:", layout="wide"
)
with st.sidebar:
    st.caption(ui.TERMS)

with ui.page_errors():
    page.run()
