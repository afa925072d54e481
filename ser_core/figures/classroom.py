"""What a class heard: people beside the model, and the clips that divide the class."""

import pandas as pd
import plotly.graph_objects as go

from ser_core.corpus.labels import BY_NAME
from ser_core.figures.style import ACCENT, ACCURACY, LEGEND_BELOW, MUTED, ROWS, SECOND, finish, interval, percent
from ser_core.listening.scores import Score

MODEL_ROW = "The model"
FONT = {"size": 15}  # larger than elsewhere: it is read across a room


def people_and_model(people: Score, model: Score, each: pd.Series, choices: int) -> tuple[go.Figure, str]:
    """Accuracy of a class and of a model on the same clips, with 95% intervals, and of each listener.

    Parameters
    ----------
    people, model : Score
        As `scores.score` gives them. The interval of several people is over listeners, the model's over clips.
    each : pd.Series
        The accuracy of each listener.
    choices : int
        Number of possible answers: one over it is chance.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    row = f"The class ({people.listeners})"
    figure = go.Figure()
    counted = each.round(6).value_counts()
    figure.add_scatter(
        x=counted.index,
        y=[row] * len(counted),
        mode="markers",
        marker={"color": MUTED, "size": 8 + 4 * counted**0.5, "opacity": 0.5},
        customdata=counted,
        hovertemplate="%{customdata} with %{x:.0%}<extra></extra>",
        name="each listener",
    )
    for name, score, colour in ((row, people, ACCENT), (MODEL_ROW, model, SECOND)):
        value, low, high = (pd.Series([one]) for one in (score.accuracy, score.low, score.high))
        figure.add_scatter(
            x=value,
            y=[name],
            error_x=interval(value, low, high, width=8),
            mode="markers",
            marker={"color": colour, "size": 16},
            hovertemplate=f"{percent(score.accuracy)} ({percent(score.low)} to {percent(score.high)})<extra></extra>",
            name=f"{name.lower()}, with 95% interval",
        )
    figure.add_vline(x=1 / choices, line={"color": MUTED, "dash": "dot"}, annotation_text="chance")
    finish(figure, "Clips named right, by people and by the model", height=250, showlegend=False, font=FONT)
    figure.update_xaxes(range=[-0.03, 1.03], **ACCURACY)
    figure.update_yaxes(**ROWS)
    return figure, (
        f"Of the same {model.answers} clips, {people.listeners} people named {percent(people.accuracy)} right "
        f"({percent(people.low)} to {percent(people.high)}, with other people on these clips), the model "
        f"{percent(model.accuracy)} ({percent(model.low)} to {percent(model.high)}, with other clips). "
        "Grey: each person."
    )


def divided(votes: pd.DataFrame, clips: pd.DataFrame) -> tuple[go.Figure, str]:
    """The answers to each clip as one bar, the clip that divides the class most on top.

    Parameters
    ----------
    votes : pd.DataFrame [index=clip, columns=emotions, dtype=int]
        As `scores.votes` has them.
    clips : pd.DataFrame
        As `classroom.statistics.Heard` has them: `clip`, `most`, `share`, `entropy`, `truth` and `model`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    rows = [f"Clip {clip}: {truth}" for clip, truth in zip(clips["clip"], clips["truth"], strict=True)]
    ordered = votes.loc[clips["clip"]]
    shares = ordered.div(ordered.sum(axis=1), axis=0)
    figure = go.Figure()
    for emotion in votes.columns:
        figure.add_bar(
            y=rows,
            x=shares[emotion],
            orientation="h",
            name=emotion,
            marker={
                "color": BY_NAME[emotion].colour if emotion in BY_NAME else ACCENT,
                "line": {"color": MUTED, "width": 0.5},
            },
            customdata=ordered[emotion],
            hovertemplate="%{y}<br>" + emotion + ": %{customdata} (%{x:.0%})<extra></extra>",
        )
    finish(
        figure,
        "What the class heard in each clip",
        height=130 + 34 * len(rows),
        barmode="stack",
        font=FONT,
        legend=LEGEND_BELOW | {"traceorder": "normal"},
    )
    figure.update_xaxes(title="of the answers", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(**ROWS)
    return figure, _most_divided(clips)


def _most_divided(clips: pd.DataFrame) -> str:
    first, agreed = clips.iloc[0], clips.loc[clips["share"] == 1, "clip"]
    if len(agreed) == len(clips):
        return "No clip divides the class: each has one answer alone."
    numbers = ", ".join(map(str, sorted(agreed)))
    return (
        f"Clip {first['clip']} divides the class most: it is {first['truth']}, the commonest answer is "
        f"{first['most']} ({percent(first['share'])}), and the model says {first['model']}."
        + (f" All agree on clip{'s' if len(agreed) > 1 else ''} {numbers}." if numbers else "")
    )
