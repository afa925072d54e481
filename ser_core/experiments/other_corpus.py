"""Another corpus to test on: its clips, which of them have an emotion of the training clips, and what a run says."""

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ser_core import corpus
from ser_core.corpus import Rejected
from ser_core.corpus.clips import speakers_of
from ser_core.errors import ProtocolError
from ser_core.evaluation import protocols
from ser_core.features import tables


@dataclass(frozen=True, eq=False)
class OtherCorpus:
    """The clips of a corpus that a model is tested on, but not trained on.

    Parameters
    ----------
    name : str
        Of the corpus; of several in one manifest, joined by "+".
    clips : pd.DataFrame
        Its index.
    is_shared : np.ndarray [shape=(clips,), dtype=bool]
        Whether the clip's emotion is one of the training clips'. The others are in no score.
    rejected : tuple of Rejected
        Files or rows that cannot be used.
    """

    name: str
    clips: pd.DataFrame
    is_shared: np.ndarray
    rejected: tuple[Rejected, ...]

    @property
    def protocol(self) -> str:
        """The name of the protocol, which has the digest of the clips."""
        return protocols.on_corpus(self.name, tables.digest(self.clips))

    @property
    def about(self) -> dict:
        """What a run says of the clips that it was tested on: `Run.tested_on`."""
        tested = self.clips[self.is_shared]
        return {
            "corpus": self.name,
            "digest": tables.digest(self.clips),
            "speakers": sorted(tested["speaker"].unique()),
            "languages": sorted(filter(None, tested["language"].unique())),
            "shortest_s": round(float(tested["duration_s"].min()), 2),
            "longest_s": round(float(tested["duration_s"].max()), 2),
        }


def read(place: str | os.PathLike, table: pd.DataFrame) -> OtherCorpus:
    """Index a corpus to test on, and check that it suits the training clips.

    Parameters
    ----------
    place : str or path
        A manifest, or a folder of a corpus that `corpus.index` reads.
    table : pd.DataFrame
        The training clips: a feature table, or rows of an index.

    Returns
    -------
    OtherCorpus

    Raises
    ------
    CorpusError
        If it does not exist or contains no usable clip.
    ProtocolError
        If it has a speaker of the training clips, or shares fewer than two emotions with them.
    """
    found = corpus.index(place)
    clips = found.clips.copy()
    clips.attrs[tables.FOLDER] = str(found.folder.absolute())  # where `model_input.load` finds the recordings
    name = "+".join(sorted(clips["corpus"].unique()))
    if both := set(speakers_of(clips)) & set(speakers_of(table)):
        raise ProtocolError(
            f"{place} has clips of speakers who are trained on, such as {min(both)}, and this is a test on "
            "another corpus. Name a corpus of other people"
        )
    is_shared = clips["emotion"].isin(table["emotion"]).to_numpy()
    shared = sorted(clips["emotion"][is_shared].unique())
    if len(shared) < 2:
        raise ProtocolError(
            f"{place} shares {' and '.join(shared) or 'no emotion'} with the training clips, and a test needs two or "
            f"more emotions. It has {', '.join(sorted(clips['emotion'].unique()))}; the training clips have "
            f"{', '.join(sorted(table['emotion'].unique()))}"
        )
    return OtherCorpus(name, clips, is_shared, found.rejected)
