"""Figures of listening tests: people beside a model on the same clips."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core.corpus.wording import enumerated
from ser_core.figures import comparison
from ser_core.figures.comparison import COLOURS, SYMBOLS
from ser_core.figures.style import LEGEND_ABOVE, MUTED, ROWS, add_diagonal, finish, interval, percent
from ser_core.listening.scores import Score, Sureness

MOST_NAMED = 4  # confusions in a sentence


def scores(
    found: dict[str, Score], guessing: float, published: dict[str, float] | None = None
) -> tuple[go.Figure, str]:
    """The scores of listeners with their 95% intervals, beside published ones and guessing.

    Parameters
    ----------
    found : dict of str to Score
        Listener (or several, such as a class) -> score.
    guessing : float
        The accuracy of guessing.
    published : dict of str to float, optional
        Name -> accuracy on other clips.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    for (name, one), colour, symbol in zip(found.items(), COLOURS, SYMBOLS, strict=False):
        figure.add_scatter(
            x=[one.accuracy],
            y=[name],
            error_x=interval(*(pd.Series([value]) for value in (one.accuracy, one.low, one.high)), width=5),
            mode="markers",
            marker={"color": colour, "size": 13, "symbol": symbol},
            hovertemplate=f"{name}<br>{one.right} of {one.answers} answers are right<br>%{{x:.0%}} "
            f"({percent(one.low)} to {percent(one.high)})<extra></extra>",
        )
    for name, accuracy in (published or {}).items():
        figure.add_scatter(
            x=[accuracy],
            y=[name],
            mode="markers",
            marker={"color": MUTED, "size": 12, "symbol": "diamond-open", "line": {"width": 2}},
            hovertemplate=f"{name}<br>%{{x:.0%}}, published<extra></extra>",
        )
    figure.add_vline(
        x=guessing,
        line={"color": MUTED, "width": 1.5, "dash": "dot"},
        annotation_text="guessing",
        annotation_position="top",
    )
    figure.update_yaxes(**ROWS)
    figure.update_xaxes(title="right answers, with 95% interval", tickformat=".0%", range=[0, 1.02])
    rows = len(found) + len(published or {})
    finish(figure, "Who hears more?", height=130 + 42 * rows, showlegend=False, margin_t=28)
    said = [
        f"{name}: {percent(one.accuracy)}, {one.right} of {one.answers} ({percent(one.low)} to {percent(one.high)})"
        for name, one in found.items()
    ]
    return figure, f"{'; '.join(said)}. Guessing would be right in {percent(guessing)}."


def confusion(matrix: np.ndarray, emotions: Sequence[str], title: str, *, top: int) -> tuple[go.Figure, str]:
    """What listeners took each emotion for, in numbers of answers.

    Parameters
    ----------
    matrix : np.ndarray [shape=(k, k), dtype=int]
        True emotions are rows.
    emotions : sequence of str [shape=(k,)]
    title : str
    top : int > 0
        The end of the colour scale, which matrices side by side share.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure, _ = comparison.confusion(matrix, "emotion", title, share="count", top=top, values=emotions)
    figure.update_traces(selector={"type": "heatmap"}, showscale=False)
    figure.update_layout(height=110 + 34 * len(emotions))
    figure.update_yaxes(title="what it is")
    figure.update_xaxes(title="what was heard")
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_NAMED]
    named = [(emotions[cell // len(emotions)], emotions[cell % len(emotions)]) for cell in order if wrong.flat[cell]]
    sentence = f"{np.trace(matrix)} of {matrix.sum()} are right (the diagonal)."
    if named:
        sentence += f" Taken for another: {', '.join(f'{truth} for {given}' for truth, given in named)}."
    return figure, sentence


def by_emotion(tables: dict[str, pd.DataFrame]) -> tuple[go.Figure, str]:
    """How many clips of each emotion were named right, by each listener.

    Parameters
    ----------
    tables : dict of str to pd.DataFrame
        Listener -> as `listening.scores.by_emotion` gives it; the first one is described.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    for (name, table), colour in zip(tables.items(), COLOURS, strict=False):
        figure.add_bar(
            x=table["accuracy"],
            y=table["emotion"].str.capitalize(),
            orientation="h",
            name=name,
            marker={"color": colour, "line": {"color": colour, "width": 2}},  # so that 0% is seen, too
            customdata=table[["right", "answers"]],
            hovertemplate=f"%{{y}}<br>{name}: %{{customdata[0]}} of %{{customdata[1]}} right<extra></extra>",
        )
    first = next(iter(tables.values()))
    figure.update_yaxes(**ROWS)
    figure.update_xaxes(title="right answers", tickformat=".0%", range=[0, 1.02])
    height = 120 + len(first) * (14 + 12 * len(tables))
    finish(figure, "Which emotion is heard best?", height=height, barmode="group", legend=LEGEND_ABOVE)
    most = first["answers"].max()
    few = f" There are {first['answers'].min()} to {most} clips of each: more rounds say more." if most < 5 else ""
    return figure, f"{_best_and_worst(first, next(iter(tables)))}{few}"


def sureness(found: dict[str, Sureness]) -> tuple[go.Figure, str]:
    """How often listeners are right, by how sure they say to be. On the dotted line they are right as often as sure.

    Parameters
    ----------
    found : dict of str to Sureness
        By listener.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    add_diagonal(figure, "as right as sure")
    for (name, one), colour, symbol in zip(found.items(), COLOURS, SYMBOLS, strict=False):
        levels = one.levels
        figure.add_scatter(
            x=levels["claimed"],
            y=levels["right"],
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"size": 6 + 14 * np.sqrt(levels["clips"] / levels["clips"].sum()), "symbol": symbol},
            name=name,
            customdata=levels[["clips", "right_low", "right_high"]],
            hovertemplate=f"{name}<br>%{{x:.0%}} sure, right in %{{y:.0%}} of %{{customdata[0]}}<br>95% interval "
            "%{customdata[1]:.0%} to %{customdata[2]:.0%}<extra></extra>",
        )
    figure.update_xaxes(title="how sure", tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title="how often right", tickformat=".0%", range=[0, 1.02])
    finish(figure, "As sure as right?", height=400, legend=LEGEND_ABOVE)
    said = [
        f"{name}: {percent(one.claimed)} sure on average, right in {percent(one.right)}, {_how(one.gap)}"
        for name, one in found.items()
    ]
    return figure, f"{'; '.join(said)}. Below the line is too sure; a large dot stands for many clips."


def _how(gap: float) -> str:
    if abs(gap) < 0.1:
        return "about as sure as right"
    return "too sure" if gap > 0 else "not sure enough"


def _best_and_worst(table: pd.DataFrame, name: str) -> str:
    best, worst = table["accuracy"].max(), table["accuracy"].min()
    if best == worst:
        return f"{name}: {percent(best)} right of every emotion."
    named = {share: enumerated(table.loc[table["accuracy"] == share, "emotion"].tolist()) for share in (best, worst)}
    return f"{name}: most right for {named[best]} ({percent(best)}), fewest for {named[worst]} ({percent(worst)})."
