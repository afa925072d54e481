"""Eight views of a clip, each with the question that it answers and a short explanation.

Their time axes are aligned, so that views below each other can be compared moment by moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import librosa
import numpy as np
import plotly.graph_objects as go

from ser_core.features import prosody, spectrogram
from ser_core.features.mean180 import N_MELS, N_MFCC
from ser_core.figures.style import ACCENT, SEQUENTIAL, finish, mel_ticks

_COLUMNS = 800  # of a waveform: about as many as a wide screen has pixels for it
_PITCH_TICKS = ("C2", "G2", "C3", "G3", "C4", "G4", "C5", "G5", "C6")
_RANGE_DB = 80  # of a spectrogram, below the loudest spot
_MFCC_TICKS = (2, 10, 20, 30, 40)
_MFCC_DB = 80  # colour limit of the MFCC; 1% of cells exceed it
_CONTRAST_DB = 80  # colour limit of the contrast
_DIVERGING = "PRGn"
_HEIGHT = 320


@dataclass(frozen=True)
class Scale:
    """Upper limits of the axes and colours of a clip's views, and how finely its spectrum is described.

    Whatever is not in it is the same for all clips.
    """

    seconds: float
    amplitude: float
    stft_db: float  # the loudest spot of the spectrogram; a sine at full scale has 0 dB
    mel_power: float  # the loudest spot of the mel spectrogram
    clips: int = 1  # number of clips that share it
    n_mels: int = N_MELS  # number of mel bands
    n_mfcc: int = N_MFCC  # number of MFCC; no more than bands

    @classmethod
    def of(cls, samples: np.ndarray, rate: int, n_mels: int = N_MELS, n_mfcc: int = N_MFCC) -> "Scale":
        """A clip's own scale.

        Parameters
        ----------
        samples : np.ndarray [shape=(n,)]
        rate : int > 0, Hz
        n_mels, n_mfcc : int > 0
            Number of mel bands and of MFCC.

        Returns
        -------
        Scale
        """
        return cls(
            seconds=len(samples) / rate,
            amplitude=float(np.abs(samples).max()),
            stft_db=float(spectrogram.stft_decibels(samples, rate)[0].max()),
            mel_power=spectrogram.mel_peak(samples, rate, n_mels),
            n_mels=n_mels,
            n_mfcc=n_mfcc,
        )

    def joined(self, other: "Scale") -> "Scale":
        """The scale on which this clip and another can be compared by eye.

        Parameters
        ----------
        other : Scale
            With the same number of mel bands and of MFCC.

        Returns
        -------
        Scale
        """
        return replace(
            self,
            seconds=max(self.seconds, other.seconds),
            amplitude=max(self.amplitude, other.amplitude),
            stft_db=max(self.stft_db, other.stft_db),
            mel_power=max(self.mel_power, other.mel_power),
            clips=self.clips + other.clips,
        )

    @property
    def loudest(self) -> str:
        """The reference of 0 dB, in words."""
        return "the loudest spot" if self.clips == 1 else "the loudest spot of the two"


def waveform(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """The waveform: the highest and the lowest sample of each short segment.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    low, high, seconds = spectrogram.envelope(samples, rate, _COLUMNS)
    figure = go.Figure()
    for edge, fill in ((low, None), (high, "tonexty")):
        line = {"color": ACCENT, "width": 1}
        figure.add_scatter(
            x=seconds.round(3), y=np.round(edge, 4), mode="lines", line=line, fill=fill, hoverinfo="skip"
        )
    _finish(figure, "Waveform", name or "air pressure over time", scale)
    figure.update_yaxes(title="amplitude (full scale = 1)", range=[-1.05 * scale.amplitude, 1.05 * scale.amplitude])
    loudest = np.abs(samples).argmax() / rate
    return figure, (
        f"{len(samples) / rate:.1f} s of sound; it is loudest at {loudest:.1f} s, where it reaches "
        f"{np.abs(samples).max():.2f} of full scale."
    )


def energy(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """The level of each frame in dB below full scale.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    decibels, seconds = prosody.level(samples, rate)
    figure = go.Figure()
    figure.add_scatter(
        x=seconds.round(3),
        y=decibels.round(1),
        mode="lines",
        line={"color": ACCENT, "width": 2},
        hovertemplate="%{x:.2f} s: %{y:.0f} dB<extra></extra>",
    )
    _finish(figure, "Energy", name or "how loud, when", scale)
    figure.update_yaxes(title="level (dB, full scale = 0)", range=[prosody.LEVEL_FLOOR_DB, 0])
    loud, quietest = decibels.argmax(), decibels.min()
    silence = "silence" if quietest <= prosody.LEVEL_FLOOR_DB else f"{-quietest:.0f} dB below it"
    return figure, (
        f"The loudest moment, at {seconds[loud]:.1f} s, is {max(0.0, -decibels[loud]):.0f} dB below full scale; "
        f"the quietest is {silence}."
    )


def pitch(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """The fundamental frequency, on a logarithmic axis.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    hz, seconds = prosody.pitch(samples, rate)
    figure = go.Figure()
    figure.add_scatter(
        x=seconds.round(3),
        y=hz.round(1),
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        marker={"size": 4},
        hovertemplate="%{x:.2f} s: %{y:.0f} Hz<extra></extra>",
    )
    _finish(figure, "Pitch", name or "how high the voice is, when", scale)
    ticks = librosa.note_to_hz(_PITCH_TICKS)
    figure.update_yaxes(
        title="pitch (Hz and note)",
        type="log",
        range=np.log10([prosody.PITCH_FLOOR_HZ * 0.84, prosody.PITCH_CEILING_HZ * 1.09]).tolist(),
        tickvals=ticks,
        ticktext=[f"{tick:,.0f} {note}" for tick, note in zip(ticks, _PITCH_TICKS, strict=True)],
    )
    voiced = hz[~np.isnan(hz)]
    if not voiced.size:
        return figure, "No pitch is found here: nothing in this sound swings as regularly as a voice."
    low, middle, high = np.percentile(voiced, [5, 50, 95])
    return figure, (
        f"The median pitch is {middle:.0f} Hz, about the note {librosa.hz_to_note(middle)}; nine tenths of the voice "
        f"lie between {low:.0f} and {high:.0f} Hz. Gaps are silence, or sounds without pitch such as s and t."
    )


def stft(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """The magnitude of the short-time Fourier transform, on a linear axis in Hz.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    decibels, hz, seconds = spectrogram.stft_decibels(samples, rate)
    figure = _heatmap(_whole_decibels(decibels - scale.stft_db), seconds, hz.round(1), f"dB (0 is {scale.loudest})")
    figure.update_traces(zmin=-_RANGE_DB, zmax=0, hovertemplate="%{x:.2f} s, %{y:,.0f} Hz: %{z} dB<extra></extra>")
    _finish(figure, "Spectrogram (STFT)", name or "which frequencies, when", scale)
    figure.update_yaxes(title="frequency (Hz)", tickformat=",")
    energy_below = np.cumsum((10 ** (decibels / 10)).sum(axis=1))
    half, most = (hz[np.searchsorted(energy_below, share * energy_below[-1])] for share in (0.5, 0.95))
    return figure, (
        f"Brighter is louder. Half of the sound's energy lies below {half:,.0f} Hz, and 95% of it below {most:,.0f} Hz."
    )


def mel(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """The mel spectrogram, on a mel axis in Hz.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    decibels, hz, seconds = spectrogram.mel_decibels(samples, rate, scale.mel_power, scale.n_mels)
    bands = np.arange(len(hz))
    figure = _heatmap(_whole_decibels(decibels), seconds, bands, f"dB (0 is {scale.loudest})")
    figure.update_traces(
        zmin=-_RANGE_DB,
        zmax=0,
        customdata=np.repeat(hz.round().astype(np.int16)[:, None], len(seconds), axis=1),
        hovertemplate="%{x:.2f} s, %{customdata} Hz: %{z} dB<extra></extra>",
    )
    _finish(figure, "Mel spectrogram", name or "frequencies as the ear spaces them", scale)
    figure.update_yaxes(title="frequency (Hz)", **mel_ticks(hz))
    loud_band = hz[(10 ** (decibels / 10)).mean(axis=1).argmax()]
    return figure, (
        "Brighter is louder; frequencies are spaced as the ear tells them apart. "
        f"It is strongest around {loud_band:,.0f} Hz."
    )


def mfcc(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """MFCC without the first, which would dominate the others.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    coefficients, seconds = spectrogram.mfcc(samples, rate, scale.n_mfcc, scale.n_mels)
    first, second = coefficients[:2].mean(axis=1)
    numbers = np.arange(2, len(coefficients) + 1)
    figure = _heatmap(coefficients[1:].round().astype(np.int16), seconds, numbers, "coefficient (dB)")
    figure.update_traces(
        zmin=-_MFCC_DB,
        zmax=_MFCC_DB,
        colorscale=_DIVERGING,
        colorbar={"tickvals": [-80, -40, 0, 40, 80], "ticktext": ["≤ −80", "−40", "0", "40", "≥ 80"]},
        hovertemplate="%{x:.2f} s, coefficient %{y}: %{z} dB<extra></extra>",
    )
    _finish(figure, "MFCC", name or "the shape of the spectrum, when", scale)
    figure.update_yaxes(
        title="coefficient (number)", tickvals=[tick for tick in _MFCC_TICKS if tick <= len(coefficients)]
    )
    balance = "low frequencies outweigh high ones" if second > 0 else "high frequencies outweigh low ones"
    sentence = (
        f"Coefficient 2 is {second:+.0f} dB on average: {balance}. Coefficient 1, the overall level, is left out: "
        f"at {first:+.0f} dB it would drown the others."
    )
    return figure, sentence.replace("-", "\N{MINUS SIGN}")


def chroma(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """The chromagram: the strength of each of the 12 notes.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    strength, seconds = spectrogram.chroma(samples, rate)
    notes = spectrogram.NOTES
    figure = _heatmap(strength.round(2), seconds, notes, "strength (strongest note = 1)")
    figure.update_traces(zmin=0, zmax=1, hovertemplate="%{x:.2f} s, %{y}: %{z:.2f}<extra></extra>")
    _finish(figure, "Chroma", name or "which notes, when", scale)
    figure.update_yaxes(title="note")
    heard = ~np.isnan(strength).all(axis=0)
    if not heard.any():
        return figure, "Nothing is loud enough here to have a note."
    strongest, second = np.argsort(strength[:, heard].mean(axis=1))[::-1][:2]
    return figure, (
        f"The strongest notes on the whole are {notes[strongest]} and {notes[second]}. Left blank: moments that are "
        f"{-spectrogram.VOICE_FLOOR_DB:.0f} dB or more below the loudest, whose notes are those of faint noise."
    )


def contrast(samples: np.ndarray, rate: int, scale: Scale | None = None, name: str = "") -> tuple[go.Figure, str]:
    """The spectral contrast: level of the strongest frequencies above the weakest, in seven bands.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,)]
    rate : int > 0, Hz
    scale : Scale, optional
        Limits of axes and colours; the clip's own if left out.
    name : str, optional
        Of the clip, for the title, where two are compared.

    Returns
    -------
    figure : go.Figure
    sentence : str
    """
    scale = scale or Scale.of(samples, rate)
    decibels, seconds = spectrogram.contrast(samples, rate)
    edges = spectrogram.CONTRAST_EDGES_HZ
    bands = [f"{low:,} to {high:,} Hz" for low, high in pairwise(edges)]
    figure = _heatmap(decibels.round().astype(np.float32), seconds, np.arange(len(bands)), "contrast (dB)")
    figure.update_traces(
        zmin=0,
        zmax=_CONTRAST_DB,
        colorbar={"tickvals": [0, 20, 40, 60, 80], "ticktext": ["0", "20", "40", "60", "≥ 80"]},
        customdata=np.repeat(np.array(bands)[:, None], len(seconds), axis=1),
        hovertemplate="%{x:.2f} s, %{customdata}: %{z} dB<extra></extra>",
    )
    _finish(figure, "Spectral contrast", name or "how clear the tones are, when", scale)
    figure.update_yaxes(
        title="frequency (Hz)", tickvals=np.arange(len(edges)) - 0.5, ticktext=[f"{edge:,}" for edge in edges]
    )
    heard = ~np.isnan(decibels[0])
    if not heard.any():
        return figure, "Nothing is loud enough here to have tones."
    means = decibels[:, heard].mean(axis=1)
    most, least = means.argmax(), means.argmin()
    return figure, (
        f"Tones stand out most from {bands[most]}, by {means[most]:.0f} dB on average, and least from {bands[least]}, "
        f"by {means[least]:.0f} dB; noise alone has about 25 dB. Moments far below the loudest are left blank."
    )


def _heatmap(z: np.ndarray, seconds: np.ndarray, y: np.ndarray | tuple[str, ...], unit: str) -> go.Figure:
    """A heat map with its colour bar below it, so that its time axis is as long as all others."""
    return go.Figure(
        go.Heatmap(
            z=z,
            x=seconds.round(3),
            y=y,
            colorscale=SEQUENTIAL,
            colorbar={
                "orientation": "h",
                "thickness": 10,
                "title": {"text": unit, "side": "bottom"},
                "x": 0,
                "xanchor": "left",
                "len": 0.6,
                "y": -0.28,
                "yanchor": "top",
            },
        )
    )


def _whole_decibels(decibels: np.ndarray) -> np.ndarray:
    """Decibels as int8, which reduces the page's traffic to a third."""
    return np.clip(decibels, -_RANGE_DB, 0).round().astype(np.int8)


def _finish(figure: go.Figure, title: str, rest: str, scale: Scale) -> None:
    has_key = isinstance(figure.data[0], go.Heatmap)
    below = 116 if has_key else 44
    finish(figure, f"{title}: {rest}", height=_HEIGHT + 80 * has_key, showlegend=False, margin_l=76, margin_b=below)
    figure.update_xaxes(title="time (s)", range=[0, scale.seconds])
    figure.update_yaxes(automargin=False)


@dataclass(frozen=True)
class View:
    """One way to look at a clip."""

    key: str
    title: str
    question: str
    explanation: str
    draw: Callable[..., tuple[go.Figure, str]]


VIEWS: tuple[View, ...] = (
    View(
        "waveform",
        "Waveform",
        "What does the microphone record?",
        "Sound is air that is squeezed and thinned out, hundreds or thousands of times a second. A microphone turns "
        "that pressure into numbers, and this page keeps 22,050 of them a second. Drawn in a row they are the "
        "waveform: a wide band is a loud moment, a thin line is silence.",
        waveform,
    ),
    View(
        "energy",
        "Energy",
        "How loud is each moment?",
        "The waveform's typical size (its root mean square) in a window of 93 ms, in decibels (dB). Each 10 dB more "
        "is ten times the power, and sounds about twice as loud. 0 dB is the most that the file can hold, so all "
        "values lie below it.",
        energy,
    ),
    View(
        "pitch",
        "Pitch",
        "How high is the voice?",
        "In a vowel the vocal folds open and close at a steady rate, about 80 to 400 times a second in talk. That "
        "rate is the fundamental frequency, in hertz (Hz), and we hear it as pitch. Twice the rate is one octave "
        "higher, so every octave is drawn equally high. In anger, fear and joy the body is tense: more air is pressed "
        "through tighter folds, they swing faster, and the voice rises.",
        pitch,
    ),
    View(
        "stft",
        "Spectrogram",
        "Which frequencies is it made of?",
        "Any sound can be built from pure tones, and the Fourier transform finds how strong each of them is. To see "
        "them change, it is taken of one short frame after another (short-time Fourier transform, STFT): here of "
        "2,048 samples, 93 ms, every 23 ms. Each column is one frame. The stripes are the voice's fundamental "
        "frequency and its overtones, at 2, 3, 4 … times that frequency.",
        stft,
    ),
    View(
        "mel",
        "Mel spectrogram",
        "What does the ear make of it?",
        "The ear tells 100 Hz from 200 Hz with ease, but hardly 8,000 Hz from 8,100 Hz. The mel scale is spaced like "
        "that: even steps up to about 1,000 Hz, then wider and wider ones. Here the rows of the spectrogram are "
        "gathered into bands of the mel scale, 128 in the study. Averaged over time they are 128 of its 180 numbers.",
        mel,
    ),
    View(
        "mfcc",
        "MFCC",
        "What is the sound's shape, in few numbers?",
        "Mel-frequency cepstral coefficients (MFCC) describe each column of the mel spectrogram by the waves it can "
        "be built from, slow ones first. Coefficient 2 weighs low frequencies against high ones; later ones are finer "
        "ripples. That outline is made by mouth and throat, so MFCC tell vowels apart, and a bright voice from a dull "
        "one. The study averages 40 of them over the clip: the first 40 of its 180 numbers.",
        mfcc,
    ),
    View(
        "chroma",
        "Chroma",
        "Which notes are in it?",
        "Music names 12 notes, C to B, and begins again an octave higher. Chroma adds up all octaves of each note and "
        "sets the strongest note of each moment to 1. A song stays on its notes for a while; talk glides across them. "
        "Averaged over time, 12 such rows are part of the study's 180 numbers.",
        chroma,
    ),
    View(
        "contrast",
        "Spectral contrast",
        "How clear are its tones?",
        "In each of seven bands, most of them an octave wide, the strongest frequencies are measured against the "
        "weakest, in dB. A clear tone stands far out of what lies around it; breath, and sounds such as s and f, are "
        "noise, with about 25 decibels. The study's 180 numbers do without it.",
        contrast,
    ),
)
BY_KEY: dict[str, View] = {view.key: view for view in VIEWS}
