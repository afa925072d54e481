"""What ships is made of the clips that are named, told while it is made, and says what it is worth."""

import dataclasses

import numpy as np
import pytest

from ser_core import experiments
from ser_core.cli import main, shipping
from ser_core.features import tables
from ser_core.prediction import model_store
from ser_core.results import runs
from ser_core.settings import Settings
from tests.made_runs import changed


@pytest.fixture
def elsewhere(settings, tmp_path, monkeypatch) -> Settings:
    """What ships is in a folder of the test's, and no clips are known but those that a command is told of."""
    replaced = dataclasses.replace(settings, artifacts=tmp_path / "artifacts", data_dir=tmp_path / "none")
    monkeypatch.setattr(Settings, "from_environment", lambda: replaced)
    return replaced


@pytest.fixture
def quick(elsewhere, table, monkeypatch):
    """The tables are those of the synthetic clips, and what else is seen of a clip takes no time."""
    monkeypatch.setattr(shipping, "make_tables", lambda *_, **__: {elsewhere.feature_table: table})
    monkeypatch.setattr(shipping, "classical", lambda: [shipping.Classical("kn"), shipping.Classical("dt")])
    for features in ("functionals", "voices"):
        monkeypatch.setattr(f"ser_core.features.{features}.extract", lambda samples: np.zeros(3, dtype=np.float32))


def test_study_takes_every_clip_from_the_folder_that_it_is_told(quick, elsewhere, voices, capsys):
    assert main(["study", "--data", str(voices), "--jobs", "1", "--json"]) == 0, capsys.readouterr().err
    assert {run.info["model"] for run in runs.list_all([elsewhere.artifacts])} == {"kn", "dt"}


def test_study_looks_there_for_what_networks_see_too(elsewhere, voices, table, monkeypatch):
    tables.save(table, elsewhere.feature_table)
    monkeypatch.setattr(shipping, "DEEP", (shipping.Deep("cnn2d"),))
    monkeypatch.setattr(experiments, "run", lambda *_, seen, **__: pytest.fail(f"saw {len(seen.clips)} clips"))
    with pytest.raises(pytest.fail.Exception, match="saw 64 clips"):
        main(["study", "--deep", "--data", str(voices), "--json"])


def test_clips_that_are_looked_at_are_told_before_the_models(quick, elsewhere, voices):
    told = []
    shipping.make(dataclasses.replace(elsewhere, data_dir=voices), jobs=1, progress=lambda *step: told.append(step))
    assert (64, 64) in told[:-2]
    assert told[-2:] == [(0, 2), (1, 2)]


def test_a_card_says_what_that_very_model_is_worth_on_voices_never_heard(elsewhere, voices, table, result, monkeypatch):
    """Runs of another preset and of another seed stand in the store, too."""
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    tables.save(table, settings.feature_table)
    of_network = {"model": "cnn2d", "seed": 9, "preset": "default", "protocol": "emobox"}
    others = ({"id": "its-own", "made": "3"}, {"id": "b", "made": "1", "preset": "voices"}, {"id": "c", "seed": 10})
    for other in others:
        runs.save(changed(result.run, **of_network | {"made": "2"} | other), settings.artifacts)
    kept = experiments.Result(changed(result.run, **of_network | {"id": "kept", "protocol": "study"}), result.model)
    monkeypatch.setattr(experiments, "run", lambda *_, **__: kept)
    monkeypatch.setattr(shipping, "DEEP", (shipping.Deep("cnn2d", cv=True),))
    shipping.make_deep(settings)
    assert model_store.find("cnn2d", [settings.artifacts]).entry["unheard"]["run"] == "its-own"
