import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.features import differences, speaking

NAMES = ("“One”", "“Two”")


def speaking_as(**values: float) -> np.ndarray:
    plain = {"pitch_hz": 200.0, "pitch_range_st": 5.0, "loudness_range_db": 15.0, "pace": 4.0, "pauses": 0.1}
    known = plain | {"brightness_db": -10.0, "roughness_db": -12.0} | values
    return np.array([known[name] for name in speaking.NAMES])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pitch_hz": 400.0}, "**12 semitones higher**"),
        ({"pitch_hz": 189.0}, "**1 semitone lower**"),
        ({"pace": 5.0}, "**25% faster**"),
        ({"pace": 2.0}, "**50% slower**"),
        ({"loudness_range_db": 20.0}, "**5 dB more varied in loudness**"),
        ({"loudness_range_db": 12.0}, "**3 dB less varied in loudness**"),
        ({"brightness_db": -4.0}, "**6 dB brighter**"),
        ({"brightness_db": -13.0}, "**3 dB duller**"),
        ({"roughness_db": -9.0}, "**3 dB rougher**"),
        ({"roughness_db": -16.0}, "**4 dB clearer**"),
    ],
)
def test_each_difference_is_said_with_its_amount_and_direction(changed, said):
    sentence = differences.compare(speaking_as(**changed), speaking_as(), NAMES)
    assert sentence.startswith(f"“One” is {said} than “Two”. Both are about equally ")
    assert sentence.count("**") == 2


def test_small_differences_are_none():
    sentence = differences.compare(speaking_as(pitch_hz=203.0, pace=4.2, brightness_db=-9.0), speaking_as(), NAMES)
    assert sentence == "“One” and “Two” are about equally high, varied in loudness, fast, bright and rough."


def test_what_is_not_measured_in_one_of_them_is_left_out():
    sentence = differences.compare(
        speaking_as(pitch_hz=np.nan, pace=np.nan, roughness_db=np.nan, brightness_db=0.0), speaking_as(), NAMES
    )
    assert sentence == "“One” is **10 dB brighter** than “Two”. Both are about equally varied in loudness."
    assert differences.compare(speaking_as(pace=0.0), speaking_as(), NAMES).count("fast") == 0
    assert differences.compare(np.full(len(speaking.NAMES), np.nan), speaking_as(), NAMES) == ""


def test_the_level_of_a_recording_makes_no_difference():
    samples = synthetic.speak("angry", actor=2)
    one, other = speaking.extract(samples), speaking.extract(samples / 8)
    assert "**" not in differences.compare(one, other, NAMES)
