"""From a recording to a prediction: the probability of each class, emotion and gender, and warnings."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ser_core import audio
from ser_core.audio import quality
from ser_core.audio.voice_activity import has_voice
from ser_core.corpus.labels import (
    EMOTION_NAMES,
    GENDERS,
    LABELS,
    by_emotion,
    by_gender,
    emotion_of,
    title_of,
)
from ser_core.errors import ArtifactError
from ser_core.features import mean180
from ser_core.features import registry as feature_sets
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.prediction import model_store
from ser_core.settings import Settings

NO_VOICE = "No voice was found in this recording, so no emotion is named."
MAX_WINDOWS = 120  # of a timeline: one per second for two minutes, then further apart


@dataclass(frozen=True)
class Prediction:
    """A model's prediction for one recording.

    Parameters
    ----------
    probabilities : dict of str to float
        Of each of the 16 classes.
    members : dict of str to dict
        Of a vote: the emotion probabilities of each member.
    warnings : tuple of str
        What limits the prediction, e.g. clipping, noise, an unusual length.
    timeline : pd.DataFrame, optional
        Of a recording longer than any training clip: `start_s`, `end_s` (s) and the probabilities of the eight emotions
        in overlapping windows; NaN where it is silent.
    has_voice : bool
        Whether anybody speaks or sings. If not, `probabilities` mean nothing, and no emotion is named.
    """

    probabilities: dict[str, float]
    members: dict[str, dict[str, float]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    timeline: pd.DataFrame | None = None
    has_voice: bool = True

    @property
    def verdict(self) -> str:
        """Whether an emotion may be named: "no_voice" if nobody speaks, otherwise "voice"."""
        return "voice" if self.has_voice else "no_voice"

    @property
    def reason(self) -> str:
        """The reason for a verdict against an answer, in one sentence; empty where there is an answer."""
        return "" if self.has_voice else NO_VOICE

    @property
    def label(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def probability(self) -> float:
        """The probability of `label`."""
        return self.probabilities[self.label]

    @property
    def emotion(self) -> str:
        """The most probable emotion, genders added up.

        This is the emotion on pages, in JSON and in CSV. It can differ from the emotion of `label`.
        """
        return max(self.emotions, key=self.emotions.__getitem__)

    @property
    def gender(self) -> str:
        """The most probable gender, emotions added up."""
        return max(self.genders, key=self.genders.__getitem__)

    @property
    def emotion_probability(self) -> float:
        """The probability of `emotion`."""
        return self.emotions[self.emotion]

    @property
    def emotions(self) -> dict[str, float]:
        """The probability of each emotion, genders added up."""
        return dict(zip(EMOTION_NAMES, by_emotion(self._vector).tolist(), strict=True))

    @property
    def genders(self) -> dict[str, float]:
        """The probability of each gender, emotions added up."""
        return dict(zip(GENDERS, by_gender(self._vector).tolist(), strict=True))

    @property
    def _vector(self) -> np.ndarray:
        return np.array([self.probabilities[label] for label in LABELS])

    def as_dict(self) -> dict:
        """The prediction for the command line and the page's JSON download.

        Returns
        -------
        dict
            `verdict` and its `reason`; `label`, `emotion`, `gender`, `probability` (of the label),
            `emotion_probability`, which are None if there is no voice; `probabilities`, `warnings`.
        """
        answer = {
            "label": self.label,
            "emotion": self.emotion,
            "gender": self.gender,
            "probability": self.probability,
            "emotion_probability": self.emotion_probability,
        }
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            **(answer if self.has_voice else dict.fromkeys(answer)),
            "probabilities": self.probabilities,
            "warnings": list(self.warnings),
        }


class Listener:
    """A fitted model and the feature set that it was trained on.

    Parameters
    ----------
    model : EmotionClassifier
    entry : ModelEntry
    """

    def __init__(self, model: EmotionClassifier, entry: model_store.ModelEntry):
        self.model = model
        # Without augmentation, which is for training only.
        self.features = feature_sets.get(entry.recipe.features, Settings.from_environment())
        # A backbone's version is known only with its weights.
        if self.features.weights and self.features.version != entry.features:
            raise ArtifactError(
                f"Model {entry.key} was made with {entry.features}, but here is {self.features.version}. "
                f"Bring those weights, or train it: python -m ser_core train {entry.key}"
            )

    def hear(self, clips: list[np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Predict the class probabilities of some clips.

        Parameters
        ----------
        clips : list of np.ndarray [shape=(n,), dtype=float32]
            Samples at 22,050 Hz.

        Returns
        -------
        np.ndarray [shape=(clips, 16)]
        dict of str to np.ndarray [shape=(clips, 16)]
            Of a vote: those of each member.
        """
        features = self.features.of(clips)
        members = self.model.members_proba(features)
        return (self.model.vote(members) if members else self.model.predict_proba(features)), members


class VoteListener:
    """A weighted mean of several fitted models, each with its own features.

    Parameters
    ----------
    members : dict of str to (float, Listener)
        Key -> weight and model.
    """

    def __init__(self, members: dict[str, tuple[float, Listener]]):
        self.members = members

    def hear(self, clips: list[np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """As `Listener.hear`."""
        members = {key: listener.hear(clips)[0] for key, (_, listener) in self.members.items()}
        weights = [weight for weight, _ in self.members.values()]
        return np.average(list(members.values()), axis=0, weights=weights), members


class Predictor:
    """A trained model that predicts from recordings. It is never modified, so threads may share it.

    Parameters
    ----------
    listener : Listener or VoteListener
    entry : ModelEntry
        What the model was trained on, and its scores.
    """

    def __init__(self, listener: Listener | VoteListener, entry: model_store.ModelEntry):
        self.listener = listener
        self.entry = entry

    @classmethod
    def load(cls, entry: model_store.ModelEntry) -> "Predictor":
        """Load a trained model, or the members of a vote, after its digests and versions are checked.

        Parameters
        ----------
        entry : ModelEntry
            As `model_store.find` returns it.

        Returns
        -------
        Predictor

        Raises
        ------
        ArtifactError
            As `model_store.load`; and if a backbone's weights differ from those of the training.
        ModelError
            If those weights are not available.
        """
        if not entry.is_vote:
            return cls(Listener(model_store.load(entry), entry), entry)
        model_store.check(entry)
        members = model_store.members(entry).items()
        loaded = {key: (weight, Listener(model_store.load(member), member)) for key, (weight, member) in members}
        return cls(VoteListener(loaded), entry)

    def predict_file(self, source: str | Path | bytes) -> Prediction:
        """Predict from a file, or from bytes of an untrusted source.

        Parameters
        ----------
        source : str, Path or bytes
            A file, or its content.

        Returns
        -------
        Prediction

        Raises
        ------
        AudioError
            If it cannot be decoded within the limits, or is silent.
        """
        return self.predict(audio.load(source, rate=mean180.SAMPLE_RATE))

    def predict(self, waveform: audio.Waveform) -> Prediction:
        """Predict from a waveform at 22,050 Hz; one longer than any training clip also gets a timeline.

        Parameters
        ----------
        waveform : Waveform

        Returns
        -------
        Prediction

        Raises
        ------
        ValueError
            If the waveform has another rate.
        """
        if waveform.rate != mean180.SAMPLE_RATE:
            raise ValueError(f"The sound is at {waveform.rate} Hz, the features want {mean180.SAMPLE_RATE} Hz")
        trained_on = self.entry.trained_on
        probabilities, members = self.listener.hear([waveform.samples])
        is_long = waveform.duration_s > trained_on.longest_s
        timeline = self._timeline(waveform, trained_on.median_s) if is_long else None
        prediction = Prediction(
            probabilities=dict(zip(LABELS, probabilities[0].tolist(), strict=True)),
            members={
                key: dict(zip(EMOTION_NAMES, by_emotion(member[0]).tolist(), strict=True))
                for key, member in members.items()
            },
            warnings=quality.warnings(waveform, shortest_s=trained_on.shortest_s, longest_s=trained_on.longest_s),
            timeline=timeline,
            has_voice=has_voice(waveform.samples, waveform.rate),
        )
        if not prediction.has_voice:
            return prediction
        return replace(prediction, warnings=(*_disagreement(prediction), *prediction.warnings))

    def _timeline(self, waveform: audio.Waveform, window_s: float) -> pd.DataFrame:
        """Emotion probabilities of overlapping windows as long as a typical training clip.

        The last window ends with the recording. A nearly silent window has no probabilities.
        """
        last = waveform.duration_s - window_s
        starts = np.linspace(0, last, min(MAX_WINDOWS, 2 + int(last)))
        pieces = [
            waveform.samples[round(start * waveform.rate) : round((start + window_s) * waveform.rate)]
            for start in starts
        ]
        probabilities, _ = self.listener.hear(pieces)
        emotions = pd.DataFrame(by_emotion(probabilities), columns=list(EMOTION_NAMES))
        emotions[[quality.is_nearly_silent(piece, waveform.rate) for piece in pieces]] = np.nan
        return pd.concat([pd.DataFrame({"start_s": starts, "end_s": starts + window_s}), emotions], axis=1)


def _disagreement(prediction: Prediction) -> tuple[str, ...]:
    """A warning where the most probable class and the most probable emotion disagree."""
    of_label = emotion_of(prediction.label)
    if of_label == prediction.emotion:
        return ()
    return (
        f"Not settled: {title_of(prediction.label)} is the most probable of the 16 classes, but with genders added up "
        f"{prediction.emotion} is more probable than {of_label}.",
    )


def load_predictor(key: str = "best") -> Predictor:
    """Load a trained model of this installation.

    Parameters
    ----------
    key : str
        A key of the manifest, such as "best", "v4", "krr", "cnn". Own models go before shipped ones of the same key.

    Returns
    -------
    Predictor

    Raises
    ------
    ArtifactError
        If there is none, or its files are not those of the manifest.

    Examples
    --------
    >>> from ser_core import audio
    >>> from ser_core.corpus import synthetic
    >>> samples = synthetic.speak("angry", actor=1)
    >>> predictor = load_predictor("v4")
    >>> prediction = predictor.predict(audio.Waveform(samples, 22050, 22050, 1, "WAV"))
    >>> len(prediction.probabilities)
    16
    >>> prediction.emotion in prediction.emotions
    True
    """
    return Predictor.load(model_store.find(key, Settings.from_environment().stores))
