"""Studies are made once, by a plan that can be done, and found again."""

import pytest

from ser_core.errors import ModelError, ProtocolError, TuningError
from ser_core.tuning import search, studies


def test_a_study_is_not_begun_twice_nor_gone_on_with_by_another_plan(begun, url, table):
    begun(1, "mine")
    with pytest.raises(TuningError, match="There is a study 'mine' already: go on with it"):
        begun(1, "mine")
    with pytest.raises(TuningError, match="has sampler 'tpe', not 'random'"):
        begun(1, "mine", resume=True, sampler="random")
    fewer = table[table["repetition"] == 1].reset_index(drop=True)
    with pytest.raises(TuningError, match="is of other clips"):
        search.work("mine", url, fewer)


@pytest.mark.parametrize(
    ("plan", "error", "says"),
    [
        ({"model": "nothing"}, ModelError, "no model 'nothing'"),
        ({"model": "v4"}, TuningError, "'v4' is not tuned"),
        ({"sampler": "grid"}, TuningError, "no sampler 'grid'; there is tpe, random"),
        ({"pruner": "all"}, TuningError, "no pruner 'all'"),
        ({"cv": "loud"}, TuningError, "no folds 'loud'"),
        ({"folds": 2}, TuningError, "3 to 5 folds, not 2"),
        ({"cv": "actors", "folds": 5}, ProtocolError, "5 folds of actors need 5 actors"),
    ],
)
def test_a_plan_that_cannot_be_done_is_one_clear_line(begun, plan, error, says):
    with pytest.raises(error, match=says):
        begun(**plan)


def test_names_and_numbers_are_checked(begun):
    with pytest.raises(TuningError, match="no name for a study"):
        begun(1, "../mine")
    with pytest.raises(TuningError, match="0 trials find nothing"):
        begun(0)


def test_a_study_that_is_not_there(settings, url, table):
    with pytest.raises(TuningError, match="no study 'none'; there is"):
        studies.find("none", settings)
    with pytest.raises(TuningError, match="no study 'none' in sqlite"):
        search.work("none", url, table)
    assert not studies.list_all(settings)[-1:] or studies.list_all(settings)[-1].shipped


def test_an_own_study_never_has_the_name_of_a_shipped_one():
    plan = studies.Plan("svm")
    shipped, own = studies.Found(plan.name, "shipped", True), studies.Found(plan.name, "own", False)
    assert studies.own_name(plan, []) == plan.name
    assert studies.own_name(plan, [shipped]) == f"{plan.name}-mine"
    assert studies.own_name(plan, [shipped], "another") == "another"
    assert studies.own_name(plan, [shipped, own]) == plan.name  # of an earlier version: it goes on
    with pytest.raises(TuningError, match="ships with the project"):
        studies.own_name(plan, [shipped], plan.name)
