"""`ser bundle`, `ser open` and `ser compare --bibtex`, from one workspace to another."""

import zipfile

import pytest

from ser_core.cli import main
from ser_core.results import runs
from ser_core.settings import Settings


@pytest.fixture
def bundled(call, file, tmp_path, monkeypatch):
    """A run of one's own and one that ships, in a bundle; and another workspace."""
    _, ours, error = call("run", "kn", "--features", file, "--jobs", 1)
    assert ours, error
    status, answer, error = call("bundle", ours["run"], "v4", "--out", tmp_path / "z.zip")
    assert status == 0, error
    assert answer["runs"][0] == ours["run"] and answer["runs"][1].startswith("study-v4-")
    monkeypatch.setenv("SER_WORKSPACE", str(tmp_path / "second"))
    return tmp_path / "z.zip", answer["runs"]


def test_runs_go_from_one_workspace_to_another(call, bundled, file):
    bundle, (own, shipped) = bundled
    status, answer, error = call("open", bundle)
    assert status == 0, error
    assert answer == {"added": [f"opened-{own}", f"opened-{shipped}"], "known": [], "refused": []}
    assert call("open", bundle)[1]["known"] == answer["added"]
    status, compared, error = call("compare", "--pairs", "v4", "v4 (from a bundle)")
    assert (status, compared["pairs"][0]["difference"]) == (0, 0), error
    status, verified, error = call("verify", f"opened-{own}", "--features", file, "--jobs", 1)
    assert (status, verified["changed"]) == (0, 0), error


def test_a_bundle_holds_a_card_a_report_and_references(bundled):
    with zipfile.ZipFile(bundled[0]) as zipped:
        names = zipped.namelist()
        assert names[:3] == ["README.md", "report.html", "references.bib"]
        assert {name.split("/")[2] for name in names[3:]} == {"run.json", "predictions.csv"}
        assert b"ser verify opened-" in zipped.read("README.md")


def test_one_bad_run_hides_no_good_one(call, bundled, tmp_path, capsys):
    bundle, (own, shipped) = bundled
    with zipfile.ZipFile(bundle) as zipped, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for name in zipped.namelist():
            content = zipped.read(name)
            bad.writestr(name, content.replace(b"angry", b"sad") if own in name else content)
    assert main(["open", str(tmp_path / "bad.zip")]) == 2
    printed = capsys.readouterr()
    assert printed.out == f"Added opened-{shipped}\n"
    assert f"Refused {own}: predictions.csv is not what run.json was written for" in printed.err
    assert [run.id for run in runs.read_own(Settings.from_environment().workspace)[0]] == [f"opened-{shipped}"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bundle", "no-such", "--out", "z.zip"), "There is no run 'no-such'"),
        (("bundle", "v4", "--out", "no/folder/z.zip"), "cannot be written"),
        (("bundle", "v4", "--out", "z.zip", "--protocol", "random"), "There is no protocol 'random'"),
        (("open", "none.zip"), "none.zip cannot be read"),
    ],
)
def test_bad_input_is_one_line(call, arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, answer, error = call(*arguments)
    assert (status, answer) == (2, None)
    assert said in error


def test_a_read_only_installation_opens_nothing(call, bundled, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    status, _, error = call("open", bundled[0])
    assert status == 2 and "read-only" in error


def test_the_references_of_what_is_compared(capsys):
    assert main(["compare", "--protocol", "luna-jimenez", "--pairs", "svm", "mlp, functionals", "--bibtex"]) == 0
    printed = capsys.readouterr().out
    assert "@article{luna-jimenez2022,\n  author = {Luna-Jim{\\'e}nez, Cristina" in printed
    assert "10.1371/journal.pone.0196391" in printed and "@software{ser-core," in printed
