"""`docs/research.ipynb`, run in a kernel on some clips of EMO-DB."""

import shutil

import nbclient
import nbformat

from ser_core.results import runs
from ser_core.settings import PROJECT

NOTEBOOK = PROJECT / "docs" / "research.ipynb"
CLIPS = "??a0[12]*.flac"  # two sentences
TIMEOUT_S = 600  # of a cell, on a machine that has much else to do


def test_the_notebook_runs_and_says_what_it_found(emodb, tmp_path, own_workspace, monkeypatch):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (tmp_path / "emodb").mkdir()
    for file in emodb.glob(CLIPS):
        shutil.copy(file, tmp_path / "emodb")
    monkeypatch.setenv("SER_EMODB_DIR", str(tmp_path / "emodb"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # no profile of whoever runs the test
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=TIMEOUT_S, kernel_name="python3", resources=where).execute()
    assert (tmp_path / "afternoon.zip").is_file()
    found, unreadable = runs.read_own(own_workspace)
    assert len(found) == 4 and not unreadable
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("application/vnd.plotly.v1+json" in output.get("data", {}) for output in shown)
    said = " ".join(str(output.get("data", {}).get("text/plain", output.get("text", ""))) for output in shown)
    assert "mine:logistic" in said and "A speaker has" in said and "shared_emotion_uar" in said
    assert "of 5 speakers" in said and "actors" not in said


def test_no_output_is_stored_in_it():
    assert all(not cell.get("outputs") for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
