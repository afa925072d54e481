"""A class on pages: the address for pupils, who is there, and what the class heard."""

import html
import math
from urllib.parse import quote, urlsplit

import segno
import streamlit as st
from streamlit.column_config import NumberColumn, ProgressColumn

from ser_core.classroom import statistics
from ser_core.classroom.room import REVEALED, Classroom, Round, Seat
from ser_core.evaluation.verdicts import IN_WORDS
from ser_core.figures import classroom as figures
from ser_core.figures import comparison
from ser_core.figures.style import percent
from ser_core.listening import rounds, scores
from ser_core.ui import cached, chart, ears, settings
from ser_core.ui.classes import PLACE

REFRESH_S = 2.0  # between two looks of a page that waits
LOCAL = ("localhost", "127.0.0.1", "::1")


@st.cache_resource(max_entries=64, show_spinner="Drawing the round")
def drawn(address: str) -> rounds.Round:
    """A round, drawn from its address; shared by all sessions.

    Parameters
    ----------
    address : str

    Returns
    -------
    Round
    """
    return rounds.from_address(address, found=cached.all_runs(), settings=settings())


def address_for_pupils(code: str) -> str:
    """Where pupils join a class: on the server that this page was asked from.

    Parameters
    ----------
    code : str

    Returns
    -------
    str
    """
    return f"{server_address()}/join?{PLACE}={quote(code)}"


def server_address() -> str:
    """The address of this server as the browser has it, if the request came to that host; else the host alone.

    Returns
    -------
    str
        Without a page.
    """
    told = urlsplit(st.context.url or "")
    hosts = [st.context.headers.get(name) for name in ("X-Forwarded-Host", "Host")]
    asked = [host for host in hosts if host]
    if told.netloc and (not asked or told.netloc in asked):
        return f"{told.scheme}://{told.netloc}{told.path.rstrip('/').removesuffix('/teach')}"
    secure = bool(st.get_option("server.sslCertFile"))
    host = asked[0] if asked else f"localhost:{st.get_option('server.port')}"
    return f"{'https' if secure else 'http'}://{host}"


def is_local(address: str) -> bool:
    """Whether an address works on this machine alone.

    Parameters
    ----------
    address : str

    Returns
    -------
    bool
    """
    return urlsplit(address).hostname in LOCAL


@st.cache_data(max_entries=256, show_spinner=False)
def qr_code(address: str) -> str:
    """A QR code, as the address of a picture that lies in itself.

    Parameters
    ----------
    address : str

    Returns
    -------
    str
        A data URI.
    """
    return segno.make(address, error="m", micro=False).png_data_uri(scale=8, border=4)


def show_invitation(code: str, *, is_large: bool) -> None:
    """The code in very large type, the address for pupils and its QR code.

    Parameters
    ----------
    code : str
    is_large : bool
        Whether pupils are still to join; later it takes less room.
    """
    address = address_for_pupils(code)
    size = "clamp(3.2rem, 11vw, 9rem)" if is_large else "clamp(2.4rem, 5vw, 4rem)"
    wide = "min(20rem, 80vw)" if is_large else "9rem"
    st.html(
        "<div style='display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:1rem 3rem'>"
        f"<div><div style='font-size:1.3rem'>{html.escape(address.split('?')[0])}</div>"
        f"<div style='font:700 {size}/1.15 monospace;letter-spacing:.08em' aria-label='Code {' '.join(code)}'>"
        f"{html.escape(code)}</div></div>"
        f"<img src='{qr_code(address)}' style='width:{wide};image-rendering:pixelated' "
        f"alt='QR code of {html.escape(address)}'></div>"
    )
    if not is_large:
        return
    st.code(address, language=None, wrap_lines=True)
    if is_local(address):
        st.warning(
            "This address works on this computer alone. For a class, start the server for your network and open this "
            "page by the server's address there: `docs/teaching.md` says how.",
            icon=":material/wifi_off:",
        )


def show_seats(seats: list[Seat], room: Classroom) -> None:
    """Who is there; who is ready, or once a round has begun, who has answered, or how many clips.

    Parameters
    ----------
    seats : list of Seat
    room : Classroom
    """
    has_begun = room.round is not None
    clips = room.round.clips if room.round and not room.clip else 0  # that each answers at their own pace
    done = [seat.has_answered if has_begun else seat.is_ready for seat in seats]
    word = "answered" if has_begun else "ready"
    shown = "".join(
        "<li style='padding:.15em .6em;border-radius:1em;border:2px solid "
        f"{'#3E8E7E' if is_done else '#8A8F98'};overflow-wrap:anywhere'>{'✓ ' if is_done else ''}"
        f"{html.escape(seat.nickname)}{'' if is_done or not clips else f': {seat.answered} of {clips}'}"
        f"<span style='position:absolute;clip-path:inset(50%)'>{', ' + word if is_done else ''}</span></li>"
        for seat, is_done in zip(seats, done, strict=True)
    )
    st.html(
        f"<p style='font-size:2rem;font-weight:600;margin:0'>{sum(done)} of {len(seats)} {word}</p>"
        f"<ul style='display:flex;flex-wrap:wrap;gap:.5rem;padding:0;margin:.5rem 0;list-style:none;font-size:1.3rem'>"
        f"{shown}</ul>"
    )


def show_results(code: str, now: Round, answers, *, own: int | None = None) -> None:
    """What a class heard in the clips of a round whose truth has been shown.

    Parameters
    ----------
    code : str
        Of the class.
    now : Round
    answers : pd.DataFrame
        `Store.revealed_answers`.
    own : int, optional
        The number of the pupil who looks.
    """
    answers = answers[answers["round"] == now.number]
    if answers.empty:
        st.info("Nobody answered these clips.", icon=":material/hearing_disabled:")
        return
    heard, pictures = _heard(code, now, f"{now.revealed} {len(answers)}", answers)
    with st.container(horizontal=True, gap="medium"):
        if own is not None and (mine := heard.own(own)):
            st.metric("You", percent(mine.accuracy), help=f"{mine.right} of {mine.answers} clips", width=130)
        people, model = heard.people, heard.machine
        right = f"{people.right:,} of {people.answers:,} answers"
        st.metric("The class", percent(people.accuracy), help=right, width=130)
        st.metric("The model", percent(model.accuracy), help=f"{model.right} of {model.answers} clips", width=130)
        alpha = "–" if math.isnan(heard.alpha) else f"{heard.alpha:.2f}"
        st.metric("Agreement between people", alpha, help=ALPHA, width=220)
    chart(pictures["people"], key="class-people")
    chart(pictures["divided"], key="class-divided")
    st.caption(
        "A bar of one colour: everybody heard the same. Krippendorff's alpha measures that over all clips: 1 if people "
        "always agree, 0 if only as often as by chance."
    )
    with st.container(width=ears.WIDTH):
        numbers = heard.clips["clip"].tolist()
        clip = st.selectbox(
            "Hear a clip again, the one that divides most first", numbers, key=f"class-again-{now.number}"
        )
        st.audio(ears.sound(drawn(now.address), clip), alt=f"Clip {clip}")
    for column, name in zip(st.columns(2), ("matrix", "model"), strict=True):
        with column:
            chart(pictures[name], key=f"class-{name}")
    with st.expander("The numbers behind the charts"):
        shown = heard.clips
        if own is not None:
            given = answers[answers["listener"] == own].set_index("clip")["answer"]
            shown = shown.assign(you=shown["clip"].map(given)).sort_values("clip")
        columns = ["clip", "truth", *(["you"] if own is not None else []), "model", "most", "share", "entropy"]
        st.dataframe(
            shown[[*columns, "listeners"]],
            hide_index=True,
            column_config={
                "most": "commonest answer",
                "share": ProgressColumn("who gave it", format="percent", min_value=0, max_value=1),
                "entropy": NumberColumn("how far it divides", format="%.2f bits", help=ENTROPY),
            },
        )


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Round: lambda now: f"{now.number} {now.address}"})
def _heard(code: str, now: Round, stamp: str, _answers) -> tuple[statistics.Heard, dict[str, tuple]]:
    """What thirty pupils look at when it is revealed, made once."""
    one = drawn(now.address)
    heard = statistics.heard(one, _answers)
    matrices = {
        name: comparison.confusion(scores.confusion(rows, one.emotions), "emotion", title, values=one.emotions)
        for name, title, rows in (("matrix", "The class", heard.answers), ("model", "The model", heard.model))
    }
    figure, sentence = matrices["matrix"]
    return heard, {
        "people": figures.people_and_model(heard.people, heard.machine, heard.each, len(one.emotions)),
        "divided": figures.divided(heard.votes, heard.clips),
        "matrix": (figure, sentence.replace("clip", "answer")),
        "model": matrices["model"],
    }


ALPHA = (
    "Krippendorff's alpha: 1 if people always agree, 0 if only as often as by chance. It says nothing of who is right."
)
ENTROPY = "Entropy of the answers: 0 if all are the same, 1 if two are as common, 3 if eight are."


def play(now: Round, clip: int) -> None:
    """A player of one clip, for loudspeakers in the room.

    Parameters
    ----------
    now : Round
    clip : int
        Its number.
    """
    st.audio(ears.sound(drawn(now.address), clip), alt=f"Clip {clip} of {now.clips}")
    st.caption("Play it here for everybody, or let pupils play it on their own devices.")


def show_shared(shared) -> None:
    """What a model said of takes of pupils, which they chose to share.

    Parameters
    ----------
    shared : pd.DataFrame
        `Store.shared`.
    """
    st.header("Shared by pupils: what a model said of their own voices")
    st.dataframe(
        shared.assign(verdict=shared["verdict"].map(IN_WORDS))[["nickname", "verdict", "emotions", "model"]],
        hide_index=True,
    )


def stage_in_words(room: Classroom) -> str:
    """How far a class is, in a few words.

    Parameters
    ----------
    room : Classroom

    Returns
    -------
    str
    """
    if room.round is None:
        return "Waiting for the start"
    clip = f", clip {room.clip} of {room.round.clips}" if room.clip else ""
    state = {"open": "listening", "frozen": "no answers are taken now", REVEALED: "revealed"}[room.stage]
    return f"Round {room.round.number}{clip}: {state}"
