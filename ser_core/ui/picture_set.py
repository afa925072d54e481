"""A set of pictures of all clips, made by a job: what kind, how far it is, and where it lies."""

from pathlib import Path

import streamlit as st

from ser_core import ui
from ser_core.features import images
from ser_core.jobs import Task
from ser_core.ui import cached, work
from ser_core.ui.clip import link_to_recordings

KIND = "spectrograms"  # of the job
TITLES = {"mel": "Mel spectrograms", "mfcc": "MFCC", "contrast": "Spectral contrast"}
COPIES = {"0": "None", "1": "One of each", "2": "Two of each"}  # of training clips: all sets together take about 1 GB
REFRESH_S = 2


def task(kind: str, copies: int) -> Task:
    """The job that makes a set.

    Parameters
    ----------
    kind : str
        Of `images.KINDS`.
    copies : int
        Augmented copies of each training clip.

    Returns
    -------
    Task
    """
    name = f"{kind}-{copies}" if copies else kind
    folder = ui.settings().workspace / KIND / name
    parts = [KIND, "--kind", kind, *(["--augment", str(copies)] if copies else []), "--out", str(folder)]
    return Task(KIND, name, tuple(parts), f"Pictures of all clips: {TITLES[kind]}", resumable=True)


def show() -> None:
    """What can be chosen, the button that starts it, and how it stands with such a set."""
    st.markdown(
        f"**The same of all clips, as files**: a network of your own can learn from them. {images.SIZE} by "
        f"{images.SIZE} pixels, in folders by part (train, test) and class, in the study's split."
    )
    kind = ui.choice("Pictures of", TITLES, key="set-kind")
    copies = ui.choice(
        "Changed copies of the training clips",
        COPIES,
        key="set-copies",
        help="Each a little faster or slower, higher or lower, shifted, and noisy: a network learns less by heart.",
    )
    made = task(kind, int(copies))
    job = work.latest(KIND, made.subject)
    answer = job.answer if job and job.status == "done" and Path(made.arguments[-1]).is_dir() else None
    if job and job.status != "done":
        st.fragment(_show_job, run_every=REFRESH_S if job.is_alive else None)(made)
    elif answer:
        st.success(
            f"{answer['pictures']:,} pictures lie on this server, {answer['train']:,} to train on and "
            f"{answer['test']:,} to test on, in {ui.as_text(made.arguments[-1])}.",
            icon=":material/folder:",
        )
    clips = len(cached.recordings().clips)
    if clips or ui.settings().read_only:
        label = "" if answer else f"Make them of {clips:,} clips"
        busy = "They are being made now." if work.is_at_work(made) else ""
        work.offer_start(made, _begin, label=label, busy=busy, key="start-pictures")
    else:
        st.warning("This takes the recordings, which are not here.", icon=":material/volume_off:")
        link_to_recordings()


def _begin(made: Task) -> None:
    work.begin(made)


def _show_job(made: Task) -> None:
    if job := work.latest(KIND, made.subject):
        work.show_job(job, where="pictures")
