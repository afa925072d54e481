"""Recordings as people bring them get a verdict before an emotion: loud, over a telephone, and without a voice."""

import io
import json
import re

import numpy as np
import pytest
import soundfile
import soxr

from ser_core.audio import conditions, nonspeech
from ser_core.corpus import synthetic
from ser_core.settings import PROJECT
from tests.e2e.browsing import IS_NOT_TOO_WIDE, fits, rest, settle, shows_no_fault, tick_first_row, upload
from tests.e2e.conftest import DESK, PHONE

RATE = 22_050
CLIPS = PROJECT / "artifacts" / "clips"
OF_ACTOR_2 = {"angry.flac": "03-01-05-01-02-01-02", "calm.flac": "03-01-01-01-02-02-02"}
WORDS = ("heard", "not sure", "unlike all it has heard", "not tested on unknown voices")


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture
def loud() -> bytes:
    """At full scale, and a little beyond."""
    voice = synthetic.speak("happy", actor=2)
    return wav(np.clip(voice / np.quantile(np.abs(voice), 0.995), -1, 1))


@pytest.fixture
def telephone() -> bytes:
    """As a telephone leaves it, at 8 kHz."""
    voice = conditions.get("telephone").apply(synthetic.speak("angry", actor=2), RATE)
    return wav(np.clip(soxr.resample(voice, RATE, 8_000), -1, 1), 8_000)


def badge(page) -> str:
    return page.get_by_test_id("stMarkdownContainer").locator(".stMarkdownBadge").first.inner_text()


def answers(page) -> list[dict]:
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    return json.loads(download.value.path().read_text())


def test_a_loud_recording_gets_a_verdict_and_is_told_to_be_clipped(server, page, loud):
    page.goto(f"{server}/predict?source=Upload")
    settle(page)
    upload(page, ("loud.wav", loud))
    assert badge(page).endswith(WORDS)
    page.wait_for_selector("[data-testid=stAlert]:has-text('lipp')")
    page.wait_for_selector("text=How probable each emotion is")
    fits(page)
    (answer,) = answers(page)
    assert answer["verdict"] in ("heard", "unsure", "unlike", "untested")
    assert page.get_by_text(answer["reason"]).count() == 1


def test_a_recording_over_a_telephone_gets_a_verdict_and_can_be_tried_otherwise(server, page, telephone):
    page.goto(f"{server}/predict?source=Upload")
    settle(page)
    upload(page, ("call.wav", telephone))
    assert badge(page).endswith(WORDS)
    assert page.get_by_text("wav, 8,000 Hz").count() == 1
    page.get_by_role("radio", name="turned up to full scale").click()
    page.wait_for_selector("text=/turned up to full scale: the answer/")
    settle(page)
    rest(page)
    assert page.locator("audio").count() == 2
    assert page.locator(".stMarkdownBadge").count() == 3  # one of them in the list of takes
    page.wait_for_function(IS_NOT_TOO_WIDE)
    shows_no_fault(page)


def test_of_a_recording_without_a_voice_no_emotion_is_named(server, page):
    page.goto(f"{server}/predict?source=Upload")
    settle(page)
    upload(page, ("tone.wav", wav(nonspeech.make("a tone", RATE))))
    page.wait_for_selector("h3:has-text('No voice')")
    assert badge(page).endswith("no voice")
    assert page.get_by_text("Does the answer stand?").count() == 0
    assert page.get_by_text("How probable each emotion is").count() == 0
    (answer,) = answers(page)
    assert (answer["verdict"], answer["emotion"], answer["possible"]) == ("no_voice", None, [])
    fits(page)


def test_several_recordings_are_takes_with_their_verdicts(server, page, loud, telephone):
    page.goto(f"{server}/predict?source=Upload")
    settle(page)
    upload(page, ("loud.wav", loud), ("call.wav", telephone), ("tone.wav", wav(nonspeech.make("a tone", RATE))))
    page.wait_for_selector("text=3 takes")
    found = {answer["file"]: answer["verdict"] for answer in answers(page)}
    assert list(found) == ["loud.wav", "call.wav", "tone.wav"]
    assert found["tone.wav"] == "no_voice" and "no_voice" not in (found["loud.wav"], found["call.wav"])
    page.get_by_test_id("stRadio").get_by_text("tone.wav").click()
    page.wait_for_selector("h3:has-text('No voice')")
    rest(page)
    page.get_by_text("This take", exact=True).click()
    rest(page)
    assert [answer["file"] for answer in answers(page)] == ["tone.wav"]
    shows_no_fault(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_answer_is_in_view_without_scrolling(server, page, size, loud):
    page.set_viewport_size(size)
    for source in ("Upload", "Example"):
        page.goto(f"{server}/predict?source={source}")
        settle(page)
        if source == "Upload":
            upload(page, ("loud.wav", loud))
        page.wait_for_selector("text=dB of full scale")
        rest(page)
        box = page.locator("h2:not(:has-text('Navigation')), h3").first.bounding_box()
        assert box["y"] > 0 and box["y"] + box["height"] < size["height"]


def test_while_recordings_are_listened_to_the_old_answer_is_gone(server, phone, loud):
    phone.goto(f"{server}/predict?source=Upload")
    settle(phone)
    upload(phone, ("loud.wav", loud))
    files = [{"name": f"{number}.wav", "mimeType": "audio/wav", "buffer": loud} for number in range(12)]
    # Each change is looked at: what stands there for a moment alone is missed by asking now and then.
    phone.evaluate(
        """() => {
            const look = () => {
                const [progress] = document.querySelectorAll('[data-testid=stProgress]');
                const said = document.querySelector('[data-testid=stMain]').innerText;
                window.seen ||= progress?.innerText.match(/Listening: [0-9]+ of 12/)
                    && !/dB of full scale|How probable|recorded otherwise/.test(said)
                    && progress.getBoundingClientRect().bottom < window.innerHeight;
            };
            new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )
    phone.set_input_files("input[type=file]", files)
    phone.wait_for_function("() => window.seen")
    phone.wait_for_selector("text=13 takes")
    shows_no_fault(phone)


def test_progress_moves_while_a_long_recording_is_looked_through_for_voices(server, phone):
    phone.goto(f"{server}/predict?source=Upload&model=Kernel+ridge")
    settle(phone)
    phone.evaluate(
        """() => {
            window.seen = new Set();
            const look = () => {
                const bar = document.querySelector('[data-testid=stMain] [data-testid=stProgress]');
                if (bar) window.seen.add(bar.innerText);
            };
            new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
        }"""
    )
    spoken = synthetic.speak("angry", actor=2, seconds=3.0)
    minute = np.tile(np.concatenate([spoken, np.zeros(RATE, np.float32)]), 20)
    upload(phone, ("call.wav", wav(minute)))
    seen = phone.evaluate("[...window.seen]")
    looked = [text for text in seen if text.startswith("Looking for voices: ")]
    listened = [text for text in seen if re.fullmatch("Listening: [0-9]+ of 20 turns", text)]
    assert len(looked) > 3 and listened
    assert seen.index(looked[-1]) < seen.index(listened[0])
    shows_no_fault(phone)


def test_the_chosen_model_and_take_stay_over_page_changes(server, page, loud, telephone):
    page.goto(f"{server}/predict?source=Upload")
    settle(page)
    upload(page, ("loud.wav", loud), ("call.wav", telephone))
    page.get_by_test_id("stRadio").get_by_text("call.wav").click()
    page.wait_for_selector("text=wav, 8,000 Hz")
    rest(page)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="Kernel ridge").click()
    page.wait_for_function("location.search.includes('model=Kernel')")
    rest(page)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Emotion or voice?").click()
    page.wait_for_selector("h2:has-text('Why it falls')")
    page.get_by_test_id("stSidebar").get_by_role("link", name="Hear an emotion").click()
    page.wait_for_selector("text=wav, 8,000 Hz")
    rest(page)
    assert page.get_by_role("combobox", name="Model").input_value() == "Kernel ridge"
    shows_no_fault(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_two_takes_are_compared_renamed_and_deleted(server, page, size, loud, telephone):
    page.set_viewport_size(size)
    page.goto(f"{server}/predict?source=Upload")
    settle(page)
    upload(page, ("loud.wav", loud), ("call.wav", telephone))
    page.wait_for_selector("text=How probable each emotion is")
    rest(page)
    others = page.get_by_role("combobox", name="Compare with")
    others.scroll_into_view_if_needed()
    rest(page)  # scrolling closes a list that is open
    others.click()
    page.get_by_role("option", name="call.wav").click()
    page.wait_for_selector("text=/“loud.wav” is .* than “call.wav”/")
    page.wait_for_function("document.querySelectorAll('[data-testid=stPlotlyChart]').length == 6")
    page.wait_for_function(IS_NOT_TOO_WIDE)
    rest(page)
    page.get_by_test_id("stMain").get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Its name").fill("<b>my & take</b>")
    page.get_by_role("textbox", name="Its name").press("Enter")
    page.wait_for_selector("text=/“<b>my & take</b>” is .* than “call.wav”/")
    page.keyboard.press("Escape")
    page.get_by_test_id("stSidebar").get_by_role("link", name="Overview").click() if size == DESK else None
    if size == DESK:
        page.wait_for_selector("text=Can a computer hear")
        page.get_by_test_id("stSidebar").get_by_role("link", name="Hear an emotion").click()
        page.wait_for_selector("text=2 takes")
    rest(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()
    page.wait_for_selector("text=1 take")
    page.wait_for_selector("text=How probable each emotion is")
    rest(page)  # what is gone is drawn until the script has run to its end
    assert page.get_by_text("my & take").count() == 0
    shows_no_fault(page)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_a_call_is_heard_turn_by_turn_and_a_turn_is_played(server, page, size):
    page.set_viewport_size(size)
    page.goto(f"{server}/predict?source=Upload")
    settle(page)
    spoken = [synthetic.speak(emotion, actor=2, seconds=3.0) for emotion in ("angry", "sad")]
    upload(page, ("call.wav", wav(np.concatenate([spoken[0], np.zeros(2 * RATE, np.float32), spoken[1]]))))
    assert badge(page).endswith("several turns")
    page.wait_for_selector("h3:has-text('2 turns')")
    page.wait_for_selector("text=Choose a turn in the chart or in the list")
    assert page.locator("audio").count() == 1
    rest(page)
    tick_first_row(page)
    page.wait_for_selector("text=/^Turn 1/")
    rest(page)
    assert page.locator("audio").count() == 2
    (answer,) = answers(page)
    assert answer["verdict"] == "turns" and len(answer["turns"]) == 2
    fits(page)


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_why_and_what_if_are_one_click_away(server, page, size):
    page.set_viewport_size(size)
    page.goto(f"{server}/predict?clip=03-01-05-02-01-01-12")
    page.wait_for_selector("text=Why this answer?")
    settle(page)
    page.get_by_text("Why this answer?").click()
    page.wait_for_selector("text=Which stretch decided")
    page.wait_for_selector("text=The nearest training clips")
    assert "why=true" in page.url
    rest(page)
    page.get_by_text("What if it were said differently?").click()
    slider = page.get_by_role("slider", name="Pace, times")
    slider.scroll_into_view_if_needed()
    for _ in range(6):
        slider.press("ArrowRight")
    page.get_by_role("button", name="Hear it so").click()
    page.wait_for_selector("text=/Angry goes from/")
    fits(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_voice_that_is_known_changes_the_answers(server, page, size):
    page.set_viewport_size(size)
    page.goto(f"{server}/predict?source=Upload&model=Speaker-centred+vote")
    settle(page)
    clips = {name: (CLIPS / f"{stem}.flac").read_bytes() for name, stem in OF_ACTOR_2.items()}
    upload(page, *clips.items())
    page.wait_for_selector("text=It does not know this voice")
    before = page.get_by_text(re.compile("^It gives ")).inner_text()
    rest(page)
    page.get_by_role("button", name=re.compile("My voice")).click()
    page.get_by_role("combobox", name="My calm takes").click()
    page.get_by_role("option", name="calm.flac").click()
    page.wait_for_selector("text=Heard as yours: known from 1 calm take")
    rest(page)
    page.keyboard.press("Escape")
    assert page.get_by_text(re.compile("^It gives ")).inner_text() != before
    assert page.get_by_role("button", name="My voice: known").is_visible()
    assert [answer["speaker"] for answer in answers(page)] == ["neutral:1", "neutral:1"]
    fits(page)
