"""My voice: takes of one person, whose usual way of speaking the model hears before it answers."""

import streamlit as st

from ser_core.errors import SerError
from ser_core.prediction.predictor import Predictor
from ser_core.ui import as_text
from ser_core.ui.takes import Take, Takes

NEUTRAL = "neutral"
SENTENCE = "Kids are talking by the door"


def knowing(takes: Takes, predictor: Predictor) -> Predictor:
    """The predictor that has heard the person before, if the session says whose takes these are.

    Parameters
    ----------
    takes : Takes
    predictor : Predictor

    Returns
    -------
    Predictor
        The same one if it has not.
    """
    known = takes.all if takes.is_one_person else [take for take in takes.neutral if take in takes.all]
    known = [take for take in known if not take.problem]
    if not known:
        return predictor
    what = (predictor.digest, takes.is_one_person, tuple(take.digest for take in known))
    if takes.speaker is None or takes.speaker[0] != what:
        try:
            emotion = None if takes.is_one_person else NEUTRAL
            takes.speaker = what, predictor.of_speaker([take.waveform for take in known], emotion)
        except SerError as error:
            st.warning(as_text(f"Your voice is left out of account. {error}."))
            return predictor
    return takes.speaker[1]


def offer(takes: Takes) -> None:
    """Ask for takes that tell how the person usually speaks.

    Parameters
    ----------
    takes : Takes
    """
    used = takes.is_one_person or bool(takes.neutral)
    with st.popover("My voice" + (": known" if used else ""), icon=":material/record_voice_over:", key="my-voice"):
        st.markdown(
            f"**Let it know how you usually speak.** Say “{SENTENCE}” twice, calmly, as if you told somebody the time. "
            "Then choose those two takes here: what is usual of your voice is taken away from all your takes."
        )
        known = {take.key: take for take in takes.newest_first}
        # The keys change with the takes, so that a widget never holds one that is gone.
        neutral, whole = f"neutral-{hash(tuple(known))}", f"one-person-{takes.arrivals}"
        st.multiselect(
            "My neutral takes",
            known,
            default=[take.key for take in takes.neutral],
            format_func=lambda key: known[key].name,
            disabled=takes.is_one_person,
            key=neutral,
            on_change=lambda: setattr(takes, "neutral", [known[key] for key in st.session_state[neutral]]),
        )
        st.toggle(
            "All takes are one person's",
            takes.is_one_person,
            key=whole,
            on_change=lambda: setattr(takes, "is_one_person", st.session_state[whole]),
            help="What is usual of the person is estimated from all takes, whatever their emotions: the more they are, "
            "and the more different, the better.",
        )
        st.caption(
            "Your takes stay in this session. Of actors never heard, the robust model names about 2 more of 100 takes "
            "right after two neutral ones; takes of unknown emotion change little: see *Emotion or voice?*"
        )


def said(take: Take, takes: Takes) -> str:
    """What is said of a take under the answer, if the person's voice is known.

    Parameters
    ----------
    take : Take
    takes : Takes

    Returns
    -------
    str
        Empty if it is not.
    """
    if takes.is_one_person:
        return f"Heard as one person's, who is known from {len(takes.all)} takes."
    if not takes.neutral:
        return ""
    if take in takes.neutral:
        return "This take is one of those that tell how you usually speak."
    return f"Heard as yours, as you are known from {len(takes.neutral)} neutral takes."
