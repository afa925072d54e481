"""What a model hears in a take: the answer, what speaks for it, and whether it stands when recorded otherwise."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from ser_core.audio.conditions import CONDITIONS, in_words
from ser_core.audio.level import active_level
from ser_core.evaluation import verdicts
from ser_core.figures import prediction as figures
from ser_core.figures.style import percent
from ser_core.models import registry
from ser_core.prediction.predictor import TURNS, Prediction, Predictor
from ser_core.ui import as_text, chart, line, options
from ser_core.ui.clip import play
from ser_core.ui.side_by_side import Sound
from ser_core.ui.takes import Take

# Verdict -> words, colour and icon of its badge.
BADGES = {
    verdict: (verdicts.IN_WORDS[verdict], colour, icon)
    for verdict, colour, icon in (
        (verdicts.HEARD, "green", ":material/check_circle:"),
        (verdicts.UNSURE, "orange", ":material/help:"),
        (verdicts.UNLIKE, "red", ":material/explore_off:"),
        (verdicts.NO_VOICE, "gray", ":material/voice_over_off:"),
        (verdicts.UNTESTED, "gray", ":material/science:"),
        (TURNS, "blue", ":material/forum:"),
    )
}
TRIALS = ("telephone", "peak", "room", "white-20", "smartphone", "kitchen-note")


def at_a_glance(prediction: Prediction) -> str:
    """The answer as a badge in the colour of its verdict, in Markdown.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    str
    """
    words = prediction.answer if prediction.turns is None else f"{len(prediction.turns)} turns"
    return _badge(prediction.verdict, words)


def _badge(verdict: str, words: str = "") -> str:
    known, colour, icon = BADGES[verdict]
    return f":{colour}-badge[{icon} {words or known}]"


def headline(prediction: Prediction) -> str:
    """The answer as a title; where it cannot be told, that first.

    Parameters
    ----------
    prediction : Prediction

    Returns
    -------
    str
    """
    if prediction.verdict == verdicts.UNLIKE:
        return f"Cannot tell; as a guess, {prediction.emotion}"
    if prediction.answer == "cannot tell":
        return f"Cannot tell; perhaps {prediction.emotion}"
    return f"{prediction.answer[0].upper()}{prediction.answer[1:]}"


def claim(prediction: Prediction) -> str:
    """How sure a model claims to be of the emotion and of the gender, in a sentence.

    Parameters
    ----------
    prediction : Prediction
        Of one turn, with a voice.

    Returns
    -------
    str
    """
    claimed, of_gender = prediction.emotion_probability, prediction.genders[prediction.gender]
    little = " Such numbers mean little here." if prediction.verdict == verdicts.UNLIKE else ""
    voice = f"a {prediction.gender} voice {percent(of_gender)}"
    return f"It gives {prediction.emotion} {percent(claimed)}, and {voice}.{little}"


def show_answer(prediction: Prediction, known: str = "") -> None:
    """What may be said, why, and what to mind.

    Parameters
    ----------
    prediction : Prediction
    known : str
        What the model knew of the person, in a sentence.
    """
    is_said = prediction.verdict in (verdicts.HEARD, verdicts.UNTESTED)
    with st.container(border=True):
        st.markdown(_badge(prediction.verdict))
        st.markdown(f"{'##' if is_said else '###'} {headline(prediction)}")
        st.markdown(prediction.reason)
        if prediction.turns is None and prediction.has_voice:
            st.caption(claim(prediction))
        elif not prediction.has_voice:
            st.caption("A model that has learned from voices alone names an emotion for any sound, even for noise.")
        if known:
            st.caption(known)
    for sentence in prediction.warnings:
        st.warning(sentence)


def show_sound(take: Take, prediction: Prediction) -> None:
    """A take to the ear, and what kind of recording it is.

    Parameters
    ----------
    take : Take
    prediction : Prediction
    """
    waveform = take.waveform
    play(take.content, lambda: waveform)
    loudness = active_level(waveform.samples, waveform.rate, offset=waveform.samples.mean())
    st.caption(
        f"**{as_text(take.name)}**: {waveform.duration_s:.1f} s, {waveform.format}, {waveform.original_rate:,} Hz, "
        f"the {'voice' if prediction.has_voice else 'sound'} at {loudness:.0f} dB of full scale"
    )


@st.cache_data(scope="session", max_entries=1, show_spinner="Recording it otherwise")
def _try_in(digest: str, condition: str, model: str, _take: Take, _predictor) -> tuple[bytes, Prediction]:
    """A take in a condition, as a file and as the model hears it."""
    waveform = _take.waveform
    with line.of_server().turn():
        changed = replace(waveform, samples=CONDITIONS[condition].apply(waveform.samples, waveform.rate))
        return changed.wav(), _predictor.predict(changed)


def forget_trial() -> None:
    """Let go of the take that is kept as it was recorded otherwise."""
    _try_in.clear()


def offer_trials(take: Take, predictor: Predictor) -> None:
    """Whether the answer stands when the same is recorded otherwise.

    Parameters
    ----------
    take : Take
    predictor : Predictor
    """
    st.markdown("**Does the answer stand?** Hear the same, recorded otherwise:")
    titles = {key: in_words(key) for key in TRIALS}
    condition = st.pills("Recorded otherwise", **options(titles, "trial"), label_visibility="collapsed")
    if not condition:
        return
    content, prediction = _try_in(take.digest, condition, predictor.digest, take, predictor)
    known = take.heard(predictor)
    stands = prediction.answer == known.answer
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left.container(border=True):
        st.markdown(_badge(prediction.verdict))
        st.markdown(
            f"**{headline(prediction)}** {titles[condition]}: the answer "
            + ("stands." if stands else f"was {known.answer}, as uploaded. It does not stand.")
        )
    with right:
        st.audio(content, format="audio/wav")
        st.caption(f"{CONDITIONS[condition].note[0].upper()}{CONDITIONS[condition].note[1:]}.")


def show_evidence(take: Take, prediction: Prediction) -> None:
    """Every emotion, every member of the vote, and the sound itself.

    Parameters
    ----------
    take : Take
    prediction : Prediction
    """
    if prediction.turns is not None:
        _show_turns(take, prediction.turns)
    elif prediction.has_voice:
        _show_probabilities(prediction)
    sound = Sound(take.digest, take.waveform, is_private=True)
    for column, view in zip(st.columns(2), ("waveform", "mel"), strict=True):
        with column:
            chart(sound.view(view, sound.scale, ""), key=view)
    if prediction.has_voice and prediction.turns is None:
        with st.expander("All 16 classes"):
            chart(figures.classes(prediction.probabilities), key="classes")


def _show_turns(take: Take, turns: pd.DataFrame) -> None:
    """The turns over time and as a list; the one that is chosen is played."""
    clicked = chart(figures.timeline(turns), key=f"timeline-{take.key}", clickable=True)
    rows = pd.DataFrame(
        {
            "turn": range(1, len(turns) + 1),
            "from": turns["start_s"],
            "to": turns["end_s"],
            "answer": turns["answer"],
            "verdict": [BADGES[verdict][0] for verdict in turns["verdict"]],
            "voice": turns["gender"],
        }
    )
    seconds = st.column_config.NumberColumn(format="%.1f s")
    picked = st.dataframe(
        rows,
        hide_index=True,
        column_config={"from": seconds, "to": seconds},
        on_select="rerun",
        selection_mode="single-row",
        key=f"turns-{take.key}",
        height=min(300, 40 + 35 * len(rows)),
    ).selection.rows
    # What was chosen last, in the chart or in the list.
    known = st.session_state.setdefault("turn-chosen", {})
    before = known.get(take.key, {})
    now = {"chart": int(clicked[0]) - 1 if clicked else None, "list": picked[0] if picked else None}
    changed = [where for where in now if now[where] is not None and now[where] != before.get(where)]
    turn = now[changed[0]] if changed else before.get("turn")
    st.session_state["turn-chosen"] = {take.key: now | {"turn": turn}}
    if turn is None or turn >= len(turns):
        st.caption("Choose a turn in the chart or in the list to hear it.")
        return
    one = turns.iloc[turn]
    st.markdown(
        f"**Turn {turn + 1}**, {one['start_s']:.1f} to {one['end_s']:.1f} s: {_badge(one['verdict'], one['answer'])}"
    )
    waveform = take.waveform
    start, end = (round(one[name] * waveform.rate) for name in ("start_s", "end_s"))
    st.audio(replace(waveform, samples=waveform.samples[start:end]).wav(), format="audio/wav", autoplay=bool(changed))


def _show_probabilities(prediction: Prediction) -> None:
    """How probable each emotion is, by each member of the vote, and over time."""
    left, right = st.columns(2)
    with left:
        chart(figures.emotions(prediction.emotions), key="emotions")
    with right:
        chart(figures.genders(prediction.genders), key="genders")
        if prediction.members:
            said = {registry.get(key).name: emotions for key, emotions in prediction.members.items()}
            chart(figures.members(said, prediction.emotions), key="members")
