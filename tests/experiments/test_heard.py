"""Test clips that are heard in a recording condition, by models that were trained without it."""

import numpy as np
import pytest

from ser_core import evaluation, experiments
from ser_core.errors import ArtifactError, AudioError, FeatureError, ModelError
from ser_core.experiments import fusion, verification
from ser_core.features import model_input, registry
from ser_core.features.heard import heard
from ser_core.models import registry as models
from ser_core.results import comparison, runs


@pytest.fixture
def here(settings, voices, monkeypatch):
    """Settings whose recordings are the synthetic clips."""
    monkeypatch.setenv("SER_DATA_DIR", str(voices))
    return type(settings).from_environment()


@pytest.fixture
def telephone(table, here):
    return model_input.load(table, here, heard="telephone", jobs=1)


def test_the_same_models_hear_their_test_clips_in_another_way(table, telephone):
    plain = experiments.run("kn", table, jobs=1).run
    result = experiments.run("kn", table, heard=[telephone], jobs=1)
    assert result.run.predictions.equals(plain.predictions)
    (run,) = result.heard
    assert (run.heard, run.test, run.protocol) == ("telephone", "study heard telephone", "study")
    assert run.id != plain.id and "telephone" in run.id
    assert set(run.predictions["part"]) == {"test"}
    assert run.predictions["clip"].tolist() == plain.part("test")["clip"].tolist()
    assert not np.allclose(evaluation.probabilities(run.predictions), evaluation.probabilities(plain.part("test")))
    assert run.scores == evaluation.scores(run.predictions)


def test_what_is_heard_is_predicted_by_the_model_that_is_kept(table, telephone):
    result = experiments.run("kn", table, heard=[telephone], cv=False, jobs=1)
    rows = table.reset_index().set_index("stem").loc[result.heard[0].predictions["clip"], "index"]
    given = result.model.predict_proba(telephone.values[rows])
    kept = evaluation.probabilities(result.heard[0].predictions)  # 12 bits of each
    np.testing.assert_allclose(given, kept, rtol=2**-12, atol=1e-6)


def test_a_model_that_is_kept_can_hear_more_conditions_later(table, telephone):
    result = experiments.run("kn", table, heard=[telephone], cv=False, jobs=1)
    (again,) = experiments.run_heard(result.run, result.model, table, [telephone])
    (first,) = result.heard
    assert (again.id, again.test, again.scores) == (first.id, first.test, first.scores)
    assert again.predictions.equals(first.predictions)


def test_a_run_without_a_single_model_cannot_hear_more_conditions_later(table, telephone):
    result = experiments.run("kn", table, protocol="actors-2", jobs=1)
    with pytest.raises(ModelError, match="no single model"):
        experiments.run_heard(result.run, result.model, table, [telephone])


def test_it_is_saved_and_read_and_never_taken_for_the_run_as_recorded(table, telephone, tmp_path):
    result = experiments.run("kn", table, heard=[telephone], cv=False, jobs=1)
    for run in (result.heard[0], result.run):
        runs.save(run, tmp_path)
    found = runs.list_all([tmp_path / "none", tmp_path])
    assert {run.test for run in found} == {"study", "study heard telephone"}
    assert runs.find(found, protocol="study", model="kn").heard == ""
    digest = result.run.data_digest[:8]
    tests = [f"study heard telephone of {digest}", f"study of {digest}"]
    assert list(comparison.same_test(found)) == tests
    assert comparison.usual_kind(tests[0]) == "class"
    assert comparison.title_of_test("study heard telephone").endswith("test clips heard over a telephone")
    (again,) = [run for run in found if run.heard]
    assert again.versions.features.startswith("study-1; tested on study-1 heard telephone, conditions-")


def test_a_vote_hears_what_its_members_hear(table, telephone):
    recipe = models.recipe("best")
    made = [experiments.run(key, table, heard=[telephone], jobs=1) for key in ("kn", "mlp")]
    first, second = (one.heard[0] for one in made)
    fused = fusion.fuse(recipe, first, second)
    assert (fused.heard, fused.test) == ("telephone", "study heard telephone")
    with pytest.raises(ArtifactError, match="--heard telephone"):
        fusion.members(recipe, [one.run for one in made], protocol="study", heard="telephone")


def test_a_saved_run_that_was_heard_in_a_condition_is_verified_in_it(table, telephone, here, tmp_path):
    run = experiments.run("kn", table, heard=[telephone], cv=False, jobs=1).heard[0]
    found = verification.verify(run, table, here, jobs=1)
    assert (found.changed, found.largest_difference) == (0, 0)


def test_babble_is_other_speakers(table, here):
    first = model_input.load(table, here, heard="babble-10", jobs=1)
    again = model_input.load(table, here, heard="babble-10", jobs=1)
    assert first.values.shape == (len(table), 180)
    np.testing.assert_array_equal(first.values, again.values)
    assert first.version == "study-1 heard babble-10, conditions-1"


def test_only_the_clips_that_are_tested_need_to_be_heard(table, here, telephone):
    some = model_input.load(table, here, heard="telephone", rows=np.array([5, 3]), jobs=1)
    assert np.flatnonzero(np.isfinite(some.values).all(axis=1)).tolist() == [3, 5]
    np.testing.assert_array_equal(some.values[[3, 5]], telephone.values[[3, 5]])


def test_an_unknown_condition_is_refused(table, here):
    with pytest.raises(AudioError, match="no condition 'moon'"):
        model_input.load(table, here, heard="moon")


def test_a_backbones_features_are_not_made_of_changed_clips():
    import dataclasses

    batched = dataclasses.replace(registry.MEAN180, extract=None, extract_batch=len)
    with pytest.raises(FeatureError, match="heard in a condition"):
        heard(batched, "telephone")
