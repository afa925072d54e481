import json
import urllib.request
from urllib.parse import quote

from ser_core.corpus import synthetic
from tests.e2e.conftest import launch


def settle(page) -> None:
    """Wait until the page's script has run to its end, after something was seen that it has begun to draw."""
    page.wait_for_selector("[data-testid=stMain] h1")
    page.wait_for_selector("[data-test-script-state=notRunning]")


def rest(page) -> None:
    """Wait until the page's script has not run for ten looks in a row: no click is on its way any more."""
    still = """() => {
        const state = document.querySelector('[data-test-script-state]').dataset.testScriptState;
        window.still = state === 'notRunning' ? (window.still || 0) + 1 : 0;
        return window.still > 10;
    }"""
    page.evaluate("window.still = 0")
    page.wait_for_function(still, polling=100)


def upload(page, *clips: tuple[str, bytes]) -> None:
    files = [{"name": name, "mimeType": "audio/wav", "buffer": content} for name, content in clips]
    page.set_input_files("input[type=file]", files)
    page.wait_for_selector("text=sure of the emotion")
    settle(page)


def is_too_wide(page) -> bool:
    return page.evaluate("(m => m.scrollWidth > m.clientWidth + 2)(document.querySelector('[data-testid=stMain]'))")


def test_from_the_first_page_to_the_answer(server, page):
    page.goto(server)
    settle(page)
    page.wait_for_selector("[data-testid=stPlotlyChart]")
    assert not is_too_wide(page)
    page.get_by_role("button", name="Try it yourself").click()
    page.wait_for_selector("text=Drop one or more recordings")
    upload(page, ("my voice.wav", synthetic.wav("angry", actor=1)))
    page.wait_for_selector("text=How probable each emotion is")
    assert page.locator("audio").count() == 1
    assert not is_too_wide(page)
    assert page.locator("[data-testid=stException]").count() == 0
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    (answer,) = json.loads(download.value.path().read_text())
    shown = page.locator("h2").first.inner_text()
    assert answer["file"] == "my voice.wav"
    assert answer["emotion"] == shown.lower()


def test_a_deep_link_to_a_cold_server_opens_the_page_with_its_navigation(cold_server, browser):
    page = browser.new_page()
    page.goto(f"{cold_server}/predict")
    page.wait_for_selector("h1:has-text('Hear an emotion')")
    settle(page)
    assert page.title() == "Hear an emotion · Speech emotion explorer"
    assert page.url == f"{cold_server}/predict"
    assert page.locator("[data-testid=stSidebarNav]").count() == 1
    assert page.locator("[role=dialog]").count() == 0
    page.close()


def test_the_browser_plays_what_was_uploaded(server, page):
    page.goto(f"{server}/predict")
    settle(page)
    upload(page, ("me.wav", synthetic.wav("sad", actor=2, seconds=3.0)))
    page.wait_for_selector("audio")
    page.wait_for_function("document.querySelector('audio').readyState > 0")
    assert abs(page.evaluate("document.querySelector('audio').duration") - 3.0) < 0.1


def test_charts_have_an_accessible_name(server, page):
    page.goto(server)
    settle(page)
    page.wait_for_selector("[data-testid=stPlotlyChart]")
    assert page.locator("[aria-label*='models that the study has']").count() == 1


def test_what_one_session_uploads_another_does_not_see(server, browser):
    mine, theirs = (browser.new_context().new_page() for _ in range(2))
    for page in (mine, theirs):
        page.goto(f"{server}/predict")
        settle(page)
    upload(mine, ("secret.wav", synthetic.wav("fearful", actor=2)))
    theirs.reload()
    settle(theirs)
    assert "secret.wav" in mine.content()
    assert "secret.wav" not in theirs.content()
    assert theirs.locator("audio").count() == 0
    for page in (mine, theirs):
        page.context.close()


def test_nothing_uploaded_is_written_to_disk(server_that_cannot_write, browser):
    page = browser.new_page()
    # Our best has a network in it, and TensorFlow is not imported without a temporary folder.
    page.goto(f"{server_that_cannot_write}/predict?model={quote('Vote: mlp + xgb')}")
    settle(page)
    upload(page, ("long.wav", synthetic.wav("happy", actor=3, rate=48_000, seconds=40.0)))  # 3.8 MB
    page.wait_for_selector("text=overlapping windows")
    page.close()


def test_the_server_listens_on_this_machine_only(server):
    with urllib.request.urlopen(f"{server}/_stcore/health") as answer:
        assert answer.status == 200
    port = int(server.rsplit(":", 1)[1])
    with open("/proc/net/tcp") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [address for address in listening if int(address.split(":")[1], 16) == port] == [f"0100007F:{port:04X}"]


def test_a_recording_from_the_microphone_is_answered(server, play):
    """Chromium's own fake microphone beeps; what counts is that the page gets the sound and answers."""
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    browser = launch(play, *fake)
    page = browser.new_context(permissions=["microphone"]).new_page()
    page.goto(f"{server}/predict")
    settle(page)
    page.get_by_role("radio", name="Record").click()
    page.wait_for_selector("[data-testid=stAudioInputWaveSurfer] [part=wrapper]", state="attached")  # it listens now
    settle(page)
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_selector("[data-testid=stAudioInputWaveformTimeCode]:text-is('00:02')")
    page.get_by_role("button", name="Stop recording").click()
    page.wait_for_selector("text=wav, 48,000 Hz")
    page.wait_for_selector("text=sure of the emotion")
    browser.close()
