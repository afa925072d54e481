"""Charts of runs side by side show the numbers that they are given, and lead to the clips behind them."""

import numpy as np
import pandas as pd
import pytest

from ser_core import evaluation
from ser_core.corpus import official_clips
from ser_core.corpus.labels import EMOTION_NAMES, LABELS
from ser_core.figures import comparison as figures


def matrix(kind: str, seed: int = 0) -> np.ndarray:
    k = len(evaluation.KINDS[kind][0])
    return np.random.default_rng(seed).integers(0, 3, size=(k, k)) + 20 * np.eye(k, dtype=int)


@pytest.mark.parametrize("kind", list(evaluation.KINDS))
@pytest.mark.parametrize("share", list(figures.SHARES))
def test_matrices_of_any_kind_share_one_scale_and_lead_to_their_clips(kind, share):
    values, drawn = evaluation.KINDS[kind][0], matrix(kind)
    figure, sentence = figures.confusion(drawn, kind, "What mlp names", share=share, top=99)
    cells, marks = figure.data
    assert (cells.zmin, cells.zmax) == (0, 99 if share == "count" else 1)
    assert list(marks.customdata[1]) == [values[0], values[1]]  # what it is, what was named
    assert (marks.x[1], marks.y[1]) == (cells.x[1], cells.y[0])
    expected = {
        "row": drawn / drawn.sum(axis=1)[:, None],
        "column": drawn / drawn.sum(axis=0)[None],
        "count": drawn,
    }[share]
    assert np.allclose(cells.z, expected)
    assert sentence.startswith(f"{np.trace(drawn)} of {drawn.sum()} clips are named right")


def test_other_emotions_than_the_eight_have_their_names():
    values = ("angry", "boredom", "very_sad")
    confused = np.array([[5, 0, 0], [0, 1, 4], [0, 0, 5]])
    figure, sentence = figures.confusion(confused, "emotion", "What it names", values=values)
    assert list(figure.data[0].x) == ["Angry", "Boredom", "Very_sad"]
    assert sentence.endswith("of 5 clips of Boredom, 4 were taken for Very_sad.")
    figure, _ = figures.difference(confused, confused, "emotion", ("A", "B"), values=values)
    assert figure.data[0].z.shape == (3, 3)


def test_the_worst_confusion_is_said_and_none_if_there_is_none():
    perfect = 5 * np.eye(16, dtype=int)
    assert figures.confusion(perfect, "class", "x")[1] == "80 of 80 clips are named right (the diagonal)."
    perfect[3, 7] = 4
    said = figures.confusion(perfect, "class", "x")[1]
    assert said.endswith("of 9 clips of Calm, male, 4 were taken for Fearful, male.")
    perfect[3, 3], perfect[3, 7] = 0, 1
    said = figures.confusion(perfect, "class", "x")[1]
    assert said.endswith("of 1 clip of Calm, male, 1 was taken for Fearful, male.")


def test_a_difference_is_the_first_less_the_second_and_white_where_they_agree():
    one, other = matrix("emotion", 1), matrix("emotion", 2)
    figure, sentence = figures.difference(one, other, "emotion", ("A", "B"))
    cells = figure.data[0]
    assert cells.zmin == -cells.zmax
    assert np.array_equal(cells.text == "", one == other)
    assert cells.text[0][0] == f"{one[0, 0] - other[0, 0]:+d}" or one[0, 0] == other[0, 0]
    more = (np.diag(one) > np.diag(other)).sum()
    assert f"A has more clips in {more} of 8" in sentence


def accuracies(seed: int, values) -> pd.DataFrame:
    share = np.random.default_rng(seed).uniform(0.3, 0.9, size=len(values))
    return pd.DataFrame({"value": values, "clips": 20, "accuracy": share, "low": share - 0.1, "high": share + 0.05})


def test_bars_by_class_name_the_largest_difference():
    tables = {"A": accuracies(1, LABELS), "B": accuracies(2, LABELS)}
    for name, share in (("A", 0.1), ("B", 1.0)):
        tables[name].loc[5, ["accuracy", "low", "high"]] = share, share - 0.1, share + 0.05
    figure, sentence = figures.by_value(tables, "class")
    assert [bar.name for bar in figure.data] == ["A", "B"]
    assert np.allclose(figure.data[0].error_x.array, 0.05) and np.allclose(figure.data[0].error_x.arrayminus, 0.1)
    assert sentence.replace("\N{NO-BREAK SPACE}", " ").startswith(
        "The runs differ most on Disgust, male: from 10% (A) to 100% (B)."
    )


def gains() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "truth": ["sad_male", "calm_male"],
            "clips": [10, 12],
            "member": [0.1, 0.5],
            "whole": [0.4, 0.4],
            "only_member": [1, 2],
            "only_whole": [4, 1],
            "p": [0.2, 0.9],
            "gain": [0.3, -0.1],
        }
    )


def test_bars_of_who_is_right_lead_to_whose_clips_of_what():
    figure, sentence = figures.who_is_right(gains(), ("A", "B"))
    first, second = figure.data
    assert list(first.x) == [4, 1] and list(second.x) == [-1, -2]
    assert list(map(list, second.customdata)) == [["second", "sad_male"], ["second", "calm_male"]]
    assert sentence == "5 clips are named right by A alone, and 3 by B alone."


def test_gains_are_net_clips():
    figure, sentence = figures.gained({"mlp": gains()}, "v4")
    assert list(figure.data[0].x) == [3, -1]
    assert sentence.startswith("Of 22 clips v4 gains in all +2 over mlp.")


@pytest.mark.parametrize(("right", "said"), [(0.5, "too sure"), (0.8, "about right"), (0.95, "not sure enough")])
def test_reliability_says_who_is_too_sure(right, said):
    table = pd.DataFrame({"low": [0.8], "high": [0.9], "clips": [100], "claimed": [0.8], "right": [right]})
    figure, sentence = figures.reliability({"A": table}, {"A": abs(0.8 - right)})
    assert f": {said} (expected calibration error {abs(0.8 - right):.3f})" in sentence
    assert (figure.data[1].x[0], figure.data[1].y[0]) == (0.8, right)


def test_actors_are_dots_by_gender_and_the_hardest_is_named():
    table = accuracies(1, ["01", "02", "03", "04"])
    table["accuracy"] = [0.5, 0.7, 0.9, 0.6]
    figure, sentence = figures.speakers({"A": table}, {"01": "male", "02": "female", "03": "male", "04": "female"})
    assert {trace.name: list(trace.x) for trace in figure.data} == {
        "female actor": [0.7, 0.6],
        "male actor": [0.5, 0.9],
    }
    assert "from 50% (actor 1) to 90% (actor 3)" in sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_speakers_whose_gender_nobody_knows_are_shown_too():
    tables, genders = {"A": accuracies(1, ["Ada", "Bo"])}, {"Ada": "female", "Bo": ""}
    figure, sentence = figures.speakers(tables, genders, called="speakers")
    assert [(trace.name, len(trace.x)) for trace in figure.data] == [
        ("female speaker", 1),
        ("male speaker", 0),
        ("speaker", 1),
    ]
    assert "(speaker Ada)" in sentence and "(speaker Bo)" in sentence and "A speaker has" in sentence
    assert figure.layout.xaxis.title.text == "clips of a speaker named right"


def test_the_gap_is_train_less_test():
    table = pd.DataFrame({"label": ["A"], "train_accuracy": [1.0], "cv_accuracy": [0.7], "test_accuracy": [0.75]})
    figure, sentence = figures.gap(table.assign(gap=0.25))
    assert "A 25 points" in sentence
    assert list(figure.data[0].x) == [0.75, 1.0]


def test_clips_are_a_table_with_what_each_run_named():
    stems = ["03-02-05-02-01-01-07", "03-01-03-01-02-02-08"]
    rows = pd.DataFrame({"clip": stems, "truth": ["angry_male", "happy_female"], "x": ["sad_male", "happy_female"]})
    rows["speaker"] = ["07", "08"]
    clips = pd.DataFrame(map(vars, official_clips()))
    table = figures.clip_table(rows, {"x": "mlp", "y": "a run that is not asked"}, clips)
    assert list(table) == ["truth", "mlp", "channel", "intensity", "actor", "statement", "clip"]
    assert table.iloc[0].tolist() == ["Angry, male", "Sad, male", "song", "strong", 7, 1, stems[0]]
    assert table["actor"].tolist() == [7, 8]
    others = rows.assign(clip=["wav/a", "wav/b"], speaker=["Ada", "Bo"])  # of a corpus that says no more of them
    assert list(figures.clip_table(others, {"x": "mlp"}, clips)) == ["truth", "mlp", "actor", "clip"]


def test_runs_have_colours_of_their_own_which_are_no_emotions():
    from ser_core.corpus.labels import BY_NAME

    assert len(set(figures.COLOURS)) == 4
    assert not set(figures.COLOURS) & {BY_NAME[name].colour for name in EMOTION_NAMES}
