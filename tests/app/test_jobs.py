"""The page of all long work, and the drawer that every page has."""

import os
import time

import pytest

from ser_core import jobs
from ser_core.classroom.guesses import Guesses
from ser_core.ui import visitor, work
from tests.app.pages import at, texts, well
from tests.job_folders import put_job


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    work._jobs_now.clear()
    monkeypatch.setattr(visitor, "network", lambda: "here")
    monkeypatch.setattr(visitor, "guesses", Guesses(visitor.guesses.a_client, visitor.guesses.in_all))


def keys(app):
    return {button.key for button in app.button}


def test_where_there_is_none_the_page_says_what_to_do(app):
    at(app, "jobs")
    assert "There is none yet" in app.info[0].value


def test_every_page_shows_what_runs_and_what_waits(app, settings):
    progress = {"what": "Tuning svm", "done": 12, "total": 40, "seconds_left": 200.0, "unit": "trial"}
    running = put_job(settings, ["tune", "svm"], status="running", pid=os.getpid(), progress=progress)
    waiting = put_job(settings, ["tune", "mlp"], status="queued", pid=os.getpid())
    at(app, "overview")
    words = [bar.proto.text.replace("\\", "") for bar in app.sidebar.get("progress")]
    assert words == ["Tuning svm: trial 12 of 40, about 3 min 20 s left"]
    said = " ".join(element.value for element in app.sidebar.markdown)
    assert "running" in said
    assert "waiting, number 1 in the queue" in said
    assert {f"drawer-stop-{running.id}", f"drawer-stop-{waiting.id}"} <= keys(app)


def test_each_state_has_its_buttons_and_its_words(app, settings):
    gone = put_job(settings, ["tune", "svm"], status="running")
    failed = put_job(settings, ["run", "kn"], status="failed", message="The disk is full", ended=time.time())
    done = put_job(settings, ["run", "kn"], status="done", ended=time.time())
    at(app, "jobs")
    assert {f"page-resume-{gone.id}", f"page-retry-{failed.id}", f"page-delete-{done.id}"} <= keys(app)
    assert f"page-resume-{failed.id}" not in keys(app)
    assert f"page-retry-{done.id}" not in keys(app)
    said = texts(app)
    assert "interrupted" in said and "ended without reporting" in said
    assert "The disk is full" in said
    assert "python -m ser_core run kn" in [code.value for code in app.code]


def test_what_would_fail_again_in_the_same_way_is_not_offered_again(app, settings):
    says = "The loss is nan in epoch 3: the steps are too long. Try a learning rate below 5"
    failed = put_job(settings, ["train", "cnn"], status="failed", message=says, is_final=True, ended=time.time())
    at(app, "jobs")
    assert {key for key in keys(app) if failed.id in key} == {f"page-delete-{failed.id}"}  # nor in the drawer
    assert says in texts(app).replace("\\", "")
    assert any(says in element.value.replace("\\", "") for element in app.sidebar.caption)


def test_what_is_at_work_comes_first_then_what_waits_then_the_newest_that_ended(app, settings):
    old, new = (put_job(settings, ["run", key], status="done", ended=time.time()) for key in ("kn", "svm"))
    running = put_job(settings, ["tune", "svm"], status="running", pid=os.getpid())
    first, second = (put_job(settings, ["tune", key], status="queued", pid=os.getpid()) for key in ("mlp", "kn"))
    at(app, "jobs")
    told = [caption.value for caption in app.main.caption if "Its number" in caption.value]
    assert [one.split("`")[1] for one in told] == [job.id for job in (running, first, second, new, old)]
    assert "at work for" in told[0] and "ran for" in told[-1] and "for " not in told[1].removeprefix("Asked for")


def test_delete_takes_the_job_away(app, settings):
    job = put_job(settings, ["run", "kn"], status="failed")
    at(app, "jobs")
    app.button(key=f"page-delete-{job.id}").click().run()
    well(app)
    assert jobs.list_all(settings) == []
    assert "There is none yet" in app.info[0].value


def test_deletion_asks_first(app, settings):
    job = put_job(settings, ["run", "kn"], status="failed")
    at(app, "jobs")
    (ask,) = (one for one in app.get("popover") if one.proto.popover.label == "Delete")
    assert [button.key for button in ask.button] == [f"page-delete-{job.id}"]
    assert "Its results are kept" in ask.markdown[0].value


def test_others_cannot_stop_resume_or_delete_what_somebody_started(app, settings, monkeypatch):
    mine = [
        put_job(settings, ["tune", "svm"], status="running", pid=os.getpid(), owner="somebody"),
        put_job(settings, ["tune", "mlp"], status="stopped", owner="somebody", ended=time.time()),
        put_job(settings, ["run", "kn"], status="failed", owner="somebody", ended=time.time()),
    ]
    at(app, "jobs")
    assert not {key for key in keys(app) if any(job.id in key for job in mine)}
    assert texts(app).count("Started in another browser") == 3
    monkeypatch.setattr(visitor, "owner", lambda: "somebody")
    at(app, "jobs")
    assert {f"page-stop-{mine[0].id}", f"page-resume-{mine[1].id}", f"page-delete-{mine[2].id}"} <= keys(app)


def test_what_a_page_starts_is_its_visitors_alone(app, settings, monkeypatch):
    at(app, "jobs")
    started = []
    monkeypatch.setattr(jobs, "start", lambda task, settings, *, owner, network: started.append(owner))
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    work.start_job(jobs.Task("run", "kn", ("run", "kn"), "Run"))
    assert started == ["me"]


def test_a_change_that_is_refused_is_one_line(app, settings, monkeypatch):
    monkeypatch.setattr(visitor, "owner", lambda: "me")
    for number in range(jobs.control.MAX_OF_ONE):
        put_job(settings, ["tune", f"{number}"], status="queued", pid=os.getpid(), owner="me")
    stopped = put_job(settings, ["tune", "kn"], status="stopped", owner="me", ended=time.time())
    at(app, "jobs")
    app.button(key=f"page-resume-{stopped.id}").click().run()
    well(app)
    assert "jobs of yours run or wait already" in app.error[0].value


def test_the_administrator_controls_everybodys_work(app, settings, monkeypatch):
    job = put_job(settings, ["run", "kn"], status="failed", owner="somebody")
    at(app, "jobs")
    assert "admin-password" not in {one.key for one in app.text_input}
    monkeypatch.setenv("SER_ADMIN_PASSWORD", "open sesame")
    at(app, "jobs")
    app.text_input(key="admin-password").set_value("open sesame")
    next(button for button in app.button if button.label == "Control everybody's work").click().run()
    well(app)
    app.button(key=f"page-delete-{job.id}").click().run()
    assert jobs.list_all(settings) == []


def test_passwords_are_not_guessed(app, settings, monkeypatch):
    job = put_job(settings, ["run", "kn"], status="failed", owner="somebody")
    monkeypatch.setenv("SER_ADMIN_PASSWORD", "open sesame")
    at(app, "jobs")
    for _ in range(visitor.guesses.a_client.free):
        app.text_input(key="admin-password").set_value("guess")
        next(button for button in app.button if button.label == "Control everybody's work").click().run()
        assert "not the administrator's password" in app.error[0].value
    app.text_input(key="admin-password").set_value("open sesame")
    next(button for button in app.button if button.label == "Control everybody's work").click().run()
    assert "Too many tries came from here" in app.error[0].value
    assert f"page-delete-{job.id}" not in keys(app)
    monkeypatch.setattr(visitor, "network", lambda: "another")
    next(button for button in app.button if button.label == "Control everybody's work").click().run()
    assert f"page-delete-{job.id}" in keys(app)


def test_on_a_public_screen_there_is_nothing_to_press(app, settings, monkeypatch):
    put_job(settings, ["tune", "svm"], status="running", pid=os.getpid())
    put_job(settings, ["run", "kn"], status="failed")
    monkeypatch.setenv("SER_READ_ONLY", "1")
    at(app, "jobs")
    assert not app.button
    assert "for looking only" in app.info[0].value


def test_a_wrong_setting_is_one_line_and_no_stack(app, monkeypatch):
    monkeypatch.setenv("SER_MAX_JOBS", "many")
    app.run()
    assert not app.exception
    assert "SER_MAX_JOBS is 'many'" in app.error[0].value


def test_the_log_and_the_command_show_no_folder_of_the_server(app, settings):
    job = put_job(settings, ["run", "kn", "--features", f"{settings.workspace}/own.parquet"], status="failed")
    (job.folder / "log.txt").write_text(f'File "{settings.workspace}/a.py", line 1\n')
    at(app, "jobs")
    shown = [code.value for code in app.code]
    assert shown == ["python -m ser_core run kn --features workspace/own.parquet", 'File "workspace/a.py", line 1']
