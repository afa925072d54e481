"""What *Emotion or voice?* reads of the runs, computed once for all sessions."""

from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from ser_core import records
from ser_core.results import generalization, robustness, run_titles, verdicts
from ser_core.results.runs import Run
from ser_core.ui import cached, settings
from ser_core.ui.cached import kept

ladder = kept(generalization.ladder, show_spinner="Scoring the runs")
song = kept(generalization.song_helps, show_spinner="Comparing the runs")
ideas = kept(generalization.ideas, show_spinner="Comparing the runs")
conditions = kept(robustness.table, show_spinner="Scoring the runs")
small_changes = kept(robustness.small_changes, show_spinner="Scoring the runs")
known_before = kept(generalization.known_before, show_spinner="Scoring the runs")
said_by = kept(verdicts.of_runs, show_spinner="Scoring the runs")


@partial(kept, show_spinner="Scoring the runs")
def unheard(found: list[Run], protocol: str) -> pd.DataFrame:
    """`generalization.unheard`, with a title for each run.

    Parameters
    ----------
    found : list of Run
    protocol : str

    Returns
    -------
    pd.DataFrame
        With a column `label` more.
    """
    table = generalization.unheard(found, protocol)
    titles: dict[str, str] = {}
    for name in (protocol, f"{protocol}+song"):  # apart from the song, all that stands here is of one protocol
        titles |= run_titles.titles([run for run in found if run.test == name], protocol=False)
    song = [" + song" if note else "" for note in table["note"]]
    return table.assign(label=[titles[run_id] + more for run_id, more in zip(table["run"], song, strict=True)])


@st.cache_data(show_spinner=False)
def speakers(file: Path) -> pd.DataFrame:
    """The shipped table of who speaks, and whom a model named.

    Parameters
    ----------
    file : Path

    Returns
    -------
    pd.DataFrame
    """
    return records.read_shipped(file, ["speaker", "named"])


@st.cache_data(show_spinner=False)
def voices(file: Path) -> pd.DataFrame:
    """The shipped table of where a voice was looked for.

    Parameters
    ----------
    file : Path

    Returns
    -------
    pd.DataFrame
        With the columns `verdicts.VOICES`.
    """
    return records.read_shipped(file, verdicts.VOICES)


def score_conditions() -> None:
    """Score what the page shows first of other recordings, the longest of its work, before anybody asks."""
    found = cached.all_runs()
    for protocol in robustness.protocols(found)[:1]:
        conditions(found, protocol, kind="emotion")


def reach_verdicts() -> None:
    """Reach the verdicts that the page shows first, before anybody asks."""
    found = cached.all_runs()
    for protocol in verdicts.protocols(found)[:1]:
        said_by(found, protocol, voices(settings().voices))
