"""What was recorded or uploaded in a session: in memory until it is removed or the session ends, never on disk."""

import gc
import hashlib
import threading
import unicodedata
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import count
from typing import Any
from uuid import uuid4

import streamlit as st

from ser_core import audio
from ser_core.errors import AudioError
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.prediction.predictor import Prediction, Predictor
from ser_core.ui import line, visitor
from ser_core.ui.bounds import (
    ALL_BYTES,
    DECODED_BYTES,
    LONG_S,
    MAX_TAKES,
    NETWORK_BYTES,
    SESSION_BYTES,
    refusal,
)

MAX_NAME = 80  # characters
MAX_ANSWERS = 8  # of a take, by different models; the oldest go


@dataclass(eq=False)
class Take:
    """One recording and what models hear in it.

    Parameters
    ----------
    name : str
        As it is shown, e.g. "Take 1" or a file's name.
    content : bytes
        Of its file, as it was recorded or uploaded.
    answers : dict of str to Prediction
        By the digest of the predictor.
    arrival : int
        The number of the arrival that it came with.
    problem : str
        Why it cannot be heard, if it was tried and failed.
    is_neutral : bool
        Whether the person says that it is spoken as usual: it tells a model how the person usually speaks.
    key : str
        Its own, for widgets: two takes may have the same name and content.
    """

    name: str
    content: bytes
    answers: dict[str, Prediction] = field(default_factory=dict)
    arrival: int = 0
    problem: str = ""
    is_neutral: bool = False
    key: str = field(default_factory=lambda: uuid4().hex)
    _decoded: audio.Waveform | None = field(default=None, repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def waveform(self) -> audio.Waveform:
        """The sound at the features' rate; those of all sessions that were asked for last are kept decoded.

        Raises
        ------
        AudioError
            If it cannot be decoded within the limits, or is silent.
        """
        found = self._decoded
        if found is None:
            with line.of_server().turn():
                found = audio.load(self.content, rate=SAMPLE_RATE)
        _keep_decoded(self, found)
        return found

    def heard(
        self,
        predictor: Predictor,
        *,
        waiting: Callable[[int], None] = lambda place: None,
        **progress: Callable[[Any, Any], None],
    ) -> Prediction:
        """What a model hears in it; asked once, when it is its turn. A long one makes way for others on the way.

        Parameters
        ----------
        predictor : Predictor
        waiting : callable
            Called while others are served, with the place in the line.
        progress : callable
            `progress` and `searching`, as `Predictor.predict` takes them.

        Returns
        -------
        Prediction

        Raises
        ------
        AudioError
            If it cannot be decoded within the limits, or is silent.
        """
        model = predictor.digest
        if model not in self.answers:
            with line.of_server().turn(waiting):
                if self.waveform.duration_s <= LONG_S:
                    self.answers[model] = predictor.predict(self.waveform)
            if model not in self.answers:
                with line.of_long_work().turn(waiting), line.of_server().turn(waiting):
                    self.answers[model] = predictor.predict(self.waveform, **_making_way(progress, waiting))
            while len(self.answers) > MAX_ANSWERS:
                del self.answers[next(iter(self.answers))]
        return self.answers[model]


def _making_way(progress: dict[str, Callable], waiting: Callable[[int], None]) -> dict[str, Callable]:
    """The progress of a long recording, between whose steps others are served."""

    def step(tell: Callable[[Any, Any], None], done: Any, total: Any) -> None:
        line.of_server().make_way(waiting)
        tell(done, total)

    return {name: partial(step, tell) for name, tell in progress.items()}


def _keep_decoded(take: Take, sound: audio.Waveform) -> None:
    """Keep the sound of the take that was asked for last; those that were not asked for longest are let go."""
    with _lock:
        take._decoded = sound
        kept = [one for reference in _kept_decoded if (one := reference()) and one is not take] + [take]
        while len(kept) > 1 and sum(one._decoded.samples.nbytes for one in kept if one._decoded) > DECODED_BYTES:
            kept.pop(0)._decoded = None
        _kept_decoded[:] = map(weakref.ref, kept)


@dataclass(frozen=True)
class Known:
    """What a model was told of the person of a session.

    Parameters
    ----------
    what : tuple
        The model, and the takes that tell how the person usually speaks.
    predictor : Predictor
        The model that has heard them.
    speaker : str
        As in the command line's JSON, e.g. "neutral:2".
    problem : str
        Why the person is left out of account, if so.
    """

    what: tuple
    predictor: Predictor
    speaker: str
    problem: str = ""


class Takes:
    """The takes of one session, oldest first. The oldest go when there are too many, or too many bytes.

    Parameters
    ----------
    network : str
        Where the session is, as `visitor.network` says it.

    Attributes
    ----------
    waiting : list of Take
        Those that came in and have not been heard yet.
    arrivals : int
        How many times something came in.
    refused : list of (str, str)
        Of what came in last: names of what cannot be heard, and why.
    gone : list of str
        Names of the takes that had to go since.
    chosen : Take or None
        The one to look at closely.
    other : Take or None
        The one to compare it with.
    example : Take or None
        What was heard last that is none of the person's own. It is not kept in the list.
    is_one_person : bool
        Whether all takes tell how the person usually speaks, whatever their emotions.
    known : Known or None
        What was told of the person last.
    """

    def __init__(self, network: str = "") -> None:
        self.network = network
        self._kept: list[Take] = []
        self._recorded = 0
        self.waiting: list[Take] = []
        self.arrivals = 0
        self.refused: list[tuple[str, str]] = []
        self.gone: list[str] = []
        self.chosen: Take | None = None
        self.other: Take | None = None
        self.example: Take | None = None
        self.is_one_person = False
        self.known: Known | None = None
        with _lock:
            _of_all_sessions.add(self)

    @property
    def all(self) -> tuple[Take, ...]:
        """Those that are kept, oldest first."""
        return tuple(self._kept)

    @property
    def newest_first(self) -> list[Take]:
        """Those that are kept; what came together is in its own order."""
        return sorted(self.all, key=lambda take: -take.arrival)

    @property
    def neutral(self) -> list[Take]:
        """Those that are spoken as usual, as the person says; oldest first."""
        return [take for take in self.all if take.is_neutral]

    @property
    def nbytes(self) -> int:
        """How much memory the files have that are kept or in line."""
        return sum(len(take.content) for take in (*self.all, *self.waiting))

    def receive(self, sounds: Iterable[tuple[str, bytes]], *, is_neutral: bool = False) -> None:
        """Put sounds in line to be heard.

        Parameters
        ----------
        sounds : iterable of (str, bytes)
            Names and contents; what has no name is called "Take 1", "Take 2" and so on, or "Calm take 1".
        is_neutral : bool
            Whether the person says that they are spoken as usual.
        """
        self.arrivals += 1
        self.refused.clear()
        self.gone.clear()
        left = 0
        for name, content in sounds:
            if words := refusal(content):
                self.refused.append((clean(name) or "Your recording", words))
                continue
            if len(self.waiting) == MAX_TAKES or sum(len(take.content) for take in self.waiting) > SESSION_BYTES:
                left += 1
                continue
            self._recorded += not name and not is_neutral
            usual = f"Calm take {len(self.neutral) + 1}" if is_neutral else f"Take {self._recorded}"
            name = clean(name) or usual
            take = Take(self._new_name(name), content, arrival=self.arrivals, is_neutral=is_neutral)
            self.waiting.append(take)
            if not _make_room(self.network):
                self.waiting.remove(take)
                words = "Many people are here, or many pages of yours, and there is no room for it now. Try again soon."
                self.refused.append((take.name, words))
        if left:
            self.refused.append(
                (
                    f"{left} more" if left > 1 else name,
                    f"This page takes {MAX_TAKES} files and {SESSION_BYTES >> 20} MB at once. "
                    "The command line takes any number: python -m ser_core predict FILE...",
                )
            )

    def rename(self, take: Take, name: str) -> None:
        """Give a take another name; one without a sign that can be seen changes nothing.

        Parameters
        ----------
        take : Take
        name : str
        """
        wanted = clean(name)
        if wanted and wanted != take.name:
            take.name = self._new_name(wanted)

    def _new_name(self, wanted: str) -> str:
        """The name, with a number if it is in use."""
        used = {take.name for take in (*self.all, *self.waiting)}
        names = (wanted if number == 1 else f"{wanted} ({number})" for number in count(1))
        return next(name for name in names if name not in used)

    def unheard(self, predictor_of: Callable[[Take], Predictor], shown: Take | None) -> list[Take]:
        """What has not been heard: of the kept takes, of those in line, and the one to be shown.

        Parameters
        ----------
        predictor_of : callable
            The predictor for a take.
        shown : Take or None

        Returns
        -------
        list of Take
        """
        asked = dict.fromkeys([*self.all, *self.waiting, *([shown] if shown else [])])
        return [take for take in asked if not take.problem and predictor_of(take).digest not in take.answers]

    def hear(
        self,
        predictor_of: Callable[[Take], Predictor],
        shown: Take | None = None,
        *,
        waiting: Callable[[int], None] = lambda place: None,
        **progress: Callable[[Any, Any], None],
    ) -> Iterator[tuple[int, int]]:
        """Let models hear what they have not heard, and keep what was in line; its first becomes the chosen one.

        Parameters
        ----------
        predictor_of : callable
            The predictor for a take.
        shown : Take, optional
            The one to be shown, if it is none of these.
        waiting, progress : callable
            As for `Take.heard`.

        Yields
        ------
        done, total : int
            Before each of them.
        """
        unheard, first = self.unheard(predictor_of, shown), None
        for done, take in enumerate(unheard):
            yield done, len(unheard)
            try:
                take.heard(predictor_of(take), waiting=waiting, **progress)
            except AudioError as error:
                take.problem = str(error)
            if take not in self.waiting:
                continue
            self.waiting.remove(take)
            if take.problem:
                self.refused.append((take.name, take.problem))
            else:
                self.add(take)
                self.chosen = first = first or take

    def add(self, take: Take) -> None:
        """Keep a take; the oldest of this session go if it has too much, and of fuller ones if all have.

        Parameters
        ----------
        take : Take
        """
        with _lock:
            self._kept.append(take)
            while len(self._kept) > MAX_TAKES or (self.nbytes > SESSION_BYTES and len(self._kept) > 1):
                self._drop_oldest()
            _make_room(self.network)

    def _drop_oldest(self) -> None:
        self.gone.append(self._kept[0].name)
        self.remove(self._kept[0])

    def remove(self, take: Take) -> None:
        """Forget a take; if it was chosen, the one after it is.

        Parameters
        ----------
        take : Take
        """
        with _lock:
            if take not in self._kept:  # another session may have needed its room
                return
            place = self._kept.index(take)
            self._kept.remove(take)
            if self.other is take:
                self.other = None
            if self.chosen is take:
                self.chosen = self._kept[min(place, len(self._kept) - 1)] if self._kept else None


_lock = threading.RLock()
_kept_decoded: list[weakref.ref[Take]] = []  # whose sounds are kept; the one that was asked for last at the end
# Weak: Streamlit does not say when a session has ended, but lets go of its state.
_of_all_sessions: weakref.WeakSet[Takes] = weakref.WeakSet()


def of_session() -> Takes:
    """The takes of this session, the same on every page.

    Returns
    -------
    Takes
    """
    if "takes" not in st.session_state:
        st.session_state["takes"] = Takes(visitor.network())
    return st.session_state["takes"]


def _make_room(network: str) -> bool:
    """Let the oldest takes go until there is room for all, and for those of a network; whether there is.

    They go from the fullest session of that network if it has too much; if all have, of the fullest network.
    """
    with _lock:
        if not _has_room(_used(), network):
            gc.collect()  # what sessions that have ended still hold
        while not _has_room(used := _used(), network):
            is_its_own = used[network] > NETWORK_BYTES
            full = [takes for takes in _of_all_sessions if takes.all and (takes.network == network or not is_its_own)]
            if not full:
                return False
            max(full, key=lambda takes: (used[takes.network], takes.nbytes))._drop_oldest()
        return True


def _used() -> Counter[str]:
    """The bytes that the takes of each network have."""
    used: Counter[str] = Counter()
    for takes in _of_all_sessions:
        used[takes.network] += takes.nbytes
    return used


def _has_room(used: Counter[str], network: str) -> bool:
    return used[network] <= NETWORK_BYTES and used.total() <= ALL_BYTES


def clean(name: str) -> str:
    """A name without what is not to be seen, such as line ends and signs that turn the direction of writing.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        At most `MAX_NAME` characters.
    """
    seen = "".join(sign if unicodedata.category(sign)[0] != "C" or sign == "\u200d" else " " for sign in name)
    return " ".join(seen.split())[:MAX_NAME].strip()
