"""A small network from the first click to a stop and on, by a real browser, a real server and a real process."""

import re

import pytest

from tests.e2e.conftest import started
from tests.e2e.test_browser import is_too_wide, settle
from tests.e2e.test_tune import click

EPOCHS = 400  # more than are seen here


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """The address of an app that has its jobs for itself."""
    with started(tmp_path_factory.mktemp("training-server")) as address:
        yield address


def wait_for_epoch(page, number: int) -> int:
    """Wait until the page says that an epoch has ended; the one that it says then."""
    page.wait_for_function(
        """number => { const found = document.body.innerText.match(/Epoch (\\d+) of 400/);
                       return found && Number(found[1]) >= number; }""",
        arg=number,
    )
    return int(re.search(rf"Epoch (\d+) of {EPOCHS}", page.inner_text("body"))[1])


def stop(page) -> int:
    """Stop it; after how many epochs."""
    click(page, "Stop")
    page.wait_for_selector("text=/It was stopped after \\d+ epochs, which are kept/")
    settle(page)
    return int(re.search(r"stopped after (\d+) epochs", page.inner_text("body"))[1])


def test_a_small_cnn_is_started_watched_stopped_and_goes_on(own_server, browser):
    page = browser.new_page(viewport={"width": 1440, "height": 1100})
    page.set_default_timeout(90_000)
    page.goto(f"{own_server}/train?show=Start+one")
    epochs = page.get_by_label("Epochs at most")
    epochs.fill(str(EPOCHS))
    epochs.press("Enter")
    page.wait_for_selector(f"text=/train cnn --epochs {EPOCHS}/")
    click(page, "Start")
    first = wait_for_epoch(page, 1)
    wait_for_epoch(page, first + 1)  # it moves by itself
    page.wait_for_selector("text=/Accuracy of cnn, epoch by epoch/")
    page.reload()
    wait_for_epoch(page, first + 1)
    kept = stop(page)
    assert kept > first
    click(page, "Resume")
    assert wait_for_epoch(page, kept + 1) > kept
    stop(page)
    assert not page.get_by_text("Something went wrong").count()
    page.close()


@pytest.mark.parametrize("view", ["Start one", "Learning curves", "Overfitting", "The vote", "What it is made of"])
def test_the_views_fit_a_phone_and_a_desk(own_server, browser, view):
    page = browser.new_page(viewport={"width": 390, "height": 1100})
    page.set_default_timeout(60_000)
    page.goto(f"{own_server}/train?show={view.replace(' ', '+')}")
    page.wait_for_selector("h1")
    settle(page)
    assert not is_too_wide(page)
    page.set_viewport_size({"width": 1440, "height": 1100})
    settle(page)
    assert not is_too_wide(page)
    assert not page.get_by_text("Something went wrong").count()
    page.close()
