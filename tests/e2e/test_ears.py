"""A round in the browser, played by keys alone; before its truth is shown, nothing that arrives tells it."""

import re

import pytest

from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.listening import rounds, scores
from ser_core.ui.ears import table_of
from tests.e2e.browsing import fits, rest, settle

ADDRESS = "7.4clips"


@pytest.fixture
def traffic(page):
    """All that the page receives: frames of its websocket, addresses, and names of files."""
    arrived = {"frames": [], "addresses": [], "names": []}

    def frame(payload):
        arrived["frames"].append(payload if isinstance(payload, bytes) else payload.encode())

    def response(one):
        arrived["addresses"].append(one.url)
        arrived["names"].append(one.headers.get("content-disposition", ""))

    page.on("websocket", lambda socket: socket.on("framereceived", frame))
    page.on("response", response)
    return arrived


def asked(page, clip: int) -> str:
    """Wait for a clip. Returns all of the page but the clip's number, how far that is, and the digest of its sound."""
    page.wait_for_selector(f"audio[aria-label='Clip {clip} of 4']", state="attached")
    page.get_by_role("button", name="Certain").wait_for()
    rest(page)
    shown = page.locator("[data-testid=stMain]").inner_html().replace(f"Clip {clip} of 4", "Clip N of 4")
    shown = re.sub(r"/media/[0-9a-f]+", "/media/", shown)
    return re.sub(r' (style|class|disabled|aria-value\w+)="[^"]*"', "", shown)  # order and looks of what was pressed


def test_a_round_is_played_by_keys_and_gives_nothing_away(server, page, traffic):
    one = rounds.from_address(ADDRESS)
    page.goto(f"{server}/ears?round={ADDRESS}&reveal=end")
    page.get_by_role("button", name="Start").wait_for()
    rest(page)
    page.keyboard.press("s")
    shown, given, sounds = [], [], {}
    for clip in one.clips:
        shown.append(asked(page, clip))
        page.wait_for_function("document.querySelector('audio').currentTime > 0.2")  # it plays by itself
        address = page.locator("audio").evaluate("audio => audio.src")
        sounds[address] = page.request.get(address).body()  # it is there as long as the page shows it
        assert sounds[address][:4] == b"RIFF"
        number = clip + 3
        page.keyboard.press(str(number))
        page.wait_for_selector(f"[class*=st-key-ears-{EMOTION_NAMES[number - 1]}] [data-testid=stBaseButton-primary]")
        settle(page)
        given.append((clip, EMOTION_NAMES[number - 1], 0.7))
        if clip == 4:  # the last answer brings the truth
            before = {name: list(what) for name, what in traffic.items()}
            assert f"/ears?round={ADDRESS}" in page.url
        page.keyboard.press("f")
        if clip == 1:
            page.keyboard.press("f")  # faster than the page: no answer to the next clip
    assert len(set(shown)) == 1  # whatever a clip is, the page is the same

    heard = b"".join(before["frames"])
    assert len(before["frames"]) > 10
    secrets = [
        *one.stems,
        *(f"actor {int(speaker)}" for speaker in one.truth["speaker"]),
        "The model:",
        "_female",
        "_male",
    ]
    assert not [secret for secret in secrets if secret.encode() in heard]
    counts = {name: len(re.findall(name.encode(), heard, re.IGNORECASE)) for name in EMOTION_NAMES}
    assert min(counts.values()) > 0 and len(set(counts.values())) == 1, counts  # the buttons alone
    assert not re.search(r"0[123]-0[12]-0\d-", " ".join([*before["addresses"], *before["names"]]))
    assert {address for address in before["addresses"] if address.startswith(f"{server}/media/")} == set(sounds)
    assert len(sounds) == 4 and all(
        re.fullmatch(rf"{server}/media/[0-9a-f]{{32,}}\.wav", address) for address in sounds
    )
    assert not [stem for stem in one.stems for content in sounds.values() if stem.encode() in content]

    page.wait_for_selector("text=Clip by clip")
    settle(page)
    mine = scores.score(scores.marked(table_of(given), one.truth))
    value = page.get_by_test_id("stMetric").first.get_by_test_id("stMetricValue").inner_text()
    assert value == f"{mine.accuracy:.0%}"
    fits(page)


def test_a_screen_reader_is_told_numbers_and_emotions(server, phone):
    phone.goto(f"{server}/ears?round={ADDRESS}")
    phone.get_by_role("button", name="Start").click()
    asked(phone, 1)
    main = phone.get_by_test_id("stMain")
    for number, emotion in enumerate(EMOTION_NAMES, 1):
        assert main.get_by_role("button", name=emotion.capitalize()).count() == 1
        assert phone.locator(f"[class*=st-key-ears-{emotion}] [aria-label='Shortcut {number}']").count() == 1
    assert phone.locator("audio").get_attribute("aria-label") == "Clip 1 of 4"
    assert not main.get_by_role("button", name="Certain").is_enabled()
    fits(phone)
