import pandas as pd
import pytest

from ser_core.figures import generalization as figures
from ser_core.results import generalization


def ideas(*rows) -> pd.DataFrame:
    columns = ["idea", "protocol", "clips", "before", "after", "gain", "low", "high", "p"]
    made = [
        (idea, protocol, 100, 0.5, 0.5 + gain, gain, gain - 0.02, gain + 0.02, p) for idea, protocol, gain, p in rows
    ]
    return pd.DataFrame(made, columns=columns)


def test_ideas_that_surely_help_are_counted_and_those_that_surely_harm_named():
    figure, said = figures.ideas(
        ideas(
            ("Gender first", "study", 0.01, 0.6),
            ("Other voices", "study", -0.05, 0.02),
            ("Gender first", "emobox", -0.04, 0.7),
            ("Other voices", "emobox", 0.03, 0.01),
        )
    )
    assert said == (
        "On actors heard 0 of 2 ideas surely help, and other voices surely harms; on actors never heard 1 of 2 ideas "
        "surely help (p < 0.05 once corrected for 4 tests). Most is gained by other voices on actors never heard: 3 "
        "points, from 50% to 53% of eight emotions."
    )
    assert [list(trace.x) for trace in figure.data] == [[-5.0, 1.0], [3.0, -4.0]]  # from below
    assert figure.data[0].error_x.array == pytest.approx([2, 2])


def test_the_ladder_starts_with_the_kindest_test_and_says_the_fall():
    table = pd.DataFrame(
        {
            "protocol": ["study", "emobox"],
            "heard": ["others", "nobody"],
            "run": ["a", "b"],
            "clips": [491, 1440],
            "accuracy": [0.84, 0.45],
            "low": [0.8, 0.4],
            "high": [0.87, 0.5],
        }
    )
    figure, said = figures.ladder(table, "v4", 1 / 16)
    assert list(figure.data[0].x) == [0.84, 0.45]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # from above
    assert "names 84% of clips right" in said
    assert "people it has never heard, 45%" in said


def test_the_ladder_names_other_recordings_and_the_other_corpus():
    rows = [("study", 0.84), ("recording", 0.4), ("corpus-emodb-12345678", 0.3)]
    table = pd.DataFrame(rows, columns=["protocol", "accuracy"]).assign(heard="", run="a", clips=9, low=0.2, high=0.9)
    figure, said = figures.ladder(table, "v4", 1 / 8)
    assert list(figure.data[0].y) == ["random<br>clips", "other<br>recording", "other corpus:<br>emodb"]
    assert said.endswith("Of other recordings 40%; of another corpus (emodb) 30%.")


def test_published_numbers_of_other_folds_are_grey_and_not_counted():
    ours = pd.DataFrame({"label": ["best"], "ua": [0.66], "accuracy": [0.67], "low": [0.62], "high": [0.71]})
    published = generalization.published("emobox")
    figure, said = figures.unheard(ours, published, 0.67, "EmoBox")
    same = published[published["why_not"] == ""]
    grey, like, here = figure.data
    assert set(grey.y) == set(published["system"]) - set(same["system"])
    assert set(like.y) == set(same["system"])
    assert list(here.x) == [0.66]
    assert f"more than {(same['value'] < 0.66).sum()} of the {len(same)} published systems on the same folds" in said
    lower, _ = figures.unheard(ours.assign(ua=0.16, low=0.11), published, 0.67, "EmoBox")
    assert lower.layout.xaxis.range[0] < 0.11 < figure.layout.xaxis.range[0]
    nothing, said = figures.unheard(ours.iloc[:0], published, 0.67, "EmoBox")
    assert said == "No run of ours has been made under these folds yet."
    assert len(nothing.data) == 3


def test_known_voices_stand_beside_new_ones_and_people():
    rows = [
        ("a", "A", "known", "1", 491, 0.9, 0.87, 0.93),
        ("a", "A", "new", "2", 1440, 0.63, 0.58, 0.67),
        ("b", "B", "known", "3", 491, 0.84, 0.8, 0.87),
        ("b", "B", "new", "4", 1440, 0.46, 0.42, 0.51),
    ]
    columns = ["model", "name", "voices", "run", "clips", "accuracy", "low", "high"]
    figure, said = figures.known_and_new(pd.DataFrame(rows, columns=columns), 0.67)
    assert "A: 90% and 63%; B: 84% and 46%" in said
    new, known, people = figure.data
    assert list(new.x) == [0.63, 0.46] and list(known.x) == [0.9, 0.84] and set(people.x) == {0.67}
