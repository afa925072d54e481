"""The rules of classes: who may do what in one, and when.

A class is open for a day and kept for thirty. `database` has the schema and the transactions, `room` what a class is.
"""

from __future__ import annotations  # pandas is loaded only where tables are made

import hmac
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ser_core.classroom import typed
from ser_core.classroom.database import FILE, Database, digest, read_table
from ser_core.classroom.guesses import A_CLIENT, ALL_CLIENTS, Allowance, Guesses
from ser_core.classroom.room import FROZEN, OPEN, REVEALED, WAITING, Classroom, Pupil, Round, Seat, Teacher
from ser_core.corpus.labels import EMOTION_NAMES
from ser_core.errors import ClassroomError
from ser_core.evaluation.verdicts import NO_VOICE, UNTESTED, VERDICTS
from ser_core.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

OPEN_S, KEPT_S = 24 * 3600.0, 30 * 24 * 3600.0  # after it was opened
MAX_CLASSES = 300  # of a server
MAX_PUPILS, MAX_ROUNDS = 60, 50  # of a class
MAX_CLIPS, MAX_CHOICES = 100, 32  # of a round
MAX_SHARED = 20  # of a pupil
TEXT_LENGTH = 200  # of a round's address, an emotion, a model's name
SHARED = (*VERDICTS, NO_VOICE, UNTESTED)  # verdicts that can be shared


class Store:
    """The classes of one installation, which change by these rules alone.

    Parameters
    ----------
    file : Path
        The SQLite database; made if it is missing.
    clock : callable
        Seconds since 1970.

    Raises
    ------
    ClassroomError
        If the file cannot be used.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.time):
        self.database, self.clock = Database(file), clock
        self.guesses = Guesses(A_CLIENT, ALL_CLIENTS, clock)
        self.openings = Guesses(Allowance(10, 600.0), Allowance(60, 60.0), clock)  # so that nobody fills the server

    @classmethod
    def of(cls, settings: Settings) -> Store:
        """The classes of this installation, in `classes.sqlite` in its workspace.

        Parameters
        ----------
        settings : Settings

        Returns
        -------
        Store

        Raises
        ------
        ReadOnlyError
            If this installation may hold none.
        """
        settings.require_classes()
        return cls(settings.workspace / FILE)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    # A class, by its teacher

    def open_class(self, password: str, *, client: str = "") -> Teacher:
        """Open a class.

        Parameters
        ----------
        password : str
            Of the teacher's own choice.
        client : str
            Who asks.

        Returns
        -------
        Teacher

        Raises
        ------
        ClassroomError
            If the password is too short or too long, if this client opened too many, or the server has too many.
        """
        self.openings.require_free(client)
        salt = secrets.token_bytes(16)
        key = typed.derived(password, salt)
        self.openings.count(client)
        self.tidy()
        with self.database.transaction() as db:
            (classes,) = db.execute("SELECT COUNT(*) FROM classes").fetchone()
            if classes >= MAX_CLASSES:
                raise ClassroomError(f"This server has {MAX_CLASSES} classes already: delete one that is over")
            codes = iter(typed.new_code, None)
            code = next(
                one for one in codes if not db.execute("SELECT 1 FROM classes WHERE code = ?", (one,)).fetchone()
            )
            db.execute(
                "INSERT INTO classes VALUES (?, ?, ?, ?, NULL, ?, 0)",
                (code, salt, digest(key), self.clock(), WAITING),
            )
        return Teacher(code, key)

    def enter(self, code: str, password: str, *, client: str = "") -> Teacher:
        """Come back to a class as its teacher.

        Parameters
        ----------
        code : str
            As it was typed.
        password : str
        client : str
            Who asks.

        Returns
        -------
        Teacher

        Raises
        ------
        ClassroomError
            If there is no such class, or it has another password: which of the two is not said.
        """
        self.guesses.require_free(client)
        self.tidy()
        code = typed.read_code(code)
        with self.database.transaction(writes=False) as db:
            found = db.execute("SELECT salt, proof FROM classes WHERE code = ?", (code,)).fetchone()
        salt, proof = found or (b"nobody", b"")  # takes as long where there is no such class
        key = typed.derived(password, salt)
        if not hmac.compare_digest(digest(key), proof):
            self.guesses.count(client)
            raise ClassroomError(f"There is no class {code} with this password")
        return Teacher(code, key)

    def start_round(
        self, teacher: Teacher, address: str, choices: Sequence[str], clips: int, *, together: bool = False
    ) -> None:
        """Begin the next round.

        Parameters
        ----------
        teacher : Teacher
        address : str
            What the round is drawn from.
        choices : sequence of str
            The possible answers.
        clips : int > 0
            How many it has.
        together : bool
            Whether the class hears one clip after the other together; if not, all take their own time.

        Raises
        ------
        ClassroomError
            If this is not the teacher, the class is over or has had too many rounds, or the round is too large.
        """
        too_long = [one for one in (address, *choices) if not 0 < len(one) <= TEXT_LENGTH or "\n" in one]
        if too_long or not 0 < clips <= MAX_CLIPS or not 0 < len(choices) <= MAX_CHOICES:
            raise ClassroomError(
                f"A round has 1 to {MAX_CLIPS} clips and 1 to {MAX_CHOICES} possible answers of 1 to {TEXT_LENGTH} "
                f"signs, not {clips} clips and {len(choices)} answers"
            )
        with self._taught(teacher) as (db, room):
            if len(room.rounds) >= MAX_ROUNDS:
                raise ClassroomError(f"A class has at most {MAX_ROUNDS} rounds: open another class")
            number = len(room.rounds) + 1
            db.execute(
                "INSERT INTO rounds VALUES (?, ?, ?, ?, ?, 0)",
                (teacher.code, number, address, "\n".join(choices), clips),
            )
            db.execute("UPDATE classes SET stage = ?, clip = ? WHERE code = ?", (OPEN, int(together), teacher.code))

    def next_clip(self, teacher: Teacher) -> None:
        """Go on to the next clip of a round that the class hears together.

        Parameters
        ----------
        teacher : Teacher

        Raises
        ------
        ClassroomError
            If there is none.
        """
        with self._taught(teacher) as (db, room):
            if room.is_at_last_clip:
                raise ClassroomError("This round has no clip left to begin: start another round")
            db.execute("UPDATE classes SET stage = ?, clip = clip + 1 WHERE code = ?", (OPEN, teacher.code))

    def freeze(self, teacher: Teacher) -> None:
        """Take no answers until `resume`.

        Parameters
        ----------
        teacher : Teacher
        """
        self._change_stage(teacher, OPEN, FROZEN)

    def resume(self, teacher: Teacher) -> None:
        """Take answers again.

        Parameters
        ----------
        teacher : Teacher
        """
        self._change_stage(teacher, FROZEN, OPEN)

    def _change_stage(self, teacher: Teacher, old: str, new: str) -> None:
        with self._taught(teacher) as (db, _):
            db.execute("UPDATE classes SET stage = ? WHERE code = ? AND stage = ?", (new, teacher.code, old))

    def reveal(self, teacher: Teacher) -> None:
        """Show everybody the truth of the current round, or of its clips up to the one that is heard together.

        Answers to them are not taken any more.

        Parameters
        ----------
        teacher : Teacher

        Raises
        ------
        ClassroomError
            If no round has begun.
        """
        with self._taught(teacher) as (db, room):
            if room.round is None:
                raise ClassroomError("No round has begun, so there is nothing to reveal: start one")
            db.execute("UPDATE classes SET stage = ? WHERE code = ?", (REVEALED, teacher.code))
            db.execute(
                "UPDATE rounds SET revealed = MAX(revealed, ?) WHERE class = ? AND round = ?",
                (room.clip or room.round.clips, teacher.code, room.round.number),
            )

    def end(self, teacher: Teacher) -> None:
        """End the code. What was answered stays until it is deleted, or for thirty days.

        Parameters
        ----------
        teacher : Teacher
        """
        with self._taught(teacher, also_over=True) as (db, _):
            db.execute("UPDATE classes SET ended = COALESCE(ended, ?) WHERE code = ?", (self.clock(), teacher.code))

    def remove(self, teacher: Teacher, number: int) -> None:
        """Remove a pupil with all their answers.

        Parameters
        ----------
        teacher : Teacher
        number : int
            Of the pupil.
        """
        with self._taught(teacher, also_over=True) as (db, _):
            db.execute("DELETE FROM pupils WHERE class = ? AND pupil = ?", (teacher.code, number))
        self.database.empty_log()

    def delete(self, teacher: Teacher) -> None:
        """Delete a class with all that it has. Nothing of it stays in the file.

        Parameters
        ----------
        teacher : Teacher
        """
        with self._taught(teacher, also_over=True) as (db, _):
            db.execute("DELETE FROM classes WHERE code = ?", (teacher.code,))
        self.database.empty_log()

    def seats(self, teacher: Teacher) -> list[Seat]:
        """Who is in the class, and how far they are.

        Parameters
        ----------
        teacher : Teacher

        Returns
        -------
        list of Seat
            In the order in which they joined.
        """
        with self._taught(teacher, also_over=True, writes=False) as (db, room):
            rows = db.execute(
                "SELECT pupils.pupil, nickname, ready, COUNT(clip), COALESCE(SUM(clip = ?), 0) FROM pupils "
                "LEFT JOIN answers ON answers.class = pupils.class AND answers.pupil = pupils.pupil AND round = ? "
                "WHERE pupils.class = ? GROUP BY pupils.pupil",
                (room.clip, len(room.rounds), teacher.code),
            ).fetchall()
        clips = room.round.clips if room.round else 0
        return [
            Seat(number, nickname, bool(ready), answered, bool(this) if room.clip else 0 < clips == answered)
            for number, nickname, ready, answered, this in rows
        ]

    def answers(self, teacher: Teacher) -> pd.DataFrame:
        """All answers of a class.

        Parameters
        ----------
        teacher : Teacher

        Returns
        -------
        pd.DataFrame
            One row an answer: `listener` (a pupil's number), `nickname`, `round`, `clip`, `answer`, `sure`, and `time`
            in seconds since 1970.
        """
        with self._taught(teacher, also_over=True, writes=False) as (db, _):
            return read_table(
                db,
                "SELECT pupil AS listener, nickname, round, clip, emotion AS answer, sure, time FROM answers "
                "JOIN pupils USING (class, pupil) WHERE class = ? ORDER BY round, clip, pupil",
                teacher.code,
            )

    def shared(self, teacher: Teacher) -> pd.DataFrame:
        """What a model said of takes of pupils, which they chose to share.

        Parameters
        ----------
        teacher : Teacher

        Returns
        -------
        pd.DataFrame
            One row a take: `nickname`, `verdict`, `emotions` (with commas), `model`, `time`.
        """
        with self._taught(teacher, also_over=True, writes=False) as (db, _):
            return read_table(
                db,
                "SELECT nickname, verdict, emotions, model, time FROM shared JOIN pupils USING (class, pupil) "
                "WHERE class = ? ORDER BY time",
                teacher.code,
            )

    # A pupil

    def join(self, code: str, nickname: str, *, client: str = "") -> Pupil:
        """Join a class.

        Parameters
        ----------
        code, nickname : str
            As they were typed.
        client : str
            Who asks.

        Returns
        -------
        Pupil

        Raises
        ------
        ClassroomError
            If there is no such class open, it is full, or the nickname is taken or cannot be shown.
        """
        self.guesses.require_free(client)
        self.tidy()
        code, nickname = typed.read_code(code), typed.read_nickname(nickname)
        token = secrets.token_urlsafe(16)
        with self.database.transaction() as db:
            room = self._room(db, code)
            if room is None or room.is_over:
                self.guesses.count(client)
                raise ClassroomError(f"No class {code} is open here: read the code again from the teacher's screen")
            pupils, last = db.execute(
                "SELECT COUNT(*), COALESCE(MAX(pupil), 0) FROM pupils WHERE class = ?", (code,)
            ).fetchone()
            if pupils >= MAX_PUPILS:
                raise ClassroomError(f"Class {code} is full: it has {MAX_PUPILS} pupils")
            compared = typed.comparable(nickname)
            if db.execute("SELECT 1 FROM pupils WHERE class = ? AND compared = ?", (code, compared)).fetchone():
                raise ClassroomError(f"Somebody in this class is called {nickname!r} already: choose another nickname")
            db.execute(
                "INSERT INTO pupils VALUES (?, ?, ?, ?, ?, 0)",
                (code, last + 1, nickname, compared, digest(token.encode())),
            )
        return Pupil(code, last + 1, nickname, token)

    def pupil(self, code: str, token: str) -> Pupil | None:
        """The pupil who comes back with a token, e.g. after a restart of the server.

        Parameters
        ----------
        code, token : str

        Returns
        -------
        Pupil or None
            None if the class has no such pupil.
        """
        if not set(code) <= set(typed.CODE_SIGNS):
            return None
        with self.database.transaction(writes=False) as db:
            found = db.execute(
                "SELECT pupil, nickname FROM pupils WHERE class = ? AND proof = ?",
                (code, digest(token.encode("utf-8", "replace"))),
            ).fetchone()
        if not found:
            return None
        number, nickname = found
        return Pupil(code, number, nickname, token)

    def classroom(self, who: Teacher | Pupil) -> Classroom:
        """How far a class is.

        Parameters
        ----------
        who : Teacher or Pupil

        Returns
        -------
        Classroom

        Raises
        ------
        ClassroomError
            If it was deleted, or this is nobody in it.
        """
        with self._entered(who, writes=False) as (_, room):
            return room

    def ready(self, pupil: Pupil) -> None:
        """Say that a pupil can hear sounds, and waits for the start.

        Parameters
        ----------
        pupil : Pupil
        """
        with self._entered(pupil) as (db, _):
            db.execute("UPDATE pupils SET ready = 1 WHERE class = ? AND pupil = ?", (pupil.code, pupil.number))

    def answer(self, pupil: Pupil, round_number: int, clip: int, emotion: str, sure: float) -> bool:
        """Keep an answer. When this returns, it is on disk.

        Parameters
        ----------
        pupil : Pupil
        round_number : int
            Which round is answered; that of an earlier one comes too late.
        clip : int
            Number of the clip in the round, from 1.
        emotion : str
            One of the round's choices.
        sure : float
            How sure the pupil is, 0 to 1.

        Returns
        -------
        bool
            Whether it is new: the first answer to a clip counts.

        Raises
        ------
        ClassroomError
            If no answer to this clip is taken now, or it is none.
        """
        if not 0 <= sure <= 1:
            raise ClassroomError(f"How sure one is lies between 0 and 1, not at {sure}")
        with self._entered(pupil) as (db, room):
            now = room.round
            if not room.takes_answers or now is None or now.number != round_number:
                raise ClassroomError("No answers are taken now: wait for the teacher")
            if not 1 <= clip <= now.clips or room.clip not in (0, clip):
                raise ClassroomError(f"Clip {clip} is not to be answered now: wait for the teacher")
            if emotion not in now.choices:
                raise ClassroomError(f"{emotion!r:.40} is no possible answer: choose {', '.join(now.choices)}")
            added = db.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (pupil.code, pupil.number, round_number, clip, emotion, float(sure), self.clock()),
            )
            return added.rowcount == 1

    def own_answers(self, pupil: Pupil) -> pd.DataFrame:
        """A pupil's own answers.

        Parameters
        ----------
        pupil : Pupil

        Returns
        -------
        pd.DataFrame
            One row an answer: `round`, `clip`, `answer`, `sure`.
        """
        with self._entered(pupil, writes=False) as (db, _):
            return read_table(
                db,
                "SELECT round, clip, emotion AS answer, sure FROM answers WHERE class = ? AND pupil = ? "
                "ORDER BY round, clip",
                pupil.code,
                pupil.number,
            )

    def revealed_answers(self, who: Teacher | Pupil) -> pd.DataFrame:
        """The class's answers to clips whose truth has been shown.

        Parameters
        ----------
        who : Teacher or Pupil

        Returns
        -------
        pd.DataFrame
            One row an answer: `listener` (a pupil's number), `round`, `clip`, `answer`, `sure`. No nicknames.
        """
        with self._entered(who, writes=False) as (db, _):
            return read_table(
                db,
                "SELECT pupil AS listener, round, clip, emotion AS answer, sure FROM answers "
                "JOIN rounds USING (class, round) WHERE class = ? AND clip <= revealed ORDER BY round, clip, pupil",
                who.code,
            )

    def share(self, pupil: Pupil, verdict: str, emotions: Sequence[str], model: str) -> None:
        """Share with the class what a model said of a take of one's own. The sound stays where it is.

        Parameters
        ----------
        pupil : Pupil
        verdict : str
            Of `SHARED`.
        emotions : sequence of str
            That are named.
        model : str
            Its title.

        Raises
        ------
        ClassroomError
            If the class is over, this pupil has shared too many, or this is no answer of a model.
        """
        if verdict not in SHARED or not set(emotions) <= set(EMOTION_NAMES) or not 0 < len(model) <= TEXT_LENGTH:
            raise ClassroomError(
                f"This is no answer of a model: verdict {verdict!r:.40}, {len(emotions)} emotions, model {model!r:.40}"
            )
        with self._entered(pupil) as (db, room):
            if room.is_over:
                raise ClassroomError(f"Class {pupil.code} is over")
            (number,) = db.execute(
                "SELECT COUNT(*) FROM shared WHERE class = ? AND pupil = ?", (pupil.code, pupil.number)
            ).fetchone()
            if number >= MAX_SHARED:
                raise ClassroomError(
                    f"You have shared {MAX_SHARED} answers with the class: that is as many as it takes"
                )
            db.execute(
                "INSERT INTO shared VALUES (?, ?, ?, ?, ?, ?, ?)",
                (pupil.code, pupil.number, number + 1, verdict, ", ".join(emotions), model, self.clock()),
            )

    # All classes

    def tidy(self) -> int:
        """Delete the classes that are thirty days old, and those that are over and that nobody joined.

        Returns
        -------
        int
            How many were deleted.
        """
        now = self.clock()
        is_due = "opened < ? OR (opened < ? AND NOT EXISTS (SELECT 1 FROM pupils WHERE pupils.class = classes.code))"
        before = (now - KEPT_S, now - OPEN_S)
        with self.database.transaction(writes=False) as db:  # so that it hardly ever waits for those who write
            if not db.execute(f"SELECT 1 FROM classes WHERE {is_due}", before).fetchone():
                return 0
        with self.database.transaction() as db:
            deleted = db.execute(f"DELETE FROM classes WHERE {is_due}", before).rowcount
        self.database.empty_log()
        return deleted

    @contextmanager
    def _entered(self, who: Teacher | Pupil, *, writes: bool = True) -> Iterator[tuple[sqlite3.Connection, Classroom]]:
        """A transaction in a class, for somebody in it."""
        with self.database.transaction(writes=writes) as db:
            if isinstance(who, Teacher):
                found = db.execute("SELECT proof FROM classes WHERE code = ?", (who.code,)).fetchone()
                given = who.key
            else:
                pupil = (who.code, who.number)
                found = db.execute("SELECT proof FROM pupils WHERE class = ? AND pupil = ?", pupil).fetchone()
                given = who.token.encode()
            room = self._room(db, who.code)
            if room is None or not found or not hmac.compare_digest(digest(given), found[0]):
                raise ClassroomError(f"You are not in class {who.code}, or it was deleted")
            yield db, room

    @contextmanager
    def _taught(
        self, teacher: Teacher, *, also_over: bool = False, writes: bool = True
    ) -> Iterator[tuple[sqlite3.Connection, Classroom]]:
        """A transaction in a class, for its teacher alone."""
        if not isinstance(teacher, Teacher):
            raise ClassroomError("Only the teacher may do this")
        with self._entered(teacher, writes=writes) as (db, room):
            if room.is_over and not also_over:
                raise ClassroomError(f"Class {teacher.code} is over: open another one to go on")
            yield db, room

    def _room(self, db: sqlite3.Connection, code: str) -> Classroom | None:
        found = db.execute("SELECT opened, ended, stage, clip FROM classes WHERE code = ?", (code,)).fetchone()
        if not found:
            return None
        opened, ended, stage, clip = found
        ends = min(opened + OPEN_S, ended or float("inf"))
        rows = db.execute(
            "SELECT round, address, choices, clips, revealed FROM rounds WHERE class = ? ORDER BY round", (code,)
        )
        rounds = tuple(
            Round(number, address, tuple(choices.split("\n")), *more) for number, address, choices, *more in rows
        )
        return Classroom(code, opened, ends, self.clock() >= ends, stage, rounds, clip)
