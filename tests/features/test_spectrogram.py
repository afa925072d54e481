import numpy as np

from ser_core.features.spectrogram import MAX_FRAMES, mel_decibels


def test_a_tone_is_loudest_in_its_own_band():
    rate = 22_050
    samples = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate).astype(np.float32)
    decibels, hz, seconds = mel_decibels(samples, rate)
    assert decibels.shape == (len(hz), len(seconds)) == (128, 87)
    assert abs(hz[decibels.mean(axis=1).argmax()] - 1000) < 30
    assert decibels.max() == 0
    assert abs(seconds[-1] - 2.0) < 0.05


def test_ten_minutes_are_no_more_frames_than_a_screen_shows():
    decibels, _, seconds = mel_decibels(np.random.default_rng(0).normal(size=600 * 8000).astype(np.float32), 8000)
    assert decibels.shape[1] <= MAX_FRAMES + 1
    assert abs(seconds[-1] - 600) < 2
