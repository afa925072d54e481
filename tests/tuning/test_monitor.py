import sqlite3
from contextlib import closing

import optuna
import pytest
from optuna.trial import TrialState

from ser_core.tuning import monitor, results, storage, studies


def watch(settings, name: str) -> monitor.Watch:
    return monitor.Watch(studies.find(name, settings))


def test_a_snapshot_is_the_study_in_memory(begun, settings):
    study = begun()
    snapshot = watch(settings, study.study_name).now()
    assert snapshot.study.user_attrs == study.user_attrs
    assert results.table(snapshot.study).equals(results.table(study))
    assert results.best(snapshot.study).params == results.best(study).params
    assert not snapshot.running


def test_its_stamp_changes_with_the_study_and_only_then(begun, settings):
    one = watch(settings, begun(trials=1).study_name)
    before = one.now()
    assert one.now().stamp == before.stamp
    begun(trials=2, resume=True)
    after = one.now()
    assert after.stamp != before.stamp
    assert (len(before.study.trials), len(after.study.trials)) == (1, 2)


@pytest.mark.filterwarnings("ignore:Heartbeat of storage")
def test_a_trial_at_work_is_running_until_its_worker_gives_no_sign_of_life(begun, settings):
    study = begun(trials=1)
    trial = study.ask()
    study._storage.record_heartbeat(trial._trial_id)
    one = watch(settings, study.study_name)
    assert one.now().running
    with closing(sqlite3.connect(settings.workspace / "studies.sqlite")) as database, database:
        database.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-1 hour')")
    snapshot = one.now()
    assert not snapshot.running
    assert list(results.table(snapshot.study)["state"]) == ["complete", "lost"]
    assert study.trials[1].state == TrialState.RUNNING  # whoever looks changes nothing


def test_another_study_of_the_same_name_is_seen(begun, settings, url):
    study = begun(trials=2)
    one = watch(settings, study.study_name)
    assert len(one.now().study.trials) == 2
    optuna.delete_study(study_name=study.study_name, storage=storage.connect(url))
    begun(trials=1).set_user_attr("made", "later")
    assert len(one.now().study.trials) == 1


def test_the_studies_that_ship_can_be_watched(settings):
    assert all(not monitor.Watch(found).now().running for found in studies.list_all(settings))
