"""Rounds of a listening test: clips by speakers that a model has not heard, drawn so that emotions and genders balance.

A round is known by its address, e.g. `7` or `7.song`, from which anyone draws it again. Listeners know its clips by
number alone: a clip's stem contains its emotion.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ser_core import audio, evaluation
from ser_core.audio import conditions
from ser_core.corpus import Corpus, official_clips, ravdess
from ser_core.corpus.clips import sound_files
from ser_core.corpus.labels import emotion_of, ordered
from ser_core.errors import ListeningError
from ser_core.evaluation import protocols
from ser_core.results import runs
from ser_core.results.runs import Run
from ser_core.settings import Settings

CLIPS = 10  # of a round
MOST_CLIPS = 100
MOST_SEED = 999_999
SHIPPED, ALL = "shipped", "all"  # which clips of RAVDESS a round is drawn from
MODEL = "model"  # the listener of a model's answers
# Speakers are held out, and every clip of the channel is tested.
PROTOCOLS = {"speech": "emobox", "song": "actors-6"}
# Model and preset; the first one that has a run for a round answers it.
SCORERS = (("v_robust", "default"), ("robust", "default"), ("krr", "functionals"))
OFFERED = ("telephone", "low-quality-phone", "hall", "white-10")  # recording conditions, on pages


@dataclass(frozen=True, eq=False)
class Round:
    """Some clips to label by ear. Draw one with `draw`, or from its address with `from_address`.

    Parameters
    ----------
    seed : int
    channel : {"speech", "song"}
    heard : str
        Key of the recording condition in which the clips are heard; empty for as recorded.
    corpus : str
    among : {"shipped", "all"}
        Which clips it is drawn from: those that ship, or all of the corpus.
    emotions : tuple of str
        The possible answers.
    run : Run
        The model's run; it has not heard the speakers of the clips.
    stems : tuple of str
        The clips. Keep them from listeners, who know clips by their number.
    count : int
        How many clips were asked for.
    """

    seed: int
    channel: str
    heard: str
    corpus: str
    among: str
    emotions: tuple[str, ...]
    run: Run = field(repr=False)
    stems: tuple[str, ...] = field(repr=False)
    count: int = CLIPS

    @property
    def address(self) -> str:
        """What repeats it, on any machine: see `from_address`."""
        words = [
            str(self.seed),
            "song" if self.channel == "song" else "",
            self.heard,
            f"{self.count}clips" if self.count != CLIPS else "",
            ALL if self.corpus == ravdess.NAME and self.among == ALL else "",
            self.corpus if self.corpus != ravdess.NAME else "",
        ]
        return ".".join(filter(None, words))

    @property
    def clips(self) -> tuple[int, ...]:
        """The numbers of its clips, from 1."""
        return tuple(range(1, len(self.stems) + 1))

    @property
    def truth(self) -> pd.DataFrame:
        """What the clips are: `clip` (number), `stem`, `emotion`, `speaker` and `gender`. Not for listeners."""
        rows = self._predictions
        emotions = rows["truth"].map(emotion_of).to_numpy(dtype=str)
        known = {name: rows[name].to_numpy() for name in ("speaker", "gender")}
        return pd.DataFrame({"clip": self.clips, "stem": self.stems, "emotion": emotions, **known})

    @property
    def model(self) -> pd.DataFrame:
        """The model's answers, as `scores` takes them: `listener`, `clip`, `answer`, `sure`.

        The answer is the most probable of the possible ones, and `sure` its share of their probability.
        """
        answers, sure = _among(self._predictions, self.emotions)
        return pd.DataFrame({"listener": MODEL, "clip": self.clips, "answer": answers, "sure": sure})

    @property
    def _predictions(self) -> pd.DataFrame:
        return self.run.part("test").set_index("clip").loc[list(self.stems)].reset_index()

    def missing(self, recordings: Corpus) -> list[int]:
        """The numbers of its clips that have no sound file.

        Parameters
        ----------
        recordings : Corpus
            What can be heard.

        Returns
        -------
        list of int
        """
        return [number for number, stem in zip(self.clips, self.stems, strict=True) if not recordings.file(stem)]

    def sound(self, clip: int, recordings: Corpus) -> bytes:
        """A clip as listeners hear it: a WAV file whose content and name say nothing of what it is.

        Parameters
        ----------
        clip : int
            Its number, from 1.
        recordings : Corpus
            Where its sound file is.

        Returns
        -------
        bytes

        Raises
        ------
        ListeningError
            If the round has no such clip, or the clip has no sound file that can be read.
        """
        if clip not in self.clips:
            raise ListeningError(f"There is no clip {clip} in this round: it has {len(self.clips)}, from 1")
        file = recordings.file(self.stems[clip - 1])
        if file is None:
            raise ListeningError(f"There is no recording of clip {clip} here. {way_out(self)}")
        return _sound(file, self.heard)


def _sound(file: Path, heard: str) -> bytes:
    sound = audio.load(file)
    if not heard:
        return sound.wav()
    return audio.waveform.wav(conditions.get(heard).apply(sound.samples, sound.rate), sound.rate)


def draw(
    seed: int,
    *,
    channel: str = "speech",
    heard: str = "",
    corpus: str = ravdess.NAME,
    among: str = SHIPPED,
    count: int = CLIPS,
    found: Iterable[Run] | None = None,
    settings: Settings | None = None,
) -> Round:
    """Draw a round. The same arguments give the same clips in the same order on every machine.

    Clips are drawn one after the other: each time one of the emotion, of the emotion's gender, of the gender and of the
    speaker that have the fewest so far. Then they are shuffled. A condition does not change which clips are drawn.

    Parameters
    ----------
    seed : int
        0 to 999,999.
    channel : {"speech", "song"}
    heard : str
        Key of a recording condition; empty for as recorded.
    corpus : str
        `ravdess`, or the name of another corpus that a run was tested on.
    among : {"shipped", "all"}
        Draw from the clips that ship, or from all. Of another corpus always from all.
    count : int
        Number of clips, 1 to 100; fewer where there are not as many.
    found : iterable of Run, optional
        Where the model's answers come from; the runs that ship if it is not given.
    settings : Settings, optional

    Returns
    -------
    Round

    Raises
    ------
    ListeningError
        If an argument has an invalid value, or no model has answered such clips.

    Examples
    --------
    >>> one = draw(7)
    >>> one.address, one.clips
    ('7', (1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
    >>> dict(sorted(one.truth["gender"].value_counts().items()))
    {'female': 5, 'male': 5}
    """
    settings = settings or Settings.from_environment()
    _check(seed, channel, heard, corpus, among, count)
    found = runs.list_all([settings.artifacts]) if found is None else found
    run = scorer(found, channel=channel, heard=heard, corpus=corpus)
    among = among if corpus == ravdess.NAME else ALL
    rows = run.part("test")
    if corpus == ravdess.NAME:
        rows = rows[rows["clip"].isin([clip.stem for clip in official_clips() if clip.channel == channel])]
    emotions = tuple(ordered(rows["truth"].map(emotion_of)))
    if among == SHIPPED:
        rows = rows[rows["clip"].isin([file.stem for file in sound_files(settings.clips)])]
    if rows.empty:
        raise ListeningError(f"None of the clips that ship is {channel}. Draw the round among all clips")
    stems = _balanced(rows, seed, count)
    return Round(seed, channel, heard, corpus, among, emotions, run, stems, count)


def from_address(address: str, *, found: Iterable[Run] | None = None, settings: Settings | None = None) -> Round:
    """Draw a round from its address.

    Parameters
    ----------
    address : str
        The seed, and after points what else was chosen: `7`, `7.song`, `7.telephone`, `7.20clips`, `7.all`, `7.emodb`.
    found : iterable of Run, optional
    settings : Settings, optional
        As `draw` takes them.

    Returns
    -------
    Round

    Raises
    ------
    ListeningError
        If it is not an address of a round, or no model has answered such clips.

    Examples
    --------
    >>> from_address("7.telephone").heard
    'telephone'
    """
    seed, *words = address.strip().split(".")
    if not re.fullmatch(r"[0-9]{1,6}", seed):
        raise ListeningError(f"{address!r} is not a round: it begins with a number up to {MOST_SEED:,}: 7 or 7.song")
    chosen: dict = {}
    for place, word in enumerate(words):
        if word in ("speech", "song"):
            chosen["channel"] = word
        elif word in (SHIPPED, ALL):
            chosen["among"] = word
        elif word in conditions.CONDITIONS:
            chosen["heard"] = word
        elif counted := re.fullmatch(r"([0-9]{1,3})clips", word):
            chosen["count"] = int(counted[1])
        else:  # the name of a corpus may have points itself
            chosen["corpus"] = ".".join(words[place:])
            break
    return draw(int(seed), **chosen, found=found, settings=settings)


def scorer(found: Iterable[Run], *, channel: str = "speech", heard: str = "", corpus: str = ravdess.NAME) -> Run:
    """The run that answers for the model: its test clips are by speakers that it has not heard, in no way.

    Parameters
    ----------
    found : iterable of Run
    channel, heard, corpus : str
        As `draw` takes them.

    Returns
    -------
    Run
        Of RAVDESS one that ships, so that it is the same on every machine.

    Raises
    ------
    ListeningError
        If there is none.
    """
    found = list(found)
    of_corpus = [run for run in found if _is_asked(run, channel, corpus)]
    for model, preset in SCORERS:
        answered = [run for run in of_corpus if runs.matches(run, heard=heard, model=model, preset=preset)]
        if answered:
            return answered[-1]
    if corpus != ravdess.NAME:
        others = sorted({run.tested_on["corpus"] for run in found if run.tested_on})
        known = f" There are answers on {', '.join(others)}." if others and corpus not in others else ""
        how = f" {conditions.in_words(heard)}" if heard else ""
        raise ListeningError(
            f"No model has answered the corpus {corpus!r}{how}.{known} Test one on it: python -m ser_core run v_robust "
            "--test-on FOLDER"
        )
    raise ListeningError(
        f"No model that ships has answered {channel} by unheard actors {conditions.in_words(heard)}. "
        "Take another condition, or none"
    )


def _is_asked(run: Run, channel: str, corpus: str) -> bool:
    if corpus != ravdess.NAME:
        return run.tested_on.get("corpus") == corpus and not protocols.calibration_of(run.protocol)
    return run.shipped and run.protocol == PROTOCOLS[channel]


def offered(found: Iterable[Run], *, channel: str = "speech", corpus: str = ravdess.NAME) -> list[str]:
    """The recording conditions that rounds can be heard in, since a model has answered the clips there.

    Parameters
    ----------
    found : iterable of Run
    channel, corpus : str
        As `draw` takes them.

    Returns
    -------
    list of str
        Keys of `audio.conditions`, of those in `OFFERED`.
    """
    scorers = dict.fromkeys(model for model, _ in SCORERS)
    heard = {run.heard for run in found if run.recipe.model in scorers and _is_asked(run, channel, corpus)}
    return [condition for condition in OFFERED if condition in heard]


def way_out(one: Round) -> str:
    """What to do about clips of a round that cannot be heard here.

    Parameters
    ----------
    one : Round

    Returns
    -------
    str
    """
    if one.corpus != ravdess.NAME:
        return f"Set SER_OTHER_CORPUS to the folder or the manifest of {one.corpus}"
    return "Get the recordings (python -m ser_core download), or draw a round among the clips that ship"


def _check(seed: int, channel: str, heard: str, corpus: str, among: str, count: int) -> None:
    if not 0 <= seed <= MOST_SEED:
        raise ListeningError(f"A round's number is 0 to {MOST_SEED:,}, and not {seed}")
    if channel not in PROTOCOLS:
        raise ListeningError(f"There is no channel {channel!r}: choose speech or song")
    if channel == "song" and corpus != ravdess.NAME:
        raise ListeningError(f"Only RAVDESS has song: choose speech, or leave the corpus {corpus!r} out")
    if among not in (SHIPPED, ALL):
        raise ListeningError(f"Clips are drawn among those that are {SHIPPED} or {ALL}, and not {among!r}")
    if not 1 <= count <= MOST_CLIPS:
        raise ListeningError(f"A round has 1 to {MOST_CLIPS} clips, and not {count}")
    if heard and heard not in conditions.CONDITIONS:
        raise ListeningError(f"There is no recording condition {heard!r}: choose {', '.join(OFFERED)}")
    if heard and conditions.get(heard).needs_voices:
        raise ListeningError(f"{heard} needs other speakers' clips, and a round has none. Choose another condition")


def _balanced(rows: pd.DataFrame, seed: int, count: int) -> tuple[str, ...]:
    """Stems, drawn by a digest of seed and stem: a generator's numbers may change with the library's version."""
    left = sorted(
        zip(rows["clip"], rows["truth"].map(emotion_of), rows["gender"], rows["speaker"], strict=True),
        key=lambda clip: _digest(seed, clip[0]),
    )
    drawn: list[str] = []
    counts: Counter = Counter()
    while left and len(drawn) < count:
        chosen = min(left, key=lambda clip: [counts[group] for group in _groups(*clip[1:])])
        left.remove(chosen)
        counts.update(_groups(*chosen[1:]))
        drawn.append(chosen[0])
    return tuple(sorted(drawn, key=lambda stem: _digest("order", seed, stem)))


def _groups(emotion: str, gender: str, speaker: str) -> list[tuple[str, ...]]:
    """Of what there is to be as few as possible, the first of all."""
    return [("emotion", emotion), ("both", emotion, gender), ("gender", gender), ("speaker", speaker)]


def _digest(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def _among(rows: pd.DataFrame, emotions: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The most probable of some emotions for each clip, and its share of their probability."""
    names = evaluation.values_of(rows, "emotion")
    given = evaluation.emotion_probabilities(rows)[:, [names.index(emotion) for emotion in emotions]]
    given = given / given.sum(axis=1, keepdims=True)
    return np.array(emotions)[given.argmax(axis=1)], given.max(axis=1)
