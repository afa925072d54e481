import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from ser_core.corpus.labels import LABELS
from ser_core.models import registry
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.hierarchy import ApartClassifier, GenderFirstClassifier


def voices(labels, clips=30, seed=0):
    """Clips whose classes lie apart."""
    random = np.random.default_rng(seed)
    truth = np.repeat(labels, clips)
    centres = {label: random.normal(scale=4, size=6) for label in LABELS}
    return np.array([centres[label] + random.normal(size=6) for label in truth]), truth


@pytest.mark.parametrize("routing", ["soft", "hard"])
@pytest.mark.parametrize("labels", [LABELS, LABELS[2:7], ("angry_male", "sad_male"), ("angry_male", "sad_female")])
def test_it_learns_whatever_classes_are_there(labels, routing):
    features, truth = voices(labels)
    model = EmotionClassifier(GenderFirstClassifier(LogisticRegression(), routing)).fit(features, truth)
    assert (model.predict(features) == truth).mean() > 0.8
    np.testing.assert_allclose(model.predict_proba(features).sum(axis=1), 1)


def test_soft_routing_is_the_product_and_hard_routing_leaves_the_other_gender_nothing():
    features, truth = voices(LABELS)
    soft, hard = (
        EmotionClassifier(GenderFirstClassifier(LogisticRegression(), routing)).fit(features, truth)
        for routing in ("soft", "hard")
    )
    given = hard.predict_proba(features)
    women = given[:, ::2].sum(axis=1)  # the classes alternate
    assert set(np.round(women, 9)) == {0, 1}
    np.testing.assert_allclose(
        soft.predict_proba(features)[:, ::2].sum(axis=1),
        soft.estimator_.gender_.predict_proba(features)[:, 0],
    )


def test_an_emotion_model_has_heard_no_other_gender():
    features, truth = voices(LABELS)
    model = EmotionClassifier(GenderFirstClassifier(LogisticRegression())).fit(features, truth)
    changed = features.copy()
    changed[[label.endswith("_male") for label in truth]] *= -1
    other = EmotionClassifier(GenderFirstClassifier(LogisticRegression())).fit(changed, truth)
    for one, two in zip(model.estimator_.emotion_[0].coef_, other.estimator_.emotion_[0].coef_, strict=True):
        np.testing.assert_array_equal(one, two)


def test_it_is_a_model_like_any_other():
    built = registry.build(registry.recipe("hier", "hard"))
    assert clone(built).get_params()["routing"] == "hard"
    assert registry.parameters("hier")["base"].keys() == {"krr"}


def test_apart_is_emotion_times_gender():
    random = np.random.default_rng(0)
    names = np.array(["angry_female", "angry_male", "sad_female", "sad_male"])
    codes = random.integers(4, size=120)
    features = np.stack([codes // 2, codes % 2], axis=1) + random.normal(0, 0.3, (120, 2))
    model = ApartClassifier(LogisticRegression()).fit(features, codes, names)
    given = model.predict_proba(features)
    np.testing.assert_allclose(given.sum(axis=1), 1)
    np.testing.assert_allclose(given[:, 0] * given[:, 3], given[:, 1] * given[:, 2], atol=1e-9)  # independent
    emotion = LogisticRegression().fit(features, codes // 2).predict_proba(features)
    np.testing.assert_allclose(given[:, :2].sum(axis=1), emotion[:, 0], atol=1e-9)
    assert np.mean(model.predict(features) == codes) > 0.8


def test_apart_with_one_gender_only_asks_for_emotion():
    codes = np.array([0, 1] * 10)
    names = np.array(["angry_male", "sad_male"])
    model = ApartClassifier(LogisticRegression()).fit(codes[:, np.newaxis] * 1.0, codes, names)
    assert (model.predict(codes[:, np.newaxis] * 1.0) == codes).all()


def test_apart_learns_classes_that_are_emotions_alone():
    codes = np.array([0, 1, 2] * 10)
    model = ApartClassifier(LogisticRegression())
    model.fit(codes[:, np.newaxis] * 1.0, codes, np.array(["angry", "boredom", "sad"]))
    plain = LogisticRegression().fit(codes[:, np.newaxis], codes)
    np.testing.assert_allclose(
        model.predict_proba(codes[:, np.newaxis] * 1.0), plain.predict_proba(codes[:, np.newaxis])
    )
