"""Kernel ridge that answers for emotion and gender apart, its sharpness from speakers left out.

Clips are simulated: of an emotion, of a gender, of a speaker whose voice moves all of them, and with noise.
"""

import numpy as np
import pytest
import skops.io
from scipy.special import softmax
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import log_loss

from ser_core.corpus.labels import EMOTION_NAMES, GENDERS, LABELS, by_emotion, by_gender, emotion_of, gender_of
from ser_core.features import functionals, within_clip
from ser_core.models import registry, robust
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.kernel_ridge import best_sharpness, left_out
from ser_core.models.robust import RobustClassifier
from ser_core.prediction.model_store import TRUSTED_TYPES

D, ALPHA, GAMMA = 24, 0.1, 0.5
OF_EMOTIONS, OF_GENDERS = np.random.default_rng(0).normal(size=(8, D)), np.random.default_rng(1).normal(size=(2, D))


def simulated(speakers: range, clips: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, labels and speakers of some clips of each emotion by each speaker."""
    draw = np.random.default_rng([seed, speakers.start])
    features, labels, spoken_by = [], [], []
    for speaker in speakers:
        gender = speaker % 2
        voice = 1.2 * draw.normal(size=D)
        manner = 0.8 * draw.normal(size=(8, D))  # each speaker acts each emotion in a way of their own
        for emotion in range(8):
            centre = OF_EMOTIONS[emotion] + OF_GENDERS[gender] + voice + manner[emotion]
            features += [*(centre + 0.5 * draw.normal(size=(clips, D)))]
            labels += [f"{EMOTION_NAMES[emotion]}_{GENDERS[gender]}"] * clips
            spoken_by += [speaker] * clips
    return np.array(features, dtype=np.float32), np.array(labels), np.array(spoken_by)


def fitted(features, labels, speakers, **parameters) -> EmotionClassifier:
    model = RobustClassifier(**{"alpha": ALPHA, "gamma": GAMMA} | parameters)
    return EmotionClassifier(model).fit(features, labels, speakers=speakers)


@pytest.fixture(scope="module")
def clips():
    return simulated(range(8))


@pytest.fixture(scope="module")
def model(clips) -> EmotionClassifier:
    return fitted(*clips)


@pytest.fixture(scope="module")
def new():
    return simulated(range(100, 104))[0]


def as_learned(machine: RobustClassifier, features: np.ndarray) -> np.ndarray:
    bounded = np.clip(machine.scaler_.transform(features), -robust.BOUND, robust.BOUND)
    return np.rint(bounded * robust.STEPS) / robust.STEPS


def one_hot(labels, values, answer) -> np.ndarray:
    return np.array([[answer(label) == value for value in values] for label in labels], dtype=float)


QUESTIONS = [
    pytest.param("emotion", EMOTION_NAMES, emotion_of, by_emotion, id="emotion"),
    pytest.param("gender", GENDERS, gender_of, by_gender, id="gender"),
]


@pytest.mark.parametrize(("question", "values", "answer", "added_up"), QUESTIONS)
def test_it_answers_each_question_as_if_it_had_been_fitted_on_it_alone(
    clips, model, new, question, values, answer, added_up
):
    features, labels, _ = clips
    machine = model.estimator_
    alone = KernelRidge(alpha=ALPHA, kernel="rbf", gamma=GAMMA / D)
    alone.fit(as_learned(machine, features), one_hot(labels, values, answer))
    at_none, change = machine.sharpness_[question]
    sharpness = np.exp(at_none + change * model.distances(new))[:, np.newaxis]
    expected = softmax(sharpness * alone.predict(as_learned(machine, new)), axis=1)
    np.testing.assert_allclose(added_up(model.predict_proba(new)), expected, atol=1e-4)


def test_the_two_answers_are_independent(model, new):
    given = model.predict_proba(new)
    np.testing.assert_allclose(given.sum(axis=1), 1)
    emotions, genders = by_emotion(given), by_gender(given)
    for place, label in enumerate(LABELS):
        emotion, gender = EMOTION_NAMES.index(emotion_of(label)), GENDERS.index(gender_of(label))
        np.testing.assert_allclose(given[:, place], emotions[:, emotion] * genders[:, gender], atol=1e-7)


def test_residuals_of_a_speaker_left_out_are_those_of_a_fit_without_the_speaker(clips):
    features, labels, speakers = clips
    truth = one_hot(labels, EMOTION_NAMES, emotion_of)
    kernel = np.exp(-0.02 * np.square(features[:, np.newaxis] - features).sum(axis=-1).astype(float))
    inverse = np.linalg.inv(kernel + ALPHA * np.eye(len(kernel)))
    residuals = left_out(inverse, inverse @ truth, speakers)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        others = KernelRidge(alpha=ALPHA, kernel="precomputed").fit(kernel[np.ix_(~own, ~own)], truth[~own])
        np.testing.assert_allclose(residuals[own], truth[own] - others.predict(kernel[np.ix_(own, ~own)]), atol=1e-8)


@pytest.mark.parametrize(("question", "values", "answer", "added_up"), QUESTIONS)
def test_its_sharpness_is_that_of_fits_without_the_speaker(clips, model, question, values, answer, added_up):
    """With the scores that a clip gets, and at the distance that it has, when its speaker is left out."""
    features, labels, speakers = clips
    seen, truth = as_learned(model.estimator_, features), one_hot(labels, values, answer)
    scores, distances = np.empty_like(truth), np.empty(len(truth))
    for speaker in np.unique(speakers):
        own = speakers == speaker
        others = KernelRidge(alpha=ALPHA, kernel="rbf", gamma=GAMMA / D).fit(seen[~own], truth[~own])
        scores[own] = others.predict(seen[own])
        each = np.sqrt(np.square(seen[own][:, np.newaxis] - seen[~own]).mean(axis=-1))
        distances[own] = np.sort(each, axis=1)[:, : robust.NEIGHBOURS].mean(axis=1)

    def loss(at_none: float, change: float) -> float:
        return log_loss(truth.argmax(axis=1), softmax(np.exp(at_none + change * distances)[:, None] * scores, axis=1))

    at_none, change = model.estimator_.sharpness_[question]
    least = loss(at_none, change)
    for more, steeper in ((0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1), (0.1, -0.1), (-0.1, 0.1)):
        assert loss(at_none + more, change + steeper) > least
    assert least <= loss(np.log(best_sharpness(scores, truth.argmax(axis=1))), 0) + 1e-6


def sharpness(model: EmotionClassifier, features: np.ndarray) -> np.ndarray:
    at_none, change = model.estimator_.sharpness_["emotion"]
    return np.exp(at_none + change * model.distances(features))


def test_with_clips_left_out_instead_of_speakers_it_would_be_sharper(clips, model, new):
    features, labels, _ = clips
    by_clip = fitted(features, labels, np.arange(len(labels)))
    assert sharpness(model, new).mean() < 0.8 * sharpness(by_clip, new).mean()


def claimed_and_right(model: EmotionClassifier, features: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    emotions = by_emotion(model.predict_proba(features))
    truth = [EMOTION_NAMES.index(emotion_of(label)) for label in labels]
    return emotions.max(axis=1).mean(), np.mean(emotions.argmax(axis=1) == truth)


def test_on_new_speakers_it_claims_what_is_right():
    features, labels, speakers = simulated(range(24))
    others, truth, _ = simulated(range(200, 280))
    claimed, right = claimed_and_right(fitted(features, labels, speakers), others, truth)
    assert 0.4 < right < 0.9  # neither chance nor certain: there is something to be calibrated
    assert claimed == pytest.approx(right, abs=0.05)
    claimed, right = claimed_and_right(fitted(features, labels, np.arange(len(labels))), others, truth)
    assert claimed > right + 0.05


def test_it_claims_less_of_clips_that_are_further_away():
    """Clips and noisy copies to learn from: of new speakers, both kinds are claimed as often as they are right."""
    draw = np.random.default_rng(5)

    def noisy(features):
        return (features + 1.5 * draw.normal(size=features.shape)).astype(np.float32)

    features, labels, speakers = simulated(range(24))
    others, truth, _ = simulated(range(200, 260))
    model = fitted(np.stack([features, noisy(features)], axis=1), labels, speakers)
    far = noisy(others)
    assert model.distances(far).mean() > model.distances(others).mean() + 0.15
    found = {kind: claimed_and_right(model, clips, truth) for kind, clips in (("near", others), ("far", far))}
    for claimed, right in found.values():
        assert claimed == pytest.approx(right, abs=0.08)
    assert found["far"][0] < found["near"][0] - 0.05


def test_distances_grow_away_from_the_training_clips(clips, model):
    features = clips[0]
    scale = features.std(axis=0)
    away = np.sign(np.random.default_rng(3).normal(size=D)) * scale
    steps = [model.distances((features.mean(axis=0) + far * away)[np.newaxis])[0] for far in (0, 1, 2, 3)]
    assert np.all(np.diff(steps) > 0.3)
    assert model.distances(features).mean() < model.distances(simulated(range(100, 108))[0]).mean()


def test_a_distance_is_the_mean_root_mean_square_to_the_nearest_clips(clips, model, new):
    machine = model.estimator_
    here, there = as_learned(machine, new), as_learned(machine, clips[0])
    each = np.sort(np.sqrt(np.square(here[:, np.newaxis] - there).mean(axis=-1)), axis=1)
    np.testing.assert_allclose(model.distances(new), each[:, : robust.NEIGHBOURS].mean(axis=1), rtol=1e-3)


def test_far_from_all_clips_every_answer_is_alike(clips):
    model = fitted(*clips, gamma=2.0)
    far = np.where(np.arange(D) % 2, 1e6, -1e6)[np.newaxis].astype(np.float32)
    np.testing.assert_allclose(by_emotion(model.predict_proba(far)), 1 / 8, atol=1e-3)
    assert np.isfinite(model.distances(far)).all()


def test_one_odd_feature_alone_carries_no_clip_away(model, new):
    odd = new.copy()
    odd[:, 0] = 1e9
    bounded = new.copy()
    bounded[:, 0] = model.estimator_.scaler_.mean_[0] + robust.BOUND * model.estimator_.scaler_.scale_[0]
    np.testing.assert_allclose(model.predict_proba(odd), model.predict_proba(bounded), atol=1e-4)


def test_saved_and_loaded_it_says_the_same_bit_for_bit(model, new):
    content = skops.io.dumps(model)
    loaded = skops.io.loads(content, trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(loaded.predict_proba(new), model.predict_proba(new))
    np.testing.assert_array_equal(loaded.distances(new), model.distances(new))
    assert skops.io.dumps(loaded) and loaded.estimator_.clips_.dtype == np.float32


def test_a_file_has_a_byte_for_each_feature(model):
    assert model.estimator_.__getstate__()["clips_"].dtype == np.int8
    assert np.iinfo(np.int8).max >= robust.BOUND * robust.STEPS


def test_an_unfitted_one_is_saved_too():
    unfitted = skops.io.loads(skops.io.dumps(RobustClassifier(alpha=3.0)), trusted=TRUSTED_TYPES)
    assert unfitted.alpha == 3.0 and not hasattr(unfitted, "clips_")


def test_one_copy_is_the_clip_alone(clips, model, new):
    features, labels, speakers = clips
    one = fitted(features[:, np.newaxis], labels, speakers)
    np.testing.assert_array_equal(one.predict_proba(new), model.predict_proba(new))


def test_copies_are_learned_as_further_clips_of_the_speaker_and_the_original_answers(clips, new):
    features, labels, speakers = clips
    copies = np.stack([features, features + 0.3, features - 0.3], axis=1)
    several = fitted(copies, labels, speakers)
    rows = fitted(copies.reshape(-1, D), np.repeat(labels, 3), np.repeat(speakers, 3))
    np.testing.assert_array_equal(several.predict_proba(new), rows.predict_proba(new))
    stacked = np.stack([new, new + 5, new - 5], axis=1)
    np.testing.assert_array_equal(several.predict_proba(stacked), several.predict_proba(new))
    np.testing.assert_array_equal(several.distances(stacked), several.distances(new))


def test_fewer_clips_than_neighbours_are_enough(clips, new):
    features, labels, speakers = (part[::16][:6] for part in clips)
    assert np.isfinite(fitted(features, labels, speakers).distances(new)).all()


def test_emotions_and_genders_that_were_not_learned_get_nothing(clips, new):
    features, labels, speakers = clips
    some = np.isin(labels, ["angry_male", "sad_male", "calm_male"])
    given = fitted(features[some], labels[some], speakers[some]).predict_proba(new)
    np.testing.assert_allclose(given.sum(axis=1), 1)
    assert set(np.array(LABELS)[given.max(axis=0) > 0]) == {"angry_male", "sad_male", "calm_male"}


def test_weights_say_how_much_each_feature_counts(clips, new):
    weights = np.ones(D)
    weights[0] = 0
    blind = fitted(*clips, weights=weights)
    moved = new + np.eye(D, dtype=np.float32)[0]
    np.testing.assert_array_equal(blind.predict_proba(moved), blind.predict_proba(new))
    even = fitted(*clips, weights=np.full(D, 7.0))
    np.testing.assert_allclose(even.predict_proba(new), fitted(*clips).predict_proba(new), atol=1e-6)


def test_the_recipe_weighs_pitch_and_voice_quality():
    recipe = registry.recipe("robust")
    built = clone(registry.build(recipe))
    assert isinstance(built, RobustClassifier)
    is_voice = np.isin(within_clip.NAMES, functionals.VOICE)
    assert is_voice.sum() == len(within_clip.VOICE)
    assert set(built.weights[~is_voice]) == {1.0}
    assert set(built.weights[is_voice]) == {recipe.parameters["voice_weight"]}


def test_an_emotion_of_few_clips_is_found_as_often_as_the_others():
    """All emotions weigh the same: RAVDESS has half as many neutral clips as of any other emotion."""
    features, labels, speakers = simulated(range(12), clips=6)
    rare = np.char.startswith(labels, "neutral")
    kept = ~rare | (np.arange(len(labels)) % 6 == 0)
    few = fitted(features[kept], labels[kept], speakers[kept])
    asked, truth, _ = simulated(range(200, 212), clips=6)
    emotions = np.array(EMOTION_NAMES)[by_emotion(few.predict_proba(asked)).argmax(axis=1)]
    recall = {name: float(np.mean(emotions[np.char.startswith(truth, name)] == name)) for name in EMOTION_NAMES}
    assert recall["neutral"] > np.mean(list(recall.values())) - 0.2


def test_the_distances_to_each_clip_are_those_of_which_the_nearest_count(clips, model, new):
    each = model.distances_to_each(new)
    assert each.shape == (len(new), len(clips[0]))
    np.testing.assert_allclose(
        np.sort(each, axis=1)[:, : robust.NEIGHBOURS].mean(axis=1), model.distances(new), rtol=1e-5
    )
    np.testing.assert_allclose(np.diag(model.distances_to_each(clips[0])), 0, atol=0.01)
