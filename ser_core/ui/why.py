"""Why a model gives its answer, and what it would say if a take were said or recorded otherwise."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from ser_core.audio import Waveform
from ser_core.audio.conditions import CONDITIONS, in_words
from ser_core.corpus import ravdess
from ser_core.corpus.clips import without_zeros
from ser_core.errors import AudioError
from ser_core.features import what_if
from ser_core.figures import clip as clip_figures
from ser_core.figures import explanation as figures
from ser_core.figures.style import percent
from ser_core.prediction import explanation
from ser_core.prediction.explanation import Standing
from ser_core.prediction.predictor import Prediction, Predictor
from ser_core.ui import as_text, cached, chart, line, part, settings
from ser_core.ui.answer import at_a_glance
from ser_core.ui.clip import audio_errors_shown, player
from ser_core.ui.takes import Take

NEIGHBOURS = 4
PLAIN = ("", *(key for key, one in CONDITIONS.items() if not one.needs_voices))


@st.cache_data(max_entries=2, show_spinner=False)
def _training_clips() -> pd.DataFrame:
    return explanation.training_clips(settings())


@st.cache_data(scope="session", max_entries=4, show_spinner="Placing it among the training clips")
def _standing(digest: str, emotion: str, gender: str, _waveform: Waveform) -> Standing:
    with line.of_server().turn():
        return explanation.standing(_waveform.samples, emotion, gender, _training_clips())


@st.cache_data(scope="session", max_entries=4, show_spinner="Looking for the nearest training clips")
def _nearest(digest: str, model: str, _waveform: Waveform, _predictor: Predictor) -> pd.DataFrame | None:
    with line.of_server().turn():
        return explanation.nearest(_predictor, _waveform.samples, settings().stores, count=NEIGHBOURS)


@st.cache_data(scope="session", max_entries=4, show_spinner="Leaving out one stretch after the other")
def _stretches(digest: str, model: str, _waveform: Waveform, _prediction: Prediction, _predictor) -> pd.DataFrame:
    with line.of_server().turn():
        return explanation.stretches(_predictor, _waveform, _prediction)


@st.cache_data(scope="session", max_entries=1, show_spinner="Changing it")
def _changed(digest: str, model: str, changes: what_if.Changes, _waveform: Waveform, _predictor) -> tuple:
    with line.of_server().turn():
        changed = replace(_waveform, samples=what_if.changed(_waveform.samples, changes))
        return changed.wav(), _predictor.predict(changed)


def forget() -> None:
    """Let go of what is kept of takes."""
    for kept in (_standing, _nearest, _stretches, _changed):
        kept.clear()


def show_why(take: Take, prediction: Prediction, predictor: Predictor) -> None:
    """What speaks for and against the answer, the nearest training clips, and the stretch that decided.

    Parameters
    ----------
    take : Take
    prediction : Prediction
        Of one turn, with a voice.
    predictor : Predictor
    """
    if not st.toggle("Why this answer?", key="why", bind="query-params"):
        return
    waveform, emotion = take.waveform, prediction.emotion
    found = _standing(take.digest, emotion, prediction.gender, waveform)
    whose = "women" if prediction.gender == "female" else "men"
    st.markdown(f"**Where this take stands** among the training clips that are spoken by {whose}:")
    for word, names in (("For", found.speaks_for), ("Against", found.speaks_against)):
        for name in names:
            sentence = found.sentence(name)
            st.markdown(f"- {word} {emotion}: {sentence[0].lower()}{sentence[1:]}")
    left, right = st.columns(2)
    with left:
        chart(figures.standing(found), key="standing")
    with right:
        stretches = _stretches(take.digest, predictor.digest, waveform, prediction, predictor)
        if stretches.empty:
            st.caption("It is too short to leave a stretch of it out.")
        else:
            chart(figures.stretches(stretches, emotion, waveform.duration_s), key="stretches")
            chart(clip_figures.waveform(waveform.samples, waveform.rate), key="stretches-waveform")
    _show_nearest(_nearest(take.digest, predictor.digest, waveform, predictor))
    with part():
        if truth := explanation.truth(predictor.entry, settings()):
            st.caption(f"How true is that? {truth}")


def _show_nearest(nearest: pd.DataFrame | None) -> None:
    if nearest is None or nearest.empty:
        return
    st.markdown("**The nearest training clips**, as the model hears them:")
    for column, clip in zip(st.columns(len(nearest)), nearest.itertuples(), strict=True):
        with column:
            speaker = f"{ravdess.speakers_called([clip.corpus]).removesuffix('s')} {without_zeros(clip.speaker)}"
            st.markdown(f"**{clip.emotion.capitalize()}**, {as_text(speaker)}, {clip.gender}")
            if file := cached.audible().file(clip.stem):
                with audio_errors_shown(clip.stem, file):
                    player(file)
            else:
                st.caption(f"{clip.stem} is not here to be heard.")


def show_what_if(take: Take, prediction: Prediction, predictor: Predictor) -> None:
    """The same take said or recorded otherwise, and what the model says then.

    Parameters
    ----------
    take : Take
    prediction : Prediction
        Of one turn, with a voice.
    predictor : Predictor
    """
    if not st.toggle("What if it were said differently?", key="what-if", bind="query-params"):
        return
    with st.form("changes", border=True):
        first, second = st.columns(2)
        with first:
            pitch = st.slider("Pitch, semitones up or down", -12.0, 12.0, 0.0, 0.5, key="what-if-pitch")
            spread = st.slider("Pitch range, times", 0.0, 3.0, 1.0, 0.1, key="what-if-range", help="0 is a monotone")
        with second:
            pace = st.slider("Pace, times", 0.5, 2.0, 1.0, 0.05, key="what-if-pace")
            bright = st.slider("Brightness, dB an octave", -12.0, 12.0, 0.0, 0.5, key="what-if-brightness")
        condition = st.selectbox(
            "Recorded", PLAIN, format_func=lambda key: in_words(key) if key else "as it is", key="what-if-condition"
        )
        st.form_submit_button("Hear it so", icon=":material/graphic_eq:")
    changes = what_if.Changes(pitch, spread, pace, bright, condition)
    if changes == what_if.UNCHANGED:
        st.caption("Move a slider, then hear the take and the answer change.")
        return
    try:
        content, changed = _changed(take.digest, predictor.digest, changes, take.waveform, predictor)
    except AudioError as error:
        st.error(as_text(str(error)))
        return
    before, after = prediction.emotions[prediction.emotion], changed.emotions[prediction.emotion]
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left.container(border=True):
        st.markdown(f"{at_a_glance(prediction)} becomes {at_a_glance(changed)}")
        st.markdown(
            f"{prediction.emotion.capitalize()} goes from {percent(before)} to {percent(after)}; the most probable "
            f"emotion is now {changed.emotion}, at {percent(changed.emotion_probability)}."
        )
    with right:
        st.audio(content, format="audio/wav")
