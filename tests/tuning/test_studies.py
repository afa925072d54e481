"""Studies from their start to a preset: repeatable, resumable, and blind to the test part."""

import dataclasses
import itertools
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from sklearn.metrics import recall_score

from ser_core import experiments, protocols, runs
from ser_core.errors import ModelError, ProtocolError, TuningError
from ser_core.features import store
from ser_core.models import networks, presets, registry
from ser_core.settings import PROJECT
from ser_core.tuning import objective, spaces, studies


def test_the_same_seed_finds_the_same(begun):
    one, other = begun(4, "one"), begun(4, "other")
    assert [trial.params for trial in one.trials] == [trial.params for trial in other.trials]
    assert [trial.value for trial in one.trials] == [trial.value for trial in other.trials]
    third = begun(4, "third", seed=10)
    assert [trial.params for trial in third.trials] != [trial.params for trial in one.trials]


def test_a_score_is_the_mean_over_the_folds_of_what_scikit_learn_says(begun, table):
    trial = studies.best(begun(1, model="dt", cv="actors"))
    model = registry.get("dt").make(spaces.get("dt").parameters(trial.params), 9)
    features, labels = store.matrix(table), table["label"].to_numpy(dtype=str)
    expected = []
    for fold in protocols.tuning_folds(table, "actors", 3):
        given = model.fit(features[fold.train], labels[fold.train]).predict(features[fold.held_out])
        truth = labels[fold.held_out]
        expected.append(recall_score(truth, given, labels=np.unique(truth), average="macro"))
    assert trial.user_attrs["fold_scores"] == pytest.approx(expected)
    assert trial.value == pytest.approx(np.mean(expected))


def test_a_network_is_tuned_like_any_other_and_watches_actors_that_it_does_not_learn_from(begun, table, monkeypatch):
    """With a body that is built quickly and one epoch, on folds that hold actors out."""
    split = networks.NetworkClassifier._parts
    seen = []

    def parts(self, labels, groups):
        learn, watch = split(self, labels, groups)
        seen.append((set(groups[learn]), set(groups[watch])))
        return learn, watch

    monkeypatch.setattr(networks.NetworkClassifier, "_parts", parts)
    monkeypatch.setitem(registry.MODELS, "cnn", dataclasses.replace(registry.get("cnn"), network="rnn"))
    quick = dataclasses.replace(spaces.get("cnn"), fixed=spaces.get("cnn").fixed | {"epochs": 1})
    monkeypatch.setitem(spaces.OURS, "cnn", quick)
    study = begun(1, model="cnn", cv="actors")
    best = studies.best(study)
    assert len(best.user_attrs["fold_scores"]) == 3
    assert studies.parameters(study, best)["epochs"] == 1
    assert len(seen) == 3 and all(learned and watched and not learned & watched for learned, watched in seen)


def test_five_folds_of_the_study_give_the_cv_accuracy_of_a_run(begun, table, settings):
    study = begun(1, folds=5)
    preset, _ = studies.save_preset(study, table, settings, jobs=1)
    run = runs.get(preset.run, settings.stores)
    assert run.scores["cv_accuracy"] == pytest.approx(studies.best(study).value)


def test_no_test_clip_is_seen_while_tuning(begun, table, monkeypatch):
    """Other features for the test clips change nothing that a study finds."""
    test = protocols.get("study").folds(table)[-1].held_out
    honest = [trial.value for trial in begun(2, "honest").trials]
    spoiled = table.copy()
    spoiled.loc[spoiled.index[test], list(store.study.NAMES)] = 0
    facts = vars(studies.Plan("kn", folds=3))
    blind = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=9))
    blind.optimize(objective.Objective(facts, spoiled), n_trials=2)
    assert [trial.value for trial in blind.trials] == honest


def test_resuming_goes_on_to_the_new_number(begun):
    study = begun(2)
    assert begun(5, resume=True)._study_id == study._study_id
    assert studies.count(study) == (5, 0)
    assert study.user_attrs["trials"] == 5


def test_a_study_is_not_begun_twice_nor_gone_on_with_by_another_plan(begun, url, table):
    begun(1, "mine")
    with pytest.raises(TuningError, match="There is a study 'mine' already: go on with it"):
        begun(1, "mine")
    with pytest.raises(TuningError, match="has sampler 'tpe', not 'random'"):
        begun(1, "mine", resume=True, sampler="random")
    fewer = table[table["repetition"] == 1].reset_index(drop=True)
    with pytest.raises(TuningError, match="is of other clips"):
        studies.work("mine", url, fewer)


def test_a_failed_trial_keeps_its_reason_and_the_study_goes_on(begun, monkeypatch):
    known = registry.get("kn")

    def at_times(parameters, seed):
        if parameters["weights"] == "uniform":
            raise ValueError("uniform neighbours are not at home")
        return known.classifier(parameters, seed)

    monkeypatch.setitem(registry.MODELS, "kn", dataclasses.replace(known, classifier=at_times))
    rows = studies.table(begun(8, sampler="random"))
    failed = rows[rows["state"] == "fail"]
    assert 0 < len(failed) < 8
    assert set(failed["reason"]) == {"ValueError: uniform neighbours are not at home"}
    assert len(rows) == 8


def test_pruning_leaves_out_folds_of_hopeless_trials(begun):
    rows = studies.table(begun(14, sampler="random", model="dt", folds=5))
    folds = rows["fold_scores"].str.len()
    assert (folds[rows["state"] == "complete"] == 5).all()
    assert (folds[rows["state"] == "pruned"] < 5).all()
    assert (rows["state"] == "pruned").any()
    unpruned = studies.table(begun(4, "whole", model="dt", pruner="none"))
    assert set(unpruned["state"]) == {"complete"}


@pytest.mark.parametrize(
    ("plan", "error", "says"),
    [
        ({"model": "nothing"}, ModelError, "no model 'nothing'"),
        ({"model": "v4"}, TuningError, "'v4' is not tuned"),
        ({"sampler": "grid"}, TuningError, "no sampler 'grid'; there is tpe, random"),
        ({"pruner": "all"}, TuningError, "no pruner 'all'"),
        ({"cv": "loud"}, TuningError, "no folds 'loud'"),
        ({"folds": 2}, TuningError, "3 to 5 folds, not 2"),
        ({"cv": "actors", "folds": 5}, ProtocolError, "5 folds of actors need 5 actors"),
    ],
)
def test_a_plan_that_cannot_be_done_is_one_clear_line(begun, plan, error, says):
    with pytest.raises(error, match=says):
        begun(**plan)


def test_names_and_numbers_are_checked(begun):
    with pytest.raises(TuningError, match="no name for a study"):
        begun(1, "../mine")
    with pytest.raises(TuningError, match="0 trials find nothing"):
        begun(0)


def test_a_study_that_is_not_there(settings, url, table):
    with pytest.raises(TuningError, match="no study 'none'; there is"):
        studies.find("none", settings)
    with pytest.raises(TuningError, match="no study 'none' in sqlite"):
        studies.work("none", url, table)
    assert not studies.list_all(settings)[-1:] or studies.list_all(settings)[-1].shipped


def test_a_preset_is_tested_once(begun, table, settings, monkeypatch):
    study = begun(3)
    preset, new = studies.save_preset(study, table, settings, jobs=1)
    assert new
    run = runs.get(preset.run, settings.stores)
    assert run.info["tuned"]["trials"] == 3
    assert run.info["parameters"] == preset.parameters == studies.parameters(study, studies.best(study))
    monkeypatch.setattr(experiments, "run", lambda *_, **__: pytest.fail("the test part was looked at again"))
    assert studies.save_preset(study, table, settings, jobs=1) == (preset, False)


def test_a_preset_runs_like_any_other(begun, table, settings):
    preset, _ = studies.save_preset(begun(2, model="dt", space="study"), table, settings, name="mine", jobs=1)
    model = presets.model("dt", settings.stores)
    again = experiments.run(model, table, preset="mine", jobs=1).run
    assert again.scores == pytest.approx(runs.get(preset.run, settings.stores).scores)
    plain = model.build("mine", 9)
    assert [name for name, _ in plain.steps] == [
        "standardscaler",
        "decisiontreeclassifier",
    ]  # as then
    with pytest.raises(ModelError, match="no name for a preset"):
        studies.save_preset(begun(1, "two"), table, settings, name="default", jobs=1)


def test_no_preset_without_a_whole_trial(url, table, settings):
    study = studies.create(studies.Plan("kn"), url, table, trials=1)
    with pytest.raises(TuningError, match="no trial yet that ran all its folds"):
        studies.save_preset(study, table, settings)


def test_an_estimate_comes_from_what_trials_took(begun, settings, tmp_path):
    settings = dataclasses.replace(settings, artifacts=tmp_path)  # without the studies that ship
    plan = studies.Plan("kn", folds=3, pruner="none")
    begun(4, pruner="none")
    seconds = studies.table(studies.load(studies.find(plan.name, settings)))["seconds"].mean()
    assert studies.estimate(plan, 100, 2, settings) == pytest.approx(seconds * 50, rel=0.5)
    assert studies.estimate(studies.Plan("kn", space="study"), 100, 2, settings) is None


@pytest.fixture
def saved_table(table, tmp_path):
    store.save_table(table, tmp_path / "table.parquet")
    return tmp_path / "table.parquet"


def wait_until(condition, seconds: float = 240):  # far longer than it takes on a machine at work
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.05)


def worker(name, url, file, *more):
    command = [sys.executable, "-m", "ser_core", "worker", "--study", name, "--storage", url, "--heartbeat", "1"]
    return subprocess.Popen([*command, "--features", file, *more], cwd=PROJECT)


def hold_in_a_trial(process, study):
    """Halt a worker while it is in a trial, after it has ended one."""

    def is_in_a_trial():
        process.send_signal(signal.SIGSTOP)
        running = [trial for trial in study.trials if trial.state == TrialState.RUNNING]
        if studies.count(study)[0] and running and len(running[0].params) == 3:
            return True
        process.send_signal(signal.SIGCONT)
        return False

    wait_until(is_in_a_trial)


def test_a_killed_workers_trial_comes_back(url, table, saved_table):
    """No trial that ended is lost, and the one that was at work is done by another worker, with the same parameters."""
    study = studies.create(studies.Plan("mlp"), url, table, trials=12)
    doomed = worker(study.study_name, url, saved_table)
    hold_in_a_trial(doomed, study)
    doomed.kill()
    doomed.wait()
    ended = studies.count(study)[0]
    studies.work(study.study_name, url, table, number=1, heartbeat_s=1)
    rows = studies.table(study)
    assert studies.count(study) == (12, 0)
    assert ended >= 1
    lost = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    again = [trial for trial in study.trials if trial.system_attrs.get("retry_history")]
    assert len(again) == len(lost) == 1
    assert lost[0].params == again[0].params
    assert set(rows["state"]) <= {"complete", "pruned", "lost"}


def test_a_stopped_workers_trial_is_begun_again_on_resume(url, table, saved_table):
    study = studies.create(studies.Plan("mlp"), url, table, trials=12)
    stopped = worker(study.study_name, url, saved_table)
    hold_in_a_trial(stopped, study)
    stopped.send_signal(signal.SIGTERM)
    stopped.send_signal(signal.SIGCONT)
    assert stopped.wait() == 130
    rows = studies.table(study)
    assert "lost" not in set(rows["state"]) and not (rows["state"] == "running").any()
    study = studies.create(studies.Plan("mlp"), url, table, trials=12, resume=True)
    studies.work(study.study_name, url, table)
    assert studies.count(study) == (12, 0)
    assert len(study.trials) == 12 + (rows["state"] == "stopped").sum()


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.06, 0.09])
def test_whenever_a_worker_is_stopped_no_trial_seems_to_run(url, table, saved_table, after_s):
    study = studies.create(studies.Plan("kn"), url, table, trials=10_000)
    stopped = worker(study.study_name, url, saved_table)
    wait_until(lambda: studies.count(study)[0])
    time.sleep(after_s)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait() == 130
    assert studies.count(study)[1] == 0


def test_a_trial_whose_worker_died_before_its_first_sign_of_life_is_not_waited_for(url, table):
    study = studies.create(studies.Plan("kn"), url, table, trials=2)
    study.ask()
    studies.work(study.study_name, url, table, heartbeat_s=1)
    assert studies.count(study) == (2, 0)
    assert study.trials[0].state == TrialState.FAIL


def test_several_workers_share_a_study(url, table, saved_table):
    study = studies.create(studies.Plan("kn", pruner="none"), url, table, trials=8)
    told = []
    studies.tune(study, url, table, workers=2, features=saved_table, progress=lambda *at: told.append(at))
    assert studies.count(study) == (8, 0)
    assert told[-1] == (8, 8)


def test_a_time_limit_ends_it(url, table, monkeypatch):
    study = studies.create(studies.Plan("kn"), url, table, trials=1000)
    clock = itertools.count()  # a second each time that anyone looks
    monkeypatch.setattr(studies, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=time.sleep))
    studies.work(study.study_name, url, table, timeout_s=5)
    assert 0 < studies.count(study)[0] <= 5
