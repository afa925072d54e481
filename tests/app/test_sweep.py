"""Many experiments at once, as a page shows it."""

import pytest
from streamlit.testing.v1 import AppTest

from ser_core import jobs
from ser_core.errors import JobError
from ser_core.experiments import sweeps
from tests.app.pages import texts, well
from tests.job_folders import put_job

SMALL = 'models = ["svm"]\nprotocols = ["statement"]\nseeds = [9, 31]\n'


def page() -> None:
    from ser_core.ui import sweep

    sweep.show()


@pytest.fixture
def shown():
    """The page with this text in its form."""

    def run(text: str | None = SMALL) -> AppTest:
        app = AppTest.from_function(page, default_timeout=60).run()
        if text is not None:
            app.text_area(key="sweep-text").set_value(text).run()
        return well(app)

    return run


def button(app, key="sweep-start"):
    return next((one for one in app.button if one.key == key), None)


def test_the_example_is_a_plan_with_something_to_do(shown):
    app = shown(None)
    assert "12 runs: " in texts(app) and "which take about" in texts(app)
    assert button(app).label.startswith("Start ")


def test_what_exists_is_not_offered_to_be_run(shown):
    app = shown()
    assert "2 runs: 1 exists, 1 to run" in texts(app)
    assert button(app).label == "Start 1 run"
    assert list(app.dataframe[0].value["state"]) == ["exists", "to run"]
    app = shown(SMALL.replace(", 31", ""))
    assert "1 run: 1 exists, 0 to run." in texts(app) and button(app) is None


def test_what_is_left_out_is_said_with_the_reason(shown):
    app = shown('models = ["kn", "cnn2d"]\nfeatures = ["mean180"]\nprotocols = ["statement"]')
    assert r"Left out (1): 'cnn2d' sees frames, and not mean180" in texts(app)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('models = ["knn"]\nprotocols = ["study"]', "no model 'knn'"),
        ('models = ["kn"', "This is no TOML"),
        (SMALL + 'clips = "/etc/passwd"', "files and code of your own are for a shell"),
        (SMALL.replace("svm", "os:getcwd"), "files and code of your own are for a shell"),
    ],
)
def test_a_fault_is_one_line_and_nothing_is_offered(shown, text, said):
    app = shown(text)
    (error,) = app.error
    assert said in error.value.replace("\\", "")
    assert button(app) is None


def test_a_file_comes_into_the_form_where_it_can_be_changed(shown):
    app = shown(None)
    app.get("file_uploader")[0].set_value(("mine.toml", SMALL.encode(), "application/toml"))
    well(app.run())
    assert app.text_area(key="sweep-text").value == SMALL
    assert "2 runs: 1 exists" in texts(app)


def test_the_button_starts_a_job_that_finds_the_file(shown, settings, monkeypatch):
    began = []

    def start(task, settings, **_):
        began.append(task)
        return put_job(settings, task, status="queued")

    monkeypatch.setattr(jobs, "start", start)
    app = shown()
    well(button(app).click().run())
    (task,) = began
    assert task == sweeps.task(SMALL, settings, 1) and task.resumable
    assert sweeps.read_file(settings.workspace / "sweeps" / f"{task.subject}.toml") == SMALL


def test_why_it_cannot_be_started_is_shown(shown, monkeypatch):
    def refuse(*_, **__):
        raise JobError("The workspace is full")

    monkeypatch.setattr(jobs, "start", refuse)
    app = shown()
    button(app).click().run()
    assert [error.value for error in app.error] == ["The workspace is full"]


def test_where_nothing_may_be_started_there_is_no_button(shown, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    app = shown()
    assert button(app) is None and "for looking only" in app.info[0].value


def test_a_sweep_that_has_ended_shows_its_runs_and_what_failed(shown, settings):
    row = {
        "protocol": "study",
        "label": "kn",
        "kind": "class",
        "accuracy": 0.8,
        "low": 0.7,
        "high": 0.9,
        "uar": 0.75,
        "seed": 9,
    }
    failed = {"model": "dt", "protocol": "study", "reason": "no such luck"}
    answer = {"table": [row, row | {"label": "dt"}], "failed": [failed]}
    put_job(settings, sweeps.task(SMALL, settings, 2), status="failed", answer=answer, message="It ended with errors")
    app = shown()
    assert list(app.dataframe[-1].value["label"]) == ["kn", "dt"]
    assert "dt under study failed: no such luck" in texts(app)
    assert "is in part luck" in texts(app)


def test_a_stopped_sweep_can_be_resumed(shown, settings):
    job = put_job(settings, sweeps.task(SMALL, settings, 2), status="stopped", message="Stopped. What was done is kept")
    app = shown()
    assert button(app, f"sweep-resume-{job.id}") is not None
