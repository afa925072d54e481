from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.app.pages import open_app


@pytest.fixture(autouse=True, scope="session")
def packages_are_scanned_once():
    """A server looks for components among the installed packages once, when it starts; AppTest looks anew before each
    run of a page, which took nine tenths of a test's time."""
    scan = manifest_scanner.scan_component_manifests
    manifest_scanner.scan_component_manifests = cache(scan)
    yield
    manifest_scanner.scan_component_manifests = scan


@pytest.fixture
def app() -> AppTest:
    return open_app()
