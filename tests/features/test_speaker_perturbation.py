import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.errors import FeatureError
from ser_core.features import functionals, registry, speaker_perturbation
from ser_core.features.augmentation import augmented
from ser_core.features.feature_set import FeatureSet
from ser_core.features.registry import FUNCTIONALS

PERTURBED = augmented(FUNCTIONALS, "speaker-perturbation")


def test_the_original_comes_first_and_then_its_copies(spoken):
    (made,) = PERTURBED.of([spoken])
    assert made.shape == (1 + len(speaker_perturbation.OTHERS), len(functionals.NAMES))
    np.testing.assert_array_equal(made[0], functionals.extract(spoken))
    assert np.isfinite(made).all()


def test_the_version_of_copies_is_that_of_the_features_and_of_the_change():
    assert PERTURBED.version == f"{functionals.VERSION}+{speaker_perturbation.VERSION}"


def test_what_changes_clips_in_each_epoch_makes_no_copies():
    frames = registry.get("frames")
    assert augmented(frames, "specaugment") is frames


def test_features_that_are_extracted_in_batches_are_not_made_of_copies():
    batched = FeatureSet("vgg16", "vgg16-1", "pictures", extract_batch=np.stack)
    with pytest.raises(FeatureError, match="vgg16 does not support augmentation by copies"):
        augmented(batched, "speaker-perturbation")


@pytest.mark.parametrize(("formants", "pitch", "duration"), speaker_perturbation.OTHERS)
def test_the_other_voice_has_another_pitch_length_and_vocal_tract(formants, pitch, duration):
    spoken = synthetic.speak("calm", actor=1, rate=22_050)
    said = speaker_perturbation.perturb(spoken, formants, pitch, duration)
    assert said.dtype == np.float32
    assert len(said) / len(spoken) == pytest.approx(duration, abs=0.02)
    own, other = (dict(zip(functionals.NAMES, functionals.extract(one), strict=True)) for one in (spoken, said))
    assert other["pitch_p50"] - own["pitch_p50"] == pytest.approx(12 * np.log2(pitch), abs=0.3)
    # As its resonances, so the middle of the spectrum, which is given as a logarithm.
    assert np.exp(other["centroid_mean"] - own["centroid_mean"]) == pytest.approx(formants, abs=0.05)


@pytest.mark.parametrize(
    "samples",
    [np.zeros(22_050, np.float32), np.zeros(100, np.float32), np.zeros(0, np.float32)],
    ids=["silence", "an instant", "nothing"],
)
def test_what_has_no_pitch_is_given_back_as_it_is(samples):
    assert speaker_perturbation.perturb(samples, 1.07, 1.12, 0.95) is samples
    assert np.isfinite(PERTURBED.of([samples])).all()


def test_noise_and_a_shout_have_other_voices_too():
    noise = np.random.default_rng(0).normal(scale=0.1, size=22_050).astype(np.float32)
    shout = np.clip(8 * synthetic.speak("angry", actor=2, rate=22_050), -1, 1).astype(np.float32)
    for samples in (noise, shout):
        assert np.isfinite(PERTURBED.of([samples])).all()


def test_the_same_clip_has_the_same_copies():
    """Praat draws the noise of unvoiced frames, of which a breathy voice has many."""
    breathy = synthetic.speak("sad", actor=2, rate=22_050)
    for first, again in zip(*(speaker_perturbation.copies(breathy) for _ in range(2)), strict=True):
        np.testing.assert_array_equal(again, first)
