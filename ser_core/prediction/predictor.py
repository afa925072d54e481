"""From a recording to a prediction: the probability of each class, emotion and gender, and warnings."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ser_core import audio, interrupts
from ser_core.audio import quality, voice_activity
from ser_core.corpus.labels import (
    EMOTION_NAMES,
    GENDERS,
    LABELS,
    by_emotion,
    by_gender,
    emotion_of,
    gender_of,
    title_of,
)
from ser_core.errors import ArtifactError, AudioError, ModelError
from ser_core.evaluation import verdicts
from ser_core.evaluation.verdicts import NO_VOICE, TURNS, UNTESTED, Limits
from ser_core.features import mean180
from ser_core.features import registry as feature_sets
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.prediction import model_store
from ser_core.prediction import turns as speaking
from ser_core.settings import Settings

VERDICTS = (*verdicts.VERDICTS, NO_VOICE, UNTESTED)
DEFAULT = "v_robust"  # the model that is asked if none is named
BATCH = 16  # turns that are heard at a time, which bounds the memory that it takes


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
    turns : pd.DataFrame, optional
        Of a recording longer than any training clip in which somebody speaks more than once: `start_s`, `end_s` (s),
        `verdict`, `answer`, `emotion`, `gender` and the probabilities of the eight emotions of each turn. Then all
        other probabilities are means over the speaking time, and no single emotion is named.
    has_voice : bool
        Whether anybody speaks or sings. If not, `probabilities` mean nothing, and no emotion is named.
    limits : Limits, optional
        What an answer of the model must pass to be said; None if it was never asked about new speakers.
    distance : float, optional
        How far the recording is from all that the model has learned.
    wants_speaker : bool
        Whether the model was asked about new speakers only once it had heard some clips of each, and has heard none of
        this one.
    """

    probabilities: dict[str, float]
    members: dict[str, dict[str, float]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    turns: pd.DataFrame | None = None
    has_voice: bool = True
    limits: Limits | None = None
    distance: float | None = None
    wants_speaker: bool = False

    @property
    def verdict(self) -> str:
        """Whether an emotion may be named: one of `VERDICTS`, or `TURNS` if each turn has its own verdict."""
        if self.turns is not None:
            return TURNS
        if not self.has_voice:
            return NO_VOICE
        if self.limits is None:
            return UNTESTED
        distances = None if self.distance is None else np.array([self.distance])
        return str(self.limits.verdicts(self._emotions[np.newaxis], distances)[0])

    @property
    def possible(self) -> tuple[str, ...]:
        """The emotions that are possible, the most probable first; empty without a voice, and of several turns.

        Of a model that was never asked about new speakers, the most probable alone.
        """
        if not self.has_voice or self.turns is not None:
            return ()
        if self.limits is None:
            return (self.emotion,)
        passes = self.limits.possible(self._emotions)
        return tuple(EMOTION_NAMES[place] for place in np.argsort(-self._emotions, kind="stable") if passes[place])

    @property
    def answer(self) -> str:
        """What may be said, in a few words: angry, angry or fearful, cannot tell, a guess: angry, no voice.

        Of several turns, how many there are and how much of their time has which answer.
        """
        if self.turns is not None:
            return speaking.headline(self.turns)
        verdict = self.verdict
        if verdict == NO_VOICE:
            return "no voice"
        if verdict == verdicts.UNLIKE:
            return f"a guess: {self.emotion}"
        if verdict == verdicts.UNSURE:
            *first, last = self.possible
            return f"{', '.join(first)} or {last}" if len(first) < verdicts.TOGETHER else "cannot tell"
        return self.emotion

    @property
    def reason(self) -> str:
        """The reason for the verdict, in one sentence."""
        return _reason(self)

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
        return dict(zip(EMOTION_NAMES, self._emotions.tolist(), strict=True))

    @property
    def genders(self) -> dict[str, float]:
        """The probability of each gender, emotions added up."""
        return dict(zip(GENDERS, by_gender(self._vector).tolist(), strict=True))

    @property
    def _vector(self) -> np.ndarray:
        return np.array([self.probabilities[label] for label in LABELS])

    @property
    def _emotions(self) -> np.ndarray:
        return by_emotion(self._vector)

    def as_dict(self) -> dict:
        """The prediction for the command line and the page's JSON download.

        Returns
        -------
        dict
            `verdict`, its `reason` and the `possible` emotions; `label`, `emotion`, `gender`, `probability` (of the
            label), `emotion_probability`, which are None if there is no voice or several turns; `probabilities`,
            `warnings`; the `answer` in words; `turns`, as `turns.records`.
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
            "possible": list(self.possible),
            **(answer if self.has_voice and self.turns is None else dict.fromkeys(answer)),
            "probabilities": self.probabilities,
            "warnings": list(self.warnings),
            "answer": self.answer,
            "turns": speaking.records(self.turns),
        }


def _reason(prediction: Prediction) -> str:
    limits, verdict = prediction.limits, prediction.verdict
    if verdict == NO_VOICE:
        return "No voice was found in this recording, so no emotion is named."
    if verdict == TURNS:
        return "Emotion may change from turn to turn, so each has an answer of its own."
    if prediction.wants_speaker:
        return (
            "The model was asked about new people only once it had heard how each usually speaks. It does not know "
            "this voice, so how often it is right is not known."
        )
    if limits is None:
        return "The model was never asked about people whom it had not heard, so how often it is right is not known."
    if verdict == verdicts.UNLIKE:
        return (
            f"This recording is further from all that the model has learned than {verdicts.NEAR:.0%} of new people's "
            f"are, so its answer, {prediction.emotion}, is a guess."
        )
    if verdict == verdicts.HEARD:
        where = f", in {limits.conditions} recording conditions" if limits.conditions > 1 else ""
        return f"Of such answers for people whom it had never heard{where}, {limits.right:.0%} were right."
    number = len(prediction.possible)
    if number <= verdicts.TOGETHER:
        return f"{number} emotions are possible, and the model cannot tell which of them it is."
    return f"The model cannot tell: {number} of eight emotions are likely enough."


class Listener:
    """A fitted model and the feature set that it was trained on.

    Parameters
    ----------
    model : EmotionClassifier
    entry : ModelEntry

    Attributes
    ----------
    offset : np.ndarray [shape=(d,)] or None
        Of the speaker, taken away from all features; None if nobody in particular speaks.
    """

    def __init__(self, model: EmotionClassifier, entry: model_store.ModelEntry):
        self.model = model
        self.entry = entry
        self.offset: np.ndarray | None = None
        # Without augmentation, which is for training only.
        self.features = feature_sets.get(entry.recipe.features, Settings.from_environment())
        # A backbone's version is known only with its weights.
        if self.features.weights and self.features.version != entry.features:
            raise ArtifactError(
                f"Model {entry.key} was made with {entry.features}, but here is {self.features.version}. "
                f"Bring those weights, or train it: python -m ser_core train {entry.key}"
            )

    def hear(self, clips: list[np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray | None]:
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
        np.ndarray [shape=(clips,)] or None
            How far each clip is from all that was learned, from a model that measures it.
        """
        features = self.features.of(clips)
        if self.offset is not None:
            centred = features - self.offset
            probabilities = _of_emotions_and_genders(
                self.model.predict_proba(centred), self.model.predict_proba(features)
            )
            return probabilities, {}, self.model.distances(centred)
        members = self.model.members_proba(features)
        probabilities = self.model.vote(members) if members else self.model.predict_proba(features)
        return probabilities, members, self.model.distances(features)

    def distances_to_each(self, clips: list[np.ndarray]) -> tuple[np.ndarray, str] | None:
        """How far clips are from each clip that the model has learned from, and the run that names those clips.

        Parameters
        ----------
        clips : list of np.ndarray [shape=(n,), dtype=float32]
            Samples at 22,050 Hz.

        Returns
        -------
        np.ndarray [shape=(clips, training rows)]
            As `EmotionClassifier.distances_to_each`.
        str
            Id of the run.

        None from a model that measures no distances.
        """
        distances = self.model.distances_to_each(self.features.of(clips))
        return None if distances is None else (distances, self.entry.run)

    @property
    def takes_speakers(self) -> bool:
        """Whether `of_speaker` changes anything."""
        return self.model.takes_speakers

    def measure(self, clips: list[np.ndarray]) -> np.ndarray:
        """What `of_speaker` takes of some clips of a speaker."""
        return self.features.of(clips)

    def of_speaker(self, measured: list[np.ndarray], emotion: str | None) -> "Listener":
        """As `Predictor.of_speaker`, from what `measure` gave."""
        result = copy(self)
        result.offset = self.model.speaker_offset(np.concatenate(measured), emotion)
        return result


def _of_emotions_and_genders(centred: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """Emotions as probable as in the first, and genders, which offsets take away, as in the second."""
    emotions, genders = by_emotion(centred), by_gender(plain)
    columns = [
        emotions[:, EMOTION_NAMES.index(emotion_of(label))] * genders[:, GENDERS.index(gender_of(label))]
        for label in LABELS
    ]
    return np.stack(columns, axis=1)


class VoteListener:
    """A weighted mean of several fitted models, each with its own features.

    Parameters
    ----------
    members : dict of str to (float, Listener)
        Key -> weight and model.
    """

    def __init__(self, members: dict[str, tuple[float, Listener]]):
        self.members = members

    def hear(self, clips: list[np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray | None]:
        """As `Listener.hear`; distances are those of the first member that measures them."""
        heard = {key: listener.hear(clips) for key, (_, listener) in self.members.items()}
        members = {key: probabilities for key, (probabilities, _, _) in heard.items()}
        weights = [weight for weight, _ in self.members.values()]
        distances = [measured for _, _, measured in heard.values() if measured is not None]
        mean = np.average(list(members.values()), axis=0, weights=weights)
        return mean, members, distances[0] if distances else None

    def distances_to_each(self, clips: list[np.ndarray]) -> tuple[np.ndarray, str] | None:
        """As `Listener.distances_to_each`, of the first member that measures distances."""
        each = (listener.distances_to_each(clips) for _, listener in self.members.values())
        return next((found for found in each if found is not None), None)

    @property
    def takes_speakers(self) -> bool:
        """Whether `of_speaker` changes anything."""
        return any(listener.takes_speakers for _, listener in self.members.values())

    def measure(self, clips: list[np.ndarray]) -> dict[str, np.ndarray]:
        """As `Listener.measure`, of the members that estimate offsets."""
        return {key: one.measure(clips) for key, (_, one) in self.members.items() if one.takes_speakers}

    def of_speaker(self, measured: list[dict[str, np.ndarray]], emotion: str | None) -> "VoteListener":
        """As `Listener.of_speaker`; members that estimate no offsets stay as they are."""
        known = {key: self.members[key][1].of_speaker([one[key] for one in measured], emotion) for key in measured[0]}
        return VoteListener({key: (weight, known.get(key, one)) for key, (weight, one) in self.members.items()})


class Predictor:
    """A trained model that predicts from recordings. It is never modified, so threads may share it.

    Parameters
    ----------
    listener : Listener or VoteListener
    entry : ModelEntry
        What the model was trained on, and its scores.

    Attributes
    ----------
    digest : str
        SHA-256 of the model, and of what it has heard of a speaker before: equal digests give equal answers.

    knows_speaker : bool
        Whether it has heard recordings of the speaker before.
    """

    def __init__(self, listener: Listener | VoteListener, entry: model_store.ModelEntry):
        self.listener = listener
        self.entry = entry
        self.digest = entry.digest
        self.knows_speaker = False

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

    def of_speaker(self, waveforms: Iterable[audio.Waveform], emotion: str | None = None) -> "Predictor":
        """The same model for recordings of one person, some of whose recordings it hears before.

        Parameters
        ----------
        waveforms : iterable of Waveform
            At 22,050 Hz. Each turn of a long one counts as a recording. They are heard one after the other, and none is
            kept.
        emotion : str, optional
            In which the person speaks there, such as "neutral"; None if that is not known. Without it, the more
            recordings of different emotions, the better.

        Returns
        -------
        Predictor

        Raises
        ------
        ModelError
            If the model takes no recordings of a speaker beforehand, or no emotion of that name was learned.
        AudioError
            If there is no voice in any of them.
        """
        if not self.listener.takes_speakers:
            raise ModelError(f"{self.entry.key} takes no clips of a speaker beforehand: choose v_centred or v_robust")
        measured: list[Any] = []  # as this listener's `measure` gives it
        heard = hashlib.sha256(f"{self.digest} {emotion}".encode())
        for waveform in waveforms:
            if clips := self._pieces(waveform):
                measured.append(self.listener.measure(clips))
                for clip in clips:
                    heard.update(clip.tobytes())
        if not measured:
            raise AudioError("There is no voice in the recordings of the speaker. Give others")
        result = Predictor(self.listener.of_speaker(measured, emotion), self.entry)
        result.knows_speaker = True
        result.digest = heard.hexdigest()
        return result

    def _pieces(self, waveform: audio.Waveform) -> list[np.ndarray]:
        """The turns of a long recording, a short one as it is, nothing without a voice."""
        samples, rate = waveform.samples, waveform.rate
        if waveform.duration_s > self.entry.trained_on.longest_s:
            borders = np.round(voice_activity.turns(samples, rate) * rate).astype(int)
            return [samples[start:end] for start, end in borders]
        return [samples] if voice_activity.has_voice(samples, rate) else []

    def predict_file(
        self, source: str | Path | bytes, *, progress: Callable[[int, int], None] | None = None
    ) -> Prediction:
        """Predict from a file, or from bytes of an untrusted source.

        Parameters
        ----------
        source : str, Path or bytes
            A file, or its content.
        progress : callable, optional
            As for `predict`.

        Returns
        -------
        Prediction

        Raises
        ------
        AudioError
            If it cannot be decoded within the limits, or is silent.
        """
        return self.predict(audio.load(source, rate=mean180.SAMPLE_RATE), progress=progress)

    def predict(
        self,
        waveform: audio.Waveform,
        *,
        progress: Callable[[int, int], None] | None = None,
        searching: Callable[[float, float], None] | None = None,
    ) -> Prediction:
        """Predict from a waveform at 22,050 Hz; one longer than any training clip is heard turn by turn.

        Parameters
        ----------
        waveform : Waveform
        progress : callable, optional
            Called with the number of turns heard and of turns in all, if there are several; may raise to stop.
        searching : callable, optional
            Called before, with the seconds in which turns were looked for and in all, of such a long one; may raise.

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
        if waveform.duration_s > trained_on.longest_s:
            ends_s = voice_activity.turns(waveform.samples, waveform.rate, progress=searching)
            if len(ends_s) > 1:
                return self._by_turns(waveform, ends_s, progress or (lambda done, total: None))
        prediction = replace(
            self._each([waveform.samples])[0],
            warnings=quality.warnings(waveform, shortest_s=trained_on.shortest_s, longest_s=trained_on.longest_s),
            has_voice=voice_activity.has_voice(waveform.samples, waveform.rate),
        )
        if not prediction.has_voice:
            return prediction
        return replace(prediction, warnings=(*_disagreement(prediction), *prediction.warnings))

    @property
    def limits(self) -> Limits | None:
        """What an answer must pass to be said; None if the model was never asked about new speakers as it is now.

        A model that was asked about speakers of whom it had heard something before has limits for such speakers alone.
        """
        unheard = self.entry.unheard
        return unheard.limits if unheard and not self._wants_speaker else None

    @property
    def _wants_speaker(self) -> bool:
        unheard = self.entry.unheard
        return bool(unheard and unheard.known) and not self.knows_speaker

    def _each(self, clips: list[np.ndarray]) -> list[Prediction]:
        """A prediction for each clip, taken for a voice, without warnings."""
        probabilities, members, distances = self.listener.hear(clips)
        return [
            Prediction(
                probabilities=dict(zip(LABELS, probabilities[place].tolist(), strict=True)),
                members={
                    key: dict(zip(EMOTION_NAMES, by_emotion(member[place]).tolist(), strict=True))
                    for key, member in members.items()
                },
                limits=self.limits,
                distance=None if distances is None else float(distances[place]),
                wants_speaker=self._wants_speaker,
            )
            for place in range(len(clips))
        ]

    def _by_turns(
        self, waveform: audio.Waveform, ends_s: np.ndarray, progress: Callable[[int, int], None]
    ) -> Prediction:
        """A prediction for each turn, and the means over the speaking time."""
        heard: list[Prediction] = []
        progress(0, len(ends_s))
        for batch in np.split(ends_s, range(BATCH, len(ends_s), BATCH)):
            interrupts.check()
            borders = np.round(batch * waveform.rate).astype(int)
            heard += self._each([waveform.samples[start:end] for start, end in borders])
            progress(len(heard), len(ends_s))
        rows = [
            (start, end, one.verdict, one.answer, one.emotion, one.gender, *one.emotions.values())
            for (start, end), one in zip(ends_s.tolist(), heard, strict=True)
        ]
        seconds = np.ptp(ends_s, axis=1)
        return Prediction(
            probabilities=_mean([one.probabilities for one in heard], seconds),
            members={key: _mean([one.members[key] for one in heard], seconds) for key in heard[0].members},
            warnings=quality.warnings(waveform, shortest_s=self.entry.trained_on.shortest_s, longest_s=np.inf),
            turns=pd.DataFrame(rows, columns=list(speaking.COLUMNS)),
            limits=self.limits,
        )


def _mean(probabilities: Sequence[dict[str, float]], weights: np.ndarray) -> dict[str, float]:
    mean = np.average([list(one.values()) for one in probabilities], axis=0, weights=weights)
    return dict(zip(probabilities[0], mean.tolist(), strict=True))


def _disagreement(prediction: Prediction) -> tuple[str, ...]:
    """A warning where the most probable class and the most probable emotion disagree."""
    of_label = emotion_of(prediction.label)
    if of_label == prediction.emotion:
        return ()
    return (
        f"Not settled: {title_of(prediction.label)} is the most probable of the 16 classes, but with genders added up "
        f"{prediction.emotion} is more probable than {of_label}.",
    )


def load_predictor(key: str = DEFAULT) -> Predictor:
    """Load a trained model of this installation.

    Parameters
    ----------
    key : str
        A key of the manifest, such as "v_robust", "best", "v4". Own models go before shipped ones of the same key.

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
