"""A class of pupils who listen, from the teacher's side: open one, play rounds, reveal what the class heard."""

import random
from contextlib import suppress
from datetime import UTC, datetime

import streamlit as st

from ser_core import files, ui
from ser_core.audio import conditions
from ser_core.classroom import statistics
from ser_core.classroom.room import FROZEN, OPEN, REVEALED, Teacher
from ser_core.classroom.rules import OPEN_S
from ser_core.classroom.typed import PASSWORD_LENGTHS
from ser_core.errors import ClassroomError, CorpusError, SerError
from ser_core.listening import rounds
from ser_core.ui import cached, classes, classroom, ears

DAY = round(OPEN_S / 3600)
OWN, TOGETHER = "own", "together"
PACES = {OWN: "Each at their own pace", TOGETHER: "One clip at a time, together"}


def ask_who() -> None:
    """Open a class, or come back to one; nothing else is shown before."""
    st.markdown(
        "Thirty pupils listen to ten clips each and say which emotion they hear. You see, live, who has answered; once "
        "you reveal it, how people did beside the model on the same clips. Pupils need a phone or a computer with "
        "sound, no account, and no name of their own."
    )
    left, right = st.columns(2, gap="large")
    with left, st.form("open", enter_to_submit=True):
        st.header("Open a class")
        password = st.text_input(
            "A password of your own",
            type="password",
            placeholder=f"At least {PASSWORD_LENGTHS[0]} signs",
            autocomplete="new-password",
            help="It is kept as a hash alone. With it and the code you come back, also from another computer.",
        )
        if st.form_submit_button("Open a class", type="primary", icon=":material/school:"):
            enter(lambda: store.open_class(password, client=classes.client()))
    with right, st.form("enter", enter_to_submit=True):
        st.header("Come back to one")
        code = st.text_input("Its code", value=st.query_params.get(classes.PLACE, ""), autocomplete="off")
        password = st.text_input("Its password", type="password", autocomplete="current-password")
        if st.form_submit_button("Come back", icon=":material/login:"):
            enter(lambda: store.enter(code, password, client=classes.client()))
    st.caption(
        f"A code ends after {DAY} hours. What pupils answered is deleted with one click, and by itself after thirty "
        "days. It is in one file on this server, without sound and without anything that says who a nickname is."
    )


def enter(how) -> None:
    try:
        classes.enter(how())
    except SerError as error:
        st.error(ui.as_text(str(error)))
        return
    st.rerun()


def act(do, *arguments, **more) -> None:
    """A button's action; what is wrong with it is said when the page has run again."""
    try:
        do(teacher, *arguments, **more)
    except SerError as error:
        st.session_state["teach-error"] = str(error)


def delete() -> None:
    act(store.delete)
    st.session_state["teach-done"] = f"Class {teacher.code} is deleted, with all that it had."
    leave()


def leave() -> None:
    classes.enter(None)


def begin() -> None:
    """Begin the round that was chosen, and draw another number for the next one."""
    voice, heard = st.session_state["teach-voices"], st.session_state["teach-heard"]
    try:
        drawn = rounds.draw(
            st.session_state["teach-seed"],
            heard=heard,
            among=ears.pool(voice),
            found=cached.all_runs(),
            settings=ui.settings(),
            **ears.whose(voice),
        )
        ears.require_sounds(drawn)
    except SerError as error:
        st.session_state["teach-error"] = str(error)
        return
    is_together = st.session_state["teach-pace"] == TOGETHER
    act(store.start_round, drawn.address, drawn.emotions, len(drawn.clips), together=is_together)
    st.session_state["teach-seed"] = random.randint(1, rounds.MOST_SEED)


def choose_round() -> None:
    """What the next round is made of."""
    st.session_state.setdefault("teach-seed", random.randint(1, rounds.MOST_SEED))
    voices = ears.VOICES
    with suppress(CorpusError):  # the page of rounds says what is wrong with it
        voices = voices | ears.other_voices()
    with st.popover("What they hear", icon=":material/tune:"):
        st.radio(
            "Pace",
            list(PACES),
            format_func=PACES.__getitem__,
            captions=["All ten clips, then the reveal", "Reveal after each clip, or go on to the next"],
            key="teach-pace",
        )
        voice = st.segmented_control(
            "Voices", list(voices), default="speech", format_func=voices.__getitem__, required=True, key="teach-voices"
        )
        offered = rounds.offered(cached.all_runs(), **ears.whose(voice))
        titles = {"": "As recorded"} | {key: conditions.get(key).title for key in offered}
        st.selectbox("How they sound", list(titles), format_func=titles.__getitem__, key="teach-heard")
        st.number_input(
            "Number of the round",
            0,
            rounds.MOST_SEED,
            key="teach-seed",
            help="The same number gives the same clips, in another class, too.",
        )


def controls() -> None:
    """What the teacher can do now: the next step first."""
    now = room.round
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if room.is_over:
            st.markdown("**This class is over.** Its answers can be looked at and exported until they are deleted.")
        else:
            if room.stage == OPEN:
                button("Reveal", store.reveal, "visibility", is_next=True)
                button("Freeze", store.freeze, "pause")
            elif room.stage == FROZEN:
                button("Reveal", store.reveal, "visibility", is_next=True)
                button("Go on", store.resume, "play_arrow")
            if not room.is_at_last_clip:
                button("Next clip", store.next_clip, "skip_next", is_next=room.stage == REVEALED)
            if now is None:
                st.button("Start", icon=":material/play_arrow:", type="primary", on_click=begin)
            elif room.stage == REVEALED and room.is_at_last_clip:
                st.button("Next round", icon=":material/fast_forward:", type="primary", on_click=begin)
            else:
                with st.popover("Next round", icon=":material/fast_forward:", key=f"teach-next-{now.number}"):
                    st.markdown("This round is not over. What is not revealed yet is shown to nobody any more.")
                    st.button("Begin the next round", on_click=begin)
            choose_round()
    if message := st.session_state.pop("teach-error", None):
        st.error(ui.as_text(message))


def button(label: str, do, icon: str, *, is_next: bool = False) -> None:
    look = "primary" if is_next else "secondary"
    st.button(label, icon=f":material/{icon}:", type=look, on_click=act, args=(do,))


def watch(drawn) -> None:
    """Who is there and how far they are, live; the page runs again when another window has changed the class."""
    with ui.routed():
        try:
            if store.classroom(teacher) != drawn:
                st.rerun()
            seats = store.seats(teacher)
        except ClassroomError as error:
            st.error(str(error))
            return
        if not seats:
            st.markdown("Nobody has joined yet. Pupils scan the picture, or open the address and type the code.")
            return
        classroom.show_seats(seats, drawn)


def housekeeping() -> None:
    """What is done once in a lesson: export, remove, end, delete."""
    st.divider()
    with st.container(horizontal=True):
        stamp = f"class-{teacher.code}"
        ui.download("Export answers (CSV)", lambda: files.as_csv(export()), f"{stamp}.csv", "text/csv")
        if len(shared):
            ui.download("Export shared takes (CSV)", lambda: files.as_csv(shared), f"{stamp}-takes.csv", "text/csv")
        seats = store.seats(teacher)
        if seats:
            with st.popover("Remove a pupil", icon=":material/person_remove:"):
                names = {seat.number: seat.nickname for seat in seats}
                number = st.selectbox("Who", list(names), format_func=names.__getitem__, key="teach-remove")
                st.button("Remove, with all answers", on_click=act, args=(store.remove, number))
        if not room.is_over:
            with st.popover("End the class", icon=":material/stop:"):
                st.markdown("The code ends: nobody can join or answer any more. Answers stay.")
                st.button("End it", type="primary", on_click=act, args=(store.end,))
        with st.popover("Delete for good", icon=":material/delete_forever:"):
            st.markdown(
                "All nicknames and answers of this class are deleted from this server. **There is no way back.**"
            )
            st.button("Delete the class for good", type="primary", on_click=delete)
        st.button("Leave this screen", icon=":material/logout:", on_click=leave)


def export():
    """All answers, beside what the clips are and what the model says."""
    return statistics.with_truth(
        store.answers(teacher), {one.number: classroom.drawn(one.address) for one in room.rounds}
    )


ui.require_router()
store = classes.store()
teacher: Teacher | None = classes.teacher()
room = None
if teacher is not None:
    try:
        room = store.classroom(teacher)
    except ClassroomError as error:  # deleted in another window, or after thirty days
        st.session_state["teach-done"] = str(error)
        classes.enter(None)

if room is None:
    st.title("Teach")
    if message := st.session_state.pop("teach-done", None):
        st.success(message)
    ask_who()
else:
    st.title(f"Class {teacher.code}")
    ends = datetime.fromtimestamp(room.ends, UTC).astimezone()
    until = f"ended on {ends:%d %B at %H:%M}" if room.is_over else f"ends on {ends:%d %B at %H:%M}, or when you end it"
    st.caption(f"{classroom.stage_in_words(room)}. The code {until}.")
    if not room.is_over:
        classroom.show_invitation(teacher.code, is_large=room.round is None)
    controls()
    if room.clip and room.stage != REVEALED and not room.is_over:
        classroom.play(room.round, room.clip)
    st.fragment(watch, run_every=None if room.is_over else classroom.REFRESH_S)(room)
    shared = store.shared(teacher)
    if room.round is not None and room.round.revealed:
        classroom.show_results(teacher.code, room.round, store.revealed_answers(teacher))
    if len(shared):
        classroom.show_shared(shared)
    housekeeping()
