"""Why a model answers as it does: where a clip stands among training clips, which are nearest, what stretch decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
from scipy.stats import gaussian_kde

from ser_core import records
from ser_core.audio import Waveform
from ser_core.corpus.labels import EMOTION_NAMES, by_emotion, emotion_of
from ser_core.errors import ArtifactError, DamagedError
from ser_core.evaluation import protocols
from ser_core.features import speaking, tables
from ser_core.features.functionals import HOP, N_FFT, TRIM_DB
from ser_core.features.registry import SPEAKING
from ser_core.prediction.model_store import ModelEntry
from ser_core.prediction.predictor import Prediction, Predictor
from ser_core.results import runs
from ser_core.settings import Settings

REASONS = 3  # so many measures at most speak for an emotion, and so many against it
# How far an answer moves when a measure alone is made usual, against pitch, which moves it furthest: the mean of the
# models robust and krr by `benchmarks.explanations --rest`, over clips that its test leaves out.
WEIGHTS = {
    "pitch_hz": 1.0,
    "pitch_range_st": 0.57,
    "loudness_range_db": 0.07,
    "pace": 0.68,
    "pauses": 0.09,
    "brightness_db": 0.44,
    "roughness_db": 0.14,
}
LEAST = 0.1  # of a weighted log density ratio, to be a reason
OUTERMOST = (1, 99)  # percentiles: further outside, no density is estimated
STRETCH_S = 0.4
MAX_STRETCHES = 12
LONGEST_S = 30.0  # of a clip that is taken apart; of a longer one, its turns are to be asked about
FADE_S = 0.01  # over which the two sides of a stretch are joined, so that it does not click


@dataclass(frozen=True)
class Standing:
    """Where a clip stands among training clips in what a listener notices.

    Parameters
    ----------
    emotion, gender : str
        The emotion that is asked about, and the gender within which clips are compared.
    table : pd.DataFrame
        A row for each of `speaking.MEASURES`. `value`; `speaks_for`: the logarithm of how much more often such a value
        occurs in the emotion than in the others; the share of training clips with a lower value of each emotion and
        of all but the one asked about (`others`). NaN where the clip has no such value, or no clip has the emotion.
    """

    emotion: str
    gender: str
    table: pd.DataFrame

    @property
    def speaks_for(self) -> list[str]:
        """The measures that speak most for the emotion and that answers depend on, the first most."""
        return self._reasons(self.table["speaks_for"])

    @property
    def speaks_against(self) -> list[str]:
        """The measures that speak most against the emotion and that answers depend on, the first most."""
        return self._reasons(-self.table["speaks_for"])

    def _reasons(self, ratios: pd.Series) -> list[str]:
        weighted = (ratios * pd.Series(WEIGHTS)).sort_values(ascending=False)
        return weighted.index[weighted > LEAST][:REASONS].tolist()

    def sentence(self, measure: str) -> str:
        """Where the clip stands in one measure.

        Parameters
        ----------
        measure : str
            Of `speaking.NAMES`.

        Returns
        -------
        str
        """
        row, about = self.table.loc[measure], speaking.BY_NAME[measure]
        named, others = row[self.emotion], row["others"]
        if np.isnan(named):
            return f"Its {about.title.lower()} cannot be compared with {self.emotion} clips."
        if others >= 0.5:
            than, shares = about.more, (named, others)
        else:
            than, shares = about.less, (1 - named, 1 - others)
        of_named, of_others = (f"{100 * share:.0f}%" for share in shares)
        ratio = row["speaks_for"]
        times = f"{np.exp(abs(ratio)):.1f} times as {'common' if ratio >= 0 else 'rare'} in {self.emotion} clips"
        return (
            f"Its {about.title.lower()}, {about.said(row['value'])}, is {than} than in {of_named} of the "
            f"{self.emotion} clips and in {of_others} of the others; values like it are {times}."
        )


@dataclass(frozen=True)
class Truth:
    """How true explanations of a model's answers are, as `benchmarks.explanations` measures it.

    Parameters
    ----------
    digest : str
        Of the model.
    clips : int
    said, rest : float
        How far the answer moves when a measure is made usual that was said to matter, and when any other one is: half
        the sum of the differences of the eight probabilities.
    further : float
        Share of clips in which the first is more.
    """

    digest: str
    clips: int
    said: float
    rest: float
    further: float

    def __str__(self) -> str:
        return (
            f"Tested on {self.clips} clips: when something that is said to speak for or against an answer is changed "
            f"to what is usual, the answer moves by {100 * self.said:.0f} percentage points in the mean; when anything "
            f"else is, by {100 * self.rest:.0f}."
        )


def truth(entry: ModelEntry, settings: Settings) -> Truth | None:
    """How true explanations of a model's answers are.

    Parameters
    ----------
    entry : ModelEntry
    settings : Settings

    Returns
    -------
    Truth or None
        None if it was not measured for this model.

    Raises
    ------
    ArtifactError
        If the shipped measurement is damaged.
    """
    return next((one for one in measured(settings) if one.digest == entry.digest), None)


def measured(settings: Settings) -> list[Truth]:
    """The shipped measurement of how true explanations are, of all models that it was done for.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    list of Truth

    Raises
    ------
    ArtifactError
        If it is damaged.
    """
    file = settings.explanations
    try:
        found = records.read_json(file)
        if not isinstance(found, list):
            raise DamagedError(f"{file.name} is damaged (it holds no list)")
        return [records.as_record(Truth, one, file.name) for one in found]
    except FileNotFoundError:
        return []
    except DamagedError as error:
        raise ArtifactError(
            f"How true explanations are is not known: {error}. Restore it (git checkout {file}), or measure again: "
            "python -m benchmarks.explanations --ship"
        ) from error


def training_clips(settings: Settings, channel: str = "speech") -> pd.DataFrame:
    """What a listener notices in the spoken, or the sung, training clips of the original study.

    Who sings keeps to notes and to a rhythm, whatever the emotion, so that a spoken clip is compared with spoken ones.

    Parameters
    ----------
    settings : Settings
    channel : {"speech", "song"}

    Returns
    -------
    pd.DataFrame
        The index columns and `speaking.NAMES`.

    Raises
    ------
    FeatureError
        If the shipped table is missing or damaged.
    """
    table = tables.read(settings.shipped_table(SPEAKING.key), SPEAKING)
    is_training = table["stem"].map(protocols.original_parts()) == "train"
    return table[is_training & (table["channel"] == channel)]


def standing(samples: np.ndarray, emotion: str, gender: str, clips: pd.DataFrame) -> Standing:
    """Where a clip stands among training clips of the same gender.

    Women and men differ in pitch, brightness and roughness more than emotions do.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.
    emotion : str
        Of `EMOTION_NAMES`; such as `Prediction.emotion`.
    gender : str
        Of the voice; such as `Prediction.gender`.
    clips : pd.DataFrame
        As `training_clips` returns them.

    Returns
    -------
    Standing
    """
    among = clips[clips["gender"] == gender]
    is_named = (among["emotion"] == emotion).to_numpy()
    # All other emotions weigh the same, however many clips they have.
    weights = (1 / among.groupby("emotion")["stem"].transform("size")).to_numpy()[~is_named]
    rows = {}
    for name, value in zip(speaking.NAMES, speaking.extract(samples).tolist(), strict=True):
        values = among[name].to_numpy(dtype=np.float64)
        lower = pd.Series(_is_lower(values, value), index=among["emotion"].to_numpy())
        shares = {one: lower[lower.index == one].mean() for one in EMOTION_NAMES}
        rows[name] = {
            "value": value,
            "speaks_for": _log_ratio(values[is_named], values[~is_named], weights, value),
            "others": float(np.average(lower.to_numpy()[~is_named], weights=weights)),
            **shares,
        }
    return Standing(emotion, gender, pd.DataFrame.from_dict(rows, orient="index"))


def _is_lower(values: np.ndarray, value: float) -> np.ndarray:
    """1 where a value is lower, a half where it is the same, NaN if there is none to compare with."""
    return (values < value) + 0.5 * (values == value) if np.isfinite(value) else np.full(len(values), np.nan)


def _log_ratio(named: np.ndarray, others: np.ndarray, weights: np.ndarray, value: float) -> float:
    """How much denser clips of an emotion lie around a value than those of others, as a logarithm."""
    if np.isnan(value) or not len(named):
        return np.nan
    # Where there are no clips, densities are those of the kernel's tails and mean nothing.
    value = float(np.clip(value, *np.percentile(np.concatenate([named, others]), OUTERMOST)))
    return float(gaussian_kde(named).logpdf(value)[0] - gaussian_kde(others, weights=weights).logpdf(value)[0])


def nearest(
    predictor: Predictor, samples: np.ndarray, stores: Iterable[Path], *, count: int = 5
) -> pd.DataFrame | None:
    """The training clips that are nearest to a clip in the model's own space.

    Parameters
    ----------
    predictor : Predictor
    samples : np.ndarray [shape=(n,), dtype=float32]
        Mono samples at 22,050 Hz.
    stores : iterable of Path
        The shipped store, then this installation's own: the model's run names its training clips.
    count : int

    Returns
    -------
    pd.DataFrame or None
        `stem`, `corpus`, `speaker`, `gender`, `emotion` and `distance` (that of the nearest of its augmented copies, in
        the unit of `Prediction.distance`), the nearest first; of a vote, in the space of its member that has one. None
        from a model that has no such space, or whose run was deleted.
    """
    found = predictor.listener.distances_to_each([samples])
    if found is None:
        return None
    distances, run = found
    try:
        learned = runs.get(run, stores).part("train")
    except ArtifactError:
        return None
    clips = learned[["clip", "corpus", "speaker", "gender"]].rename(columns={"clip": "stem"})
    clips["emotion"] = learned["truth"].map(emotion_of)
    clips["distance"] = distances[0].reshape(len(learned), -1).min(axis=1).clip(min=0.0)
    return clips.nsmallest(count, "distance").reset_index(drop=True)


def stretches(predictor: Predictor, waveform: Waveform, prediction: Prediction, emotion: str = "") -> pd.DataFrame:
    """Which stretch of a clip decided: how the answer changes when each is cut out.

    Parameters
    ----------
    predictor : Predictor
    waveform : Waveform
        At 22,050 Hz.
    prediction : Prediction
        Of the same predictor for the same waveform.
    emotion : str, optional
        By default that of the prediction.

    Returns
    -------
    pd.DataFrame
        `start_s`, `end_s` and `falls`: by how much the probability of the emotion falls without the stretch; below 0 it
        rises. Together they are the clip without the silence at both ends. Empty if it is shorter than two stretches of
        0.4 s or longer than 30 s.
    """
    emotion = emotion or prediction.emotion
    edges = _edges(waveform.samples, waveform.rate)
    pieces = [_without(waveform.samples, *edge, waveform.rate) for edge in edges]
    if not pieces:
        return pd.DataFrame({"start_s": [], "end_s": [], "falls": []})
    probabilities, _, _ = predictor.listener.hear(pieces)
    without = by_emotion(probabilities)[:, EMOTION_NAMES.index(emotion)]
    starts, ends = np.array(edges).T / waveform.rate
    return pd.DataFrame({"start_s": starts, "end_s": ends, "falls": prediction.emotions[emotion] - without})


def _edges(samples: np.ndarray, rate: int) -> list[tuple[int, int]]:
    """The first sample of each stretch and that after its last."""
    _, (start, end) = librosa.effects.trim(samples, top_db=TRIM_DB, frame_length=N_FFT, hop_length=HOP)
    voice_s = (end - start) / rate
    number = min(round(voice_s / STRETCH_S), MAX_STRETCHES)
    if number < 2 or voice_s > LONGEST_S:
        return []
    bounds = np.linspace(start, end, number + 1).round().astype(int).tolist()
    return list(pairwise(bounds))


def _without(samples: np.ndarray, start: int, end: int, rate: int) -> np.ndarray:
    """The samples without a stretch, what is before it faded into what is after it."""
    fade = min(round(FADE_S * rate), start)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    joined = samples[start - fade : start] * (1 - ramp) + samples[end - fade : end] * ramp
    return np.concatenate([samples[: start - fade], joined, samples[end:]])
