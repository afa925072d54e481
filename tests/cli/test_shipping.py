"""Rebuilding the artifacts: the clips they are made from, progress, ids of runs, and model cards."""

import dataclasses

import pytest

from ser_core import experiments
from ser_core.audio import conditions
from ser_core.cli import main, shipping
from ser_core.features import functionals, tables
from ser_core.features import registry as feature_sets
from ser_core.models import registry
from ser_core.prediction import model_store
from ser_core.results import runs
from ser_core.settings import Settings
from tests.made_runs import changed


@pytest.fixture
def elsewhere(settings, tmp_path, monkeypatch) -> Settings:
    """Settings with the artifacts in a temporary folder, and without clips other than those named by `--data`."""
    replaced = dataclasses.replace(settings, artifacts=tmp_path / "artifacts", data_dir=tmp_path / "none")
    monkeypatch.setattr(Settings, "from_environment", lambda: replaced)
    return replaced


@pytest.fixture
def quick(elsewhere, table, monkeypatch):
    """The tables are those of the synthetic clips, and the functionals, which are made of recordings here, take no
    time."""
    monkeypatch.setattr(shipping, "make_tables", lambda *_, **__: {elsewhere.feature_table: table})
    wanted = [shipping.Planned("kn"), shipping.Planned("dt", features="functionals")]
    monkeypatch.setattr(shipping, "classical", lambda: wanted)
    middle = slice(9000, 9000 + len(functionals.NAMES))
    made_up = dataclasses.replace(feature_sets.FUNCTIONALS, extract=lambda samples: samples[middle])
    monkeypatch.setitem(feature_sets.FEATURE_SETS, "functionals", made_up)


def test_study_takes_every_clip_from_the_given_folder(quick, elsewhere, voices, capsys):
    assert main(["study", "--data", str(voices), "--jobs", "1", "--json"]) == 0, capsys.readouterr().err
    assert {run.recipe.model for run in runs.list_all([elsewhere.artifacts])} == {"kn", "dt"}


def test_study_takes_the_clips_of_networks_from_there_too(elsewhere, voices, table, monkeypatch):
    tables.save(table, elsewhere.feature_table)
    monkeypatch.setattr(shipping, "DEEP", (shipping.Planned("cnn2d"),))
    monkeypatch.setattr(experiments, "run", lambda *_, features, **__: pytest.fail(f"saw {len(features.values)} clips"))
    with pytest.raises(pytest.fail.Exception, match="saw 64 clips"):
        main(["study", "--deep", "--data", str(voices), "--json"])


def test_a_run_that_is_made_again_keeps_its_folder(quick, elsewhere, voices):
    """Model cards, votes and presets name shipped runs by ids that an older version of the code gave."""
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    for run in shipping.make(settings, jobs=1):
        folder = settings.artifacts / "runs" / run.id
        folder.rename(folder.with_name(f"older-{run.recipe.model}"))
    made = shipping.make(settings, jobs=1)
    assert [run.id for run in made] == ["older-kn", "older-dt"]
    assert {run.id for run in runs.list_all([settings.artifacts])} == {"older-kn", "older-dt"}


def test_some_runs_are_also_heard_in_every_condition(quick, elsewhere, voices, monkeypatch):
    monkeypatch.setattr(shipping, "HEARD", (("kn", "mean180"),))
    some = {key: conditions.CONDITIONS[key] for key in ("louder", "babble-20")}
    monkeypatch.setattr(conditions, "CONDITIONS", some)
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    made = shipping.make(settings, jobs=1)
    assert [(run.recipe.model, run.heard) for run in made] == [
        ("kn", ""),
        ("kn", "louder"),
        ("kn", "babble-20"),
        ("dt", ""),
    ]
    again = shipping.make(settings, jobs=1)
    assert [run.id for run in again] == [run.id for run in made]
    assert len(runs.list_all([settings.artifacts])) == 4


def test_what_is_heard_in_conditions_is_planned_as_it_ships(settings):
    planned = {(one.model, one.recipe.features) for one in shipping.classical() if one.is_heard}
    shipped = runs.list_all([settings.artifacts])
    assert planned == set(shipping.HEARD)
    for key in conditions.CONDITIONS:
        assert {(run.recipe.model, run.recipe.features) for run in shipped if run.heard == key} == planned


def test_progress_counts_clips_before_models(quick, elsewhere, voices):
    steps = []
    shipping.make(dataclasses.replace(elsewhere, data_dir=voices), jobs=1, progress=lambda *step: steps.append(step))
    assert (64, 64) in steps[:-2]
    assert steps[-2:] == [(0, 2), (1, 2)]


def test_a_model_card_has_the_score_of_the_same_model_on_unseen_speakers(elsewhere, voices, table, result, monkeypatch):
    """Runs of another preset and of another seed stand in the store, too."""
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    tables.save(table, settings.feature_table)
    unheard = dataclasses.replace(result.run, recipe=registry.recipe("cnn2d"), protocol="emobox", made="2")
    for other in (
        changed(unheard, id="its-own", made="3"),
        changed(unheard, {"preset": "voices"}, id="b", made="1"),
        changed(unheard, {"seed": 10}, id="c"),
    ):
        runs.save(other, settings.artifacts)
    kept = experiments.Result(changed(unheard, id="kept", protocol="study"), result.model)
    monkeypatch.setattr(experiments, "run", lambda *_, **__: kept)
    monkeypatch.setattr(shipping, "DEEP", (shipping.Planned("cnn2d", cv=True),))
    shipping.make_deep(settings)
    assert model_store.find("cnn2d", [settings.artifacts]).unheard.run == "its-own"
