"""Plans of runs: what is offered, the command that means the same, the run that exists, and the time."""

import dataclasses

import pytest

from ser_core import cli
from ser_core.cli.experiments import _recipe
from ser_core.errors import ModelError
from ser_core.evaluation import protocols
from ser_core.experiments import plans
from ser_core.experiments.plans import ACTORS, Plan
from ser_core.features import tables
from ser_core.models import foreign, registry
from ser_core.results import runs
from ser_core.settings import ARTIFACTS
from tests.made_runs import changed


@pytest.fixture(scope="module")
def shipped():
    return tables.read(ARTIFACTS / "features" / "mean180.parquet"), runs.list_all([ARTIFACTS])


def every_plan():
    """Each model with each set of parameters and features that is offered."""
    for key in plans.models():
        model = registry.get(key, [ARTIFACTS])
        for preset in plans.presets_of(model):
            for features in plans.features_of(model, preset) or [""]:
                yield Plan(key, preset, features, seed=3)


@pytest.mark.parametrize("plan", list(every_plan()), ids=lambda plan: f"{plan.model}-{plan.preset}-{plan.features}")
def test_the_command_of_every_plan_means_the_same(plan, shipped, settings):
    recipe = plans.recipe_of(plan, shipped[0], settings)
    task = plans.task_of(plan, settings, recipe)
    options = cli.parser().parse_args(task.arguments)
    assert _recipe(options, None, settings) == recipe
    assert (options.command, options.protocol, options.heard, options.seed) == ("run", "study", None, 3)
    assert Plan.of_text(task.subject) == plan


def test_protocol_condition_and_seed_stand_in_the_command(shipped, settings):
    plan = Plan("svm", protocol="emobox", heard="telephone", seed=4)
    task = plans.task_of(plan, settings, plans.recipe_of(plan, shipped[0], settings))
    assert task.arguments == ("run", "svm", "--protocol", "emobox", "--heard", "telephone", "--seed", "4")
    assert (task.kind, task.title) == ("run", "Run svm protocol emobox heard telephone seed 4")


def test_what_is_as_usual_is_left_out(shipped, settings):
    assert plans.task_of(Plan(), settings, plans.recipe_of(Plan(), shipped[0], settings)).arguments == ("run", "krr")


def test_networks_are_trained_and_not_run():
    assert not {"cnn", "cnn2d", "vgg16"} & set(plans.models())
    assert {"krr", "v4", "hier", "robust", "best", "v_cnn_vgg16"} <= set(plans.models())


def test_a_model_has_the_parameters_that_it_was_given(settings):
    assert plans.presets_of(registry.get("mlp", settings.stores)) == {
        "default": "Ours", "study": "The authors'", "tuned": "Tuned",
    }  # fmt: skip
    assert plans.presets_of(registry.get("hier")) == {"default": "Ours", "hard": "Hard"}


def test_what_a_model_was_made_for_is_offered_first():
    assert plans.features_of(registry.get("mlp"), "study")[:3] == ["mean180", "functionals", "within-clip"]
    assert plans.features_of(registry.get("robust"), "default") == ["within-clip+conditions"]
    assert plans.features_of(registry.get("best"), "default") == []


def test_what_ships_needs_no_recordings(settings):
    ship = {name: plans.ships(name, settings) for name in ("mean180", "functionals", "within-clip")}
    assert ship == {"mean180": True, "functionals": True, "within-clip": False}


@pytest.mark.parametrize(
    ("plan", "needs"),
    [
        (Plan("krr"), False),
        (Plan("krr", features="functionals"), False),
        (Plan("krr", features="functionals+speaker-perturbation"), True),
        (Plan("krr", features="within-clip"), True),
        (Plan("krr", heard="telephone"), True),
        (Plan("best"), False),
        (Plan("best", heard="telephone"), False),
        (Plan("krr", features="", table="of-mean180.parquet"), False),
        (Plan("centred", features="functionals", table="of-mean180.parquet"), True),
    ],
)
def test_it_is_known_what_is_made_of_recordings(shipped, settings, plan, needs):
    recipe = plans.recipe_of(plan, shipped[0], settings)
    assert plans.needs_recordings(plan, recipe, shipped[0], settings) == needs


@pytest.mark.parametrize("key", ["module:factory", "ser_core.cli:main", "../x", f"{foreign.IMPORTED}x"])
def test_no_plan_names_code(shipped, settings, key):
    with pytest.raises(ModelError):
        plans.recipe_of(Plan(key), shipped[0], settings)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan("krr", "tuned", protocol="emobox"), "would not hold anybody out"),
        (Plan("cnn2d"), "cnn2d is a network"),
        (Plan("krr", "mine"), "no preset 'mine'"),
    ],
)
def test_what_cannot_be_run_is_told_before(shipped, settings, plan, says):
    with pytest.raises(ModelError, match=says):
        plans.recipe_of(plan, shipped[0], settings)


def test_a_text_that_is_none_of_a_plan_is_the_usual_one():
    assert Plan.of_text("seed=abc&x=1&=&") == Plan()
    assert Plan.of_text("model=v4&seed=7") == Plan("v4", seed=7)


def test_the_run_that_ships_is_found_whatever_its_parameters_are_called(shipped, settings):
    table, found = shipped
    digest = tables.digest(table)
    for plan in (Plan("krr"), Plan("krr", features="functionals"), Plan("best"), Plan("v4", protocol="emobox")):
        run = plans.find(found, plan, plans.recipe_of(plan, table, settings), digest)
        assert (run.recipe.model, run.protocol, run.heard) == (plan.model, plan.protocol, "")
    recipe = plans.recipe_of(Plan(), table, settings)
    assert plans.find(found, Plan(heard="telephone"), recipe, digest) is None
    other = plans.recipe_of(Plan(seed=10), table, settings)
    assert plans.find(found, Plan(), other, digest) is None
    assert plans.find(found, Plan(), recipe, "of other clips") is None


def test_ones_own_run_is_shown_in_place_of_the_one_that_ships_and_no_bundles(shipped, settings):
    table, found = shipped
    recipe, digest = plans.recipe_of(Plan(), table, settings), tables.digest(table)
    ships = plans.find(found, Plan(), recipe, digest)
    own = changed(ships.own, shipped=False)
    foreign_one = changed(ships, id="opened-x", bundle="x.zip", shipped=False)
    assert plans.find([*found, own, foreign_one], Plan(), recipe, digest) is own


def test_what_was_searched_inside_the_folds_is_another_run(shipped, settings):
    table, found = shipped
    recipe, digest = plans.recipe_of(Plan(), table, settings), tables.digest(table)
    ships = plans.find(found, Plan(), recipe, digest)
    assert plans.find([changed(ships, recipe={"origin": "nested"})], Plan(), recipe, digest) is None


def test_a_plan_finds_the_run_that_its_command_made(table, file, settings, call):
    (settings.workspace / "corpora").mkdir(parents=True)
    name = "mine.parquet"
    tables.save(table, settings.workspace / "corpora" / name)
    assert plans.tables_in(settings.workspace) == ([name], [])
    plan = Plan("kn", features="", protocol="loso", table=name)
    recipe = plans.recipe_of(plan, table, settings)
    task = plans.task_of(plan, settings, recipe)
    status, answer, _ = call(*task.arguments)
    assert status == 0
    run = plans.find(runs.list_all(settings.stores), plan, recipe, tables.digest(table))
    assert run.id == answer["run"]
    assert plans.fits_of(run) == 4


def test_files_that_are_no_feature_table_are_not_offered(settings, table):
    (settings.workspace / "corpora").mkdir(parents=True)
    table.drop(columns="speaker").to_parquet(settings.workspace / "corpora" / "own.parquet")
    (settings.workspace / "corpora" / "notes.csv").write_text("a\n")
    (settings.workspace / "corpora" / ".hidden.parquet").write_bytes(b"")
    tables.save(table, settings.workspace / "corpora" / "good.parquet")
    assert plans.tables_in(settings.workspace) == (["good.parquet"], [])


def test_any_corpus_is_offered_the_protocols_that_can_divide_it(table, shipped):
    assert set(plans.protocols_for(shipped[0])) == {*protocols.PROTOCOLS, ACTORS} - {"emobox-emodb"}
    whose = table["speaker"].isin(["01", "02"])
    of_any = table.drop(columns=["channel", "intensity", "statement", "repetition"]).assign(
        split=whose.map({True: "train", False: "test"}), fold=table.index % 3
    )
    of_any.attrs = table.attrs
    assert set(plans.protocols_for(of_any)) == {"study", "loso", ACTORS, "split-split", "split-fold+shared"}


def test_the_time_is_judged_from_runs_of_the_same_parameters(shipped, settings):
    table, found = shipped
    plan = Plan("krr", protocol="loso", seed=5)
    recipe = plans.recipe_of(plan, table, settings)
    timed = runs.find(found, model="krr", features="mean180", protocol="study", preset="default")
    seconds, source = plans.estimate([timed], plan, recipe, table)
    assert seconds == pytest.approx(timed.seconds.total / 6 * 24)
    assert source == "krr"
    own = changed(timed.own, shipped=False, seconds=dataclasses.replace(timed.seconds, total=60.0))
    assert plans.estimate([timed, own], plan, recipe, table)[0] == pytest.approx(240)
    authors = dataclasses.replace(recipe, origin="study")
    assert plans.estimate([timed, own], plan, authors, table) == (None, "")


def test_a_vote_that_splits_classes_refuses_other_emotions_before_any_work(table, settings):
    bored = table.assign(emotion="boredom", label="boredom").where(table["emotion"] == "sad", table)
    bored.attrs = table.attrs
    with pytest.raises(ModelError, match="learns classes of emotion and gender"):
        plans.recipe_of(Plan("hier", protocol="loso", table="x.parquet"), bored, settings)
