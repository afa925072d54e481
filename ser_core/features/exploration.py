"""Exploratory data analysis: clip counts, features that distinguish emotions, and two-dimensional maps of all clips.

Nothing here evaluates a model, so all clips may be used, the test part included. Preprocessing for models is fitted
within their folds (`experiments`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.feature_selection import f_classif
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from ser_core import records
from ser_core.corpus.clips import thinned
from ser_core.corpus.ravdess import NEVER_SANG, NEVER_SUNG
from ser_core.errors import DamagedError, FeatureError
from ser_core.evaluation import protocols
from ser_core.features import mean180, prosody, tables
from ser_core.features.registry import PROSODY
from ser_core.settings import Settings

VARIANCE_KEPT = 0.95  # by the original study's PCA
NEIGHBOURS = 10
TSNE_SEED = 9
TSNE_PERPLEXITY = 30  # scikit-learn's default: about the number of neighbours of a clip
TSNE_CLIPS = 2_500  # as many as RAVDESS has: its time grows faster than the number of clips
METHODS = ("tsne", "pca")
AGREEING = ("speaker", "gender", "emotion")  # in which neighbours may
MEL_BANDS = [name for name in mean180.NAMES if name.startswith("mel_")]


def clips(settings: Settings) -> pd.DataFrame:
    """All shipped clips with their features.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    pd.DataFrame
        The index columns, the 180 features of `mean180`, loudness and median pitch (`prosody.NAMES`), `part` (train or
        test in the original study's split), and the coordinates of `maps`.

    Raises
    ------
    FeatureError
        If a shipped table is missing or damaged, or does not contain the same clips as the others.
    """
    table = tables.read(settings.feature_table)
    voice = tables.read(settings.shipped_table("prosody"), PROSODY)
    try:
        places = records.read_table(settings.maps, ["stem"])
    except (OSError, DamagedError) as error:
        raise FeatureError(f"The maps {settings.maps} cannot be read ({error}). Make them again: make study") from error
    for other, file in ((voice, settings.shipped_table("prosody")), (places, settings.maps)):
        if list(other["stem"]) != list(table["stem"]):
            raise FeatureError(f"{file} has other clips than {settings.feature_table}. Make them again: make study")
    return table.assign(
        part=table["stem"].map(protocols.original_parts()),
        **{name: voice[name] for name in prosody.NAMES},
        **places.drop(columns="stem"),
    )


def count(table: pd.DataFrame, rows: str, columns: str | None = None) -> pd.DataFrame:
    """Count clips by one column, or by two.

    Parameters
    ----------
    table : pd.DataFrame
        Rows of an index.
    rows : str
        The column that is counted by.
    columns : str, optional
        A second one.

    Returns
    -------
    pd.DataFrame
        A row for each value of `rows`, and a column for each value of `columns` or the single column `clips`. Pairs
        that do not occur count 0.
    """
    if columns is None:
        return table.groupby(rows).size().to_frame("clips")
    return pd.crosstab(table[rows], table[columns])


def gaps(table: pd.DataFrame) -> list[str]:
    """The gaps of RAVDESS that affect learning from a selection of its clips, in sentences.

    Parameters
    ----------
    table : pd.DataFrame
        Rows of an index. Gaps that are not visible in them are not listed.

    Returns
    -------
    list of str
    """
    found = []
    channels, emotions, actors = set(table["channel"]), set(table["emotion"]), set(table["speaker"].astype(int))
    for actor in sorted(actors.intersection(NEVER_SANG)):
        if "song" in channels or actors <= set(NEVER_SANG):
            found.append(f"There is no song of actor {actor}.")
    unsung = [name for name in NEVER_SUNG if name in emotions]
    if unsung and "song" in channels:
        found.append(
            f"{' and '.join(unsung).capitalize()} {'is' if len(unsung) == 1 else 'are'} never sung: a model can learn "
            "that no sung clip is one of them."
        )
    counts = table["emotion"].value_counts()
    if "neutral" in counts and len(counts) > 1 and "strong" in set(table["intensity"]):
        usual = counts.drop("neutral").max()
        if 0.4 <= counts["neutral"] / usual <= 0.6:
            found.append(
                f"Neutral has {counts['neutral']} clips, about half of the {usual} of the fullest emotion: "
                "it has no strong version."
            )
    return found


def separation(table: pd.DataFrame, names: Sequence[str] = mean180.NAMES, *, decibels: bool = False) -> pd.DataFrame:
    """The share of each feature's variance that emotion explains, and the share that the speaker explains.

    Shares are eta squared of a one-way analysis of variance, between-group over total sum of squares, computed from
    scikit-learn's F. `within` is emotion's share after each speaker's mean is subtracted, which removes speaker
    differences.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table with at least two emotions and two speakers.
    names : sequence of str
        The columns of features.
    decibels : bool
        Whether to convert the mel bands to dB. Models get them as power, where a few shouts dominate the variance.

    Returns
    -------
    pd.DataFrame
        One row per feature that is not the same for all clips, sorted by descending `within`: `speaker`, `emotion`,
        `within`, all 0 to 1, and `f`, the F of emotion within speakers.

    Raises
    ------
    FeatureError
        If there are fewer emotions or speakers.
    """
    if table["emotion"].nunique() < 2 or table["speaker"].nunique() < 2:
        raise FeatureError("Separating emotions from speakers takes two emotions and two speakers or more: filter less")
    features = table[list(names)].astype(np.float64)
    features = features.loc[:, (features != features.iloc[0]).any()]
    if decibels:
        features[MEL_BANDS] = in_decibels(features[MEL_BANDS])
    values, means = features.to_numpy(), features.groupby(table["speaker"]).transform("mean").to_numpy()
    speaker, emotion = (table[name].to_numpy(dtype=object) for name in ("speaker", "emotion"))
    analyses = {"speaker": (values, speaker), "emotion": (values, emotion), "within": (values - means, emotion)}
    f = {name: f_classif(numbers, groups)[0] for name, (numbers, groups) in analyses.items()}
    shares = {name: _share(f[name], groups) for name, (_, groups) in analyses.items()}
    # The speakers' means are estimated too, which takes degrees of freedom from the clips.
    free = len(table) - len(set(emotion))
    shares["f"] = f["within"] * (free - len(set(speaker)) + 1) / free
    return pd.DataFrame(shares, index=list(features)).fillna(0).sort_values("within", ascending=False)


def _share(f: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Eta squared, from F = (between / (k - 1)) / (within / (n - k))."""
    between, free = len(set(groups)) - 1, len(groups) - len(set(groups))
    return f * between / (f * between + free)


def cumulative_variance(table: pd.DataFrame, names: Sequence[str] = mean180.NAMES) -> np.ndarray:
    """Cumulative share of the standardised features' variance in the first 1, 2, ... principal components.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table.
    names : sequence of str
        The columns of features.

    Returns
    -------
    np.ndarray [shape=(min(clips, features),)]
    """
    return PCA().fit(_standardised(table, names)).explained_variance_ratio_.cumsum()


def components_kept(cumulative: np.ndarray) -> int:
    """The number of components that explain 95% of the variance, as scikit-learn's `PCA(0.95)` counts them.

    Parameters
    ----------
    cumulative : np.ndarray [shape=(components,)]
        As `cumulative_variance` returns it.

    Returns
    -------
    int
    """
    return int(np.searchsorted(cumulative, VARIANCE_KEPT, side="right")) + 1


def neighbours(
    table: pd.DataFrame, names: Sequence[str] = mean180.NAMES, *, within: bool = False
) -> dict[str, tuple[float, float]]:
    """How often a clip's ten nearest neighbours share its speaker, gender and emotion, in the standardised features.

    All pairs are compared, whose number grows with the square of the clips: pass a sample of many (`clips.thinned`).
    Trees are no way out, since in 180 dimensions they leave hardly a pair out and take more than ten times as long.

    Parameters
    ----------
    table : pd.DataFrame
        Two clips or more. Of no more than ten, all others are neighbours.
    names : sequence of str
        The columns of features.
    within : bool
        Whether to standardise within each speaker, which reduces speaker differences.

    Returns
    -------
    dict
        For each of `AGREEING`: the mean share of neighbours that agree with the clip, and the
        share of all other clips that do (chance level).
    """
    values = _standardised(table, names, within=within)
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(table) - 1)).fit(values).kneighbors(return_distance=False)
    shares = {}
    for name in AGREEING:
        codes, _ = pd.factorize(table[name])
        sizes = np.bincount(codes)
        chance = float((sizes[codes] - 1).mean() / (len(codes) - 1))
        shares[name] = (float((codes[near] == codes[:, None]).mean()), chance)
    return shares


def maps(table: pd.DataFrame) -> pd.DataFrame:
    """The coordinates of each clip on two-dimensional maps of the 180 features.

    Takes about half a minute for all of RAVDESS.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table.

    Returns
    -------
    pd.DataFrame
        `stem`, and `x` and `y` of four maps: `tsne_all_x`, `tsne_all_y`, ... for each of `METHODS`, of features that
        are standardised over all clips (`all`) or within each speaker (`speaker`). t-SNE gets the principal components
        that explain 95% of the variance.

    References
    ----------
    van der Maaten & Hinton 2008, "Visualizing Data using t-SNE".
    """
    places = {"stem": table["stem"]}
    for of in ("all", "speaker"):
        values = _standardised(table, mean180.NAMES, within=of == "speaker")
        for method in METHODS:
            places[f"{method}_{of}_x"], places[f"{method}_{of}_y"] = _flat(values, method).T
    return pd.DataFrame(places)


def placed(table: pd.DataFrame, names: Sequence[str], method: str, of: str) -> pd.DataFrame:
    """The clips of a table with their coordinates on one map, for corpora whose maps do not ship.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table of three clips or more.
    names : sequence of str
        The columns of features.
    method : str
        Of `METHODS`. t-SNE is of a sample of `TSNE_CLIPS`: it takes about 15 s of them.
    of : str
        `all` or `speaker`: what the features are standardised over.

    Returns
    -------
    pd.DataFrame
        The table, or the rows of the sample, without its features, and with the columns of `maps` for this map.
    """
    if method == "tsne":
        table = thinned(table, TSNE_CLIPS)
    with threadpool_limits(1):  # visitors of pages share the cores, on which busy threads wait for each other
        flat = _flat(_standardised(table, names, within=of == "speaker"), method)
    return table.drop(columns=list(names)).assign(**{f"{method}_{of}_x": flat[:, 0], f"{method}_{of}_y": flat[:, 1]})


def _flat(values: np.ndarray, method: str) -> np.ndarray:
    """The two coordinates of standardised features on a map."""
    components = PCA(VARIANCE_KEPT).fit_transform(values)
    if components.shape[1] < 2:  # one feature, or ones that say the same
        components = np.pad(components, ((0, 0), (0, 2 - components.shape[1])))
    if method == "tsne":
        perplexity = min(TSNE_PERPLEXITY, (len(values) - 1) / 3)
        components = TSNE(perplexity=perplexity, init="pca", random_state=TSNE_SEED, n_jobs=-1).fit_transform(
            components
        )
    return components[:, :2].astype(np.float32)


def mel_profiles(table: pd.DataFrame) -> pd.DataFrame:
    """The mean mel spectrum of each emotion.

    Each clip's mean power is converted to dB before averaging, so that no single scream dominates its emotion.

    Parameters
    ----------
    table : pd.DataFrame
        A feature table.

    Returns
    -------
    pd.DataFrame
        One row per emotion, one column per band, in dB.
    """
    return in_decibels(table[MEL_BANDS]).groupby(table["emotion"]).mean()


def in_decibels(power):
    """Convert power to dB; at least -100 dB.

    Parameters
    ----------
    power : float, np.ndarray or pd.DataFrame

    Returns
    -------
    As `power`
    """
    return 10 * np.log10(np.maximum(power, mean180.LOG_FLOOR))


def _standardised(table: pd.DataFrame, names: Sequence[str], *, within: bool = False) -> np.ndarray:
    """The features with mean 0 and standard deviation 1 over all clips, or over the clips of each speaker."""
    values = table[list(names)].to_numpy(dtype=np.float32).astype(np.float64)
    if not within:
        return StandardScaler().fit_transform(values)
    for rows in table.reset_index(drop=True).groupby("speaker").indices.values():
        values[rows] = StandardScaler().fit_transform(values[rows])
    return values
