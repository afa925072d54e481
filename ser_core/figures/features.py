"""Figures of the features of all clips: distributions, what separates them, principal components, and maps."""

import colorsys

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core import corpus
from ser_core.corpus.labels import BY_NAME, EMOTION_NAMES, GENDERS
from ser_core.features import mean180, prosody
from ser_core.features.exploration import VARIANCE_KEPT, components_kept, in_decibels
from ser_core.features.spectrogram import mel_band_hz
from ser_core.figures.style import ACCENT, LEGEND_BELOW, MUTED, ROWS, SECOND, dots, finish, percent

MAP_COLOURS = ("emotion", "gender", "speaker", "channel")
FAMILIES = {"mfcc": "MFCC (timbre)", "chroma": "chroma (notes)", "mel": "mel bands (energy by pitch)"}
ABOUT = {
    "mfcc": (
        "An MFCC (mel-frequency cepstral coefficient) measures the shape of the spectrum: its loudness by pitch, as "
        "the ear hears it, taken apart into waves. The first is the overall loudness, the second the slope from low "
        "to high, and the higher ones ever finer ripples: together they are the timbre of a voice. The feature is the "
        "mean over the whole clip, its silence included."
    ),
    "chroma": (
        "Chroma folds all octaves into the twelve notes, C to B, and says how strong each note is. It is meant for "
        "music; in a voice it follows the pitch and what lies on top of it. Of each moment the strongest note counts 1."
    ),
    "mel": (
        "A mel band is a stretch of frequencies, narrow for low sounds and wide for high ones, as the ear tells "
        "pitches apart. The feature is the mean power in it; here it is shown in decibels, since a shout has a "
        "thousand times the power of a murmur."
    ),
    "loudness": (
        "Loudness is no feature of the study, but tells the emotions apart well. LUFS are decibels, "
        "weighted as the ear hears, with silence left out (ITU-R BS.1770)."
    ),
    "pitch": (
        "Median pitch is no feature of the study. It is how often the vocal folds open in a second (fundamental "
        "frequency, by Praat's method), in the middle of all moments with a voice. In speech women's voices lie "
        "about nine semitones higher than men's; in song they take the notes an octave higher."
    ),
}
_MARKS = {"mfcc": ("circle", ACCENT), "chroma": ("diamond", MUTED), "mel": ("square", SECOND)}
_HZ_TICKS = (200, 500, 1000, 2000, 4000, 8000)


def family(feature: str) -> str:
    """`mfcc_01` -> `mfcc`.

    Parameters
    ----------
    feature : str

    Returns
    -------
    str
    """
    return feature.split("_")[0]


def title(feature: str) -> str:
    """A feature in words: `mel_074` -> "mel band 74 (3,061 Hz)".

    Parameters
    ----------
    feature : str
        Of `mean180.NAMES` or `prosody.NAMES`.

    Returns
    -------
    str
    """
    if feature in prosody.NAMES:
        return {"loudness_lufs": "loudness", "pitch_hz": "median pitch"}[feature]
    kind, which = feature.split("_")
    if kind == "mfcc":
        return f"MFCC {int(which)}"
    if kind == "chroma":
        return f"chroma {which}"
    return f"mel band {int(which)} ({mel_band_hz(mean180.SAMPLE_RATE)[int(which) - 1]:,.0f} Hz)"


def unit(feature: str) -> str:
    """A feature's unit, as an axis title.

    Parameters
    ----------
    feature : str
        Of `mean180.NAMES` or `prosody.NAMES`.

    Returns
    -------
    str
    """
    return {
        "mfcc": "mean coefficient (dB)",
        "chroma": "mean strength (loudest note of each moment = 1)",
        "mel": "mean power (dB)",
        "loudness": "loudness (LUFS)",
        "pitch": "median pitch (Hz)",
    }[family(feature)]


def distribution(table: pd.DataFrame, feature: str) -> tuple[go.Figure, str]:
    """One feature by emotion and gender: a box for each.

    Parameters
    ----------
    table : pd.DataFrame
        One row a clip, as `exploration.clips` gives it; at least one.
    feature : str
        Of `mean180.NAMES` or `prosody.NAMES`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    values = in_decibels(table[feature]) if family(feature) == "mel" else table[feature]
    emotions = [name for name in EMOTION_NAMES if name in set(table["emotion"])]
    figure = go.Figure()
    for gender in GENDERS:
        for emotion in emotions:
            chosen = (table["emotion"] == emotion) & (table["gender"] == gender)
            colour = BY_NAME[emotion].colour
            figure.add_box(
                y=values[chosen].round(4).to_numpy(),
                x=[BY_NAME[emotion].title] * int(chosen.sum()),
                name=gender,
                offsetgroup=gender,
                legendgroup=gender,
                showlegend=False,
                marker={"color": MUTED, "size": 3},
                line={"color": MUTED if gender == "female" or emotion == "neutral" else colour, "width": 1.5},
                fillcolor=colour if gender == "female" else "rgba(0,0,0,0)",
            )
    finish(
        figure, f"{title(feature)[0].upper()}{title(feature)[1:]}, by emotion and gender", height=440, boxmode="group"
    )
    figure.update_yaxes(title=unit(feature))
    figure.update_xaxes(type="category")
    medians = values.groupby(table["emotion"]).median()
    highest, lowest = medians.idxmax(), medians.idxmin()
    return figure, (
        f"Filled boxes are women, hollow ones men; a box holds the middle half of the clips. The median is highest for "
        f"{highest} ({medians[highest]:.3g}) and lowest for {lowest} ({medians[lowest]:.3g}): {unit(feature)}."
    )


def mel_profiles(profiles: pd.DataFrame) -> tuple[go.Figure, str]:
    """The mean mel spectrum of each emotion.

    Parameters
    ----------
    profiles : pd.DataFrame
        As `exploration.mel_profiles` gives it: a row an emotion, a column a band, in dB.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    hz = mel_band_hz(mean180.SAMPLE_RATE)
    bands = np.arange(len(hz))
    figure = go.Figure()
    for emotion in (name for name in EMOTION_NAMES if name in profiles.index):
        colour = BY_NAME[emotion].colour
        figure.add_scatter(
            x=bands,
            y=profiles.loc[emotion].round(2).to_numpy(),
            name=BY_NAME[emotion].title,
            mode="lines",
            # Neither black nor white is visible in both themes.
            line={"color": colour if emotion != "neutral" else MUTED, "width": 2.5}
            | ({"dash": "dot"} if emotion == "neutral" else {}),
            customdata=hz.round(),
            hovertemplate="%{customdata:,.0f} Hz: %{y:.1f} dB<extra>%{fullData.name}</extra>",
        )
    finish(
        figure,
        "Mean energy at each pitch, by emotion",
        height=480,
        hovermode="x unified",
        legend=LEGEND_BELOW,
        margin_b=64,
    )
    ticks = [tick for tick in _HZ_TICKS if tick < hz[-1]]
    figure.update_xaxes(
        title="frequency (Hz, mel scale)",
        tickvals=np.interp(ticks, hz, bands),
        ticktext=[f"{tick:,}" for tick in ticks],
    )
    figure.update_yaxes(title="mean power of the band (dB)")
    means = profiles.mean(axis=1)
    loud, soft = means.idxmax(), means.idxmin()
    if loud == soft:
        return figure, f"The mean of all clips of {loud}, each clip's power taken in dB first."
    return figure, (
        f"Over all bands {loud} has {means[loud] - means[soft]:.0f} dB more than {soft}. Each clip's power is taken "
        "in dB first, so that no single shout stands for its emotion."
    )


def emotion_or_speaker(shares: pd.DataFrame) -> tuple[go.Figure, str]:
    """The share of each feature's variance that the speaker explains, against the share that the emotion explains.

    Parameters
    ----------
    shares : pd.DataFrame
        As `exploration.separation` gives it.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    for kind, words in FAMILIES.items():
        rows, (symbol, colour) = shares[[family(name) == kind for name in shares.index]], _MARKS[kind]
        figure.add_scatter(
            x=rows["speaker"].round(4).to_numpy(),
            y=rows["emotion"].round(4).to_numpy(),
            mode="markers",
            name=words,
            marker={
                "symbol": symbol,
                "color": colour,
                "size": 9,
                "opacity": 0.75,
                "line": {"color": MUTED, "width": 0.5},
            },
            text=[title(name) for name in rows.index],
            hovertemplate="%{text}<br>actor %{x:.0%}, emotion %{y:.0%}<extra></extra>",
        )
    edge = float(shares[["speaker", "emotion"]].max().max()) * 1.05
    figure.add_scatter(
        x=[0, edge], y=[0, edge], mode="lines", line={"color": MUTED, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    legend = {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"}
    finish(figure, "Speaker or emotion? Each feature", height=460, legend=legend)
    figure.update_xaxes(title="share of variance that the actor explains", tickformat=".0%", range=[0, edge])
    figure.update_yaxes(title="share that the emotion explains", tickformat=".0%", range=[0, edge])
    below = (shares["speaker"] > shares["emotion"]).sum()
    means = shares.groupby([family(name) for name in shares.index])[["speaker", "emotion"]].mean()
    return figure, (
        f"Below the dotted line a feature says more of the speaker than of the emotion: {below} of {len(shares)} do. "
        f"On average the actor explains {_both(means, 'mfcc')} of an MFCC, {_both(means, 'chroma')} of a chroma and "
        f"{_both(means, 'mel')} of a mel band. What is left: how each actor acts each emotion, speech or song where "
        "both are shown, intensity, chance."
    )


def _both(means: pd.DataFrame, kind: str) -> str:
    return f"{percent(means.loc[kind, 'speaker'])} (emotion {percent(means.loc[kind, 'emotion'])})"


def separating(shares: pd.DataFrame, number: int = 15) -> tuple[go.Figure, str]:
    """The features that separate the emotions most after subtracting each actor's mean.

    Parameters
    ----------
    shares : pd.DataFrame
        As `exploration.separation` gives it.
    number : int
        Of features.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    top = shares.nlargest(number, "within")
    names = [title(name) for name in top.index]
    figure = go.Figure()
    figure.add_bar(
        x=top["within"].round(4).to_numpy(),
        y=names,
        orientation="h",
        name="within actors",
        marker={"color": ACCENT},
        customdata=top["f"].round(1).to_numpy(),
        hovertemplate="%{y}: %{x:.1%} within actors (F = %{customdata})<extra></extra>",
    )
    figure.add_scatter(
        x=top["emotion"].round(4).to_numpy(),
        y=names,
        mode="markers",
        name="over all voices",
        marker={"color": MUTED, "size": 10, "symbol": "diamond-open", "line": {"width": 2}},
        hovertemplate="%{y}: %{x:.1%} over all voices<extra></extra>",
    )
    heading = f"The {len(top)} features that separate emotions most"
    finish(figure, heading, height=150 + 26 * len(top), legend=LEGEND_BELOW, margin_b=64)
    figure.update_xaxes(title="share of variance that emotion explains", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(**ROWS)
    best = top.index[0]
    return figure, (
        f"Most by {title(best)}: emotion explains {percent(top['within'].iloc[0])} of it within actors, "
        f"{percent(top['emotion'].iloc[0])} over all voices. On average over all {len(shares)} features it explains "
        f"{percent(shares['within'].mean())} once each actor's own mean is taken away, and "
        f"{percent(shares['emotion'].mean())} before."
    )


def cumulative_variance(cumulative: np.ndarray, others: dict[str, int]) -> tuple[go.Figure, str]:
    """Cumulative variance explained by the first principal components.

    Parameters
    ----------
    cumulative : np.ndarray [shape=(components,)]
        As `exploration.cumulative_variance` gives it.
    others : dict
        Title -> the number of components that explain 95 % there, for comparison.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    number = components_kept(cumulative)
    figure = go.Figure()
    figure.add_scatter(
        x=np.arange(1, len(cumulative) + 1),
        y=cumulative.round(5),
        mode="lines",
        line={"color": ACCENT, "width": 3},
        hovertemplate="%{x} components hold %{y:.1%}<extra></extra>",
        showlegend=False,
    )
    figure.add_hline(y=VARIANCE_KEPT, line={"color": MUTED, "dash": "dot"}, annotation_text=f"{VARIANCE_KEPT:.0%}")
    figure.add_scatter(
        x=[number],
        y=[cumulative[number - 1]],
        mode="markers+text",
        marker={"color": ACCENT, "size": 12},
        text=[f"{number} components"],
        textposition="bottom right",
        hoverinfo="skip",
        showlegend=False,
    )
    finish(figure, "How many numbers do the 180 features amount to?", height=420)
    figure.update_xaxes(title="principal components", rangemode="tozero")
    figure.update_yaxes(title="share of the variance that they hold", tickformat=".0%", range=[0, 1.03])
    compared = "; ".join(f"{words}: {count}" for words, count in others.items())
    return figure, (
        f"{number} of {len(cumulative)} components hold 95 % of the variance of these clips ({compared}). "
        f"The first alone holds {percent(cumulative[0])}: the features say much the same thing many times over."
    )


def clip_map(table: pd.DataFrame, method: str, of: str, colour: str) -> tuple[go.Figure, str]:
    """Each clip as a dot on a map of its features.

    Each dot's `customdata` holds its clip's stem.

    Parameters
    ----------
    table : pd.DataFrame
        As `exploration.clips` gives it, at least one row.
    method : str
        Of `exploration.METHODS`.
    of : str
        `all` or `speaker`: what the features are standardised over.
    colour : str
        Of `MAP_COLOURS`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    x, y = table[f"{method}_{of}_x"].round(2), table[f"{method}_{of}_y"].round(2)
    hover = corpus.titles(table)
    values = [name for name in EMOTION_NAMES if name in set(table["emotion"])]
    if colour != "emotion":
        values = sorted(table[colour].unique())
    figure = go.Figure()
    for value in values:
        chosen = np.flatnonzero(table[colour] == value)
        figure.add_scatter(
            x=x.iloc[chosen].to_numpy(),
            y=y.iloc[chosen].to_numpy(),
            mode="markers",
            name=corpus.said(colour, value),
            marker=_dots(colour, value),
            selected={"marker": {"size": 14, "opacity": 1}},
            unselected={"marker": {"opacity": 0.6}},
            customdata=[[stem] for stem in table["stem"].iloc[chosen]],
            text=[hover[i] for i in chosen],
            hovertemplate="%{text}<extra></extra>",
        )
    legend = {"orientation": "h", "y": 0, "yanchor": "top", "x": 0}
    heading = f"A map of {len(table):,} clips, coloured by {corpus.TITLES[colour]}"
    bare = {"showticklabels": False, "title": "", "zeroline": False, "showgrid": False}
    finish(figure, heading, height=640, legend=legend, xaxis=bare, yaxis=bare)
    how = {
        "tsne": "Clips with like features lie near each other: t-SNE keeps neighbours together, and distances between "
        "far groups mean little",
        "pca": "The axes are the two directions in which the clips differ most (principal components); in what they "
        "differ beside, the map does not show",
    }[method]
    shapes = " Circles are women, diamonds men." if colour == "speaker" else ""
    return figure, f"Each dot is a clip. {how}. The axes have no unit.{shapes}"


def _dots(colour: str, value) -> dict:
    if colour == "emotion":
        return dots(BY_NAME[value].colour, size=6)
    if colour == "speaker":  # 24 hues; women are circles, men diamonds
        red, green, blue = colorsys.hls_to_rgb((int(value) - 1) / 24, 0.55, 0.6)
        rgb = f"rgb({255 * red:.0f},{255 * green:.0f},{255 * blue:.0f})"
        return dots(rgb, size=6) | {"symbol": "diamond" if int(value) % 2 else "circle"}
    return dots(ACCENT if value in ("female", "speech") else SECOND, size=6)
