"""Studies are made once, by a plan that can be done, and found again."""

import optuna
import pytest

from ser_core.errors import ModelError, ProtocolError, TuningError
from ser_core.tuning import search, storage, studies


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
        ({"cv": "actors", "folds": 5}, ProtocolError, "5 folds of speakers need 5, and there are"),
    ],
)
def test_a_plan_that_cannot_be_done_is_one_clear_line(begun, plan, error, says):
    with pytest.raises(error, match=says):
        begun(**plan)


def test_a_start_that_was_cut_off_is_named_and_made_whole_by_resuming(begun, url, settings):
    name = studies.Plan("kn", folds=3).name
    with storage.reachable(url):
        optuna.create_study(study_name=name, storage=storage.connect(url)).set_user_attr("model", "kn")
    found, unreadable = studies.read_all(settings)
    assert name not in {one.name for one in found}
    assert f"Study {name} cannot be read: the study lacks" in unreadable[name]
    assert f"python -m ser_core tune kn --name {name} --resume" in unreadable[name]
    with pytest.raises(TuningError, match="cannot be read"):
        studies.find(name, settings)
    begun(1, name, resume=True)
    assert studies.load(studies.find(name, settings)).user_attrs["made"]


def test_another_file_in_the_place_of_the_studies_is_noticed(begun, url, settings):
    begun(1, "mine")
    assert studies.find("mine", settings).name == "mine"
    file = settings.workspace / "studies.sqlite"
    file.rename(file.with_suffix(".old"))
    file.write_bytes(bytes(range(256)) * 64)
    for one in settings.workspace.glob("studies.sqlite-*"):  # of the database that was there
        one.unlink()
    with pytest.raises(TuningError, match=r"studies\.sqlite cannot be used.*a new one is begun then"):
        studies.find("mine", settings)


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
