"""From the first page to an answer, and what a visitor may rely on."""

import json
import urllib.request

import pytest

from ser_core.corpus import synthetic
from tests.e2e.browsing import IS_NOT_TOO_WIDE, rest, settle, shows_no_fault, upload
from tests.e2e.conftest import DESK, PHONE


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_from_the_first_page_to_the_answer(server, page, size):
    page.set_viewport_size(size)
    page.goto(server)
    settle(page)
    page.wait_for_selector("[data-testid=stPlotlyChart]")
    assert page.locator("[aria-label*='Right of known voices and of new ones']").count() == 1
    page.wait_for_function(IS_NOT_TOO_WIDE)
    page.get_by_role("button", name="Try your own voice").click()
    page.wait_for_selector("text=Say a sentence in the emotion of your choice")
    rest(page)
    page.get_by_text("Upload", exact=True).click()
    page.wait_for_selector("text=Drop one or more recordings")
    upload(page, ("my voice.wav", synthetic.wav("angry", actor=1, seconds=3.0)))
    page.wait_for_selector("text=How probable each emotion is")
    page.wait_for_function("document.querySelector('audio').readyState > 0")
    assert abs(page.evaluate("document.querySelector('audio').duration") - 3.0) < 0.1
    assert page.locator("audio").count() == 1
    page.wait_for_function(IS_NOT_TOO_WIDE)
    shows_no_fault(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    (answer,) = json.loads(download.value.path().read_text())
    assert answer["file"] == "my voice.wav"
    assert page.get_by_text(answer["reason"]).count() == 1
    assert answer["emotion"] in page.locator("h2, h3").first.inner_text().lower()


def test_what_one_session_uploads_another_does_not_see(server, page, context):
    other = context.new_page()
    for one in (page, other):
        one.goto(f"{server}/predict?source=Upload")
        settle(one)
    upload(page, ("secret.wav", synthetic.wav("fearful", actor=2)))
    other.reload()
    settle(other)
    assert "secret.wav" in page.content()
    assert "secret.wav" not in other.content()
    assert other.locator("audio").count() == 0
    other.close()


def test_nothing_uploaded_is_written_to_disk(server_that_cannot_write, page):
    page.goto(f"{server_that_cannot_write}/predict?source=Upload")
    settle(page)
    upload(page, ("long.wav", synthetic.wav("happy", actor=3, rate=48_000, seconds=40.0)))  # 3.8 MB
    page.wait_for_selector("text=Turns over time")


@pytest.mark.parametrize("name", ["", "predict", "sound", "compare", "teach"])
def test_a_browser_asks_nobody_but_the_server(server, page, name):
    asked, blocked = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: request.failure == "csp" and blocked.append(request.url))
    page.goto(f"{server}/{name}")
    settle(page)
    rest(page)
    icon = page.locator("link[rel*=icon]").get_attribute("href")
    assert icon.startswith(("data:", "/", server)), icon
    elsewhere = [url for url in asked if not url.startswith((server, "data:", "blob:"))]
    assert set(elsewhere) <= set(blocked)


def test_the_server_listens_on_this_machine_only(server):
    with urllib.request.urlopen(f"{server}/_stcore/health") as answer:
        assert answer.status == 200
    port = int(server.rsplit(":", 1)[1])
    with open("/proc/net/tcp") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [address for address in listening if int(address.split(":")[1], 16) == port] == [f"0100007F:{port:04X}"]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_recordings_from_the_microphone_are_answered_and_kept(server, page, size):
    """There is rain at the microphone, which is no voice; the page gets the sound and says so."""
    page.set_viewport_size(size)
    page.goto(f"{server}/predict")
    settle(page)
    for number in (1, 2):
        # It listens now.
        page.wait_for_selector("[data-testid=stAudioInputWaveSurfer] [part=wrapper]", state="attached")
        settle(page)
        page.get_by_role("button", name="Record", exact=True).click()
        page.wait_for_selector("[data-testid=stAudioInputWaveformTimeCode]:text-is('00:02')")
        page.get_by_role("button", name="Stop recording").click()
        page.wait_for_selector(f"text=/Take {number}: .* wav, 48,000 Hz/")
        page.wait_for_selector("h3:has-text('No voice')")
        rest(page)
    page.wait_for_selector("text=2 takes")
    shows_no_fault(page)
