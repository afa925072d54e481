"""My voice: takes that tell how a person usually speaks, which a model hears before it answers."""

from collections.abc import Callable, Iterable, Mapping

import pandas as pd
import streamlit as st

from ser_core.errors import SerError
from ser_core.figures.style import percent
from ser_core.prediction.model_store import ModelEntry
from ser_core.prediction.predictor import Predictor
from ser_core.results import generalization
from ser_core.ui import as_text, cached, line
from ser_core.ui.sources import record
from ser_core.ui.takes import Known, Take, Takes

NEUTRAL = "neutral"
SENTENCE = "Kids are talking by the door"
WANTED = 2  # neutral takes, as in `known_before`
WAYS = (f"{WANTED} neutral clips", "all clips")  # that a person is offered, of `known_before`


@st.cache_resource(show_spinner="Scoring the runs")
def known_before() -> dict[str, pd.DataFrame]:
    """`generalization.known_before` of the runs that ship, by model. Shared by all sessions: never change it.

    Returns
    -------
    dict of str to pd.DataFrame
        Name of a model -> its rows.
    """
    return dict(iter(generalization.known_before(cached.shipped_runs()).groupby("model")))


def gains(entry: ModelEntry) -> pd.DataFrame | None:
    """What it gains by clips of a speaker that it hears before: its rows of `generalization.known_before`.

    Parameters
    ----------
    entry : ModelEntry

    Returns
    -------
    pd.DataFrame or None
        None if that was never measured.
    """
    return known_before().get(entry.name)


def is_of_use(entry: ModelEntry) -> bool:
    """Whether the model was measured to gain by one of the ways to know a voice: two neutral takes, or all of them.

    Parameters
    ----------
    entry : ModelEntry

    Returns
    -------
    bool
    """
    rows = gains(entry)
    return rows is not None and bool((rows.loc[rows["known"].isin(list(WAYS)), "low"] > 0).any())


def get_to_know(takes: Takes, plain: Predictor) -> Callable[[Take], Predictor]:
    """The predictor for each take: for the person's own, one that has heard how the person usually speaks.

    Shows progress and runs the page again, if there is something new to hear for that.

    Parameters
    ----------
    takes : Takes
    plain : Predictor

    Returns
    -------
    callable
        Of a take.
    """
    told = [take for take in (takes.all if takes.is_one_person else takes.neutral) if not take.problem]
    if not told or not is_of_use(plain.entry):
        takes.known = None
        return lambda take: plain
    what = plain.digest, takes.is_one_person, tuple(take.digest for take in told)
    if takes.known is None or takes.known.what != what:
        takes.known = _known(what, plain, told, None if takes.is_one_person else NEUTRAL)
        st.rerun()
    known = takes.known.predictor
    return lambda take: plain if take is takes.example else known


def _known(what: tuple, plain: Predictor, told: list[Take], emotion: str | None) -> Known:
    far = st.progress(0.0, "Getting to know the voice")

    def waiting(place: int) -> None:
        far.progress(0.0, line.in_words(place))

    def waveforms():
        for done, take in enumerate(told):
            line.of_server().make_way(waiting)
            far.progress(done / len(told), f"Getting to know the voice: {done} of {len(told)} takes")
            yield take.waveform

    speaker = f"{emotion or 'all'}:{len(told)}"
    try:
        with line.of_server().turn(waiting):
            return Known(what, plain.of_speaker(waveforms(), emotion), speaker)
    except SerError as error:
        return Known(what, plain, speaker, problem=f"The voice is left out of account. {error}.")


def offer(takes: Takes, entry: ModelEntry, models: Mapping[str, ModelEntry]) -> None:
    """Ask for takes that tell how the person usually speaks; hidden where no model gains by them.

    Parameters
    ----------
    takes : Takes
    entry : ModelEntry
        The chosen model.
    models : mapping of str to ModelEntry
        All that can be chosen.
    """
    better = [key for key, other in models.items() if is_of_use(other)]
    if not better:
        return
    knows = entry.key in better and (takes.is_one_person or bool(takes.neutral))
    with st.popover("My voice" + (": known" if knows else ""), icon=":material/record_voice_over:", key="my-voice"):
        if entry.key in better:
            _ask(takes, entry)
        else:
            _explain(entry, models[better[0]])


def _ask(takes: Takes, entry: ModelEntry) -> None:
    """The widgets: neutral takes to record or to choose, or that all takes are one person's."""
    count = len(takes.neutral)
    if count or takes.is_one_person:
        st.markdown("**It knows your voice:** every take of yours is heard through what is usual of you.")
    else:
        st.markdown(f"**Let it hear you first.** Say “{SENTENCE}” twice, calmly, as if you told somebody the time.")
    if count < WANTED and not takes.is_one_person:
        record(takes, f"Calm take {count + 1} of {WANTED}", key="calm", is_neutral=True)
    known = {take.key: take for take in takes.newest_first}
    # The widgets' keys change with what they show, so that none holds what it was not told by a hand.
    neutral = f"neutral-{hash(tuple((take.key, take.is_neutral) for take in takes.all))}"
    whole = f"one-person-{takes.is_one_person}"

    def choose() -> None:
        for take in takes.all:
            take.is_neutral = take.key in st.session_state[neutral]

    if known:
        st.multiselect(
            "My calm takes",
            known,
            default=[take.key for take in takes.neutral],
            format_func=lambda key: known[key].name,
            key=neutral,
            on_change=choose,
            disabled=takes.is_one_person,
        )
    st.caption(_said_of(entry, ["2 neutral clips"]))
    if len(known) > 1 or takes.is_one_person:
        st.toggle(
            "All takes are one person's",
            takes.is_one_person,
            key=whole,
            on_change=lambda: setattr(takes, "is_one_person", st.session_state[whole]),
            help="What is usual of the person is told from all takes, whatever their emotions: the more they are, and "
            "the more different, the better.",
        )
        anew = "Each new take changes what is usual of the person: all takes are heard anew, and answers may change."
        st.caption(f"{anew} {_said_of(entry, ['8 clips', 'all clips'])}")


def _said_of(entry: ModelEntry, ways: Iterable[str]) -> str:
    """What a model gains by these ways, in a sentence."""
    said, rows = [], gains(entry)
    assert rows is not None
    for row in rows[rows["known"].isin(list(ways))].to_dict("records"):
        chance = "" if row["low"] > 0 else ", which may be chance"
        said.append(f"{percent(row['after'])} after {row['known']} of each, {_points(row)} than without{chance}")
    return f"Right answers for actors never heard before: {'; '.join(said)}." if said else ""


def _points(row: Mapping) -> str:
    points, low, high = (100 * row[name] for name in ("gain", "low", "high"))
    return f"{abs(points):.1f} points {'more' if points > 0 else 'fewer'} (95%: {low:+.1f} to {high:+.1f})"


def _explain(entry: ModelEntry, better: ModelEntry) -> None:
    """Why it is not asked for with a model that gains nothing, and which one does."""
    rows = gains(entry)
    if rows is None:
        st.markdown(f"**{as_text(entry.title)}** hears no takes of yours before it answers.")
    else:
        best = rows.loc[rows["gain"].idxmax()].to_dict()
        st.markdown(
            f"**{as_text(entry.title)}** gains little or nothing by knowing your voice: at best {_points(best)}, after "
            f"{best['known']} of an actor. It has learned to look past who speaks."
        )
    st.markdown(f"**{as_text(better.title)}** does gain:")
    st.caption(_said_of(better, WAYS))
    st.button(
        f"Take {better.title}",
        icon=":material/swap_horiz:",
        key="take-better",
        on_click=lambda: st.session_state.update(model=better.key),
    )


def said(take: Take, takes: Takes, predictor: Predictor) -> str:
    """What is said under the answer of what the model knew of the person.

    Parameters
    ----------
    take : Take
    takes : Takes
    predictor : Predictor
        That heard it.

    Returns
    -------
    str
        Empty of a model that gains nothing by it.
    """
    if not is_of_use(predictor.entry):
        return ""
    if not predictor.knows_speaker:
        return "Heard without knowing the voice, which this model wants to know first: see *My voice*."
    if takes.is_one_person:
        return f"Heard as one person's, who is known from {len(takes.all)} takes."
    if take.is_neutral:
        return "This take is one of those that tell how you usually speak."
    return f"Heard as yours: known from {_count(len(takes.neutral))}."


def in_downloads(takes: Takes, predictor: Predictor) -> dict[str, str]:
    """What answers that are saved say of it: "speaker", as the command line's.

    Parameters
    ----------
    takes : Takes
    predictor : Predictor
        That gave the answers.

    Returns
    -------
    dict of str to str
        Empty if the person is not known to the model.
    """
    return {"speaker": takes.known.speaker} if takes.known and predictor.knows_speaker else {}


def _count(number: int) -> str:
    return "1 calm take" if number == 1 else f"{number} calm takes"
