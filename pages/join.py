"""A class of pupils who listen, from a pupil's side: join, listen, and see what the class heard once it is revealed."""

import streamlit as st

from ser_core import ui
from ser_core.classroom.room import FROZEN, REVEALED, Pupil
from ser_core.classroom.typed import NICKNAME_LENGTH
from ser_core.corpus import synthetic
from ser_core.errors import ClassroomError, SerError
from ser_core.ui import classes, classroom, ears


def ask_who() -> None:
    st.markdown("Your teacher's screen shows a code of six signs. Choose any nickname: not your own name.")
    with st.form("join", enter_to_submit=True, width=520):
        code = st.text_input("Code", value=st.query_params.get(classes.PLACE, ""), autocomplete="off")
        nickname = st.text_input("Nickname", autocomplete="off", help=f"At most {NICKNAME_LENGTH} signs")
        if st.form_submit_button("Join", type="primary", icon=":material/login:"):
            try:
                classes.sit_down(store.join(code, nickname, client=classes.client()))
            except SerError as error:
                st.error(ui.as_text(str(error)))
                return
            st.rerun()
    st.caption(
        "Your class sees your nickname and how many clips you have answered. Your answers are deleted after thirty "
        "days, or when your teacher deletes them. Nothing says who you are."
    )


@st.cache_data(show_spinner=False)
def test_sound() -> bytes:
    """Something to hear that is no clip of any round: a voice that a computer made."""
    return synthetic.wav("neutral", actor=2, seconds=2.0)


def wait_for_start() -> None:
    st.markdown("## You are in. Wait for the start.")
    st.markdown("Can you hear this voice, which a computer made? Then say that you are ready.")
    with st.container(width=520):
        st.audio(test_sound(), format="audio/wav", alt="A sound to try your loudspeaker or headphones")
    if st.session_state.get("join-ready") == pupil.token:
        st.markdown(":green-badge[:material/check: Ready]")
    elif st.button("I can hear it", type="primary", icon=":material/volume_up:"):
        store.ready(pupil)
        st.session_state["join-ready"] = pupil.token
        st.rerun()


def receive(clip: int, emotion: str, sure: float) -> None:
    try:
        store.answer(pupil, room.round.number, clip, emotion, sure)
    except ClassroomError as error:
        st.session_state["join-error"] = str(error)


def play() -> None:
    """The next clip that is not answered, or what there is to wait for."""
    now = room.round
    own = store.own_answers(pupil)
    answered = set(own.loc[own["round"] == now.number, "clip"])
    clips = [room.clip] if room.clip else range(1, now.clips + 1)
    clip = next((one for one in clips if one not in answered), None)
    st.progress(len(answered) / now.clips, f"{len(answered)} of {now.clips} answered")
    if message := st.session_state.pop("join-error", None):
        st.warning(ui.as_text(message))
    if clip is None:
        st.markdown("## Answered. Wait for the others.")
    elif room.stage == FROZEN:
        st.markdown("## Paused. Wait for your teacher.")
    else:
        one = classroom.drawn(now.address)
        ears.ask(one, clip, ears.sound(one, clip), on_answer=receive, key="class", autoplay=True)


def watch(seen) -> None:
    """Look, while the page stays as it is, whether the teacher has gone on."""
    with ui.routed():
        try:
            is_same = store.classroom(pupil) == seen
        except ClassroomError:  # deleted
            is_same = False
        if not is_same:
            st.rerun()


ui.require_router()
store = classes.store()
pupil: Pupil | None = classes.pupil()
if pupil is None:
    st.title("Join a class")
    if st.session_state.pop("join-was-in", False):
        st.info("That class is over and was deleted, or your place in it was.", icon=":material/info:")
    ask_who()
else:
    st.session_state["join-was-in"] = True
    room = store.classroom(pupil)
    st.title(f"Class {pupil.code}")
    st.text(pupil.nickname)
    if room.is_over:
        st.info("This class is over.", icon=":material/flag:")
    elif room.round is None:
        wait_for_start()
    elif room.stage != REVEALED:
        play()
    else:
        st.markdown("**The truth is out.** The next one comes when your teacher goes on.")
    if room.round and room.round.revealed and (room.stage == REVEALED or room.is_over):
        classroom.show_results(pupil.code, room.round, store.revealed_answers(pupil), own=pupil.number)
    st.fragment(watch, run_every=None if room.is_over else classroom.REFRESH_S)(room)
    st.page_link("pages/predict.py", label="What does a model hear in my voice?", icon=":material/mic:")
    st.caption("There you can share the model's answer with the class. The sound is not shared.")
