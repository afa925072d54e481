import numpy as np
import pytest
from scipy.special import softmax
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ser_core.errors import FeatureError, ModelError
from ser_core.models import classical, preprocessing, registry
from ser_core.models.kernel_ridge import KernelRidgeClassifier
from ser_core.models.model import Preset
from ser_core.results.published import ORIGINAL


def test_all_models_of_the_studys_classical_half_are_there_under_its_keys():
    studied = {key for key, original in ORIGINAL.items() if original.family != "deep"}
    assert studied == {"dt", "rf", "lgb", "xgb", "mlp", "kn", "lr", "v", "v2", "v3", "v4"}
    assert studied | {"svm", "krr", "bag", "v5", "hier", "apart"} <= set(registry.of_tables())
    assert all("study" in registry.get(key).presets for key in studied)


@pytest.mark.parametrize("key", registry.of_tables())
def test_every_preset_is_built_unfitted_and_scales_inside(key):
    for preset in registry.get(key).presets:
        estimator = registry.build(registry.recipe(key, preset))
        while hasattr(estimator, "estimator"):  # of gender first, what each of its three is; of copies, too
            estimator = estimator.estimator
        for member in [member for _, member in getattr(estimator, "estimators", [])] or [estimator]:
            # A vote whose members share their view is one pipeline; the others are votes of pipelines.
            assert isinstance(member, Pipeline)
            assert any(isinstance(step, StandardScaler) for _, step in member.steps[:-1])


def test_the_seed_reaches_the_model():
    one, other = (registry.build(registry.recipe("mlp", seed=seed)).steps[-1][1].random_state for seed in (1, 2))
    assert (one, other) == (1, 2)


def test_an_unknown_model_lists_the_known():
    with pytest.raises(ModelError, match="no model 'tree'; there is dt, rf"):
        registry.recipe("tree")


def test_a_model_that_the_study_did_not_have_has_no_study_preset():
    with pytest.raises(ModelError, match=r"'svm' has no preset 'study'.*did not have this model.*it has default"):
        registry.recipe("svm", "study")


def test_mel_power_is_taken_in_decibels_and_nothing_else_is_changed():
    features = np.abs(np.random.default_rng(0).normal(size=(3, 180))).astype(np.float32)
    features[0, 60] = 0
    seen = preprocessing.to_decibels(features)
    np.testing.assert_array_equal(seen[:, :52], features[:, :52])
    np.testing.assert_allclose(seen[1:, 52:], 10 * np.log10(features[1:, 52:]), rtol=1e-6)
    assert seen[0, 60] == -100


def test_mfcc_are_weighed_and_nothing_else_is_changed():
    features = np.ones((2, 180))
    seen = preprocessing.weigh_mfcc(features)
    assert (seen[:, :40] == preprocessing.MFCC_WEIGHT).all()
    assert (seen[:, 40:] == 1).all()
    assert (features == 1).all()


def test_soft_whitening_evens_out_variance_and_keeps_its_mean():
    features = np.random.default_rng(0).normal(size=(300, 5)) * [100, 10, 1, 0.1, 1]
    spread = np.var(preprocessing.SoftWhitener().fit_transform(features), axis=0, ddof=1)
    assert spread.mean() == pytest.approx(1)
    assert spread[0] / spread[-1] == pytest.approx((100 / 0.1) ** (2 * 0.7), rel=0.5)
    even = np.var(preprocessing.SoftWhitener(power=1.0).fit_transform(features), axis=0, ddof=1)
    np.testing.assert_allclose(even, 1)


def test_kernel_ridge_is_scikit_learns():
    random = np.random.default_rng(0)
    features, classes = random.normal(size=(60, 4)), random.integers(3, size=60)
    ours = KernelRidgeClassifier(alpha=0.1, gamma=0.3).fit(features, classes)
    one_hot = np.eye(3)[classes]
    theirs = KernelRidge(alpha=0.1, gamma=0.3, kernel="rbf").fit(features, one_hot - one_hot.mean(axis=0))
    new = random.normal(size=(20, 4))
    np.testing.assert_allclose(ours.decision_function(new), theirs.predict(new) + one_hot.mean(axis=0), atol=1e-10)
    assert np.array_equal(ours.predict(new), ours.decision_function(new).argmax(axis=1))


@pytest.mark.parametrize("copies", [1, 3])
def test_kernel_ridge_knows_what_each_clip_would_get_from_all_others(copies):
    """A clip is left out with all its copies, and the original is scored."""
    random = np.random.default_rng(1)
    clips = np.repeat(np.arange(40), copies)
    classes = random.integers(3, size=40)
    own = random.normal(size=(40, 3)) + classes[:, np.newaxis]
    features = own[clips] + 0.3 * random.normal(size=(len(clips), 3)) * (np.arange(len(clips)) % copies > 0)[:, None]
    sure = KernelRidgeClassifier(alpha=0.1, gamma=0.3).fit(features, classes[clips], copies=copies).sharpness_
    one_hot = np.eye(3)[classes[clips]]
    centre = one_hot.mean(axis=0)
    left_out = np.empty((40, 3))
    for i in range(40):
        others = clips != i
        machine = KernelRidge(alpha=0.1, gamma=0.3, kernel="rbf").fit(features[others], one_hot[others] - centre)
        left_out[i] = machine.predict(own[[i]]) + centre
    losses = {factor: log_loss(classes, softmax(factor * sure * left_out, axis=1)) for factor in (0.8, 1.0, 1.25)}
    assert min(losses, key=losses.get) == 1.0


def test_the_nearest_clip_outvotes_all_others():
    votes = classical.nearness(np.array([0.0, 1.0, 2.0]))
    assert votes[0] > votes[1] > votes[2] * 100
    assert np.isfinite(votes).all()


def test_a_recipe_takes_what_its_preset_was_chosen_with_unless_something_else_is_asked_for():
    plain, functionals = registry.recipe("krr"), registry.recipe("krr", features="functionals")
    assert (plain.features, plain.preset, plain.origin) == ("mean180", "default", "default")
    assert functionals == registry.recipe("krr", "functionals")
    copies = registry.recipe("krr", features="functionals", augmentation="speaker-perturbation")
    assert copies == registry.recipe("krr", "voices")
    assert (copies.preset, copies.preprocessing) == ("voices", "plain")
    both = registry.recipe("kn", "study", features="functionals")
    assert (both.features, both.preprocessing, both.origin) == ("functionals", "plain", "study")
    assert both.parameters == registry.parameters("kn", "study")


def test_the_name_of_a_preset_decides_nothing():
    """One that is called as a feature set is, and was chosen with another."""
    model = registry.get("kn").with_presets({"voices": Preset({"n_neighbors": 3, "weights": "uniform"})})
    recipe = model.recipe("voices")
    assert (recipe.features, recipe.augmentation) == ("mean180", "none")


@pytest.mark.parametrize(
    ("model", "asked", "error", "says"),
    [
        ("svm", {"features": "smell"}, FeatureError, "no feature set 'smell'; there is mean180, functionals"),
        (
            "svm",
            {"features": "frames"},
            ModelError,
            "'svm' learns from tables of numbers, such as mean180, functionals",
        ),
        ("svm", {"augmentation": "noise"}, FeatureError, "no augmentation 'noise'; there is none, speaker-perturb"),
        ("svm", {"augmentation": "speaker-perturbation"}, ModelError, "'svm' does not learn from copies"),
        ("svm", {"preprocessing": "none"}, ModelError, "no preprocessing 'none'; there is plain and tailored"),
        ("cnn2d", {"features": "functionals"}, ModelError, "'cnn2d' sees frames, and not functionals"),
        ("cnn2d", {"augmentation": "none"}, ModelError, "'cnn2d' makes its own copies"),
        ("best", {"features": "functionals"}, ModelError, "'best' is made of saved runs"),
    ],
)
def test_what_a_model_cannot_learn_from_is_refused(model, asked, error, says):
    with pytest.raises(error, match=says):
        registry.recipe(model, **asked)


def test_recipes_that_differ_have_digests_that_differ():
    recipes = [registry.recipe("krr", seed=seed) for seed in (1, 2)] + [registry.recipe("krr", "functionals")]
    assert len({recipe.digest for recipe in recipes}) == 3
    assert registry.recipe("krr").digest == registry.recipe("krr").digest
