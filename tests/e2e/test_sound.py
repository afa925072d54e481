"""What a browser alone can tell of the page that shows a sound: that it plays, and how it stands on a screen."""

from tests.e2e.browsing import fits, hear, open_page, rest, settle, shows_no_fault
from tests.e2e.conftest import PHONE

ANGRY, SAD = "03-01-05-01-01-01-02", "03-01-04-01-01-01-02"
SHIPPED = "03-01-05-02-01-01-12"


def test_a_clip_plays_and_is_as_long_as_its_recording(server, page):
    open_page(page, f"{server}/sound?clip={ANGRY}", charts=3)
    hear(page)
    assert abs(page.evaluate("document.querySelector('audio').duration") - 1.2) < 0.05


def test_one_click_puts_a_pair_side_by_side_and_in_the_address(server, page):
    open_page(page, f"{server}/sound?clip={ANGRY}", charts=3)
    page.get_by_role("button", name="Sad", exact=True).click()
    page.wait_for_function("document.querySelectorAll('audio').length == 2")
    settle(page)
    page.wait_for_function("document.querySelectorAll('[data-testid=stPlotlyChart]').length == 6")
    assert page.url.startswith(f"{server}/sound?clip={ANGRY}&other={SAD}")
    fits(page)
    one, other = (page.locator("audio").nth(number).bounding_box() for number in (0, 1))
    assert one["y"] == other["y"] and other["x"] > one["x"] + one["width"]
    page.set_viewport_size(PHONE)
    page.wait_for_function(
        "(([one, other]) => one.getBoundingClientRect().x === other.getBoundingClientRect().x)"
        "([...document.querySelectorAll('audio')])"
    )
    one, other = (page.locator("audio").nth(number).bounding_box() for number in (0, 1))
    assert other["y"] > one["y"] + one["height"]


def test_a_link_shows_two_clips_and_the_views_that_it_names(server, page):
    open_page(page, f"{server}/sound?clip={ANGRY}&other={SAD}&views=Pitch&views=MFCC", charts=4)
    page.wait_for_selector("text=Coefficient 2 is")
    assert page.get_by_text("How high is the voice?").count() == 1
    assert page.get_by_text("What does the microphone record?").count() == 0


def test_the_first_visit_to_a_server_without_recordings_may_be_a_link_to_a_clip(cold_server, page):
    open_page(page, f"{cold_server}/sound?clip={SHIPPED}", charts=3)
    page.wait_for_selector("text=45 clips come with the app")
    page.wait_for_function("document.querySelector('audio').readyState > 0")
    assert f"clip={SHIPPED}" in page.url
    page.get_by_role("link", name="Get the recordings").click()
    page.wait_for_selector("h1:has-text('The recordings')")


def test_the_explanation_of_a_view_is_one_click_away(server, page):
    open_page(page, f"{server}/sound?clip={ANGRY}", charts=3)
    page.get_by_role("button", name="What is this?").nth(2).click()
    page.wait_for_selector("text=The mel scale is spaced like that")
    fits(page)


def test_clicks_faster_than_the_page_do_no_harm(server, page):
    open_page(page, f"{server}/sound?clip={ANGRY}", charts=3)
    for _ in range(3):
        page.get_by_text("Two clips", exact=True).click(no_wait_after=True)
        page.get_by_text("One clip", exact=True).click(no_wait_after=True)
    rest(page)
    shows_no_fault(page)
    # Which of them was the last to be heard depends on when the address came back; the page goes on either way.
    for name, sounds in (("Two clips", 2), ("One clip", 1)):
        page.get_by_text(name, exact=True).click()
        page.wait_for_function(f"document.querySelectorAll('audio').length == {sounds}")
    shows_no_fault(page)
