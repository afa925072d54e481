"""The best trial becomes a preset, and is tested once."""

import pytest

from ser_core import corpus, experiments
from ser_core.errors import ModelError, TuningError
from ser_core.features import registry as feature_sets
from ser_core.features import tables
from ser_core.models import registry
from ser_core.results import runs
from ser_core.tuning import best_trial, results, search, studies


def test_five_folds_of_the_study_give_the_cv_accuracy_of_a_run(begun, table, settings):
    study = begun(1, folds=5)
    preset, _ = best_trial.save_preset(study, table, settings, jobs=1)
    run = runs.get(preset.run, settings.stores)
    assert run.scores["cv_accuracy"] == pytest.approx(results.best(study).value)


def test_a_preset_is_tested_once(begun, table, settings, monkeypatch):
    study = begun(3)
    preset, new = best_trial.save_preset(study, table, settings, jobs=1)
    assert new
    run = runs.get(preset.run, settings.stores)
    assert run.tuned["trials"] == 3
    assert run.recipe.parameters == preset.parameters == results.parameters(study, results.best(study))
    monkeypatch.setattr(experiments, "run", lambda *_, **__: pytest.fail("the test part was looked at again"))
    assert best_trial.save_preset(study, table, settings, jobs=1) == (preset, False)


def test_what_is_tuned_on_a_table_of_other_features_is_a_preset_for_them(url, voices, settings):
    features = feature_sets.FUNCTIONALS
    table = tables.extract(corpus.index(voices), settings.workspace, features=features, jobs=1).table
    study = studies.create(studies.Plan("kn", folds=3), url, table, trials=1)
    search.work(study.study_name, url, table)
    preset, _ = best_trial.save_preset(study, table, settings, jobs=1)
    assert preset.features == "functionals"
    run = runs.get(preset.run, settings.stores)
    assert (run.recipe.features, run.versions.features) == ("functionals", features.version)
    assert registry.recipe("kn", preset.name, stores=settings.stores) == run.recipe


def test_a_preset_runs_like_any_other(begun, table, settings):
    preset, _ = best_trial.save_preset(begun(2, model="dt", space="study"), table, settings, name="mine", jobs=1)
    recipe = registry.recipe("dt", "mine", stores=settings.stores)
    again = experiments.run(recipe, table, jobs=1).run
    assert again.scores == pytest.approx(runs.get(preset.run, settings.stores).scores)
    assert again.own.id == preset.run
    assert recipe.origin == "tuned"
    steps = [name for name, _ in registry.build(recipe).steps]
    assert steps == ["standardscaler", "decisiontreeclassifier"]  # as then
    with pytest.raises(ModelError, match="no name for a preset"):
        best_trial.save_preset(begun(1, "two"), table, settings, name="default", jobs=1)


def test_no_preset_without_a_whole_trial(url, table, settings):
    study = studies.create(studies.Plan("kn"), url, table, trials=1)
    with pytest.raises(TuningError, match="no trial yet that ran all its folds"):
        best_trial.save_preset(study, table, settings)
