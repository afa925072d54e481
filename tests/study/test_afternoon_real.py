"""A researcher's afternoon with EMO-DB: in Python as a notebook would be, and as `docs/research.md` has it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_core import corpus, evaluation
from ser_core.cli import main
from ser_core.results import runs
from ser_core.settings import PROJECT, Settings

PAGE = PROJECT / "docs" / "research.md"
BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EMODB_CLIPS = "??a0[12]*.flac"  # two sentences
RAVDESS_CLIPS = "03-01-0?-01-01-01-0[1-3].*"  # one sentence by three speakers


@pytest.fixture(scope="module")
def corpora(emodb, ravdess, tmp_path_factory) -> Path:
    """A folder with a few dozen clips of each corpus."""
    pytest.importorskip("opensmile")
    folder = tmp_path_factory.mktemp("corpora")
    for name, place, pattern in (("EMO-DB", emodb, EMODB_CLIPS), ("RAVDESS", ravdess, RAVDESS_CLIPS)):
        (folder / name).mkdir()
        for file in place.rglob(pattern):
            shutil.copy(file, folder / name)
    return folder


def test_the_afternoon_in_python(corpora, tmp_path, own_workspace):
    script = shutil.copy(Path(__file__).with_name("afternoon.py"), tmp_path)
    done = subprocess.run(
        [sys.executable, script, corpora / "EMO-DB", corpora / "RAVDESS"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("The afternoon is done\n")
    assert "in scikit-learn" in done.stdout
    found, unreadable = runs.read_own(own_workspace)
    assert (len(found), unreadable) == (8, [])


def test_the_afternoon_as_its_page_has_it(corpora, tmp_path, monkeypatch, capsys):
    for name in ("EMO-DB", "RAVDESS"):
        shutil.copytree(corpora / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text())
    for language, file in (("python", "mine.py"), ("toml", "sweep.toml")):
        (written,) = (text for one, text in blocks if one == language)
        Path(file).write_text(written)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    _embeddings("EMO-DB").to_csv("embeddings.csv", index=False)
    _embeddings("EMO-DB", "RAVDESS").to_csv("both-embeddings.csv", index=False)
    lines = [line for language, text in blocks if language == "sh" for line in text.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines]
    assert len(commands) > 15
    for program, *arguments in commands:
        assert program == "ser"
        if arguments[0] == "import-run":
            _of_a_run("mine:logistic").to_csv("theirs.csv", index=False)
        status = main(arguments)
        assert status == 0, (arguments, capsys.readouterr().err)
    printed = capsys.readouterr().out
    assert re.search(r": 0 of \d+ predicted classes changed", printed)
    assert "Of all 7 emotions" in printed and "Of all eight emotions" in printed  # trained on EMO-DB, and on RAVDESS


def _embeddings(*places) -> pd.DataFrame:
    clips = pd.concat([corpus.index(place).clips for place in places])
    values = np.random.default_rng(1).normal(size=(len(clips), 4))
    return pd.DataFrame(values, columns=list("abcd")).assign(file=clips["path"].to_numpy())


def _of_a_run(model: str) -> pd.DataFrame:
    run = next(run for run in runs.list_all(Settings.from_environment().stores) if run.recipe.model == model)
    rows = run.part("test")
    given = {name: rows[f"p_{name}"] for name in evaluation.classes(rows)}
    return pd.DataFrame({"clip": rows["clip"], "truth": rows["truth"]} | given)
