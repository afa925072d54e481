"""What all sessions of the app share: computed once, and again when its source has changed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from ser_core.ui import settings, work

# The identity of cached functions' arguments: one that was made again or has changed counts as another.
BY_STAMP: dict[str | type, Callable[[Any], Any]] = {
    "ser_core.prediction.model_store.ModelEntry": lambda entry: f"{entry.store} {entry.key} {entry.digest}",
    "ser_core.results.runs.Run": lambda run: f"{run.id} {run.made}",
    "ser_core.tuning.monitor.Snapshot": lambda snapshot: snapshot.stamp,
    "ser_core.tuning.studies.Found": lambda found: f"{found.name} {found.url}",
}
# Caches a function of runs or studies for all sessions, e.g. `pair = kept(differences.pair)`.
kept = partial(st.cache_data, max_entries=1024, show_spinner=False, hash_funcs=BY_STAMP)


@st.cache_resource(show_spinner="Reading the clips")
def clips():
    """`exploration.clips` of what ships: one row a clip of RAVDESS. Shared by all sessions: never change it.

    Returns
    -------
    pd.DataFrame
    """
    from ser_core.features import exploration

    return exploration.clips(settings())


def recordings():
    """The corpus of sound files in SER_DATA_DIR, which may be empty; read again when a file there changes.

    Each call compares the sizes and times of all files, so a page calls it once.

    Returns
    -------
    corpus.Corpus
    """
    from ser_core import corpus

    folder = settings().data_dir
    return _recordings(str(folder), corpus.stamp(folder))


@st.cache_resource(max_entries=2, show_spinner="Looking for recordings")
def _recordings(folder: str, stamp: str):
    from ser_core import corpus

    return corpus.look_through(folder)


def audible():
    """The clips of RAVDESS that can be heard: those in SER_DATA_DIR, and of all others those that ship.

    Returns
    -------
    corpus.Corpus
    """
    from ser_core import corpus

    folder = settings().data_dir
    return _audible(str(folder), str(settings().clips), corpus.stamp(folder))


@st.cache_resource(max_entries=2, show_spinner=False)
def _audible(folder: str, shipped: str, stamp: str):
    from ser_core import corpus

    return _recordings(folder, stamp).joined(corpus.look_through(shipped))


def waveform(file: Path):
    """The sound of one of the recordings, at the features' rate; kept as long as the file is the same.

    Parameters
    ----------
    file : Path

    Returns
    -------
    audio.Waveform
    """
    return _waveform(str(file), file.stat().st_mtime_ns)


@st.cache_resource(max_entries=64, show_spinner="Reading the sound")
def _waveform(file: str, mtime_ns: int):
    from ser_core import audio
    from ser_core.features.mean180 import SAMPLE_RATE

    return audio.load(file, rate=SAMPLE_RATE)


def shipped_runs() -> list:
    """The runs that ship, which never change while the app runs.

    Returns
    -------
    list of Run
    """
    return _shipped()[0]


@st.cache_resource(show_spinner="Reading the runs")
def _shipped() -> tuple:
    from ser_core.results import runs

    return runs.read_all([settings().artifacts])


def all_runs() -> list:
    """The runs that ship and this installation's own, newest last; only changed ones are read again.

    Returns
    -------
    list of Run
    """
    from ser_core.results import runs

    return [*shipped_runs(), *runs.read_own(settings().workspace)[0]]


def unreadable_runs() -> list:
    """The runs that cannot be read.

    Returns
    -------
    list of Unreadable
    """
    from ser_core.results import runs

    return [*_shipped()[1], *runs.read_own(settings().workspace)[1]]


FIRST = ("v_robust", "best")  # of the trained models, on pages


def trained_models() -> dict:
    """Every trained model by key; this installation's own in the place of a shipped one, the robust one first.

    Returns
    -------
    dict of str to model_store.ModelEntry
    """
    from ser_core.prediction import model_store

    entries = {entry.key: entry for entry in model_store.list_all(settings().stores)}
    order = [*(key for key in FIRST if key in entries), *sorted(entries.keys() - set(FIRST))]
    return {key: entries[key] for key in order}


def found_studies() -> list:
    """`tuning.studies.list_all`: the studies that ship and this installation's own, at most a second old.

    Returns
    -------
    list of studies.Found
    """
    from ser_core.tuning import storage

    return _found_studies(storage.shipped_url(settings()), storage.url(settings()))


@st.cache_resource(ttl=1, max_entries=4, show_spinner=False)
def _found_studies(shipped: str, own: str) -> list:
    from ser_core.tuning import studies

    return studies.list_all(settings())


def study_now(found):
    """A `tuning.monitor.Snapshot` of a study, shared by all who watch it: never change it.

    At most two seconds old, and never older than the last change of a job.

    Parameters
    ----------
    found : studies.Found

    Returns
    -------
    monitor.Snapshot
    """
    return _study_now(found, "ships" if found.shipped else work.jobs_stamp())


@st.cache_resource(ttl=2, max_entries=64, show_spinner=False, hash_funcs=BY_STAMP)
def _study_now(found, stamp: str):
    return _watch(found).now()


@st.cache_resource(max_entries=64, show_spinner="Reading the study", hash_funcs=BY_STAMP)
def _watch(found):
    from ser_core.tuning import monitor

    return monitor.Watch(found)


@st.cache_resource
def dashboards():
    """The optuna-dashboard processes of this server; they end with it.

    Returns
    -------
    Dashboards
    """
    from ser_core.tuning.dashboard import Dashboards

    return Dashboards()


@st.cache_resource(max_entries=4, show_spinner="Loading the model for the first time", hash_funcs=BY_STAMP)
def predictor(entry):
    """A trained model, loaded once for all sessions and again when its file changes.

    Parameters
    ----------
    entry : model_store.ModelEntry

    Returns
    -------
    Predictor

    Raises
    ------
    ArtifactError
        If it cannot be read.
    """
    from threadpoolctl import threadpool_limits

    from ser_core.prediction.predictor import Predictor

    # For the life of the server: sessions share its cores, and one clip is too small for several threads.
    threadpool_limits(1)
    return Predictor.load(entry)
