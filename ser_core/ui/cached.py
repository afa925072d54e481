"""What all sessions of the app share: computed once, and again when its source has changed."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from ser_core.ui import line, settings, work


def _of_run(run) -> str:
    return f"{run.id} {run.made}"


def _of_list(things: list) -> str | tuple:
    """Of all runs at once, which Streamlit would take thirty times as long for."""
    from ser_core.results.runs import Run

    are_runs = things and all(isinstance(one, Run) for one in things)
    return " ".join(map(_of_run, things)) if are_runs else tuple(things)


# The identity of cached functions' arguments: one that was made again or has changed counts as another.
BY_STAMP: dict[str | type, Callable[[Any], Any]] = {
    "ser_core.prediction.model_store.ModelEntry": lambda entry: f"{entry.store} {entry.key} {entry.digest}",
    "ser_core.results.runs.Run": _of_run,
    "ser_core.tuning.monitor.Snapshot": lambda snapshot: snapshot.stamp,
    "ser_core.tuning.studies.Found": lambda found: f"{found.name} {found.url}",
    list: _of_list,
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


def shipped_features(key: str):
    """A feature table of RAVDESS that ships: never change it.

    Parameters
    ----------
    key : str
        Of the feature set.

    Returns
    -------
    pd.DataFrame

    Raises
    ------
    FeatureError
        If it cannot be read.
    """
    file = settings().shipped_table(key)
    return _feature_table(str(file), file.stat().st_mtime_ns)[0]


def feature_table(name: str = ""):
    """A feature table and the digest of its clips: the shipped one of RAVDESS, or one of the workspace.

    Parameters
    ----------
    name : str
        One of `experiments.plans.tables_in` the workspace; empty for RAVDESS.

    Returns
    -------
    table : pd.DataFrame
        Shared by all sessions: never change it.
    digest : str

    Raises
    ------
    FeatureError
        If it cannot be read.
    """
    from ser_core.experiments import plans

    file = plans.file_of(name, settings())
    return _feature_table(str(file), file.stat().st_mtime_ns if file.is_file() else 0)


@st.cache_resource(max_entries=4, show_spinner="Reading the table")
def _feature_table(file: str, mtime_ns: int):
    from ser_core.features import tables

    table = tables.read(Path(file))
    return table, tables.digest(table)


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


def registered_clips(one):
    """The index of a registered corpus, shared by all sessions: never change it. Read again when its file changes.

    Parameters
    ----------
    one : registered.Registered

    Returns
    -------
    corpus.Corpus

    Raises
    ------
    CorpusError, FeatureError
        If its file cannot be read.
    """
    return _registered_clips(one.newest, one.newest.stat().st_mtime_ns)


@st.cache_resource(max_entries=4, show_spinner="Reading the clips")
def _registered_clips(file: Path, mtime_ns: int):
    from ser_core import corpus
    from ser_core.corpus.clips import with_own_speakers
    from ser_core.features import tables

    found = corpus.index(file) if corpus.is_manifest(file) else tables.read_index(file)
    return replace(found, clips=with_own_speakers(found.clips))


def registered_choices(one) -> dict:
    """The clips of a registered corpus as `pairs` takes them, by stem: never change them.

    Parameters
    ----------
    one : registered.Registered

    Returns
    -------
    dict of str to pairs.AnyClip
    """
    return _registered_choices(one.newest, one.newest.stat().st_mtime_ns)


@st.cache_resource(max_entries=4, show_spinner=False)
def _registered_choices(file: Path, mtime_ns: int) -> dict:
    from ser_core.corpus import pairs

    return {clip.stem: clip for clip in pairs.clips_of(_registered_clips(file, mtime_ns).clips)}


def registered_features(one) -> tuple:
    """The feature table of a registered corpus, or a sample of it, and the number of its clips: never change it.

    Parameters
    ----------
    one : registered.Registered
        With a table.

    Returns
    -------
    table : pd.DataFrame
    clips : int

    Raises
    ------
    FeatureError
        If it cannot be read.
    """
    return _registered_features(one.table, one.table.stat().st_mtime_ns)


@st.cache_resource(max_entries=2, show_spinner="Reading the features")
def _registered_features(file: Path, mtime_ns: int):
    from ser_core.corpus.clips import with_own_speakers
    from ser_core.features import tables

    table, clips = tables.read_some(file)
    return with_own_speakers(table), clips


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


@st.cache_resource(max_entries=16, show_spinner="Reading the sound")  # of another corpus, each may be ten minutes
def _waveform(file: str, mtime_ns: int):
    from ser_core import audio
    from ser_core.features.mean180 import SAMPLE_RATE

    with line.of_server().turn():
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

    entries = {entry.key: entry for entry in model_store.read_all(settings().stores)[0]}
    order = [*(key for key in FIRST if key in entries), *sorted(entries.keys() - set(FIRST))]
    return {key: entries[key] for key in order}


def unreadable_models() -> list:
    """The trained models that cannot be read.

    Returns
    -------
    list of Unreadable
    """
    from ser_core.prediction import model_store

    return model_store.read_all(settings().stores)[1]


def found_studies() -> list:
    """`tuning.studies.list_all`: the studies that ship and this installation's own, at most a second old.

    Returns
    -------
    list of studies.Found
    """
    from ser_core.tuning import storage

    return _read_studies(storage.shipped_url(settings()), storage.url(settings()))[0]


def unreadable_studies() -> list[str]:
    """What is wrong with studies and databases that cannot be read; not of one that a job begins just now.

    Returns
    -------
    list of str
    """
    from ser_core.tuning import storage

    unreadable = _read_studies(storage.shipped_url(settings()), storage.url(settings()))[1]
    begun = {job.task.subject for job in work.jobs_now() if job.is_alive}
    return [says for name, says in unreadable.items() if name not in begun]


@st.cache_resource(ttl=1, max_entries=4, show_spinner=False)
def _read_studies(shipped: str, own: str) -> tuple[list, dict[str, str]]:
    from ser_core.tuning import studies

    return studies.read_all(settings())


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
