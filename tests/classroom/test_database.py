import sqlite3
import stat
from contextlib import closing

import pytest

from ser_core.classroom.database import Database
from ser_core.errors import ClassroomError


@pytest.fixture
def database(tmp_path) -> Database:
    made = Database(tmp_path / "classes.sqlite")
    yield made
    made.close()


def test_the_file_is_for_its_owner_alone(database):
    assert stat.S_IMODE(database.file.stat().st_mode) == 0o600


def test_the_log_is_written_ahead(database):
    with closing(sqlite3.connect(database.file)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "classes.sqlite").write_text("something else, of another program\n" * 100)
    with pytest.raises(ClassroomError, match=r"classes\.sqlite, cannot be used .*not a database"):
        Database(tmp_path / "classes.sqlite")


def test_an_empty_file_is_named_since_its_classes_are_lost(tmp_path):
    (tmp_path / "classes.sqlite").touch()
    with pytest.raises(ClassroomError, match=r"the file is empty\): restore it, or move it away"):
        Database(tmp_path / "classes.sqlite")
    assert (tmp_path / "classes.sqlite").stat().st_size == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClassroomError, match="cannot be used"):
        Database(tmp_path / "file" / "classes.sqlite")


def test_an_error_takes_all_changes_of_a_transaction_back(database):
    with pytest.raises(KeyError), database.transaction() as db:
        db.execute("INSERT INTO classes VALUES ('QQQQQQ', x'00', x'00', 0, NULL, 'waiting', 0)")
        raise KeyError
    with database.transaction(writes=False) as db:
        assert not db.execute("SELECT code FROM classes").fetchall()


def test_what_the_schema_forbids_is_said_as_a_fault_of_the_database(database):
    with pytest.raises(ClassroomError, match=r"cannot be used .*FOREIGN KEY"), database.transaction() as db:
        db.execute("INSERT INTO rounds VALUES ('QQQQQQ', 1, '7', 'sad', 1, 0)")
