"""A report on recordings: HTML that needs nothing beside it and prints to one page of A4 for each recording.

Several recordings are listed in a table first. The text is in `report.html`, a Jinja template that escapes all that
comes from outside, such as file names and notes.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
from PIL import Image
from plotly.colors import sample_colorscale

import ser_core
from ser_core import durations, templates
from ser_core.audio import Waveform
from ser_core.corpus.labels import BY_NAME
from ser_core.environment import versions
from ser_core.evaluation import verdicts
from ser_core.features import spectrogram
from ser_core.prediction.model_store import ModelEntry
from ser_core.prediction.predictor import Prediction

# What a page has room for; of more, the number is said.
MAX_TURNS = 20
MAX_WARNINGS = 5
MAX_NOTE = 500  # characters
MAX_NAME = 110  # characters

_COLUMNS = 600  # of a waveform; a printer shows no more of them on 17 cm
_COLOURS = "Cividis"  # as in the dashboard's charts
_RANGE_DB = 80  # of the mel spectrogram, below its loudest spot
_HZ_TICKS = (200, 1000, 4000)
_TICK_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
_MAX_TICKS = 10
# What reorders the text around it, so that a name looks like another, and what is no text at all.
_UNPRINTABLE = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0x20), *range(0x7F, 0xA0)])
_UNPRINTABLE |= {ord("\n"): "\n", ord("\t"): " "}


@dataclass(frozen=True)
class Picture:
    """The waveform and the mel spectrogram of a recording, in shares of the width and the height of their plots.

    Parameters
    ----------
    envelope : list of (float, float)
        Outline of the waveform, from the left along its top and back: 0 to 1, from the left and from the top.
    peak : float
        Where the outline ends above and below; 1 is full scale.
    mel : str
        A PNG as a data URI.
    seconds, hz : list of (float, str)
        Ticks: from the left and from the top, with their labels.
    """

    envelope: list[tuple[float, float]]
    peak: float
    mel: str
    seconds: list[tuple[float, str]]
    hz: list[tuple[float, str]]

    @classmethod
    def of(cls, samples: np.ndarray, rate: int) -> "Picture":
        """Draw it.

        Parameters
        ----------
        samples : np.ndarray [shape=(n,)]
        rate : int > 0, Hz

        Returns
        -------
        Picture
        """
        low, high, seconds = spectrogram.envelope(samples, rate, _COLUMNS)
        peak = float(np.abs(samples).max()) or 1.0
        length = len(samples) / rate
        edges = [(seconds, high), (seconds[::-1], low[::-1])]
        outline = [(x / length, 0.5 - y / (2 * peak)) for edge in edges for x, y in zip(*edge, strict=True)]
        decibels, hz, _ = spectrogram.mel_decibels(samples, rate)
        step = next((step for step in _TICK_STEPS_S if length / step < _MAX_TICKS), _TICK_STEPS_S[-1])
        bands = np.interp(_HZ_TICKS, hz, np.arange(len(hz)))
        return cls(
            envelope=outline,
            peak=peak,
            mel=_data_uri(decibels),
            seconds=[(tick / length, f"{tick:g}") for tick in np.arange(0, length, step).round(1)],
            hz=[(1 - (band + 0.5) / len(hz), f"{tick:,}") for band, tick in zip(bands, _HZ_TICKS, strict=True)],
        )


@dataclass(frozen=True)
class Sheet:
    """What a report says of one recording.

    Parameters
    ----------
    name : str
        Of its file.
    sound : str
        Format, rate and channels of its file, in words.
    duration_s : float
    picture : Picture
    prediction : Prediction
    turns : pd.DataFrame, optional
        Of a recording of several turns: `start_s`, `end_s` (s), `verdict` and `answer`.
    note : str
        Printed at the end; empty for ruled space to write on.
    speaker : str
        What the model had heard of the person before, as the command line's JSON says it, such as "neutral:2"; empty
        if nothing.
    """

    name: str
    sound: str
    duration_s: float
    picture: Picture
    prediction: Prediction
    turns: pd.DataFrame | None = None
    note: str = ""
    speaker: str = ""

    @classmethod
    def of(cls, name: str, waveform: Waveform, prediction: Prediction, *, note: str = "", speaker: str = "") -> "Sheet":
        """Draw the recording's picture; its samples are not kept.

        Parameters
        ----------
        name : str
            Of its file.
        waveform : Waveform
        prediction : Prediction
        note : str
            Printed at the end; empty for ruled space to write on.
        speaker : str
            What the model had heard of the person before.

        Returns
        -------
        Sheet
        """
        channels = {1: "mono", 2: "stereo"}.get(waveform.channels, f"{waveform.channels} channels")
        sound = f"{waveform.format.upper()}, {waveform.original_rate:,} Hz, {channels}"
        picture = Picture.of(waveform.samples, waveform.rate)
        return cls(name, sound, waveform.duration_s, picture, prediction, prediction.turns, note, speaker)

    @property
    def known(self) -> str:
        """What the model had heard of the person before, in a sentence; empty if nothing."""
        kind, _, number = self.speaker.partition(":")
        if not kind:
            return ""
        takes = f"{number} {'calm ' * (kind == 'neutral')}recording{'s' * (number != '1')}"
        return f"The voice was known: the model had heard {takes} of this person before."


def report(sheets: Sequence[Sheet], entry: ModelEntry, *, made: datetime | None = None) -> str:
    """Report what a model hears in recordings.

    Parameters
    ----------
    sheets : sequence of Sheet
        Of at least one recording.
    entry : ModelEntry
        The model.
    made : datetime, optional
        The date on the report; by default, now.

    Returns
    -------
    str
        HTML without scripts and without addresses of anything outside. It prints to a page for each recording; of
        several, a table comes first.

    Raises
    ------
    ValueError
        If there is no recording.

    Examples
    --------
    >>> import ser_core
    >>> from ser_core import audio
    >>> from ser_core.corpus import synthetic
    >>> predictor = ser_core.load_predictor("krr")
    >>> voice = audio.load(synthetic.wav("angry", actor=1), rate=22050)
    >>> html = report([Sheet.of("voice.wav", voice, predictor.predict(voice))], predictor.entry)
    >>> html.splitlines()[0]
    '<!DOCTYPE html>'
    """
    if not sheets:
        raise ValueError("A report is of one recording or more, and there is none")
    return _template().render(
        sheets=sheets,
        entry=entry,
        terms=entry.card.partition("## Terms")[2].strip(),
        made=made or datetime.now().astimezone(),
        versions={"ser-core": ser_core.__version__} | versions(),
    )


@cache
def _template() -> jinja2.Template:
    environment = templates.environment(Path(__file__).parent)
    environment.filters |= {
        "clock": _clock,
        "duration": durations.in_words,
        "middle_out": _middle_out,
        "percent": _percent,
        "plain": _plain,
        "sentence": _sentence,
    }
    environment.globals |= {
        "emotions": BY_NAME,
        "covered": verdicts.COVERED,
        "in_words": verdicts.IN_WORDS,
        "max_turns": MAX_TURNS,
        "max_warnings": MAX_WARNINGS,
        "max_note": MAX_NOTE,
        "max_name": MAX_NAME,
    }
    return environment.get_template("report.html")


def _data_uri(decibels: np.ndarray) -> str:
    """A mel spectrogram as a PNG, low frequencies at the bottom."""
    level = np.clip(1 + (decibels - decibels.max()) / _RANGE_DB, 0, 1) * 255
    image = Image.fromarray(level.round().astype(np.uint8)[::-1])
    colours = np.array(sample_colorscale(_COLOURS, 256, colortype="tuple")) * 255
    image.putpalette(colours.round().astype(np.uint8).tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _plain(text: str) -> str:
    """Text without control characters, and without bytes of a file name that are no text."""
    return text.encode(errors="replace").decode().translate(_UNPRINTABLE)


def _clock(seconds: float) -> str:
    """75.25 -> "1:15.2"."""
    tenths = round(10 * seconds)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _percent(share: float) -> str:
    """0.714 -> "71.4%"; never rounded to 0% or 100%."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}"


def _middle_out(text: str, most: int) -> str:
    """A text of at most so many characters; a longer one keeps both ends, which tell files apart."""
    text = _plain(text)
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[3 - most // 3 :]}"


def _sentence(text: str) -> str:
    """With a capital first."""
    return text[:1].upper() + text[1:]
