"""What networks see of a clip: shapes, padding, and which part of a long clip."""

import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.features import frames


@pytest.mark.parametrize("seconds", [0.3, 1.2, 4.46, 9.0])
def test_frames_have_one_shape_and_are_decibels(seconds):
    seen = frames.frames(synthetic.speak("angry", actor=1, seconds=seconds))
    assert seen.shape == (192, 64)
    assert seen.min() >= frames.FLOOR_DB and seen.max() < 60
    assert np.isfinite(seen).all()


def test_a_short_clip_lies_in_the_middle_of_its_frames():
    seen = frames.frames(synthetic.speak("sad", actor=2, seconds=1.0))
    silent = (seen == frames.FLOOR_DB).all(axis=1)
    voiced = np.flatnonzero(~silent)
    assert 40 <= len(voiced) <= 46  # a second of 512 samples a frame
    assert abs(voiced[0] - (191 - voiced[-1])) <= 1


def test_of_a_long_clip_the_part_around_the_voice_is_seen():
    voice = synthetic.speak("angry", actor=1, seconds=2.0)
    late = np.concatenate(
        [np.zeros(6 * frames.SAMPLE_RATE, np.float32), voice, np.zeros(frames.SAMPLE_RATE, np.float32)]
    )
    alone, found = frames.frames(voice), frames.frames(late)
    assert found.mean() == pytest.approx(alone.mean(), abs=3)
    assert (found > -40).sum() > 0.9 * (alone > -40).sum()


@pytest.mark.parametrize("seconds", [0.3, 1.2, 9.0])
def test_a_sequence_is_padded_with_zeros_at_its_end_alone(seconds):
    seen = frames.sequence(synthetic.speak("happy", actor=3, seconds=seconds))
    assert seen.shape == (96, 52)
    there = seen.any(axis=1)
    length = min(96, int(seconds * frames.SAMPLE_RATE / 512 + 1) // 2)
    assert there[:length].all() and not there[length:].any()
