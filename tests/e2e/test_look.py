"""That everybody can read every page: axe-core finds nothing, and charts have clear labels and no empty bands."""

from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from ser_core.settings import PROJECT
from tests.e2e.browsing import IS_NOT_TOO_WIDE, rest, settle
from tests.e2e.conftest import DESK, PHONE

PAGES = sorted({file.stem for file in (PROJECT / "pages").glob("*.py")} - {"overview"} | {"", "nowhere"})

# What only Streamlit could mend: the rule, where it is broken, and why.
STREAMLITS = {
    "list": "[data-testid=stSidebarNavItems]",  # heads of sections stand between the items of the menu's list,
    "listitem": "[data-testid=stSidebarNavItems] li",  # which are in a <div> below it
    "empty-table-header": "[data-testid=stDataFrame] th",  # the column of boxes to tick has no head
}

BEGINS_BELOW_THE_BAR = """() => {
    const [bar, main] = ['stHeader', 'stMainBlockContainer'].map(id => document.querySelector(`[data-testid=${id}]`));
    return main.getBoundingClientRect().top + parseFloat(getComputedStyle(main).paddingTop)
        >= bar.getBoundingClientRect().bottom;
}"""

SCRIPTS = AXE_SCRIPT + (Path(__file__).parent / "look.js").read_text()


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_everybody_can_read_it(server, page, name):
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(f"{server}/{name}")
    settle(page)
    page.add_script_tag(content=SCRIPTS)
    found = []
    for size, scheme in [(DESK, "light"), (DESK, "dark"), (PHONE, "dark"), (PHONE, "light")]:
        show_all(page, size, scheme)
        at = f"{'phone' if size is PHONE else 'desk'}, {scheme}"
        found += [
            f"{at}: {line}" for line in page.evaluate("brokenRules", STREAMLITS) + page.evaluate("faultsOfCharts")
        ]
    assert not found, "\n".join(found)
    # On the phone, which came last.
    assert page.locator(".modebar-container:visible").count() == 0
    assert page.evaluate(BEGINS_BELOW_THE_BAR)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_open_list_and_its_button_can_be_read(server, page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{server}/dataset")
    rest(page)
    page.add_script_tag(content=SCRIPTS)
    show_all(page, DESK, scheme)
    for name in ("Words on this page", "Save"):
        page.get_by_role("button", name=name).first.click()
        page.wait_for_selector(f"[data-testid=stPopoverButton][aria-expanded=true]:has-text('{name}')")
        page.evaluate("standsStill()")
        assert not page.evaluate("brokenRules", STREAMLITS)
        page.keyboard.press("Escape")
        page.wait_for_selector("[data-testid=stPopoverButton][aria-expanded=true]", state="detached")


def show_all(page, size, scheme) -> None:
    """Have the whole page in the window, since axe says nothing of what is scrolled away."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "scheme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === scheme", arg=scheme
    )
    page.set_viewport_size({"width": size["width"], "height": 10_000})
    page.evaluate("standsStill()")


@pytest.mark.parametrize("address", ["nowhere", "no/folder/nowhere/"])
def test_a_page_that_is_not_there_says_so(server, page, address):
    page.goto(f"{server}/{address}")
    page.wait_for_selector("h1:has-text('There is no such page')")
    page.get_by_test_id("stMain").get_by_role("link", name="To the overview").click()
    page.wait_for_selector("h1:has-text('Can a computer hear how someone feels?')")
    page.go_back()
    page.wait_for_selector("h1:has-text('There is no such page')")
    assert page.get_by_role("dialog").count() == 0


def test_printed_at_two_hundred_percent_and_without_motion(server, page):
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": DESK["width"] // 2, "height": DESK["height"] // 2})  # as with 200% zoom
    page.goto(f"{server}/dataset")
    page.wait_for_selector("[data-testid=stPlotlyChart] .main-svg")
    settle(page)
    page.wait_for_function(IS_NOT_TOO_WIDE)
    moving = """() => [...document.querySelectorAll('*')].map(getComputedStyle).filter(style =>
        [style.animationDuration, style.transitionDuration].some(all =>
            all.split(', ').some(one => parseFloat(one) * (one.endsWith('ms') ? 1 : 1000) > 1))).length"""
    assert page.evaluate(moving) == 0
    page.set_viewport_size(DESK)
    page.emulate_media(media="print")
    page.wait_for_selector("[data-testid=stSidebar]", state="hidden")
    page.wait_for_function("document.querySelector('[data-testid=stMain] h1').getBoundingClientRect().left < 40")
    page.wait_for_function("document.querySelector('[data-testid=stMain] h1').getBoundingClientRect().top < 100")
