import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ser_core.errors import ModelError
from ser_core.models import classical, registry
from ser_core.reference import ORIGINAL


def test_all_models_of_the_studys_classical_half_are_there_under_its_keys():
    studied = {key for key, original in ORIGINAL.items() if original.family != "deep"}
    assert studied == {"dt", "rf", "lgb", "xgb", "mlp", "kn", "lr", "v", "v2", "v3", "v4"}
    assert studied | {"svm", "bag", "best"} == set(registry.MODELS)
    assert all("study" in registry.get(key).presets for key in studied)


@pytest.mark.parametrize("key", registry.MODELS)
def test_every_preset_is_built_unfitted_and_scales_inside(key):
    for preset in registry.get(key).presets:
        estimator = registry.build(key, preset=preset)
        for member in [member for _, member in getattr(estimator, "estimators", [])] or [estimator]:
            assert isinstance(member, Pipeline)
            assert any(isinstance(step, StandardScaler) for _, step in member.steps[:-1])


def test_the_seed_reaches_the_model():
    one, other = (registry.build("mlp", seed=seed).steps[-1][1].random_state for seed in (1, 2))
    assert (one, other) == (1, 2)


def test_an_unknown_model_lists_the_known():
    with pytest.raises(ModelError, match="no model 'cnn'; there is dt, rf"):
        registry.build("cnn")


def test_a_model_that_the_study_did_not_have_has_no_study_preset():
    with pytest.raises(ModelError, match=r"'svm' has no preset 'study'.*did not have this model.*it has default"):
        registry.build("svm", preset="study")


def test_mel_power_is_taken_in_decibels_and_nothing_else_is_changed():
    features = np.abs(np.random.default_rng(0).normal(size=(3, 180))).astype(np.float32)
    features[0, 60] = 0
    seen = classical.to_decibels(features)
    np.testing.assert_array_equal(seen[:, :52], features[:, :52])
    np.testing.assert_allclose(seen[1:, 52:], 10 * np.log10(features[1:, 52:]), rtol=1e-6)
    assert seen[0, 60] == -100


def test_mfcc_are_weighed_and_nothing_else_is_changed():
    features = np.ones((2, 180))
    seen = classical.weigh_mfcc(features)
    assert (seen[:, :40] == classical.MFCC_WEIGHT).all()
    assert (seen[:, 40:] == 1).all()
    assert (features == 1).all()


def test_the_nearest_clip_outvotes_all_others():
    votes = classical.nearness(np.array([0.0, 1.0, 2.0]))
    assert votes[0] > votes[1] > votes[2] * 100
    assert np.isfinite(votes).all()
