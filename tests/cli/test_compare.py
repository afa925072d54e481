"""`python -m ser_core compare`: the table of any protocol, pairs of runs in words, and forms for a paper."""

import json

import pandas as pd
import pytest

from ser_core import experiments
from ser_core.cli import main
from ser_core.results import runs
from ser_core.settings import Settings


@pytest.fixture(scope="module")
def shipped():
    return runs.list_all([Settings.from_environment().artifacts])


@pytest.fixture
def compare(capsys, monkeypatch, shipped):
    """Run `compare`: its exit status, what it said on stdout, and on stderr. What ships is read once for all tests."""
    list_all = runs.list_all

    def list_own(stores):
        nothing, own = Settings.from_environment().workspace / "nothing", stores[1]
        return [*shipped, *list_all([nothing, own])]

    monkeypatch.setattr(runs, "list_all", list_own)

    def run(*arguments):
        status = main(["compare", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_the_studys_own_question_is_answered_in_words(compare):
    status, said, _ = compare("--pairs", "v4", "mlp", "xgb", "--json")
    answer = json.loads(said)
    assert status == 0
    assert answer["verdicts"][0].startswith("v4 and mlp cannot be told apart on 491 clips (p = ")
    assert answer["verdicts"][1].startswith("v4 is better than xgb by ")
    assert [(row["first"], row["second"]) for row in answer["pairs"]] == [("v4", "mlp"), ("v4", "xgb"), ("mlp", "xgb")]
    assert all(row["corrected"] >= row["p"] for row in answer["pairs"])


def test_another_protocol_has_its_own_table(compare):
    status, said, _ = compare("--protocol", "emobox", "--kind", "emotion", "--json")
    rows = json.loads(said)["runs"]
    assert status == 0
    assert {row["test_clips"] for row in rows} == {1440}
    assert all(row["original_test_accuracy"] is row["cv_accuracy"] is None for row in rows)
    assert all(row["test_low"] < row["test_accuracy"] < row["test_high"] for row in rows)


def test_forms_for_a_paper(compare, tmp_path):
    (tmp_path / "runs.csv").write_text(compare("--format", "csv")[1])
    table = pd.read_csv(tmp_path / "runs.csv").set_index("label")
    assert table.loc["v4", "original_test_accuracy"] == 0.84
    markdown = compare("--format", "markdown")[1].splitlines()
    assert markdown[0].startswith("| run | model | original CV5 | CV5 |")
    assert len(markdown) == 2 + len(table)
    latex = compare("--format", "latex", "--pairs", "v4", "mlp")[1]
    assert r"\begin{tabular}" in latex
    assert r"95 \% interval" in latex


def test_a_person_reads_it(compare):
    status, said, _ = compare("--pairs", "v4", "mlp")
    assert status == 0
    assert "v4 and mlp cannot be told apart on 491 clips" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pairs", "v4", "v99"), "no run 'v99' to compare; there is apart, "),
        (("--pairs", "v4", "v4"), "that is one run"),
        (("--protocol", "random"), "no protocol 'random'"),
        (("--protocol", "actors-5"), "no run under actors-5 yet. Make one: python -m ser_core run"),
        (("--kind", "voice"), "no kind 'voice'; there is class, emotion, gender"),
        (("--format", "word"), "no format 'word'; there is table, csv, latex, markdown"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_2(compare, arguments, said):
    status, printed, error = compare(*arguments)
    assert (status, printed) == (2, "")
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_runs_of_other_clips_are_not_compared(compare, table, settings):
    own = experiments.run("kn", table, jobs=1).run
    runs.save(own, settings.workspace)
    status, _, error = compare("--pairs", "v4", own.id)
    assert status == 2
    assert f"v4 and {own.id} were not tested on the same clips" in error


def test_compare_shows_shipped_and_own_runs_beside_the_original(call, file):
    own = call("run", "kn", "--features", file, "--jobs", 1)[1]["run"]
    status, answer, _ = call("compare")
    assert status == 0
    shipped = {row["model"]: row for row in answer["runs"] if row["shipped"] and row["preset"] == "default"}
    assert {
        "dt",
        "rf",
        "lgb",
        "xgb",
        "mlp",
        "kn",
        "lr",
        "v",
        "v2",
        "v3",
        "v4",
        "svm",
        "krr",
        "bag",
        "best",
        "cnn2d",
    } < set(shipped)
    assert shipped["v4"]["original_test_accuracy"] == 0.84
    assert shipped["svm"]["original_test_accuracy"] is None
    (mine,) = [row for row in answer["runs"] if not row["shipped"]]
    assert mine["run"] == own
    assert mine["original_test_accuracy"] is None  # it is on other clips than the study's
    assert mine["test_clips"] == 13
