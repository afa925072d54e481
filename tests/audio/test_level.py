import numpy as np
import pytest

from ser_core.audio.level import FLOOR_DBFS, active_level, frame_levels

RATE = 16_000


def tone(seconds: float = 1.0, amplitude: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * 200 * np.arange(int(seconds * RATE)) / RATE)


@pytest.mark.parametrize("gain_db", [-40, -6, 0, 20])
def test_a_gain_moves_the_level_by_itself(gain_db):
    assert active_level(tone() * 10 ** (gain_db / 20), RATE) == pytest.approx(-3.01 + gain_db, abs=0.01)


def test_pauses_do_not_count(spoken):
    with_pause = np.concatenate([np.zeros(44_100), spoken, np.zeros(44_100)])
    assert active_level(with_pause, 22_050) == pytest.approx(active_level(spoken, 22_050), abs=0.1)


def test_what_is_far_below_the_loudest_does_not_count():
    quiet = np.concatenate([tone(), tone(amplitude=10 ** (-40 / 20))])
    assert active_level(quiet, RATE) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("number", [1, 10, 799, 800, 801])
def test_any_length_has_a_level(number):
    assert np.isfinite(frame_levels(np.full(number, 0.5), RATE)).all()


def test_digital_silence_has_the_lowest_level():
    assert active_level(np.zeros(RATE), RATE) == pytest.approx(FLOOR_DBFS)
