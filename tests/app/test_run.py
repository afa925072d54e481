"""The page of runs: what ran before, a run in every state, a new one, and what cannot be run."""

import dataclasses
import json

import pytest

from ser_core import jobs
from ser_core.evaluation import protocols
from ser_core.experiments.plans import Plan
from ser_core.features import tables
from ser_core.jobs import Task
from ser_core.models import registry
from ser_core.results import runs
from tests.app.pages import at, charts, texts, well, widget
from tests.job_folders import mine, put_job
from tests.made_runs import changed

EMOBOX, LOSO = (protocols.get(name).title for name in ("emobox", "loso"))
SVM = {"model": registry.get("svm").name, "seed": "3"}  # no such run ships


@pytest.fixture
def started(monkeypatch, settings) -> list:
    """The tasks that the page starts, instead of a process for each."""
    tasks = []

    def start(task, settings, **_):
        settings.require_writable(task.kind)
        tasks.append(task)
        return mine(settings, task, status="running")

    monkeypatch.setattr(jobs, "start", start)
    return tasks


@pytest.fixture
def without_recordings(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SER_DATA_DIR", str(tmp_path / "none"))


def task(*arguments: str, **plan) -> Task:
    return Task("run", Plan(**plan).text, ("run", *arguments), f"Run {' '.join(arguments)}")


OF_SVM = task("svm", "--seed", "3", model="svm", seed=3)


def has(app, key: str) -> bool:
    return any(one.key == key for one in app.button)


def test_what_ships_is_shown_at_once_with_its_training_clips_beside_the_test(app):
    at(app, "run")
    assert "test clips are named right** (95% interval" in app.success[0].value
    assert "The study had 0.8" in app.success[0].value
    assert "It ran already.** It ships with the project" in texts(app)
    titles = [json.loads(chart.spec)["layout"]["meta"]["title"] for chart in charts(app)]
    assert titles == ["Clips that it learned from", "Test clips"]
    assert "1,961 clips are named right" in charts(app)[0].alt and "491 clips" in charts(app)[1].alt
    assert "has learned its clips by heart" in texts(app)
    assert app.dataframe[0].value["clips"].iloc[-1] == 491
    assert [one.proto.label for one in app.get("download_button")] == ["Report as CSV"]
    assert app.code[0].value == "python -m ser_core run mlp"
    assert not has(app, "start")


def test_nothing_can_be_typed_that_names_code_or_a_path(app):
    at(app, "run")
    assert not app.text_input and not app.text_area
    assert [one.key for one in app.number_input] == ["seed"]


def test_an_address_that_names_what_is_not_offered_shows_what_is_usual(app):
    at(app, "run", model="os:system", features="/etc/passwd", clips="../../x.parquet", protocol="mine", seed="x")
    assert app.code[0].value == "python -m ser_core run mlp"


def test_under_actors_held_out_emotions_are_what_counts_and_what_was_not_kept_is_told(app, started):
    at(app, "run", protocol=EMOBOX)
    assert "clips of voices never heard get the right emotion" in app.success[0].value
    assert "interval over speakers" in app.success[0].value
    assert widget(app, "kind").value == "emotion"
    assert "was not kept" in app.info[0].value and len(charts(app)) == 1
    well(app.button(key="start").click().run())
    assert [one.arguments for one in started] == [("run", "mlp", "--protocol", "emobox")]


def test_ones_own_run_shows_its_training_clips(app, settings):
    shipped = runs.find(runs.list_all([settings.artifacts]), model="mlp", preset="default", protocol="emobox")
    kept = {"emotion": {"sad": {"sad": 90, "calm": 10}}}
    runs.save(changed(shipped.own, training=kept), settings.workspace)
    at(app, "run", protocol=EMOBOX)
    assert "It is one of yours" in texts(app)
    assert "(each of its 6 models, of its own) it names **0.900** right" in texts(app)
    assert "90 of 100 clips" in charts(app)[0].alt and not has(app, "start")


def test_what_is_chosen_stands_in_the_command_and_is_started(app, started):
    at(app, "run", **SVM, features="functionals", protocol=LOSO)
    command = ("run", "svm", "--features", "functionals", "--protocol", "loso", "--seed", "3")
    assert app.code[0].value == " ".join(["python", "-m", "ser_core", *command])
    assert "It takes about" in texts(app) and "judged from svm, functionals" in texts(app)
    well(app.button(key="start").click().run())
    assert [one.arguments for one in started] == [command]
    assert has(app, "stop")


def test_folds_of_actors_are_counted(app):
    at(app, "run", **SVM, protocol="Folds of actors, drawn at random: speech and song")
    well(app.number_input(key="folds").set_value(4).run())
    assert "--protocol actors-4" in app.code[0].value


def test_a_running_one_says_where_it_is_and_can_be_stopped(app, settings, monkeypatch):
    progress = {"what": "Fitting svm", "done": 2, "total": 6, "unit": "fold", "seconds_left": 40.0}
    job = mine(settings, OF_SVM, status="running", progress=progress)
    stopped = []
    monkeypatch.setattr(jobs, "stop", lambda job, settings, **_: stopped.append(job.id))
    at(app, "run", **SVM)
    assert "Fitting svm: fold 2 of 6" in texts(app).replace("\\", "")
    assert "about 40 s left" in texts(app) and not has(app, "start")
    well(app.button(key="stop").click().run())
    assert stopped == [job.id]


def test_a_stopped_one_can_be_started_again(app, settings, started):
    put_job(settings, OF_SVM, status="stopped")
    at(app, "run", **SVM)
    assert "It was stopped** before it was done" in texts(app)
    assert app.button(key="start").label == "Start again"
    well(app.button(key="start").click().run())
    assert [one.arguments for one in started] == [OF_SVM.arguments]


def test_a_failed_one_gives_the_reason(app, settings):
    put_job(settings, OF_SVM, status="failed", message="The disk is full")
    at(app, "run", **SVM)
    assert "It failed. The disk is full" in app.error[0].value
    assert has(app, "start")


def test_those_started_here_can_be_looked_at_again(app, settings):
    plan = {"model": "svm", "protocol": "actors-4", "seed": 5}
    job = put_job(settings, task("svm", "--protocol", "actors-4", "--seed", "5", **plan), status="stopped")
    at(app, "run")
    well(app.button(key=f"look-{job.id}").click().run())
    assert app.code[0].value == "python -m ser_core run svm --protocol actors-4 --seed 5"


def test_parameters_that_were_tuned_on_all_actors_are_refused_before_any_work(app):
    at(app, "run", preset="Tuned", protocol=LOSO)
    assert "would not hold anybody out" in app.error[0].value
    assert not has(app, "start")


def test_an_installation_for_looking_only_starts_and_stops_nothing(app, settings, monkeypatch):
    monkeypatch.setenv("SER_READ_ONLY", "1")
    at(app, "run", **SVM)
    assert "for looking only" in app.info[0].value
    assert not has(app, "start")
    mine(settings, OF_SVM, status="running")
    well(app.run())
    assert not has(app, "stop")


def test_without_recordings_it_offers_what_ships(app, without_recordings):
    at(app, "run", model=registry.get("robust").name, seed="3")
    assert "made of the recordings" in app.warning[0].value
    assert not has(app, "start")
    assert "As recorded" in widget(app, "heard").options


def test_a_vote_whose_members_did_not_run_names_the_command_that_makes_them(app):
    at(app, "run", model=registry.get("best").name, protocol=LOSO)
    assert "python -m ser_core run krr --features functionals --protocol loso" in app.warning[0].value
    assert not has(app, "start")


def test_clips_of_the_workspace_can_be_chosen(app, settings, table):
    (settings.workspace / "corpora").mkdir(parents=True)
    tables.save(table, settings.workspace / "corpora" / "mine.parquet")
    at(app, "run", clips="mine.parquet", protocol=LOSO)
    assert app.code[0].value.endswith("workspace/corpora/mine.parquet --protocol loso")
    assert has(app, "start")


def test_a_table_that_is_no_file_is_named_and_the_others_can_be_chosen(app, settings, table):
    (settings.workspace / "corpora" / "theirs.parquet").mkdir(parents=True)
    (settings.workspace / "corpora" / "notes.csv").mkdir()
    tables.save(table, settings.workspace / "corpora" / "mine.parquet")
    at(app, "run")
    (told,) = app.warning
    assert "Corpus theirs.parquet cannot be read: it is a folder" in told.value.replace("\\", "")
    assert widget(app, "clips").options == ["RAVDESS", "mine.parquet"]


def test_a_damaged_table_is_one_line(app, settings):
    (settings.workspace / "corpora").mkdir(parents=True)
    (settings.workspace / "corpora" / "broken.parquet").write_bytes(b"PAR1")
    at(app, "run", clips="broken.parquet")
    assert "cannot be read as a feature table" in app.error[0].value


def test_a_run_heard_over_a_telephone_stands_beside_its_training_clips(app, settings):
    found = runs.list_all([settings.artifacts])
    shipped = runs.find(found, model="mlp", preset="default", protocol="study")
    heard = dataclasses.replace(shipped.own, id="own-heard", heard="telephone", shipped=False)
    runs.save(heard, settings.workspace)
    at(app, "run", heard="Over a telephone")
    assert "test clips are named right, heard over a telephone" in app.success[0].value
    assert len(charts(app)) == 2
    assert app.code[0].value == "python -m ser_core run mlp --heard telephone"
