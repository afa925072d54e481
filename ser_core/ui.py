"""What the pages share: cached loaders, how a chart is shown, and what happens when something goes wrong."""

import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st
from starlette.formparsers import MultiPartParser

from ser_core.errors import SerError
from ser_core.settings import Settings

# Streamlit's server would keep what is over 1 MB of an upload in a temporary file while it arrives. Recordings stay in
# memory here, so this is above `server.maxUploadSize`.
MultiPartParser.spool_max_size = 32 * 2**20

logger = logging.getLogger(__name__)

TERMS = (
    "RAVDESS: Livingstone & Russo (2018), [PLoS ONE 13(5): e0196391](https://doi.org/10.1371/journal.pone.0196391), "
    "[CC BY-NC-SA 4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/). What was learned from it is under the same "
    "terms."
)


@st.cache_resource
def settings() -> Settings:
    """The settings, read when the server starts."""
    return Settings.from_environment()


def as_text(words: str) -> str:
    """Words from outside, such as a file's name, as Markdown that shows them as they are."""
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$:])", r"\\\1", words)


def chart(figure_and_sentence, key: str) -> None:
    """A chart with its sentence below it, which is also its accessible name."""
    figure, sentence = figure_and_sentence
    st.plotly_chart(figure, key=key, alt=sentence, config={"displaylogo": False})
    st.caption(sentence)


def pages() -> list:
    """The pages in the order of their navigation."""
    return [
        st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("pages/predict.py", title="Hear an emotion", icon=":material/hearing:"),
    ]


_is_routed = ContextVar("_is_routed", default=False)


@contextmanager
def routed():
    """Run a page: bad input is shown as its one clear line; any other fault is logged with its trace and
    shown as an apology."""
    _is_routed.set(True)
    try:
        yield
    except SerError as error:
        st.error(str(error))
    except Exception:
        logger.exception("A page failed")
        st.error("Something went wrong here, and it is not your doing. It has been logged; the other pages still work.")
    finally:
        _is_routed.set(False)


def require_router(file: str) -> None:
    """Start again through the router if this page's file was run without it.

    Streamlit does that when the first visit to a server goes to a page's own address: it has seen the folder `pages/`,
    but no `st.navigation` yet. An address that differs from the file's name would be answered with "Page not found".
    """
    if not _is_routed.get():
        st.navigation(pages(), position="hidden")
        st.switch_page(f"pages/{Path(file).name}")


@st.cache_resource(show_spinner="Reading the runs")
def shipped_runs() -> list:
    """The runs that ship, which never change while the app runs."""
    from ser_core import runs

    return runs.list_all([settings().artifacts])


@st.cache_data(max_entries=4, show_spinner="Comparing the runs")
def comparison(run_ids: tuple[str, ...], _runs: list):
    """`comparison.table` of some runs."""
    from ser_core import comparison

    return comparison.table(_runs)


def trained_models() -> dict:
    """Every trained model by key; this installation's own in the place of a shipped one, our best ensemble first."""
    from ser_core import artifacts

    entries = {entry.key: entry for entry in artifacts.list_all(settings().stores)}
    return dict(sorted(entries.items(), key=lambda item: (item[0] != "best", item[0])))


def limits(entry) -> str:
    """What a trained model's answer is worth, in words that stand wherever it answers."""
    known = f"it named {entry.entry['scores']['test_accuracy']:.0%} of test clips right, emotion and gender"
    others = "On voices that it has never heard, as yours, it is wrong far more often"
    if unheard := entry.entry["unheard"]:
        right, claimed = (unheard["scores"][f"emotion_{name}"] for name in ("accuracy", "claimed"))
        others += f": it named {right:.0%} of emotions right, while claiming to be {claimed:.0%} sure"
    return (
        f"It learned from {entry.entry['trained_on']['actors']} actors acting two English sentences in a studio. With "
        f"those voices {known}. **{others}.** An acted emotion is not a felt one: study the method with it, and judge "
        "nobody by it."
    )


def predictor(entry):
    """A trained model, loaded once for all sessions and again when its file changes."""
    return _predictor(str(entry.store), entry.key, entry.digest, entry)


@st.cache_resource(max_entries=4, show_spinner="Loading the model")
def _predictor(store: str, key: str, digest: str, _entry):
    from threadpoolctl import threadpool_limits

    from ser_core.predict import Predictor

    # For the life of the server: sessions share its cores, and one clip is too small to be shared out among them.
    threadpool_limits(1)
    return Predictor.load(_entry)
