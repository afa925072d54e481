"""Sweeps: what a file asks for, what there is of it, and the rest, run one after another."""

import dataclasses

import numpy as np
import pytest

from ser_core import experiments
from ser_core.errors import FeatureError, ModelError, SweepError, TrainingError
from ser_core.experiments import runner, sweeps
from ser_core.features import model_input, tables
from ser_core.models import registry
from ser_core.results import runs
from ser_core.results.runs import Seconds

OWN = """
from sklearn.tree import DecisionTreeClassifier
def tree():
    return DecisionTreeClassifier(max_depth=2)
"""


def text(**keys) -> str:
    """A file of these keys, whose values are written in Python as in TOML."""
    keys = {"models": ["kn"], "protocols": ["actors-4"]} | keys
    return "\n".join(f"{key} = {value!r}" for key, value in keys.items())


@pytest.fixture
def planned(settings, file):
    """The plan of a file of these keys for the synthetic clips."""

    def made(**keys):
        return sweeps.plan(sweeps.read(text(clips=file, **keys), settings), settings, jobs=1)

    return made


@pytest.fixture
def done(settings):
    """The outcomes of a plan."""

    def made(plan, **options):
        return list(sweeps.carry_out(plan, settings, jobs=1, **options))

    return made


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("models = [", "This is no TOML: "),
        (text(colour=["red"]), "no key 'colour' in a sweep; there is models, protocols, "),
        ('models = ["kn"]', "The key 'protocols' is missing: add protocols = ["),
        ('protocols = ["loso"]', "The key 'models' is missing: add models = ["),
        (text(models=[]), "models is an empty list: name at least one, such as models = ["),
        (text(models="kn"), "models is 'kn': write a list, such as models = ["),
        (text(models=[3]), "models holds 3: write names in quotes"),
        (text(models=["knn"]), "models holds 'knn'. There is no model 'knn'; there is "),
        (text(models=["imported:theirs"]), "models holds 'imported:theirs'. It predicted elsewhere"),
        (text(models=["nowhere:svm"]), "models holds 'nowhere:svm'. nowhere:svm gives no estimator: ModuleNotFound"),
        (text(protocols=["emobx"]), "protocols holds 'emobx'. There is no protocol 'emobx'; there is "),
        (text(features=["plp"]), "features holds 'plp'. There is no feature set 'plp'; there is "),
        (text(features=["mean180", ""]), "features holds '': write names in quotes"),
        (text(augmentation=["noise"]), "augmentation holds 'noise'. There is no augmentation 'noise'; there is "),
        (text(presets=["studdy"]), "presets holds 'studdy', which none of these models has; there is default"),
        (text(seeds=[-1]), "seeds holds -1: write whole numbers from 0"),
        (text(seeds=[1.5]), "seeds holds 1.5: write whole numbers from 0"),
        ('models = ["kn"]\nprotocols = ["loso"]\nseeds = [true]', "seeds holds True: write whole numbers from 0"),
        (text(clips=["F.parquet"]), "clips is ['F.parquet']: name a feature table"),
        (text(seeds=list(range(10_001))), "These are 10,001 runs, more than 10,000"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_names_key_and_value(settings, written, said):
    with pytest.raises(SweepError) as caught:
        sweeps.read(written, settings)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SweepError, match=r"nowhere.toml cannot be read \(No such file"):
        sweeps.read_file(tmp_path / "nowhere.toml")


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "picture.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SweepError, match=r"picture.toml is no text in UTF-8"):
        sweeps.read_file(tmp_path / "picture.toml")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"models": ["mine:tree"]}, "models holds 'mine:tree': files and code of your own are for a shell"),
        ({"features": ["/etc/passwd.csv"]}, "features holds '/etc/passwd.csv': files and code"),
        ({"features": ["onnx:/x.onnx"]}, "features holds 'onnx:/x.onnx': files and code"),
        ({"clips": "passwd"}, "clips holds 'passwd': files and code"),
        ({"clips": "F.parquet"}, "clips holds 'F.parquet': files and code"),
    ],
)
def test_a_page_neither_reads_files_nor_executes_code(settings, keys, said):
    with pytest.raises(SweepError) as caught:
        sweeps.read(text(**keys), settings, from_shell=False)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"clips": "/no/F.parquet"}, "clips holds '/no/F.parquet'. There is no feature table /no/F.parquet"),
        ({"features": ["/no/F.parquet"]}, "features holds '/no/F.parquet'. There is no feature table /no/F.parquet"),
        ({"features": ["/no/F.csv"]}, "features holds '/no/F.csv'. "),
        ({"features": ["onnx:/no.onnx"]}, "features holds 'onnx:/no.onnx'. "),
    ],
)
def test_files_that_cannot_be_used_are_told_before_any_work(settings, keys, said):
    with pytest.raises(SweepError) as caught:
        sweeps.plan(sweeps.read(text(**keys), settings), settings, found=[])
    assert str(caught.value).startswith(said)


def test_every_combination_is_planned_once(planned):
    plan = planned(models=["kn", "dt"], features=["mean180", "study"], protocols=["study", "loso"], seeds=[1, 2])
    choices = [(one.model, one.protocol, one.seed) for one in plan.to_run]
    assert len(choices) == len(set(choices)) == 8
    assert {one.recipe.features for one in plan.to_run} == {"mean180"}
    assert plan.to_run[0].title == "kn, mean180, study, seed 1"


def test_features_are_by_default_those_of_the_clips(planned):
    assert [one.recipe for one in planned().to_run] == [registry.recipe("kn")]


def test_what_no_model_can_learn_is_left_out_with_the_reason(planned):
    plan = planned(models=["kn", "cnn2d"], augmentation=["none", "speaker-perturbation"])
    assert [one.title for one in plan.to_run] == ["kn, none, actors-4, seed 9"]
    assert plan.reasons == {
        "'cnn2d' sees frames, and not mean180": 2,
        "'kn' does not learn from copies by speaker-perturbation": 1,
    }


def test_a_file_of_which_nothing_can_be_run_is_refused(planned):
    with pytest.raises(SweepError, match=r"None of the 1 combinations can be run. 'cnn2d' sees frames"):
        planned(models=["cnn2d"])


def test_clips_that_a_protocol_cannot_split_are_told_before_any_work(planned):
    with pytest.raises(SweepError, match=r"protocols holds 'actors-9'\. 'actors-9' needs 9 speakers, and there are 4"):
        planned(protocols=["loso", "actors-9"])


def test_a_preset_that_heard_held_out_speakers_is_left_out(planned, settings, monkeypatch):
    monkeypatch.setattr(runner, "check", lambda *_: (_ for _ in ()).throw(ModelError("tuned on all actors")))
    with pytest.raises(SweepError, match="tuned on all actors"):
        planned()


def test_the_runs_are_those_of_run(planned, done, settings, table):
    (outcome,) = done(planned(seeds=[3]))
    ordinary = experiments.run(registry.recipe("kn", seed=3), table, protocol="actors-4", jobs=1).run
    assert outcome.run.id == f"own-{ordinary.id}"
    saved = runs.get(outcome.run.id, settings.stores)
    assert saved.predictions.equals(ordinary.predictions)
    assert saved.scores == ordinary.scores


def test_what_exists_is_not_run_again(planned, done, monkeypatch):
    first = done(planned(models=["kn", "dt"]))
    monkeypatch.setattr(runner, "run", lambda *_, **__: pytest.fail("it exists"))
    again = planned(models=["kn", "dt"])
    assert not again.to_run and not done(again)
    assert [run.id for run in again.there] == [outcome.run.id for outcome in first]


def test_runs_without_cross_validation_are_not_taken_for_those_with_it(planned, settings, table):
    half = experiments.run("kn", table, protocol="study", cv=False, jobs=1)
    experiments.keep(half, settings)
    assert planned(protocols=["study"]).to_run


def test_runs_from_a_bundle_are_not_taken_for_own_ones(planned, settings, table):
    given = experiments.run("kn", table, protocol="actors-4", jobs=1).run
    runs.save(dataclasses.replace(given, bundle="theirs@abc"), settings.workspace)
    assert planned().to_run


def test_after_an_interrupt_the_rest_is_run(planned, done, settings, monkeypatch):
    keys = {"models": ["kn"], "seeds": [1, 2, 3]}
    run, calls = runner.run, []

    def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run(*arguments, **options)

    monkeypatch.setattr(runner, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        done(planned(**keys))
    assert len(planned(**keys).there) == 1
    assert [outcome.combination.seed for outcome in done(planned(**keys))] == [2, 3]
    assert not planned(**keys).to_run


@pytest.mark.parametrize("fault", [ModelError("it cannot"), ZeroDivisionError("it cannot")])
def test_one_that_fails_is_named_and_the_others_are_run(planned, done, monkeypatch, fault):
    run = runner.run

    def failing(recipe, *arguments, **options):
        if recipe.model == "kn":
            raise fault
        return run(recipe, *arguments, **options)

    monkeypatch.setattr(runner, "run", failing)
    failed, made = done(planned(models=["kn", "dt"]))
    assert failed.run is None and failed.fault.endswith("it cannot")
    assert failed.combination.title == "kn, actors-4, seed 9"
    assert made.run.recipe.model == "dt"


def test_a_full_disk_ends_the_sweep(planned, done, monkeypatch):
    monkeypatch.setattr(runs, "save", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        done(planned())


def test_features_that_cannot_be_made_fail_their_runs_alone(planned, done, monkeypatch):
    load = model_input.load

    def failing(*arguments, features, **options):
        if features == "functionals":
            raise FeatureError("This needs the recordings")
        return load(*arguments, features=features, **options)

    monkeypatch.setattr(model_input, "load", failing)
    outcomes = done(planned(features=["functionals", "mean180"], seeds=[1, 2]))
    assert [outcome.fault for outcome in outcomes] == ["This needs the recordings"] * 2 + [""] * 2


def test_features_are_loaded_once_for_all_that_learn_from_them(planned, done, monkeypatch):
    load, loaded = model_input.load, []

    def counting(*arguments, **options):
        loaded.append(options["features"])
        return load(*arguments, **options)

    monkeypatch.setattr(model_input, "load", counting)
    assert len(done(planned(models=["kn", "dt"], features=["mean180"], protocols=["study", "loso"]))) == 4
    assert loaded == ["mean180"]


def test_progress_is_told_in_runs(planned, done):
    told = []
    done(planned(seeds=[1, 2]), progress=lambda *step: told.append(step))
    of_runs = [(done, total) for what, unit, done, total in told if unit == "run"]
    assert {total for _, total in of_runs} == {2}
    assert [done for done, _ in of_runs] == sorted(done for done, _ in of_runs)
    assert of_runs[-1] == (2, 2) and (0.25, 2) in of_runs


def test_epochs_of_a_network_are_told_as_parts_of_its_run(planned, done, settings, monkeypatch):
    def after_five_of_twenty(*_, training, progress, **__):
        assert progress is None and training.folder == settings.training
        training.watch({"fit": 1, "fits": 2, "epoch": 5, "epochs": 10})
        raise TrainingError("The loss is nan")

    monkeypatch.setattr(runner, "run", after_five_of_twenty)
    told = []
    (outcome,) = done(planned(models=["cnn"]), progress=lambda *step: told.append(step))
    assert ("Running", "run", 0.25, 1) in told
    assert outcome.fault == "The loss is nan"


def test_a_file_of_numbers_is_a_feature_set(planned, done, table, tmp_path):
    values = table[["stem", "mfcc_01", "mfcc_02"]]
    values.to_csv(tmp_path / "mine.csv", index=False)
    (outcome,) = done(planned(features=[str(tmp_path / "mine.csv")]))
    assert outcome.run.recipe.features.startswith("mine.csv@")
    assert outcome.run.data_digest == tables.digest(table)


def test_a_file_of_other_clips_is_told_before_any_work(planned, table, tmp_path):
    table[["stem", "mfcc_01"]][:-1].to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(SweepError, match="does not hold the features of these clips"):
        planned(features=[str(tmp_path / "mine.csv")])


def test_an_extracted_table_brings_its_own_clips(planned, done, table, tmp_path):
    tables.save(table[:48].reset_index(drop=True), tmp_path / "fewer.parquet")
    (outcome,) = done(planned(features=[str(tmp_path / "fewer.parquet")], protocols=["loso"]))
    assert outcome.run.clips == 48


def test_own_code_runs_from_a_shell_with_each_seed(planned, done, tmp_path, monkeypatch):
    (tmp_path / "own_of_sweep.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    keys = {"models": ["own_of_sweep:tree"], "seeds": [1, 2]}
    made = [outcome.run for outcome in done(planned(**keys))]
    assert [run.recipe.parameters["random_state"] for run in made] == [1, 2]
    assert {(run.recipe.origin, run.recipe.features) for run in made} == {("code", "mean180")}
    assert set(sweeps.ranked(made)["seeds"]) == {2}
    assert [run.id for run in planned(**keys).there] == [run.id for run in made]


def test_a_vote_of_runs_is_made_of_those_that_are_saved(settings):
    asked = sweeps.read(text(models=["best"], protocols=["emobox"], features=["functionals"]), settings)
    (exists,) = sweeps.plan(asked, settings).there
    (outcome,) = sweeps.carry_out(sweeps.plan(asked, settings, found=[]), settings)
    assert outcome.run.id.startswith("own-emobox-best-")
    assert outcome.run.scores == pytest.approx(exists.scores)
    assert sweeps.plan(asked, settings).there[0].id == outcome.run.id


def test_votes_of_runs_come_last(settings):
    asked = sweeps.read(text(models=["best", "kn"], protocols=["emobox"]), settings)
    assert [one.model for one in sweeps.plan(asked, settings, found=[]).to_run] == ["kn", "best"]


@pytest.fixture
def timed(result):
    """A run of that recipe and protocol that took so long."""

    def made(recipe, protocol, digest, **fields):
        seconds = Seconds(100.0, 7.0, 1.0)
        changed = {"recipe": recipe, "protocol": protocol, "data_digest": digest, "seconds": seconds, "shipped": True}
        return dataclasses.replace(result.run, **changed | fields)

    return made


@pytest.mark.parametrize(
    ("protocol", "fields", "seconds"),
    [
        ("actors-4", {}, 100.0),  # as the run of another seed
        ("study", {}, 28.0),  # four fits in one process
        ("actors-4", {"shipped": False, "seconds": Seconds(50.0, 1.0, 1.0)}, 50.0),  # rather an own run
    ],
)
def test_durations_are_those_of_runs_that_exist(settings, file, table, timed, protocol, fields, seconds):
    recipe, digest = registry.recipe("kn", seed=77), tables.digest(table)
    found = [timed(recipe, "actors-4", digest), timed(recipe, protocol, digest, **fields)]
    found = found[1:] if not fields else found
    plan = sweeps.plan(sweeps.read(text(clips=file), settings), settings, found=found, jobs=1)
    assert (plan.seconds, plan.unknown) == (seconds, 0)


def test_a_duration_that_nobody_knows_is_said_to_be_unknown(settings, file, table, timed):
    found = [timed(registry.recipe("kn"), "actors-4", "another")]
    asked = sweeps.read(text(clips=file, models=["kn", "dt"]), settings)
    plan = sweeps.plan(asked, settings, found=found, jobs=1)
    assert (plan.seconds, plan.unknown) == (28.0, 1)
    assert "take about 28 s without 1 of unknown duration" in plan.in_words
    plan = sweeps.plan(asked, settings, found=[], jobs=1)
    assert "How long they take is not known" in plan.in_words


def test_the_best_of_each_protocol_is_first_with_its_seeds_beside_it(planned, done):
    outcomes = done(planned(models=["kn", "dt"], protocols=["loso", "study"], seeds=[1, 2]))
    by_id = {outcome.run.id: outcome.run for outcome in outcomes}
    ranked = sweeps.ranked(list(by_id.values()))
    assert list(ranked["protocol"].unique()) == ["loso", "study"]
    for _, rows in ranked.groupby("protocol"):
        assert rows["mean"].is_monotonic_decreasing
        assert [*rows["recipe"].iloc[[0, 2]]] == [*rows["recipe"].iloc[[1, 3]]]
        assert list(rows["seed"]) == [1, 2, 1, 2]
    for row in ranked.itertuples():
        right, low, high = by_id[row.run].accuracy_interval(row.kind)
        assert (row.accuracy, row.low, row.high) == (right, low, high)
        same = ranked[(ranked["recipe"] == row.recipe) & (ranked["protocol"] == row.protocol)]["accuracy"]
        assert (row.mean, row.deviation, row.seeds) == (
            pytest.approx(np.mean(same)),
            pytest.approx(np.std(same, ddof=1)),
            2,
        )


def test_nothing_is_ranked_where_there_is_nothing():
    assert sweeps.ranked([]).empty
