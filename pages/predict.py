"""One or many recordings in, an emotion for each out: the answer first, then the evidence."""

import json
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from ser_core import audio, corpus, ui
from ser_core.audio.conditions import CONDITIONS, in_words
from ser_core.audio.level import active_level
from ser_core.corpus import synthetic
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.errors import AudioError, CorpusError
from ser_core.evaluation import protocols, verdicts
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.figures import clip as clip_figures
from ser_core.figures import prediction as figures
from ser_core.figures.style import percent
from ser_core.files import as_csv
from ser_core.models import registry
from ser_core.prediction import turns
from ser_core.prediction.predictor import TURNS, Prediction
from ser_core.ui import cached
from ser_core.ui.clip import audio_errors_shown, play

MAX_CLIPS = 50
UPLOAD, RECORD, CLIP, EXAMPLE = SOURCES = "Upload", "Record", "RAVDESS clip", "Example"


@dataclass(frozen=True)
class Heard:
    """One recording and what the model hears in it."""

    name: str
    content: bytes
    prediction: Prediction


# Both are kept for this session alone: nobody else is shown what was uploaded here, and nothing is written to disk.


@st.cache_data(scope="session", max_entries=2, show_spinner=False)
def decode(content: bytes) -> audio.Waveform:
    return audio.load(content, rate=SAMPLE_RATE)


@st.cache_data(scope="session", max_entries=4 * MAX_CLIPS, show_spinner="Listening")
def predict(content: bytes, model: str, _predictor) -> Prediction:
    return _predictor.predict(decode(content))


@st.cache_data(max_entries=16, show_spinner=False)
def example(emotion: str, actor: int) -> bytes:
    return synthetic.wav(emotion, actor=actor)


def choose_clips() -> list[tuple[str, bytes]]:
    """Names and contents of what the user wants heard."""
    asked = CLIP if "clip" in st.query_params else UPLOAD
    source = st.segmented_control(
        "Where the sound comes from", SOURCES, default=asked, required=True, key="source", wrap=True
    )
    if source == CLIP:
        return ravdess_clip()
    if source == RECORD:
        recording = st.audio_input("Say a sentence in the emotion of your choice", sample_rate=48_000, key="recording")
        st.caption("No microphone? Browsers allow it on this machine (localhost) or over HTTPS only.")
        return [("recording.wav", recording.getvalue())] if recording else []
    if source == EXAMPLE:
        left, right = st.columns(2)
        emotion = left.selectbox("Emotion", EMOTION_NAMES, index=4, format_func=str.capitalize, key="example-emotion")
        voice = right.selectbox("Voice", ["Female", "Male"], key="example-voice")
        st.info(
            "A synthetic voice, made by a program and not by a person: good for a first look at the page, "
            "no evidence of how well the model hears people. It learned from people, so expect wrong answers here.",
            icon=":material/smart_toy:",
        )
        return [(f"synthetic-{emotion}.wav", example(emotion, actor=2 if voice == "Female" else 1))]
    files = st.file_uploader(
        "Drop one or more recordings of a voice here",  # of any ending or none: each is read by its content
        accept_multiple_files=True,
        key="upload",
    )
    st.caption(
        f"Up to {MAX_CLIPS} files of 25 MB and 10 minutes each: WAV, FLAC, OGG, MP3, M4A, WebM, AMR and more, under "
        "any name, and the sound of phone videos. They stay in memory, and are gone when you leave."
    )
    if len(files) > MAX_CLIPS:
        st.warning(
            f"{len(files)} files are more than this page takes at once: the first {MAX_CLIPS} are heard. "
            "The command line takes any number: python -m ser_core predict FILE..."
        )
    return [(file.name, file.getvalue()) for file in files[:MAX_CLIPS]]


PARTS = {
    "train": "The models that ship have learned from this very clip: that they know it says little.",
    "test": "The models that ship have not learned from this clip, but from others by the same actor.",
}


def ravdess_clip() -> list[tuple[str, bytes]]:
    """The clip that the address names: ?clip=03-01-05-02-01-01-12."""
    stem, clip = st.query_params.get("clip", ""), None
    try:
        clip = corpus.parse(stem) if stem else None
    except CorpusError as error:
        st.warning(ui.as_text(f"{error}."))
    if clip:
        st.markdown(f"**{corpus.title(clip)}**: “{corpus.STATEMENTS[clip.statement]}”")
    st.page_link("pages/dataset.py", label="Choose one of the recordings", icon=":material/library_music:")
    if clip and (file := cached.audible().file(stem)) is None:
        st.info("There is no recording of it here.", icon=":material/volume_off:")
    elif clip:
        if part := protocols.original_parts().get(stem):
            st.info(PARTS[part], icon=":material/school:")
        with audio_errors_shown(stem, file):
            return [(file.name, audio.read(file))]
    return []


def hear(clips: list[tuple[str, bytes]], predictor) -> list[Heard]:
    """Every clip that can be heard; the others are named with what is wrong."""
    heard = []
    for name, content in clips:
        try:
            heard.append(Heard(name, content, predict(content, predictor.entry.digest, predictor)))
        except AudioError as error:
            st.error(f"{ui.as_text(name)}: {error}")
    return heard


def show_all(heard: list[Heard]) -> None:
    """One row a recording."""
    rows = pd.DataFrame(
        {
            "file": clip.name,
            "answer": clip.prediction.answer,
            "verdict": BADGES[clip.prediction.verdict][0],
            "voice": clip.prediction.gender if clip.prediction.has_voice else None,
            "claimed": 100 * clip.prediction.emotion_probability if clip.prediction.has_voice else None,
            "warnings": " ".join(clip.prediction.warnings),
        }
        for clip in heard
    )
    st.subheader(f"{len(heard)} recordings")
    claimed = st.column_config.ProgressColumn(
        format="%.0f %%", min_value=0, max_value=100, help="How sure the model claims to be of its first emotion"
    )
    st.dataframe(rows, hide_index=True, column_config={"claimed": claimed})


def choose_one(heard: list[Heard]) -> Heard:
    """The recording to look at closely."""
    if len(heard) == 1:
        return heard[0]
    names = [f"{number}. {clip.name}" for number, clip in enumerate(heard, start=1)]
    return heard[st.selectbox("Look closer at", range(len(heard)), format_func=names.__getitem__, key="closer")]


# Verdict -> words, colour and icon of its badge.
BADGES = {
    verdicts.HEARD: ("heard", "green", ":material/check_circle:"),
    verdicts.UNSURE: ("not sure", "orange", ":material/help:"),
    verdicts.UNLIKE: ("unlike all it has heard", "red", ":material/explore_off:"),
    verdicts.NO_VOICE: ("no voice", "gray", ":material/voice_over_off:"),
    verdicts.UNTESTED: ("never tested on new voices", "gray", ":material/science:"),
    TURNS: ("several turns", "blue", ":material/forum:"),
}


def show_answer(clip: Heard) -> None:
    """What may be said, why, and what to mind."""
    prediction, waveform = clip.prediction, decode(clip.content)
    answer, sound = st.columns([3, 2], vertical_alignment="center")
    with answer.container(border=True):
        words, colour, icon = BADGES[prediction.verdict]
        st.badge(words, color=colour, icon=icon)
        st.markdown(
            f"{'##' if prediction.verdict in (verdicts.HEARD, verdicts.UNTESTED) else '###'} {headline(prediction)}"
        )
        st.markdown(prediction.reason)
        if prediction.has_voice:
            claimed = percent(prediction.emotion_probability)
            little = " Such numbers mean little here." if prediction.verdict == verdicts.UNLIKE else ""
            st.caption(
                f"It gives {prediction.emotion} {claimed}, and a {prediction.gender} voice "
                f"{percent(prediction.genders[prediction.gender])}.{little}"
            )
        else:
            st.caption("A model that has learned from voices alone names an emotion for any sound, even for noise.")
    with sound:
        play(clip.content, lambda: waveform)
        loudness = active_level(waveform.samples - waveform.samples.mean(), waveform.rate)
        st.caption(
            f"{waveform.duration_s:.1f} s, {waveform.format}, {waveform.original_rate:,} Hz, "
            f"the {'voice' if prediction.has_voice else 'sound'} at {loudness:.0f} dB of full scale"
        )
    for sentence in prediction.warnings:
        st.warning(sentence)


def headline(prediction: Prediction) -> str:
    """The answer as a title; where it cannot be told, that first."""
    if prediction.verdict == verdicts.UNLIKE:
        return f"Cannot tell; as a guess, {prediction.emotion}"
    if prediction.answer == "cannot tell":
        return f"Cannot tell; perhaps {prediction.emotion}"
    return f"{prediction.answer[0].upper()}{prediction.answer[1:]}"


TRIALS = ("telephone", "peak", "room", "white-20", "smartphone", "kitchen-note")


@st.cache_data(scope="session", max_entries=len(TRIALS), show_spinner="Recording it otherwise")
def try_in(content: bytes, condition: str, model: str, _predictor) -> tuple[bytes, Prediction]:
    """A recording in a condition, as a file and as the model hears it."""
    waveform = decode(content)
    changed = replace(waveform, samples=CONDITIONS[condition].apply(waveform.samples, waveform.rate))
    return changed.wav(), _predictor.predict(changed)


def offer_trials(clip: Heard, predictor) -> None:
    """Whether the answer stands when the same is recorded otherwise."""
    st.markdown("**Does the answer stand?** Hear the same, recorded otherwise:")
    titles = {key: in_words(key) for key in TRIALS}
    condition = st.pills(
        "Recorded otherwise", titles, format_func=titles.get, key="trial", label_visibility="collapsed"
    )
    if not condition:
        return
    content, prediction = try_in(clip.content, condition, predictor.entry.digest, predictor)
    stands = prediction.answer == clip.prediction.answer
    words, colour, icon = BADGES[prediction.verdict]
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left.container(border=True):
        st.badge(words, color=colour, icon=icon)
        st.markdown(
            f"**{headline(prediction)}** {titles[condition]}: the answer "
            + ("stands." if stands else f"was {clip.prediction.answer}, as uploaded. It does not stand.")
        )
    with right:
        st.audio(content, format="audio/wav")
        st.caption(f"{CONDITIONS[condition].note[0].upper()}{CONDITIONS[condition].note[1:]}.")


def show_evidence(clip: Heard) -> None:
    """Every emotion, every member of the vote, and the sound itself."""
    prediction, waveform = clip.prediction, decode(clip.content)
    if prediction.has_voice:
        show_probabilities(prediction)
    left, right = st.columns(2)
    with left:
        ui.chart(clip_figures.waveform(waveform.samples, waveform.rate), key="waveform")
    with right:
        ui.chart(clip_figures.mel(waveform.samples, waveform.rate), key="mel")
    if prediction.has_voice:
        with st.expander("All 16 classes"):
            ui.chart(figures.classes(prediction.probabilities), key="classes")


def show_probabilities(prediction: Prediction) -> None:
    """How probable each emotion is, by each member of the vote, and over time."""
    left, right = st.columns(2)
    with left:
        ui.chart(figures.emotions(prediction.emotions), key="emotions")
    with right:
        ui.chart(figures.genders(prediction.genders), key="genders")
        if prediction.members:
            said = {registry.get(key).name: emotions for key, emotions in prediction.members.items()}
            ui.chart(figures.members(said, prediction.emotions), key="members")
    if prediction.turns is not None:
        ui.chart(figures.timeline(prediction.turns), key="timeline")


def offer_downloads(heard: list[Heard], key: str) -> None:
    """All answers as a table and as JSON."""
    answers = [{"file": clip.name, "model": key} | clip.prediction.as_dict() for clip in heard]
    table = turns.table(answers)
    with st.container(horizontal=True):
        icon = ":material/download:"
        st.download_button("CSV", as_csv(table), "emotions.csv", "text/csv", icon=icon)
        st.download_button("JSON", json.dumps(answers, indent=1), "emotions.json", "application/json", icon=icon)


ui.require_router()
st.title("Hear an emotion")
limits_here = st.container()
clips = choose_clips()
answers_here = st.container()
# Below the answers, which depend on it.
models = cached.trained_models()
key = st.selectbox("Model", **ui.options({key: entry.title for key, entry in models.items()}, "model"))

with limits_here:
    ui.limits(models[key])
with answers_here:
    predictor = cached.predictor(models[key]) if clips else None  # a network takes seconds to be loaded
    heard = hear(clips, predictor) if clips else []
    if len(heard) > 1:
        show_all(heard)
    if heard:
        chosen = choose_one(heard)
        show_answer(chosen)
        if chosen.prediction.has_voice:
            offer_trials(chosen, predictor)
        show_evidence(chosen)
        offer_downloads(heard, key)
