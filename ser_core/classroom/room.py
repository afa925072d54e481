"""A class: who is in it, and how far it is."""

from dataclasses import dataclass, field

WAITING, OPEN, FROZEN, REVEALED = "waiting", "open", "frozen", "revealed"  # stages


@dataclass(frozen=True)
class Teacher:
    """Who has entered a class with its password.

    Parameters
    ----------
    code : str
        Of the class.
    key : bytes
        What the password gives. The database holds its SHA-256, from which it cannot be had.
    """

    code: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Pupil:
    """Who has joined a class.

    Parameters
    ----------
    code : str
        Of the class.
    number : int
        In the class, from 1.
    nickname : str
    token : str
        At random; with it a pupil comes back.
    """

    code: str
    number: int
    nickname: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Round:
    """A round of clips that a class has heard or hears.

    Parameters
    ----------
    number : int
        In the class, from 1.
    address : str
        What the round is drawn from again.
    choices : tuple of str
        The possible answers.
    clips : int
        How many it has.
    revealed : int
        Of so many, from the first, the truth has been shown.
    """

    number: int
    address: str
    choices: tuple[str, ...]
    clips: int
    revealed: int


@dataclass(frozen=True)
class Classroom:
    """How far a class is. Everybody in it may know this.

    Parameters
    ----------
    code : str
    opened, ends : float, seconds since 1970
        When it was opened, and when its code ends or ended.
    is_over : bool
        Whether the code has ended.
    stage : {"waiting", "open", "frozen", "revealed"}
        Whether answers are taken ("open"), or why not.
    rounds : tuple of Round
        The last one is the current one.
    clip : int
        The one that the class hears together, from 1; 0 if all take their own time.
    """

    code: str
    opened: float
    ends: float
    is_over: bool
    stage: str
    rounds: tuple[Round, ...]
    clip: int

    @property
    def round(self) -> Round | None:
        """The current round, if one has begun."""
        return self.rounds[-1] if self.rounds else None

    @property
    def takes_answers(self) -> bool:
        """Whether answers are taken now."""
        return self.stage == OPEN and not self.is_over

    @property
    def is_at_last_clip(self) -> bool:
        """Whether no clip of the current round is left to begin."""
        return self.round is None or self.clip in (0, self.round.clips)


@dataclass(frozen=True)
class Seat:
    """A pupil as the teacher sees them.

    Parameters
    ----------
    number : int
    nickname : str
    is_ready : bool
    answered : int
        Clips of the current round.
    has_answered : bool
        Whether the clip that the class hears together, or all clips of the round, are answered.
    """

    number: int
    nickname: str
    is_ready: bool
    answered: int
    has_answered: bool
