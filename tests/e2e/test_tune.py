"""A study from the first click to its preset, by a real browser, a real server and a real process."""

import pytest

from tests.e2e.browsing import click, fits, settle, shows_no_fault


def ended(page) -> int:
    """How many trials the page says have ended."""
    words = page.get_by_test_id("stMetric").filter(has_text="Trials that ended").inner_text()
    return int(words.split()[-3])


def wait_for_trials(page, number: int) -> None:
    page.wait_for_function(
        """number => [...document.querySelectorAll('[data-testid=stMetric]')].some(
            one => { const found = one.innerText.match(/Trials that ended\\s+(\\d+) of/);
                     return found && Number(found[1]) >= number; })""",
        arg=number,
    )


def stop(page) -> int:
    """Stop it; the number of trials that are kept."""
    click(page, "Stop")
    page.wait_for_selector("text=/It was stopped after \\d+ of 2000 trials, which are kept/")
    settle(page)
    return ended(page)


def test_a_study_is_started_seen_to_move_reloaded_stopped_resumed_and_saved(server, page):
    page.goto(f"{server}/tune?show=Start+one&trials=2000&folds=3")
    click(page, "Start")
    page.wait_for_selector("text=/At work: \\d+ of 2000 trials ended/")
    wait_for_trials(page, 2)
    first = ended(page)
    wait_for_trials(page, first + 1)  # it moves by itself
    page.reload()
    page.wait_for_selector("text=/At work: \\d+ of 2000 trials ended/")
    kept = stop(page)
    assert kept > first
    click(page, "Resume")
    wait_for_trials(page, kept + 1)
    kept = stop(page)
    click(page, "Save the best as a preset")
    page.wait_for_selector("text=/is the preset kn-.*: 0\\.\\d+ of 491 test clips named right/")
    assert f"the best of {kept} trials" in page.get_by_test_id("stMain").inner_text()
    shows_no_fault(page)


@pytest.mark.parametrize("show", ["A study", "Start one", "Compare"])
def test_the_page_fits_a_desk_and_a_phone(server, phone, show):
    phone.goto(f"{server}/tune?show={show.replace(' ', '+')}")
    phone.wait_for_selector("h1:has-text('Tune a model')")
    fits(phone)
