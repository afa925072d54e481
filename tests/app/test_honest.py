"""The page of what holds: one model from the kindest test to the hardest, and the published numbers."""

import dataclasses
import json

import pandas as pd
import pytest

from ser_core import evaluation, experiments
from ser_core.audio.conditions import CONDITIONS, SMALL_CHANGES
from ser_core.evaluation import protocols
from ser_core.models import registry
from ser_core.results import generalization, runs, verdicts
from ser_core.settings import Settings
from tests import made_runs
from tests.app.pages import at, charts, texts, well, widget


def test_it_says_in_one_sentence_how_far_the_best_falls(app):
    at(app, "honest")
    assert "When it has heard the same people before, Vote: mlp + xgb names 84%" in texts(app)
    assert len(charts(app)) == 8
    assert "Actors recognised" in [metric.label for metric in app.metric]


@pytest.mark.parametrize("key", ["lr", "svm", "mlp", "lgb", "krr", "v4", "v5", "hier", "apart"])
def test_models_that_ship_have_every_rung_of_the_ladder(app, key):
    at(app, "honest", model=registry.get(key).name)
    assert not app.code  # nothing to be run yet
    found = generalization.ladder(runs.list_all([experiments_settings().artifacts]), key)
    on_ladder = found[found["protocol"].isin(generalization.LADDER)]
    assert list(on_ladder["protocol"]) == list(generalization.LADDER)
    assert on_ladder["accuracy"].iloc[0] > 0.65 > on_ladder["accuracy"].iloc[-1]


def test_it_opens_with_the_model_that_the_page_before_was_about(app):
    at(app, "train", show="Start one", network=registry.get("cnn2d").name)
    app.query_params.clear()
    at(app, "honest")
    assert widget(app, "model").value == "cnn2d"


def test_the_address_names_the_model_whatever_was_looked_at_before(app):
    app.session_state["model-named"] = "cnn2d"
    at(app, "honest", model=registry.get("v_robust").name, kind="Emotion alone (8)")
    assert widget(app, "model").value == "v_robust"
    found = generalization.ladder(runs.list_all([experiments_settings().artifacts]), "v_robust", kind="emotion")
    assert {"study", "emobox", "recording"} < set(found["protocol"])  # and another corpus
    assert all(f"{right:.0%}" in texts(app) for right in found["accuracy"])


def test_an_own_run_stands_beside_the_published_ones_however_low_it_is(app, settings):
    low = runs.find(runs.list_all([settings.artifacts]), protocol="emobox", model="cnn")
    runs.save(dataclasses.replace(low, id="own-low"), settings.workspace)
    at(app, "honest")
    (chart,) = [chart for chart in charts(app) if chart.alt.startswith("The best here")]
    shown = json.loads(chart.spec)["data"][-1]["y"]
    assert shown[-1] == "cnn (yours)" and len(shown) == 16


def test_a_model_without_tests_here_leaves_the_first(app):
    app.session_state["model-named"] = "resnet50"
    at(app, "honest")
    assert widget(app, "model").value == "v4"


def experiments_settings():
    return Settings.from_environment()


def test_emotions_alone_can_be_asked_for(app):
    at(app, "honest", kind="Emotion alone (8)")
    assert "guessing" in charts(app)[0].spec
    assert "12%" in charts(app)[0].spec


@pytest.mark.parametrize("folds", ["EmoBox's six folds", "Luna-Jimenez' five folds"])
def test_published_numbers_of_other_folds_are_greyed_with_the_reason(app, folds):
    at(app, "honest", folds=folds)
    ours, published = (frame.value for frame in app.dataframe[:2])
    assert (ours["ua"].diff().dropna() <= 0).all()
    greyed = published[published["why_not"] != ""]
    assert 0 < len(greyed) < len(published)
    assert greyed["why_not"].str.contains("other folds").all()


def test_a_run_of_ones_own_is_there_as_soon_as_it_exists(app, table, monkeypatch, settings):
    at(app, "honest")
    before = len(app.dataframe[0].value)
    monkeypatch.setitem(protocols.PUBLISHED, "emobox", ((1, 2), (3, 4)))
    runs.save(experiments.run("kn", table, protocol="emobox", jobs=1).run, settings.workspace)
    app.run()
    shown = app.dataframe[0].value
    assert len(shown) == before + 1
    assert "kn (yours)" in set(shown["label"])


def test_other_recordings_are_a_rung_of_what_was_heard_in_them(app):
    at(app, "honest", model=registry.get("v4").name, kind="Emotion alone (8)")
    assert "other recordings of clips by actors it has heard (`study`): the mean over 30 recording conditions" in texts(
        app
    )
    assert "Of other recordings" in charts(app)[0].alt


def test_another_corpus_is_a_rung_that_says_what_it_holds(app, settings):
    shipped = runs.find(runs.list_all(settings.stores), protocol="study", model="kn", preset="default")
    about = {"corpus": "elsewhere", "digest": "ab" * 32, "speakers": ["01", "02"], "languages": ["de"]}
    about |= {"shortest_s": 1.0, "longest_s": 2.0}
    protocol = protocols.on_corpus("elsewhere", about["digest"])
    test = shipped.part("test").assign(corpus="elsewhere", gender="")
    test = test.assign(truth=test["truth"].str.split("_").str[0])
    made = dataclasses.replace(
        shipped, id="own-elsewhere", protocol=protocol, tested_on=about, tables=runs.Tables(test), shipped=False
    )
    runs.save(made, settings.workspace)
    at(app, "honest", model=registry.get("kn").name, kind="Emotion alone (8)")
    said = texts(app).replace("\\", "")
    assert "elsewhere: 491 clips of 8 emotions by 2 speakers (01, 02), in German, 1.0 to 2.0 s long." in said
    assert "Of another corpus (elsewhere) 81%" in charts(app)[0].alt
    app.radio(key="kind").set_value("class").run()
    assert "elsewhere" not in charts(app)[0].alt  # the genders of its speakers are not known


def test_the_studys_best_vote_is_shown_in_every_recording_condition(app):
    at(app, "honest")
    shown = app.dataframe[2].value
    assert set(shown["model"]) == {"v4", "v_robust", "best", "cnn", "cnn2d", "krr, functionals"}
    numbers = shown[shown["model"] == "v4"]
    assert numbers["title"].tolist() == ["As recorded", *(one.title for one in CONDITIONS.values())]
    by_title = numbers.set_index("title")
    assert by_title.loc["As recorded", "accuracy"] == pytest.approx(0.843, abs=1e-3)
    assert by_title.loc["20 dB louder", "accuracy"] < 0.25  # what this page must not hide
    assert "v4 names 84% of the same 491 clips right as recorded" in charts(app)[2].alt


GAINS = ("gain-2", "gain-1", "gain+1", "gain+2")


@pytest.fixture
def none_shipped(monkeypatch, settings):
    """Nothing that ships was tested in small changes."""
    shipped = [run for run in runs.list_all([settings.artifacts]) if run.heard not in SMALL_CHANGES]
    monkeypatch.setattr("ser_core.ui.cached.shipped_runs", lambda: shipped)


def save_changed(model, table, settings, protocol="study", heard=GAINS):
    """Save a run, and one for each condition with the same test predictions."""
    plain = experiments.run(model, table, protocol=protocol, jobs=1).run
    runs.save(plain, settings.workspace)
    tables = dataclasses.replace(plain.tables, predictions=plain.part("test"))
    for key in heard:
        made = dataclasses.replace(plain, id=f"{plain.id}-{key}", heard=key, cv=False, tables=tables)
        runs.save(made, settings.workspace)


def test_small_changes_are_shown_as_soon_as_a_model_was_tested_in_all_of_a_kind(app, table, settings, none_shipped):
    save_changed("lr", table, settings, heard=GAINS[:1])
    at(app, "honest")
    assert "The same clips, changed a little" not in [header.value for header in app.header]
    charts_before, tables_before = len(charts(app)), len(app.dataframe)
    save_changed("kn", table, settings, heard=(*GAINS, "white-20"))
    at(app, "honest")
    assert "The same clips, changed a little" in [header.value for header in app.header]
    assert "no music or environmental recordings lie here" in texts(app)
    assert len(charts(app)) == charts_before + 1
    (shown,) = [chart for chart in charts(app) if "Under small changes" in chart.alt]
    assert "kn (yours) names the same emotion in 100% of clips" in shown.alt
    assert len(app.dataframe) == tables_before + 1
    (numbers,) = [frame.value for frame in app.dataframe if "uar_change" in frame.value]
    assert numbers["change"].tolist() == ["Level, 1 or 2 dB", "White noise, 20 dB"]
    assert (numbers["same"] == 1).all() and (numbers["uar_change"] == 0).all()


def test_a_model_and_a_test_are_chosen_among_those_with_small_changes(app, table, settings, none_shipped, monkeypatch):
    monkeypatch.setitem(protocols.PUBLISHED, "emobox", ((1, 2), (3, 4)))
    for model, protocol in (("kn", "study"), ("lr", "study"), ("kn", "emobox")):
        save_changed(model, table, settings, protocol)
    at(app, "honest")
    chosen = app.selectbox(key="changed-model")
    assert chosen.options == ["kn (yours)", "lr (yours)"]
    chosen.select("lr (yours)").run()
    well(app)
    assert any("Under small changes lr (yours) names" in chart.alt for chart in charts(app))
    widget(app, "changed-under").set_value("emobox").run()
    well(app)
    assert any("Under small changes kn (yours) names" in chart.alt for chart in charts(app))


SILENT = "When it says that it cannot tell"


@pytest.fixture
def none_judged(monkeypatch, settings, tmp_path):
    """Nothing that ships was tested on new speakers in conditions, and no voices were looked for."""
    shipped = [run for run in runs.list_all([settings.artifacts]) if not run.heard or run.protocol == "study"]
    monkeypatch.setattr("ser_core.ui.cached.shipped_runs", lambda: shipped)
    monkeypatch.setattr(Settings, "voices", tmp_path / "voices.parquet")


def save_answers(settings, **fields):
    """Save runs of a model on new speakers, as recorded, in two conditions, and on another corpus."""
    plain = made_runs.answers(blur=0.8, **fields)
    heard = [made_runs.answers(key, 1.2, **fields) for key in ("louder", "hall")]
    for run in (plain, *heard, made_runs.elsewhere(plain)):
        scores = evaluation.scores(run.predictions)
        runs.save(dataclasses.replace(run, id=f"own-{run.id}", scores=scores), settings.workspace)


def test_verdicts_are_shown_as_soon_as_a_model_was_tested_on_new_speakers_in_conditions(app, settings, none_judged):
    at(app, "honest")
    assert SILENT not in [header.value for header in app.header]
    charts_before = len(charts(app))
    save_answers(settings)
    at(app, "honest")
    headers = [header.value for header in app.header]
    assert headers[headers.index(SILENT) - 1] == "The same clips, recorded otherwise"
    said = texts(app).replace("\\", "")
    assert "Of people whom it had never heard, robust (yours) names an emotion in" in said
    assert "of the clips of boredom there, too" in said
    assert "sounds without a voice" not in said
    assert len(charts(app)) == charts_before + 2
    (shares,) = [chart for chart in charts(app) if "In recording conditions it names an emotion" in chart.alt]
    assert "Another corpus: elsewhere" in shares.spec
    assert any(chart.alt.startswith("If every clip got an answer") for chart in charts(app))
    numbers, groups = (frame.value for frame in app.dataframe if "heard" in frame.value)
    assert numbers["title"].tolist()[:3] == ["As recorded", "20 dB louder", "In a hall"]
    assert len(groups) == 10


def test_voices_that_were_looked_for_stand_beside_the_verdicts(app, settings, none_judged):
    save_answers(settings)
    rows = [("non-speech", "wind 0", False, "robust", "no_voice"), ("", "03-01-05-01-01-01-01", False, "", "")]
    pd.DataFrame(rows, columns=verdicts.VOICES).to_parquet(settings.voices)
    at(app, "honest")
    assert "Of 1 sounds without a voice, it takes none for a voice like those it knows" in texts(app).replace("\\", "")
    (numbers,) = [frame.value for frame in app.dataframe if "no_voice" in frame.value]
    assert numbers["title"].iloc[-1] == "Sounds without a voice"


def test_one_of_several_models_is_chosen(app, settings, none_judged):
    save_answers(settings)
    save_answers(settings, model="kn", seed=1)
    at(app, "honest")
    chosen = app.selectbox(key="silent-model")
    assert chosen.options == ["kn (yours)", "robust (yours)"]
    chosen.select("robust (yours)").run()
    well(app)
    assert "Of people whom it had never heard, robust (yours)" in texts(app).replace("\\", "")


def test_what_each_idea_adds_is_said_with_its_tests(app):
    at(app, "honest")
    assert "Most is gained by functionals for apart on actors never heard: 21 points" in texts(app)
    (numbers,) = [frame.value for frame in app.dataframe if "idea" in frame.value]
    assert {"study", "emobox"} == set(numbers["protocol"])
    assert ((numbers["low"] <= numbers["gain"]) & (numbers["gain"] <= numbers["high"])).all()


def test_the_second_feature_set_has_a_ladder_of_its_own(app):
    at(app, "honest", model=registry.get("krr").name, features="The second feature set, functionals")
    assert "Kernel ridge names 88%" in texts(app)
