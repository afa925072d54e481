"""Features of all clips of a table as model input: taken from the table, from shipped tables, or extracted."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ser_core import audio, corpus
from ser_core.audio import conditions
from ser_core.corpus import ravdess
from ser_core.errors import FeatureError
from ser_core.features import registry, store, tables
from ser_core.features.augmentation import augmented
from ser_core.features.feature_set import FeatureSet, is_from_elsewhere
from ser_core.features.heard import heard as in_condition
from ser_core.settings import Settings


@dataclass(frozen=True)
class ModelInput:
    """The features of every clip of a table, as input of a model.

    Parameters
    ----------
    features, augmentation : str
        Keys of `features.registry` and `features.augmentation`.
    version : str
        Of both, e.g. `functionals-1+voices-1`.
    values : np.ndarray [shape=(clips, ...)]
        With augmentation by copies: [shape=(clips, 1 + copies, ...)].
    weights : str
        Origin of the weights of a backbone.
    heard : str
        Key of the recording condition in which the clips are heard; empty for as recorded.
    """

    features: str
    augmentation: str
    version: str
    values: np.ndarray
    weights: str = ""
    heard: str = ""


BABBLE_CLIPS = 8  # of other speakers, among which each clip draws the voices of its babble


def load(
    table: pd.DataFrame,
    settings: Settings,
    *,
    features: str | FeatureSet = "mean180",
    augmentation: str = "none",
    weights: Path | None = None,
    heard: str = "",
    rows: np.ndarray | None = None,
    jobs: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> ModelInput:
    """Load or extract the features of all clips of a table.

    Features in the table or in a shipped table need no recordings. All others are extracted from the recordings once
    and kept in the store; an interrupted call is resumed.

    Parameters
    ----------
    table : pd.DataFrame
        Rows of an index, or a feature table.
    settings : Settings
    features : str or FeatureSet
        A key of `features.registry`; or of the table's own features, which may come from elsewhere.
    augmentation : str
        A key of `features.augmentation`.
    weights : Path, optional
        File with the weights of a backbone.
    heard : str
        Key of `audio.conditions`: the features of the clips as heard in it. Augmented copies are made of training clips
        alone, which are heard as recorded, so that these have none.
    rows : np.ndarray [dtype=int], optional
        With `heard`, the clips to extract, such as the test clips; the features of all others are NaN.
    jobs, progress
        As `store.extract` takes them.

    Returns
    -------
    ModelInput

    Raises
    ------
    FeatureError
        If a clip's recording is missing or cannot be read, or there is no such feature set or augmentation.
    CorpusError
        If the folder of recordings contains no clip.
    ModelError
        If a backbone's weights are not available.
    AudioError
        If there is no such condition.
    """
    held = tables.features_of(table)
    if isinstance(features, FeatureSet):
        plain = features
    elif held and held.key == registry.key_of(features) and (is_from_elsewhere(held.key) or not heard):
        plain = held
    else:
        plain = registry.get(features, settings, weights)
    if heard:
        wanted_rows = np.arange(len(table)) if rows is None else np.unique(rows)
        return _load_heard(table, settings, plain, heard, wanted_rows, jobs, progress)
    wanted = augmented(plain, augmentation)

    def result(values: np.ndarray) -> ModelInput:
        return ModelInput(plain.key, augmentation, wanted.version, values, wanted.weights)

    if wanted.names:
        if table.attrs.get(tables.VERSION) == wanted.version and set(wanted.names) <= set(table):
            return result(tables.matrix(table, wanted))
        if (shipped := _shipped(table, wanted, settings)) is not None:
            return result(shipped)
    files = recordings(table, settings)
    return result(_extract(files, wanted, settings, jobs, progress))


def _load_heard(
    table: pd.DataFrame,
    settings: Settings,
    plain: FeatureSet,
    condition: str,
    rows: np.ndarray,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> ModelInput:
    """The features of clips heard in a condition; the voices of babble are other speakers' than each clip's own."""
    files = recordings(table, settings)
    speakers = np.asarray(table["speaker"])
    if conditions.get(condition).needs_voices:
        parts = [
            (in_condition(plain, condition, other_voices(speakers, files, speaker)), rows[speakers[rows] == speaker])
            for speaker in np.unique(speakers[rows])
        ]
    else:
        parts = [(in_condition(plain, condition), rows)]
    values, done = None, 0
    for wanted, of in parts:
        advance = progress and partial(_advance, progress, done, len(rows))
        made = _extract([files[row] for row in of], wanted, settings, jobs, advance)
        if values is None:
            values = np.full((len(table), *made.shape[1:]), np.nan, made.dtype)
        values[of] = made
        done += len(of)
    assert values is not None, "no clip to hear"
    version = f"{plain.version} heard {condition}, {conditions.VERSION}"
    return ModelInput(plain.key, "none", version, values, plain.weights, condition)


def _advance(progress: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def other_voices(speakers: np.ndarray, files: list[Path], speaker: str) -> list[np.ndarray]:
    """A clip of each of some other speakers, evenly drawn from the list of them: the voices of babble.

    Parameters
    ----------
    speakers : np.ndarray [shape=(n,), dtype=str]
    files : list of Path
        The recordings of the n clips.
    speaker : str
        Whose clips are heard in the babble.

    Returns
    -------
    list of np.ndarray [shape=(samples,)]
        At 22,050 Hz.
    """
    first = pd.Series(range(len(speakers))).groupby(speakers).first().drop(speaker)
    chosen = first.iloc[np.linspace(0, len(first) - 1, min(BABBLE_CLIPS, len(first))).round().astype(int)]
    return [audio.load(files[row]).samples for row in chosen]


def _extract(
    files: list[Path],
    wanted: FeatureSet,
    settings: Settings,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> np.ndarray:
    """The features of all files, from the store where it has them."""

    def check(faults: dict[int, str]) -> None:
        for row, fault in faults.items():
            raise FeatureError(f"{files[row]} cannot be read: {fault}. Replace it, or remove it from the table")

    found = store.extract(files, wanted, settings.workspace, jobs=jobs, progress=progress, check=check)
    return np.stack([found.arrays[row] for row in range(len(files))])


def _shipped(table: pd.DataFrame, features: registry.FeatureSet, settings: Settings) -> np.ndarray | None:
    """The features of a table's clips from a shipped table; None if it does not contain all of them."""
    file = settings.shipped_table(features.key)
    if not file.is_file():
        return None
    shipped = tables.read(file, features).set_index("stem")
    if not set(table["stem"]) <= set(shipped.index):
        return None
    rows = shipped.loc[table["stem"]]
    same = rows.reset_index()[["stem", "label", "duration_s"]]
    if tables.digest(same) != tables.digest(table):
        return None
    return tables.matrix(rows, features)


def recordings(table: pd.DataFrame, settings: Settings) -> list[Path]:
    """The recording of each clip of a table.

    Parameters
    ----------
    table : pd.DataFrame
        Rows of an index, or a feature table.
    settings : Settings

    Returns
    -------
    list of Path

    Raises
    ------
    FeatureError
        If one is missing or cannot be used.
    CorpusError
        If the folder of recordings contains no clip.
    """
    folder = table.attrs.get(tables.FOLDER, "")
    files = [Path(folder) / path for path in table["path"]]
    missing = [file for file in files if not file.is_file()]
    if folder and tables.VERSION not in table.attrs and not missing:  # an index, such as of a corpus to test on
        return files
    if set(table["corpus"]) == {ravdess.NAME} and table["stem"].str.fullmatch(ravdess.PATTERN).all():
        return _ravdess(table, settings)
    if missing:
        raise FeatureError(
            f"This needs the recordings, and {len(missing):,} of {len(files):,} are not where the table was made, such "
            f"as {missing[0]}. Extract the table again from its manifest"
        )
    return files


def _ravdess(table: pd.DataFrame, settings: Settings) -> list[Path]:
    way_out = "Download them (python -m ser_core download), or set SER_DATA_DIR"
    if not settings.data_dir.exists():
        raise FeatureError(f"This needs the recordings, and {settings.data_dir} is not there. {way_out}")
    found = corpus.index(settings.data_dir)
    missing = {stem: None for stem in table["stem"] if stem not in found.files}  # in the order of the table
    if unusable := [one for one in found.rejected if Path(one.file).stem in missing]:
        raise FeatureError(
            f"{len(unusable):,} of {len(table):,} recordings cannot be used, such as "
            f"{settings.data_dir / unusable[0].file} ({unusable[0].reason.rstrip('.')}). Replace them, or remove them "
            "from the table"
        )
    if missing:
        raise FeatureError(
            f"This needs the recordings, and {len(missing):,} of {len(table):,} are not in "
            f"{settings.data_dir}, such as {next(iter(missing))}. {way_out}"
        )
    return [found.folder / found.files[stem] for stem in table["stem"]]
