"""A report prints to one page of A4 for each recording, whatever is on it, and nothing on a page is cut off."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ser_core.corpus.labels import LABELS
from ser_core.evaluation.verdicts import Limits
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Prediction
from ser_core.prediction.report import MAX_NOTE, MAX_WARNINGS, Picture, Sheet, report
from ser_core.settings import Settings

LIMITS = Limits(probability=0.1, distance=2.0, right=0.82, heard=0.4, clips=1440, conditions=31)
PAPER = {"width": 673, "height": 1036}  # A4 within its margins, in pixels of CSS
CUT_OFF = "[...document.querySelectorAll('.one')].map(page => page.scrollHeight - page.clientHeight)"


@pytest.fixture
def sheet(spoken) -> Sheet:
    prediction = Prediction(
        dict.fromkeys(LABELS, 0.0) | {"calm_female": 0.4, "sad_female": 0.3, "surprised_male": 0.3},
        limits=LIMITS,
        distance=1.0,
    )
    return Sheet("voice.wav", "WAV, 48,000 Hz, mono", 3.0, Picture.of(spoken, 22_050), prediction)


@pytest.fixture
def full(sheet) -> Sheet:
    """As much on one page as there can be."""
    starts = 17.3 * np.arange(32)
    answers = {"verdict": "unlike", "answer": "disgust, fearful or surprised"}
    turns = pd.DataFrame({"start_s": starts, "end_s": starts + 9.9, **answers})
    warning = (
        "Noisy: only 24 dB lie between the voice and the pauses, and noise sounds like breath or energy. Speak closer "
        "to the microphone, or in a quieter room."
    )
    warnings = (warning,) * (MAX_WARNINGS + 3)
    prediction = replace(sheet.prediction, warnings=warnings)
    return replace(sheet, name="W" * 500 + ".wav", note="W " * MAX_NOTE, turns=turns, prediction=prediction)


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def show(page, html: str) -> None:
    """Without anything from outside, which would be asked for."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html)
    assert [address for address in asked if not address.startswith("data:")] == []


@pytest.mark.parametrize("what", ["usual", "full", "full, without turns", "three"])
def test_a_report_prints_to_a_page_for_each_recording(page, sheet, full, what):
    entry = model_store.find("robust", Settings.from_environment().stores)
    sheets = {
        "usual": [sheet],
        "full": [full],
        "full, without turns": [replace(full, turns=None)],
        "three": [sheet, full, sheet],
    }[what]
    show(page, report(sheets, entry))
    assert pages_of(page.pdf(format="A4")) == (1 if len(sheets) == 1 else 1 + len(sheets))
    page.set_viewport_size(PAPER)
    for medium in ("print", "screen"):
        page.emulate_media(media=medium)
        assert page.evaluate(CUT_OFF) == [0] * len(sheets)


def test_a_long_table_goes_on_on_further_pages(page, sheet):
    entry = model_store.find("robust", Settings.from_environment().stores)
    show(page, report([sheet] * 60, entry))
    assert pages_of(page.pdf(format="A4")) == 2 + 60


def test_a_report_is_black_on_white_in_a_dark_browser_too(page, sheet):
    page.emulate_media(color_scheme="dark")
    show(page, report([sheet], model_store.find("robust", Settings.from_environment().stores)))
    colours = page.evaluate(
        "(style => [style.color, style.backgroundColor])(getComputedStyle(document.querySelector('.one')))"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light only"
    page.emulate_media(color_scheme="no-override")
