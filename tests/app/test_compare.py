"""The page of runs side by side."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ser_core import evaluation, experiments, ui
from ser_core.corpus.labels import EMOTION_NAMES, by_emotion, emotion_of
from ser_core.experiments import other_corpus
from ser_core.features import model_input, tables
from ser_core.models import registry
from ser_core.results import comparison, differences, imported, runs
from ser_core.ui import cached
from tests.app.pages import at, charts, texts, well, widget

VIEWS = (
    "What they confuse",
    "Class by class",
    "Right and wrong",
    "What a vote gains",
    "How sure they are",
    "Actor by actor",
    "Learned by heart",
)
EMOBOX = "EmoBox's six folds of actors, speech alone"


def said(app) -> str:
    """The verdicts, without Markdown's backslashes."""
    return app.success[0].value.replace("\\", "")


def table(app):
    return app.dataframe[-1].value if len(app.dataframe) == 1 else app.dataframe[1].value


def test_the_first_look_answers_the_studys_own_question(app):
    at(app, "compare")
    assert not app.error
    assert "v4 and mlp cannot be told apart on 491 clips (p = " in said(app)
    assert "v4: Vote: mlp + xgb; mlp: Multilayer perceptron." in texts(app)
    assert [chart.alt[:14] for chart in charts(app)[:2]] == ["413 of 491 clip", "412 of 491 clip"] or len(
        charts(app)
    ) == 3
    shown = table(app)
    assert (shown["test_accuracy"].diff().dropna() <= 0).all()  # best first
    assert {"v4", "mlp", "krr", "cnn"} <= set(shown["label"])
    assert not shown["label"].str.contains("tuned").any()


def test_the_table_says_what_the_command_line_says(app):
    at(app, "compare")
    shown = table(app).set_index("label")
    expected = comparison.table(cached.shipped_runs()).set_index("label").loc[shown.index]
    for name in ("test_accuracy", "test_low", "test_high", "uar", "gap", "cv_accuracy", "original_test_accuracy"):
        pd.testing.assert_series_equal(shown[name], expected[name], check_names=False)
    assert shown.loc["v4", "file_mb"] > 1


def test_all_runs_are_there_if_asked_for_and_each_is_called_otherwise(app):
    at(app, "compare")
    few = len(table(app))
    app.toggle(key="all").set_value(True).run()
    well(app)
    labels = table(app)["label"]
    assert len(labels) > few + 20
    assert labels.is_unique
    assert {"mlp (tuned)", "cnn dropout 0.7"} <= set(labels)


def each_view(app):
    """Go through the views; the titles and sentences of their charts."""
    for view in VIEWS:
        widget(app, "view").set_value(view).run()
        well(app)
        assert not app.error, view
        yield view, charts(app)


@pytest.mark.parametrize("kind", ["class", "emotion", "gender"])
def test_each_view_shows_four_models_of_any_kind(app, kind):
    at(app, "compare", runs=["krr", "v4", "mlp", "cnn"])
    widget(app, "kind").set_value(kind).run()
    assert said(app).count("on 491 clips") == 6  # pairs
    for view, shown in each_view(app):
        assert shown, view
        assert all(len(chart.alt) > 20 for chart in shown), view


@pytest.mark.parametrize("protocol", [EMOBOX, "One of two repetitions held out", "The study's split without its song"])
def test_other_protocols_have_every_view_too(app, protocol):
    at(app, "compare", protocol=protocol)
    assert said(app)
    for view, shown in each_view(app):
        assert shown or "Choose the study's split" in app.info[0].value, view


def test_a_protocol_of_held_out_actors_asks_for_emotions_and_draws_actors(app):
    at(app, "compare", protocol=EMOBOX)
    assert widget(app, "kind").value == "emotion"
    assert "cv_accuracy" not in table(app)
    assert "interval over actors" in said(app) or "cannot be told apart" in said(app)
    widget(app, "protocol").set_value("study").run()
    well(app)
    assert widget(app, "kind").value == "class"
    assert app.multiselect(key="runs").value == ["v4", "mlp"]


def test_the_page_says_which_test_is_used_and_why_and_how_large_gaps_are(app):
    at(app, "compare", view="Class by class", by="gender")
    assert "McNemar's exact test" in texts(app) and "Of other actors it says nothing" in texts(app)
    gap = next(frame.value for frame in app.dataframe if "gap" in frame.value and "than" in frame.value)
    assert (gap["value"].item(), gap["than"].item()) == ("female", "male")
    assert gap["low"].item() < gap["gap"].item() < gap["high"].item()
    widget(app, "protocol").set_value("emobox").run()
    well(app)
    assert "a sign-flip test" in texts(app) and "McNemar" not in texts(app)


def test_the_vote_is_held_against_the_studys_story(app):
    at(app, "compare", view="What a vote gains")
    words = texts(app)
    assert "Here that holds in 2 of 3:" in words
    assert "mlp mends Sad, male: **not so**. Of 41 clips xgb alone names 29 right, mlp alone 30, the vote 28." in words
    assert "Of 491 clips v4 names 44 more right than xgb alone" in words.replace("\\", "")
    widget(app, "vote").set_value("v2").run()
    well(app)
    assert "The study says" not in texts(app)
    assert "over kn" in charts(app)[-1].alt


def test_clips_that_one_alone_names_right(app):
    at(app, "compare", view="Right and wrong", runs=["v4", "xgb"])
    clips = app.dataframe[-1].value
    pair = differences.pair(*comparison.find(["v4", "xgb"], comparison.same_test(cached.shipped_runs())["study"]))
    assert len(clips) == pair.only_first
    assert (clips["truth"] == clips["v4"]).all() and (clips["truth"] != clips["xgb"]).all()
    app.radio(key="which").set_value("neither").run()
    well(app)
    assert len(app.dataframe[-1].value) == pair.neither


def test_three_models_are_corrected_and_two_of_them_chosen(app):
    at(app, "compare", view="Right and wrong", runs=["v4", "mlp", "krr"])
    assert len(said(app).splitlines()) == 3
    widget(app, "a").set_value("krr").run()
    well(app)
    pair = differences.pair(*comparison.find(["krr", "mlp"], comparison.same_test(cached.shipped_runs())["study"]))
    assert charts(app)[0].alt.startswith(f"{pair.only_first} clips are named right by krr alone")
    assert "krr" not in widget(app, "b").options


THREE = {"runs": ["v4", "mlp", "krr"], "view": "Right and wrong"}


@pytest.mark.parametrize("value", ["", "nonsense"])
@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("protocol", {}),
        ("kind", {}),
        ("view", {}),
        ("runs", {}),
        ("share", {}),
        ("by", {"view": "Class by class"}),
        ("vote", {"view": "What a vote gains"}),
        ("a", THREE),
        ("b", THREE),
    ],
)
def test_nonsense_in_the_address_opens_the_page_all_the_same(app, name, beside, value):
    at(app, "compare", **beside, **{name: value})
    assert not app.error
    assert len(table(app)) > 20
    assert charts(app) or (name, value) == ("runs", "")  # nothing chosen is no nonsense


@pytest.mark.parametrize("named", [["v4"], ["v4", "v4", "nonsense"], ["v4", "mlp", "lr", "kn", "krr", "svm"]])
def test_too_few_and_too_many_runs_in_the_address_open_the_page_all_the_same(app, named):
    at(app, "compare", runs=named)
    assert not app.error
    assert len(table(app)) > 20


def test_with_less_than_two_nothing_is_compared(app):
    at(app, "compare")
    app.multiselect(key="runs").set_value(["v4"]).run()
    well(app)
    assert not app.success
    assert "Choose two runs or more" in app.info[0].value


def test_a_choice_of_which_one_is_left_under_another_test_is_filled_up(app):
    at(app, "compare", protocol=EMOBOX, runs=["v4", "mlp", "lr"])
    emodb = runs.find(cached.shipped_runs(), protocol="corpus-emodb-f2d30e77", model="v4").test
    widget(app, "protocol").set_value(emodb).run()
    well(app)
    chosen = app.multiselect(key="runs").value
    assert chosen == ["v4", table(app)["label"][0]]
    assert app.success and not app.info


def test_an_own_run_is_there_at_once_and_stands_apart_if_it_is_of_other_clips(app, table, settings):
    own = experiments.run("kn", table, jobs=1).run
    runs.save(own, settings.workspace)
    again = experiments.run("lr", table, jobs=1).run
    runs.save(again, settings.workspace)
    at(app, "compare")
    (title,) = [title for title in widget(app, "protocol").options if own.data_digest[:8] in title]
    assert title.endswith(f" (ravdess: {len(table)} clips, {own.data_digest[:8]})")
    widget(app, "protocol").set_value(f"study of {own.data_digest[:8]}").run()
    well(app)
    assert not app.error
    assert set(app.multiselect(key="runs").value) == {"kn (yours)", "lr (yours)"}
    assert "on 13 clips" in said(app)
    assert "original_test_accuracy" not in app.dataframe[1].value


def test_own_runs_of_another_corpus_have_every_view(app, table, settings):
    """Nothing in the names of its clips says anything, and nobody knows their intensity."""
    others = table.drop(columns=["channel", "intensity", "statement", "repetition"])
    others = others.assign(corpus="mine", stem=[f"wav/{row}" for row in range(len(table))], speaker="Ada")
    for model in ("kn", "lr"):
        own = experiments.run(model, others, jobs=1).run
        runs.save(own, settings.workspace)
    at(app, "compare")
    widget(app, "protocol").set_value(f"study of {own.data_digest[:8]}").run()
    well(app)
    assert set(app.multiselect(key="runs").value) == {"kn (yours)", "lr (yours)"}
    for view, shown in each_view(app):
        assert shown or view == "What a vote gains", view
    assert "Speaker by speaker" in widget(app, "view").options
    assert "of the same speakers" in texts(app) and "of the same actors" not in texts(app)
    widget(app, "view").set_value("Class by class").run()
    assert widget(app, "by").options == ["class", "emotion", "gender"]


@pytest.mark.parametrize("manifest", ["elsewhere", "genderless"])
def test_own_runs_that_were_tested_on_another_corpus_have_every_view(app, table, settings, request, manifest):
    other = other_corpus.read(request.getfixturevalue(manifest), table)
    inputs = {"features": model_input.load(table, settings), "tested": model_input.load(other.clips, settings, jobs=1)}
    for model in ("kn", "lr"):
        own = experiments.run_on(registry.recipe(model), table, other, **inputs)
        runs.save(own, settings.workspace)
    at(app, "compare")
    widget(app, "kind").set_value("gender").run()
    widget(app, "protocol").set_value(next(iter(comparison.same_test([own])))).run()
    well(app)
    assert widget(app, "kind").value == "emotion"
    assert "on 8 clips" in said(app)
    for view, shown in each_view(app):
        assert shown or view in ("What a vote gains", "Learned by heart"), view
    knows_genders = manifest == "elsewhere"
    assert len(widget(app, "kind").options) == (3 if knows_genders else 1)
    widget(app, "view").set_value("Class by class").run()
    assert widget(app, "by").options == (["class", "emotion", "gender"] if knows_genders else ["emotion"])


def test_a_clip_of_another_corpus_is_named_and_nothing_is_read_out_of_its_name():
    card = AppTest.from_string("from ser_core.ui import clip; clip.clip_card('wav/a_1', None)").run()
    assert not card.exception
    assert [element.value.replace("\\", "") for element in card.markdown] == ["**wav/a_1**"]


def test_the_table_can_be_taken_away(app):
    at(app, "compare")
    labels = [button.label for button in app.get("download_button")]
    assert [label for label in labels if label in ("CSV", "LaTeX", "Markdown")][:3] == ["CSV", "LaTeX", "Markdown"]


def test_a_chart_as_a_page_needs_no_network():
    from ser_core.figures import scores

    made = comparison.table([run for run in cached.shipped_runs() if run.recipe.preset == "default"])
    figure, _ = scores.original_and_ours(made)
    page = ui.as_page(figure, "Accuracy")
    assert "Plotly.newPlot" in page and 'src="http' not in page
    assert len(page) > 1_000_000
    assert page.startswith("<!doctype html>")


@pytest.fixture
def theirs(own_workspace, settings, tmp_path):
    """A model's predictions of emotions, imported as if they were made elsewhere."""
    ours = runs.find(runs.list_all(settings.stores), protocol="emobox", model="robust").part("test")
    given = pd.DataFrame(by_emotion(evaluation.probabilities(ours)), columns=EMOTION_NAMES, index=ours.index)
    given.assign(clip=ours["clip"], truth=ours["truth"].map(emotion_of)).to_csv(tmp_path / "theirs.csv")
    run = imported.read(tmp_path / "theirs.csv", tables.read(settings.feature_table), "emobox")
    runs.save(run.own, own_workspace)
    return run


@pytest.mark.parametrize("view", VIEWS)
def test_imported_predictions_are_seen_like_any_others(app, theirs, view):
    at(app, "compare", protocol=EMOBOX, runs=["robust", "theirs (imported)"], view=view)
    assert not app.error
    assert "robust and theirs (imported) cannot be told apart on 1,440 clips" in said(app)
    row = table(app).set_index("label").loc["theirs (imported)"]
    assert row["test_accuracy"] == pytest.approx(theirs.scores["emotion_accuracy"])


def test_where_classes_are_named_imported_emotions_are_left_out(app, theirs):
    at(app, "compare", protocol=EMOBOX, kind="Emotion and gender (16 classes)")
    assert not app.error
    labels = set(table(app)["label"])
    assert "robust" in labels and "theirs (imported)" not in labels


@pytest.mark.parametrize("page", ["overview", "honest", "train", "tune", "features"])
def test_imported_predictions_stop_no_other_page(app, theirs, page):
    at(app, page)
    assert not app.error


def test_runs_on_other_emotions_than_the_eight_have_every_view_too(app, table, settings):
    bored = table.copy()
    rows = bored.index[(bored["emotion"] == "sad") & (bored["repetition"] == 1)]
    bored.loc[rows, ["emotion", "label"]] = "boredom"
    for model in ("kn", "lr"):
        runs.save(experiments.run(model, bored, protocol="loso", jobs=1).run.own, settings.workspace)
    groups = comparison.same_test(runs.list_all(settings.stores))
    title = next(comparison.title_of_test(test, found) for test, found in groups.items() if test.startswith("loso"))
    at(app, "compare", protocol=title)
    assert widget(app, "protocol").value.startswith("loso of ") and "(ravdess: " in title
    for view, shown in each_view(app):
        assert shown or app.info, view
    widget(app, "view").set_value("What they confuse").run()
    assert all("of 64 clips are named right" in chart.alt for chart in charts(app)[:2])
