"""What a browser alone can tell of the pages of recordings and features: clicks in charts and tables, and sound."""

import csv

import pytest

from ser_core import corpus
from ser_core.corpus import manifest, registered
from ser_core.features import tables
from tests.e2e.browsing import click_mark, fits, hear, open_page, rest, settle, shows_no_fault, tick_first_row
from tests.e2e.conftest import started


@pytest.fixture
def server_with_another_corpus(tmp_path, elsewhere):
    """The address of an app with 16 clips of another corpus, and none of RAVDESS but those that ship."""
    found, workspace = corpus.index(elsewhere), tmp_path / "workspace"
    manifest.write([found], registered.place("mine", workspace, manifest.SUFFIX))
    made = tables.extract(found, tmp_path / "cache", jobs=1).table
    tables.save(made, registered.place("mine", workspace, registered.TABLE))
    with started(tmp_path, data=tmp_path / "nothing") as address:
        yield address


def test_a_bar_leads_to_its_clips_and_a_row_to_its_sound(server, page):
    open_page(page, f"{server}/dataset")
    click_mark(page, page.locator(".bars path").nth(3))
    page.wait_for_selector("h2:has-text('376 clips: Sad')")
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
    page.wait_for_selector("h2:has-text('184 clips: Sad × Song')")
    rest(page)
    page.get_by_role("radio", name="Duration").click()
    page.wait_for_selector("h2:has-text('2,452 clips')")


def test_a_dot_of_a_spread_is_a_clip(server, phone):
    open_page(phone, f"{server}/dataset?view=Loudness")
    click_mark(phone, phone.locator(".boxlayer path.point").nth(400))
    phone.wait_for_selector("h2:has-text('1 clip: ')")
    fits(phone)


def test_the_clips_that_are_left_can_be_taken_away_as_a_table(server, page):
    open_page(page, f"{server}/dataset?channel=Song&emotion=Sad")
    page.wait_for_selector("h2:has-text('184 clips')")
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


def test_another_corpus_is_chosen_once_and_seen_on_all_pages(server_with_another_corpus, page):
    open_page(page, f"{server_with_another_corpus}/dataset?channel=Song")
    page.wait_for_selector("text=RAVDESS: 2,452 clips")
    page.get_by_role("combobox", name="Corpus").click()
    page.get_by_role("option", name="mine").click()
    page.wait_for_selector("text=mine: 16 clips")
    page.wait_for_selector("h2:has-text('16 clips')")
    page.wait_for_function("location.search === '?corpus=mine'")
    click_mark(page, page.locator(".bars path").nth(3))
    page.wait_for_selector("h2:has-text('4 clips: Boredom')")
    settle(page)
    tick_first_row(page)
    page.wait_for_selector("text=Boredom by speaker 1, male")
    hear(page)
    page.get_by_role("button", name="See more of it").click()
    page.wait_for_selector("h1:has-text('See a sound')")
    page.wait_for_selector("text=Boredom by speaker 1, male")
    assert "corpus=mine" in page.url and "clip=boredom-5" in page.url
    fits(page)
    page.get_by_role("link", name="Features").click()
    page.wait_for_selector("text=16 clips, 180 features of each")
    page.wait_for_selector(".scatterlayer path.point")
    page.wait_for_function("location.search.includes('corpus=mine')")
    fits(page)
