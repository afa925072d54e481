"""Recordings in, an emotion for each out: the answer first, then the evidence; two takes can be compared."""

from collections.abc import Callable

import streamlit as st

from ser_core import durations, ui
from ser_core.prediction.predictor import Predictor
from ser_core.ui import answer, cached, classes, comparison, line, sources, speaker, take_list, why
from ser_core.ui.takes import Take, of_session

SEARCH = 0.4  # of the time that a long recording takes, for looking where somebody speaks


def choose_model(titles: dict[str, str]) -> str:
    """The model: kept in the page's address, and for this session, since links to this page name none."""
    ui.begin_with("model", st.session_state.get("model-before"), titles)
    key = st.session_state["model-before"] = st.selectbox("Model", **ui.options(titles, "model"))
    ui.name_model(key)
    return key


def listen(predictor_of: Callable[[Take], Predictor], shown: Take | None) -> None:
    """Let models hear what they have not heard; the progress takes the place of all that was shown."""
    far = st.progress(0.0, "Recording stopped" if takes.waiting and source == sources.RECORD else "Sound received")

    def searching(done_s: float, total_s: float) -> None:
        far.progress(
            SEARCH * done_s / total_s,
            f"Looking for voices: {durations.in_words(done_s)} of {durations.in_words(total_s)}",
        )

    def turns(done: int, total: int) -> None:
        far.progress(SEARCH + (1 - SEARCH) * done / total, f"Listening: {done} of {total} turns")

    def waiting(place: int) -> None:
        far.progress(now, f"{line.in_words(place)}. Your recording is here, and is heard when it is its turn")

    for done, total in takes.hear(predictor_of, shown, waiting=waiting, progress=turns, searching=searching):
        now = done / total
        far.progress(now, f"Listening: {done} of {total}" if total > 1 else "Listening")


def show(take: Take, predictor_of: Callable[[Take], Predictor]) -> None:
    """The answer, how far it can be trusted, and what speaks for it; or two takes side by side."""
    predictor = predictor_of(take)
    prediction = take.heard(predictor)
    is_own = take in takes.all
    left, right = st.columns([3, 2])
    with left:
        answer.show_answer(prediction, speaker.said(take, takes, predictor))
        if is_own:
            classes.offer_sharing(prediction, entry.title, take.key)
    with right:
        answer.show_sound(take, prediction)
        if is_own:
            take_list.show_list(takes, predictor)
    ui.limits(entry, is_folded=True)
    if other := comparison.choose_other(take, takes):
        comparison.compare(take, other, predictor_of)
    else:
        if prediction.has_voice and prediction.turns is None:
            answer.offer_trials(take, predictor)
            with ui.part():
                why.show_why(take, prediction, predictor)
            why.show_what_if(take, prediction, predictor)
        answer.show_evidence(take, prediction)
    known = speaker.in_downloads(takes, predictor)
    take_list.offer_all(takes.all if is_own else (take,), take, predictor, known)


ui.require_router()
st.title("Hear an emotion")
takes, models = of_session(), cached.trained_models()
limits_here = st.empty()
left, right = st.columns([3, 2])
with right:
    ui.name_unreadable(cached.unreadable_models())
    if not models:
        st.error("No trained model can be read here. Restore those that ship (git checkout artifacts), or train one.")
        st.stop()
with right, st.container(horizontal=True, vertical_alignment="bottom"):
    entry = models[choose_model({key: one.title for key, one in models.items()})]
    speaker.offer(takes, entry, models)
with left:
    source = sources.choose_source()
    chosen = sources.ask(source, takes)

predictor_of = None
if takes.waiting or (chosen and not chosen.problem):  # a network takes seconds to be loaded
    predictor_of = speaker.get_to_know(takes, cached.predictor(entry))
    if takes.unheard(predictor_of, chosen):
        listen(predictor_of, chosen)
        st.rerun()
with st.container():  # in the place where `listen` shows its progress, which removes it at once
    take_list.show_notes(takes, chosen)
    if predictor_of and chosen and not chosen.problem:
        show(chosen, predictor_of)
    else:
        with limits_here.container():
            ui.limits(entry)
