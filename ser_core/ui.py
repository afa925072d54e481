"""What the pages share: cached loaders, how a chart is shown, and what happens when something goes wrong."""

import logging
import re
import runpy
import time
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


PICTURES = {"png": "PNG", "svg": "SVG"}


def chart(figure_and_sentence, key: str, *, clickable: bool = False) -> list:
    """A chart with its title above it and its sentence below it, which is also its accessible name, and with the way
    to save it.

    The `customdata` of the marks that were clicked, if it is clickable.
    """
    figure, sentence = figure_and_sentence
    title = figure.layout.meta["title"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{title}**", width="content")
        drawer = st.popover("Save", icon=":material/download:", type="tertiary", on_change="rerun", key=f"save-{key}")
    options = {"on_select": "rerun", "selection_mode": "points"} if clickable else {}
    picture = {"filename": title, "format": st.session_state.get("picture", "png"), "scale": 2}
    config = {"displaylogo": False, "toImageButtonOptions": picture}
    event = st.plotly_chart(figure, key=key, alt=sentence, config=config, **options)
    st.caption(sentence)
    if drawer.open:  # what is in it is made when somebody looks
        with drawer:
            save_chart(figure, title, key)
    return [point["customdata"] for point in event.selection.points] if clickable else []


def save_chart(figure, title: str, key: str) -> None:
    """The ways to take a chart away: as a page that stays alive, or as a picture that the browser makes."""
    st.markdown("**Save this chart**")
    st.download_button(
        "As a page (HTML)",
        lambda: as_page(figure, title),
        f"{title}.html",
        "text/html",
        icon=":material/code:",
        key=f"html-{key}",
        on_click="ignore",
    )

    def remember() -> None:
        st.session_state["picture"] = st.session_state[f"picture-{key}"]

    st.segmented_control(
        "As a picture",
        list(PICTURES),
        default=st.session_state.get("picture", "png"),
        format_func=PICTURES.get,
        required=True,
        key=f"picture-{key}",
        on_change=remember,
    )
    st.caption("Choose its kind here, then press the camera that is above the chart when you point at it.")


def as_page(figure, title: str) -> str:
    """A chart as one HTML file, which needs no network and no server."""
    import plotly.graph_objects as go

    whole = go.Figure(figure).update_layout(title={"text": title}, margin={"t": 64})
    return whole.to_html(include_plotlyjs=True, config={"displaylogo": False, "responsive": True})


def pages() -> dict[str, list]:
    """The pages in the order of their navigation, by section."""
    return {
        "": [st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True)],
        "The data": [
            st.Page("pages/dataset.py", title="Recordings", icon=":material/library_music:"),
            st.Page("pages/sound.py", title="See a sound", icon=":material/graphic_eq:"),
            st.Page("pages/features.py", title="Features", icon=":material/scatter_plot:"),
        ],
        "The models": [
            st.Page("pages/predict.py", title="Hear an emotion", icon=":material/hearing:"),
            st.Page("pages/tune.py", title="Tune a model", icon=":material/tune:"),
            st.Page("pages/train.py", title="Train a network", icon=":material/network_node:"),
        ],
        "What holds": [
            st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
            st.Page("pages/honest.py", title="Emotion or voice?", icon=":material/balance:"),
        ],
        "Behind it": [st.Page("pages/jobs.py", title="Long work", icon=":material/pending_actions:")],
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


def jobs_now() -> list:
    """`jobs.list_all`, at most a second old and shared by all sessions."""
    return _jobs_now(str(settings().workspace))


@st.cache_resource(ttl=1, max_entries=2, show_spinner=False)
def _jobs_now(workspace: str) -> list:
    from ser_core import jobs

    return jobs.list_all(settings())


def jobs_changed() -> None:
    """Look at the jobs anew: one was stopped or resumed."""
    _jobs_now.clear()


def start_job(command: list[str], title: str):
    """`jobs.start`; the drawer shows it at once."""
    from ser_core import jobs

    job = jobs.start(command, title, settings())
    _jobs_now.clear()
    return job


def job_of(*beginning: str):
    """The latest job whose command begins like that, e.g. `job_of("tune", "svm")`; None if there is none."""
    return next((job for job in reversed(jobs_now()) if job.command[: len(beginning)] == beginning), None)


ENDED_SHOWN_S = 600  # how long the drawer tells of a job that ended


def jobs_drawer() -> None:
    """What runs and what waits, on every page; it looks again by itself while something does."""
    alive = any(job.is_alive for job in jobs_now())
    st.fragment(_jobs_drawer, run_every=2.0 if alive else None)()


def _jobs_drawer() -> None:
    found = jobs_now()
    alive = {job.id for job in found if job.is_alive}
    if st.session_state.get("jobs-seen-alive", alive) != alive:
        st.session_state["jobs-seen-alive"] = alive
        st.rerun()  # the whole page: what a job made is there, or the polling ends
    st.session_state["jobs-seen-alive"] = alive
    ended = [job for job in found if job.ended and time.time() - job.ended < ENDED_SHOWN_S]
    shown = [job for job in found if job.id in alive] + ended[-1:]
    if not shown:
        return
    with st.container(border=True):
        for job in shown:
            show_job(job, where="drawer")
        st.page_link("pages/jobs.py", label="All long work", icon=":material/pending_actions:")


JOB_STATES = {
    "queued": ":material/hourglass_empty: waiting",
    "running": ":material/play_arrow: running",
    "stopping": ":material/pause: stopping",
    "done": ":material/check: done",
    "failed": ":material/error: failed",
    "stopped": ":material/stop: stopped",
    "interrupted": ":material/power_off: interrupted",
}


def show_job(job, where: str) -> None:
    """A job in a few lines: what it is, how far, how it ended, and what can be done with it."""
    from ser_core import jobs

    state = JOB_STATES[job.status] + (f", number {job.place} in the queue" if job.place else "")
    st.markdown(f"**{as_text(job.title)}**: {state}")
    if job.is_alive and job.progress and job.progress.total:
        at = job.progress
        words = at.words or f"{at.what}: {at.done:,.0f} of {at.total:,.0f}"
        if at.seconds_left and not at.words:
            words += f", about {in_words(at.seconds_left)} left"
        st.progress(min(at.done / at.total, 1.0), text=as_text(words))
    if job.message:
        st.caption(as_text(job.message))
    if settings().read_only:
        return
    offers = [("Stop", "stop", ":material/stop:")] if job.status in ("queued", "running") else []
    if job.is_resumable:
        offers.append(("Resume", "resume", ":material/resume:"))
    elif job.status in ("failed", "stopped", "interrupted"):
        offers.append(("Try again", "retry", ":material/refresh:"))
    if where == "page" and not job.is_alive:
        offers.append(("Delete", "delete", ":material/delete:"))
    with st.container(horizontal=True):
        for label, action, icon in offers:
            if st.button(label, icon=icon, key=f"{where}-{action}-{job.id}", type="tertiary"):
                getattr(jobs, action)(job, settings())
                _jobs_now.clear()
                st.rerun()


def in_words(seconds: float) -> str:
    """A time as people say it: 40 s, 5 min, 1 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


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
        if file is None:
            return
        # A link would leave the clip in this page's own address, too, where one comes back to.
        with st.container(horizontal=True):
            if st.button("See more of it", icon=":material/graphic_eq:", type="tertiary", key="see-more"):
                st.switch_page("pages/sound.py", query_params={"clip": stem})
            if st.button("What does a model hear?", icon=":material/hearing:", type="tertiary", key="hear-it"):
                st.switch_page("pages/predict.py", query_params={"clip": stem})


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


def all_runs() -> list:
    """The runs that ship and this installation's own, newest last; read anew when there is another one."""
    folders = sorted((settings().workspace / "runs").glob("[!.]*/run.json"))
    return _all_runs(tuple((str(file), file.stat().st_mtime_ns) for file in folders))


@st.cache_resource(max_entries=2, show_spinner="Reading the runs")
def _all_runs(own: tuple) -> list:
    from ser_core import runs

    return [*shipped_runs(), *runs.list_own(settings().workspace)]


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


def found_studies() -> list:
    """`tuning.studies.list_all`: the studies that ship and this installation's own, at most a second old."""
    from ser_core.tuning import storage

    return _found_studies(storage.shipped_url(settings()), storage.url(settings()))


@st.cache_resource(ttl=1, max_entries=4, show_spinner=False)
def _found_studies(shipped: str, own: str) -> list:
    from ser_core.tuning import studies

    return studies.list_all(settings())


def study_now(found):
    """A `tuning.snapshots.Snapshot` of a study, shared by all who watch it: never change it.

    At most two seconds old, and never older than the last change of a job: where one has ended nobody asks again.
    """
    return _study_now(found.name, found.url, "ships" if found.shipped else jobs_stamp(), found)


def jobs_stamp() -> str:
    """Changes when a job does, but for its progress."""
    return " ".join(f"{job.id}-{job.status}" for job in jobs_now())


@st.cache_resource(ttl=2, max_entries=64, show_spinner=False)
def _study_now(name: str, url: str, stamp: str, _found):
    return _watch(name, url, _found).now()


@st.cache_resource(max_entries=64, show_spinner="Reading the study")
def _watch(name: str, url: str, _found):
    from ser_core.tuning import snapshots

    return snapshots.Watch(_found)


@st.cache_resource
def dashboards():
    """This server's optuna-dashboards; they end with it."""
    from ser_core.dashboard import Dashboards

    return Dashboards()


def limits(entry) -> str:
    """What a trained model's answer is worth, in words that stand wherever it answers."""
    known, others = entry.worth
    return (
        f"It learned from {entry.entry['trained_on']['actors']} actors acting two English sentences in a studio. "
        f"{known}. **{others}.** A recording of yours is such a voice. An acted emotion is not a felt one: "
        "study the method with it, and judge nobody by it."
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
