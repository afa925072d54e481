"""Rebuilding the artifacts: the clips they are made from, progress, ids of runs, and model cards."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from ser_core import audio, experiments
from ser_core.audio import conditions
from ser_core.audio.voice_activity import has_voice
from ser_core.cli import main, shipping
from ser_core.corpus import synthetic
from ser_core.evaluation import protocols
from ser_core.features import functionals, tables
from ser_core.features import registry as feature_sets
from ser_core.models import registry
from ser_core.prediction import model_store
from ser_core.results import runs, verdicts
from ser_core.settings import Settings
from tests import made_runs
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
    monkeypatch.setattr(shipping, "make_clips", lambda settings: [])  # these voices are not in all of its kinds
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
    monkeypatch.setattr(
        shipping, "HEARD", (("kn", "default", "study"), ("dt", "default", "study"), ("kn", "default", "emobox"))
    )
    monkeypatch.setattr(shipping, "CHANGED", (("kn", "default", "study"),))
    some = {key: conditions.CONDITIONS[key] for key in ("louder", "babble-20")}
    monkeypatch.setattr(conditions, "CONDITIONS", some)
    monkeypatch.setattr(conditions, "SMALL_CHANGES", {"gain+1": conditions.SMALL_CHANGES["gain+1"]})
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    made = shipping.make(settings, jobs=1)
    assert [(run.recipe.model, run.heard) for run in made] == [
        ("kn", ""),
        ("kn", "louder"),
        ("kn", "babble-20"),
        ("kn", "gain+1"),
        ("dt", ""),  # not of its own features
    ]
    again = shipping.make(settings, jobs=1)
    assert [run.id for run in again] == [run.id for run in made]
    assert len(runs.list_all([settings.artifacts])) == 5


def test_what_is_heard_in_conditions_is_planned_as_it_ships(settings):
    planned = [one for one in (*shipping.classical(), *shipping.DEEP) if one.heard and one.ships_heard]
    what = {(one.model, one.recipe.preset, one.protocol) for one in planned}
    assert what == set(shipping.HEARD) | set(shipping.CHANGED)
    shipped = [run for run in runs.list_all([settings.artifacts]) if run.heard]
    heard = {(run.recipe.model, run.protocol, run.heard) for run in shipped}
    assert heard == {(one.model, one.protocol, key) for one in planned for key in one.heard}
    assert len(heard) == len(shipped)


def test_what_a_model_is_tested_on_is_of_the_same_recipe_and_the_newest():
    here = made_runs.run(True)
    unheard = changed(here, id="unheard", protocol="emobox", made="2")
    corpus = {"corpus": "emodb", "speakers": ["03"], "languages": ["de"]}
    found = [
        here,
        changed(here, id="of-the-study", heard="telephone"),  # of actors whom it knows
        unheard,
        changed(unheard, id="older", heard="telephone"),
        changed(unheard, id="telephone", heard="telephone"),
        changed(unheard, id="louder", heard="louder"),
        changed(unheard, id="small-change", heard="gain+1"),
        changed(unheard, {"preset": "mine"}, id="of-another-preset", heard="room"),
        changed(unheard, id="of-other-clips", heard="room", data_digest="0" * 16),
        changed(here, id="older-corpus", tested_on=corpus),
        changed(here, id="corpus", tested_on=corpus),
    ]
    tests = model_store.Tests.of(here, found)
    assert tests.unheard.id == "unheard"
    assert [run.id for run in tests.heard] == ["louder", "telephone"]  # in the order of the conditions
    assert [run.id for run in tests.corpora] == ["corpus"]


def test_a_model_that_is_not_a_preset_as_it_stands_is_not_heard_in_conditions(monkeypatch):
    monkeypatch.setattr(shipping, "HEARD", (("kn", "default", "study"),))
    assert shipping.Planned("kn").heard == list(conditions.CONDITIONS)
    assert shipping.Planned("kn", features="functionals").heard == []
    assert shipping.Planned("kn", "emobox").heard == []


def test_members_are_heard_as_their_vote_is_but_do_not_ship(quick, elsewhere, voices, monkeypatch):
    robust, other = shipping.Planned("robust", "emobox"), shipping.Planned("robust", "study-speech")
    assert robust.heard == [*conditions.CONDITIONS, *conditions.SMALL_CHANGES] and other.heard == []
    assert shipping.Planned("v_robust", "emobox").ships_heard and not robust.ships_heard

    monkeypatch.setattr(shipping.Planned, "heard", property(lambda one: ["louder"]))
    monkeypatch.setattr(shipping.Planned, "ships_heard", property(lambda one: one.model == "kn"))
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    shipping.make(settings, jobs=1)
    shipped, others = (runs.list_all([store]) for store in (settings.artifacts, settings.workspace))
    assert {(run.recipe.model, run.heard) for run in shipped} == {("kn", ""), ("kn", "louder"), ("dt", "")}
    assert {(run.recipe.model, run.heard) for run in others} == {("dt", "louder")}


def test_a_model_that_ships_is_tested_in_the_conditions_that_lack(elsewhere, voices, table, result, monkeypatch):
    """Nothing is trained again."""
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    run = dataclasses.replace(result.run, recipe=registry.recipe("cnn"), id="kept")
    runs.save(run, settings.artifacts)
    model_store.save(dataclasses.replace(result, run=run), table, settings.artifacts)
    monkeypatch.setattr(shipping.Planned, "heard", property(lambda one: ["louder", "offset"]))
    runs.save(dataclasses.replace(run, id="there", heard="offset"), settings.artifacts)
    tables.save(table, settings.feature_table)
    monkeypatch.setattr(experiments, "run", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(shipping, "DEEP", (shipping.Planned("cnn"),))
    assert [one.id for one in shipping.make_deep(settings, jobs=1)] == ["kept"]
    found = {one.heard: one for one in runs.list_all([settings.artifacts])}
    assert set(found) == {"", "louder", "offset"}
    assert found["louder"].recipe == run.recipe and found["louder"].scores["test_accuracy"] > 0


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


@pytest.fixture
def listening(elsewhere, voices, table, result, monkeypatch) -> Settings:
    """What voices are looked for with: the clips and the table, two conditions, and a small model."""
    settings = dataclasses.replace(elsewhere, data_dir=voices)
    tables.save(table, settings.feature_table)
    model_store.save(result, table, settings.artifacts)
    monkeypatch.setitem(protocols.PUBLISHED, "emobox", ((1, 2), (3, 4)))
    monkeypatch.setattr(shipping, "LISTENS_TO_SOUNDS", "v2")
    monkeypatch.setattr(conditions, "CONDITIONS", {key: conditions.CONDITIONS[key] for key in ("louder", "babble-20")})
    return settings


def test_voices_are_looked_for_in_some_clips_in_each_condition(listening, table):
    made = shipping.make_voices(listening, jobs=1)
    pd.testing.assert_frame_equal(pd.read_parquet(listening.voices), made)
    assert made.columns.tolist() == verdicts.VOICES
    clips = made[made["source"] != "non-speech"]
    assert clips.groupby("source")["clip"].apply(list).to_dict() == dict.fromkeys(
        ("", "louder", "babble-20"), table["stem"].iloc[:: shipping.ONE_CLIP_IN].tolist()
    )
    voices = clips.set_index(["source", "clip"])["has_voice"]
    for stem, path in table.set_index("stem")["path"].iloc[:: shipping.ONE_CLIP_IN].items():
        samples = audio.load(listening.data_dir / path).samples
        assert voices["", stem] == has_voice(samples, 22_050)
        assert voices["louder", stem] == has_voice(10 * samples, 22_050)
    assert set(clips["model"]) == set(clips["verdict"]) == {""}


def test_a_model_gives_its_verdict_on_sounds_without_a_voice(listening):
    made = shipping.make_voices(listening, jobs=1)
    sounds = made[made["source"] == "non-speech"]
    assert len(sounds) == 30
    assert sounds["clip"].is_unique
    assert not sounds["has_voice"].any()
    assert set(sounds["model"]) == {"v2"}
    assert set(sounds["verdict"]) == {"no_voice"}


def test_every_clip_of_another_corpus_is_listened_to_and_kept_without_it(listening, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    lines = ["file,speaker,emotion"]
    for emotion in ("angry", "sad"):
        (folder / f"{emotion}.wav").write_bytes(synthetic.wav(emotion, actor=5, seconds=1.2))
        lines.append(f"{emotion}.wav,05,{emotion}")
    noise = 0.1 * np.random.default_rng(0).normal(size=30_000).astype(np.float32)
    (folder / "noise.wav").write_bytes(audio.Waveform(noise, 22_050, 22_050, 1, "wav").wav())
    lines.append("noise.wav,06,boredom")
    manifest = folder / "other.csv"
    manifest.write_text("\n".join(lines) + "\n")
    made = shipping.make_voices(listening, [manifest], jobs=1)
    theirs = made[made["source"] == "other"].set_index("clip")["has_voice"].to_dict()
    assert theirs == {"angry": True, "sad": True, "noise": False}
    again = shipping.make_voices(listening, jobs=1)
    key = ["source", "clip"]
    pd.testing.assert_frame_equal(
        again.sort_values(key, ignore_index=True), made.sort_values(key, ignore_index=True), check_dtype=False
    )


def test_voices_are_looked_for_when_the_model_that_listens_is_made(quick, listening, monkeypatch):
    asked = []
    monkeypatch.setattr(shipping, "make_voices", lambda _, corpora, **__: asked.append(corpora))
    shipping.make(listening, jobs=1)
    assert not asked
    monkeypatch.setattr(shipping, "classical", lambda: [shipping.Planned("kn"), shipping.Planned("kn", "emobox")])
    monkeypatch.setattr(shipping, "KEPT", (("kn", "default"),))
    monkeypatch.setattr(shipping, "LISTENS_TO_SOUNDS", "kn")
    shipping.make(listening, jobs=1)
    assert asked == [()]
