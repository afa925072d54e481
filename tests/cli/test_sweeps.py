import json

import pytest

from ser_core import cli
from ser_core.cli import main
from ser_core.errors import SweepError
from ser_core.experiments import runner
from ser_core.results import runs


@pytest.fixture
def sweep(file, tmp_path):
    """A file of some experiments on the synthetic clips."""
    written = tmp_path / "sweep.toml"
    written.write_text(
        f"models = ['kn', 'cnn2d']\nfeatures = [{file!r}]\nprotocols = ['actors-4', 'study']\nseeds = [1, 2]\n"
    )
    return written


def test_the_plan_is_made_without_any_work(call, sweep, monkeypatch, own_workspace):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    status, answer, error = call("sweep", sweep, "--plan")
    assert status == 0, error
    plan = answer["plan"]
    assert {name: plan[name] for name in ("runs", "exist", "to_run")} == {"runs": 4, "exist": 0, "to_run": 4}
    assert len(plan["combinations"]) == 8
    assert plan["combinations"][-1]["fault"] == "'cnn2d' sees frames, and not mean180"
    assert not (own_workspace / "runs").exists()


def test_a_read_only_installation_runs_none(call, sweep, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    status, _, error = call("sweep", sweep)
    assert status == 2 and "No sweep here: this installation is read-only" in error


def test_a_sweep_ends_with_a_table_and_is_run_once(call, sweep, settings, capsys):
    status, answer, error = call("sweep", sweep, "--jobs", 1)
    assert status == 0, error
    assert list(answer) == ["file", "plan", "made", "failed", "table"]
    assert len(answer["made"]) == 4 and not answer["failed"]
    assert {row["run"] for row in answer["table"]} == set(answer["made"])
    assert {run.id for run in runs.list_all(settings.stores) if not run.shipped} == set(answer["made"])
    assert main(["sweep", str(sweep), "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "Left out (4): 'cnn2d' sees frames, and not mean180" in said
    assert "4 runs: 4 exist, 0 to run." in said
    assert said.index("What the file asks for") < said.index("actors-4: accuracy of classes, the best first")
    assert "mean ± deviation of seeds" in said


def test_one_that_fails_is_named_and_the_status_says_so(call, sweep, monkeypatch):
    run = runner.run

    def failing(recipe, *arguments, protocol, **options):
        if protocol == "study":
            raise ValueError("no such luck")
        return run(recipe, *arguments, protocol=protocol, **options)

    monkeypatch.setattr(runner, "run", failing)
    status, answer, error = call("sweep", sweep, "--jobs", 1)
    assert status == 2
    assert [one["protocol"] for one in answer["failed"]] == ["study", "study"]
    assert answer["failed"][0]["reason"] == "ValueError: no such luck"
    assert len(answer["made"]) == 2
    assert "study, seed 1 failed: ValueError: no such luck" in error


def test_an_interrupt_says_what_is_done(sweep, monkeypatch, capsys):
    run, calls = runner.run, []

    def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run(*arguments, **options)

    monkeypatch.setattr(runner, "run", interrupted)
    assert main(["sweep", str(sweep), "--jobs", "1"]) == 130
    said = capsys.readouterr().err
    assert "1 of 4 runs were made and are kept. The same command makes the others" in said
    assert said.rstrip().endswith("Stopped.")


@pytest.mark.parametrize(
    ("written", "said"),
    [("colour = 1", "no key 'colour' in a sweep"), ("models = ['kn']\nprotocols = ['emobx']", "no protocol 'emobx'")],
)
def test_bad_input_is_one_line_before_any_work(call, tmp_path, monkeypatch, written, said):
    monkeypatch.setattr(runs, "list_all", lambda stores: pytest.fail("the runs are read"))
    (tmp_path / "bad.toml").write_text(written)
    status, answer, error = call("sweep", tmp_path / "bad.toml")
    assert (status, answer) == (2, None)
    assert said in error and len(error.splitlines()) == 1


class Report:
    """As a job's, in memory."""

    def __init__(self):
        self.steps = []

    def progress(self, what, done, total, words="", unit=""):
        self.steps.append((what, done, total, unit))


def test_as_a_job_it_records_its_progress_in_runs(tmp_path, settings):
    (tmp_path / "sweep.toml").write_text("models = ['kn']\nprotocols = ['statement']\nseeds = [5]\n")
    report = Report()
    answer, status, _ = cli.carry_out(["sweep", str(tmp_path / "sweep.toml"), "--jobs", "1"], report=report)
    assert (status, len(answer["made"])) == (0, 1)
    assert report.steps[-1] == ("Running", 1, 1, "run")
    assert json.dumps(answer)


def test_a_job_reads_no_files_and_executes_no_code(sweep):
    with pytest.raises(SweepError, match="files and code of your own are for a shell"):
        cli.carry_out(["sweep", str(sweep)], report=Report())
