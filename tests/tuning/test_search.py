"""The search: repeatable, resumable, blind to the test part, and shared by workers that may die."""

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

from ser_core.errors import ModelError
from ser_core.evaluation import protocols
from ser_core.features import mean180, tables
from ser_core.models import networks, registry, search_spaces
from ser_core.settings import PROJECT
from ser_core.tuning import objective, results, search, studies
from tests.waiting import until


def test_the_same_seed_finds_the_same(begun):
    one, other = begun(4, "one"), begun(4, "other")
    assert [trial.params for trial in one.trials] == [trial.params for trial in other.trials]
    assert [trial.value for trial in one.trials] == [trial.value for trial in other.trials]
    third = begun(4, "third", seed=10)
    assert [trial.params for trial in third.trials] != [trial.params for trial in one.trials]


def test_what_no_model_can_learn_is_not_tuned_on(table):
    bored = table.assign(label="boredom")
    with pytest.raises(ModelError, match="other classes than the 16 that predictions and tuning know: 64 of 'boredom'"):
        objective.Objective({"model": "dt"}, bored)


def test_a_score_is_the_mean_over_the_folds_of_what_scikit_learn_says(begun, table):
    trial = results.best(begun(1, model="dt", cv="actors"))
    parameters = search_spaces.get("dt").parameters(trial.params)
    model = registry.build(registry.get("dt").trial_recipe(parameters, "ours", 9))
    features, labels = tables.matrix(table), table["label"].to_numpy(dtype=str)
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
    quick = dataclasses.replace(search_spaces.get("cnn"), fixed=search_spaces.get("cnn").fixed | {"epochs": 1})
    monkeypatch.setitem(search_spaces.OURS, "cnn", quick)
    study = begun(1, model="cnn", cv="actors")
    best = results.best(study)
    assert len(best.user_attrs["fold_scores"]) == 3
    assert results.parameters(study, best)["epochs"] == 1
    assert len(seen) == 3 and all(learned and watched and not learned & watched for learned, watched in seen)


def test_no_test_clip_is_seen_while_tuning(begun, table, monkeypatch):
    """Other features for the test clips change nothing that a study finds."""
    test = protocols.get("study").folds(table)[-1].held_out
    honest = [trial.value for trial in begun(2, "honest").trials]
    spoiled = table.copy()
    spoiled.loc[spoiled.index[test], list(mean180.NAMES)] = 0
    facts = vars(studies.Plan("kn", folds=3))
    blind = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=9))
    blind.optimize(objective.Objective(facts, spoiled), n_trials=2)
    assert [trial.value for trial in blind.trials] == honest


def test_resuming_goes_on_to_the_new_number(begun):
    study = begun(2)
    assert begun(5, resume=True)._study_id == study._study_id
    assert results.count(study) == (5, 0)
    assert study.user_attrs["trials"] == 5


def test_a_failed_trial_keeps_its_reason_and_the_study_goes_on(begun, monkeypatch):
    known = registry.get("kn")

    def at_times(parameters, seed):
        if parameters["weights"] == "uniform":
            raise ValueError("uniform neighbours are not at home")
        return known.classifier(parameters, seed)

    monkeypatch.setitem(registry.MODELS, "kn", dataclasses.replace(known, classifier=at_times))
    rows = results.table(begun(8, sampler="random"))
    failed = rows[rows["state"] == "fail"]
    assert 0 < len(failed) < 8
    assert set(failed["reason"]) == {"ValueError: uniform neighbours are not at home"}
    assert len(rows) == 8


def test_pruning_leaves_out_folds_of_hopeless_trials(begun):
    rows = results.table(begun(14, sampler="random", model="dt", folds=5))
    folds = rows["fold_scores"].str.len()
    assert (folds[rows["state"] == "complete"] == 5).all()
    assert (folds[rows["state"] == "pruned"] < 5).all()
    assert (rows["state"] == "pruned").any()
    unpruned = results.table(begun(4, "whole", model="dt", pruner="none"))
    assert set(unpruned["state"]) == {"complete"}


def worker(name, url, file, *more):
    command = [sys.executable, "-m", "ser_core", "worker", "--study", name, "--storage", url, "--heartbeat", "1"]
    return subprocess.Popen([*command, "--features", file, *more], cwd=PROJECT)


def hold_in_a_trial(process, study):
    """Halt a worker while it is in a trial, after it has ended one."""

    def is_in_a_trial():
        process.send_signal(signal.SIGSTOP)
        running = [trial for trial in study.trials if trial.state == TrialState.RUNNING]
        if results.count(study)[0] and running and len(running[0].params) == 3:
            return True
        process.send_signal(signal.SIGCONT)
        return False

    until(is_in_a_trial)


def test_a_killed_workers_trial_comes_back(url, table, file):
    """No trial that ended is lost, and the one that was at work is done by another worker, with the same parameters."""
    study = studies.create(studies.Plan("mlp"), url, table, trials=12)
    doomed = worker(study.study_name, url, file)
    hold_in_a_trial(doomed, study)
    doomed.kill()
    doomed.wait()
    ended = results.count(study)[0]
    search.work(study.study_name, url, table, number=1, heartbeat_s=1)
    rows = results.table(study)
    assert results.count(study) == (12, 0)
    assert ended >= 1
    lost = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    again = [trial for trial in study.trials if trial.system_attrs.get("retry_history")]
    assert len(again) == len(lost) == 1
    assert lost[0].params == again[0].params
    assert set(rows["state"]) <= {"complete", "pruned", "lost"}


def test_a_stopped_workers_trial_is_begun_again_on_resume(url, table, file):
    study = studies.create(studies.Plan("mlp"), url, table, trials=12)
    stopped = worker(study.study_name, url, file)
    hold_in_a_trial(stopped, study)
    stopped.send_signal(signal.SIGTERM)
    stopped.send_signal(signal.SIGCONT)
    assert stopped.wait() == 130
    rows = results.table(study)
    assert "lost" not in set(rows["state"]) and not (rows["state"] == "running").any()
    study = studies.create(studies.Plan("mlp"), url, table, trials=12, resume=True)
    search.work(study.study_name, url, table)
    assert results.count(study) == (12, 0)
    assert len(study.trials) == 12 + (rows["state"] == "stopped").sum()


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.06, 0.09])
def test_whenever_a_worker_is_stopped_no_trial_seems_to_run(url, table, file, after_s):
    study = studies.create(studies.Plan("kn"), url, table, trials=10_000)
    stopped = worker(study.study_name, url, file)
    until(lambda: results.count(study)[0])
    time.sleep(after_s)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait() == 130
    assert results.count(study)[1] == 0


def test_a_trial_whose_worker_died_before_its_first_sign_of_life_is_not_waited_for(url, table):
    study = studies.create(studies.Plan("kn"), url, table, trials=2)
    study.ask()
    search.work(study.study_name, url, table, heartbeat_s=1)
    assert results.count(study) == (2, 0)
    assert study.trials[0].state == TrialState.FAIL


def test_several_workers_share_a_study(url, table, file):
    study = studies.create(studies.Plan("kn", pruner="none"), url, table, trials=8)
    told = []
    search.tune(study, url, table, workers=2, features=file, progress=lambda *at: told.append(at))
    assert results.count(study) == (8, 0)
    assert told[-1] == (8, 8)


def test_a_time_limit_ends_it(url, table, monkeypatch):
    study = studies.create(studies.Plan("kn"), url, table, trials=1000)
    clock = itertools.count()  # a second each time that anyone looks
    monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=time.sleep))
    search.work(study.study_name, url, table, timeout_s=5)
    assert 0 < results.count(study)[0] <= 5
