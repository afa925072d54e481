"""What a browser alone can tell of the pages of recordings and features: clicks in charts and tables, and sound."""

import csv

from tests.e2e.test_browser import is_too_wide, settle


def open_page(page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("[data-testid=stPlotlyChart] .main-svg")
    settle(page)


def tick_first_row(page) -> None:
    """The table is drawn on a canvas: its first box lies below the head, at the left."""
    page.locator("[data-testid=stDataFrame]").last.scroll_into_view_if_needed()
    box = page.locator("[data-testid=stDataFrame]").last.bounding_box()
    page.mouse.click(box["x"] + 17, box["y"] + 52)


def hear(page) -> None:
    page.wait_for_function("document.querySelector('audio')?.readyState > 0")
    page.evaluate("document.querySelector('audio').play()")
    page.wait_for_function("document.querySelector('audio').currentTime > 0.3")
    assert page.evaluate("document.querySelector('audio').error") is None


def test_a_bar_leads_to_its_clips_and_a_row_to_its_sound(voices_server, play_browser):
    page = play_browser
    open_page(page, f"{voices_server}/dataset")
    page.locator(".bars path").nth(3).click(force=True)
    page.wait_for_selector("h3:has-text('376 clips: Sad')")
    settle(page)
    tick_first_row(page)
    page.wait_for_selector("text=Sad speech by actor 1, male")
    hear(page)
    page.get_by_role("button", name="See more of it").click()
    page.wait_for_selector("h1:has-text('See a sound')")
    assert "/sound?clip=03-01-04-01-01-01-01" in page.url


def test_a_cell_leads_to_its_clips_and_another_view_forgets_it(server, browser):
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    open_page(page, f"{server}/dataset?columns=channel")
    page.locator(".heatmap-label", has_text="184").nth(2).click(force=True)
    page.wait_for_selector("h3:has-text('184 clips: Sad × Song')")
    settle(page)
    page.get_by_role("radio", name="Duration").click()
    page.wait_for_selector("h3:has-text('2,452 clips')")
    page.close()


def test_a_dot_of_a_spread_is_a_clip(server, page):
    open_page(page, f"{server}/dataset?view=Loudness")
    page.locator(".boxlayer path.point").nth(400).click(force=True)
    page.wait_for_selector("h3:has-text('1 clip: ')")
    assert not is_too_wide(page)


def test_the_clips_that_are_left_can_be_taken_away_as_a_table(server, page):
    open_page(page, f"{server}/dataset?channel=Song&emotion=Sad")
    page.wait_for_selector("h3:has-text('184 clips')")
    with page.expect_download() as download:
        page.get_by_role("button", name="These clips as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len(rows) == 184
    assert {(row["emotion"], row["channel"]) for row in rows} == {("sad", "song")}
    assert not is_too_wide(page)


def test_a_dot_of_the_map_is_heard_and_seen(voices_server, play_browser):
    page = play_browser
    open_page(page, f"{voices_server}/features?colour=actor&channel=Speech")
    dots = page.locator(".scatterlayer .trace").first.locator("path.point")
    assert dots.count() == 60  # of actor 1; four neutral ones come first, eight calm and eight happy ones
    dots.nth(20).click(force=True)
    page.wait_for_selector("text=/Sad.* speech by actor 1, male: /")  # it, or one that lies on it
    page.wait_for_selector("text=Mel spectrogram")
    hear(page)


def test_without_sound_a_dot_leads_to_the_download(silent_server, page):
    open_page(page, f"{silent_server}/features")
    page.locator(".scatterlayer path.point").nth(700).click(force=True)
    page.wait_for_selector("text=There is no recording of it here")
    assert not is_too_wide(page)
    page.get_by_role("link", name="Get the recordings").click()
    page.wait_for_selector("h1:has-text('The recordings')")
    page.get_by_role("button", name="Get the recordings").click()
    page.wait_for_selector("text=CC BY-NC-SA 4.0 (https")
    assert page.get_by_role("button", name="Download", exact=True).is_disabled()
    page.get_by_text("I accept the licence").click()
    page.wait_for_function(
        "[...document.querySelectorAll('button')].some(b => b.innerText.trim() == 'Download' && !b.disabled)"
    )
    assert page.locator("[data-testid=stException]").count() == 0


def test_each_view_of_the_features_fits_its_screen(server, page):
    for view in ("What+separates+emotions", "One+feature", "Energy+by+pitch", "How+many+numbers"):
        open_page(page, f"{server}/features?view={view}")
        assert not is_too_wide(page)
        assert page.locator("[data-testid=stAlert]").count() == 0
