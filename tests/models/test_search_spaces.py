"""The spaces are the facts of the reference, and every value that they can give builds a model."""

import json

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from ser_core.errors import ModelError, TuningError
from ser_core.models import classical, deep, registry, search_spaces
from ser_core.settings import PROJECT

REFERENCE = PROJECT.parent / "shared" / "reference" / "original_hyperparameters.json"
TODAY = {"min_data_in_leaf": "min_child_samples", "eta": "learning_rate", "lambda": "reg_lambda", "alpha": "reg_alpha"}


def as_distribution(kind, *values):
    match kind:
        case "int":
            return IntDistribution(*values)
        case "float":
            return FloatDistribution(*values)
        case "log":
            return FloatDistribution(*values, log=True)
        case "cat":
            return CategoricalDistribution(values)


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the study's facts are not here")
@pytest.mark.parametrize("model", search_spaces.AUTHORS)
def test_the_studys_spaces_are_those_of_the_study(model):
    facts = json.loads(REFERENCE.read_text())["search_spaces"][model]
    facts = {name: value for name, value in facts.items() if name != "trials"}
    facts |= facts.pop("dart only", {})
    renamed = TODAY if model in ("lgb", "xgb") else {}
    expected = {renamed.get(name, name): as_distribution(*value) for name, value in facts.items()}
    assert search_spaces.get(model, "study").ranges == expected


def test_every_single_model_can_be_tuned_in_our_space():
    networks = {model.key for model in deep.MODELS if model.trains_in_epochs}
    assert set(search_spaces.OURS) == {model.key for model in classical.MODELS} | networks


def test_a_parameter_of_another_booster_is_not_asked_for():
    space = search_spaces.get("xgb", "study")
    other = {"reg_lambda": 1e-3, "reg_alpha": 1e-3, "max_depth": 3, "learning_rate": 0.1, "gamma": 1e-3}
    given = optuna.trial.FixedTrial(other | {"booster": "gbtree", "grow_policy": "depthwise"})
    assert "rate_drop" not in space.suggest(given)


@pytest.mark.parametrize(
    "distribution",
    [
        IntDistribution(0, 100, step=25),
        IntDistribution(1, 1000, log=True),
        FloatDistribution(0.0, 1.0, step=0.25),
        FloatDistribution(0.001, 1.0, log=True),
        CategoricalDistribution(("a", "b")),
    ],
)
def test_a_range_is_looked_through_as_it_stands(distribution):
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)).ask()
    search_spaces.Space({"x": distribution}).suggest(trial)
    assert trial.distributions == {"x": distribution}


@pytest.mark.parametrize(
    ("space", "model"), [(space, key) for key in search_spaces.OURS for space in search_spaces.available(key)]
)
def test_whatever_a_space_gives_builds_a_model(space, model):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(10):
        trial = study.ask()
        parameters = search_spaces.get(model, space).suggest(trial)
        assert parameters == search_spaces.get(model, space).parameters(trial.params)
        assert registry.build(registry.get(model).trial_recipe(parameters, space, 9)) is not None


def test_a_space_that_is_not_there_is_one_clear_line():
    with pytest.raises(ModelError, match="no model 'tree'"):
        search_spaces.get("tree")
    with pytest.raises(TuningError, match="no search space 'wide'; there is ours and study"):
        search_spaces.get("kn", "wide")
    with pytest.raises(TuningError, match="'v4' is not tuned: a vote follows its members"):
        search_spaces.get("v4")
    with pytest.raises(TuningError, match="The study did not tune 'svm'"):
        search_spaces.get("svm", "study")
