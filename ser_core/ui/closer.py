"""Three things to try with a sound: other sampling rates, the picture that a network sees, a pure tone.

Each is behind a click, and nothing is computed before it.
"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from ser_core import audio, ui
from ser_core.audio.conditions import through_rate
from ser_core.audio.tone import faded, sine
from ser_core.features import images, spectrogram
from ser_core.figures import tone as tone_figures
from ser_core.figures.clip import BY_KEY
from ser_core.ui import line, picture_set
from ser_core.ui.side_by_side import Sound

RATES = (audio.DEFAULT_RATE, 8_000, 4_000)
LOUDEST = 0.5  # of full scale: a pure tone is unpleasant when it is louder


def show(sounds: Sequence[Sound | None], names: Sequence[str], *, is_ravdess: bool) -> None:
    """All three, closed.

    Parameters
    ----------
    sounds : sequence of Sound or None
        As `show_views` takes them; the sampling rates are of the first that is there.
    names : sequence of str
        Of the sounds, where there are two.
    is_ravdess : bool
        Whether the sounds are recordings of RAVDESS, of which the study tells.
    """
    first = next(sound for sound in sounds if sound)
    st.header("More to try")
    with _opened("Sampling rate by ear", ":material/hearing:", "rates") as place:
        if place.open:
            _show_rates(first, is_ravdess)
    with _opened("The picture that a network sees", ":material/image:", "picture") as place:
        if place.open:
            _show_pictures(sounds, names)
            if is_ravdess:
                picture_set.show()
    with _opened("What is a tone?", ":material/airwave:", "tone") as place:
        if place.open:
            _show_tone()


def _opened(title: str, icon: str, key: str):
    """A part that the page is run for when it is opened; whether it is open stands in the address."""
    return st.expander(title, icon=icon, key=key, on_change="rerun", bind="query-params")


# For all sessions: they look at the same clips.
@st.cache_data(max_entries=32, show_spinner="Resampling")
def _through(key: str, rate: int, _waveform: audio.Waveform) -> tuple[audio.Waveform, bytes, float]:
    """A clip at a lower sampling rate, the same as a file, and the share of its energy that is lost."""
    with line.of_server().turn():
        samples = through_rate(_waveform.samples, _waveform.rate, rate)
        lost = spectrogram.share_above(_waveform.samples, _waveform.rate, rate / 2)
    changed = replace(_waveform, samples=samples)
    return changed, changed.wav(), lost


def _show_rates(sound: Sound, is_ravdess: bool) -> None:
    st.markdown(
        "The sampling rate is how many numbers a second are kept. **A rate keeps tones up to half of it and no "
        "higher**: a wave takes two numbers at least, one up and one down. Listen for s, t and k: they go first."
    )
    for column, rate in zip(st.columns(len(RATES)), RATES, strict=True):
        waveform, file, lost = _through(sound.key, rate, sound.waveform)
        with column:
            st.markdown(f"**{rate:,} numbers a second**")
            st.audio(file, format=ui.MIME["wav"])
            kept = f"Tones up to {rate // 2:,} Hz are kept. "
            if rate == audio.DEFAULT_RATE:
                st.caption(f"{kept}This is what the page and the models use.")
            else:
                st.caption(
                    f"{kept}What lies above {rate // 2:,} Hz is lost: {_percent(lost)} of the energy at "
                    f"{audio.DEFAULT_RATE:,}."
                )
            made = Sound(f"{sound.key} at {rate}", waveform)
            ui.chart(made.view("stft", sound.scale, f"at {rate:,}"), key=f"rate-{rate}")
    st.markdown(
        "**Is 22,050 Hz all that people hear?** So the study's article says of the usual rate of its program, librosa. "
        "But a rate is no tone: 22,050 numbers a second keep tones up to 11,025 Hz, and young ears hear up to about "
        "20,000 Hz, which takes more than 40,000 numbers a second. "
        + ("The clips were recorded with 48,000. " if is_ravdess else "")
        + "Most of a voice lies below 8,000 Hz, so the lower rate loses little of it and halves the work."
    )


def _percent(share: float) -> str:
    return "less than 0.1%" if share < 0.001 else f"{100 * share:.1f}%"


@st.cache_data(max_entries=64, show_spinner=False)
def _picture(key: str, _waveform: audio.Waveform):
    return images.picture(_waveform.samples, "mel")


def _show_pictures(sounds: Sequence[Sound | None], names: Sequence[str]) -> None:
    st.markdown(
        f"VGG16 was made for photographs, so it gets a clip as one: **its {BY_KEY['mel'].title.lower()}, "
        f"{images.SIZE} by {images.SIZE} pixels**, without axes. Each pixel is three numbers, red, green and blue: "
        f"{3 * images.SIZE**2:,} numbers in all."
    )
    for column, sound, name in zip(st.columns(len(sounds)), sounds, names, strict=True):
        if sound:
            column.image(
                _picture(sound.key, sound.waveform),
                caption=name or None,
                width=images.SIZE,
                alt=f"Mel spectrogram as a picture of {images.SIZE} by {images.SIZE} pixels",
            )
    st.caption(
        "Time runs from left to right, and low tones are at the bottom. A short clip and a long one are equally wide, "
        "and the loudest spot is always the brightest: how long a clip is and how loud cannot be seen. The 128 mel "
        "bands are stretched to 224 rows of pixels."
    )


def _show_tone() -> None:
    st.markdown(
        "The simplest sound: a sine wave. Three numbers say all of it, and every other sound can be built from such "
        "tones."
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        amplitude = st.slider("Amplitude: how far it swings, so how loud", 0.0, LOUDEST, 0.25, 0.01, key="tone-loud")
        hz = st.slider("Frequency (Hz): waves a second, so how high", 60, 1000, 220, 10, key="tone-hz")
        phase = st.slider("Phase (degrees): where in its wave it begins", 0, 360, 0, 15, key="tone-phase")
    with right:
        ui.chart(tone_figures.tone(hz, amplitude, phase, most=LOUDEST), key="tone-curve")
        st.audio(audio.waveform.wav(faded(sine(hz, amplitude, phase)), audio.DEFAULT_RATE), format=ui.MIME["wav"])
    st.caption("Twice the frequency sounds an octave higher. The phase of one tone cannot be heard: try it.")
