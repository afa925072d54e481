"""What the pages share: cached loaders, how a chart is shown, and what happens when something goes wrong."""

import logging
import re
import runpy
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st
from starlette.formparsers import MultiPartParser

from ser_core.errors import AudioError, SerError
from ser_core.settings import PROJECT, Settings

# Streamlit's server would keep what is over 1 MB of an upload in a temporary file while it arrives. Recordings stay in
# memory here, so this is above `server.maxUploadSize`.
MultiPartParser.spool_max_size = 32 * 2**20

logger = logging.getLogger(__name__)

TERMS = (
    "RAVDESS: Livingstone & Russo (2018), [PLoS ONE 13(5): e0196391](https://doi.org/10.1371/journal.pone.0196391), "
    "[CC BY-NC-SA 4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/). What was learned from it is under the same "
    "terms."
)

MIME = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
}


def settings() -> Settings:
    """This installation's settings."""
    return Settings.from_environment()


def as_text(words: str) -> str:
    """Words from outside, such as a file's name, as Markdown that shows them as they are."""
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$:])", r"\\\1", words)


def chart(figure_and_sentence, key: str, *, clickable: bool = False) -> list:
    """A chart with its title above it and its sentence below it, which is also its accessible name.

    The `customdata` of the marks that were clicked, if it is clickable.
    """
    figure, sentence = figure_and_sentence
    title = figure.layout.meta["title"]
    st.markdown(f"**{title}**")
    options = {"on_select": "rerun", "selection_mode": "points"} if clickable else {}
    config = {"displaylogo": False, "toImageButtonOptions": {"filename": title}}
    event = st.plotly_chart(figure, key=key, alt=sentence, config=config, **options)
    st.caption(sentence)
    return [point["customdata"] for point in event.selection.points] if clickable else []


def pages() -> dict[str, list]:
    """The pages in the order of their navigation, by section."""
    return {
        "": [st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True)],
        "The data": [
            st.Page("pages/dataset.py", title="Recordings", icon=":material/library_music:"),
            st.Page("pages/sound.py", title="See a sound", icon=":material/graphic_eq:"),
            st.Page("pages/features.py", title="Features", icon=":material/scatter_plot:"),
        ],
        "The models": [st.Page("pages/predict.py", title="Hear an emotion", icon=":material/hearing:")],
    }


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


def require_router() -> None:
    """Run the router in the place of this page's file, if the file was run without it; the router runs it again.

    Streamlit does that when the first visit to a server goes to a page's own address: it has seen the folder `pages/`,
    but no `st.navigation` yet. An address that differs from the file's name would be answered with "Page not found".
    """
    if not _is_routed.get():
        runpy.run_path(str(PROJECT / "app.py"))
        st.stop()


@st.cache_resource(show_spinner="Reading the clips")
def clips():
    """`exploration.clips` of what ships: one row a clip of RAVDESS. Shared by all sessions: never change it."""
    from ser_core import exploration

    return exploration.clips(settings())


def recordings():
    """The corpus of sound files in SER_DATA_DIR, maybe of none; looked through again when a file there changes.

    That is found out at each call, from the sizes and times of all files: a page asks once.
    """
    from ser_core import corpus

    folder = settings().data_dir
    return _recordings(str(folder), corpus.stamp(folder))


@st.cache_resource(max_entries=2, show_spinner="Looking for recordings")
def _recordings(folder: str, stamp: str):
    from ser_core import corpus

    return corpus.look_through(folder)


@st.cache_resource
def downloads():
    """This server's one download of recordings at a time."""
    from ser_core.download import Background

    return Background()


def player(file: Path | None, *, link: bool = True) -> None:
    """Play a clip's file, or say that it takes the recordings, with the link to where to get them."""
    if file is None:
        st.info("There is no recording of it here.", icon=":material/volume_off:")
        if link and not settings().read_only:
            st.page_link("pages/dataset.py", label="Get the recordings", icon=":material/download:")
        return
    from ser_core import audio

    st.audio(audio.read(file), format=MIME[file.suffix.lower().lstrip(".")])


def clip_card(stem: str, file: Path | None, *, link: bool = True) -> None:
    """A clip in words, its sound, and the way to the page that shows all of it."""
    from ser_core import corpus

    clip = corpus.parse(stem)
    with st.container(border=True):
        st.markdown(f"**{corpus.title(clip)}**: “{corpus.STATEMENTS[clip.statement]}”")
        with told(stem, file):
            player(file, link=link)
        # A link would leave the clip in this page's own address, too, where one comes back to.
        if file and st.button("See more of it", icon=":material/graphic_eq:", type="tertiary", key="see-more"):
            st.switch_page("pages/sound.py", query_params={"clip": stem})


def clip_picture(stem: str, file: Path | None) -> None:
    """A clip's mel spectrogram, if it is there."""
    from ser_core.figures import clip as figures

    if file:
        with told(stem, file):
            sound = waveform(file)
            chart(figures.mel(sound.samples, sound.rate), key=f"mel-{stem}")


@contextmanager
def told(stem: str, file: Path | None):
    """Say in one line what is wrong with a clip, and go on with the page."""
    try:
        yield
    except AudioError as error:
        st.error(f"{stem} cannot be heard. {str(error).removeprefix(f'{file}: ')}")


def waveform(file: Path):
    """The sound of one of the recordings, at the features' rate; kept as long as the file is the same."""
    return _waveform(str(file), file.stat().st_mtime_ns)


@st.cache_resource(max_entries=64, show_spinner="Reading the sound")
def _waveform(file: str, mtime_ns: int):
    from ser_core import audio
    from ser_core.features.study import SAMPLE_RATE

    return audio.load(file, rate=SAMPLE_RATE)


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
