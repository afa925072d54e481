import dataclasses

import numpy as np
import pytest

from ser_core import evaluation
from ser_core.audio import conditions
from ser_core.figures import generalization as figures
from ser_core.results import robustness
from ser_core.results.published import ROBUSTNESS_TESTS
from tests.made_runs import CLIPS, by_chance, run


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


def test_a_protocol_counts_by_the_conditions_that_are_asked_for(found):
    tested = [*found, heard(by_chance(1, 0.8), "tone", protocol="emobox")]
    assert robustness.protocols(tested, conditions.SMALL_CHANGES) == ["emobox"]
    assert robustness.protocols(tested[-1:]) == []


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


GAINS = ("gain-2", "gain-1", "gain+1", "gain+2")


def flipped(right: np.ndarray, number: int) -> np.ndarray:
    """Who is named right if so many of the first clips are named otherwise."""
    return np.concatenate([~right[:number], right[number:]])


@pytest.fixture
def changed():
    right = by_chance(1, 0.8)
    return [
        run(right, "kn"),
        *(heard(flipped(right, number), key) for key, number in zip(GAINS, (0, 0, 49, 98), strict=True)),
        heard(flipped(right, 20), "white-35"),  # of three
        heard(flipped(right, 196), "white-20"),
        heard(flipped(right, 100), "room"),
        run(right, "mlp"),
        heard(right, "room", "mlp"),  # no small change
        run(right, "svm"),
        heard(right, "white-35", "svm"),  # no whole test
    ]


def test_every_small_change_belongs_to_one_published_test():
    used = [key for test in ROBUSTNESS_TESTS for key in test.conditions]
    assert len(set(used)) == len(used)
    assert set(conditions.SMALL_CHANGES) <= set(used) <= {*conditions.SMALL_CHANGES, *conditions.CONDITIONS}
    for test in ROBUSTNESS_TESTS:
        assert 0.5 < test.same[0] < test.same[1] <= 1
        assert test.uar is None or -0.2 < test.uar[0] < test.uar[1] < 0.1


def test_a_published_test_is_the_mean_over_its_conditions_and_their_lowest(changed):
    table = robustness.small_changes(changed, "study", "class")
    assert table["model"].tolist() == ["kn"] * 3
    assert table["is_small"].tolist() == [True, False, False]
    gain, noise, room = table.to_dict("records")
    assert (gain["change"], gain["clips"]) == ("Level, 1 or 2 dB", 491)
    assert gain["same"] == pytest.approx(1 - (49 + 98) / 4 / 491)
    assert gain["lowest"] == pytest.approx(1 - 98 / 491)
    assert gain["low"] < gain["same"] < gain["high"]
    assert (gain["published_low"], gain["published_high"]) == (0.99, 1.0)
    assert np.isnan(gain["published_uar_low"])
    assert noise["same"] == noise["lowest"] == pytest.approx(1 - 196 / 491)
    uar = {one.heard: evaluation.scores_of(one.part("test"), "class")["uar"] for one in changed[:7]}
    assert noise["uar_change"] == pytest.approx(uar["white-20"] - uar[""])
    assert gain["uar_change"] == pytest.approx(np.mean([uar[key] for key in GAINS]) - uar[""])
    assert (noise["published_uar_low"], noise["published_uar_high"]) == (-0.08, 0.04)
    assert room["change"] == "In a room"


def test_clips_are_matched_by_name_whatever_their_order(changed):
    shuffled = [
        dataclasses.replace(one, tables=dataclasses.replace(one.tables, predictions=one.predictions[::-1]))
        if one.heard
        else one
        for one in changed
    ]
    expected = robustness.small_changes(changed, "study", "class")
    given = robustness.small_changes(shuffled, "study", "class")
    assert given["same"].tolist() == expected["same"].tolist()


def test_the_interval_is_over_actors_where_they_are_held_out():
    """One actor of 24, all of whose answers change: with another draw of actors there may be none or three of them."""
    first = np.array([clip.speaker == CLIPS[0].speaker for clip in CLIPS])
    right = np.ones(len(CLIPS), bool)
    for protocol, narrow in (("study", True), ("emobox", False)):
        runs = [run(right, "kn", protocol), heard(~first, "tone", protocol=protocol)]
        (row,) = robustness.small_changes(runs, protocol, "class").to_dict("records")
        assert row["same"] == pytest.approx(1 - first.mean())
        assert (row["high"] - row["low"] < 0.06) == narrow


def test_it_is_said_how_often_an_answer_stays(changed):
    table = robustness.small_changes(changed, "study", "class")
    said = robustness.changes_in_words(table, "kn")
    assert said == (
        "Under small changes kn names the same emotion in 93% of clips on average and 93% at worst (level, 1 or 2 dB; "
        "the large networks 99% to 100%). Under larger changes kn names the same emotion in 70% of clips on average "
        "and 60% at worst (white noise, 20 dB; the large networks 66% to 91%)."
    )
    assert "larger" not in robustness.changes_in_words(table[table["is_small"]], "kn")


def test_the_figure_has_a_model_and_the_published_range_of_each_change(changed):
    table = robustness.small_changes(changed, "study", "class")
    figure, sentence = figures.small_changes(table, "A title")
    published, ours = figure.data
    assert list(published.y) == list(ours.y) == table["change"].tolist()
    assert np.asarray(published.base) + np.asarray(published.x) == pytest.approx(table["published_high"])
    assert list(ours.x) == table["same"].tolist()
    assert sentence == robustness.changes_in_words(table, "kn")
