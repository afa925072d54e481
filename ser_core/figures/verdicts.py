"""Figures of verdicts: how often a model says that it cannot tell, and what it gains by that."""

import pandas as pd
import plotly.graph_objects as go

from ser_core.evaluation.verdicts import HEARD, NO_VOICE, UNLIKE, UNSURE
from ser_core.figures.style import ACCENT, LEGEND_BELOW, MUTED, ROWS, SECOND, finish
from ser_core.results import verdicts
from ser_core.results.verdicts import POOLED, Verdicts

# The colours of the badges beside an answer.
GREEN, ORANGE, RED, GRAY = "#2FA866", "#F0A029", "#DE4C4C", MUTED
BARS = (  # column of the shares, name, colour, pattern
    ("heard_right", "names an emotion, rightly", GREEN, ""),
    ("heard_wrong", "names an emotion, wrongly", GREEN, "/"),
    (UNSURE, "not sure", ORANGE, ""),
    (UNLIKE, "unlike all it has heard", RED, ""),
    (NO_VOICE, "no voice", GRAY, ""),
)
CURVES = {"": ("as recorded", ACCENT, "solid"), POOLED: ("all recordings together", SECOND, "dash")}


def shares(found: Verdicts, model: str) -> tuple[go.Figure, str]:
    """The share of each verdict in each recording condition, on other corpora and on sounds without a voice.

    Parameters
    ----------
    found : Verdicts
    model : str
        A value of the column `model`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    table = found.shares[found.shares["model"] == model]
    right = table[HEARD] * table["right"].fillna(0)
    table = table.assign(heard_right=right, heard_wrong=table[HEARD] - right)
    rows = table["title"].str.removesuffix(" below the voice")  # on a phone, long names leave no room for bars
    figure = go.Figure()
    for column, name, colour, pattern in BARS:
        figure.add_bar(
            x=table[column].fillna(0),
            y=rows,
            orientation="h",
            name=name,
            marker={"color": colour, "line": {"width": 0}, "pattern": {"shape": pattern, "size": 5, "solidity": 0.35}},
            customdata=table[["clips", "right", HEARD]].fillna(0),
            hovertemplate=f"%{{y}}<br>{name}: %{{x:.0%}}<br>%{{customdata[0]:,}} clips; an emotion is named in "
            "%{customdata[2]:.0%}, %{customdata[1]:.0%} of them rightly<extra></extra>",
        )
    figure.update_yaxes(**ROWS)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", title="clips")
    finish(figure, f"{model}: what it says of people it has never heard", height=170 + 22 * len(table))
    figure.update_layout(barmode="stack", bargap=0.15, legend=LEGEND_BELOW | {"traceorder": "normal"})
    return figure, f"{verdicts.extremes_in_words(found, model)} Noise and other people lie so many dB below the voice."


def risk(found: Verdicts, model: str) -> tuple[go.Figure, str]:
    """Risk against coverage: how many answers are wrong if only so many are given, those that claim most.

    Parameters
    ----------
    found : Verdicts
    model : str
        A value of the column `model`.

    Returns
    -------
    figure : go.Figure
    sentence : str

    References
    ----------
    Geifman & El-Yaniv 2017, "Selective classification for deep neural networks".
    """
    table = found.shares[found.shares["model"] == model].set_index("source")
    curves = found.risk[found.risk["model"] == model]
    figure = go.Figure()
    said = []
    for source, (name, colour, dash) in CURVES.items():
        rows, verdict = curves[curves["source"] == source], table.loc[source]
        figure.add_scatter(
            x=rows["coverage"],
            y=rows["risk"],
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            name=name,
            hovertemplate=f"{name}<br>%{{y:.0%}} wrong of the surest %{{x:.0%}}<extra></extra>",
        )
        said.append(f"{rows['risk'].iloc[-1]:.0%} ({name})")
        if pd.notna(verdict["right"]):
            wrong = 1 - verdict[["right", "right_low", "right_high"]]
            figure.add_scatter(
                x=[verdict[HEARD]],
                y=[wrong["right"]],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [wrong["right_low"] - wrong["right"]],
                    "arrayminus": [wrong["right"] - wrong["right_high"]],
                    "thickness": 1.5,
                },
                mode="markers",
                marker={"color": colour, "size": 12},
                name=f"the verdict, {name}",
                showlegend=False,
                hovertemplate=f"named an emotion, {name}<br>in %{{x:.0%}} of clips, %{{y:.0%}} of them wrongly"
                "<extra></extra>",
            )
    figure.update_xaxes(
        title="clips that get an answer,<br>those that claim most first", tickformat=".0%", range=[0, 1]
    )
    figure.update_yaxes(title="wrong answers among them", tickformat=".0%", rangemode="tozero")
    finish(figure, "The fewer answers, the fewer wrong ones", height=420, legend=LEGEND_BELOW)
    return figure, (
        f"If every clip got an answer, {' and '.join(said)} would be wrong. Dots: where the verdict draws the line, "
        "with 95% intervals over actors."
    )
