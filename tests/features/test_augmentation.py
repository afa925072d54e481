"""Copies to learn from: each clip again, also in other voices, in random recording conditions."""

import dataclasses

import numpy as np
import pytest

from ser_core.audio import conditions
from ser_core.corpus import synthetic
from ser_core.errors import FeatureError
from ser_core.features import augmentation, mean180, speaker_perturbation
from ser_core.features import registry as feature_sets
from ser_core.features.augmentation import augmented

RATE = 22_050
IN_CONDITIONS = augmentation.get("conditions")


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    return [synthetic.speak(emotion, actor=2, seconds=3.5) for emotion in ("angry", "sad", "neutral")]


@pytest.fixture(scope="module")
def copies(clips) -> list[list[np.ndarray]]:
    return [IN_CONDITIONS.copies(clip) for clip in clips]


def test_the_original_comes_first_as_it_is(clips, copies):
    for clip, made in zip(clips, copies, strict=True):
        np.testing.assert_array_equal(made[0], clip)
        assert len(made) == 4
        assert not any(len(other) == len(clip) and np.allclose(other, clip) for other in made[1:])


def test_a_clip_is_not_changed_by_its_copies(spoken):
    before = spoken.copy()
    IN_CONDITIONS.copies(spoken)
    np.testing.assert_array_equal(spoken, before)


def test_the_same_clip_has_the_same_copies_and_another_has_others(clips, copies):
    for first, again in zip(copies[0], IN_CONDITIONS.copies(clips[0]), strict=True):
        np.testing.assert_array_equal(again, first)
    almost = clips[0].copy()
    almost[1_000] += 1e-4
    again = IN_CONDITIONS.copies(almost)[1]
    assert again.shape != copies[0][1].shape or not np.allclose(again, copies[0][1], atol=1e-3)


def test_copies_are_whole_numbers_of_sound(copies):
    for made in copies:
        for one in made:
            assert one.dtype == np.float32 and np.isfinite(one).all() and np.abs(one).max() > 0


def test_the_voices_are_those_of_speaker_perturbation_each_in_a_condition_of_its_own(monkeypatch, spoken):
    seeds = []
    monkeypatch.setattr(conditions, "at_random", lambda samples, *_, seed: seeds.append(seed) or samples)
    voices = speaker_perturbation.copies(spoken)
    for one, other in zip(IN_CONDITIONS.copies(spoken), [spoken, *voices], strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(set(seeds)) == len(seeds) == 3


def test_in_its_own_voice_a_copy_is_as_long_as_the_clip(clips, copies):
    assert [len(made[1]) for made in copies] == [len(clip) for clip in clips]


@pytest.mark.parametrize("kind", ["silence", "noise", "tone", "a moment"])
def test_what_is_no_voice_has_copies_too(kind):
    seconds = np.arange(2 * RATE) / RATE
    sound = {
        "silence": np.zeros(2 * RATE),
        "noise": np.random.default_rng(0).normal(scale=0.1, size=2 * RATE),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * seconds),
        "a moment": np.full(300, 0.1),
    }[kind].astype(np.float32)
    assert all(np.isfinite(one).all() and len(one) > 0 for one in IN_CONDITIONS.copies(sound))


def test_conditions_to_learn_from_are_none_of_those_that_are_tested(monkeypatch, spoken):
    """Nothing is asked of a named condition, and no other clip is needed."""
    monkeypatch.setattr(conditions, "CONDITIONS", {})
    monkeypatch.setattr(conditions, "SMALL_CHANGES", {})
    monkeypatch.setattr(conditions.Condition, "apply", lambda *_, **__: pytest.fail("a named condition was used"))
    assert len(IN_CONDITIONS.copies(spoken)) == 4


def test_features_are_those_of_the_clip_and_of_its_copies(spoken):
    made = augmented(feature_sets.MEAN180, "conditions")
    values = made.extract(spoken)
    assert values.shape == (4, 180)
    np.testing.assert_array_equal(values[0], mean180.extract(spoken))
    assert made.names == ()
    assert made.version == f"{feature_sets.MEAN180.version}+{IN_CONDITIONS.version}"


@pytest.mark.parametrize("key", ["none", "specaugment"])
def test_an_augmentation_without_copies_leaves_the_features_alone(key):
    assert augmented(feature_sets.MEAN180, key) is feature_sets.MEAN180


def test_features_that_are_extracted_in_batches_have_no_copies():
    in_batches = dataclasses.replace(feature_sets.MEAN180, extract=None)
    with pytest.raises(FeatureError, match="mean180 does not support augmentation by copies \\(conditions\\)"):
        augmented(in_batches, "conditions")


def test_an_unknown_augmentation_is_refused_with_those_that_there_are():
    with pytest.raises(FeatureError, match="no augmentation 'echo'; there is none, speaker-perturbation, conditions"):
        augmentation.get("echo")
