"""Sound, tables and models that the tests share. Nothing outside temporary folders is written."""

import json
import os
from pathlib import Path

# Several processes of pytest, and what they start, share the cores: none gains by threads of its own. Set before any
# library reads it.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")

import numpy as np
import pytest
from xdist.scheduler import LoadScopeScheduling

from ser_core import compiled, corpus, experiments
from ser_core.cli import main
from ser_core.corpus import synthetic
from ser_core.features import tables
from ser_core.prediction import model_store
from ser_core.settings import PROJECT, Settings
from tests.archive_server import started as started_archive_server

TESTS = Path(__file__).parent

# What starts servers, browsers, processes or TensorFlow, decodes much or fits much: `make check` leaves it out.
SLOW = (
    "app",
    "audio/test_conditions.py",
    "audio/test_loading.py",
    "audio/test_measurement.py",
    "audio/test_quality.py",
    "audio/test_voice_activity.py",
    "classroom/test_thirty.py",
    "cli",
    "e2e",
    "experiments/test_cluster.py",
    "experiments/test_heard.py",
    "experiments/test_tiny_corpora.py",
    "features/test_images.py",
    "jobs",
    "models/test_emotion_classifier.py",
    "models/test_networks.py",
    "prediction",
    "study",
    "test_interrupts.py",
    "test_package.py",
    "tuning",
)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_configure(config):
    """Before there are several processes."""
    if not hasattr(config, "workerinput"):
        compiled.fill_cache()


class ByModule(LoadScopeScheduling):
    """One process runs a module, whose fixtures it makes once; one runs all browser tests, which share a server."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/e2e" if nodeid.startswith("tests/e2e/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return ByModule(config, log)


@pytest.fixture(autouse=True)
def own_workspace(tmp_path, monkeypatch) -> Path:
    """Every test has a workspace of its own."""
    workspace = tmp_path / "workspace"
    monkeypatch.setenv("SER_WORKSPACE", str(workspace))
    return workspace


@pytest.fixture(scope="session")
def ravdess() -> Path:
    """The real clips; tests of them are left out where the clips are not."""
    for folder in (os.environ.get("SER_DATA_DIR"), PROJECT.parent / "shared" / "data" / "ravdess"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no RAVDESS clips here: set SER_DATA_DIR")


@pytest.fixture(scope="session")
def emodb() -> Path:
    """Clips of EMO-DB, a corpus of other people; tests of them are left out where the clips are not."""
    for folder in (os.environ.get("SER_EMODB_DIR"), PROJECT.parent / "shared" / "data" / "emodb"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no EMO-DB clips here: set SER_EMODB_DIR")


@pytest.fixture(scope="session")
def field() -> Path:
    """Recordings as people bring them, each with a fault; tests of them are left out where they are not."""
    for folder in (os.environ.get("SER_FIELD_DIR"), PROJECT.parent / "shared" / "data" / "field"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no field recordings here: set SER_FIELD_DIR")


@pytest.fixture(scope="session")
def voices(tmp_path_factory) -> Path:
    """A synthetic corpus: two emotions by four actors, 64 clips of 1.2 s."""
    folder = tmp_path_factory.mktemp("voices")
    synthetic.write_corpus(folder, actors=range(1, 5), emotions=("angry", "sad"), seconds=1.2)
    return folder


@pytest.fixture(scope="session")
def table(voices, tmp_path_factory):
    """The features of the synthetic corpus."""
    return tables.extract(corpus.index(voices), tmp_path_factory.mktemp("cache"), jobs=1).table


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory) -> Path:
    """A manifest of another corpus: four emotions by four other speakers, of which "boredom" and calm are not in
    `voices`, and whose ids are those of speakers there."""
    folder = tmp_path_factory.mktemp("elsewhere")
    lines = ["file,speaker,emotion,gender,language"]
    for emotion, written in (("angry", "angry"), ("sad", "Sad"), ("neutral", "boredom"), ("calm", "calm")):
        for actor in range(5, 9):
            name = f"{written}-{actor}.wav"
            (folder / name).write_bytes(synthetic.wav(emotion, actor=actor, seconds=1 + actor / 20))
            lines.append(f"{name},{actor - 4:02d},{written},{'female' if actor % 2 == 0 else 'male'},de")
    manifest = folder / "elsewhere.csv"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


@pytest.fixture(scope="session")
def genderless(elsewhere) -> Path:
    """The same clips without their speakers' genders."""
    manifest = elsewhere.with_name("genderless.csv")
    manifest.write_text("\n".join(line.rsplit(",", 2)[0] for line in elsewhere.read_text().splitlines()) + "\n")
    return manifest


@pytest.fixture
def file(table, tmp_path) -> str:
    """That table, saved: `--features FILE`."""
    tables.save(table, tmp_path / "table.parquet")
    return str(tmp_path / "table.parquet")


@pytest.fixture(scope="session")
def result(table) -> experiments.Result:
    """A small vote's run on the synthetic corpus."""
    return experiments.run("v2", table, jobs=1)


@pytest.fixture
def trained(result, table, tmp_path) -> model_store.ModelEntry:
    """The small vote, kept in a store of its own."""
    return model_store.save(result, table, tmp_path / "store")


@pytest.fixture
def call(capsys):
    """Run a command with --json: its exit status, its answer, and what it said on stderr."""

    def run(*arguments):
        status = main([*map(str, arguments), "--json"])
        printed = capsys.readouterr()
        lines = printed.out.splitlines()
        return status, json.loads(lines[-1]) if lines else None, printed.err

    return run


@pytest.fixture
def archive_server(monkeypatch):
    """A web server for archives; see `archive_server.put_archive`."""
    monkeypatch.setenv("NO_PROXY", "*")
    with started_archive_server() as server:
        yield server


@pytest.fixture
def settings() -> Settings:
    return Settings.from_environment()


@pytest.fixture(scope="session")
def spoken() -> np.ndarray:
    """Three seconds of a synthetic voice at 22,050 Hz."""
    return synthetic.speak("angry", actor=2)
