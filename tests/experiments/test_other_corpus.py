"""Models that are trained on one corpus and tested on another, made elsewhere by other people."""

import dataclasses
import shutil

import numpy as np
import pytest

from ser_core import evaluation, experiments
from ser_core.errors import ArtifactError, ModelError, ProtocolError
from ser_core.evaluation import protocols
from ser_core.experiments import fusion, other_corpus, verification
from ser_core.features import model_input, tables
from ser_core.features import registry as feature_sets
from ser_core.features.model_input import ModelInput
from ser_core.models import registry
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.results import comparison, generalization, run_titles, runs
from ser_core.settings import Settings


def run_of(model: str, place, table, settings, **recipe) -> runs.Run:
    other, recipe = other_corpus.read(place, table), registry.recipe(model, **recipe)
    features = model_input.load(table, settings, features=recipe.features, augmentation=recipe.augmentation, jobs=1)
    heard = model_input.load(other.clips, settings, features=recipe.features, jobs=1)
    return experiments.run_on(recipe, table, other, features=features, tested=heard)


@pytest.fixture(scope="module")
def here(voices, tmp_path_factory):
    """Settings with a store of features of its own, so that each clip is read once."""
    return dataclasses.replace(
        Settings.from_environment(), workspace=tmp_path_factory.mktemp("workspace"), data_dir=voices
    )


@pytest.fixture(scope="module")
def run(table, here, elsewhere) -> runs.Run:
    return run_of("kn", elsewhere, table, here)


def test_only_clips_of_shared_emotions_are_scored_and_the_others_are_kept_as_written(run):
    assert run.part("test")["truth"].value_counts().to_dict() == dict.fromkeys(
        ("angry_female", "angry_male", "sad_female", "sad_male"), 2
    )
    apart = run.part("other")
    assert apart["truth"].value_counts().to_dict() == {"boredom": 4, "calm_female": 2, "calm_male": 2}
    assert np.isfinite(evaluation.probabilities(apart)).all()
    without = run.predictions[run.predictions["part"] == "test"]
    assert run.scores == evaluation.scores(without)
    assert set(run.part("test")["corpus"]) == {"elsewhere"}


def test_the_model_is_trained_on_all_clips_of_the_table(run, table, here, elsewhere):
    trained = np.ascontiguousarray(tables.matrix(table))  # so few clips make the order of sums matter
    model = EmotionClassifier(experiments.build(run.recipe)).fit(trained, table["label"].to_numpy(dtype=str))
    clips = model_input.load(other_corpus.read(elsewhere, table).clips, here, jobs=1)
    np.testing.assert_allclose(model.predict_proba(clips.values), evaluation.probabilities(run.predictions), atol=1e-6)


def test_it_is_scored_among_all_eight_emotions_and_among_the_shared_ones(run):
    test = run.part("test")
    named, truth = evaluation.named_and_true(test, "emotion")
    assert run.scores["emotion_accuracy"] == np.mean(named == truth)
    shared, _ = evaluation.named_among_shared(test)
    assert set(shared) <= {"angry", "sad"}
    assert run.scores["shared_emotion_uar"] == evaluation.uar(truth, shared)
    value, low, high = evaluation.shared_uar_interval(test)
    assert value == run.scores["shared_emotion_uar"] and low <= value <= high


def test_a_run_says_what_it_was_tested_on(run):
    assert run.tested_on == {
        "corpus": "elsewhere",
        "digest": run.tested_on["digest"],
        "speakers": ["01", "02", "03", "04"],
        "languages": ["de"],
        "shortest_s": 1.25,
        "longest_s": 1.4,
    }
    said = generalization.about_other_corpus(run)
    assert said.startswith(
        "elsewhere: 8 clips of 2 emotions by 4 speakers (01, 02, 03, 04), in German, 1.2 to 1.4 s long. Of all eight "
    )
    assert said.endswith("8 clips of other emotions (boredom, calm) are in no score.")


def test_it_is_a_run_of_a_test_of_its_own(run, tmp_path):
    digest = run.tested_on["digest"][:8]
    assert run.protocol == run.test == f"corpus-elsewhere-{digest}"
    assert run.id.startswith(f"corpus-elsewhere-{digest}-kn-default-")
    assert run_titles.title(run) == "kn, tested on elsewhere"
    runs.save(run, tmp_path)
    (again,) = runs.list_all([tmp_path / "none", tmp_path])
    assert (again.what, again.tested_on, again.scores) == (run.what, run.tested_on, run.scores)
    (test,) = comparison.same_test([again])
    assert comparison.title_of_test(test).startswith(
        f"Trained on all clips, tested on another corpus: elsewhere ({digest})"
    )
    assert comparison.usual_kind(test) == "emotion"
    row = comparison.table([again], protocol=run.protocol, kind="emotion").iloc[0]
    assert row["test_accuracy"] == run.scores["emotion_accuracy"]
    with pytest.raises(ProtocolError, match=f"{run.protocol} tests on clips of another corpus. .* --test-on"):
        protocols.get(run.protocol).folds(None)


def test_other_clips_of_a_corpus_of_the_same_name_are_another_test(run, table, here, elsewhere, tmp_path):
    shutil.copytree(elsewhere.parent, tmp_path / "fewer")
    fewer = tmp_path / "fewer" / "elsewhere.csv"
    fewer.write_text("\n".join(fewer.read_text().splitlines()[:-1]) + "\n")
    other = run_of("kn", fewer, table, here)
    assert other.id != run.id and other.protocol != run.protocol
    assert len(comparison.same_test([run, other])) == 2


def test_genders_that_are_not_known_leave_emotions_to_score(run, table, here, genderless):
    unknown = run_of("kn", genderless, table, here)
    assert set(unknown.part("test")["truth"]) == {"angry", "sad"}
    assert evaluation.kinds(unknown.part("test")) == ("emotion",)
    of_emotions = {name: value for name, value in run.scores.items() if "emotion" in name}
    assert unknown.scores == of_emotions
    assert unknown.accuracy_interval("emotion") == run.accuracy_interval("emotion")
    assert generalization.about_other_corpus(unknown).startswith("genderless: 8 clips of 2 emotions by 4 speakers")
    row = comparison.table([unknown], protocol=unknown.protocol, kind="emotion").iloc[0]
    assert row["test_accuracy"] == unknown.scores["emotion_accuracy"]
    with pytest.raises(ModelError, match=r"no class can be scored. Score emotions: --kind emotion"):
        comparison.table([unknown], protocol=unknown.protocol)


VOICES = registry.recipe("krr", features="functionals", augmentation="speaker-perturbation")


@pytest.mark.parametrize("recipe", [VOICES, registry.recipe("robust")], ids=lambda recipe: recipe.model)
def test_augmented_copies_are_of_training_clips_alone(table, elsewhere, recipe):
    rng, other = np.random.default_rng(0), other_corpus.read(elsewhere, table)
    width = len(feature_sets.get(recipe.features).names)
    sizes = ((len(table), 3, width), (len(other.clips), width))
    features, heard = (ModelInput(recipe.features, "", "version", rng.normal(size=size)) for size in sizes)
    run = experiments.run_on(recipe, table, other, features=features, tested=heard)
    assert len(run.predictions) == len(other.clips)
    measured = recipe.model == "robust"  # which also measures how far a clip is from what it learned
    assert (evaluation.DISTANCE in run.predictions) == measured
    assert not run.predictions.isna().any(axis=None)


def test_a_vote_is_of_its_members_on_the_same_corpus(run, table, here, elsewhere):
    other = run_of("mlp", elsewhere, table, here)
    fused = fusion.fuse(registry.recipe("best"), run, other)
    assert (fused.protocol, fused.tested_on) == (run.protocol, run.tested_on)
    assert (
        fused.part("other")["truth"].tolist()
        == fused.part("other").merge(run.part("other"), on="clip")["truth_y"].tolist()
    )
    with pytest.raises(ArtifactError, match=r"run krr .*--test-on MANIFEST"):
        fusion.members(registry.recipe("best"), [run], protocol=run.protocol)


def test_it_is_verified_where_the_corpus_is(run, table, here, elsewhere):
    found = verification.verify(run, table, here, test_on=elsewhere, jobs=1)
    assert (found.predictions, found.changed, found.largest_difference) == (8, 0, 0)


def test_without_its_corpus_it_cannot_be_verified(run, table, here):
    with pytest.raises(ModelError, match="was tested on elsewhere: name the manifest or folder of these clips with"):
        verification.verify(run, table, here, jobs=1)


def test_with_another_corpus_it_cannot_be_verified(run, table, here, genderless):
    with pytest.raises(ModelError, match=r"was tested on other clips of elsewhere than .*genderless.csv holds"):
        verification.verify(run, table, here, test_on=genderless, jobs=1)


def test_a_run_of_another_protocol_is_verified_without_a_corpus(result, table, here, elsewhere):
    with pytest.raises(ModelError, match="was tested on no other corpus: leave out --test-on"):
        verification.verify(result.run, table, here, test_on=elsewhere, jobs=1)


def test_speakers_who_are_trained_on_are_no_other_corpus(table, voices):
    with pytest.raises(ProtocolError, match="speakers who are trained on, such as ravdess 01"):
        other_corpus.read(voices, table)


def test_a_corpus_without_two_shared_emotions_is_refused(table, elsewhere):
    few = elsewhere.with_name("few.csv")
    few.write_text("\n".join(line for line in elsewhere.read_text().splitlines() if ",Sad," not in line) + "\n")
    with pytest.raises(
        ProtocolError, match=r"shares angry with the training clips, .* It has angry, boredom, calm; the"
    ):
        other_corpus.read(few, table)


def test_rows_that_cannot_be_used_are_named_and_the_others_are_run_of(table, elsewhere):
    some = elsewhere.with_name("some.csv")
    some.write_text(elsewhere.read_text() + "nowhere.wav,09,angry,male,de\n")
    other = other_corpus.read(some, table)
    assert len(other.clips) == 16
    assert [one.file for one in other.rejected] == ["nowhere.wav"]


def test_a_model_of_other_emotions_is_tested_on_those_that_both_corpora_have(table, here, elsewhere):
    """Trained on emotions of which one is none of the eight, and tested on clips whose genders are known."""
    bored = table.copy()
    rows = bored.index[(bored["emotion"] == "sad") & (bored["repetition"] == 1)]
    bored.loc[rows, ["emotion", "label"]] = "boredom"
    run = run_of("kn", elsewhere, bored, here)
    assert evaluation.classes(run.predictions) == ("angry", "boredom", "sad")
    assert run.part("test")["truth"].value_counts().to_dict() == {"angry": 4, "boredom": 4, "sad": 4}
    assert run.part("other")["truth"].unique().tolist() == ["calm"]
    named, truth = evaluation.named_and_true(run.part("test"))
    assert run.scores["uar"] == pytest.approx(np.mean([np.mean(named[truth == one] == one) for one in set(truth)]))
