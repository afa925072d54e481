"""Two models are chosen, a cell is clicked, its clip is heard and given to a model, and charts and tables are saved."""

import pytest

from tests.e2e.browsing import click_mark, fits, hear, open_page, rest, settle, tick_first_row


def test_two_models_a_cell_its_clip_and_what_a_model_hears(server, page):
    open_page(page, f"{server}/compare")
    page.wait_for_selector("text=/v4 and mlp cannot be told apart on 491 clips/")
    rest(page)
    page.locator("[data-testid=stMultiSelect]").get_by_role("button", name="Remove mlp").click()
    page.wait_for_selector("text=Choose two runs or more")
    box = page.locator("[data-testid=stMultiSelect] input")
    box.fill("xgb")
    page.get_by_role("option", name="xgb", exact=True).click()
    page.wait_for_selector("text=/v4 is better than xgb by 9.0 points on 491 clips/")
    page.wait_for_selector("text=What xgb names")
    settle(page)
    assert "runs=v4" in page.url and "runs=xgb" in page.url
    click_mark(page, page.locator(".heatmap-label", has_text="27").first)  # sad women whom v4 named right
    page.wait_for_selector("h3:has-text('27 clips: Sad, female, named Sad, female by v4')")
    settle(page)
    tick_first_row(page)
    page.wait_for_selector("text=Sad speech by actor 2, female")
    hear(page)
    page.get_by_role("button", name="What does a model hear?").click()
    page.wait_for_selector("h1:has-text('Hear an emotion')")
    page.wait_for_selector("text=dB of full scale")
    assert "/predict?clip=03-01-04-01-01-01-02" in page.url


def test_a_chart_is_saved_as_a_page_and_its_camera_makes_the_kind_that_was_chosen(server, page):
    open_page(page, f"{server}/compare?view=How+sure+they+are")
    page.get_by_role("button", name="Save").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="As a page (HTML)").click()
    assert b"Is it as often right as it claims?" in download.value.path().read_bytes()
    for kind in ("SVG", "PNG"):
        page.get_by_role("radio", name=kind).click()
        page.wait_for_function(
            "kind => document.querySelector('.js-plotly-plot')._context.toImageButtonOptions.format === kind",
            arg=kind.lower(),
        )
    assert page.locator("[data-testid=stPlotlyChart] [data-title*='Download plot']").count() >= 1


def test_the_table_is_taken_away_for_a_paper(server, page):
    open_page(page, f"{server}/compare?view=Actor+by+actor")
    for name, begins in (("LaTeX", "\\begin{tabular}"), ("Markdown", "| run | model |"), ("CSV", "run,label,")):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).last.click()
        assert download.value.path().read_text().startswith(begins)


@pytest.mark.parametrize("view", ["What they confuse", "Right and wrong", "What a vote gains", "Learned by heart"])
def test_each_view_fits_its_screen(server, phone, view):
    open_page(phone, f"{server}/compare?view={view.replace(' ', '+')}&runs=v4&runs=krr&runs=cnn&runs=kn")
    fits(phone)
