"""Splits into training and test clips, from the study's random split to speaker-independent folds."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from ser_core.corpus import official_clips
from ser_core.corpus.clips import speakers_of
from ser_core.errors import ProtocolError
from ser_core.evaluation.emobox_emodb import FOLDS as EMODB_FOLDS

ORIGINAL_SEED = 9
ORIGINAL_TEST_SHARE = 0.2
CV_FOLDS = 5
MIN_CLASS_CLIPS = 7  # leaves at least five in every fold, which calibrating probabilities needs
FOR_ANY = "protocols for any corpus are loso (leave one speaker out), actors-K and split-COLUMN"

# The actors of each fold of published protocols: EmoBox (Ma et al. 2024), Luna-Jimenez et al. (2021, 2022).
PUBLISHED = {
    "emobox": (
        (1, 11, 20, 21),
        (4, 10, 12, 14),
        (8, 9, 19, 23),
        (3, 5, 7, 24),
        (2, 15, 16, 18),
        (6, 13, 17, 22),
    ),
    "luna-jimenez": (
        (2, 5, 14, 15, 16),
        (3, 6, 7, 13, 18),
        (10, 11, 12, 19, 20),
        (8, 17, 21, 23, 24),
        (1, 4, 9, 22),
    ),
}
MAX_ACTOR_FOLDS = 24
NEUTRAL = "neutral"
CALIBRATED = r"(.+)\+(neutral-[1-9]\d?|random-[1-9]\d?|all)"  # names of protocols with clips known beforehand
SPLIT = r"split-(\w+?)(\+shared)?"  # names of protocols whose parts or folds are in a column
ON_CORPUS = r"corpus-(.+)-([0-9a-f]{8})"  # names of protocols that test on another corpus: its name, its clips' digest


@dataclass(frozen=True)
class Known:
    """What a model hears of a held-out speaker before it answers, without being trained on it.

    Parameters
    ----------
    tested : np.ndarray [shape=(n,), dtype=int]
        Rows of this speaker to predict.
    clips : np.ndarray [shape=(k,), dtype=int]
        Rows of this speaker that are heard before; none of them is tested, unless all are heard before.
    emotion : str, optional
        Of these clips, if the model is told it.
    """

    tested: np.ndarray
    clips: np.ndarray
    emotion: str | None = None


@dataclass(frozen=True)
class Fold:
    """Rows of an index to train on, and rows to predict.

    Parameters
    ----------
    number : int
        From 1; 0 for a single test part.
    part : {"cv", "test"}
        The part of the held-out rows: `cv` for a fold inside the training part, `test` for test clips.
    train, held_out : np.ndarray [shape=(n,), dtype=int]
        Row numbers.
    known : tuple of Known
        One for each held-out speaker, if the protocol lets the model hear some of their clips before.
    """

    number: int
    part: str
    train: np.ndarray
    held_out: np.ndarray
    known: tuple[Known, ...] = ()


@dataclass(frozen=True)
class Protocol:
    """A named way to divide a corpus into training and test clips.

    Parameters
    ----------
    name, title : str
    divide : callable
        Takes an index and returns a list of `Fold`.
    apart : str, optional
        The column of which training and test clips share no value, e.g. "speaker".
    note : str
        How it differs from another protocol with the same folds.
    usual_kind : {"class", "emotion"}
        What its publications predict: 16 classes of emotion and gender, or eight emotions.

    Examples
    --------
    Two folds of speakers, who are never in both training and test:

    >>> index = pd.DataFrame({"speaker": ["01", "01", "02", "02"], "gender": ["male", "male", "female", "female"]})
    >>> protocol = get("actors-2")
    >>> protocol.holds_actors_out
    True
    >>> for fold in protocol.folds(index):
    ...     print(sorted(set(index["speaker"].iloc[fold.held_out])), fold.train)
    ['02'] [0 1]
    ['01'] [2 3]
    """

    name: str
    title: str
    divide: Callable[[pd.DataFrame], list[Fold]]
    apart: str | None = None
    note: str = ""
    usual_kind: str = "class"

    @property
    def holds_actors_out(self) -> bool:
        """Whether the protocol is speaker-independent: no speaker is in training and test."""
        return self.apart == "speaker"

    @property
    def interval_over(self) -> str:
        """What to resample for intervals of its scores, `clips` or `speakers`: see `evaluation.accuracy_interval`."""
        return "speakers" if self.holds_actors_out else "clips"

    def folds(self, index: pd.DataFrame) -> list[Fold]:
        """Divide an index or a feature table into folds, and check that training and test clips are disjoint.

        Parameters
        ----------
        index : pd.DataFrame
            One row per clip, in the order of an index.

        Returns
        -------
        list of Fold

        Raises
        ------
        ProtocolError
            If the index lacks a column, or has too few clips, speakers or classes.
        """
        folds = self.divide(index)
        _assert_apart(index, folds, self.apart)
        return folds


def _assert_apart(index: pd.DataFrame, folds: list[Fold], apart: str | None) -> None:
    columns = {"row": np.arange(len(index))}
    for column in filter(None, ("stem" if "stem" in index else None, apart)):
        columns[column] = speakers_of(index) if column == "speaker" else index[column].to_numpy()
    for column, values in columns.items():
        codes, names = pd.factorize(values)
        for fold in folds:
            is_trained = np.zeros(len(names), dtype=bool)
            is_trained[codes[fold.train]] = True
            both = codes[fold.held_out][is_trained[codes[fold.held_out]]]
            if len(both):  # a bug of this module, not bad input
                raise AssertionError(f"Fold {fold.number}: {column} {names[both].min()} is on both sides")


def get(name: str) -> Protocol:
    """The protocol with this name.

    Parameters
    ----------
    name : str
        A key of `PROTOCOLS`; `actors-K` or `actors-K-SEED` for K folds of speakers; `split-COLUMN` for the parts or
        folds that a column names, with `+shared` if they share speakers; a name of `on_corpus`; or one of
        `calibrated`.

    Returns
    -------
    Protocol

    Raises
    ------
    ProtocolError
        If there is none.

    Examples
    --------
    >>> get("emobox").title
    "EmoBox's six folds of actors, speech alone"
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    if found := re.fullmatch(CALIBRATED, name):
        return _calibrated(get(found[1]), found[2].replace("-", ":"))
    if found := re.fullmatch(r"actors-(\d{1,3})(?:-(\d{1,9}))?", name):
        return _actor_folds(name, int(found[1]), int(found[2] or ORIGINAL_SEED))
    if found := re.fullmatch(SPLIT, name):
        return _split(name, found[1], shares_speakers=bool(found[2]))
    if found := re.fullmatch(ON_CORPUS, name):
        title = f"Trained on all clips, tested on another corpus: {found[1]} ({found[2]})"
        return Protocol(name, title, partial(_refuse_folds, name), "speaker", usual_kind="emotion")
    raise ProtocolError(
        f"There is no protocol {name!r}; there is {', '.join(PROTOCOLS)}, actors-K or actors-K-SEED for K folds of "
        "speakers, and split-COLUMN for the parts or folds that a column names"
    )


def calibrated(name: str, calibration: str) -> str:
    """The name of the protocol that gives the model some clips of each held-out speaker beforehand.

    Parameters
    ----------
    name : str
        Of a protocol that holds speakers out.
    calibration : str
        `neutral:K` for K neutral clips, which the model is told are neutral, the first by name; `random:K` for K clips
        of unknown emotion, drawn for each speaker; `all` for all clips of the speaker, of unknown emotion. The clips
        are not tested on, but for `all`.

    Returns
    -------
    str

    Raises
    ------
    ProtocolError
        If the calibration is none of these, or the protocol holds no speakers out.

    Examples
    --------
    >>> calibrated("emobox", "neutral:2")
    'emobox+neutral-2'
    """
    if not re.fullmatch(r"(neutral|random):[1-9]\d?|all", calibration):
        raise ProtocolError(f"There is no calibration {calibration!r}: give neutral:K, random:K (1 to 99), or all")
    return get(f"{name}+{calibration.replace(':', '-')}").name


def calibration_of(name: str) -> str:
    """What the model hears of each held-out speaker beforehand, as in `calibrated`.

    Parameters
    ----------
    name : str
        Of a protocol.

    Returns
    -------
    str
        Empty if that is nothing.
    """
    found = re.fullmatch(CALIBRATED, name)
    return found[2].replace("-", ":") if found else ""


def uncalibrated(name: str) -> str:
    """The name of a protocol without what the model hears of each speaker beforehand.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Examples
    --------
    >>> uncalibrated("emobox+neutral-2"), uncalibrated("emobox+song")
    ('emobox', 'emobox+song')
    """
    found = re.fullmatch(CALIBRATED, name)
    return found[1] if found else name


def with_known(fold: Fold, index: pd.DataFrame, calibration: str) -> Fold:
    """Let a model hear some clips of each held-out speaker before it is tested on the others.

    Parameters
    ----------
    fold : Fold
    index : pd.DataFrame
        One row per clip, in the order of an index.
    calibration : str
        As in `calibrated`.

    Returns
    -------
    Fold

    Raises
    ------
    ProtocolError
        If a speaker has too few clips.
    """
    kind, _, number = calibration.partition(":")
    rows = fold.held_out
    everybody = speakers_of(index)
    emotions, of_rows = index["emotion"].to_numpy()[rows], everybody[rows]
    found = []
    for place, speaker in enumerate(np.unique(everybody)):
        theirs = rows[of_rows == speaker]
        if not len(theirs):
            continue
        if kind == "all":
            found.append(Known(theirs, theirs))
            continue
        able = rows[(of_rows == speaker) & (emotions == NEUTRAL)] if kind == NEUTRAL else theirs
        if len(able) < int(number) or len(theirs) <= int(number):
            what = f"{NEUTRAL} clips" if kind == NEUTRAL else "clips"
            who = index["speaker"].iloc[theirs[0]]
            raise ProtocolError(f"{calibration} needs {number} {what} of each speaker, and {who} has {len(able)}")
        order = able if kind == NEUTRAL else np.random.default_rng([ORIGINAL_SEED, place]).permutation(able)
        known = np.sort(order[: int(number)])
        found.append(Known(np.setdiff1d(theirs, known), known, NEUTRAL if kind == NEUTRAL else None))
    tested = np.sort(np.concatenate([one.tested for one in found]))
    return replace(fold, held_out=tested, known=tuple(found))


def _calibrated(protocol: Protocol, calibration: str) -> Protocol:
    if not protocol.holds_actors_out:
        raise ProtocolError(f"{protocol.name} holds no speakers out, so none is to be known beforehand: take emobox")
    kind, _, number = calibration.partition(":")

    def divide(index: pd.DataFrame) -> list[Fold]:
        return [with_known(fold, index, calibration) for fold in protocol.folds(index)]

    words = {NEUTRAL: f"{number} neutral clips", "random": f"{number} clips", "all": "all clips"}
    return replace(
        protocol,
        name=f"{protocol.name}+{calibration.replace(':', '-')}",
        title=f"{protocol.title}; {words[kind]} of each held-out speaker known beforehand",
        divide=divide,
        note=f"{words[kind]} of each speaker known beforehand",
    )


def on_corpus(name: str, digest: str) -> str:
    """The name of the protocol that trains on all clips of a table and tests on those of another corpus.

    Such a protocol holds speakers out. It has no folds, since no table contains both corpora.

    Parameters
    ----------
    name : str
        Of the other corpus.
    digest : str
        Of its clips, hexadecimal: tests on other clips of the same corpus have other names.

    Returns
    -------
    str

    Examples
    --------
    >>> on_corpus("emodb", "a1b2c3d4e5f6")
    'corpus-emodb-a1b2c3d4'
    """
    plain_name = re.sub(r"[^\w.+]+", "-", name)  # part of the names of folders
    return f"corpus-{plain_name}-{digest[:8]}"


def corpus_of(name: str) -> str | None:
    """The other corpus of a protocol of `on_corpus`.

    Parameters
    ----------
    name : str

    Returns
    -------
    str or None
        None for any other protocol.
    """
    found = re.fullmatch(ON_CORPUS, name)
    return found[1] if found else None


def _refuse_folds(name: str, index: pd.DataFrame) -> list[Fold]:
    raise ProtocolError(f"{name} tests on clips of another corpus. Name its manifest or folder with --test-on instead")


def _actor_folds(name: str, number: int, seed: int) -> Protocol:
    if not 2 <= number <= MAX_ACTOR_FOLDS:
        raise ProtocolError(f"{name!r}: {number} folds of speakers are out of bounds: 2 to {MAX_ACTOR_FOLDS}")

    def divide(index: pd.DataFrame) -> list[Fold]:
        groups = speakers_of(index)
        if (there := len(set(groups))) < number:
            raise ProtocolError(f"{name!r} needs {number} speakers, and there are {there}")
        return _numbered("test", by_speaker(index["gender"], groups, number, seed))

    return Protocol(name, f"{number} folds of speakers, drawn with seed {seed}: all clips", divide, "speaker")


def _one_speaker_out(index: pd.DataFrame) -> list[Fold]:
    groups = speakers_of(index)
    if (there := len(set(groups))) < 2:
        raise ProtocolError(f"loso needs clips of two speakers at least, and there is {there}")
    return _numbered("test", _model_selection().LeaveOneGroupOut().split(groups, groups=groups))


def _split(name: str, column: str, *, shares_speakers: bool) -> Protocol:
    how = "speakers may be on both sides" if shares_speakers else "speakers apart"
    return Protocol(
        name,
        f"The parts or folds in the column {column}, {how}",
        partial(_given_folds, name, column, shares_speakers),
        None if shares_speakers else "speaker",
        usual_kind="emotion",
    )


def _given_folds(name: str, column: str, shares_speakers: bool, index: pd.DataFrame) -> list[Fold]:
    """The parts `train` and `test` of a column, other parts left out; or a fold for each value of any other column.

    Clips whose cell is empty are in no fold.
    """
    values = np.char.lower(_column(index, column, name).astype(str))
    rows = np.flatnonzero(values != "")
    found = set(values[rows])
    if {"train", "test"} <= found:
        folds = [Fold(0, "test", np.flatnonzero(values == "train"), np.flatnonzero(values == "test"))]
    elif "test" in found or len(found) < 2:
        raise ProtocolError(
            f"{name} needs the parts train and test, or two folds or more, and the column {column!r} has "
            f"{', '.join(sorted(found))}"
        )
    else:
        split = _model_selection().LeaveOneGroupOut().split(rows, groups=values[rows])
        folds = _numbered("test", ((rows[train], rows[held_out]) for train, held_out in split))
    groups = speakers_of(index)
    for fold in () if shares_speakers else folds:
        if both := set(groups[fold.train]) & set(groups[fold.held_out]):
            raise ProtocolError(
                f"{name} trains and tests on clips of speakers such as {min(both)}. Correct the column {column!r}; or, "
                f"if that is meant, name the protocol {name}+shared"
            )
    return folds


def _model_selection():
    """scikit-learn's splitters. They take a second to import, and most who import this module only name protocols."""
    from sklearn import model_selection

    return model_selection


def _numbered(part: str, folds: Iterable[tuple[np.ndarray, np.ndarray]]) -> list[Fold]:
    return [Fold(number, part, train, held_out) for number, (train, held_out) in enumerate(folds, start=1)]


def _original_folds(index: pd.DataFrame) -> list[Fold]:
    """The study's random split, 80% training and 20% test, and the folds of `cross_val_score(cv=5)` in the first."""
    train, test = _original_split(index)
    return [*_cv_folds(index, train, CV_FOLDS), Fold(0, "test", train, test)]


def _original_split(index: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    labels = index["label"].to_numpy(dtype=object)
    if len(index) < 2 * CV_FOLDS:
        raise ProtocolError(f"The study's split needs more than {len(index)} clips: at least {2 * CV_FOLDS}")
    train, test = _model_selection().train_test_split(
        np.arange(len(index)), test_size=ORIGINAL_TEST_SHARE, random_state=ORIGINAL_SEED
    )
    _check_classes(labels[train], "The study's split")
    unseen = sorted(set(labels[test]) - set(labels[train]))
    if unseen:
        raise ProtocolError(f"All clips of {', '.join(unseen)} fell into the test part. Add clips, or leave them out")
    return train, test


def _cv_folds(index: pd.DataFrame, train: np.ndarray, number: int) -> list[Fold]:
    folds = _model_selection().StratifiedKFold(number).split(train, index["label"].to_numpy(dtype=object)[train])
    return _numbered("cv", ((train[fit], train[held_out]) for fit, held_out in folds))


def tuning_folds(index: pd.DataFrame, cv: str = "study", number: int = CV_FOLDS) -> list[Fold]:
    """The folds for tuning, all within the training part of the study's split.

    Parameters
    ----------
    index : pd.DataFrame
        One row per clip, with `label`, `speaker` and `gender`.
    cv : {"study", "actors"}
        `study`: random folds that share actors, as the authors used; five of them are those of `cv_accuracy`.
        `actors`: the actors of each fold are held out.
    number : int
        Number of folds, 3 to 5.

    Returns
    -------
    list of Fold

    Raises
    ------
    ProtocolError
        If `cv` is unknown, the number is out of bounds, or there are too few clips or actors.
    """
    if not 3 <= number <= CV_FOLDS:
        raise ProtocolError(f"Tuning takes 3 to {CV_FOLDS} folds, not {number}")
    train, _ = _original_split(index)
    if cv == "study":
        return _cv_folds(index, train, number)
    if cv != "actors":
        raise ProtocolError(f"There are no folds {cv!r}; there is study (actors on both sides) and actors (held out)")
    rows = index.iloc[train]
    if rows["speaker"].nunique() < number:
        raise ProtocolError(f"{number} folds of speakers need {number}, and there are {rows['speaker'].nunique()}")
    folds = by_speaker(rows["gender"], rows["speaker"], number)
    return _numbered("cv", ((train[fit], train[held_out]) for fit, held_out in folds))


def by_speaker(genders, speakers, number: int, seed: int = ORIGINAL_SEED) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Speaker-independent folds, balanced by gender.

    Parameters
    ----------
    genders, speakers : sequence of str
        Of each clip.
    number : int
        Number of folds.
    seed : int

    Yields
    ------
    train, held_out : np.ndarray [shape=(n,), dtype=int]
        Row numbers.
    """
    splitter = _model_selection().StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    return splitter.split(genders, genders, groups=speakers)


@lru_cache(maxsize=1)
def original_parts() -> dict[str, str]:
    """The part of each of RAVDESS' 2,452 clips in the study's split: which clips the shipped models were trained on.

    Returns
    -------
    dict of str to str
        Stem -> "train" or "test".
    """
    stems = [clip.stem for clip in official_clips()]
    _, test = _model_selection().train_test_split(stems, test_size=ORIGINAL_TEST_SHARE, random_state=ORIGINAL_SEED)
    return dict.fromkeys(stems, "train") | dict.fromkeys(test, "test")


def _original_speech(index: pd.DataFrame) -> list[Fold]:
    """The study's split without song: its test clips are the speech among the study's test clips."""
    speech = _column(index, "channel", "study-speech") == "speech"
    train, test = (rows[speech[rows]] for rows in _original_split(index))
    _check_classes(index["label"].to_numpy(dtype=object)[train], "study-speech")
    return [*_cv_folds(index, train, CV_FOLDS), Fold(0, "test", train, test)]


def _check_classes(labels: np.ndarray, name: str) -> None:
    counts = pd.Series(labels).value_counts()
    if len(counts) == 0 or counts.min() < MIN_CLASS_CLIPS:
        reason = f"but {counts.idxmin()} has {counts.min()}" if len(counts) else "and there is none"
        raise ProtocolError(
            f"{name} needs at least {MIN_CLASS_CLIPS} training clips of every class that is there, {reason}. Add clips "
            f"of it, or leave the class out; {FOR_ANY}"
        )


def _column(index: pd.DataFrame, column: str, protocol: str) -> np.ndarray:
    """A column that only some corpora have."""
    if column not in index:
        raise ProtocolError(f"{protocol} needs each clip's {column}, and this table has no such column: {FOR_ANY}")
    return index[column].to_numpy()


def _each_value(column: str, index: pd.DataFrame) -> list[Fold]:
    """One fold for each value of a property: its clips are predicted by a model trained on all others."""
    values = _column(index, column, column)
    found = np.unique(values)
    if len(found) < 2:
        raise ProtocolError(f"{column} needs clips of two values at least, and there is {len(found)}")
    return _numbered("test", _model_selection().LeaveOneGroupOut().split(values, groups=values))


def _published(name: str, with_song: bool, index: pd.DataFrame) -> list[Fold]:
    """Published folds: tested on the speech of some actors, trained on the speech (and song) of the others."""
    folds = []
    speech = _column(index, "channel", name) == "speech"
    for actors in PUBLISHED[name]:
        theirs = index["speaker"].isin([f"{actor:02d}" for actor in actors]).to_numpy()
        train, held_out = np.flatnonzero((speech | with_song) & ~theirs), np.flatnonzero(speech & theirs)
        if not len(train) or not len(held_out):
            listed = ", ".join(map(str, actors))
            raise ProtocolError(
                f"{name} tests on the speech of actors {listed} and trains on others: clips are missing"
            )
        folds.append((train, held_out))
    return _numbered("test", folds)


def _emobox_emodb(index: pd.DataFrame) -> list[Fold]:
    """Folds of single clips, which only the whole corpus has."""
    fold_of = {name: number for number, names in enumerate(EMODB_FOLDS, start=1) for name in names.split()}
    names = _column(index, "stem", "emobox-emodb")
    if missing := sorted(fold_of.keys() - set(names)):
        raise ProtocolError(
            f"emobox-emodb needs all {len(fold_of)} clips of EMO-DB: {len(missing)} are missing, such as {missing[0]}"
        )
    if others := sorted(set(names) - fold_of.keys()):
        raise ProtocolError(f"emobox-emodb is of the clips of EMO-DB alone, and {others[0]} is none of them")
    folds = np.array([fold_of[name] for name in names])
    return _numbered("test", _model_selection().LeaveOneGroupOut().split(folds, groups=folds))


def _with_and_without_song(name: str, title: str) -> tuple[Protocol, Protocol]:
    return (
        Protocol(name, f"{title}, speech alone", partial(_published, name, False), "speaker", usual_kind="emotion"),
        Protocol(
            f"{name}+song",
            f"{title}, tested on speech",
            partial(_published, name, True),
            "speaker",
            "trained on the other actors' song, too",
            "emotion",
        ),
    )


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("study", "The study's split: random 80/20, actors on both sides", _original_folds),
        Protocol("study-speech", "The study's split without its song", _original_speech),
        Protocol("repetition", "One of two repetitions held out", partial(_each_value, "repetition"), "repetition"),
        Protocol("statement", "One of two sentences held out", partial(_each_value, "statement"), "statement"),
        Protocol("loso", "Leave one speaker out", _one_speaker_out, "speaker", usual_kind="emotion"),
        *_with_and_without_song("emobox", "EmoBox's six folds of actors"),
        *_with_and_without_song("luna-jimenez", "Luna-Jimenez' five folds of actors"),
        Protocol(
            "emobox-emodb", "EmoBox's five folds of EMO-DB, speakers on both sides", _emobox_emodb, usual_kind="emotion"
        ),
    )
}
