"""Sounds without a voice: that the detector finds none in them is tested with it, in test_voice_activity.py."""

import numpy as np
import pytest

from ser_core.audio import nonspeech

RATE = 22_050


@pytest.mark.parametrize("kind", nonspeech.KINDS)
def test_a_kind_is_three_seconds_as_its_seed_draws_them(kind):
    samples = nonspeech.make(kind, RATE, seed=1)
    assert samples.dtype == np.float32
    assert len(samples) == 3 * RATE
    assert len(nonspeech.make(kind, 16_000)) == 3 * 16_000
    assert np.abs(samples).max() == pytest.approx(0.5)
    assert (samples == nonspeech.make(kind, RATE, seed=1)).all()
    assert not np.allclose(samples, nonspeech.make(kind, RATE, seed=2), atol=0.05)


def strongest_hz(kind: str) -> float:
    spectrum = np.abs(np.fft.rfft(nonspeech.make(kind, RATE)))
    return np.fft.rfftfreq(3 * RATE, 1 / RATE)[spectrum.argmax()]


def test_a_kind_sounds_as_its_name_says():
    assert min(abs(strongest_hz("mains hum") - mains_hz) for mains_hz in (50, 60)) < 1
    assert 200 <= strongest_hz("a tone") <= 2_000
    assert strongest_hz("wind") < 500
    loud_s = (np.abs(nonspeech.make("typing", RATE)) > 0.05).mean()
    assert loud_s < 0.2  # short clicks in a quiet room
    white, pink = (np.abs(np.fft.rfft(nonspeech.make(kind, RATE))) for kind in ("white noise", "pink noise"))
    high_over_low = [np.mean(one[-10_000:] ** 2) / np.mean(one[1:10_000] ** 2) for one in (white, pink)]
    assert high_over_low[0] == pytest.approx(1, abs=0.1)
    assert high_over_low[1] < 0.3


def test_a_kind_that_is_not_known_is_named_with_those_that_are():
    with pytest.raises(ValueError, match=r"'rain' is none of .*: white noise, pink noise, "):
        nonspeech.make("rain", RATE)
