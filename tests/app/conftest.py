import pytest
from streamlit.testing.v1 import AppTest

from tests.app.pages import open_app


@pytest.fixture
def app() -> AppTest:
    return open_app()
