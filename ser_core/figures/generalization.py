"""Figures of speaker dependence: scores from the easiest protocol to the hardest, and what helps."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core.evaluation import paired_tests, protocols
from ser_core.figures.style import (
    ACCENT,
    ACCURACY,
    LEGEND_ABOVE,
    LEGEND_BELOW,
    MUTED,
    ROWS,
    SECOND,
    SEQUENTIAL,
    finish,
    interval,
)
from ser_core.results import robustness
from ser_core.results.generalization import RECORDING, fall

NAMES = {
    "study": "random<br>clips",
    "repetition": "other<br>take",
    "statement": "other<br>sentence",
    "actors-6": "other<br>people",
    "emobox": "other people,<br>speech alone",
    RECORDING: "other<br>recording",
}


def ladder(table: pd.DataFrame, name: str, chance: float) -> tuple[go.Figure, str]:
    """A model's accuracy from the easiest protocol to the hardest, with 95% intervals.

    Parameters
    ----------
    table : pd.DataFrame
        As `generalization.ladder` gives it.
    name : str
        The model's name.
    chance : float
        Accuracy of guessing.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    rows = [NAMES.get(name) or f"other corpus:<br>{protocols.corpus_of(name)}" for name in table["protocol"]]
    figure = go.Figure(
        go.Scatter(
            x=table["accuracy"],
            y=rows,
            error_x=interval(table["accuracy"], table["low"], table["high"], thickness=2, width=6),
            mode="lines+markers+text",
            text=[f"{value:.0%}" for value in table["accuracy"]],
            textposition="top left",  # the line goes on at the right
            cliponaxis=False,
            textfont={"size": 15},
            line={"color": ACCENT, "width": 2, "dash": "dot"},
            marker={"color": ACCENT, "size": 13},
            customdata=table[["heard", "low", "high", "clips"]],
            hovertemplate="tested on %{customdata[0]}<br>%{x:.3f} (%{customdata[1]:.3f} to %{customdata[2]:.3f}) of "
            "%{customdata[3]:,} clips<extra></extra>",
        )
    )
    figure.add_vline(
        x=chance,
        line={"color": MUTED, "dash": "dash", "width": 1},
        annotation_text=f"guessing: {chance:.0%}",
        annotation_position="top right",  # the first point, at the top, is never near the line
    )
    figure.update_xaxes(**ACCURACY, range=[0, 1.02])
    figure.update_yaxes(**ROWS | {"autorange": False}, range=[len(rows) - 0.6, -0.6])
    return finish(figure, f"{name}, from the kindest test to the hardest", height=90 + 55 * len(rows)), fall(
        table, name
    )


def known_and_new(table: pd.DataFrame, people: float) -> tuple[go.Figure, str]:
    """How often a few models are right: of voices that they know, and of voices never heard.

    Parameters
    ----------
    table : pd.DataFrame
        As `generalization.known_and_new` gives it.
    people : float
        The accuracy of people who listen.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    looks = {
        "new": ("voices never heard", ACCENT, "circle", "top left"),  # beside the line of people, not on it
        "known": ("voices it knows", MUTED, "diamond", "top center"),
    }
    for voices, (title, colour, symbol, where) in looks.items():
        rows = table[table["voices"] == voices]
        figure.add_scatter(
            x=rows["accuracy"],
            y=rows["name"],
            error_x=interval(rows["accuracy"], rows["low"], rows["high"], width=5),
            mode="markers+text",
            cliponaxis=False,
            text=[f"{value:.0%}" for value in rows["accuracy"]],
            textposition=where,
            marker={"color": colour, "size": 13, "symbol": symbol},
            name=title,
            customdata=rows[["low", "high", "clips"]],
            hovertemplate="%{y}<br>%{x:.0%} (%{customdata[0]:.0%} to %{customdata[1]:.0%}) of %{customdata[2]:,} clips"
            f"<extra>{title}</extra>",
        )
    names = list(table["name"].unique())
    figure.add_scatter(
        x=[people] * 3,
        y=[names[0], names[len(names) // 2], names[-1]],
        mode="lines",
        line={"color": MUTED, "dash": "dot"},
        name=f"people who only listen, {people:.0%}",
        hoverinfo="skip",
    )
    figure.update_xaxes(**ACCURACY, range=[0, 1.02])
    figure.update_yaxes(**ROWS | {"autorange": False}, range=[len(names) - 0.6, -0.6])
    finish(figure, "Emotions recognised, of eight: known voices and new ones", height=330, legend=LEGEND_ABOVE)
    said = table.pivot(index="name", columns="voices", values="accuracy").loc[table["name"].unique()]
    each = "; ".join(f"{name}: {row.known:.0%} and {row.new:.0%}" for name, row in said.iterrows())
    return figure, f"Right of known voices and of new ones, with 95% intervals. {each}."


def unheard(ours: pd.DataFrame, published: pd.DataFrame, people: float, title: str) -> tuple[go.Figure, str]:
    """Our speaker-independent runs beside published results; those of other folds are grey.

    Parameters
    ----------
    ours, published : pd.DataFrame
        As `generalization.unheard` and `generalization.published` give them; `ours` with `label`, each run's title.
    people : float
        Human accuracy.
    title : str

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    like, other = published[published["why_not"] == ""], published[published["why_not"] != ""]
    for rows, name, colour, opacity in (
        (other, "published, on other folds: not to be compared", MUTED, 0.35),
        (like, "published, on the same folds", SECOND, 1.0),
    ):
        figure.add_scatter(
            x=rows["value"],
            y=rows["system"],
            mode="markers",
            marker={"color": colour, "size": 11, "symbol": "diamond", "opacity": opacity},
            name=name,
            customdata=rows[["measure", "source", "why_not", "but"]],
            hovertemplate="%{y}<br>%{x:.3f} %{customdata[0]}<br>%{customdata[1]}<br>%{customdata[2]}"
            "<br>%{customdata[3]}<extra></extra>",
        )
    figure.add_scatter(
        x=ours["ua"],
        y=ours["label"],
        error_x=interval(ours["accuracy"], ours["low"], ours["high"]),
        mode="markers",
        marker={"color": ACCENT, "size": 11},
        name="run here",
        customdata=ours[["accuracy", "low", "high"]],
        hovertemplate="%{y}<br>UA %{x:.3f}<br>accuracy %{customdata[0]:.3f} (%{customdata[1]:.3f} to "
        "%{customdata[2]:.3f} over actors)<extra></extra>",
    )
    order = pd.concat([ours.set_index("label")["ua"], published.set_index("system")["value"]]).sort_values()
    figure.add_vline(
        x=people,
        line={"color": MUTED, "width": 1.5, "dash": "dash"},
        annotation_text=f"people: {people:.0%}",
        annotation_position="top left",
    )
    figure.update_yaxes(categoryorder="array", categoryarray=order.index.tolist(), automargin=True)
    figure.update_xaxes(
        title="emotions recognised<br>(UA: mean over<br>emotions and folds)",
        tickformat=".0%",
        range=[min([0.3, *(ours["low"] - 0.02)]), 0.87],
    )
    finish(figure, title, height=150 + 26 * len(order), legend=LEGEND_BELOW)
    if ours.empty:
        return figure, "No run of ours has been made under these folds yet."
    best = ours.iloc[0]
    below = like[like["value"] < best["ua"]]
    sentence = f"The best here, {best['label']}, recognises {best['ua']:.0%}"
    if len(like):
        sentence += f", more than {len(below)} of the {len(like)} published systems on the same folds"
    return figure, f"{sentence}. Intervals are of the accuracy, over actors."


PROTOCOLS = {
    "study": ("actors it has heard: the study's test clips", MUTED, "diamond"),
    "emobox": ("actors it has never heard: EmoBox's folds", ACCENT, "circle"),
}


def ideas(table: pd.DataFrame) -> tuple[go.Figure, str]:
    """The gain of each idea in points of accuracy, on seen and on unseen actors.

    Parameters
    ----------
    table : pd.DataFrame
        As `generalization.ideas` gives it.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    for protocol, (name, colour, symbol) in PROTOCOLS.items():
        _add_gains(
            figure,
            table[table["protocol"] == protocol],
            "idea",
            name=name,
            marker={"color": colour, "size": 10, "symbol": symbol},
            hovertemplate="%{y}<br>from %{customdata[0]:.3f} to %{customdata[1]:.3f} on %{customdata[3]:,} clips<br>"
            "%{customdata[2]}<extra></extra>",
        )
    _finish_gains(figure, "the idea")
    finish(figure, "What each idea adds", height=160 + 34 * table["idea"].nunique(), legend=LEGEND_BELOW)
    sentences = []
    for protocol, where in (("study", "heard"), ("emobox", "never heard")):
        rows = table[table["protocol"] == protocol]
        surely = rows[rows["p"] < 0.05]
        helps, harms = (surely["gain"] > 0).sum(), surely.loc[surely["gain"] < 0, "idea"]
        but = f", and {', '.join(harms.str[0].str.lower() + harms.str[1:])} surely harms" if len(harms) else ""
        sentences.append(f"on actors {where} {helps} of {len(rows)} ideas surely help{but}")
    unheard = table[table["protocol"] == "emobox"]
    most = unheard.loc[unheard["gain"].idxmax()] if len(unheard) else None
    sentence = f"{'; '.join(sentences).capitalize()} (p < 0.05 once corrected for {len(table)} tests)."
    if most is not None:
        sentence += (
            f" Most is gained by {most['idea'][0].lower()}{most['idea'][1:]} on actors never heard: "
            f"{100 * most['gain']:.0f} points, from {most['before']:.0%} to {most['after']:.0%} of eight emotions."
        )
    return figure, sentence


def song(table: pd.DataFrame) -> tuple[go.Figure, str]:
    """The gain of song among the training clips, in points of accuracy on the same spoken test clips.

    Parameters
    ----------
    table : pd.DataFrame
        As `generalization.song_helps` gives it.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    _add_gains(
        figure,
        table.rename(columns={"without": "before", "with_song": "after"}),
        "name",
        marker={"color": ACCENT, "size": 11},
        hovertemplate="%{y}<br>%{customdata[0]:.3f} without song, %{customdata[1]:.3f} with it, on "
        "%{customdata[3]} spoken clips<br>%{customdata[2]}<extra></extra>",
    )
    _finish_gains(figure, "song")
    finish(figure, "Does it help to learn from song, too?", height=110 + 34 * len(table))
    sure = table[table["p"] < 0.05]
    clips = int(table["clips"].max()) if len(table) else 0
    return figure, (
        f"On the same {clips} spoken test clips, song among the training clips changes accuracy by "
        f"{100 * table['gain'].min():+.1f} to {100 * table['gain'].max():+.1f} points. For {len(sure)} of {len(table)} "
        "models that is more than chance (McNemar, corrected). The study says that song helped every model."
    )


def _add_gains(figure: go.Figure, rows: pd.DataFrame, of: str, **look) -> None:
    """Add the gain of each row's idea or model, in points of accuracy with its interval, the first at the top."""
    rows = rows.iloc[::-1]
    figure.add_scatter(
        x=100 * rows["gain"],
        y=rows[of],
        error_x=interval(100 * rows["gain"], 100 * rows["low"], 100 * rows["high"]),
        mode="markers",
        customdata=rows.assign(p=rows["p"].map(paired_tests.in_words))[["before", "after", "p", "clips"]],
        **look,
    )


def _finish_gains(figure: go.Figure, what: str) -> None:
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    figure.update_xaxes(title=f"points of accuracy<br>that {what} adds,<br>with 95% interval")
    figure.update_yaxes(automargin=True)


def conditions(table: pd.DataFrame, title: str) -> tuple[go.Figure, str]:
    """The accuracy of models in each recording condition, as a heat map.

    Parameters
    ----------
    table : pd.DataFrame
        As `robustness.table` gives it.
    title : str

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    models = table["model"].unique()
    shown = {
        name: table.pivot(index="title", columns="model", values=name).loc[table["title"].unique(), models]
        for name in ("accuracy", "low", "high", "claims", "same")
    }
    figure = go.Figure(
        go.Heatmap(
            z=shown["accuracy"],
            x=models,
            y=shown["accuracy"].index,
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL,
            texttemplate="%{z:.0%}",
            xgap=2,
            ygap=2,
            customdata=np.stack([shown[name] for name in ("low", "high", "claims", "same")], axis=-1),
            hovertemplate="%{x}<br>%{y}: %{z:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})<br>it claims "
            "%{customdata[2]:.0%}<br>same answer as recorded: %{customdata[3]:.0%}<extra></extra>",
            showscale=False,
        )
    )
    figure.update_yaxes(**ROWS)
    figure.update_xaxes(side="top", automargin=True)
    finish(figure, title, height=90 + 25 * len(shown["accuracy"]))
    return figure, " ".join(robustness.in_words(table, model) for model in models)


def small_changes(table: pd.DataFrame, title: str) -> tuple[go.Figure, str]:
    """How often one model keeps its answer under each change, beside what large networks reach.

    Parameters
    ----------
    table : pd.DataFrame
        The rows of one model, as `robustness.small_changes` gives them.
    title : str

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    figure.add_bar(
        y=table["change"],
        x=table["published_high"] - table["published_low"],
        base=table["published_low"],
        orientation="h",
        width=0.5,
        marker={"color": MUTED, "opacity": 0.45},
        name="four large networks, lowest to highest",
        customdata=table[["published_low", "published_high"]],
        hovertemplate="%{y}<br>%{customdata[0]:.2f} to %{customdata[1]:.2f}<extra></extra>",
    )
    figure.add_scatter(
        y=table["change"],
        x=table["same"],
        error_x=interval(table["same"], table["low"], table["high"]),
        mode="markers",
        marker={"color": ACCENT, "size": 11},
        name="this model",
        customdata=table[["low", "high", "lowest", "uar_change"]],
        hovertemplate="%{y}<br>%{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})<br>lowest %{customdata[2]:.3f}"
        "<br>UAR %{customdata[3]:+.3f}<extra></extra>",
    )
    figure.update_yaxes(type="category", automargin=True, range=[len(table) - 0.5, -0.5])  # the first on top
    figure.update_xaxes(title="clips with<br>the same answer", tickformat=".0%")
    finish(figure, title, height=160 + 26 * len(table), legend=LEGEND_BELOW)
    return figure, robustness.changes_in_words(table, table["model"].iloc[0])
