"""Where things are, and what a child process is given."""

import subprocess
import sys
from pathlib import Path

import pytest

from ser_core.errors import ReadOnlyError, SettingsError
from ser_core.settings import PROJECT, Settings, child_environment


def test_a_checkout_keeps_everything_in_its_own_folder(monkeypatch):
    for name in ("SER_WORKSPACE", "SER_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.from_environment()
    assert settings.artifacts == PROJECT / "artifacts"
    assert settings.workspace == PROJECT / "workspace"
    assert settings.data_dir == PROJECT / "workspace" / "ravdess"


def test_relative_paths_count_from_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SER_WORKSPACE", "mine")
    assert Settings.from_environment().workspace == tmp_path / "mine"


def test_another_corpus_is_where_its_variable_says_or_nowhere(monkeypatch, tmp_path):
    monkeypatch.delenv("SER_OTHER_CORPUS", raising=False)
    assert Settings.from_environment().other_corpus is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SER_OTHER_CORPUS", "emodb")
    assert Settings.from_environment().other_corpus == tmp_path / "emodb"


@pytest.mark.parametrize("number", ["0", "-1", "two", "1.5"])
def test_a_number_of_jobs_that_is_none_is_refused_with_its_value(number, monkeypatch):
    monkeypatch.setenv("SER_MAX_JOBS", number)
    with pytest.raises(SettingsError, match=f"SER_MAX_JOBS is '{number}'"):
        Settings.from_environment()


def test_nothing_is_begun_where_it_is_read_only(monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    with pytest.raises(ReadOnlyError, match="No download here"):
        Settings.from_environment().require_writable("download")


def in_a_child(code: str, folder: Path, **more: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, env=child_environment(**more), capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_child_finds_the_package_from_any_folder(tmp_path):
    assert in_a_child("import ser_core; print(ser_core.__file__)", tmp_path) == str(PROJECT / "ser_core/__init__.py")


def test_a_child_is_not_given_a_users_module_for_pythons_own(tmp_path):
    (tmp_path / "queue.py").write_text("raise SystemExit('the wrong module')")
    assert in_a_child("import queue; print(queue.Queue.__name__)", tmp_path) == "Queue"


def test_relative_paths_mean_the_same_in_a_child(tmp_path):
    code = "from ser_core import Settings; print(Settings.from_environment().workspace)"
    assert in_a_child(code, tmp_path, SER_WORKSPACE="mine") == str(tmp_path / "mine")


def test_what_is_on_the_path_already_stays_there_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}:{tmp_path}")
    assert child_environment()["PYTHONPATH"] == f"{PROJECT}:{tmp_path}"
