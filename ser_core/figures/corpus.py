"""Figures of a corpus: counts, distributions, and the study's split."""

import pandas as pd
import plotly.graph_objects as go

from ser_core.corpus import labels, wording
from ser_core.corpus.clips import thinned
from ser_core.corpus.labels import BY_NAME, LABELS, emotion_of, title_of
from ser_core.corpus.wording import Wording
from ser_core.features import exploration
from ser_core.figures import style
from ser_core.figures.style import ACCENT, MUTED, count_of, dots, finish, percent

# Measures of a clip: title, unit, explanation.
MEASURES = {
    "duration_s": (
        "duration",
        "s",
        "It is of the whole file, with about a second of silence before the voice and another after it.",
    ),
    "loudness_lufs": (
        "loudness",
        "LUFS",
        "LUFS are decibels weighted as the ear hears, without the silence: 10 less sounds about half as loud.",
    ),
    "pitch_hz": (
        "median pitch",
        "Hz",
        "How often the vocal folds open in a second: twice as often is an octave higher.",
    ),
}


def counts(table: pd.DataFrame, rows: str, columns: str | None = None) -> tuple[go.Figure, str]:
    """Clips by one property as bars, or by two as cells.

    Each mark's `customdata` holds its row's and its column's value.

    Parameters
    ----------
    table : pd.DataFrame
        One row a clip, at least one.
    rows, columns : str
        Of the titles of `corpus.wording.of(table)`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    words = wording.of(table)
    return _bars(table, rows, words) if columns is None else _cells(table, rows, columns, words)


def _bars(table: pd.DataFrame, rows: str, words: Wording) -> tuple[go.Figure, str]:
    counted = ordered(exploration.count(table, rows), rows)["clips"]
    figure = go.Figure(
        go.Bar(
            x=counted.to_numpy(),
            y=[words.said(rows, value) for value in counted.index],
            orientation="h",
            text=[f"{value:,}" for value in counted],
            textposition="outside",
            cliponaxis=False,
            marker={"color": _colours(rows, counted.index), "line": {"color": MUTED, "width": 1}},
            customdata=[[value] for value in counted.index.tolist()],
            hovertemplate="%{y}: %{x:,} clips<extra></extra>",
        )
    )
    finish(figure, f"Clips by {words.titles[rows]}", height=max(260, 110 + 34 * len(counted)))
    figure.update_xaxes(title="clips", range=[0, 1.12 * counted.max()], fixedrange=True)
    figure.update_yaxes(**style.ROWS, fixedrange=True)
    total, least, most = (count_of(number) for number in (counted.sum(), counted.min(), counted.max()))
    if len(counted) == 1:
        return figure, f"{total}, all of one {words.titles[rows]}: {words.said(rows, counted.index[0])}."
    if least == most:
        return figure, f"{total}, {counted.max():,} of each {words.titles[rows]}."
    fewest, fullest = (_listed(rows, counted.index[counted == end], words) for end in (counted.min(), counted.max()))
    return figure, f"{total}: from {counted.min():,} ({fewest}) to {counted.max():,} ({fullest})."


def _listed(by: str, values, words: Wording) -> str:
    """Up to five values by name, else their number."""
    return ", ".join(words.said(by, value) for value in values) if len(values) <= 5 else f"{len(values)} of them"


def _cells(table: pd.DataFrame, rows: str, columns: str, words: Wording) -> tuple[go.Figure, str]:
    counted = ordered(ordered(exploration.count(table, rows, columns), rows).T, columns).T
    values = counted.to_numpy()
    y = {value: words.said(rows, value) for value in counted.index.tolist()}
    x = {value: words.said(columns, value) for value in counted.columns.tolist()}
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=list(x.values()),
            y=list(y.values()),
            texttemplate="%{z:,}",
            colorscale=style.SEQUENTIAL,
            zmin=0,
            zmax=values.max(),
            xgap=2,
            ygap=2,
            colorbar={"title": "clips", "thickness": 12},
            hoverinfo="skip",
        )
    )
    hover = "%{y}, %{x}: %{text}<extra></extra>"
    style.add_clickable_cells(figure, y, x, map(count_of, values.flat), hovertemplate=hover)
    finish(
        figure,
        f"Clips by {words.titles[rows]} and {words.titles[columns]}",
        height=max(300, 130 + 30 * len(y)),
        hoverdistance=-1,
    )
    figure.update_xaxes(type="category", side="bottom", tickangle=0, automargin=True, fixedrange=True)
    if len(x) > 3:  # of long words, the beginning
        figure.update_xaxes(tickvals=list(x.values()), ticktext=[name[:3] for name in x.values()])
    figure.update_yaxes(**style.ROWS, fixedrange=True)
    empty = [f"{y[row]} with {x[column].lower()}" for row in y for column in x if not counted.loc[row, column]]
    if {rows, columns} == {"speaker", "gender"}:
        sentence = f"Each {words.speaker} has one gender: the other cells are no gaps."
    elif not empty:
        sentence = f"Every pair occurs: from {values.min():,} to {values.max():,} clips each."
    else:
        listed = "; ".join(empty[:4]) + (f"; and {len(empty) - 4} more" if len(empty) > 4 else "")
        sentence = f"{len(empty)} of {values.size} pairs are not among these clips: {listed}."
    return figure, sentence


def spread(table: pd.DataFrame, measure: str, by: str) -> tuple[go.Figure, str]:
    """The distribution of a measure by a property: one dot a clip, one box a value.

    Each dot's `customdata` holds its clip's stem.

    Parameters
    ----------
    table : pd.DataFrame
        One row a clip, at least one.
    measure : str
        Of `MEASURES`.
    by : str
        Of the titles of `corpus.wording.of(table)`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    name, unit, about = MEASURES[measure]
    words, drawn = wording.of(table), thinned(table)
    if measure == "duration_s" and words is not wording.RAVDESS:
        about = "It is of the whole file, with any silence before and after the voice."
    groups = ordered(exploration.count(table, by), by).index
    figure = go.Figure()
    for value, colour in zip(groups, _colours(by, groups), strict=True):
        clips = drawn[drawn[by] == value]
        figure.add_box(
            x=clips[measure].round(2).to_numpy(),
            name=words.said(by, value),
            orientation="h",
            boxpoints="all",
            jitter=0.6,
            pointpos=0,
            marker=dots(colour, size=4),
            selected={"marker": {"size": 12, "opacity": 1}},
            unselected={"marker": {"opacity": 0.6}},
            line={"color": MUTED, "width": 1.5},
            fillcolor="rgba(0,0,0,0)",
            customdata=[[stem] for stem in clips["stem"]],
            text=words.titles_of(clips),
            hovertemplate="%{text}: %{x} " + unit + "<extra></extra>",
            hoveron="points",
        )
    finish(figure, f"{name.capitalize()} of each clip", height=max(300, 110 + 46 * len(groups)), showlegend=False)
    figure.update_xaxes(title=f"{name} ({unit})", fixedrange=True)
    figure.update_yaxes(**style.ROWS, fixedrange=True)
    dots_are = "Each dot is a clip" if drawn is table else f"{len(drawn):,} of the clips are drawn, a dot each"
    medians = table.groupby(by)[measure].median()
    middling = name if name.startswith("median") else f"median {name}"
    highest, lowest = medians.idxmax(), medians.idxmin()
    middle = f"{table[measure].median():.1f} {unit}"
    if len(medians) == 1:
        return figure, f"Half of the clips lie below {middle}. {dots_are}. {about}"
    if f"{medians.max():.1f}" == f"{medians.min():.1f}":
        return figure, f"The {middling} is the same for each {words.titles[by]}: {middle}. {dots_are}. {about}"
    return figure, (
        f"The {middling} is highest for {words.said(by, highest)} ({medians[highest]:.1f} {unit}) and lowest for "
        f"{words.said(by, lowest)} ({medians[lowest]:.1f} {unit}); of all clips it is {middle}. {dots_are}; the box "
        f"holds the middle half. {about}"
    )


def split(table: pd.DataFrame) -> tuple[go.Figure, str]:
    """The two parts of the study's split, by class.

    Each bar's `customdata` holds its class and part.

    Parameters
    ----------
    table : pd.DataFrame
        One row a clip, with `label` and `part`, at least one.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    counted = pd.crosstab(table["label"], table["part"]).reindex(
        index=[label for label in LABELS if label in set(table["label"])], columns=["train", "test"], fill_value=0
    )
    names = [title_of(label) for label in counted.index]
    figure = go.Figure()
    colours = [BY_NAME[emotion_of(label)].colour for label in counted.index]
    rims = [MUTED if colour == "#000000" else colour for colour in colours]
    for part, fill, ink in (("train", "rgba(0,0,0,0)", MUTED), ("test", colours, None)):
        figure.add_bar(
            x=counted[part].to_numpy(),
            y=names,
            name=part,
            orientation="h",
            text=counted[part].to_numpy(),
            textangle=0,
            insidetextfont={"color": ink},
            marker={"color": fill, "line": {"color": rims, "width": 1.5}},
            customdata=[[label, part] for label in counted.index],
            hovertemplate="%{y}: %{x} clips in " + part + "<extra></extra>",
        )
    finish(
        figure,
        "The study's split, by class",
        height=110 + 30 * len(names),
        barmode="stack",
        showlegend=False,
    )
    figure.update_xaxes(title="clips (hollow: train, full: test)", fixedrange=True)
    figure.update_yaxes(**style.ROWS, fixedrange=True)
    if table["part"].nunique() == 1:
        (part,) = set(table["part"])
        purpose = "to learn from (train)" if part == "train" else "to be tested on (test)"
        return figure, f"{count_of(len(table))}, all of the part {purpose}."
    share = counted["test"] / counted.sum(axis=1)
    return figure, (
        f"{counted['train'].sum():,} clips to learn from and {counted['test'].sum():,} to be tested on, picked at "
        f"random: the test part has from {percent(share.min())} of {title_of(share.idxmin())} to "
        f"{percent(share.max())} of {title_of(share.idxmax())}. The same actors are in both parts."
    )


def ordered(counted: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rows in display order: emotions as `labels.ordered` has them, all else sorted.

    Parameters
    ----------
    counted : pd.DataFrame
        With the property's values as its index.
    by : str
        Of the titles of `corpus.wording.of(table)`.

    Returns
    -------
    pd.DataFrame
    """
    if by == "emotion":
        return counted.reindex(labels.ordered(counted.index))
    return counted.sort_index()


def _colours(by: str, values) -> list[str]:
    of_emotions = labels.colours(values) if by == "emotion" else {}
    return [of_emotions.get(value, ACCENT) for value in values]
