"""The page of all long work, and the drawer that every page has."""

import os
import time

import pytest

from ser_core import jobs, ui
from ser_core.ui import work
from tests.app.pages import at, texts, well
from tests.job_folders import put_job


@pytest.fixture(autouse=True)
def fresh():
    work._jobs_now.clear()


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
    assert words == ["Tuning svm: trial 12 of 40, about 3 min left"]
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


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.4, "3 s"), (89, "89 s"), (200, "3 min"), (3540, "59 min"), (4800, "1 h 20 min")]
)
def test_times_are_said_as_people_do(seconds, words):
    assert ui.in_words(seconds) == words
