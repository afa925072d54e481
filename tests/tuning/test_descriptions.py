import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from ser_core import cli, jobs
from ser_core.models import registry, search_spaces
from ser_core.tuning import descriptions, studies

PLAN = studies.Plan("svm", cv="actors", folds=4, sampler="random", pruner="none", seed=3)


def test_a_plans_command_is_understood_by_the_command_line_as_the_same_plan():
    task = descriptions.task(PLAN, "mine", 12, workers=2, minutes=5)
    options = cli.parser().parse_args(task.arguments)
    assert studies.Plan(**{name: getattr(options, name) for name in vars(PLAN)}) == PLAN
    assert (options.name, options.trials, options.workers, options.timeout) == ("mine", 12, 2, 300)
    assert options.resume and task.resumable
    assert (task.kind, task.subject) == ("tune", "mine")
    assert jobs.shell(task.arguments).startswith("python -m ser_core tune svm --name mine --trials 12")


def test_a_plan_is_read_from_its_study_and_said_in_words(begun):
    assert descriptions.plan(begun(trials=1)) == studies.Plan("kn", folds=3)
    assert descriptions.sentence(PLAN) == "our ranges; 4 folds of actors never heard; random sampler; no pruner; seed 3"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("xgb-ours-study5-tpe-median-s9", "XGBoost, our ranges, 5 folds of clips, TPE, median, seed 9"),
        (PLAN.name, "Support vector machine, our ranges, 4 folds of actors, random, no pruner, seed 3"),
        ("mlp-study-study3-tpe-wilcoxon-s0-mine", "Multilayer perceptron, the authors’ ranges, 3 folds of clips, "
         "TPE, Wilcoxon, seed 0, mine"),
        ("mine", "mine"),
        ("none-ours-study5-tpe-median-s9", "none-ours-study5-tpe-median-s9"),  # there is no such model
        ("xgb-ours-study5-tpe-median-s9-2", "xgb-ours-study5-tpe-median-s9-2"),
    ],
)  # fmt: skip
def test_a_name_that_a_plan_gave_is_said_in_words_and_another_as_it_is(name, says):
    assert descriptions.title(name) == says


@pytest.mark.parametrize("model", registry.MODELS)
def test_a_plan_is_known_by_its_name(model):
    plan = studies.Plan(model, "study", "actors", 3, "random", "none", 2**32 - 1)
    assert studies.Plan.of_name(plan.name) == plan


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        (FloatDistribution(0.01, 30, log=True), "0.01 to 30, each decade as often"),
        (IntDistribution(50, 1500, step=50), "50 to 1,500, in steps of 50"),
        (IntDistribution(1, 4), "1 to 4"),
        (FloatDistribution(0, 1), "0 to 1"),
        (CategoricalDistribution((None, "balanced", True)), "none, balanced or True"),
        (CategoricalDistribution(("one",)), "one"),
    ],
)
def test_a_range_is_said_in_words(distribution, words):
    assert descriptions.range_in_words(distribution) == words


@pytest.mark.parametrize("space", search_spaces.SPACES)
def test_every_space_is_a_table(space):
    for model in registry.MODELS:
        if space in search_spaces.available(model):
            table = descriptions.ranges(model, space)
            chosen = search_spaces.get(model, space)
            assert list(table["parameter"]) == [*chosen.ranges, *chosen.fixed]
            assert table["range"].str.len().min() > 0


def test_what_holds_only_sometimes_says_when():
    table = descriptions.ranges("xgb", "study").set_index("parameter")
    assert table.loc["rate_drop", "range"].endswith("(where booster is dart)")


def test_the_time_that_trials_take_is_said_before_they_are_begun():
    said = descriptions.time_in_words(PLAN, 1, 0, 90.0, True)
    assert said == "**1 trial will take about 1 min 30 s**, as earlier trials of its kind did."
    said = descriptions.time_in_words(studies.Plan("rf", space="study"), 30, 60, 1e5, False)
    assert said.startswith("**30 trials will take about 27 h 47 min**, or longer")
    assert "The time limit ends it after 1 h" in said and "The authors looked among" in said
