"""Figures of the features of all clips: distributions, what separates them, principal components, and maps."""

import colorsys
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ser_core.corpus import labels, wording
from ser_core.corpus.clips import thinned
from ser_core.corpus.labels import GENDERS
from ser_core.corpus.wording import Wording
from ser_core.features import functionals, mean180, prosody
from ser_core.features.exploration import VARIANCE_KEPT, components_kept, in_decibels
from ser_core.features.spectrogram import mel_band_hz
from ser_core.figures.style import ACCENT, LEGEND_BELOW, MUTED, ROWS, SECOND, dots, finish, mel_ticks, percent

MAP_COLOURS = ("emotion", "gender", "speaker", "channel")  # of RAVDESS
MOST_COLOURS = 30  # values of a column that dots are coloured by
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
FUNCTIONAL = (
    "It is a functional: each clip's curve over time, with the silence around the voice cut off, summed up in one "
    "number."
)
CURVES = {  # of the functionals, by the first part of their names
    "mfcc": "MFCC are the shape of the spectrum, the timbre.",
    "plp": (
        "PLP (perceptual linear prediction) describes the timbre, too, but smooths the spectrum as hearing does: it "
        "keeps the few resonances of mouth and throat and drops the rest."
    ),
    "band": (
        "A filter bank divides the spectrum into bands, here 40 of the mel scale up to 8,000 Hz; this is the level in "
        "one of them."
    ),
    "contrast": "The contrast says how far clear tones stand above the noise around them.",
    "chroma": "Chroma says how strong each of the twelve notes is.",
    "pitch": "Pitch is how often a second the vocal folds close.",
    "hnr": "The harmonics-to-noise ratio says how clear a voice is: a hoarse or breathy one has less of it.",
    "formant": "A formant is a frequency that mouth and throat make stronger.",
    "jitter": "Jitter is how unevenly long the waves of the voice are.",
    "shimmer": "Shimmer is how unevenly loud the waves of the voice are.",
}
_NAMED = {
    "mfcc": "MFCC",
    "plp": "PLP",
    "band": "filter bank band",
    "hnr": "harmonics-to-noise ratio",
    "alpha": "alpha ratio (low against high frequencies)",
    "hammarberg": "Hammarberg index (strongest low against strongest high frequency)",
    "centroid": "centre of the spectrum",
    "bandwidth": "width of the spectrum",
    "crossings": "zero crossings",
    "flux": "change of the spectrum",
    "flatness": "flatness of the spectrum",
}
_STATISTICS = {
    "mean": "mean",
    "kurtosis": "kurtosis",
    "std": "spread",
    "p05": "5th percentile",
    "p25": "25th percentile",
    "p50": "median",
    "p75": "75th percentile",
    "p95": "95th percentile",
    "skew": "skewness",
    "delta": "change",
    "delta2": "change of the change",
}
OTHER_FAMILY = {"": "features"}  # of a feature set that has no families
_WITH_FAMILY = frozenset((*mean180.NAMES, *prosody.NAMES))
_FUNCTIONALS = frozenset(functionals.NAMES)
_MARKS = {"": ("circle", ACCENT), "mfcc": ("circle", ACCENT), "chroma": ("diamond", MUTED), "mel": ("square", SECOND)}


def family(feature: str) -> str:
    """`mfcc_01` -> `mfcc`.

    Parameters
    ----------
    feature : str

    Returns
    -------
    str
        Empty for a feature of another set than `mean180` and `prosody`.
    """
    return feature.split("_")[0] if feature in _WITH_FAMILY else ""


def colours_offered(table: pd.DataFrame) -> list[str]:
    """The columns that dots of a map can be coloured by.

    Parameters
    ----------
    table : pd.DataFrame

    Returns
    -------
    list of str
    """
    words = wording.of(table)
    if words is wording.RAVDESS:
        return list(MAP_COLOURS)
    return [name for name in words.titles if name == "emotion" or table[name].nunique() <= MOST_COLOURS]


def title(feature: str) -> str:
    """A feature in words: `mel_074` -> "mel band 74 (3,061 Hz)", `plp_03_p50` -> "PLP 3, median".

    Parameters
    ----------
    feature : str
        Of another set than `mean180`, `prosody` and `functionals`, it is returned as it is.

    Returns
    -------
    str
    """
    if feature in _FUNCTIONALS:
        return "".join(_in_words(part) for part in feature.split("_")).strip()
    if not family(feature):
        return feature
    if feature in prosody.NAMES:
        return {"loudness_lufs": "loudness", "pitch_hz": "median pitch"}[feature]
    kind, which = feature.split("_")
    if kind == "mfcc":
        return f"MFCC {int(which)}"
    if kind == "chroma":
        return f"chroma {which}"
    return f"mel band {int(which)} ({mel_band_hz(mean180.SAMPLE_RATE)[int(which) - 1]:,.0f} Hz)"


def _in_words(part: str) -> str:
    """A part of a functional's name."""
    if part in _STATISTICS:
        return f", {_STATISTICS[part]}"
    return f" {int(part) if part.isdigit() else _NAMED.get(part, part)}"


def about(feature: str) -> str:
    """What a feature measures, in one to three sentences.

    Parameters
    ----------
    feature : str
        Of any set.

    Returns
    -------
    str
        Empty if there is nothing to say.
    """
    if feature in _FUNCTIONALS:
        return f"{CURVES.get(feature.split('_')[0], '')} {FUNCTIONAL}".strip()
    return ABOUT.get(family(feature), "")


def unit(feature: str) -> str:
    """A feature's unit, as an axis title.

    Parameters
    ----------
    feature : str
        Of any set.

    Returns
    -------
    str
    """
    return {
        "": "value",
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
    colours, said = labels.colours(table["emotion"]), wording.of(table).said
    medians = _shown(table, feature).groupby(table["emotion"]).median()
    drawn = thinned(table)
    values = _shown(drawn, feature)
    is_split = set(table["gender"]) <= set(GENDERS)
    figure = go.Figure()
    for gender in GENDERS if is_split else ("",):
        for emotion, colour in colours.items():
            chosen = drawn["emotion"] == emotion
            if is_split:
                chosen &= drawn["gender"] == gender
            figure.add_box(
                y=values[chosen].round(4).to_numpy(),
                x=[said("emotion", emotion)] * int(chosen.sum()),
                name=gender,
                offsetgroup=gender,
                legendgroup=gender,
                showlegend=False,
                marker={"color": MUTED, "size": 3},
                line={"color": colour if gender == "male" and emotion != "neutral" else MUTED, "width": 1.5},
                fillcolor="rgba(0,0,0,0)" if gender == "male" else colour,
            )
    by = "by emotion and gender" if is_split else "by emotion"
    finish(figure, f"{title(feature)[0].upper()}{title(feature)[1:]}, {by}", height=440, boxmode="group")
    figure.update_yaxes(title=unit(feature))
    figure.update_xaxes(type="category")
    highest, lowest = medians.idxmax(), medians.idxmin()
    whose = "Filled boxes are women, hollow ones men; a box" if is_split else "A box"
    of = "the clips" if drawn is table else f"{len(drawn):,} of the clips"
    return figure, (
        f"{whose} holds the middle half of {of}. The median is highest for "
        f"{highest} ({medians[highest]:.3g}) and lowest for {lowest} ({medians[lowest]:.3g}): {unit(feature)}."
    )


def _shown(table: pd.DataFrame, feature: str) -> pd.Series:
    return in_decibels(table[feature]) if family(feature) == "mel" else table[feature]


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
    for emotion, colour in labels.colours(profiles.index).items():
        figure.add_scatter(
            x=bands,
            y=profiles.loc[emotion].round(2).to_numpy(),
            name=emotion.capitalize(),
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
    figure.update_xaxes(title="frequency (Hz, mel scale)", **mel_ticks(hz))
    figure.update_yaxes(title="mean power of the band (dB)")
    means = profiles.mean(axis=1)
    loud, soft = means.idxmax(), means.idxmin()
    if loud == soft:
        return figure, f"The mean of all clips of {loud}, each clip's power taken in dB first."
    return figure, (
        f"Over all bands {loud} has {means[loud] - means[soft]:.0f} dB more than {soft}. Each clip's power is taken "
        "in dB first, so that no single shout stands for its emotion."
    )


def emotion_or_speaker(shares: pd.DataFrame, words: Wording = wording.RAVDESS) -> tuple[go.Figure, str]:
    """The share of each feature's variance that the speaker explains, against the share that the emotion explains.

    Parameters
    ----------
    shares : pd.DataFrame
        As `exploration.separation` gives it.
    words : Wording
        Of the corpus.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    figure = go.Figure()
    who = words.speaker
    families = FAMILIES if any(map(family, shares.index)) else OTHER_FAMILY
    for kind, name in families.items():
        rows, (symbol, colour) = shares[[family(feature) == kind for feature in shares.index]], _MARKS[kind]
        figure.add_scatter(
            x=rows["speaker"].round(4).to_numpy(),
            y=rows["emotion"].round(4).to_numpy(),
            mode="markers",
            name=name,
            marker={
                "symbol": symbol,
                "color": colour,
                "size": 9,
                "opacity": 0.75,
                "line": {"color": MUTED, "width": 0.5},
            },
            text=[title(feature) for feature in rows.index],
            hovertemplate="%{text}<br>" + who + " %{x:.0%}, emotion %{y:.0%}<extra></extra>",
        )
    edge = float(shares[["speaker", "emotion"]].max().max()) * 1.05
    figure.add_scatter(
        x=[0, edge], y=[0, edge], mode="lines", line={"color": MUTED, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    legend = {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"}
    finish(figure, "Speaker or emotion? Each feature", height=460, legend=legend)
    figure.update_xaxes(title=f"share of variance that the {who} explains", tickformat=".0%", range=[0, edge])
    figure.update_yaxes(title="share that the emotion explains", tickformat=".0%", range=[0, edge])
    below = (shares["speaker"] > shares["emotion"]).sum()
    means = shares.groupby([family(name) for name in shares.index])[["speaker", "emotion"]].mean()
    if families is OTHER_FAMILY:
        of = f"{_both(means, '')} of a feature"
    else:
        of = f"{_both(means, 'mfcc')} of an MFCC, {_both(means, 'chroma')} of a chroma and {_both(means, 'mel')} of a "
        of += "mel band"
    left = "speech or song where both are shown, intensity, chance" if words is wording.RAVDESS else "chance"
    return figure, (
        f"Below the dotted line a feature says more of the speaker than of the emotion: {below} of {len(shares)} do. "
        f"On average the {who} explains {of}. What is left: how each {who} acts each emotion, {left}."
    )


def _both(means: pd.DataFrame, kind: str) -> str:
    return f"{percent(means.loc[kind, 'speaker'])} (emotion {percent(means.loc[kind, 'emotion'])})"


def separating(shares: pd.DataFrame, number: int = 15, words: Wording = wording.RAVDESS) -> tuple[go.Figure, str]:
    """The features that separate the emotions most after subtracting each actor's mean.

    Parameters
    ----------
    shares : pd.DataFrame
        As `exploration.separation` gives it.
    number : int
        Of features.
    words : Wording
        Of the corpus.

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
        name=f"within {words.speaker}s",
        marker={"color": ACCENT},
        customdata=top["f"].round(1).to_numpy(),
        hovertemplate="%{y}: %{x:.1%} within " + words.speaker + "s (F = %{customdata})<extra></extra>",
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
        f"Most by {title(best)}: emotion explains {percent(top['within'].iloc[0])} of it within {words.speaker}s, "
        f"{percent(top['emotion'].iloc[0])} over all voices. On average over all {len(shares)} features it explains "
        f"{percent(shares['within'].mean())} once each {words.speaker}'s own mean is taken away, and "
        f"{percent(shares['emotion'].mean())} before."
    )


def cumulative_variance(
    cumulative: np.ndarray, others: dict[str, int], features: int = len(mean180.NAMES)
) -> tuple[go.Figure, str]:
    """Cumulative variance explained by the first principal components.

    Parameters
    ----------
    cumulative : np.ndarray [shape=(components,)]
        As `exploration.cumulative_variance` gives it.
    others : dict
        Title -> the number of components that explain 95% there, for comparison.
    features : int
        Their number.

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
    finish(figure, f"How many numbers do the {features:,} features amount to?", height=420)
    figure.update_xaxes(title="principal components", rangemode="tozero")
    figure.update_yaxes(title="share of the variance that they hold", tickformat=".0%", range=[0, 1.03])
    compared = "; ".join(f"{words}: {count}" for words, count in others.items())
    compared = f" ({compared})" if compared else ""
    return figure, (
        f"{number} of {len(cumulative):,} components hold 95% of the variance of these clips{compared}. "
        f"The first alone holds {percent(cumulative[0])}: the features say much the same thing many times over."
    )


def clip_map(table: pd.DataFrame, method: str, of: str, colour: str) -> tuple[go.Figure, str]:
    """Each clip as a dot on a map of its features.

    Each dot's `customdata` holds its clip's stem.

    Parameters
    ----------
    table : pd.DataFrame
        As `exploration.clips` or `exploration.placed` gives it, at least one row.
    method : str
        Of `exploration.METHODS`.
    of : str
        `all` or `speaker`: what the features are standardised over.
    colour : str
        Of `colours_offered`.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    table = thinned(table)
    x, y = table[f"{method}_{of}_x"].round(2), table[f"{method}_{of}_y"].round(2)
    words = wording.of(table)
    hover = words.titles_of(table)
    values = labels.ordered(table["emotion"]) if colour == "emotion" else sorted(table[colour].unique())
    markers = _markers(table, colour, values)
    figure = go.Figure()
    for value, marker in zip(values, markers, strict=True):
        chosen = np.flatnonzero(table[colour] == value)
        figure.add_scatter(
            x=x.iloc[chosen].to_numpy(),
            y=y.iloc[chosen].to_numpy(),
            mode="markers",
            name=words.said(colour, value),
            marker=marker,
            selected={"marker": {"size": 14, "opacity": 1}},
            unselected={"marker": {"opacity": 0.6}},
            customdata=[[stem] for stem in table["stem"].iloc[chosen]],
            text=[hover[i] for i in chosen],
            hovertemplate="%{text}<extra></extra>",
        )
    legend = {"orientation": "h", "y": 0, "yanchor": "top", "x": 0}
    heading = f"A map of {len(table):,} clips, coloured by {words.titles[colour]}"
    bare = {"showticklabels": False, "title": "", "zeroline": False, "showgrid": False}
    finish(figure, heading, height=640, legend=legend, xaxis=bare, yaxis=bare)
    how = {
        "tsne": "Clips with like features lie near each other: t-SNE keeps neighbours together, and distances between "
        "far groups mean little",
        "pca": "The axes are the two directions in which the clips differ most (principal components); in what they "
        "differ beside, the map does not show",
    }[method]
    shapes = " Circles are women, diamonds men." if colour == "speaker" and _have_shapes(table) else ""
    return figure, f"Each dot is a clip. {how}. The axes have no unit.{shapes}"


def _have_shapes(table: pd.DataFrame) -> bool:
    """Whether the gender of each speaker is known."""
    return set(table["gender"]) <= set(GENDERS)


def _markers(table: pd.DataFrame, colour: str, values: Sequence) -> list[dict]:
    """The dots of each value of a column."""
    if colour == "emotion":
        of_emotions = labels.colours(values)
        return [dots(of_emotions[value], size=6) for value in values]
    if colour != "speaker" and len(values) <= 2:
        return [dots(ACCENT if value in ("female", "speech") else SECOND, size=6) for value in values]
    places, number = list(range(len(values))), len(values)
    if colour == "speaker" and wording.is_ravdess(table):  # an actor's hue is the same whoever else is shown
        places, number = [int(value) - 1 for value in values], 24
    markers = [dots(_hue(place / number), size=6) for place in places]
    if colour == "speaker" and _have_shapes(table):  # women are circles, men diamonds
        genders = table.drop_duplicates("speaker").set_index("speaker")["gender"]
        for value, marker in zip(values, markers, strict=True):
            marker["symbol"] = "circle" if genders[value] == "female" else "diamond"
    return markers


def _hue(turn: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(turn, 0.55, 0.6)
    return f"rgb({255 * red:.0f},{255 * green:.0f},{255 * blue:.0f})"
