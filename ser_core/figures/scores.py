"""Scores of runs."""

import pandas as pd
import plotly.graph_objects as go

from ser_core.figures.style import ACCENT, LEGEND_ABOVE, MUTED, finish, interval


def original_and_ours(table: pd.DataFrame) -> tuple[go.Figure, str]:
    """Test accuracy of every model, the original study's beside ours with its 95% interval.

    Parameters
    ----------
    table : pd.DataFrame
        As `comparison.table` gives it, one row a model.

    Returns
    -------
    figure : go.Figure
    sentence : str
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
        name="here, with 95% interval",
        customdata=table[["test_low", "test_high", "cv_accuracy"]],
        hovertemplate="%{y}<br>%{x:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})"
        "<br>five-fold CV %{customdata[2]:.1%}<extra>here</extra>",
    )
    figure.add_scatter(
        x=table["original_test_accuracy"],
        y=names,
        mode="markers",
        marker={"color": MUTED, "size": 11, "symbol": "diamond-open", "line": {"width": 2}},
        name="the original study",
        hovertemplate="%{y}<br>%{x:.0%}<extra>the original</extra>",
    )
    finish(
        figure,
        f"Accuracy on {table['test_clips'].iloc[0]} test clips, 16 classes",
        height=90 + 30 * len(table),
        legend=LEGEND_ABOVE | {"x": 1, "xanchor": "right"},
        margin_t=72,
    )
    lowest = table[["test_low", "original_test_accuracy"]].min().min()
    figure.update_xaxes(title="test clips recognised", range=[lowest - 0.03, 0.95], dtick=0.1, tickformat=".0%")
    figure.update_yaxes(automargin=True)
    with_original = table.dropna(subset=["original_test_accuracy"])
    inside = (with_original["original_test_accuracy"] >= with_original["test_low"] - 1e-9) & (
        with_original["original_test_accuracy"] <= with_original["test_high"] + 1e-9
    )
    above = with_original["original_test_accuracy"] < with_original["test_low"]
    best = table.iloc[-1]
    return figure, (
        f"Of {len(with_original)} models that the study has, {inside.sum()} come out here as it says, within the 95% "
        f"interval, and {above.sum()} better, with settings of our own; the highest is {best['name']} with "
        f"{best['test_accuracy']:.1%} ({best['test_low']:.1%} to {best['test_high']:.1%})."
    )
