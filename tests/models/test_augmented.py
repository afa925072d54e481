import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ser_core.corpus.labels import LABELS
from ser_core.models import registry
from ser_core.models.augmented import AugmentedClassifier
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.kernel_ridge import KernelRidgeClassifier

RANDOM = np.random.default_rng(0)
CODES = np.arange(90) % 3
CLIPS = (RANDOM.normal(size=(90, 3, 5)) + CODES[:, None, None]).astype(np.float32)  # clips, copies, features


def test_it_trains_on_all_copies_and_predicts_from_the_original():
    given = AugmentedClassifier(make_pipeline(LogisticRegression())).fit(CLIPS, CODES).predict_proba(CLIPS)
    by_hand = LogisticRegression().fit(CLIPS.reshape(-1, 5), np.repeat(CODES, 3))
    np.testing.assert_array_equal(given, by_hand.predict_proba(CLIPS[:, 0]))
    assert not np.allclose(given, LogisticRegression().fit(CLIPS[:, 0], CODES).predict_proba(CLIPS[:, 0]))


def test_kernel_ridge_is_told_how_many_rows_are_one_clip():
    fitted = AugmentedClassifier(make_pipeline(KernelRidgeClassifier(alpha=0.1, gamma=0.1))).fit(CLIPS, CODES)
    machine = KernelRidgeClassifier(alpha=0.1, gamma=0.1)
    machine.fit(CLIPS.reshape(-1, 5), np.repeat(CODES, 3), copies=3)
    assert fitted.estimator_[-1].sharpness_ == machine.sharpness_


def test_apart_and_kernel_ridge_learn_so_by_their_preset():
    labels = np.array(LABELS)[np.arange(96) % 16]
    clips = (RANDOM.normal(size=(96, 3, 40)) + 5 * RANDOM.normal(size=(16, 1, 40))[np.arange(96) % 16]).astype("f4")
    for key in ("krr", "apart"):
        fitted = EmotionClassifier(registry.build(registry.recipe(key, "voices"))).fit(clips, labels)
        assert np.mean(fitted.predict(clips) == labels) > 0.9
        np.testing.assert_array_equal(fitted.predict(clips[:, 0]), fitted.predict(clips))
