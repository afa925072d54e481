"""What a browser alone can tell of the pages of recordings and features: clicks in charts and tables, and sound."""

import csv

from tests.e2e.browsing import click_mark, fits, hear, open_page, settle, shows_no_fault, tick_first_row


def test_a_bar_leads_to_its_clips_and_a_row_to_its_sound(server, page):
    open_page(page, f"{server}/dataset")
    click_mark(page, page.locator(".bars path").nth(3))
    page.wait_for_selector("h3:has-text('376 clips: Sad')")
    settle(page)
    tick_first_row(page)
    page.wait_for_selector("text=Sad speech by actor 1, male")
    hear(page)
    page.get_by_role("button", name="See more of it").click()
    page.wait_for_selector("h1:has-text('See a sound')")
    assert "/sound?clip=03-01-04-01-01-01-01" in page.url


def test_a_cell_leads_to_its_clips_and_another_view_forgets_it(server, page):
    open_page(page, f"{server}/dataset?columns=channel")
    click_mark(page, page.locator(".heatmap-label", has_text="184").nth(2))
    page.wait_for_selector("h3:has-text('184 clips: Sad × Song')")
    settle(page)
    page.get_by_role("radio", name="Duration").click()
    page.wait_for_selector("h3:has-text('2,452 clips')")


def test_a_dot_of_a_spread_is_a_clip(server, phone):
    open_page(phone, f"{server}/dataset?view=Loudness")
    click_mark(phone, phone.locator(".boxlayer path.point").nth(400))
    phone.wait_for_selector("h3:has-text('1 clip: ')")
    fits(phone)


def test_the_clips_that_are_left_can_be_taken_away_as_a_table(server, page):
    open_page(page, f"{server}/dataset?channel=Song&emotion=Sad")
    page.wait_for_selector("h3:has-text('184 clips')")
    with page.expect_download() as download:
        page.get_by_role("button", name="These clips as CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len(rows) == 184
    assert {(row["emotion"], row["channel"]) for row in rows} == {("sad", "song")}
    fits(page)


def test_a_dot_of_the_map_is_heard_and_seen(server, page):
    open_page(page, f"{server}/features?colour=actor&channel=Speech")
    dots = page.locator(".scatterlayer .trace").first.locator("path.point")
    assert dots.count() == 60  # of actor 1; four neutral ones come first, eight calm and eight happy ones
    click_mark(page, dots.nth(20))
    page.wait_for_selector("text=/Sad.* speech by actor 1, male: /")  # it, or one that lies on it
    page.wait_for_selector("text=Mel spectrogram")
    hear(page)


def test_the_first_visit_to_a_server_without_recordings_may_be_a_link_and_leads_to_the_download(cold_server, phone):
    open_page(phone, f"{cold_server}/features")
    assert phone.title() == "Features · Speech emotion explorer"
    assert phone.url == f"{cold_server}/features"
    assert phone.locator("[data-testid=stSidebarNav]").count() == 1
    assert phone.locator("[role=dialog]").count() == 0
    click_mark(phone, phone.locator(".scatterlayer path.point").nth(700))
    phone.wait_for_selector("text=There is no recording of it here")
    fits(phone)
    phone.get_by_role("link", name="Get the recordings").click()
    phone.wait_for_selector("h1:has-text('The recordings')")
    phone.get_by_role("button", name="Get the recordings").click()
    phone.wait_for_selector("text=CC BY-NC-SA 4.0 (https")
    assert phone.get_by_role("button", name="Download", exact=True).is_disabled()
    phone.get_by_text("I accept the licence").click()
    phone.wait_for_function(
        "[...document.querySelectorAll('button')].some(b => b.innerText.trim() == 'Download' && !b.disabled)"
    )
    shows_no_fault(phone)


def test_each_view_of_the_features_fits_its_screen(server, phone):
    for view in ("What+separates+emotions", "One+feature", "Energy+by+pitch", "How+many+numbers"):
        open_page(phone, f"{server}/features?view={view}")
        fits(phone)
        assert phone.locator("[data-testid=stAlert]").count() == 0
