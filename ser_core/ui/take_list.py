"""The list of a session's takes: choosing, renaming, removing, and all answers as a table and for download."""

import json
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from ser_core import files
from ser_core.prediction import report, turns
from ser_core.prediction.predictor import Predictor
from ser_core.ui import as_text, ask_first, choice, download, side_by_side, why
from ser_core.ui.answer import BADGES, at_a_glance, forget_trial
from ser_core.ui.bounds import MAX_TAKES, SESSION_BYTES
from ser_core.ui.takes import MAX_NAME, Take, Takes

LIST_HEIGHT = 250  # pixels, about six takes


def show_list(takes: Takes, predictor: Predictor) -> None:
    """All takes with their answers at a glance, newest first; the chosen one can be renamed and removed.

    Parameters
    ----------
    takes : Takes
    predictor : Predictor
    """
    known = {take.key: take for take in takes.newest_first}
    chosen = takes.chosen or takes.all[-1]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{_count(len(known))}**", width="content")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            _offer_changes(takes, chosen)
    st.session_state["take"] = chosen.key
    with st.container(height=LIST_HEIGHT if len(known) > 5 else "content", border=False):
        st.radio(
            "Takes",
            known,
            format_func=lambda key: f"{at_a_glance(known[key].heard(predictor))} {as_text(known[key].name)}",
            key="take",
            on_change=lambda: setattr(takes, "chosen", known[st.session_state["take"]]),
            label_visibility="collapsed",
        )


def _count(number: int) -> str:
    return "1 take" if number == 1 else f"{number} takes"


def _offer_changes(takes: Takes, take: Take) -> None:
    """Another name for a take, or its end."""
    # Each take has widgets of its own, so that what was typed for one is not taken for the next one.
    key = f"name-{take.key}"
    with st.popover("Rename", icon=":material/edit:", type="tertiary"):
        st.text_input(
            "Its name",
            take.name,
            max_chars=MAX_NAME,
            key=key,
            on_change=lambda: takes.rename(take, st.session_state[key]),
        )
    ask_first(
        "Delete",
        f"Delete **{as_text(take.name)}**, the sound and the answers? No copy is kept.",
        "Delete it",
        key=f"delete-{take.key}",
        on_click=_remove,
        args=(takes, [take]),
    )
    if len(takes.all) > 1:
        ask_first(
            "Delete all",
            f"Delete all {len(takes.all)} takes, the sounds and the answers? No copy is kept.",
            "Delete them",
            key=f"delete-all-{takes.arrivals}",
            on_click=_remove,
            args=(takes, takes.all),
        )


def _remove(takes: Takes, those: Sequence[Take]) -> None:
    for take in those:
        takes.remove(take)
    forget_trial()
    side_by_side.forget()
    why.forget()


def show_notes(takes: Takes, chosen: Take | None) -> None:
    """What cannot be heard, of what came in last and of what is to be shown, and what had to go.

    Parameters
    ----------
    takes : Takes
    chosen : Take or None
    """
    problems = [*takes.refused, *([(chosen.name, chosen.problem)] if chosen and chosen.problem else [])]
    for name, problem in problems:
        st.error(f"{as_text(name)}: {problem}")
    if takes.refused and chosen and not chosen.problem and chosen.arrival != takes.arrivals:
        st.info(f"What follows is still the answer to **{as_text(chosen.name)}**.", icon=":material/history:")
    if takes.known and takes.known.problem:
        st.warning(as_text(takes.known.problem))
    if takes.gone:
        names = ", ".join(as_text(name) for name in takes.gone[:3])
        more = f" and {len(takes.gone) - 3} more" if len(takes.gone) > 3 else ""
        st.info(
            f"The oldest had to go: {names}{more}. A session keeps {MAX_TAKES} takes and {SESSION_BYTES >> 20} MB at "
            "most, and fewer when many people are here. The command line takes any number: "
            "python -m ser_core predict FILE...",
            icon=":material/auto_delete:",
        )


def offer_all(takes: Sequence[Take], chosen: Take, predictor: Predictor, known: Mapping[str, str]) -> None:
    """All answers as a table; and those to all takes, or to the chosen one, to save.

    Parameters
    ----------
    takes : sequence of Take
    chosen : Take
    predictor : Predictor
    known : mapping of str to str
        What the answers that are saved say of the person.
    """
    if len(takes) > 1:
        with st.expander(f"All {len(takes)} takes as a table"):
            _show_all(takes, predictor)
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(takes) > 1:
            both = {"all": f"All {len(takes)} takes", "one": "This take"}
            if choice("Which to save", both, key="save", label_visibility="collapsed") == "one":
                takes = [chosen]
        download(
            "Report", lambda: _report(takes, predictor, known), "report.html", "text/html", icon=":material/print:"
        )
        download("CSV", lambda: _csv(takes, predictor, known), "emotions.csv", "text/csv")
        download("JSON", lambda: _json(takes, predictor, known), "emotions.json", "application/json")


def _show_all(takes: Sequence[Take], predictor: Predictor) -> None:
    """One row a take."""
    heard = [(take.name, take.heard(predictor)) for take in takes]
    rows = pd.DataFrame(
        {
            "file": name,
            "answer": one.answer,
            "verdict": BADGES[one.verdict][0],
            "voice": one.gender if one.has_voice and one.turns is None else None,
            "claimed": 100 * one.emotion_probability if one.has_voice and one.turns is None else None,
            "warnings": " ".join(one.warnings),
        }
        for name, one in heard
    )
    claimed = st.column_config.ProgressColumn(
        format="%.0f %%", min_value=0, max_value=100, help="How sure the model claims to be of its first emotion"
    )
    st.dataframe(rows, hide_index=True, column_config={"claimed": claimed})


def _answers(takes: Sequence[Take], predictor: Predictor, known: Mapping[str, str]) -> list[dict]:
    return [
        {"file": take.name, "model": predictor.entry.key, **known} | take.heard(predictor).as_dict() for take in takes
    ]


def _report(takes: Sequence[Take], predictor: Predictor, known: Mapping[str, str]) -> str:
    heard = [(take, take.heard(predictor)) for take in takes]
    sheets = [report.Sheet.of(take.name, take.waveform, one, **known) for take, one in heard]
    return report.report(sheets, predictor.entry)


def _json(takes: Sequence[Take], predictor: Predictor, known: Mapping[str, str]) -> str:
    return json.dumps(_answers(takes, predictor, known), indent=1)


def _csv(takes: Sequence[Take], predictor: Predictor, known: Mapping[str, str]) -> str:
    return files.as_csv(turns.table(_answers(takes, predictor, known)))
