"""Colours, layout and number formats of all figures. The emotion colours are in `labels` and mark emotions only."""

from collections.abc import Iterable, Iterator
from itertools import cycle, product

import numpy as np
import plotly.graph_objects as go

ACCENT = "#7A5BD0"  # our results; visible in both themes
SECOND = "#3E8E7E"  # for a second group
MUTED = "#8A8F98"  # comparisons, and outlines, which keep black bars visible on dark
SEQUENTIAL = "Cividis"  # perceptually uniform, safe for colour blindness
LEGEND_ABOVE = {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "xanchor": "left"}
LEGEND_BELOW = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}
ROWS = {"type": "category", "autorange": "reversed", "automargin": True}  # of a y axis: named rows, the first on top
HZ_TICKS = (200, 500, 1000, 2000, 4000, 8000)
ACCURACY = {"title": "clips named right", "tickformat": ".0%"}  # of an axis


def finish(figure: go.Figure, title: str, *, height: int, **layout) -> go.Figure:
    """Give a figure its title, its height in pixels and what all have in common.

    The title is kept in `layout.meta["title"]` and shown above the figure as text, which wraps on a phone and is not
    covered by plotly's buttons.

    Parameters
    ----------
    figure : go.Figure
    title : str
    height : int, pixels
    layout
        As `go.Figure.update_layout` takes it.

    Returns
    -------
    go.Figure
        The same figure.
    """
    figure.update_xaxes(autotickangles=[0])  # labels lie flat
    return figure.update_layout(
        meta={"title": title},
        height=height,
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        hoverlabel={"align": "left"},
        dragmode=False,  # on a touch screen, dragging scrolls the page
        **layout,
    )


def dots(colour: str, size: int) -> dict:
    """The marker of small dots that may overlap. Black ones have a wider rim, visible on dark.

    Parameters
    ----------
    colour : str
        CSS hex code.
    size : int, pixels

    Returns
    -------
    dict
        The `marker` of a scatter trace.
    """
    rim = {"color": MUTED, "width": 1.5 if colour == "#000000" else 0.5}
    return {"color": colour, "size": size, "opacity": 0.6, "line": rim}


def add_diagonal(figure: go.Figure, name: str) -> None:
    """Add the dotted line on which two shares are equal.

    Parameters
    ----------
    figure : go.Figure
        With shares from 0 to 1 on both axes.
    name : str
        In the legend.
    """
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": MUTED, "dash": "dot", "width": 1.5},
        name=name,
        hoverinfo="skip",
    )


def interval(value, low, high, **look) -> dict:
    """Error bars from `low` to `high` around `value`; their lengths are never negative.

    Parameters
    ----------
    value, low, high : pd.Series
    look
        As `go.scatter.ErrorX` takes it.

    Returns
    -------
    dict
        The `error_x` or `error_y` of a trace.
    """
    return {
        "type": "data",
        "symmetric": False,
        "array": (high - value).clip(lower=0),
        "arrayminus": (value - low).clip(lower=0),
        "thickness": 1.5,
        **look,
    }


def mel_ticks(hz: np.ndarray) -> dict:
    """Ticks at round frequencies for an axis of mel bands.

    Parameters
    ----------
    hz : np.ndarray [shape=(bands,)]
        Centre of each band.

    Returns
    -------
    dict
        `tickvals` (counted in bands) and `ticktext` of the axis.
    """
    ticks = [tick for tick in HZ_TICKS if tick < hz[-1]]
    return {"tickvals": np.interp(ticks, hz, np.arange(len(hz))), "ticktext": [f"{tick:,}" for tick in ticks]}


def lines() -> Iterator[tuple[str, str]]:
    """Colour and dash of one line after another: twelve that differ, then the same again."""
    return cycle((colour, dash) for dash in ("solid", "dash", "dot", "dashdot") for colour in (ACCENT, SECOND, MUTED))


def add_clickable_cells(
    figure: go.Figure, y: dict, x: dict, words: Iterable[str], *, hovertemplate: str, size: int = 24, glow: float = 0.35
) -> go.Figure:
    """Make the cells of a heat map selectable, which plotly's are not: a clear mark lies on each.

    With a `hoverdistance` of -1 the nearest mark answers a click; its `customdata` is its row's and column's value.

    Parameters
    ----------
    figure : go.Figure
    y, x : dict
        Value -> tick, of each row and column.
    words : iterable of str
        The text of each cell, row by row.
    hovertemplate : str
    size : int, pixels
    glow : float
        The opacity of a selected mark.

    Returns
    -------
    go.Figure
    """
    cells = list(product(y, x))
    return figure.add_scatter(
        x=[x[column] for _, column in cells],
        y=[y[row] for row, _ in cells],
        mode="markers",
        marker={"size": size, "opacity": 0, "symbol": "square"},
        selected={"marker": {"opacity": glow, "color": "white"}},
        unselected={"marker": {"opacity": 0}},
        customdata=[list(cell) for cell in cells],
        text=list(words),
        hovertemplate=hovertemplate,
        showlegend=False,
    )


def count_of(clips: int) -> str:
    """1 -> "1 clip", 2452 -> "2,452 clips".

    Parameters
    ----------
    clips : int

    Returns
    -------
    str
    """
    return f"{clips:,} clip{'' if clips == 1 else 's'}"


def percent(share: float) -> str:
    """0.714 -> "71%"; never rounded to 0% or 100%, but "< 1%" and "> 99%", with a no-break space.

    Parameters
    ----------
    share : float
        Between 0 and 1.

    Returns
    -------
    str
    """
    if 0 < share < 0.005:
        words = "< 1%"
    elif 0.995 <= share < 1:
        words = "> 99%"
    else:
        words = f"{100 * share:.0f}%"
    return words.replace(" ", "\N{NO-BREAK SPACE}")
