"""Scores of runs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core.figures.style import ACCENT, MUTED, SEQUENTIAL, finish, interval


def original_and_ours(table: pd.DataFrame) -> tuple[go.Figure, str]:
    """Test accuracy of every model, the original study's beside ours with its 95 % interval.

    Parameters
    ----------
    table : pd.DataFrame
        As `comparison.table` gives it, one row a model.
    """
    table = table.sort_values("test_accuracy")
    names = table["name"]
    figure = go.Figure()
    figure.add_scatter(
        x=table["test_accuracy"],
        y=names,
        error_x=interval(table["test_accuracy"], table["test_low"], table["test_high"], width=4),
        mode="markers",
        marker={"color": ACCENT, "size": 10},
        name="here, with 95 % interval",
        customdata=table[["test_low", "test_high", "cv_accuracy"]],
        hovertemplate="%{y}<br>%{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})"
        "<br>five-fold CV %{customdata[2]:.3f}<extra>here</extra>",
    )
    figure.add_scatter(
        x=table["original_test_accuracy"],
        y=names,
        mode="markers",
        marker={"color": MUTED, "size": 11, "symbol": "diamond-open", "line": {"width": 2}},
        name="the original study",
        hovertemplate="%{y}<br>%{x:.2f}<extra>the original</extra>",
    )
    finish(
        figure,
        f"Accuracy on {table['test_clips'].iloc[0]} test clips, 16 classes",
        height=90 + 30 * len(table),
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    figure.update_layout(margin_t=72)
    lowest = table[["test_low", "original_test_accuracy"]].min().min()
    figure.update_xaxes(title="test clips recognised", range=[lowest - 0.03, 0.95], dtick=0.1, tickformat=".0%")
    figure.update_yaxes(automargin=True)
    with_original = table.dropna(subset=["original_test_accuracy"])
    inside = (with_original["original_test_accuracy"] >= with_original["test_low"] - 1e-9) & (
        with_original["original_test_accuracy"] <= with_original["test_high"] + 1e-9
    )
    above = with_original["original_test_accuracy"] < with_original["test_low"]
    best = table.iloc[-1]
    sentence = (
        f"Of {len(with_original)} models that the study has, {inside.sum()} come out here as it says, within the 95 % "
        f"interval, and {above.sum()} better, with settings of our own; the highest is {best['name']} with "
        f"{best['test_accuracy']:.3f} ({best['test_low']:.3f} to {best['test_high']:.3f})."
    )
    return figure, sentence


def confusion(matrix: np.ndarray, labels: Sequence[str], of_what: str) -> tuple[go.Figure, str]:
    """How often clips of one class were taken for another, as shares of the true class.

    Parameters
    ----------
    matrix : np.ndarray [shape=(k, k), dtype=int]
        True classes are rows.
    labels : sequence of str
        The k classes in words.
    of_what : str
        Whose, e.g. "cnn on 491 test clips".
    """
    clips = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(clips, 1)
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(labels),
            y=list(labels),
            customdata=matrix,
            text=np.where(matrix > 0, matrix.astype(str), ""),
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL,
            texttemplate="%{text}",
            xgap=1,
            ygap=1,
            colorbar={"title": "of the<br>true class", "tickformat": ".0%", "thickness": 12},
            hovertemplate="%{y}<br>taken for %{x}: %{customdata} clips (%{z:.0%})<extra></extra>",
        )
    )
    figure.update_xaxes(title="what it was taken for", tickangle=-50, automargin=True)
    figure.update_yaxes(title="what it is", autorange="reversed", automargin=True)
    finish(figure, f"What {of_what} confuses", height=560)
    wrong = matrix - np.diag(np.diag(matrix))
    truth, given = np.unravel_index((wrong / np.maximum(clips, 1)).argmax(), matrix.shape)
    sentence = (
        f"{np.trace(matrix)} of {matrix.sum()} clips are named right (the diagonal). Most often confused for its size: "
        f"{labels[truth]}, of whose {clips[truth, 0]} clips {wrong[truth, given]} were taken for {labels[given]}."
    )
    return figure, sentence
