"""What a recording looks like."""

import numpy as np
import plotly.graph_objects as go

from ser_core.features.spectrogram import mel_decibels
from ser_core.figures.style import ACCENT, SEQUENTIAL, finish

_COLUMNS = 800  # of a waveform: about as many as a wide screen has pixels for it
_HZ_TICKS = (200, 500, 1000, 2000, 4000, 8000)


def waveform(samples: np.ndarray, rate: int) -> tuple[go.Figure, str]:
    """The highest and the lowest sample of each short stretch, over time.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    """
    length = max(1, len(samples) // _COLUMNS)
    pieces = samples[: len(samples) // length * length].reshape(-1, length)
    seconds = np.round(np.arange(len(pieces)) * length / rate, 3)
    figure = go.Figure()
    for edge, fill in ((pieces.min(axis=1), None), (pieces.max(axis=1), "tonexty")):
        line = {"color": ACCENT, "width": 1}
        figure.add_scatter(x=seconds, y=np.round(edge, 4), mode="lines", line=line, fill=fill, hoverinfo="skip")
    finish(figure, "Waveform: air pressure over time", height=300, showlegend=False)
    figure.update_xaxes(title="time (s)")
    figure.update_yaxes(title="amplitude (full scale = 1)")
    loudest = np.abs(samples).argmax() / rate
    sentence = (
        f"{len(samples) / rate:.1f} s of sound; it is loudest at {loudest:.1f} s, where it reaches "
        f"{np.abs(samples).max():.2f} of full scale."
    )
    return figure, sentence


def mel(samples: np.ndarray, rate: int) -> tuple[go.Figure, str]:
    """The mel spectrogram, on an axis in Hz that is spaced as the ear hears.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    """
    decibels, hz, seconds = mel_decibels(samples, rate)
    bands = np.arange(len(hz))
    figure = go.Figure(
        go.Heatmap(
            z=decibels.round(1),
            x=seconds.round(3),
            y=bands,
            colorscale=SEQUENTIAL,
            zmin=-80,
            zmax=0,
            colorbar={"title": "dB", "thickness": 12},
            customdata=np.repeat(hz.round()[:, None], len(seconds), axis=1),
            hovertemplate="%{x:.2f} s, %{customdata:.0f} Hz: %{z:.0f} dB<extra></extra>",
        )
    )
    finish(figure, "Mel spectrogram: which pitches, when", height=300)
    figure.update_xaxes(title="time (s)")
    ticks = [tick for tick in _HZ_TICKS if tick < rate / 2]
    figure.update_yaxes(
        title="frequency (Hz)", tickvals=np.interp(ticks, hz, bands), ticktext=[f"{t:,}" for t in ticks]
    )
    loud_band = hz[decibels.mean(axis=1).argmax()]
    sentence = (
        "Brighter is louder (dB below the loudest spot); frequencies are spaced as the ear tells them apart. "
        f"Most sound lies around {loud_band:,.0f} Hz."
    )
    return figure, sentence
