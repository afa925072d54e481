"""Figures of why a model answers as it does."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core.corpus.labels import BY_NAME
from ser_core.features import speaking
from ser_core.figures.style import ACCENT, LEGEND_ABOVE, MUTED, ROWS, finish
from ser_core.prediction.explanation import Standing

_LINE = {"color": MUTED, "width": 2}


def standing(found: Standing) -> tuple[go.Figure, str]:
    """A clip's place among the training clips of an emotion, and among all others, in each measure.

    Parameters
    ----------
    found : Standing

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    table = found.table.dropna(subset="value")
    titles = [speaking.BY_NAME[name].title for name in table.index]
    said = [speaking.BY_NAME[name].said(value) for name, value in table["value"].items()]
    figure = go.Figure()
    for title, low, high in zip(titles, table[found.emotion], table["others"], strict=True):
        figure.add_scatter(x=[low, high], y=[title] * 2, mode="lines", line=_LINE, showlegend=False, hoverinfo="skip")
    for column, name, colour, symbol in (
        ("others", "among the others", MUTED, "diamond"),
        (found.emotion, f"among {found.emotion} clips", BY_NAME[found.emotion].colour, "circle"),
    ):
        figure.add_scatter(
            x=table[column],
            y=titles,
            name=name,
            mode="markers",
            marker={"size": 13, "color": colour, "symbol": symbol, "line": {"color": MUTED, "width": 1.5}},
            customdata=said,
            hovertemplate=f"%{{y}}, %{{customdata}}: higher than in %{{x:.0%}} {name}<extra></extra>",
        )
    finish(
        figure,
        f"Where this clip stands among training clips of {found.gender} voices",
        height=120 + 40 * len(table),
        legend=LEGEND_ABOVE,
    )
    figure.update_xaxes(title="training clips with a lower value", range=[-0.03, 1.03], tickformat=".0%")
    figure.update_yaxes(**ROWS)
    return figure, _sentence(found)


def _sentence(found: Standing) -> str:
    for measures, word in ((found.speaks_for, "for"), (found.speaks_against, "against")):
        if measures:
            return f"What speaks most {word} {found.emotion}: {found.sentence(measures[0])}"
    return f"In none of the {len(found.table)} measures does the clip speak for or against {found.emotion}."


def stretches(found: pd.DataFrame, emotion: str, seconds: float) -> tuple[go.Figure, str]:
    """How far the probability of an emotion falls when a stretch of the clip is left out.

    Its time axis is that of `figures.clip`, so that it can stand below a waveform.

    Parameters
    ----------
    found : pd.DataFrame
        `start_s`, `end_s` and `falls`, as `explanation.stretches` returns them; at least one row.
    emotion : str
        The emotion that was asked about.
    seconds : float
        Length of the clip.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    falls = found["falls"].to_numpy()
    figure = go.Figure(
        go.Bar(
            x=(found["start_s"] + found["end_s"]) / 2,
            y=falls,
            width=found["end_s"] - found["start_s"],
            marker={"color": np.where(falls > 0, ACCENT, MUTED).tolist(), "line": {"color": MUTED, "width": 1}},
            customdata=found[["start_s", "end_s"]],
            hovertemplate="without %{customdata[0]:.1f} to %{customdata[1]:.1f} s: %{y:.0%} less<extra></extra>",
        )
    )
    finish(figure, f"Which stretch decided: {emotion} without each of them", height=260, margin_l=76, margin_b=44)
    most = max(0.05, float(np.abs(falls).max()))
    figure.update_xaxes(title="time (s)", range=[0, seconds])
    figure.update_yaxes(
        title="probability falls by",
        tickformat=".0%",
        range=[1.1 * min(-0.02, float(falls.min())), 1.1 * most],
        automargin=False,
    )
    return figure, _decided(found, emotion)


def _decided(found: pd.DataFrame, emotion: str) -> str:
    first = found.loc[found["falls"].idxmax()]
    if first["falls"] < 0.005:
        return f"No stretch decided: without any of them, {emotion} stays as probable as it is."
    return (
        f"The stretch from {first['start_s']:.1f} to {first['end_s']:.1f} s decided most: without it, the probability "
        f"of {emotion} falls by {100 * first['falls']:.0f} percentage points."
    )
