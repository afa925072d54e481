"""Ears against the model: a round of clips to label by ear, beside a model that has not heard the actors either."""

import random

import streamlit as st

from ser_core import ui
from ser_core.audio import conditions
from ser_core.errors import CorpusError, ListeningError
from ser_core.listening import rounds
from ser_core.listening.rounds import Round
from ser_core.ui import as_text, cached, ears

EACH, END = "each", "end"
REVEALS = {EACH: "After each clip", END: "After all clips"}


def games() -> dict[str, dict]:
    """The rounds of this session by address: the round, its answers, and how many clips were revealed."""
    return st.session_state.setdefault("ears-games", {})


def begin(address: str, reveal: str) -> None:
    st.query_params.from_dict({"round": address} | ({"reveal": END} if reveal == END else {}))
    games()[address] = {"answers": [], "revealed": 0}
    st.session_state.pop("ears-number", None)


def leave() -> None:
    st.query_params.clear()


def drawn(address: str) -> Round | None:
    """The round of that address, if it can be heard here; otherwise the reason is shown."""
    try:
        one = rounds.from_address(address, found=cached.all_runs(), settings=ui.settings())
        ears.require_sounds(one)
    except (CorpusError, ListeningError) as error:
        st.warning(as_text(str(error)))
        return None
    return one


def choose() -> None:
    """What the next round is made of, and the button that begins it."""
    found, voices = cached.all_runs(), ears.VOICES
    try:
        voices = voices | ears.other_voices()
    except CorpusError as error:
        st.warning(as_text(str(error)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        voice = st.segmented_control(
            "Voices", list(voices), default="speech", format_func=voices.__getitem__, required=True, key="ears-voices"
        )
        what = ears.whose(voice)
        titles = {"": "As recorded"} | {key: conditions.get(key).title for key in rounds.offered(found, **what)}
        heard = st.selectbox(
            "How they sound", list(titles), format_func=titles.__getitem__, width=240, key="ears-heard"
        )
        reveal = st.segmented_control(
            "See the truth",
            list(REVEALS),
            default=EACH,
            format_func=REVEALS.__getitem__,
            required=True,
            key="ears-reveal",
        )
    number = st.session_state.setdefault("ears-number", random.randint(0, rounds.MOST_SEED))
    one = rounds.draw(number, heard=heard, among=ears.pool(voice), found=found, settings=ui.settings(), **what)
    offer(one, reveal)


def offer(one: Round, reveal: str) -> None:
    """The button that begins a round."""
    st.button(
        "Start", type="primary", icon=":material/play_arrow:", shortcut="S", on_click=begin, args=(one.address, reveal)
    )
    st.caption(f"{ears.in_words(one)}. {ears.about_supply(one)}".strip())


def play(one: Round, game: dict, reveal: str) -> None:
    """The next clip; or the truth of the last one; or what came of it all."""
    answered, revealed = len(game["answers"]), game["revealed"]
    if reveal == EACH and answered > revealed:
        show_truth(one, game, clip=answered)
    elif answered < len(one.clips):
        st.progress(answered / len(one.clips), f"Clip {answered + 1} of {len(one.clips)}")

        def receive(clip: int, emotion: str, sure: float) -> None:
            if clip == len(game["answers"]) + 1:  # a click may arrive twice
                game["answers"].append((clip, emotion, sure))

        clip = answered + 1
        ears.ask(one, clip, ears.sound(one, clip), on_answer=receive, autoplay=True)
        st.button("Leave this round", type="tertiary", icon=":material/close:", on_click=leave)
    else:
        show_end(one, game, reveal)


def show_truth(one: Round, game: dict, clip: int) -> None:
    def go_on() -> None:
        game["revealed"] = clip

    st.progress(clip / len(one.clips), f"Clip {clip} of {len(one.clips)}")
    ears.reveal(one, clip, ears.table_of(game["answers"]))
    with st.container(width=ears.WIDTH):
        st.audio(ears.sound(one, clip), alt=f"Clip {clip}")
    title = "Next clip" if clip < len(one.clips) else "See how it went"
    st.button(title, type="primary", icon=":material/skip_next:", shortcut=ears.NEXT_KEY, on_click=go_on)


def show_end(one: Round, game: dict, reveal: str) -> None:
    outcome = ears.Outcome.of(one, ears.table_of(game["answers"]))
    ears.show_scores(outcome)
    with st.container(horizontal=True):
        st.button("Another round", type="primary", icon=":material/casino:", on_click=leave)
        st.button("The same clips again", icon=":material/replay:", on_click=begin, args=(one.address, reveal))
        if by_telephone := over_telephone(one):
            name = "The same clips over a telephone"
            st.button(name, icon=":material/call:", on_click=begin, args=(by_telephone, reveal))
    others = [other for address, other in games().items() if address != one.address and is_finished(other)]
    before = [
        ears.Outcome.of(other["round"], ears.table_of(other["answers"]))
        for other in others
        if other["round"].emotions == one.emotions
    ]
    ears.show_details(outcome, before)
    st.caption("This page's address repeats the round: hand it on, and others hear the same clips. Nothing is stored.")


def is_finished(game: dict) -> bool:
    return "round" in game and len(game["answers"]) == len(game["round"].clips)


def over_telephone(one: Round) -> str:
    """The address of the same clips over a telephone; empty if no model has answered them there."""
    found = cached.all_runs()
    if one.heard or "telephone" not in rounds.offered(found, channel=one.channel, corpus=one.corpus):
        return ""
    return rounds.draw(one.seed, heard="telephone", among=one.among, count=one.count, found=found).address


ui.require_router()
st.title("Ears against the model")
address = st.query_params.get("round", "")
game = games().get(address)
one = (game and game.get("round")) or (drawn(address) if address else None)
if one is None:
    st.markdown(
        "**Who hears more, you or a computer?** Ten voices, one after the other: say which emotion each acts, and "
        "how sure you are. A model that has never heard these actors answers the same clips."
    )
    choose()
elif game:
    ui.name_model(one.run.recipe.model)
    game["round"] = one
    play(one, game, st.query_params.get("reveal", EACH))
else:
    st.markdown("**Somebody has handed you a round.** Say which emotion each voice acts, and how sure you are.")
    offer(one, st.query_params.get("reveal", EACH))
    st.button("Choose another round", type="tertiary", on_click=leave)
