"""Figures that compare runs: confusions, recall by group, paired errors, calibration, speakers, overfitting."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core import evaluation
from ser_core.corpus import TITLES, said
from ser_core.corpus.clips import without_zeros
from ser_core.corpus.labels import GENDERS, LABELS, emotion_of, gender_of, title_of
from ser_core.figures import style
from ser_core.figures.style import ACCENT, MUTED, SECOND, add_diagonal, count_of, finish, interval, percent

COLOURS = (ACCENT, SECOND, MUTED, "#A8577E")  # of the first to the fourth run
SYMBOLS = ("circle", "diamond", "square", "triangle-up")
SHARES = {"row": "of what it is", "column": "of what was named", "count": "in clips"}
DIVERGING = "PuOr"  # distinguishable with colour blindness, white in the middle
_HEIGHTS = {"class": 590, "emotion": 430, "gender": 290}
_SIGNS = {"female": "♀", "male": "♂"}


def _short(value: str) -> str:
    """A class, an emotion or a gender in words, short enough for the rows of a 16 × 16 matrix: "Angry ♀"."""
    return f"{emotion_of(value).capitalize()} {_SIGNS[gender_of(value)]}" if value in LABELS else value.capitalize()


def _shorter(value: str) -> str:
    """And for its columns, which stand in the order of its rows: "An" above "♀"; of emotions alone, "Ang"."""
    if value in LABELS:
        return f"{emotion_of(value)[:2].capitalize()}<br>{_SIGNS[gender_of(value)]}"
    return value.capitalize() if value in GENDERS else value[:3].capitalize()


def confusion(
    matrix: np.ndarray,
    kind: str,
    title: str,
    *,
    share: str = "row",
    top: int | None = None,
    values: Sequence[str] = (),
) -> tuple[go.Figure, str]:
    """A confusion matrix. Each cell's `customdata` is its true and predicted class.

    Parameters
    ----------
    matrix : np.ndarray [shape=(k, k), dtype=int]
        True classes are rows.
    kind : str
        "class", "emotion" or "gender".
    title : str
    share : str
        Of `SHARES`: normalised by true class ("row"), by predicted class ("column"), or counts.
    top : int, optional
        Where clips are counted, the end of the colour scale, which matrices side by side share.
    values : sequence of str [shape=(k,)], optional
        Of the rows and columns, as `evaluation.values_of` has them; by default, those of the 16 classes.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    values = values or evaluation.KINDS[kind][0]
    z, end = (matrix, top or matrix.max()) if share == "count" else (_shares(matrix, share), 1)
    key, tickformat = ("clips", "d") if share == "count" else (f"share {SHARES[share]}", ".0%")
    words = "{counts} clips" + (" ({share:.0%})" if share != "count" else "")
    figure = _cells(z, matrix, values, words, key, tickformat, zmin=0, zmax=end, colorscale=style.SEQUENTIAL)
    finish(figure, title, height=_HEIGHTS[kind], hoverdistance=-1)
    clips = matrix.sum(axis=1)
    wrong = matrix - np.diag(np.diag(matrix))
    truth, given = np.unravel_index((wrong / np.maximum(clips, 1)[:, None]).argmax(), matrix.shape)
    sentence = f"{np.trace(matrix):,} of {matrix.sum():,} clips are named right (the diagonal)."
    if number := wrong[truth, given]:
        sentence += (
            f" Most often confused for its size: of {count_of(clips[truth])} of {title_of(values[truth])}, "
            f"{number} {'was' if number == 1 else 'were'} taken for {title_of(values[given])}."
        )
    return figure, sentence


def difference(
    one: np.ndarray, other: np.ndarray, kind: str, names: Sequence[str], *, values: Sequence[str] = ()
) -> tuple[go.Figure, str]:
    """One confusion matrix minus another, coloured by share of the true class, with counts.

    Parameters
    ----------
    one, other : np.ndarray [shape=(k, k), dtype=int]
    kind : str
    names : sequence of str
        The titles of the two runs.
    values : sequence of str [shape=(k,)], optional
        As `confusion` takes them.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    values, less = values or evaluation.KINDS[kind][0], one - other
    z = _shares(one, "row") - _shares(other, "row")
    end = max(0.01, np.abs(z).max())
    key = f"purple: more often by {names[0]}; orange: by {names[1]}"
    words = "{counts:+d} clips ({share:+.0%} of what it is)"
    figure = _cells(z, less, values, words, key, "+.0%", zmin=-end, zmax=end, colorscale=DIVERGING)
    figure.update_traces(selector={"type": "heatmap"}, text=np.where(less != 0, np.char.mod("%+d", less), ""))
    finish(figure, f"{names[0]} less {names[1]}", height=_HEIGHTS[kind], hoverdistance=-1)
    right = np.diag(less)
    return figure, (
        f"Purple cells were named more often by {names[0]}, orange ones by {names[1]}. On the diagonal, where both are "
        f"right, {names[0]} has more clips in {(right > 0).sum()} of {len(values)} and fewer in {(right < 0).sum()}."
    )


def _shares(matrix: np.ndarray, share: str) -> np.ndarray:
    return matrix / np.maximum(matrix.sum(axis=1 if share == "row" else 0, keepdims=True), 1)


def _cells(
    z: np.ndarray, counts: np.ndarray, values: Sequence[str], words: str, key: str, tickformat: str, **look
) -> go.Figure:
    """A heat map with the counts in it; each cell's `customdata` is its true and predicted value."""
    ticks = {value: _short(value) for value in values}
    columns = list(ticks.values()) * len(ticks)
    texts = [
        f"{column}: {words.format(counts=number, share=share)}"
        for column, number, share in zip(columns, counts.flat, z.flat, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=z,
            x=list(ticks.values()),
            y=list(ticks.values()),
            text=np.where(counts != 0, counts.astype(str), ""),
            texttemplate="%{text}",
            xgap=1,
            ygap=1,
            colorbar={"orientation": "h", "y": 1.01, "yanchor": "bottom", "ypad": 2, "thickness": 10, "nticks": 5}
            | {"title": {"text": key, "side": "top"}, "tickformat": tickformat},
            hoverinfo="skip",
            **look,
        )
    )
    edges = {"automargin": True, "fixedrange": True, "dtick": 1, "type": "category"}
    last = len(ticks) - 0.5
    figure.update_xaxes(title="what was named", range=[-0.5, last], tickangle=0, **edges)
    figure.update_xaxes(tickvals=list(ticks.values()), ticktext=list(map(_shorter, ticks)))
    figure.update_yaxes(title="what it is", range=[last, -0.5], **edges)
    hover = "is %{y}<br>named %{text}<extra></extra>"
    return style.add_clickable_cells(figure, ticks, ticks, texts, hovertemplate=hover, size=16, glow=0.45)


def by_value(tables: dict[str, pd.DataFrame], prop: str) -> tuple[go.Figure, str]:
    """The accuracy of each run by class, gender, channel, ..., with 95% intervals.

    Parameters
    ----------
    tables : dict
        Run title -> as `evaluation.by_property` gives it.
    prop : str
        The property, or "class".

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    for (name, table), colour in zip(tables.items(), COLOURS, strict=False):
        against = MUTED if colour != MUTED else ACCENT
        figure.add_bar(
            x=table["accuracy"],
            y=[_value(prop, value) for value in table["value"]],
            orientation="h",
            name=name,
            marker={"color": colour},
            error_x=interval(table["accuracy"], table["low"], table["high"], thickness=1, width=2, color=against),
            customdata=table[["clips", "low", "high"]],
            hovertemplate="%{y}<br>%{x:.0%} of %{customdata[0]} clips (%{customdata[1]:.0%} to %{customdata[2]:.0%})"
            f"<extra>{name}</extra>",
        )
    first = next(iter(tables.values()))
    what = "class" if prop == "class" else TITLES[prop]
    figure.update_xaxes(title="clips named right, with 95% interval", tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(**style.ROWS)
    height = 130 + len(first) * (14 + 12 * len(tables))
    finish(figure, f"Who names what right, by {what}", height=height, barmode="group", legend=style.LEGEND_ABOVE)
    shares = pd.DataFrame({name: table.set_index("value")["accuracy"] for name, table in tables.items()})
    spread = (shares.max(axis=1) - shares.min(axis=1)).idxmax()
    return figure, (
        f"The runs differ most on {_value(prop, spread)}: from {percent(shares.loc[spread].min())} "
        f"({shares.loc[spread].idxmin()}) to {percent(shares.loc[spread].max())} ({shares.loc[spread].idxmax()}). "
        f"{next(iter(tables))} is best on {_value(prop, shares.iloc[:, 0].idxmax())} and worst on "
        f"{_value(prop, shares.iloc[:, 0].idxmin())}. Where intervals overlap widely, the difference may be chance."
    )


def _value(prop: str, value) -> str:
    return title_of(value) if prop == "class" else said(prop, value)


def who_is_right(gains: pd.DataFrame, names: Sequence[str]) -> tuple[go.Figure, str]:
    """Clips that one run alone predicts correctly; each bar's `customdata` is "first" or "second", and the class.

    Parameters
    ----------
    gains : pd.DataFrame
        As `vote_gains.by_class` gives it of the two.
    names : sequence of str
        Their titles.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    ticks = [title_of(value) for value in gains["truth"]]
    figure = go.Figure()
    for name, column, sign, colour, of in (
        (names[0], "only_whole", 1, ACCENT, "first"),
        (names[1], "only_member", -1, SECOND, "second"),
    ):
        figure.add_bar(
            x=sign * gains[column],
            y=ticks,
            orientation="h",
            name=f"only {name} is right",
            marker={"color": colour},
            text=[str(number) if number else "" for number in gains[column]],
            textposition="outside",
            cliponaxis=False,
            customdata=[[of, value] for value in gains["truth"]],
            hovertemplate=f"%{{y}}<br>%{{text}} clips that only {name} names right<extra></extra>",
        )
    end = 1.2 * max(1, gains[["only_whole", "only_member"]].max().max())
    figure.update_xaxes(title="clips", range=[-end, end], showticklabels=False, fixedrange=True)
    figure.update_yaxes(**style.ROWS, fixedrange=True)
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    title = f"Where {names[0]} is right and {names[1]} is wrong, and the reverse"
    finish(figure, title, height=150 + 24 * len(gains), barmode="overlay", legend=style.LEGEND_ABOVE)
    one, other = gains["only_whole"].sum(), gains["only_member"].sum()
    sentence = f"{one} clips are named right by {names[0]} alone, and {other} by {names[1]} alone."
    return figure, sentence


def gained(gains: dict[str, pd.DataFrame], vote: str) -> tuple[go.Figure, str]:
    """Clips that a vote predicts correctly more (or fewer) than each of its members, class by class.

    Parameters
    ----------
    gains : dict
        Member's title -> as `vote_gains.by_class` gives it.
    vote : str
        The vote's title.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    by_class = {name: table.set_index("truth") for name, table in gains.items()}
    net = pd.DataFrame({name: table["only_whole"] - table["only_member"] for name, table in by_class.items()})
    figure = go.Figure()
    for name, colour in zip(net, COLOURS, strict=False):
        figure.add_bar(
            x=net[name],
            y=[title_of(value) for value in net.index],
            orientation="h",
            name=f"over {name}",
            marker={"color": colour},
            hovertemplate=f"%{{y}}<br>%{{x:+d}} clips<extra>{vote} over {name}</extra>",
        )
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    figure.update_xaxes(title="clips more (or fewer) named right by the vote")
    figure.update_yaxes(**style.ROWS)
    height = 130 + len(net) * (14 + 9 * len(gains))
    finish(figure, f"What {vote} gains over its members", height=height, barmode="group", legend=style.LEGEND_ABOVE)
    clips = next(iter(gains.values()))["clips"].sum()
    listed = ", ".join(f"{net[name].sum():+d} over {name}" for name in net)
    return figure, f"Of {clips:,} clips {vote} gains in all {listed}. To the right of the line the vote is better."


def reliability(tables: dict[str, pd.DataFrame], errors: dict[str, float]) -> tuple[go.Figure, str]:
    """A reliability diagram: accuracy against mean confidence; a calibrated run is on the dotted line.

    Parameters
    ----------
    tables : dict
        Run title -> as `evaluation.calibration` gives it.
    errors : dict
        Run title -> its expected calibration error.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    add_diagonal(figure, "as good as its word")
    for (name, table), colour, symbol in zip(tables.items(), COLOURS, SYMBOLS, strict=False):
        figure.add_scatter(
            x=table["claimed"],
            y=table["right"],
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"size": 6 + 14 * np.sqrt(table["clips"] / table["clips"].sum()), "symbol": symbol},
            name=name,
            customdata=table[["clips"]],
            hovertemplate="claims to be %{x:.0%} sure, is right in %{y:.0%}<br>of %{customdata[0]} clips"
            f"<extra>{name}</extra>",
        )
    figure.update_xaxes(title="how sure it claims to be", tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title="how often it is right", tickformat=".0%", range=[0, 1.02])
    finish(figure, "Is it as often right as it claims?", height=460, legend=style.LEGEND_ABOVE)
    said_of_each = []
    for name, table in tables.items():
        claimed, right = (np.average(table[column], weights=table["clips"]) for column in ("claimed", "right"))
        how = "too sure" if claimed - right > 0.02 else "not sure enough" if right - claimed > 0.02 else "about right"
        said_of_each.append(
            f"{name} claims {percent(claimed)} on average and is right in {percent(right)}: {how} "
            f"(expected calibration error {errors[name]:.3f})"
        )
    return figure, "; ".join(said_of_each) + ". Below the line is too sure; a large dot stands for many clips."


def speakers(
    tables: dict[str, pd.DataFrame], genders: dict[str, str], *, called: str = "actors"
) -> tuple[go.Figure, str]:
    """The accuracy of each run by speaker, one dot a speaker.

    Parameters
    ----------
    tables : dict
        Run title -> as `evaluation.by_property` gives it for "speaker".
    genders : dict
        Speaker -> gender.
    called : {"actors", "speakers"}

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    one = called.removesuffix("s")
    article = "An" if one == "actor" else "A"
    figure = go.Figure()
    everyone = pd.concat([table.assign(run=name) for name, table in tables.items()])
    of_each = everyone["value"].map(genders)
    for gender, symbol in (("female", "circle"), ("male", "diamond-open"), ("", "square")):
        rows = everyone[of_each == gender if gender else ~of_each.isin(GENDERS)]
        if rows.empty and not gender:  # all genders are known
            continue
        figure.add_scatter(
            x=rows["accuracy"].tolist(),
            y=rows["run"].tolist(),
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": ACCENT if gender == "female" else SECOND, "line_width": 2},
            opacity=0.8,
            name=f"{gender} {one}".strip(),
            customdata=[[without_zeros(row.value), row.clips] for row in rows.itertuples()],
            hovertemplate=one.capitalize() + " %{customdata[0]}: %{x:.0%} of %{customdata[1]} clips<extra></extra>",
        )
    figure.update_xaxes(title=f"clips of {article.lower()} {one} named right", tickformat=".0%")
    figure.update_yaxes(**style.ROWS)
    finish(figure, "Does it work for everybody?", height=140 + 56 * len(tables), legend=style.LEGEND_ABOVE)
    said_of_each = []
    for name, table in tables.items():
        low, high = table.loc[table["accuracy"].idxmin()], table.loc[table["accuracy"].idxmax()]
        said_of_each.append(
            f"{name}: from {percent(low['accuracy'])} ({one} {without_zeros(low['value'])}) to "
            f"{percent(high['accuracy'])} ({one} {without_zeros(high['value'])}), standard deviation "
            f"{100 * table['accuracy'].std():.0f} points"
        )
    clips = next(iter(tables.values()))["clips"]
    return figure, f"{'; '.join(said_of_each)}. {article} {one} has {clips.min()} to {clips.max()} of the clips."


def gap(table: pd.DataFrame) -> tuple[go.Figure, str]:
    """Accuracy on the training clips, in cross-validation, and on the test clips.

    Parameters
    ----------
    table : pd.DataFrame
        As `comparison.table` gives it.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    for row in table.itertuples():
        figure.add_scatter(
            x=[row.test_accuracy, row.train_accuracy],
            y=[row.label] * 2,
            mode="lines",
            line={"color": MUTED, "width": 3},
            showlegend=False,
            hoverinfo="skip",
        )
    for column, name, colour, symbol in (
        ("train_accuracy", "clips that it learned from", MUTED, "circle-open"),
        ("cv_accuracy", "five-fold cross-validation", SECOND, "diamond"),
        ("test_accuracy", "test clips", ACCENT, "circle"),
    ):
        figure.add_scatter(
            x=table[column],
            y=table["label"],
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 12, "line_width": 2},
            name=name,
            hovertemplate=f"%{{y}}<br>%{{x:.3f}}<extra>{name}</extra>",
        )
    figure.update_xaxes(**style.ACCURACY)
    figure.update_yaxes(**style.ROWS)
    finish(figure, "How much was learned by heart?", height=140 + 46 * len(table), legend=style.LEGEND_ABOVE)
    listed = "; ".join(f"{row.label} {100 * row.gap:.0f} points" for row in table.itertuples())
    return figure, f"Accuracy on the clips that it learned from less that on the test clips: {listed}."


def numbered(speakers: pd.Series) -> pd.Series:
    """Speakers as numbers, which sort as such, if all of them are numbers.

    Parameters
    ----------
    speakers : pd.Series of str

    Returns
    -------
    pd.Series
    """
    return speakers.astype(int) if speakers.str.isdecimal().all() else speakers


def clip_table(rows: pd.DataFrame, labels: dict[str, str], clips: pd.DataFrame) -> pd.DataFrame:
    """A table of clips for people: true class, each run's prediction, speaker, and further columns of the corpus.

    Parameters
    ----------
    rows : pd.DataFrame
        Of `differences.beside`.
    labels : dict
        Run id -> title.
    clips : pd.DataFrame
        The index of RAVDESS' clips. Clips of other corpora get no further columns.

    Returns
    -------
    pd.DataFrame
    """
    more = clips.set_index("stem")[["channel", "intensity", "statement"]].reindex(rows["clip"]).set_index(rows.index)
    more.insert(2, TITLES["speaker"], numbered(rows["speaker"]))
    named = {labels[name]: rows[name].map(title_of) for name in rows if name in labels}
    table = pd.DataFrame({"truth": rows["truth"].map(title_of), **named, **more, "clip": rows["clip"]})
    return table.dropna(axis="columns", how="all")
