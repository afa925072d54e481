import re

import pytest

from ser_core.results import runs
from ser_core.settings import Settings
from ser_core.teaching import lesson


@pytest.fixture(scope="module")
def found():
    return runs.list_all([Settings.from_environment().artifacts])


@pytest.fixture(scope="module")
def steps(found):
    return lesson.steps(found)


def test_the_numbers_are_those_of_the_runs_that_ship(found, steps):
    known = runs.find(found, model=lesson.MODEL, protocol="study").scores["emotion_accuracy"]
    unknown = runs.find(found, model=lesson.MODEL, protocol="emobox").scores["emotion_accuracy"]
    said = steps[lesson.LADDER_STEP - 1].text
    assert f"{known:.0%}" in said and f"{unknown:.0%}" in said


def test_there_are_eight_steps_in_forty_minutes(steps):
    assert len(steps) == 8 and len(steps) * lesson.MINUTES == 40


def test_what_is_printed_is_a_page_of_its_own(steps):
    for printed in (lesson.worksheet(steps), lesson.worksheet(steps, answers=True)):
        assert printed.startswith("<!doctype html>") and "@page" in printed
        assert not re.search(r"<(script|nav|link|img|iframe)|url\(", printed)  # nothing of the app, nothing to load
        assert printed.count("<section>") == len(steps)


def test_the_worksheet_has_room_for_answers_and_the_guide_has_them(steps):
    sheet, guide = lesson.worksheet(steps), lesson.worksheet(steps, answers=True)
    for step in steps:
        assert step.title in sheet and step.title in guide
    assert sheet.count('class="line"') == 3 * len(steps) and 'class="line"' not in guide
    assert "To take home" in guide and "To take home" not in sheet
    assert "**" not in guide and "](" not in guide
