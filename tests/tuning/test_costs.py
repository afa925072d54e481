"""How long a search takes, said before it begins."""

import dataclasses

import pytest

from ser_core.tuning import costs, results, studies


def test_an_estimate_comes_from_what_trials_took(begun, settings, tmp_path):
    settings = dataclasses.replace(settings, artifacts=tmp_path)  # without the studies that ship
    plan = studies.Plan("kn", folds=3, pruner="none")
    begun(4, pruner="none")
    seconds = results.table(studies.load(studies.find(plan.name, settings)))["seconds"].mean()
    assert costs.from_trials(plan, 100, 2, settings) == pytest.approx(seconds * 50, rel=0.5)
    assert costs.from_trials(studies.Plan("kn", space="study"), 100, 2, settings) is None


def test_where_nothing_was_tried_the_authors_ranges_have_a_guess_and_others_none(settings, tmp_path):
    nothing = dataclasses.replace(settings, artifacts=tmp_path / "none")
    seconds, from_trials = costs.estimate(studies.Plan("rf", space="study"), 30, 2, nothing)
    assert seconds > 2 * 3600 and not from_trials
    assert costs.estimate(studies.Plan("rf"), 30, 2, nothing) == (None, True)
    assert costs.estimate(studies.Plan("kn"), 30, 2, settings)[1]
