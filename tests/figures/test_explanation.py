import numpy as np
import pandas as pd
import pytest

from ser_core.corpus.labels import BY_NAME, EMOTION_NAMES
from ser_core.features import speaking
from ser_core.figures import explanation as figures
from ser_core.prediction.explanation import Standing


def standing(**ratios: float) -> Standing:
    columns = ("value", "speaks_for", "others", *EMOTION_NAMES)
    table = pd.DataFrame(0.2, index=list(speaking.NAMES), columns=list(columns))
    table["speaks_for"] = 0.0
    table["angry"] = 0.6
    table.loc["pitch_hz", ["value", "others"]] = 290, 0.9
    for name, ratio in ratios.items():
        table.loc[name, "speaks_for"] = ratio
    return Standing("angry", "female", table)


def plain(sentence: str) -> str:
    return sentence.replace("\N{NO-BREAK SPACE}", " ")


def test_each_measure_has_its_place_among_the_emotion_and_among_the_others():
    figure, sentence = figures.standing(standing(pitch_hz=1.0))
    others, named = (trace for trace in figure.data if trace.mode == "markers")
    assert list(named.y) == [one.title for one in speaking.MEASURES]
    assert named.marker.color == BY_NAME["angry"].colour
    assert (named.x[0], others.x[0]) == (0.6, 0.9)
    assert plain(sentence) == (
        "What speaks most for angry: Its pitch, 290 Hz, is higher than in 60% of the angry clips and in 90% of the "
        "others; values like it are 2.7 times as common in angry clips."
    )


def test_what_could_not_be_measured_is_left_out():
    found = standing()
    found.table.loc["pace"] = np.nan
    figure, _ = figures.standing(found)
    assert "Pace" not in figure.data[-1].y
    assert len(figure.data[-1].y) == len(speaking.NAMES) - 1


def test_a_clip_like_all_others_is_said_to_be_one():
    assert figures.standing(standing())[1] == ("In none of the 7 measures does the clip speak for or against angry.")


def stretches(*falls: float) -> pd.DataFrame:
    starts = 0.5 + 0.4 * np.arange(len(falls))
    return pd.DataFrame({"start_s": starts, "end_s": starts + 0.4, "falls": falls})


def test_the_bars_of_stretches_lie_where_the_stretches_are():
    figure, sentence = figures.stretches(stretches(0.02, 0.3, -0.05), "angry", 3.0)
    bars = figure.data[0]
    assert list(bars.x) == pytest.approx([0.7, 1.1, 1.5])
    assert list(bars.width) == pytest.approx([0.4] * 3)
    assert list(figure.layout.xaxis.range) == [0, 3.0]
    assert bars.marker.color[1] != bars.marker.color[2]
    assert sentence == (
        "The stretch from 0.9 to 1.3 s decided most: without it, the probability of angry falls by 30 percentage "
        "points."
    )


def test_where_nothing_decided_it_is_said():
    assert "No stretch decided" in figures.stretches(stretches(0.0, -0.1), "sad", 2.0)[1]


def test_the_figures_have_titles():
    assert figures.standing(standing())[0].layout.meta["title"]
    assert figures.stretches(stretches(0.1, 0.2), "sad", 2.0)[0].layout.meta["title"]
