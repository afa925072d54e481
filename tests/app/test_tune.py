"""The page of tuning: studies that ship, one's own in every state, a new one, several compared."""

import re

import pytest

from ser_core import jobs, machine
from ser_core.models import registry, search_spaces
from ser_core.tuning import best_trial, descriptions, search, storage, studies
from tests.app.pages import at, charts, texts, well, widget
from tests.job_folders import mine, put_job

SHIPPED = "kn-ours-study5-tpe-median-s9"
CHARTS = [
    "History",
    "What matters",
    "All parameters",
    "One parameter",
    "Two parameters",
    "Who did what when",
    "One trial",
    "All trials",
]


@pytest.fixture
def begin(settings, table):
    """Make a study of one's own of the synthetic clips, and do some of its trials."""

    def begin(done: int, trials: int = 4, name: str = "mine", **plan):
        plan = studies.Plan(**{"model": "kn", "folds": 3} | plan)
        url = storage.url(settings)
        study = studies.create(plan, url, table, trials=max(done, 1), name=name)
        if done:
            search.work(name, url, table)
        study.set_user_attr("trials", trials)
        return study

    return begin


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


def button(app, key: str):
    return next((one for one in app.button if one.key == key), None)


def said(app) -> str:
    kinds = (app.info, app.success, app.warning, app.error)
    return texts(app) + " ".join(one.value for kind in kinds for one in kind)


def command_of(app) -> str:
    return next(one.value for one in app.code if one.value.startswith("python -m ser_core tune"))


def test_at_first_start_a_finished_study_is_there_with_its_preset_and_test_score(app):
    at(app, "tune")
    assert not app.error
    options = widget(app, "study").options
    assert len(options) == 10
    assert options[0] == "XGBoost, our ranges, 5 folds of clips, TPE, median, seed 9"
    assert "Its name on the command line: `xgb-ours-study5-tpe-median-s9`" in texts(app)
    assert "**XGBoost**: our ranges" in texts(app) and "It ships with the project" in texts(app)
    assert "Tuning tries many of them and keeps the best" in texts(app)
    (success,) = app.success
    assert "test clips named right" in success.value and "95% interval" in success.value
    assert "the best of 60 trials" in success.value and "looked at once" in success.value
    assert "our default has" in charts(app)[0].alt
    assert not button(app, "stop") and not button(app, "resume") and not button(app, "save-preset")


@pytest.mark.parametrize("view", CHARTS)
@pytest.mark.parametrize("study", [SHIPPED, "xgb-ours-study5-tpe-median-s9"])
def test_each_view_of_a_shipped_study_says_what_it_shows(app, view, study):
    at(app, "tune", study=descriptions.title(study), chart=view)
    assert not app.error
    assert widget(app, "chart").value == view
    assert all(len(chart.alt) > 30 for chart in charts(app))
    assert charts(app) or view == "All trials"


def test_the_best_trial_stands_beside_the_presets_of_the_code(app):
    at(app, "tune", study=descriptions.title("mlp-ours-study5-tpe-median-s9"), chart="One trial")
    table = next(one.value for one in app.dataframe if "our default" in one.value)
    assert list(table.columns) == ["trial 49", "our default", "the study's"]
    assert table.loc["hidden_layer_sizes", "trial 49"] == "350"
    default = registry.parameters("mlp")["hidden_layer_sizes"]
    assert table.loc["hidden_layer_sizes", "our default"] == str(default)


def test_a_trial_that_was_given_up_is_not_taken_for_the_best(app, begin):
    at(app, "tune", study=descriptions.title("xgb-ours-study5-tpe-median-s9"), chart="One trial")
    first, second = (widget(app, "trial").options[place] for place in (0, -1))
    assert first == "trial 53: 0.7114"
    assert second.endswith("no score")


def test_all_trials_are_a_table_that_can_be_taken_away(app):
    at(app, "tune", study=descriptions.title(SHIPPED), chart="All trials")
    table = app.dataframe[0].value
    assert len(table) == 40
    assert set(table["state"]) == {"ran all folds", "was given up early"}
    assert len(app.get("download_button")) == 1


@pytest.mark.parametrize("done", [0, 1, 2])
@pytest.mark.parametrize("view", CHARTS)
def test_a_study_that_has_just_begun_is_no_trouble(app, begin, settings, done, view):
    begin(done)
    mine(settings, descriptions.task(studies.Plan("kn", folds=3), "mine", 4), status="running")
    at(app, "tune", chart=view)
    assert not app.error
    assert widget(app, "study").value == "mine"
    assert f"At work: {done} of 4 trials ended" in texts(app)
    assert button(app, "stop") and not button(app, "resume") and not button(app, "save-preset")


def test_a_job_that_waits_is_shown_before_its_study_is_made(app, settings):
    mine(settings, ["train", "kn"], status="running")
    mine(settings, descriptions.task(studies.Plan("kn"), "soon", 4), status="queued")
    at(app, "tune")
    assert widget(app, "study").value == "soon"
    assert "It waits for its turn**, place 1 in the line" in texts(app)


def test_the_study_at_work_is_shown_before_one_that_waits(app, begin, settings):
    begin(1)
    mine(settings, descriptions.task(studies.Plan("kn", folds=3), "mine", 4), status="running")
    mine(settings, descriptions.task(studies.Plan("kn"), "soon", 4), status="queued")
    at(app, "tune")
    assert widget(app, "study").options[:2] == ["mine", "soon"]
    assert widget(app, "study").value == "mine"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("stopped", "It was stopped** after 2 of 4 trials"),
        ("failed", "It failed. The disk is full. 2 trials that ended are kept."),
        ("running", "It was interrupted** after 2 of 4 trials, which are kept. Its process ended without reporting"),
    ],
)
def test_work_that_ended_early_says_so_and_can_go_on(app, begin, settings, monkeypatch, status, words):
    begin(2)
    task = descriptions.task(studies.Plan("kn", folds=3), "mine", 4)
    job = put_job(settings, task, status=status, message="The disk is full" if status == "failed" else "")
    resumed = []
    monkeypatch.setattr(jobs, "resume", lambda job, settings, **_: resumed.append(job.id))
    at(app, "tune", study="mine")
    assert words in said(app)
    button(app, "resume").click().run()
    well(app)
    assert resumed == [job.id]


def test_a_study_that_a_command_left_unfinished_goes_on_by_a_job(app, begin, started):
    begin(2)
    at(app, "tune")
    assert "It is at rest** after 2 of 4 trials" in texts(app)
    button(app, "resume").click().run()
    well(app)
    assert started == [descriptions.task(studies.Plan("kn", folds=3), "mine", 4)]
    assert "At work" in texts(app)


def test_stop_stops_the_job(app, begin, settings, monkeypatch):
    begin(1)
    job = mine(settings, descriptions.task(studies.Plan("kn", folds=3), "mine", 4), status="running")
    stopped = []
    monkeypatch.setattr(jobs, "stop", lambda job, settings, **_: stopped.append(job.id))
    at(app, "tune", study="mine")
    button(app, "stop").click().run()
    assert stopped == [job.id]


def test_a_failed_trial_says_why(app, begin, monkeypatch):
    with monkeypatch.context() as for_now:
        for_now.setattr(search_spaces.Space, "suggest", lambda *_: 1 / 0)
        begin(2, trials=2)
    at(app, "tune", chart="All trials")
    assert "Done**: all 2 trials ended" in texts(app)
    assert set(app.dataframe[0].value["reason"]) == {"ZeroDivisionError: division by zero"}
    assert not button(app, "save-preset")


def test_a_finished_study_is_saved_by_one_button(app, begin, started):
    begin(4)
    at(app, "tune")
    assert "Done**: all 4 trials ended" in texts(app)
    button(app, "save-preset").click().run()
    well(app)
    assert started == [descriptions.preset_task("mine")]
    assert "being evaluated on the test clips" in said(app)


def test_a_saved_preset_stands_with_its_test_score_and_number_of_trials(app, begin, settings, table):
    preset, _ = best_trial.save_preset(begin(4), table, settings, jobs=1)
    at(app, "tune")
    (success,) = app.success
    assert f"preset `{preset.name}`" in success.value
    assert "the best of 4 trials" in success.value
    assert f"python -m ser_core train kn --preset {preset.name}" in "".join(one.value for one in app.code)


def test_a_preset_that_could_not_be_saved_says_why(app, begin, settings):
    begin(4)
    put_job(settings, ["preset", "mine"], status="failed", message="Study 'mine' is of other clips")
    at(app, "tune")
    assert "The preset was not saved. Study 'mine' is of other clips." in [one.value for one in app.error]


def test_a_plan_is_started_as_the_command_says_and_the_page_goes_there(app, started):
    at(
        app,
        "tune",
        show="Start one",
        model="Support vector machine",
        trials="12",
        cv="Actors never heard (UAR)",
        folds="4",
    )
    assert "12 trials will take about" in texts(app)
    assert "actors that the model has never heard" in texts(app)
    assert "--cv actors --folds 4" in command_of(app)
    shown = command_of(app)
    button(app, "start").click().run()
    well(app)
    (task,) = started
    assert shown == jobs.shell(task.arguments)
    assert widget(app, "show").value == "A study"
    assert widget(app, "study").value == "svm-ours-actors4-tpe-median-s9"
    assert "It begins" in texts(app)


def test_a_plan_that_ships_gets_a_name_of_its_own(app, started):
    at(app, "tune", show="Start one")
    assert f"--name {SHIPPED}-mine" in command_of(app)


def test_the_authors_ranges_are_said_to_take_hours_before_they_are_started(app):
    at(app, "tune", show="Start one", model="Random forest", space="The study's own")
    (warning,) = app.warning
    assert re.search(r"30 trials will take about \d+ h [\d min]*\*\*, or longer", warning.value)
    assert "15,000 to 25,000" in app.dataframe[0].value.to_string()


@pytest.mark.parametrize("model", ["Support vector machine", "Kernel ridge", "Bagged trees"])
def test_a_model_that_the_study_did_not_tune_has_our_ranges_only(app, model):
    at(app, "tune", show="Start one", model=model, space="The study's own")
    assert "The study did not tune this model" in texts(app)
    assert "--space ours" in command_of(app)


def test_a_study_that_is_there_goes_on_by_more_trials(app, begin, settings, started):
    begin(2, trials=2, name="kn-ours-study3-tpe-median-s9")
    at(app, "tune", show="Start one", folds="3", trials="2")
    assert "Ask for more trials in all" in said(app) and not button(app, "start")
    app.number_input(key="trials").set_value(5).run()
    assert button(app, "start").label == "Go on with it: 3 more"


def test_a_name_of_another_plan_or_no_name_at_all_is_refused_on_the_page(app, begin):
    begin(1)
    at(app, "tune", show="Start one", model="Support vector machine", folds="3")
    app.text_input(key="name").set_value("mine").run()
    assert "with another model. Give another name" in said(app) and not button(app, "start")
    app.text_input(key="name").set_value("../evil").run()
    assert "is no name for a study" in said(app) and not button(app, "start")


def test_a_start_that_is_refused_says_why(app, monkeypatch):
    from ser_core.errors import JobError

    def refuse(*_, **__):
        raise JobError("The workspace cannot be written. Make room")

    at(app, "tune", show="Start one")
    monkeypatch.setattr(jobs, "start", refuse)
    button(app, "start").click().run()
    assert [error.value for error in well(app).error] == ["The workspace cannot be written. Make room"]


@pytest.mark.parametrize("show", ["A study", "Start one"])
def test_where_nothing_may_be_started_there_are_no_buttons_and_the_page_says_so(
    app, begin, settings, monkeypatch, show
):
    begin(2)
    mine(settings, descriptions.task(studies.Plan("kn", folds=3), "mine", 4), status="running")
    monkeypatch.setenv("SER_READ_ONLY", "1")
    at(app, "tune", show=show)
    assert not app.button
    assert "for looking only" in said(app)
    if show == "Start one":
        assert command_of(app)


def test_several_studies_are_compared_by_trials_and_by_time(app, begin):
    begin(3)
    at(app, "tune", show="Compare")
    assert len(widget(app, "studies").value) == 5
    assert widget(app, "studies").options[0] == "mine"
    assert descriptions.title(SHIPPED) in widget(app, "studies").options
    assert "mine reached" in charts(app)[0].alt
    by_trials = charts(app)[0].spec
    widget(app, "by").set_value("Time").run()
    well(app)
    assert charts(app)[0].spec != by_trials
    assert len(app.dataframe[0].value) == 5
    widget(app, "studies").set_value([]).run()
    assert "Choose one or more" in said(well(app))


NAMES = ["show", "study", "chart", "first", "second", "trial", "model", "space", "trials", "minutes", "cv", "folds"]


@pytest.mark.parametrize("name", [*NAMES, "sampler", "pruner", "seed", "studies", "by"])
@pytest.mark.parametrize("value", ["", "nonsense", "-1"])
def test_a_link_with_nonsense_opens_the_page_all_the_same(app, name, value):
    show = {"studies": "Compare", "by": "Compare"} | dict.fromkeys(NAMES[6:], "Start one")
    also = {"first": "Two parameters", "second": "Two parameters", "trial": "One trial"}
    query = {"show": show.get(name, "A study"), "chart": also.get(name, "History")} | {name: value}
    at(app, "tune", **query)
    assert not app.error


def test_a_database_that_cannot_be_reached_is_one_clear_line_without_its_password(app, monkeypatch):
    monkeypatch.setenv("SER_OPTUNA_STORAGE", "postgresql+psycopg://me:secret-word@127.0.0.1:1/none?connect_timeout=1")
    at(app, "tune")
    (said_of_it,) = [warning.value for warning in app.warning]
    assert "cannot be used" in said_of_it and "secret-word" not in said_of_it
    assert widget(app, "study").options  # those that ship are shown


def test_a_browser_elsewhere_is_told_why_it_cannot_reach_optuna_dashboard(app, monkeypatch):
    monkeypatch.setattr("ser_core.tuning.dashboard.is_local", lambda _: False)
    at(app, "tune")
    assert "listens on 127.0.0.1 of the machine that runs this server" in said(app)
    assert not button(app, "dashboard")  # no process for somebody who cannot use it
    monkeypatch.setattr("ser_core.tuning.dashboard.is_local", lambda _: True)
    app.run()
    assert "listens on 127.0.0.1" not in said(app)
    assert button(app, "dashboard")


def test_optuna_dashboard_is_started_once_and_linked(app, begin, settings, monkeypatch):
    begin(1)
    running = {}

    class Boards:
        address = staticmethod(running.get)

        def open(self, url, settings):
            running[url] = "http://127.0.0.1:4242"

    monkeypatch.setattr("ser_core.ui.cached.dashboards", Boards)
    monkeypatch.setattr("ser_core.tuning.dashboard.is_local", lambda _: True)
    at(app, "tune")
    button(app, "dashboard").click().run()
    well(app)
    assert running == {storage.url(settings): "http://127.0.0.1:4242"}
    assert [link.proto.url for link in app.get("link_button")] == ["http://127.0.0.1:4242"]
    assert not button(app, "dashboard")


def test_no_more_workers_are_offered_than_there_are_cores_and_memory(app, monkeypatch):
    monkeypatch.setattr(machine, "most_workers", lambda: 3)
    at(app, "tune", show="Start one")
    workers = app.number_input(key="workers")
    assert (workers.value, workers.max) == (3, 3)
    workers.set_value(64).run()
    well(app)
    assert next(code.value for code in app.code if " tune " in code.value).partition("--workers ")[2].split()[0] == "3"
