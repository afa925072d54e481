"""Runs from the first click to a stop and to a result, by a real browser, a real server and a real process."""

import pytest

from tests.e2e.browsing import click, fits, settle, shows_no_fault

LONG = "run?model=Random+forest&protocol=Leave+one+speaker+out&seed=11"  # 24 forests, of which a few are seen here
SHORT = "run?model=K+nearest+neighbours&seed=12"


def test_a_run_is_started_watched_and_stopped(server, page):
    page.goto(f"{server}/{LONG}")
    page.wait_for_selector("text=/It takes about/")
    click(page, "Start")
    page.wait_for_selector("text=/Fitting rf: fold \\d+ of 24/", timeout=180_000)
    page.reload()
    page.wait_for_selector("text=/Fitting rf: fold \\d+ of 24/")
    click(page, "Stop")
    page.wait_for_selector("text=/It was stopped before it was done/")
    settle(page)
    assert page.get_by_test_id("stMain").get_by_role("button", name="Start again", exact=True).is_visible()
    shows_no_fault(page)


def test_the_result_is_on_the_page_as_soon_as_the_run_is_done(server, page):
    page.goto(f"{server}/{SHORT}")
    click(page, "Start")
    page.wait_for_selector("text=/It ran already. It is one of yours/", timeout=180_000)
    page.wait_for_selector("text=/test clips are named right/")
    page.wait_for_function("document.querySelectorAll('[data-testid=stPlotlyChart]').length == 2")
    settle(page)
    page.get_by_role("link", name="Compare it with").click()
    page.wait_for_selector("text=/Which model is better/")
    page.wait_for_selector("text=kn, seed 12 (yours)")
    shows_no_fault(page)


@pytest.mark.parametrize("address", ["run", "run?model=Robust&seed=3"])
def test_it_fits_a_phone_and_a_desk(server, phone, address):
    phone.goto(f"{server}/{address}")
    fits(phone)
