"""What a few clips tell about a speaker, by simulation, and what is done with it."""

import numpy as np
import pytest

from ser_core.corpus.labels import LABELS, emotion_of
from ser_core.errors import ModelError
from ser_core.models import registry
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.robust import RobustClassifier
from ser_core.models.speaker_offset import SpeakerOffset

SPEAKERS, TIMES, WIDTH = 20, 6, 400
BETWEEN, WITHIN = 2.0, 1.0
EMOTIONS = ("angry", "calm", "neutral", "sad")


@pytest.fixture(scope="module")
def drawn():
    """Clips of twenty speakers, whose offsets are drawn: features, emotions, speakers, offsets."""
    random = np.random.default_rng(0)
    offsets = random.normal(0, BETWEEN, (SPEAKERS, WIDTH))
    means = random.normal(0, 3, (len(EMOTIONS), WIDTH))
    speaker, emotion, _ = (place.ravel() for place in np.indices((SPEAKERS, len(EMOTIONS), TIMES)))
    features = offsets[speaker] + means[emotion] + random.normal(0, WITHIN, (len(speaker), WIDTH))
    return features, np.array(EMOTIONS)[emotion], np.array([f"{one:02d}" for one in speaker]), offsets, means


def test_variances_are_those_that_were_drawn(drawn):
    features, emotions, speakers, _, _ = drawn
    fitted = SpeakerOffset().fit(features, emotions, speakers)
    assert np.sqrt(fitted.between_.mean()) == pytest.approx(BETWEEN, rel=0.1)
    assert np.sqrt(fitted.within_.mean()) == pytest.approx(WITHIN, rel=0.05)
    assert (fitted.within_unknown_ > fitted.within_).mean() > 0.99


@pytest.mark.parametrize("clips", [1, 2, 8])
def test_a_shrunk_offset_of_a_new_speaker_is_nearer_than_a_plain_mean(drawn, clips):
    features, emotions, speakers, _, means = drawn
    fitted = SpeakerOffset().fit(features, emotions, speakers)
    random, place = np.random.default_rng(1), EMOTIONS.index("neutral")
    faults = {"shrunk": [], "mean": [], "none": []}
    for _ in range(30):
        offset = random.normal(0, BETWEEN, WIDTH)
        heard = offset + means[place] + random.normal(0, WITHIN, (clips, WIDTH))
        plain = heard.mean(axis=0) - means[place]
        for name, guess in (("shrunk", fitted.of(heard, "neutral")), ("mean", plain), ("none", 0)):
            faults[name].append(np.square(guess - offset).mean())
    shrunk, mean, none = (np.mean(faults[name]) for name in ("shrunk", "mean", "none"))
    assert shrunk < none / 2
    if clips == 1:
        assert shrunk < mean


def test_a_known_emotion_tells_more_than_an_unknown_one(drawn):
    features, emotions, speakers, _, means = drawn
    fitted = SpeakerOffset().fit(features, emotions, speakers)
    offset = np.random.default_rng(2).normal(0, BETWEEN, WIDTH)
    heard = offset + means[EMOTIONS.index("neutral")][np.newaxis]
    known, unknown = (np.square(fitted.of(heard, emotion) - offset).mean() for emotion in ("neutral", None))
    assert known < unknown / 2


def test_without_clips_there_is_no_offset(drawn):
    fitted = SpeakerOffset().fit(*drawn[:3])
    with pytest.raises(ValueError, match="at least one clip"):
        fitted.of(np.empty((0, WIDTH)))


@pytest.fixture(scope="module")
def voices_and_labels():
    """Two emotions that differ less than speakers do."""
    random = np.random.default_rng(3)
    labels = np.array(["angry_female", "sad_female", "angry_male", "sad_male"] * 30)
    speakers = np.array([f"{2 * (row // 20) + row % 4 // 2}" for row in range(120)])
    offsets = {speaker: random.normal(0, 4, 12) for speaker in np.unique(speakers)}
    shift = np.where([emotion_of(label) == "angry" for label in labels], 1.0, -1.0)
    features = np.stack([offsets[one] for one in speakers]) + random.normal(0, 0.5, (120, 12))
    features[:, :6] += shift[:, np.newaxis]
    return features, labels, speakers


@pytest.mark.parametrize("copies", [1, 2])
def test_a_speaker_far_from_all_others_is_told_when_known_before(voices_and_labels, copies):
    features, labels, speakers = voices_and_labels
    stacked = np.repeat(features[:, np.newaxis], copies, axis=1) if copies > 1 else features
    model = EmotionClassifier(RobustClassifier(centred=True)).fit(stacked, labels, speakers=speakers)
    theirs = speakers == "0"
    moved = features[theirs] + 30  # as if another microphone had recorded this speaker
    answers = [
        emotion_of(LABELS[place]) for place in model.predict_proba(moved - model.speaker_offset(moved)).argmax(1)
    ]
    assert np.mean(np.array(answers) == [emotion_of(label) for label in labels[theirs]]) > 0.9


def test_the_robust_model_estimates_offsets_of_what_it_was_fitted_on(voices_and_labels):
    features, labels, speakers = voices_and_labels
    model = EmotionClassifier(RobustClassifier()).fit(features, labels, speakers=speakers)
    theirs = features[speakers == "1"]
    offset = model.speaker_offset(theirs)
    everybody = np.mean([features[speakers == one].mean(axis=0) for one in np.unique(speakers)], axis=0)
    assert np.corrcoef(offset, theirs.mean(axis=0) - everybody)[0, 1] > 0.99


def test_a_model_without_offsets_says_which_have_them(voices_and_labels):
    features, labels, _ = voices_and_labels
    model = EmotionClassifier(registry.build(registry.recipe("kn"))).fit(np.tile(features, 15), labels)
    with pytest.raises(ModelError, match="choose robust or centred"):
        model.speaker_offset(features)
