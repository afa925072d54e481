import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from ser_core import evaluation
from ser_core.errors import ModelError
from ser_core.evaluation import protocols
from ser_core.results import comparison, runs
from ser_core.results.runs import Seconds, Tables
from tests.made_runs import by_chance, changed, run


def test_runs_are_grouped_by_what_they_were_tested_on():
    first = run(by_chance(1), "v4")
    found = [
        changed(first, id="b", protocol="emobox"),
        first,
        changed(first, id="own", shipped=False),
        changed(first, id="elsewhere", shipped=False, data_digest="99999999ff"),
    ]
    groups = comparison.same_test(found)
    assert {name: [run.id for run in runs] for name, runs in groups.items()} == {
        "study": ["v4", "own"],
        "emobox": ["b"],
        "study of 99999999": ["elsewhere"],
    }


@pytest.mark.parametrize(
    ("test", "title", "kind"),
    [
        ("study", protocols.get("study").title, "class"),
        ("study of a1b2c3d4", f"{protocols.get('study').title} (other clips, a1b2c3d4)", "class"),
        ("emobox", protocols.get("emobox").title, "emotion"),
        ("once-known", "once-known", "class"),
    ],
)
def test_a_test_has_a_title_and_a_usual_kind(test, title, kind):
    assert comparison.title_of_test(test) == title
    assert comparison.usual_kind(test) == kind


def test_the_title_of_a_test_on_own_clips_names_their_corpora():
    rows = run(by_chance(1))
    corpus = rows.predictions["corpus"].iloc[0]
    study = comparison.title_of_test("study", [rows])
    assert study == comparison.title_of_test("study")
    assert (
        comparison.title_of_test("study of a1b2c3d4", [rows]) == f"{study} ({corpus}: {rows.clips:,} clips, a1b2c3d4)"
    )


def test_a_table_has_any_kind_and_is_the_runs_own_scores():
    rows = run(by_chance(1))
    layers = [{"parameters": 5}] * 2
    whole = changed(rows, seconds=Seconds(9, 2, 0.491), layers=layers, scores=evaluation.scores(rows.predictions))
    by_class = comparison.table([whole], sizes={whole.id: 2_000_000}).iloc[0]
    by_gender = comparison.table([whole], kind="gender").iloc[0]
    assert by_class["test_accuracy"] == whole.scores["test_accuracy"]
    assert (by_class["test_low"], by_class["test_high"]) == evaluation.intervals(rows.part("test"))["accuracy"]
    assert (by_class["predict_ms"], by_class["parameters"], by_class["file_bytes"]) == (pytest.approx(1), 10, 2e6)
    named, truth = evaluation.named_and_true(rows.part("test"), "gender")
    assert by_gender["test_accuracy"] == np.mean(named == truth)
    assert by_gender["uar"] == pytest.approx(recall_score(truth, named, average="macro"))
    assert by_gender["macro_f1"] == pytest.approx(f1_score(truth, named, average="macro"))
    assert comparison.table([whole], protocol="emobox").empty


def test_the_corpus_stands_beside_runs_where_they_are_not_of_one():
    one = run(by_chance(1), "svm")
    one = changed(one, scores=evaluation.scores(one.predictions))
    other = changed(one, id="other", tables=Tables(one.predictions.assign(corpus="emodb")))
    table = comparison.table([one, other])
    assert table["corpus"].tolist() == [one.predictions["corpus"][0], "emodb"]
    assert "corpus" in comparison.for_people(table) and "corpus" not in comparison.for_people(table[:1])


def test_where_there_are_no_runs_none_are_listed():
    with pytest.raises(ModelError, match="none at all under this protocol"):
        comparison.find(["svm"], [])


def test_a_table_for_people_leaves_out_what_it_cannot_say():
    whole = run(by_chance(1), "svm", seconds=Seconds(9, 2, 0.5))
    table = comparison.table([changed(whole, scores=evaluation.scores(whole.predictions))])
    table["label"] = "a | b"
    head, _, row = comparison.written(table, "markdown").splitlines()
    assert "CV5" not in head and "file (MB)" not in head
    assert "a \\| b" in row
    assert comparison.written(table, "csv").startswith("run,label,model,name,")
    with pytest.raises(ModelError, match="no form 'word'"):
        comparison.written(table, "word")


def test_the_originals_number_stands_only_beside_what_saw_the_same_clips_in_the_same_way(settings):
    shipped = runs.list_all([settings.artifacts])

    def said(model, **wanted):
        original = comparison.original_of(runs.find(shipped, model=model, **{"protocol": "study"} | wanted), shipped)
        return original and original.test_accuracy

    assert (said("mlp", preset="default"), said("mlp", preset="functionals")) == (0.83, None)
    assert (said("rnn", preset="study"), said("rnn", preset="default")) == (0.18, None)
    assert (said("vgg16"), said("v_cnn_vgg16"), said("cnn", preset="own")) == (0.73, 0.78, 0.68)
    assert (said("cnn2d"), said("mlp", preset="default", protocol="emobox")) == (None, None)
    vgg19 = changed(runs.find(shipped, model="vgg16"), {"model": "vgg19", "features": "vgg19"})
    assert comparison.original_of(vgg19, shipped).test_accuracy == 0.59  # pretrained, as ours is
    xgb = runs.find(shipped, model="xgb", preset="tuned")
    assert comparison.original_of(xgb, shipped).test_accuracy == 0.73
    assert comparison.original_of(changed(xgb, {"preset": "tuned-inside", "origin": "nested"}), shipped) is None
    assert comparison.original_of(changed(xgb, data_digest="99", shipped=False), shipped) is None
    numbers = comparison.table(shipped).set_index("label")["original_test_accuracy"]
    assert numbers[["mlp", "mlp, functionals", "rnn", "rnn (study)"]].tolist() == pytest.approx(
        [0.83, np.nan, np.nan, 0.18], nan_ok=True
    )
