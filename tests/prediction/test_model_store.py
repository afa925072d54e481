import json
from dataclasses import replace

import joblib
import numpy as np
import pytest

from ser_core import evaluation, experiments
from ser_core.cli import health
from ser_core.errors import ArtifactError, ModelError
from ser_core.evaluation import verdicts
from ser_core.experiments import Result, fusion
from ser_core.features import mean180, tables
from ser_core.models import presets, registry
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.model import Member, Preset, SavedVote
from ser_core.prediction import cards, model_store
from ser_core.prediction.cards import TrainedOn
from ser_core.prediction.predictor import Predictor
from ser_core.results import runs
from ser_core.results.runs import Run, Tables
from ser_core.settings import PROJECT


def test_a_kept_model_gives_the_numbers_that_it_gave(trained, result, table):
    features = tables.matrix(table)
    np.testing.assert_array_equal(
        model_store.load(trained).predict_proba(features), result.model.predict_proba(features)
    )


def test_a_run_with_a_model_for_each_fold_cannot_be_kept(result, table, tmp_path):
    with pytest.raises(ModelError, match="no single model"):
        model_store.save(Result(result.run, None), table, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", registry.of_tables())
def test_every_model_can_be_kept_and_loaded(key, table, result, tmp_path):
    features, labels = tables.matrix(table), table["label"].to_numpy(dtype=str)
    model = EmotionClassifier(registry.build(registry.recipe(key))).fit(features, labels)
    entry = model_store.save(Result(result.run, model), table, tmp_path)
    np.testing.assert_array_equal(model_store.load(entry).predict_proba(features), model.predict_proba(features))


def test_trainings_that_end_together_lose_no_model(result, table, tmp_path):
    def save(key):
        recipe = replace(result.run.recipe, model=key)
        model_store.save(Result(replace(result.run, recipe=recipe), result.model), table, tmp_path)

    keys = ["dt", "kn", "krr", "lgb", "lr", "mlp", "svm", "xgb"]
    joblib.Parallel(n_jobs=4, backend="threading")(joblib.delayed(save)(key) for key in keys)
    assert sorted(entry.key for entry in model_store.list_all([tmp_path])) == keys


def test_an_entry_says_where_the_model_comes_from(trained, result):
    entry = model_store.find("v2", [trained.store])
    assert (entry.run, entry.recipe) == (result.run.id, result.run.recipe)
    assert entry.scores == result.run.scores
    assert entry.features == mean180.VERSION
    assert entry.trained_on == TrainedOn(51, 4, 1.2, 1.2, 1.2)
    assert set(entry.files) == {"model.skops", "card.md"}


def test_the_card_says_what_it_is_worth_and_under_which_terms(trained, result):
    assert f"{result.run.scores['test_accuracy']:.3f}" in trained.card
    assert "CC BY-NC-SA 4.0" in trained.card
    assert "Livingstone" in trained.card
    assert "never heard" in trained.card


@pytest.mark.parametrize("name", ["model.skops", "card.md"])
def test_a_file_that_was_changed_is_not_loaded(trained, name):
    file = trained.folder / name
    file.write_bytes(file.read_bytes() + b"!")
    with pytest.raises(ArtifactError, match=f"{name} has digest .* python -m ser_core train v2"):
        model_store.load(trained)


def test_a_file_that_is_gone_is_named(trained):
    (trained.folder / "model.skops").unlink()
    with pytest.raises(ArtifactError, match=r"model\.skops cannot be read"):
        model_store.load(trained)


@pytest.mark.parametrize("package", model_store.CHECKED_PACKAGES[model_store.MODEL_FILE])
def test_another_library_version_is_refused(trained, package):
    trained = replace(trained, versions=trained.versions | {package: "0.1"})
    with pytest.raises(ArtifactError, match=f"made with {package} 0.1, but here is .* train v2"):
        model_store.load(trained)


def test_other_features_are_refused(trained):
    trained = replace(trained, features="study-0")
    with pytest.raises(ArtifactError, match=r"features study-0, but here is study-1.* train v2"):
        model_store.load(trained)


def test_other_classes_are_refused(trained):
    trained = replace(trained, labels=["joy", "grief"])
    with pytest.raises(ArtifactError, match=r"classes .*joy"):
        model_store.load(trained)


def test_a_type_that_no_model_needs_is_not_built(trained, monkeypatch):
    monkeypatch.setattr(model_store, "TRUSTED_TYPES", [])
    with pytest.raises(ArtifactError, match="holds types that no model here needs: ser_core"):
        model_store.load(trained)


def test_a_model_that_nobody_trained_says_how_to_train_it(trained):
    with pytest.raises(ArtifactError, match=r"no trained model 'svm' \(v2\).*ser_core train svm"):
        model_store.find("svm", [trained.store])


@pytest.fixture
def vote(table, tmp_path, monkeypatch):
    """A vote of two saved models in a store: the vote's entry, and its run."""
    members = {key: experiments.run(key, table, jobs=1) for key in ("kn", "lr")}
    for member in members.values():
        model_store.save(member, table, tmp_path)
    weights = Preset({"weights": {"kn": 3, "lr": 1}}, features="members", preprocessing="members")
    model = SavedVote("pair", "Vote: kn + lr", "ensemble", "", {"default": weights}, {"kn": Member(), "lr": Member()})
    monkeypatch.setitem(registry.MODELS, "pair", model)
    run = fusion.fuse(model.recipe(), *(member.run for member in members.values()))
    return model_store.save_vote(run, table, tmp_path), run


def test_a_vote_of_saved_models_says_what_its_run_says(vote, voices):
    entry, run = vote
    assert model_store.check(entry) == b""
    assert "those of its members: kn, lr" in entry.card
    said = run.part("test").iloc[0]
    heard = Predictor.load(entry).predict_file(next(voices.rglob(f"{said['clip']}.wav")))
    assert list(heard.members) == ["kn", "lr"]
    assert heard.probabilities["angry_male"] == pytest.approx(said["p_angry_male"], abs=1e-5)


def test_a_vote_whose_member_was_trained_anew_is_refused(vote, table):
    entry, _ = vote
    model_store.save(experiments.run(registry.recipe("kn", "study", seed=3), table, jobs=1), table, entry.store)
    with pytest.raises(ArtifactError, match=r"pair was made with kn of digest .* but here is another"):
        Predictor.load(entry)


def test_a_vote_is_not_kept_without_the_members_of_its_run(vote, table, tmp_path):
    _, run = vote
    with pytest.raises(ArtifactError, match="no trained model 'kn'"):
        model_store.save_vote(run, table, tmp_path / "elsewhere")


def test_what_a_model_is_worth_is_said_for_voices_heard_and_never_heard(trained, settings):
    known, others = trained.worth
    assert f"{trained.scores['test_accuracy']:.0%}" in known
    assert "was not measured" in others
    best = model_store.find("best", [settings.artifacts])
    assert f"{best.unheard.scores['emotion_accuracy']:.0%} of eight emotions" in best.worth[1]


@pytest.fixture
def elsewhere(result) -> Run:
    """The small vote's run as one on another corpus."""
    tested_on = {"corpus": "emodb", "speakers": ["03", "08"], "languages": ["de"], "digest": "0123"}
    return replace(result.run, id="elsewhere", tested_on=tested_on)


@pytest.fixture
def tested(result, elsewhere) -> model_store.Tests:
    """As if it had been asked about new speakers, in two conditions and on another corpus."""
    heard = [replace(result.run, id=key, heard=key) for key in ("telephone", "room")]
    return model_store.Tests(replace(result.run, id="unheard"), heard, [elsewhere])


def test_what_an_answer_must_pass_is_kept_with_the_model(tested, result, table, tmp_path):
    made = model_store.save(result, table, tmp_path, tests=tested)
    found = model_store.find("v2", [tmp_path])
    expected = verdicts.limits(result.run.part("test"), [result.run.part("test")] * 2)
    assert found.unheard == made.unheard == cards.Unheard("unheard", result.run.scores, expected)
    assert found.unheard.limits == Predictor.load(found).limits == expected
    assert expected.conditions == 3 and expected.clips == len(result.run.part("test"))


def test_where_a_model_was_tested_is_kept_with_it(tested, result, table, tmp_path):
    made = model_store.save(result, table, tmp_path, tests=tested)
    found = model_store.find("v2", [tmp_path])
    assert found.situations == made.situations == tested.situations
    conditions, corpus = found.situations["recording"], found.situations["corpus"]
    assert (conditions.what, corpus.what) == ("in 2 recording conditions", "emodb: 2 speakers, de")
    named, truth = evaluation.named_and_true(result.run.part("test"), "emotion")
    assert conditions.right == corpus.right == pytest.approx((named == truth).mean())
    assert conditions.claimed == pytest.approx(result.run.scores["emotion_claimed"])
    assert conditions.clips == corpus.clips == len(result.run.part("test"))


def test_it_is_said_for_each_situation(tested, result, table, tmp_path):
    made = model_store.save(result, table, tmp_path, tests=tested)
    assert list(made.situations_by_title) == ["Known voice", "New voice", "Other recording", "Other language"]
    for right, whose in made.situations_by_title.values():
        assert 0 <= right <= 1 and whose.endswith(".")
    assert len(made.worth) == 4
    assert "recorded otherwise (in 2 recording conditions)" in made.worth[2]
    assert "of another corpus and language (emodb: 2 speakers, de)" in made.worth[3]


def test_a_model_that_was_tested_nowhere_else_says_so_by_its_silence(trained):
    assert trained.situations == {} and trained.unheard is None
    assert list(trained.situations_by_title) == ["Known voice"]
    assert "situations" not in json.loads((trained.store / "manifest.json").read_text())["models"]["v2"]


def test_an_older_manifest_without_limits_is_read(trained, result, table, tmp_path):
    store = tmp_path / "older"
    model_store.save(result, table, store, tests=model_store.Tests(result.run))
    manifest = json.loads((store / "manifest.json").read_text())
    del manifest["models"]["v2"]["unheard"]["limits"]
    (store / "manifest.json").write_text(json.dumps(manifest))
    found = model_store.find("v2", [store])
    assert found.unheard == cards.Unheard(result.run.id, result.run.scores)
    assert Predictor.load(found).limits is None


def test_ones_own_model_goes_before_the_shipped_one(trained, result, table, tmp_path):
    own = model_store.save(result, table, tmp_path / "own")
    assert model_store.find("v2", [trained.store, own.store]).store == own.store
    assert [entry.shipped for entry in model_store.list_all([trained.store, own.store])] == [True, False]


def test_an_entry_that_lacks_something_is_named(trained):
    manifest = trained.store / "manifest.json"
    known = json.loads(manifest.read_text())
    del known["models"]["v2"]["trained_on"]
    manifest.write_text(json.dumps(known))
    with pytest.raises(
        ArtifactError, match=r"Model v2 cannot be read: in manifest\.json its entry lacks 'trained_on'\. Restore it"
    ):
        model_store.find("v2", [trained.store])


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"models": 3}'])
def test_a_damaged_manifest_is_named(trained, content):
    (trained.store / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json is damaged"):
        model_store.find("v2", [trained.store])
    found, (one,) = model_store.read_all([trained.store])
    assert not found and "manifest.json is damaged" in str(one)


def test_what_ships_is_whole_and_small_and_has_sound_among_its_clips_alone():
    shipped = PROJECT / "artifacts"
    files = [file for file in shipped.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 90 * 10**6
    sounds = [file for file in files if file.suffix in {".wav", ".flac", ".ogg", ".mp3"}]
    assert {file.parent for file in sounds} == {shipped / "clips"}
    manifest = json.loads((shipped / "manifest.json").read_text())
    assert set(manifest["models"]) == {
        "robust",
        "robust_cnn",
        "v_robust",
        "v4",
        "best",
        "krr",
        "cnn",
        "cnn2d",
        "centred",
        "v_centred",
    }


def test_the_networks_that_ship_are_small_together(settings):
    networks = [entry for entry in model_store.list_all([settings.artifacts]) if "cnn" in entry.key]
    assert len(networks) == 3
    assert sum((entry.folder / entry.model_file).stat().st_size for entry in networks) < 10 * 10**6


@pytest.mark.parametrize("key", ["xgb", "lgb", "mlp", "svm"])
def test_a_shipped_tuned_preset_is_as_good_as_the_default_by_cross_validation(settings, key):
    (preset,) = presets.list_all([settings.artifacts], key)
    tuned = runs.get(preset.run, settings.stores)
    default = runs.find(runs.list_all([settings.artifacts]), model=key, preset="default", protocol="study")
    assert tuned.recipe.parameters == preset.parameters
    assert tuned.scores["cv_accuracy"] >= default.scores["cv_accuracy"]


def test_the_shipped_models_can_be_loaded(settings):
    for entry in model_store.list_all(settings.stores):
        if entry.is_vote:
            assert list(model_store.members(entry)) == list(entry.recipe.parameters["weights"])
            continue
        assert model_store.load(entry).classes_.tolist() == entry.labels
        assert "CC BY-NC-SA 4.0" in entry.card


def test_the_cards_that_ship_are_those_of_their_runs(settings):
    for entry in model_store.list_all([settings.artifacts]):
        assert cards.card(runs.get(entry.run, settings.stores), entry.trained_on, entry.unheard) == entry.card


def test_what_is_said_of_a_model_of_another_corpus_names_it_and_no_actors(tested, result, table, tmp_path):
    entry = model_store.save(result, table.assign(corpus="emodb"), tmp_path, tests=tested)
    assert model_store.find("v2", [tmp_path]).trained_on.corpus == "emodb"
    said = " ".join([*entry.worth, *(whose for _, whose in entry.situations_by_title.values())])
    assert "Of its test clips, by speakers whom it has heard" in said and "Speech of speakers of emodb" in said
    assert "actors" not in said and "study" not in said


def test_the_card_of_another_corpus_names_it_and_not_ravdess(result, trained):
    predictions = result.run.predictions.assign(corpus="emodb")
    run = replace(result.run, tables=Tables(predictions))
    card = cards.card(run, trained.trained_on, None)
    assert f"emodb clips of {trained.trained_on.actors} speakers" in card
    assert "The terms of emodb hold for this model, too." in card
    assert "RAVDESS" not in card and "actors" not in card


def test_the_doctor_finds_this_installation_well(settings):
    bad = [check for check in health.check(settings) if not check.ok and not check.optional]
    assert bad == []


def test_the_doctor_names_a_damaged_model(trained, settings, monkeypatch):
    (trained.folder / "model.skops").write_bytes(b"")
    monkeypatch.setattr(type(settings), "stores", property(lambda _: (PROJECT / "artifacts", trained.store)))
    (bad,) = [check for check in health.check(settings) if not check.ok and not check.optional]
    assert bad.name == "model v2 (own)"
    assert "ser_core train v2" in bad.says
