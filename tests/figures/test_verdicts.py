import numpy as np
import pandas as pd
import pytest

from ser_core.figures import verdicts as figures
from ser_core.results import verdicts
from tests.made_runs import answers, elsewhere


@pytest.fixture(scope="module")
def said():
    plain = answers(blur=0.8)
    voices = pd.DataFrame([("non-speech", "drums 0", False, "robust", "no_voice")], columns=verdicts.VOICES)
    return verdicts.of_runs([plain, answers("white-20", 1.2), elsewhere(plain)], "emobox", voices)


def test_the_bars_of_a_row_are_all_its_clips(said):
    figure, sentence = figures.shares(said, "robust")
    assert [list(bar.y) for bar in figure.data] == [
        [
            "As recorded",
            "White noise, 20 dB",
            "All recordings together",
            "Another corpus: elsewhere",
            "elsewhere: boredom",
            "Sounds without a voice",
        ]
    ] * 5
    assert np.sum([bar.x for bar in figure.data], axis=0) == pytest.approx(1)
    assert sentence.startswith(verdicts.extremes_in_words(said, "robust"))


def test_named_emotions_are_divided_into_right_and_wrong_ones(said):
    figure, _ = figures.shares(said, "robust")
    rightly, wrongly = (np.asarray(bar.x) for bar in figure.data[:2])
    heard, right = said.shares["heard"].to_numpy(), said.shares["right"].to_numpy()
    assert rightly[:4] == pytest.approx((heard * right)[:4])
    assert wrongly[:4] == pytest.approx((heard * (1 - right))[:4])
    assert (rightly[4], wrongly[4]) == (0, heard[4])  # boredom has no right answer
    assert figure.data[0].marker.color == figure.data[1].marker.color
    assert len({bar.marker.color for bar in figure.data}) == 4


def test_the_dot_lies_where_the_verdict_stands(said):
    figure, sentence = figures.risk(said, "robust")
    curve, dot, pooled, pooled_dot = figure.data
    shares = said.shares.set_index("source")
    for mark, source in ((dot, ""), (pooled_dot, "pooled")):
        assert mark.x == (shares.loc[source, "heard"],)
        assert mark.y == (1 - shares.loc[source, "right"],)
        assert mark.y[0] - mark.error_y.arrayminus[0] == pytest.approx(1 - shares.loc[source, "right_high"])
    assert len(curve.x) == len(pooled.x) == verdicts.POINTS
    assert sentence.startswith(
        f"If every clip got an answer, {curve.y[-1]:.0%} (as recorded) and {pooled.y[-1]:.0%} (all"
    )


def test_a_model_that_never_names_an_emotion_has_no_dot(said):
    silent = verdicts.Verdicts(said.shares.assign(heard=0.0, right=np.nan), said.risk, said.groups)
    figure, _ = figures.risk(silent, "robust")
    assert len(figure.data) == 2
