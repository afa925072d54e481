"""Figures of a prediction for one recording."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core.corpus.labels import BY_NAME, EMOTION_NAMES, GENDERS, emotion_of, title_of
from ser_core.evaluation.verdicts import HEARD, UNTESTED
from ser_core.figures.style import MUTED, SEQUENTIAL, finish, percent

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
        f"{title_of(top)}, {percent(probabilities[top])}. The bars add up to 100 %."
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
            texttemplate="%{text}",
            colorscale=SEQUENTIAL,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}: %{x} %{z:.0%}<extra></extra>",
        )
    )
    finish(figure, "What each member of the vote says (%)", height=120 + 42 * len(rows))
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(tickangle=-45)
    choice = max(together, key=together.__getitem__)
    agree = [name for name, row in alone.items() if max(row, key=row.__getitem__) == choice]
    sentence = f"{len(agree)} of {len(alone)} members have {choice} first" + (
        f": {', '.join(agree)}." if agree else "."
    )
    return figure, sentence


def timeline(windows: pd.DataFrame) -> tuple[go.Figure, str]:
    """Emotion probabilities of each window of a long recording; a dot marks each window's most probable.

    Parameters
    ----------
    windows : pd.DataFrame
        `start_s`, `end_s`, `verdict` and a column for each emotion, as `Prediction.timeline`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    length = windows["end_s"].iloc[0] - windows["start_s"].iloc[0]
    silent = windows[EMOTION_NAMES[0]].isna()
    said = windows["verdict"].isin([HEARD, UNTESTED])
    middle = (windows["start_s"] + windows["end_s"]) / 2
    names = [BY_NAME[name].title for name in EMOTION_NAMES]
    values = windows[list(EMOTION_NAMES)]
    top = values[~silent].idxmax(axis=1)
    figure = go.Figure(
        go.Heatmap(
            z=values.T.to_numpy(),
            x=middle,
            y=names,
            colorscale=SEQUENTIAL,
            zmin=0,
            zmax=1,
            colorbar={"title": "probability", "thickness": 12, "tickformat": ".0%"},
            hovertemplate="%{y} around %{x:.1f} s: %{z:.0%}<extra></extra>",
        )
    )
    figure.add_scatter(
        x=middle[~silent],
        y=[BY_NAME[name].title for name in top],
        mode="markers",
        marker={
            "color": "white",
            "size": 8,
            "line": {"color": "black", "width": 1},
            "symbol": np.where(said[~silent], "circle", "circle-open"),
        },
        hoverinfo="skip",
    )
    finish(figure, "Emotion over time", height=340, showlegend=False)
    figure.update_xaxes(title="middle of the window (s)")
    figure.update_yaxes(autorange="reversed", automargin=True)
    sentence = (
        f"{len(windows)} overlapping windows of {length:.1f} s, each answered by itself; the dot is its most probable "
        "emotion, a ring where the model cannot tell."
    )
    if len(top):
        shares = top.value_counts(normalize=True)
        sentence += f" Most often {shares.index[0]}: {percent(shares.iloc[0])} of the windows with a voice."
    if silent.any():
        sentence += f" In {silent.sum()} windows no voice is heard: they are left blank."
    return figure, sentence


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
