"""Shares of the speaking time, the headline, and tables of turns."""

import json

import pandas as pd
import pytest

from ser_core.corpus.labels import EMOTION_NAMES, LABELS
from ser_core.prediction import turns
from ser_core.prediction.predictor import Prediction


def made(*rows: tuple[float, str, str]) -> pd.DataFrame:
    """Turns of so many seconds, each with its verdict and emotion, a second apart."""
    given = []
    at = 0.0
    for seconds, verdict, emotion in rows:
        said = {"verdict": verdict, "answer": emotion, "emotion": emotion, "gender": "female"}
        given.append({"start_s": at, "end_s": at + seconds, **said, **dict.fromkeys(EMOTION_NAMES, 0.0), emotion: 1.0})
        at += seconds + 1
    return pd.DataFrame(given)


def test_shares_are_of_the_speaking_time_and_the_largest_comes_first():
    others = [(1, verdict, "sad") for verdict in ("heard", "unsure", "unlike")]
    found = turns.shares(made((2, "heard", "sad"), (5, "heard", "angry"), *others))
    assert list(found.columns) == ["verdict", "emotion", "turns", "speaking_s", "share"]
    assert found.iloc[:2].to_numpy().tolist() == [["heard", "angry", 1, 5, 0.5], ["heard", "sad", 2, 3, 0.3]]
    assert found["verdict"].tolist()[2:] == ["unlike", "unsure"]
    assert found["emotion"].tolist()[2:] == [None, None]  # where the model cannot tell, none is named
    assert found["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        pytest.param(
            [(4, "heard", "sad"), (60, "unlike", "sad"), (36, "heard", "angry"), (12, "unsure", "calm")],
            "4 turns, 1 min 52 s of speech: angry in 32% of it, sad in 4%, cannot tell in 64%",
            id="emotions by their share, and what cannot be told last",
        ),
        pytest.param(
            [(4, "unsure", "sad"), (4, "unlike", "calm")],
            "2 turns, 8 s of speech: cannot tell in 100% of it",
            id="nothing can be told",
        ),
        pytest.param(
            [(3, "untested", "sad"), (1, "untested", "calm")],
            "2 turns, 4 s of speech: sad in 75% of it, calm in 25%",
            id="a model that was never asked about new people names one for each turn",
        ),
    ],
)
def test_a_headline_says_what_was_heard_in_how_much_of_the_speech(given, line):
    assert turns.headline(made(*given)) == line


def test_records_are_plain_values_for_json():
    (first, _) = found = turns.records(made((2, "heard", "sad"), (5, "heard", "angry")))
    assert list(first) == ["start_s", "end_s", "verdict", "answer", "emotion", "gender", "probabilities"]
    assert tuple(first["probabilities"]) == EMOTION_NAMES and first["probabilities"]["sad"] == 1
    assert json.loads(json.dumps(found)) == found
    assert turns.records(None) == []


@pytest.fixture
def answers() -> list[dict]:
    given = dict.fromkeys(LABELS, 0.0) | {"sad_male": 0.6, "sad_female": 0.4}
    whole = Prediction(given, warnings=("Noisy.", "Clipped."))
    several = Prediction(given, turns=made((2, "heard", "sad"), (5, "heard", "angry")))
    return [{"file": name, "model": "v4"} | one.as_dict() for name, one in (("a.wav", whole), ("b.wav", several))]


def test_a_table_has_a_row_a_recording(answers):
    table = turns.table(answers)
    assert table["file"].tolist() == ["a.wav", "b.wav"]
    assert table["warnings"].tolist() == ["Noisy. Clipped.", ""]
    assert table["emotion"].fillna("none").tolist() == ["sad", "none"]
    assert table["probabilities.sad_male"].tolist() == [0.6, 0.6] and "turns" not in table


def test_a_table_by_turn_has_a_row_a_turn(answers):
    table = turns.table(answers, by_turn=True)
    assert table["file"].tolist() == ["a.wav", "b.wav", "b.wav"]
    assert list(table.columns[:9]) == [
        "file", "model", "turn", "start_s", "end_s", "verdict", "answer", "emotion", "gender",
    ]  # fmt: skip
    assert table["turn"].tolist() == [1, 1, 2]
    assert table["emotion"].tolist() == ["sad", "sad", "angry"]
    assert table["probabilities.sad"].tolist() == pytest.approx([1, 1, 0])
    assert table["end_s"].isna().tolist() == [True, False, False]
