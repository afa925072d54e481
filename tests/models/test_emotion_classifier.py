import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from ser_core.corpus.labels import LABELS
from ser_core.features import tables
from ser_core.models import registry
from ser_core.models.emotion_classifier import EmotionClassifier


@pytest.fixture(scope="module")
def data(table):
    return tables.matrix(table), table["label"].to_numpy(dtype=str)


@pytest.mark.parametrize("key", registry.of_tables())
def test_every_model_learns_two_voices_and_answers_with_16_classes(key, data):
    features, labels = data
    model = EmotionClassifier(registry.build(registry.recipe(key))).fit(features[::2], labels[::2])
    given = model.predict_proba(features[1::2])
    assert given.shape == (32, 16)
    np.testing.assert_allclose(given.sum(axis=1), 1, rtol=1e-5)
    unheard = [i for i, label in enumerate(LABELS) if label not in set(labels)]
    assert (given[:, unheard] == 0).all()
    assert np.mean(model.predict(features[1::2]) == labels[1::2]) > 0.7


def test_a_vote_is_the_mean_of_its_members(data):
    features, labels = data
    model = EmotionClassifier(registry.build(registry.recipe("v2"))).fit(features, labels)
    members = model.members_proba(features)
    assert list(members) == ["kn", "xgb", "mlp"]
    np.testing.assert_allclose(model.vote(members), model.predict_proba(features), atol=1e-7)


def test_a_weighted_vote_is_the_weighted_mean_of_its_members(data):
    features, labels = data
    model = EmotionClassifier(registry.build(registry.recipe("v5"))).fit(features, labels)
    np.testing.assert_allclose(model.vote(model.members_proba(features)), model.predict_proba(features), atol=1e-7)


def test_a_single_model_has_no_members(data):
    assert EmotionClassifier(LogisticRegression()).fit(*data).members_proba(data[0]) == {}


def test_it_can_be_cloned_and_fits_a_clone_of_what_it_was_given(data):
    model = EmotionClassifier(LogisticRegression(C=0.5))
    clone(model).fit(*data)
    assert not hasattr(model.estimator, "coef_")


def test_a_label_that_is_none_of_the_classes_is_named(data):
    with pytest.raises(ValueError, match="'bored_male'"):
        EmotionClassifier(LogisticRegression()).fit(data[0], np.where(data[1] == "sad_male", "bored_male", data[1]))


def test_other_classes_than_the_16_are_answered_in_their_order(data):
    features, labels = data
    emotions = np.array([label.split("_")[0] for label in labels])
    model = EmotionClassifier(LogisticRegression(), ("angry", "boredom", "sad")).fit(features, emotions)
    given = model.predict_proba(features)
    assert given.shape == (len(features), 3)
    assert not given[:, 1].any()  # no clip of it was learned
    assert np.mean(model.predict(features) == emotions) > 0.9


def test_an_unfitted_model_says_so(data):
    with pytest.raises(NotFittedError):
        EmotionClassifier(LogisticRegression()).predict_proba(data[0])
