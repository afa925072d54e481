import numpy as np
import pytest

from ser_core.audio.conditions import through_rate
from ser_core.audio.tone import faded, sine
from ser_core.features.spectrogram import share_above
from ser_core.figures import tone as figures

RATE = 22_050


def test_a_sine_has_its_frequency_amplitude_and_phase():
    samples = sine(440, 0.3, 90, seconds=1)
    spectrum = np.fft.rfft(samples)
    assert np.abs(spectrum).argmax() == 440
    assert samples[0] == pytest.approx(0.3)
    assert np.abs(samples).max() == pytest.approx(0.3, abs=1e-4)
    assert np.allclose(sine(440, 0.3, 0), sine(440, 0.3, 360), atol=1e-5)


def test_a_faded_tone_begins_and_ends_in_silence_and_is_whole_between():
    samples = faded(sine(440, 0.3, 90))
    assert samples[0] == samples[-1] == 0
    assert np.array_equal(samples[2_000:-2_000], sine(440, 0.3, 90)[2_000:-2_000])


@pytest.mark.parametrize(("lower", "kept"), [(22_050, 2), (8_000, 1), (4_000, 0)])
def test_a_lower_rate_keeps_tones_up_to_half_of_it(lower, kept):
    both = sine(3_000, 0.3) + sine(6_000, 0.3)
    left = through_rate(both, RATE, lower)
    assert len(left) == len(both)
    assert np.square(left).mean() / np.square(both).mean() == pytest.approx(kept / 2, abs=0.01)


def test_the_share_of_energy_above_a_frequency():
    both = sine(1_000, 0.4) + sine(5_000, 0.2)
    assert share_above(both, RATE, 3_000) == pytest.approx(0.2, abs=1e-3)
    assert share_above(np.zeros(100), RATE, 0) == 0


@pytest.mark.parametrize(("phase", "curves"), [(0, 1), (360, 1), (90, 2)])
def test_a_tone_is_drawn_with_its_unshifted_self_only_where_they_differ(phase, curves):
    figure, sentence = figures.tone(200, 0.25, phase, most=0.5)
    assert len(figure.data) == curves
    assert "200 waves a second" in sentence and "5.0 ms" in sentence
    assert figure.layout.xaxis.title.text == "time (ms)"
