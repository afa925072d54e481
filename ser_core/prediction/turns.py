"""The turns of a recording taken together: how much of the speaking time has which answer, and tables."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ser_core import durations
from ser_core.corpus.labels import EMOTION_NAMES, LABELS, by_emotion
from ser_core.evaluation.verdicts import HEARD, UNTESTED

COLUMNS = ("start_s", "end_s", "verdict", "answer", "emotion", "gender", *EMOTION_NAMES)
SAID = (HEARD, UNTESTED)  # verdicts with which one emotion is named; with all others, the model cannot tell


def shares(turns: pd.DataFrame) -> pd.DataFrame:
    """Shares of the speaking time by verdict, and by emotion where one may be named.

    Parameters
    ----------
    turns : pd.DataFrame
        As `Prediction.turns`.

    Returns
    -------
    pd.DataFrame
        `verdict`, `emotion` (None where the model cannot tell), `turns`, `speaking_s` (s) and `share`, which add up to
        the number of turns, the speaking time and 1; the largest first.

    Examples
    --------
    >>> turns = pd.DataFrame({"start_s": [0, 4, 8], "end_s": [3, 5, 12], "emotion": ["angry", "sad", "sad"]})
    >>> shares(turns.assign(verdict=["heard", "heard", "unsure"])).to_dict("records")[0]
    {'verdict': 'unsure', 'emotion': None, 'turns': 1, 'speaking_s': 4, 'share': 0.5}
    """
    rows = pd.DataFrame(
        {
            "verdict": turns["verdict"],
            "emotion": turns["emotion"].where(turns["verdict"].isin(SAID)),
            "speaking_s": turns["end_s"] - turns["start_s"],
        }
    )
    grouped = rows.groupby(["verdict", "emotion"], dropna=False)["speaking_s"]
    found = grouped.agg(turns="size", speaking_s="sum").reset_index()
    found["emotion"] = found["emotion"].astype(object).where(found["emotion"].notna(), None)
    found["share"] = found["speaking_s"] / found["speaking_s"].sum()
    return found.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def headline(turns: pd.DataFrame) -> str:
    """How many turns there are, how long they take, and the shares of their emotions, in one line.

    Parameters
    ----------
    turns : pd.DataFrame
        As `Prediction.turns`.

    Returns
    -------
    str

    Examples
    --------
    >>> turns = pd.DataFrame({"start_s": [0, 40, 80], "end_s": [30, 50, 120], "emotion": ["angry", "sad", "sad"]})
    >>> headline(turns.assign(verdict=["heard", "heard", "unsure"]))
    '3 turns, 1 min 20 s of speech: angry in 38% of it, sad in 12%, cannot tell in 50%'
    """
    found = shares(turns)
    is_said = found["emotion"].notna()
    parts = dict(zip(found["emotion"][is_said], found["share"][is_said], strict=True))
    if not is_said.all():
        parts["cannot tell"] = found["share"][~is_said].sum()
    first, *others = (f"{what} in {100 * share:.0f}%" for what, share in parts.items())
    length = durations.in_words(round(found["speaking_s"].sum()))
    return f"{len(turns)} turns, {length} of speech: {', '.join([f'{first} of it', *others])}"


def records(turns: pd.DataFrame | None) -> list[dict]:
    """The turns for JSON.

    Parameters
    ----------
    turns : pd.DataFrame, optional
        As `Prediction.turns`; None for a recording of a single turn.

    Returns
    -------
    list of dict
        Of each turn `start_s`, `end_s`, `verdict`, `answer`, `emotion`, `gender` and the `probabilities` of the eight
        emotions; empty for a recording of a single turn.
    """
    return [
        {name: value for name, value in row.items() if name not in EMOTION_NAMES}
        | {"probabilities": {name: row[name] for name in EMOTION_NAMES}}
        for row in (() if turns is None else turns.to_dict("records"))
    ]


def table(answers: Sequence[dict], *, by_turn: bool = False) -> pd.DataFrame:
    """Answers as a table: a row a recording, or a row a turn.

    Parameters
    ----------
    answers : sequence of dict
        As `Prediction.as_dict`, with the `file`, `model` or `truth` beside.
    by_turn : bool
        Recordings that were heard as a whole have one row then, too, without a time.

    Returns
    -------
    pd.DataFrame
        The keys of the answers, `probabilities.NAME` one by one; by turn `file`, `model`, `truth`, `turn` (from 1) and
        the keys of `records`.
    """
    if not by_turn:
        rows = [answer | {"warnings": " ".join(answer["warnings"])} for answer in answers]
        return pd.json_normalize(rows).drop(columns="turns", errors="ignore")
    rows = []
    for answer in answers:
        whose = {name: answer[name] for name in ("file", "model", "truth") if name in answer}
        rows += [whose | {"turn": number} | turn for number, turn in enumerate(of_answer(answer), start=1)]
    return pd.json_normalize(rows)


def of_answer(answer: dict) -> list[dict]:
    """The turns of an answer; a recording that was heard as a whole is a single one, without a time.

    Parameters
    ----------
    answer : dict
        As `Prediction.as_dict`.

    Returns
    -------
    list of dict
        As `records`.
    """
    if answer["turns"]:
        return answer["turns"]
    emotions = by_emotion(np.array([answer["probabilities"][label] for label in LABELS]))
    said = {name: answer.get(name) for name in COLUMNS if name not in EMOTION_NAMES}
    return [said | {"probabilities": dict(zip(EMOTION_NAMES, emotions.tolist(), strict=True))}]
