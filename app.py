"""What `streamlit run app.py` serves: the router, behind the guard that bounds what one visitor can do to others."""

from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from ser_core.ui import first_answer, warm_up
from ser_core.ui.guard import Guard

# Until the router has run once, Streamlit would take the folder `pages/` for the navigation, and show its own dialog
# over the page if the first address that is asked for leads nowhere.
PagesManager.uses_pages_directory = False


@asynccontextmanager
async def lifespan(_):
    warm_up.of_server.start(first_answer.STEPS, first_answer.AFTERWARDS)
    yield
    warm_up.of_server.end()


app = st.App("router.py", middleware=[Middleware(Guard)], lifespan=lifespan)
