import numpy as np
import pytest

from ser_core.corpus import synthetic
from ser_core.features import functionals, inputs, speaker_perturbation


def test_a_clips_own_voice_comes_first(spoken):
    made = speaker_perturbation.extract(spoken)
    assert made.shape == (1 + len(speaker_perturbation.OTHERS), len(functionals.NAMES))
    np.testing.assert_array_equal(made[0], functionals.extract(spoken))
    assert np.isfinite(made).all()


def test_a_clip_that_is_only_heard_is_not_said_again(spoken, settings):
    one = inputs.get("voices", settings)
    np.testing.assert_array_equal(inputs.to_hear(one).see([spoken]), one.see([spoken])[:, :1])
    frames = inputs.get("frames", settings)
    assert inputs.to_hear(frames) is frames


def test_their_version_is_raised_with_that_of_the_functionals():
    assert (speaker_perturbation.VERSION, functionals.VERSION) == ("voices-1", "functionals-1")


@pytest.mark.parametrize(("formants", "pitch", "duration"), speaker_perturbation.OTHERS)
def test_the_other_voice_has_another_pitch_length_and_vocal_tract(formants, pitch, duration):
    spoken = synthetic.speak("calm", actor=1, rate=22_050)
    said = speaker_perturbation.say(spoken, formants, pitch, duration)
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
    assert speaker_perturbation.say(samples, 1.07, 1.12, 0.95) is samples
    assert np.isfinite(speaker_perturbation.extract(samples)).all()


def test_noise_and_a_shout_have_other_voices_too():
    noise = np.random.default_rng(0).normal(scale=0.1, size=22_050).astype(np.float32)
    shout = np.clip(8 * synthetic.speak("angry", actor=2, rate=22_050), -1, 1).astype(np.float32)
    for samples in (noise, shout):
        assert np.isfinite(speaker_perturbation.extract(samples)).all()
