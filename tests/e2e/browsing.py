"""How tests go about a page in the browser."""

from tests.e2e.conftest import DESK, PHONE

IS_NOT_TOO_WIDE = "() => (m => m.scrollWidth <= m.clientWidth + 2)(document.querySelector('[data-testid=stMain]'))"


def settle(page) -> None:
    """Wait until the page's script has run to its end, after something was seen that it has begun to draw."""
    page.wait_for_selector("[data-testid=stMain] h1")
    page.wait_for_selector("[data-test-script-state=notRunning]")


def rest(page) -> None:
    """Wait until the page's script has not run for ten looks in a row: no click is on its way any more.

    Before a click on what a running page draws again: until it has ended, the old one may stand beside the new one.
    """
    still = """() => {
        const state = document.querySelector('[data-test-script-state]').dataset.testScriptState;
        window.still = state === 'notRunning' ? (window.still || 0) + 1 : 0;
        return window.still > 10;
    }"""
    page.evaluate("window.still = 0")
    page.wait_for_function(still, polling=100)


def open_page(page, address: str, charts: int | None = None) -> None:
    """Open a page with charts, and wait until one of them, or as many as that, are drawn."""
    page.goto(address)
    if charts is None:
        page.wait_for_selector("[data-testid=stPlotlyChart] .main-svg")
    else:
        page.wait_for_function(f"document.querySelectorAll('[data-testid=stPlotlyChart]').length == {charts}")
    settle(page)


def fits(page) -> None:
    """Assert that nothing on the page is wider than a phone, or than a desk's screen, and that it shows no fault."""
    for size in (PHONE, DESK):
        page.set_viewport_size(size)
        settle(page)
        page.wait_for_function(IS_NOT_TOO_WIDE)
    shows_no_fault(page)


def shows_no_fault(page) -> None:
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.get_by_text("Something went wrong").count() == 0


def upload(page, *clips: tuple[str, bytes]) -> None:
    files = [{"name": name, "mimeType": "audio/wav", "buffer": content} for name, content in clips]
    page.set_input_files("input[type=file]", files)
    page.wait_for_selector("text=dB of full scale")
    rest(page)


def click(page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).click()


def click_mark(page, mark) -> None:
    """Click on a chart's mark, such as a bar or a cell, once the chart listens, stands still and has seen the pointer.

    A layer of the chart's own lies over its marks, so that the click must be forced; a forced click does not wait for
    the mark to stand still, as others do.
    """
    page.wait_for_function(
        "() => [...document.querySelectorAll('.js-plotly-plot')].every(plot => plot._ev?.listenerCount('plotly_click'))"
    )
    rest(page)
    mark.scroll_into_view_if_needed()
    mark.evaluate(
        """async mark => {
            for (let last, frames = 0; frames < 10; ) {
                await new Promise(requestAnimationFrame);
                const { x, y } = mark.getBoundingClientRect();
                frames = last === `${x} ${y}` ? frames + 1 : 0;
                last = `${x} ${y}`;
            }
        }"""
    )
    mark.hover(force=True)
    page.wait_for_selector(
        ".hoverlayer .hovertext"
    )  # plotly takes a click for one on what it says is under the pointer
    mark.click(force=True)


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
