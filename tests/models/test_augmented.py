import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ser_core.corpus.labels import LABELS
from ser_core.models import registry
from ser_core.models.augmented import VoicesClassifier
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.kernel_ridge import KernelRidgeClassifier

RANDOM = np.random.default_rng(0)
CODES = np.arange(90) % 3
CLIPS = (RANDOM.normal(size=(90, 3, 5)) + CODES[:, None, None]).astype(np.float32)  # clips, voices, features


def test_it_learns_from_all_voices_and_hears_the_clips_own():
    given = VoicesClassifier(make_pipeline(LogisticRegression())).fit(CLIPS, CODES).predict_proba(CLIPS)
    by_hand = LogisticRegression().fit(CLIPS.reshape(-1, 5), np.repeat(CODES, 3))
    np.testing.assert_array_equal(given, by_hand.predict_proba(CLIPS[:, 0]))
    assert not np.allclose(given, LogisticRegression().fit(CLIPS[:, 0], CODES).predict_proba(CLIPS[:, 0]))


def test_kernel_ridge_is_told_how_many_rows_are_one_clip():
    fitted = VoicesClassifier(make_pipeline(KernelRidgeClassifier(alpha=0.1, gamma=0.1))).fit(CLIPS, CODES)
    machine = KernelRidgeClassifier(alpha=0.1, gamma=0.1)
    machine.fit(CLIPS.reshape(-1, 5), np.repeat(CODES, 3), voices=3)
    assert fitted.estimator_[-1].sharpness_ == machine.sharpness_


def test_apart_and_kernel_ridge_learn_so_by_their_preset():
    labels = np.array(LABELS)[np.arange(96) % 16]
    clips = (RANDOM.normal(size=(96, 3, 40)) + 5 * RANDOM.normal(size=(16, 1, 40))[np.arange(96) % 16]).astype("f4")
    for key in ("krr", "apart"):
        model = registry.get(key)
        assert model.input("voices") == "voices"
        fitted = EmotionClassifier(model.build("voices", 9)).fit(clips, labels)
        assert np.mean(fitted.predict(clips) == labels) > 0.9
