"""`python -m ser_core compare`: the table of any protocol, pairs of runs in words, and forms for a paper."""

import io
import json
import re

import pandas as pd
import pytest

from ser_core import experiments
from ser_core.cli import compare as cli_compare
from ser_core.cli import main
from ser_core.results import runs
from tests.made_runs import changed


@pytest.fixture
def compare(capsys):
    """Run `compare`: its exit status, what it said on stdout, and on stderr."""

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
    assert r"95\% interval" in latex


def test_a_person_reads_it(compare):
    status, said, _ = compare("--pairs", "v4", "mlp")
    assert status == 0
    assert "v4 and mlp cannot be told apart on 491 clips" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
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


def test_the_names_of_all_runs_are_listed_a_line_each_since_they_hold_commas(compare):
    status, printed, error = compare("--pairs", "v4", "v99")
    assert (status, printed) == (2, "")
    first, *names = error.splitlines()
    assert first == "Error: There is no run 'v99' to compare; there is"
    assert {"  v4", "  krr, functionals"} < set(names)


def test_what_is_scored_is_what_publications_under_the_protocol_score(compare):
    status, said, _ = compare("--protocol", "luna-jimenez", "--json")
    answer = json.loads(said)
    assert status == 0
    assert answer["kind"] == "emotion"
    assert answer == json.loads(compare("--protocol", "luna-jimenez", "--kind", "emotion", "--json")[1])
    assert all(row["ua"] and 0 < row["ua_deviation"] < 0.2 for row in answer["runs"])


def test_a_pipe_gets_every_number_of_the_table_and_no_empty_column(compare, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = compare("--protocol", "luna-jimenez")[1].splitlines()
    assert re.split(r"\s{2,}", lines[1].strip()) == ["model", "test", "95%", "UAR", "UA of folds", "clips", "s"]
    rows = json.loads(compare("--protocol", "luna-jimenez", "--json")[1])["runs"]
    for row, line in zip(rows, lines[2:], strict=True):
        assert f"{row['test_low']:.3f}-{row['test_high']:.3f}" in line
        assert f"{row['ua']:.3f} ± {row['ua_deviation']:.3f}" in line


def test_pairs_of_speakers_who_are_held_out_are_tested_over_them_and_that_is_said(compare):
    status, said, _ = compare("--protocol", "luna-jimenez", "--pairs", "svm", "mlp, functionals", "--json")
    (pair,) = json.loads(said)["pairs"]
    assert status == 0
    assert (pair["test"], pair["over"], pair["units"]) == ("sign-flip test over speakers", "actors", 24)
    assert 0 < pair["smallest"] < 0.2
    said = compare("--protocol", "luna-jimenez", "--pairs", "svm", "mlp, functionals")[1]
    assert "sign-flip test over whole speakers, since the protocol holds them out" in said
    assert "< 0.001" in said
    assert (
        "McNemar's exact test over clips, since the protocol holds no speakers out"
        in compare("--pairs", "v4", "mlp")[1]
    )


def test_the_gap_between_genders_has_an_interval_over_speakers(compare):
    status, said, _ = compare("--protocol", "luna-jimenez", "--by", "gender", "--json")
    gaps = json.loads(said)["gaps"]
    assert status == 0
    assert {(row["value"], row["than"], row["clips"], row["speakers"]) for row in gaps} == {("female", "male", 720, 24)}
    assert all((row["p"] < 0.05) == (not row["low"] <= 0 <= row["high"]) for row in gaps)


def test_gaps_take_the_forms_of_the_other_tables(compare):
    head, _, first, *_ = compare("--protocol", "luna-jimenez", "--by", "gender", "--format", "markdown")[1].splitlines()
    assert head.startswith("| run | clips of | less | clips | speakers | accuracy |")
    assert re.search(r"\| female \| male \| 720 \| 24 \| .* \(-?0\.\d{3} to -?0\.\d{3}\) \|", first)


def test_of_several_values_each_run_is_one_line_with_its_largest_gap(compare):
    asked = "--protocol", "luna-jimenez", "--by", "emotion"
    gaps = json.loads(compare(*asked, "--json")[1])["gaps"]
    _, _, *lines, _basis, rest = compare(*asked)[1].splitlines()
    largest = pd.DataFrame(gaps).assign(size=lambda made: made["gap"].abs()).groupby("label")["size"].max()
    assert len(gaps) == 8 * len(largest)
    shown = [re.split(r"\s{2,}", line.strip()) for line in lines]
    assert len({row[0] for row in shown}) == len(shown) == len(largest)
    for label, value, *_, gap, interval, _ in shown:
        (row,) = [one for one in gaps if one["label"] == label and f"{one['value']} less all others" == value]
        assert (gap, interval) == (f"{row['gap']:+.3f}", f"{row['low']:+.3f} to {row['high']:+.3f}")
        assert abs(row["gap"]) == largest[label]
    assert [abs(float(row[-3])) for row in shown] == sorted((abs(float(row[-3])) for row in shown), reverse=True)
    assert "largest of 8 gaps" in rest and "--format markdown" in rest
    assert len(compare(*asked, "--format", "markdown")[1].splitlines()) == 2 + len(gaps)


def test_a_gap_without_an_interval_stands_for_a_run_only_where_it_has_no_other(capsys):
    row = {"label": "kn", "than": "all others", "clips": 9, "speakers": 3, "accuracy": 0.5, "others": 0.4}
    rare = row | {"value": "rare", "gap": 0.6, "low": None, "high": None, "p": None}
    common = row | {"value": "common", "gap": -0.1, "low": -0.2, "high": 0.0, "p": 0.05}
    cli_compare._show_gaps([rare | {"run": "a"}, common | {"run": "a"}, rare | {"run": "b"}], "")
    said = capsys.readouterr().out.splitlines()
    assert [("common" in line, "rare" in line) for line in said[1:3]] == [(True, False), (False, True)]


def test_a_property_that_no_clip_has_is_one_clear_line(compare):
    status, printed, error = compare("--by", "mood")
    assert (status, printed) == (2, "")
    assert "has a column 'mood'" in error


def test_runs_of_other_clips_are_not_compared(compare, table, settings):
    own = experiments.run("kn", table, jobs=1).run.own
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
    assert answer["unreadable"] == []
    assert mine["original_test_accuracy"] is None  # it is on other clips than the study's
    assert mine["test_clips"] == 13


def test_a_run_of_ones_own_stands_beside_the_shipped_one_of_the_same_recipe(call):
    status, answer, error = call("run", "svm", "--jobs", 1)
    assert status == 0, error
    assert answer["run"].startswith("own-study-svm-default-")
    status, answer, error = call("compare", "--pairs", "svm", "svm (yours)")
    assert status == 0, error
    (pair,) = answer["pairs"]
    assert (pair["first"], pair["second"], pair["clips"]) == ("svm", "svm (yours)", 491)
    assert (pair["only_first"], pair["only_second"], pair["p"]) == (0, 0, 1)
    assert answer["verdicts"] == ["svm and svm (yours) cannot be told apart on 491 clips (p = 1.00)"]


def written(folder, record) -> None:
    (folder / "run.json").write_text(json.dumps(record))


def without(record, name) -> dict:
    return {key: value for key, value in record.items() if key != name}


SPOILED = {  # run -> what is done to its folder and its record, and what is said of it
    "cut-off": (
        lambda folder, record: (folder / "run.json").write_text(json.dumps(record)[:99]),
        "Unterminated|Expect",
    ),
    "no-record": (lambda folder, record: written(folder, None), "run.json holds no run"),
    "no-recipe": (lambda folder, record: written(folder, without(record, "recipe")), "run.json lacks 'recipe'"),
    "no-scores": (lambda folder, record: written(folder, without(record, "scores")), "run.json lacks 'scores'"),
    "gone": (
        lambda folder, record: written(folder, record | {"recipe": record["recipe"] | {"model": "vgg99"}}),
        "There is no model 'vgg99'",
    ),
    "no-predictions": (
        lambda folder, record: (folder / "predictions.parquet").unlink(),
        "there is no predictions.parquet",
    ),
    "no-table": (
        lambda folder, record: (folder / "predictions.parquet").write_bytes(b"x"),
        "predictions.parquet is damaged",
    ),
}


def test_a_run_that_cannot_be_read_is_named_and_takes_nothing_else_down(compare, result, settings):
    runs.save(result.run.own, settings.workspace)
    whole = json.loads(compare("--json")[1])
    for name, (spoil, _) in SPOILED.items():
        folder = runs.save(changed(result.run, id=f"own-{name}"), settings.workspace)
        spoil(folder, json.loads((folder / "run.json").read_text()))
    status, said, error = compare("--json")
    answer, lines = json.loads(said), error.splitlines()
    assert status == 0
    assert answer["runs"] == whole["runs"]
    assert {one["run"] for one in answer["unreadable"]} == {f"own-{name}" for name in SPOILED}
    for name, (_, reason) in SPOILED.items():
        (one,) = [one for one in answer["unreadable"] if one["run"] == f"own-{name}"]
        assert re.search(reason, one["reason"]) and not one["shipped"]
        (line,) = [line for line in lines if line.startswith(f"Run own-{name} cannot be read: ")]
        assert one["reason"] in line
    status, said, _ = compare("--pairs", "v4", "mlp", "--json")
    assert status == 0
    assert json.loads(said)["unreadable"] == answer["unreadable"]
    status, said, error = compare("--format", "csv")
    assert status == 0
    assert len(pd.read_csv(io.StringIO(said))) == len(whole["runs"])
    assert error.splitlines() == lines
