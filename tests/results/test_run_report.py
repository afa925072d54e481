import dataclasses
import re

import pytest

from ser_core import evaluation
from ser_core.models import registry
from ser_core.results import run_report
from ser_core.results.published import ORIGINAL_CLIPS
from ser_core.results.runs import Tables
from tests import made_runs


@pytest.fixture(scope="module")
def run():
    made = made_runs.run(made_runs.by_chance(1), id="own-kn-1", shipped=False)
    return dataclasses.replace(made, scores=evaluation.scores(made.predictions), clips=ORIGINAL_CLIPS)


def test_the_report_has_the_figures_numbers_as_tables(run):
    html = run_report.report([run])
    assert html.count("<h2>") == 2
    for number in evaluation.confusion(run.part("test")).diagonal():
        assert f"<td>{number}</td>" in html
    assert f"<td>{run.scores['test_accuracy']:.4g}</td>" in html
    for title in ("Confusion matrix", "Fold by fold", "By speaker", "By gender", "Right answers at each level"):
        assert f"<h3>{title}" in html


def test_the_report_escapes_and_needs_nothing_from_outside(run):
    rows = run.predictions.assign(speaker="<script>alert(1)</script>")
    html = run_report.report([dataclasses.replace(run, tables=Tables(rows))])
    assert "<script" not in html and "&lt;script&gt;" in html
    assert "default-src 'none'" in html
    assert not re.search(r"(src|href)=", html)


def test_the_card_names_each_run_with_scores_terms_and_commands(run):
    card = run_report.card([run])
    assert "## kn (yours)" in card and f"accuracy {run.scores['test_accuracy']:.3f}" in card
    assert "CC BY-NC-SA 4.0" in card and "ser open FILE.zip" in card
    assert all(f"    {command}\n" in card for command in run_report.commands(run))


@pytest.mark.parametrize(
    ("fields", "recipe", "wanted"),
    [
        ({}, {}, ["ser run kn --preset default --protocol study", "ser verify opened-own-kn-1"]),
        ({"heard": "telephone"}, {}, ["ser run kn --preset default --protocol study --heard telephone"]),
        ({"protocol": "emobox+neutral-2"}, {}, ["--protocol emobox --calibrate neutral:2"]),
        ({}, {"seed": 3}, ["ser run kn --preset default --seed 3 --protocol study"]),
        ({"clips": 64}, {}, ["--protocol study --features TABLE", "ser verify opened-own-kn-1 --features TABLE"]),
        ({}, {"origin": "own", "preset": "own"}, ["ser verify opened-own-kn-1"]),
        ({}, {"features": "e.csv@0123456789ab"}, ["ser verify opened-own-kn-1 --features FILE"]),
        ({}, {"origin": "code", "model": "mine:lr"}, ["ser run mine:lr", "--code mine:lr"]),
        ({"id": "opened-x"}, {}, ["ser verify opened-x"]),
    ],
)
def test_the_commands_repeat_a_run(run, fields, recipe, wanted):
    commands = run_report.commands(made_runs.changed(run, recipe, **fields))
    assert all(any(part in command for command in commands) for part in wanted)
    if recipe.get("origin") == "own" or "@" in recipe.get("features", ""):
        assert len(commands) == 1


def test_a_command_quotes_what_a_shell_would_take_for_more(run):
    (first, *_) = run_report.commands(made_runs.changed(run, {"origin": "code", "model": "m:f", "features": "a; rm x"}))
    assert "'a; rm x'" in first


def test_imported_predictions_are_not_repeated(run):
    imported = made_runs.changed(run, {"origin": "imported", "model": "imported:x"})
    assert run_report.commands(imported) == []
    assert "nothing here can repeat them" in run_report.card([imported])


def test_features_and_preset_that_differ_are_options(run):
    recipe = registry.recipe("apart", features="functionals", augmentation="speaker-perturbation")
    made = dataclasses.replace(run, recipe=recipe)
    first, _ = run_report.commands(made)
    words = first.split()
    options = dict(zip(words[3:-2:2], words[4:-2:2], strict=True))
    assert registry.recipe("apart", **{name.removeprefix("--"): value for name, value in options.items()}) == recipe
