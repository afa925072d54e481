"""Figures of a prediction for one recording."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core.corpus.labels import BY_NAME, EMOTION_NAMES, GENDERS, emotion_of, title_of
from ser_core.figures.style import MUTED, ROWS, SEQUENTIAL, finish, percent
from ser_core.prediction.turns import SAID, headline

_OUTLINE = {"color": MUTED, "width": 1}


def emotions(probabilities: dict[str, float]) -> tuple[go.Figure, str]:
    """A bar for each of the eight emotions, the most probable on top.

    Parameters
    ----------
    probabilities : dict of str to float
        Of the eight emotions.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    ranked = sorted(probabilities, key=probabilities.__getitem__)
    names = [BY_NAME[name].title for name in ranked]
    colours = [BY_NAME[name].colour for name in ranked]
    figure = _bars(names, [probabilities[name] for name in ranked], colours)
    finish(figure, "How probable each emotion is", height=420)
    first, second = ranked[-1], ranked[-2]
    return figure, (
        f"{BY_NAME[first].title} is the most probable at {percent(probabilities[first])}, "
        f"then {second} at {percent(probabilities[second])}."
    )


def genders(probabilities: dict[str, float]) -> tuple[go.Figure, str]:
    """A bar for each gender of the voice.

    Parameters
    ----------
    probabilities : dict of str to float
        Of "female" and "male".

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = _bars([name.capitalize() for name in GENDERS], [probabilities[name] for name in GENDERS], [MUTED] * 2)
    finish(figure, "How probable each voice is", height=180)
    likely = max(probabilities, key=probabilities.__getitem__)
    return figure, f"The voice sounds {likely}: {percent(probabilities[likely])}."


def classes(probabilities: dict[str, float]) -> tuple[go.Figure, str]:
    """A bar for each of the 16 classes that the model was trained on.

    Parameters
    ----------
    probabilities : dict of str to float
        Of the 16 classes.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    ranked = sorted(probabilities, key=probabilities.__getitem__)
    colours = [BY_NAME[emotion_of(label)].colour for label in ranked]
    figure = _bars([title_of(label) for label in ranked], [probabilities[label] for label in ranked], colours)
    finish(figure, "All 16 classes", height=500)
    top = ranked[-1]
    return figure, (
        f"The model tells apart 16 classes, an emotion in a female or a male voice. Highest here: "
        f"{title_of(top)}, {percent(probabilities[top])}. The bars add up to 100%."
    )


def members(alone: dict[str, dict[str, float]], together: dict[str, float]) -> tuple[go.Figure, str]:
    """The probabilities of each member of a vote, one row a member, and the vote itself on top.

    Parameters
    ----------
    alone : dict
        Member's name -> emotion -> probability.
    together : dict
        Emotion -> probability, of the vote.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    rows = {"The vote": together, **alone}
    values = [[row[name] for name in EMOTION_NAMES] for row in rows.values()]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[BY_NAME[name].title for name in EMOTION_NAMES],
            y=list(rows),
            text=[[f"{100 * value:.0f}" for value in row] for row in values],
            customdata=[[BY_NAME[name].title for name in EMOTION_NAMES]] * len(rows),
            texttemplate="%{text}",
            colorscale=SEQUENTIAL,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}: %{customdata} %{z:.0%}<extra></extra>",
        )
    )
    finish(figure, "What each member of the vote says (%)", height=120 + 42 * len(rows))
    figure.update_yaxes(autorange="reversed", automargin=True)
    shown = [BY_NAME[name].title for name in EMOTION_NAMES]
    figure.update_xaxes(tickangle=0, tickvals=shown, ticktext=[title[:3] for title in shown])
    choice = max(together, key=together.__getitem__)
    agree = [name for name, row in alone.items() if max(row, key=row.__getitem__) == choice]
    sentence = f"{len(agree)} of {len(alone)} members {'has' if len(agree) == 1 else 'have'} {choice} first" + (
        f": {', '.join(agree)}." if agree else "."
    )
    return figure, sentence


def timeline(turns: pd.DataFrame) -> tuple[go.Figure, str]:
    """A bar for each turn of a long recording, in the row and the colour of its most probable emotion.

    The `customdata` of a bar is the number of its turn, from 1.

    Parameters
    ----------
    turns : pd.DataFrame
        As `Prediction.turns`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    is_said = turns["verdict"].isin(SAID)
    outline = {"color": MUTED, "width": [1.5 if name == "neutral" else 0.5 for name in turns["emotion"]]}
    figure = go.Figure(
        go.Bar(
            x=turns["end_s"] - turns["start_s"],
            base=turns["start_s"],
            y=[BY_NAME[name].title for name in turns["emotion"]],
            orientation="h",
            marker={
                "color": [BY_NAME[name].colour for name in turns["emotion"]],
                "opacity": np.where(is_said, 1.0, 0.45),
                "pattern": {"shape": np.where(is_said, "", "/"), "size": 6, "solidity": 0.4},
                "line": outline,
            },
            unselected={"marker": {"opacity": 0.4}},
            customdata=np.arange(1, len(turns) + 1),
            text=[
                f"Turn {number}, {turn['start_s']:.1f} to {turn['end_s']:.1f} s: {turn['answer']}<br>It gives "
                f"{turn['emotion']} {percent(turn[turn['emotion']])}, and a {turn['gender']} voice"
                for number, turn in enumerate(turns.to_dict("records"), start=1)
            ],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
        )
    )
    finish(figure, "Turns over time", height=340, hovermode="closest")
    figure.update_xaxes(title="time (s)", rangemode="tozero")
    figure.update_yaxes(**ROWS, categoryorder="array", categoryarray=[BY_NAME[name].title for name in EMOTION_NAMES])
    sentence = f"{headline(turns)}. Each bar is a turn, in the row of its most probable emotion"
    return figure, sentence + ("." if is_said.all() else "; it is pale and hatched where the model cannot tell.")


def _bars(names: list[str], values: list[float], colours: list[str]) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker={"color": colours, "line": _OUTLINE},
            text=[percent(value) for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title="probability", range=[0, 1.12], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%")
    return figure.update_yaxes(automargin=True)
