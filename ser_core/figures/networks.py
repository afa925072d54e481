"""Figures of networks: training curves, architecture, overfitting, and the weights of a vote of two."""

import math

import pandas as pd
import plotly.graph_objects as go

from ser_core.figures.style import ACCENT, ACCURACY, LEGEND_ABOVE, MUTED, SECOND, finish, interval, lines, percent

LOSS = {"title": "loss (nats a clip)"}  # of an axis

# kind of a layer -> what it does, and its colour
LAYERS = {
    "InputLayer": ("takes the clip in", MUTED),
    "Normalization": ("standardises, as measured on the training clips", MUTED),
    "Reshape": ("arranges the numbers", MUTED),
    "Flatten": ("puts all numbers in one row", MUTED),
    "Masking": ("passes over what is padding", MUTED),
    "Concatenate": ("puts two results side by side", MUTED),
    "Conv1D": ("looks for patterns among neighbours", ACCENT),
    "Conv2D": ("looks for patterns among neighbours, in time and pitch", ACCENT),
    "LSTM": ("reads in order and remembers", ACCENT),
    "Bidirectional": ("reads forwards and backwards and remembers", ACCENT),
    "Dense": ("weighs everything together", SECOND),
    "BatchNormalization": ("keeps the numbers in a steady range", MUTED),
    "ReLU": ("keeps what is above zero", MUTED),
    "Dropout": ("leaves some out while it learns", MUTED),
    "SpatialDropout2D": ("leaves whole patterns out while it learns", MUTED),
    "MaxPooling1D": ("keeps the strongest of neighbours", MUTED),
    "MaxPooling2D": ("keeps the strongest of neighbours", MUTED),
    "GlobalAveragePooling2D": ("takes the mean over the whole picture", MUTED),
    "GlobalMaxPooling2D": ("takes the strongest of the whole picture", MUTED),
}


def accuracy(curve: pd.DataFrame, of_what: str) -> tuple[go.Figure, str]:
    """Training and validation accuracy of each epoch.

    Parameters
    ----------
    curve : pd.DataFrame
        Of one fit, as `Run.curves` has it.
    of_what : str
        Title of the network, e.g. "cnn".

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = _of_both(curve, "accuracy")
    figure.update_yaxes(**ACCURACY, rangemode="tozero")
    return finish(figure, f"Accuracy of {of_what}, epoch by epoch", height=320, legend=LEGEND_ABOVE), _accuracy_said(
        curve
    )


def loss(curve: pd.DataFrame, of_what: str) -> tuple[go.Figure, str]:
    """Training and validation loss of each epoch.

    Parameters
    ----------
    curve : pd.DataFrame
        Of one fit, as `Run.curves` has it.
    of_what : str
        Title of the network, e.g. "cnn".

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = _of_both(curve, "loss")
    figure.update_yaxes(**LOSS, rangemode="tozero")
    sentence = "The loss is what training makes small: how surprised the network is by the right answer."
    if "val_loss" in curve:
        lowest = curve.loc[curve["val_loss"].idxmin()]
        rises = curve["val_loss"].iloc[-1] > 1.1 * lowest["val_loss"]
        sentence += f" On watched clips it was lowest in epoch {lowest['epoch']:.0f} ({lowest['val_loss']:.2f})"
        sentence += ", and rises since: it learns the training clips by heart." if rises else "."
    return finish(figure, f"Loss of {of_what}, epoch by epoch", height=320, legend=LEGEND_ABOVE), sentence


def _of_both(curve: pd.DataFrame, what: str) -> go.Figure:
    figure = go.Figure()
    for column, name, colour, dash in (
        (what, "clips that it learns from", MUTED, "dot"),
        (f"val_{what}", "clips that are only watched", ACCENT, "solid"),
    ):
        if column in curve:
            figure.add_scatter(
                x=curve["epoch"],
                y=curve[column],
                mode="lines+markers" if len(curve) < 15 else "lines",
                name=name,
                line={"color": colour, "dash": dash, "width": 2.5},
                hovertemplate=f"epoch %{{x}}<br>%{{y:.3f}}<extra>{name}</extra>",
            )
    if what == "accuracy" and "val_accuracy" in curve:
        best = curve.loc[curve["val_accuracy"].idxmax()]
        figure.add_scatter(
            x=[best["epoch"]],
            y=[best["val_accuracy"]],
            mode="markers",
            marker={"color": ACCENT, "size": 13, "symbol": "star"},
            name="kept",
            hovertemplate="epoch %{x}<br>%{y:.3f}<extra>the weights that are kept</extra>",
        )
    figure.update_xaxes(title="epoch", rangemode="tozero", dtick=1 if len(curve) < 10 else None)
    return figure


def _accuracy_said(curve: pd.DataFrame) -> str:
    last = curve.iloc[-1]
    if "val_accuracy" not in curve:
        return (
            f"After {len(curve)} epochs it names {percent(last['accuracy'])} of the clips that it learns from right. "
            "None is held out to watch."
        )
    best = curve.loc[curve["val_accuracy"].idxmax()]
    gap = last["accuracy"] - last["val_accuracy"]
    sentence = (
        f"After {len(curve)} epochs it names {percent(last['accuracy'])} of the clips that it learns from right, and "
        f"{percent(last['val_accuracy'])} of those that are only watched; the best was "
        f"{percent(best['val_accuracy'])} in epoch {best['epoch']:.0f}."
    )
    return sentence + (" The gap is overfitting." if gap > 0.1 else "")


def overlaid(curves: dict[str, pd.DataFrame], what: str) -> tuple[go.Figure, str]:
    """Training curves of several runs on one chart.

    Parameters
    ----------
    curves : dict
        Name -> the curve of one fit.
    what : str
        `val_accuracy`, `accuracy`, `val_loss` or `loss`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    titles = {
        "val_accuracy": "Accuracy on watched clips",
        "accuracy": "Accuracy on the clips learned from",
        "val_loss": "Loss on watched clips",
        "loss": "Loss on the clips learned from",
    }
    figure, bests, lacking = go.Figure(), [], []
    is_accuracy = what.endswith("accuracy")
    for (name, curve), (colour, dash) in zip(curves.items(), lines(), strict=False):
        if what not in curve or curve[what].isna().all():
            lacking.append(name)
            continue
        figure.add_scatter(
            x=curve["epoch"],
            y=curve[what],
            mode="lines",
            name=name,
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="epoch %{x}<br>%{y:.3f}",
        )
        best = curve[what].max() if is_accuracy else curve[what].min()
        bests.append(f"{name} {percent(best) if is_accuracy else f'{best:.2f}'}")
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_yaxes(rangemode="tozero", **(ACCURACY if is_accuracy else LOSS))
    legend = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}
    finish(figure, titles[what], height=420, legend=legend)
    sentence = f"The best epoch of each: {'; '.join(bests)}." if bests else "None of them held clips out to watch."
    if bests and lacking:
        sentence += f" Without clips held out to watch, and so without a curve: {', '.join(lacking)}."
    return figure, sentence


def layer_table(layers: list[dict]) -> pd.DataFrame:
    """A network as a table: one row a layer, with its purpose, output shape and parameters.

    Parameters
    ----------
    layers : list of dict
        As `Run.layers` has them.

    Returns
    -------
    pd.DataFrame
    """
    return pd.DataFrame(
        {
            "layer": layer["kind"],
            "what it does": _what(layer)[0],
            "what comes out": " × ".join("any" if size is None else f"{size:,}" for size in layer["shape"]),
            "parameters": layer["parameters"],
            "of those learned": layer["learned"],
        }
        for layer in layers
    )


def architecture(layers: list[dict]) -> tuple[go.Figure, str]:
    """A network as a column of blocks, from the clip on top to the 16 classes below.

    A block's width is the size of its layer's output (logarithmic), its colour the kind of layer.

    Parameters
    ----------
    layers : list of dict
        As `Run.layers` has them.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    drawn = [
        layer for layer in layers if layer["kind"] not in ("Dropout", "SpatialDropout2D", "ReLU", "BatchNormalization")
    ]
    figure = go.Figure()
    colours = {
        ACCENT: "looks for patterns",
        SECOND: "weighs everything together",
        MUTED: "arranges, standardises, pools",
    }
    for colour, kind in colours.items():
        rows = [(place, layer) for place, layer in enumerate(drawn) if _what(layer)[1] == colour]
        figure.add_bar(
            y=[place for place, _ in rows],
            x=[math.log10(_numbers(layer["shape"])) + 0.15 for _, layer in rows],
            orientation="h",
            base=[-math.log10(_numbers(layer["shape"])) / 2 for _, layer in rows],
            width=0.78,
            marker={"color": colour},
            name=kind,
            customdata=[
                [layer["kind"], " × ".join(str(size or "any") for size in layer["shape"]), layer["parameters"]]
                for _, layer in rows
            ],
            hovertemplate="%{customdata[0]}<br>out: %{customdata[1]}<br>%{customdata[2]:,} parameters<extra></extra>",
        )
    titles = {"GlobalAveragePooling2D": "Mean", "GlobalMaxPooling2D": "Maximum", "InputLayer": "Clip", "pca": "PCA"}
    ticks = [titles.get(layer["name"], titles.get(layer["kind"], layer["kind"])) for layer in drawn]
    figure.update_yaxes(
        tickvals=list(range(len(drawn))),
        ticktext=ticks,
        range=[len(drawn) - 0.5, -0.5],
        showgrid=False,
        automargin=True,
    )
    figure.update_xaxes(visible=False)
    title = "From the clip (top) to the 16 classes (bottom)"
    finish(figure, title, height=60 + 26 * len(drawn), barmode="overlay", legend=LEGEND_ABOVE)
    total, learned = (sum(layer[name] for layer in layers) for name in ("parameters", "learned"))
    return figure, (
        f"{len(layers)} layers with {total:,} parameters, of which {learned:,} are learned by steps. The wider a "
        "block, the more numbers come out of it (each step of the scale is ten times as many). Not drawn: dropout, "
        "batch normalisation, ReLU."
    )


def _what(layer: dict) -> tuple[str, str]:
    """The purpose of a layer, and its colour."""
    if layer["name"] == "pca":
        return "turns it into principal components, as found on the training clips", MUTED
    return LAYERS.get(layer["kind"], ("", MUTED))


def _numbers(shape: list[int | None]) -> int:
    return max(2, math.prod(size or 192 for size in shape))


def overfitting(table: pd.DataFrame, option: str) -> tuple[go.Figure, str]:
    """Accuracy on train, validation and test for each value of one option of the cnn.

    Parameters
    ----------
    table : pd.DataFrame
        As `trainings.overfitting` gives it.
    option : str
        Of `NAMES`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    values = [f"{value:g}" for value in table["value"]]
    figure = go.Figure()
    for column, name, colour, symbol in (
        ("train_accuracy", "training clips", MUTED, "circle-open"),
        ("validation_accuracy", "watched clips", SECOND, "diamond"),
        ("test_accuracy", "test clips, with 95% interval", ACCENT, "circle"),
    ):
        tested = column == "test_accuracy"
        figure.add_scatter(
            x=values,
            y=table[column],
            error_y=interval(table[column], table["test_low"], table["test_high"]) if tested else None,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 9, "symbol": symbol},
            name=name,
            hovertemplate=f"{option} %{{x}}<br>%{{y:.3f}}<extra>{name}</extra>",
        )
    figure.update_xaxes(title=NAMES[option], type="category")
    figure.update_yaxes(**ACCURACY, rangemode="tozero")
    finish(figure, f"Accuracy of the cnn by {NAMES[option]}", height=360, legend=LEGEND_ABOVE)
    first, last = table.iloc[0], table.iloc[-1]
    return figure, (
        f"From {NAMES[option]} {first['value']:g} to {last['value']:g} the accuracy goes from "
        f"{first['train_accuracy']:.2f} to {last['train_accuracy']:.2f} on the training clips, from "
        f"{first['validation_accuracy']:.2f} to {last['validation_accuracy']:.2f} on watched ones, and from "
        f"{first['test_accuracy']:.2f} to {last['test_accuracy']:.2f} on test clips."
    )


NAMES = {"dropout": "dropout", "l1": "L1 penalty", "l2": "L2 penalty", "batch_size": "batch size (clips)"}


def time_taken(table: pd.DataFrame, option: str) -> tuple[go.Figure, str]:
    """Seconds an epoch, and number of epochs, for each value of one option.

    Parameters
    ----------
    table : pd.DataFrame
        As `trainings.overfitting` gives it.
    option : str
        Of `NAMES`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    values = [f"{value:g}" for value in table["value"]]
    figure = go.Figure()
    figure.add_bar(
        x=values,
        y=table["seconds"],
        marker={"color": MUTED},
        customdata=table[["epochs"]],
        text=[f"{epochs} epochs" for epochs in table["epochs"]],
        hovertemplate=f"{option} %{{x}}<br>%{{y:.2f}} s an epoch<br>%{{customdata[0]}} epochs<extra></extra>",
    )
    figure.update_xaxes(title=NAMES[option], type="category")
    figure.update_yaxes(title="seconds an epoch")
    finish(figure, f"Time by {NAMES[option]}", height=360)
    slow, fast = table.loc[table["seconds"].idxmax()], table.loc[table["seconds"].idxmin()]
    return figure, (
        f"An epoch took longest at {slow['value']:g} ({slow['seconds']:.1f} s) and was shortest at {fast['value']:g} "
        f"({fast['seconds']:.1f} s); the bars say after how many epochs it ended."
    )


def weights(table: pd.DataFrame, best: pd.Series, first: str, second: str, studied: float) -> tuple[go.Figure, str]:
    """Accuracy of a vote of two for every weight of the first, in cross-validation and on test.

    Parameters
    ----------
    table : pd.DataFrame
        As `fusion.every_weight` gives it.
    best : pd.Series
        As `fusion.best_weight` gives it.
    first, second : str
        The members.
    studied : float
        The original study's weight of the first.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    for column, name, colour, dash in (
        ("cv_accuracy", "five folds of train (what the weight is chosen by)", ACCENT, "solid"),
        ("test_accuracy", "test (looked at afterwards)", MUTED, "dot"),
    ):
        figure.add_scatter(
            x=table["weight"],
            y=table[column],
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            name=name,
            hovertemplate=f"weight of {first} %{{x:.2f}}<br>%{{y:.3f}}<extra>{name}</extra>",
        )
    for weight, words in ((best["weight"], "chosen"), (studied, "the study's 3 : 2")):
        figure.add_vline(x=weight, line={"color": MUTED, "width": 1, "dash": "dot"}, annotation_text=words)
    figure.update_xaxes(title=f"weight of {first} (the rest is {second}'s)", tickformat=".1f")
    figure.update_yaxes(**ACCURACY)
    finish(figure, f"What every weight of {first} and {second} gives", height=400, legend=LEGEND_ABOVE)
    alone = table.set_index("weight")["cv_accuracy"]
    return figure, (
        f"By cross-validation the best weight of {first} is {best['weight']:.2f} ({best['cv_accuracy']:.3f}; {first} "
        f"alone {alone.iloc[-1]:.3f}, {second} alone {alone.iloc[0]:.3f}). On the test clips that choice names "
        f"{best['test_accuracy']:.3f} right."
    )
