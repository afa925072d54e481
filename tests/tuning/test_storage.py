"""The database of studies, and what is said where it cannot be used."""

import dataclasses
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import optuna
import pytest

from ser_core.errors import MissingPackageError, TuningError
from ser_core.tuning import storage


def test_sqlite_is_in_wal_mode_before_the_first_worker(url, settings):
    storage.connect(url)
    with closing(sqlite3.connect(settings.workspace / "studies.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("attempt", range(3))
def test_many_may_open_a_new_database_at_once(url, attempt):
    """A page looks at the studies at the moment when the first of them is begun."""
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: storage.connect(url), range(6)))
    assert all(one.get_all_studies() == [] for one in opened)


def test_two_processes_may_open_a_database_that_was_made_for_them(url):
    optuna.create_study(study_name="shared", storage=storage.connect(url))
    code = (
        "import sys, optuna; from ser_core.tuning import storage;"
        "optuna.load_study(study_name='shared', storage=storage.connect(sys.argv[1])).ask()"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(optuna.load_study(study_name="shared", storage=storage.connect(url)).trials) == 2


def test_the_environment_names_a_shared_database(monkeypatch):
    from ser_core.settings import Settings

    monkeypatch.setenv("SER_OPTUNA_STORAGE", "postgresql+psycopg://ser:secret@db/studies")
    settings = Settings.from_environment()
    assert storage.url(settings) == "postgresql+psycopg://ser:secret@db/studies"
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "is no address of a database"),
        ("nodb://somewhere/x", "is no address of a database"),
        ("sqlite:////proc/nowhere/studies.sqlite", "cannot be used"),
        ("postgresql+psycopg://ser:secret@127.0.0.1:9/ser", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_clear_line_without_its_password(url, says):
    with pytest.raises(TuningError, match=says) as caught:
        storage.connect(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_ships_is_opened_without_a_trace(url, settings, tmp_path):
    optuna.create_study(study_name="finished", storage=storage.connect(url)).add_trial(optuna.create_trial(value=1.0))
    settings = dataclasses.replace(settings, artifacts=tmp_path / "shipped")
    settings.artifacts.mkdir()
    storage.pack(url, storage.shipped_file(settings))
    before = storage.shipped_file(settings).read_bytes()
    opened = storage.connect(storage.shipped_url(settings))
    assert optuna.load_study(study_name="finished", storage=opened).best_value == 1.0
    with pytest.raises(TuningError, match="attempt to write a readonly"), storage.reachable(opened.url):
        optuna.create_study(study_name="more", storage=opened)
    assert [file.name for file in settings.artifacts.iterdir()] == ["studies.sqlite"]
    assert storage.shipped_file(settings).read_bytes() == before


def test_without_the_driver_one_clear_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingPackageError, match=r"needs psycopg, .*ser-core\[postgres\]") as caught:
        storage.connect("postgresql+psycopg://ser:secret@127.0.0.1:9/ser")
    assert "secret" not in str(caught.value)


def test_a_driver_that_is_none_of_ours_is_named(monkeypatch):
    with pytest.raises(TuningError, match=r"needs a driver: .*psycopg2"):
        storage.connect("postgresql+psycopg2://ser:secret@127.0.0.1:9/ser")
