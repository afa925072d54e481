"""A small network from the first click to a stop and on, by a real browser, a real server and a real process."""

import re

import pytest

from tests.e2e.browsing import click, fits, settle, shows_no_fault

EPOCHS = 400  # more than are seen here


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


def test_a_small_cnn_is_started_watched_stopped_and_goes_on(server, page):
    page.goto(f"{server}/train?show=Start+one")
    epochs = page.get_by_role("spinbutton", name="Epochs at most")
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
    shows_no_fault(page)


@pytest.mark.parametrize("view", ["Start one", "Learning curves", "Overfitting", "The vote", "What it is made of"])
def test_the_views_fit_a_phone_and_a_desk(server, phone, view):
    phone.goto(f"{server}/train?show={view.replace(' ', '+')}")
    fits(phone)
