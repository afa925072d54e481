"""What the pages share: charts, choices, downloads, navigation, and the handling of errors."""

import logging
import re
import runpy
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.delta_generator import DeltaGenerator

from ser_core.errors import SerError, SettingsError
from ser_core.settings import PROJECT, Settings
from ser_core.ui import warm_up

# Streamlit's server would keep what is over 1 MB of an upload in a temporary file while it arrives. Recordings stay in
# memory here, so this is above `server.maxUploadSize`.
MultiPartParser.spool_max_size = 32 * 2**20

logger = logging.getLogger(__name__)

ICON = str(Path(__file__).with_name("icon.svg"))  # in the browser's tab
TERMS = (
    "RAVDESS: Livingstone & Russo (2018), [PLoS ONE 13(5): e0196391](https://doi.org/10.1371/journal.pone.0196391), "
    "[CC BY-NC-SA 4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/). What was learned from it is under the same "
    "terms."
)

# Of the formats that browsers play. They know more by their content than by this name.
MIME = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
    "aac": "audio/aac",
}


def settings() -> Settings:
    """The settings of this installation."""
    return Settings.from_environment()


_PART = r"""[^\s/\\:'"`(),;]+"""
_ABSOLUTE = re.compile(rf"(?<![\w/:.])(?:/|[A-Za-z]:[/\\])(?:{_PART}[/\\])+{_PART}")


def without_folders(words: str) -> str:
    """A message or a log as visitors may read it: names in place of paths of this server.

    Parameters
    ----------
    words : str

    Returns
    -------
    str
    """
    folders = {PROJECT}
    with suppress(SettingsError):  # which may be the message
        here = settings()
        folders |= {here.workspace, here.data_dir, here.artifacts}
    # The inner ones first; what is in them keeps its path from there on.
    for folder in sorted(folders, key=lambda one: -len(str(one))):
        words = folder.name.join(re.split(rf"{re.escape(str(folder))}(?![\w.-])", words))
    return _ABSOLUTE.sub(lambda found: re.split(r"[/\\]", found[0])[-1], words)


def as_text(words: str) -> str:
    """Text from outside, such as a file name, escaped for Markdown, and without the server's folders.

    Parameters
    ----------
    words : str

    Returns
    -------
    str
    """
    words = without_folders(words)
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$:])", r"\\\1", words)


def options(titles: Mapping, key: str) -> dict[str, Any]:
    """Arguments of a widget that offers values by their titles and keeps what is chosen in the page's address.

    Parameters
    ----------
    titles : mapping
        Value -> title.
    key : str
        Of the widget, and in the address.

    Returns
    -------
    dict
        For `st.selectbox`, `st.radio`, `st.pills`, `st.multiselect` and their like.
    """
    return {"options": list(titles), "format_func": titles.__getitem__, "key": key, "bind": "query-params"}


def choice(label: str, titles: Mapping[str, str], *, key: str, **more) -> str:
    """One of a few values, side by side by their titles; kept in the page's address. The first one is the default.

    Parameters
    ----------
    label : str
    titles : mapping of str to str
        Value -> title.
    key : str
        Of the widget, and in the address.
    more
        As `st.segmented_control` takes them.

    Returns
    -------
    str
    """
    look: dict[str, Any] = {"default": next(iter(titles)), "required": True} | options(titles, key) | more
    return st.segmented_control(label, **look) or look["default"]


_MODEL = "model-named"  # in the session
_PAGE = "page"  # in the session: the one that was shown last
_LAST = "shared-options"  # in the session: the page that had each of these last

# Options that several pages have under one name, each with choices of its own, and those pages by their addresses.
# Streamlit keeps the value of an option by its name when one goes to another page.
SHARED = {
    "by": ("compare", "tune"),
    "channel": ("dataset", "features"),
    "cv": ("train", "tune"),
    "features": ("honest", "run"),
    "folds": ("honest", "run", "tune"),
    "heard": ("dataset", "run"),
    "kind": ("compare", "honest", "run"),
    "model": ("honest", "predict", "run", "tune"),
    "preset": ("run", "train"),
    "protocol": ("compare", "run", "train"),
    "runs": ("compare", "train"),
    "seed": ("run", "tune"),
    "show": ("train", "tune"),
    "trial": ("predict", "tune"),
    "view": ("compare", "dataset", "features"),
}


def name_model(key: str) -> None:
    """Remember the model that a page is about, with which the next page opens that compares what models can do.

    Parameters
    ----------
    key : str
        Of `models.registry`.
    """
    st.session_state[_MODEL] = key


def begin_with(key: str, value, titles: Mapping) -> None:
    """Let a widget of `options` begin with a value, unless its page's address or the visitor has chosen one.

    Parameters
    ----------
    key : str
        Of the widget, and in the address.
    value
        Nothing happens if it is none of the titles'.
    titles : mapping
        As `options` takes them.
    """
    if key not in st.query_params and key not in st.session_state and value in titles:
        st.session_state[key] = value


def enter(page: str) -> None:
    """Forget what another page's options of the same names were set to, unless the address names it.

    Parameters
    ----------
    page : str
        The page that is shown, by its address.
    """
    if st.session_state.get(_PAGE) == page:
        return
    st.session_state[_PAGE] = page
    last = st.session_state.setdefault(_LAST, {})
    for name in [name for name, pages in SHARED.items() if page in pages]:
        if last.get(name) != page and name not in st.query_params:
            st.session_state.pop(name, None)
        last[name] = page


def named_model() -> str | None:
    """The model that a page was about last, in this session.

    Returns
    -------
    str or None
    """
    return st.session_state.get(_MODEL)


def what_to_do(views: tuple[str, ...]) -> str:
    """The chosen view of a page; a start button may change it through `st.session_state["show"]`.

    Parameters
    ----------
    views : tuple of str
        Their titles, the first to begin with.

    Returns
    -------
    str
    """
    default: dict[str, Any] = {} if "show" in st.session_state else {"default": views[0]}
    chosen = st.segmented_control(
        "What to do", views, required=True, key="show", bind="query-params", label_visibility="collapsed", **default
    )
    return chosen or views[0]


PICTURES = {"png": "PNG", "svg": "SVG"}


def chart(figure_and_sentence, key: str, *, clickable: bool = False) -> list:
    """Show a chart: its title above, its sentence below (also its accessible name), and a menu to save it.

    Parameters
    ----------
    figure_and_sentence : (go.Figure, str)
        As the functions of `figures` give them.
    key : str
        Of the chart's element.
    clickable : bool
        Whether its marks can be selected.

    Returns
    -------
    list
        The `customdata` of the marks that were clicked, if it is clickable.
    """
    figure, sentence = figure_and_sentence
    title = figure.layout.meta["title"]
    figure.update_xaxes(title_standoff=12)  # Streamlit's own are 24 and 32
    figure.update_yaxes(title_standoff=12)
    options: dict[str, Any] = {"on_select": "rerun", "selection_mode": "points"} if clickable else {}
    picture = {"filename": title, "format": st.session_state.get("picture", "png"), "scale": 2}
    config = {"displaylogo": False, "toImageButtonOptions": picture}
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{as_text(title)}**", width="content")
            look: dict[str, Any] = {"type": "tertiary", "on_change": "rerun", "key": f"save-{key}"}
            drawer = st.popover("Save", icon=":material/download:", **look)
        event = st.plotly_chart(figure, key=key, alt=sentence, config=config, **options)
        st.caption(sentence)
    if drawer.open:  # its contents are made when it is opened
        with drawer:
            save_chart(figure, title, key)
    return [point["customdata"] for point in event.selection.points] if clickable else []


def download(label: str, content: Callable[[], str], file: str, mime: str, **look) -> None:
    """A button that saves a text; made on the click, without a rerun of the page.

    Parameters
    ----------
    label : str
    content : callable
        Gives the text.
    file : str
        Its name.
    mime : str
    look
        As `st.download_button` takes them.
    """
    look = {"icon": ":material/download:"} | look
    st.download_button(label, content, file, mime, on_click="ignore", **look)


def ask_first(label: str, question: str, answer: str, *, key: str, **button) -> bool:
    """A button of what cannot be undone: it asks first.

    Parameters
    ----------
    label : str
        Of the button.
    question : str
        What is lost.
    answer : str
        Of the button that does it.
    key : str
        Of the button that does it. One with a name of its own for each thing: what is asked of one thing is not
        answered for the next one.
    button
        As `st.button` takes it.

    Returns
    -------
    bool
        Whether it is to be done now.
    """
    icon = ":material/delete:"
    with st.popover(label, icon=icon, type="tertiary", key=f"ask-{key}"):
        st.markdown(question)
        return st.button(answer, icon=icon, key=key, **button)


def save_chart(figure, title: str, key: str) -> None:
    """The ways to save a chart: as an interactive page, or as a picture that the browser makes.

    Parameters
    ----------
    figure : go.Figure
    title : str
    key : str
        Of the chart.
    """
    st.markdown("**Save this chart**")
    icon = ":material/code:"
    download(
        "As a page (HTML)", lambda: as_page(figure, title), f"{title}.html", "text/html", icon=icon, key=f"html-{key}"
    )

    def remember() -> None:
        st.session_state["picture"] = st.session_state[f"picture-{key}"]

    st.segmented_control(
        "As a picture",
        list(PICTURES),
        default=st.session_state.get("picture", "png"),
        format_func=PICTURES.__getitem__,
        required=True,
        key=f"picture-{key}",
        on_change=remember,
    )
    st.caption(
        "Choose its kind here, then press the camera that is above the chart when you point at it. A phone has no room "
        "for the camera: save the page there."
    )


def as_page(figure, title: str) -> str:
    """A chart as one HTML file, which needs no network and no server.

    Parameters
    ----------
    figure : go.Figure
    title : str

    Returns
    -------
    str
        HTML.
    """
    import plotly.graph_objects as go

    whole = go.Figure(figure).update_layout(title={"text": title}, margin={"t": 64})
    return whole.to_html(include_plotlyjs=True, config={"displaylogo": False, "responsive": True})


FIRST = "first"  # Streamlit keeps this name for the first page, which stands at the root


def pages() -> dict[str, list]:
    """The pages in the order of their navigation, by section.

    Returns
    -------
    dict of str to list of st.Page
    """
    return {
        "": [st.Page("pages/overview.py", title="Overview", icon=":material/home:", url_path=FIRST, default=True)],
        "The data": [
            st.Page("pages/dataset.py", title="Recordings", icon=":material/library_music:"),
            st.Page("pages/sound.py", title="See a sound", icon=":material/graphic_eq:"),
            st.Page("pages/features.py", title="Features", icon=":material/scatter_plot:"),
        ],
        "The models": [
            st.Page("pages/predict.py", title="Hear an emotion", icon=":material/hearing:"),
            st.Page("pages/ears.py", title="Ears against the model", icon=":material/headphones:"),
            st.Page("pages/tune.py", title="Tune a model", icon=":material/tune:"),
            st.Page("pages/train.py", title="Train a network", icon=":material/network_node:"),
            st.Page("pages/run.py", title="Run a model", icon=":material/play_circle:"),
        ],
        "What holds": [
            st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
            st.Page("pages/honest.py", title="Emotion or voice?", icon=":material/balance:"),
        ],
        "To learn": [
            st.Page("pages/lesson.py", title="Lesson", icon=":material/school:"),
            st.Page("pages/glossary.py", title="Words", icon=":material/menu_book:"),
        ],
        "In class": [
            st.Page("pages/teach.py", title="Teach", icon=":material/cast_for_education:"),
            st.Page("pages/join.py", title="Join a class", icon=":material/group:"),
        ],
        "Behind it": [st.Page("pages/jobs.py", title="Long work", icon=":material/pending_actions:")],
    }


_foot: ContextVar[DeltaGenerator] = ContextVar("_foot")


def foot() -> None:
    """The foot of the sidebar: the terms of RAVDESS, unless the page calls `cite`."""
    _foot.set(st.empty())
    cite(TERMS)


def cite(words: str) -> None:
    """Cite the data that a page shows, at the foot of the sidebar.

    Parameters
    ----------
    words : str
        Markdown.
    """
    _foot.get().caption(words)


_is_routed = ContextVar("_is_routed", default=False)


@contextmanager
def _faults_shown():
    try:
        yield
    except SerError as error:
        st.error(without_folders(str(error)))
    except Exception:
        logger.exception("A page failed")
        st.error("Something went wrong here, and it is not your doing. It has been logged; the other pages still work.")


@contextmanager
def routed():
    """Run a page: bad input is shown as its one clear line.

    Any other fault is logged with its traceback and shown as an apology.
    """
    _is_routed.set(True)
    try:
        with _faults_shown(), warm_up.of_server.page():
            yield
    finally:
        _is_routed.set(False)


@contextmanager
def part():
    """A part of a page: bad input is shown as its one clear line where the part would stand, and the page goes on."""
    try:
        yield
    except SerError as error:
        st.error(as_text(str(error)), icon=":material/broken_image:")


@st.fragment
def section(draw: Callable[..., None], *arguments) -> None:
    """A part of a page that runs by itself when a choice in it is changed: nothing else is made, sent or drawn again.

    Bad input and faults are shown where it would stand, and the page goes on.

    Parameters
    ----------
    draw : callable
        Shows the part. What it chooses must matter to nothing outside of it.
    arguments
        Of `draw`.
    """
    with _faults_shown(), part():
        draw(*arguments)


def name_unreadable(found: Iterable) -> None:
    """Show a line for each thing on disk that cannot be read.

    Parameters
    ----------
    found : iterable
        Of `records.Unreadable`, or of other sentences without their full stop.
    """
    for one in found:
        st.warning(f"{as_text(str(one))}.", icon=":material/broken_image:")


def require_router() -> None:
    """Run the router in the place of this page's file, if the file was run without it; the router runs it again.

    Streamlit does that wherever it has seen the folder `pages/` and no `st.navigation` yet: in its tests, and when
    `router.py` is started without `app.py`.
    """
    if not _is_routed.get():
        runpy.run_path(str(PROJECT / "router.py"))
        st.stop()


def limits(entry, *, is_folded: bool = False) -> None:
    """Show how often a trained model is right in each situation, and what it cannot do.

    Parameters
    ----------
    entry : model_store.ModelEntry
    is_folded : bool
        Whether in one line that can be opened: below an answer, which must be seen first.
    """
    situations = entry.situations_by_title
    numbers = ", ".join(f"{title.lower()} {right:.0%}" for title, (right, _) in situations.items())
    line = f"How often it is right: {numbers}"
    alone = (
        "" if len(situations) > 2 else " It knows the studio alone: of a recording of yours it has not heard the like."
    )
    learned = entry.trained_on
    heard = (
        "acting two English sentences in a studio" if learned.speakers_called == "actors" else f"of {learned.corpus}"
    )
    with st.expander(line, icon=":material/target:") if is_folded else st.container():
        st.markdown(
            f"This model learned from {learned.actors} {learned.speakers_called} {as_text(heard)}. "
            "**How often it names the right one of eight emotions:**"
        )
        with st.container(horizontal=True, gap="medium"):
            for title, (right, whose) in situations.items():
                st.metric(title, f"{right:.0%}", help=whose, width=150)
        st.caption(
            f"A recording of yours is at best a new voice.{alone} An acted emotion is not a felt one: "
            "study the method with it, and judge nobody by it."
        )
