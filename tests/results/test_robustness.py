import dataclasses

import numpy as np
import pytest

from ser_core.figures import generalization as figures
from ser_core.results import robustness
from tests.made_runs import by_chance, run


def heard(right, condition: str, model: str = "kn", protocol: str = "study"):
    made = run(right, model, protocol)
    return dataclasses.replace(made, id=f"{made.id}-{condition}", heard=condition, cv=False)


@pytest.fixture
def found():
    return [
        run(by_chance(1, 0.8), "kn"),
        heard(by_chance(1, 0.8), "louder"),
        heard(by_chance(2, 0.4), "telephone"),
        run(by_chance(3, 0.9), "svm"),
        run(by_chance(4, 0.9), "mlp"),
        heard(by_chance(5, 0.6), "telephone", "mlp"),
        heard(by_chance(5, 0.6), "telephone", "mlp", "emobox"),  # without one as recorded
    ]


def test_each_model_that_was_tested_in_a_condition_stands_beside_itself_as_recorded(found):
    table = robustness.table(found, "study", "class")
    assert table[["model", "condition"]].to_numpy().tolist() == [
        ["kn", ""],
        ["kn", "louder"],
        ["kn", "telephone"],
        ["mlp", ""],
        ["mlp", "telephone"],
    ]
    assert ((table["low"] < table["accuracy"]) & (table["accuracy"] < table["high"])).all()
    by_key = table.set_index(["model", "condition"])
    assert by_key.loc[("kn", "louder"), "same"] == 1
    assert by_key.loc[("kn", "telephone"), "same"] < 0.6
    assert by_key.loc[("kn", "telephone"), "accuracy"] == pytest.approx(0.4, abs=0.1)
    assert by_key.loc[("kn", "louder"), "claims"] == by_key.loc[("kn", ""), "claims"]


def test_a_model_without_a_run_as_recorded_is_left_out(found):
    assert robustness.table(found, "emobox", "class").empty
    assert robustness.protocols(found) == ["study", "emobox"]
    assert robustness.protocols(found[3:4]) == []


def test_the_newest_run_counts(found):
    again = dataclasses.replace(heard(by_chance(6, 0.2), "telephone"), id="again")
    table = robustness.table([*found, again], "study", "class").set_index(["model", "condition"])
    assert table.loc[("kn", "telephone"), "run"] == "again"


def test_it_is_said_what_the_worst_condition_costs(found):
    table = robustness.table(found, "study", "class")
    said = robustness.in_words(table, "kn")
    accuracy = table.set_index(["model", "condition"])["accuracy"]
    assert f"{accuracy['kn', '']:.0%} of the same" in said
    assert f"{accuracy['kn', 'telephone']:.0%} at worst (over a telephone)" in said
    assert "at best" not in robustness.in_words(table, "mlp")


def test_the_figure_has_a_cell_for_each_and_none_where_there_is_no_run(found):
    table = robustness.table(found, "study", "class")
    figure, sentence = figures.conditions(table, "A title")
    (cells,) = figure.data
    assert list(cells.y) == ["As recorded", "20 dB louder", "Over a telephone"]
    assert list(cells.x) == ["kn", "mlp"]
    assert np.isnan(np.array(cells.z, dtype=float)).tolist() == [[False, False], [False, True], [False, False]]
    assert "mlp names" in sentence and "kn names" in sentence
