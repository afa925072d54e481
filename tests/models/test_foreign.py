import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ser_core import evaluation, experiments
from ser_core.errors import ArtifactError, ModelError
from ser_core.features import elsewhere, tables
from ser_core.features.model_input import ModelInput
from ser_core.models import foreign, registry
from ser_core.results import run_titles, runs


class Nearest(ClassifierMixin, BaseEstimator):
    """The emotion of the nearest mean; without `predict_proba`."""

    def fit(self, features, codes):
        self.classes_ = np.unique(codes)
        self.means_ = np.stack([features[codes == code].mean(axis=0) for code in self.classes_])
        return self

    def predict(self, features):
        return self.classes_[((features[:, None] - self.means_) ** 2).sum(axis=2).argmin(axis=1)]


def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.5))


def test_any_estimator_gives_the_numbers_of_plain_scikit_learn(table):
    run = experiments.run(logistic(), table, protocol="actors-4", jobs=1).run
    features, labels = tables.matrix(table), table["label"].to_numpy()
    right = 0
    for fold in evaluation.protocols.get("actors-4").folds(table):
        model = logistic().fit(features[fold.train], labels[fold.train])
        right += (model.predict(features[fold.held_out]) == labels[fold.held_out]).sum()
    assert run.scores["test_accuracy"] == pytest.approx(right / len(table))


def test_it_is_marked_as_own_code_and_kept_by_recipe(table, tmp_path):
    run = experiments.run(logistic(), table, cv=False, jobs=1).run.own
    runs.save(run, tmp_path)
    found = runs.load(tmp_path / "runs" / run.id)
    assert (found.recipe, found.mark, found.family) == (run.recipe, "own code", "own code")
    assert found.recipe.model == "sklearn.pipeline:Pipeline"
    assert found.recipe.parameters["logisticregression__C"] == 0.5
    assert found.name == "sklearn.pipeline:Pipeline, own code"
    assert run_titles.titles([found]) == {run.id: "sklearn.pipeline:Pipeline (own code)"}


def test_other_parameters_are_another_run(table):
    ids = {experiments.run(make_pipeline(LogisticRegression(C=c)), table, cv=False, jobs=1).run.id for c in (1, 2)}
    assert len(ids) == 2


def test_without_predict_proba_the_predicted_class_is_sure(table):
    run = experiments.run(Nearest(), table, cv=False, jobs=1).run
    assert set(np.unique(evaluation.probabilities(run.predictions))) == {0, 1}
    assert run.scores["test_accuracy"] > 0.5


def test_what_it_has_seen_is_in_its_recipe(table):
    seen = ModelInput("functionals", "none", "functionals-1", np.random.default_rng(0).normal(size=(len(table), 5)))
    run = experiments.run(Nearest(), table, features=seen, cv=False, jobs=1).run
    assert run.recipe.features == "functionals"
    assert run_titles.title(run).endswith("Nearest, functionals")


def test_own_features_of_a_table_are_what_it_sees(table, tmp_path):
    known = table[["stem", "mfcc_01", "mfcc_02"]].rename(columns={"mfcc_01": "a", "mfcc_02": "b"})
    known.to_csv(tmp_path / "F.csv", index=False)
    own = elsewhere.of_file(tmp_path / "F.csv", table)
    run = experiments.run(Nearest(), own, cv=False, jobs=1).run
    assert run.recipe.features == tables.features_of(own).key
    lr = registry.recipe("lr", features=run.recipe.features)
    assert experiments.run(lr, own, cv=False, jobs=1).run.versions.features == run.recipe.features


def test_a_random_state_that_is_none_is_the_seed():
    forest = RandomForestClassifier()
    inner = VotingClassifier([("a", forest), ("b", RandomForestClassifier(random_state=3))], voting="soft")
    code = foreign.own_code(inner, seed=7)
    assert code.estimator.get_params()["a__random_state"] == 7
    assert code.estimator.get_params()["b__random_state"] == 3
    assert forest.random_state is None


def test_parameters_that_json_cannot_hold_are_text():
    parameters = foreign.own_code(LogisticRegression(C=np.float32(2), class_weight={1: 2.0})).recipe.parameters
    assert json.loads(json.dumps(parameters)) == parameters
    assert (parameters["C"], parameters["class_weight"]) == (2.0, {"1": 2.0})


@pytest.mark.parametrize("model", [3, Ridge(), StandardScaler(), make_pipeline(StandardScaler()), LogisticRegression])
def test_what_is_no_classifier_is_refused(model, table):
    with pytest.raises(ModelError, match="a scikit-learn classifier is wanted"):
        experiments.run(model, table)


@pytest.mark.parametrize("name", ["mine", "a b:c", "a:<b>", "../a:b", "imported:b", "a:" + "b" * 101])
def test_a_name_has_the_form_of_a_module_and_a_factory(name):
    with pytest.raises(ModelError, match="is no name for own code: give module:factory"):
        foreign.own_code(RidgeClassifier(), name=name)


def test_a_class_that_a_function_made_is_named_without_it():
    class Local(Nearest):
        pass

    assert foreign.own_code(Local()).recipe.model == f"{__name__}:Local"


@pytest.mark.parametrize("key", ["x:<script>", "a/b:c", "nothing"])
def test_a_run_of_no_such_name_is_not_read(key, table, tmp_path):
    run = experiments.run(Nearest(), table, cv=False, jobs=1).run
    folder = runs.save(run, tmp_path)
    text = (folder / "run.json").read_text()
    (folder / "run.json").write_text(text.replace(run.recipe.model, key))
    with pytest.raises(ArtifactError, match="There is no model"):
        runs.load(folder)


def test_nothing_is_executed_by_its_name_alone():
    recipe = foreign.own_code(RidgeClassifier(), name="os:system").recipe
    with pytest.raises(ModelError, match="cannot be fitted by its name alone"):
        registry.build(recipe)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module into the working directory; gives its name."""
    monkeypatch.chdir(tmp_path)

    def write(text, name=f"own_{tmp_path.name}"):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


IMPORTS = "from sklearn.linear_model import LogisticRegression\n"


@pytest.mark.parametrize("factory", ["LogisticRegression", "made"])
def test_a_factory_is_found_in_the_working_directory(module, factory):
    name = module(f"{IMPORTS}def made():\n    return LogisticRegression()\n")
    code = foreign.from_shell(f"{name}:{factory}")
    assert code.recipe.model == f"{name}:{factory}"
    assert code.recipe.parameters["source"].startswith(f"{name}.py@")


@pytest.mark.parametrize(
    ("text", "factory", "said"),
    [
        ("", "made", "AttributeError: module '{0}' has no attribute 'made'"),
        ("import nowhere_at_all", "made", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def made():\n    return 1 / 0", "made", "ZeroDivisionError: division by zero ({1}:2)"),
        ("def made(size):\n    pass", "made", "TypeError: made() missing 1 required positional argument: 'size'"),
        ("def made(:", "made", "SyntaxError: "),
        ("made = 3", "made", "TypeError: 'int' object is not callable"),
    ],
)
def test_code_that_gives_no_estimator_is_one_line(module, tmp_path, text, factory, said):
    name = module(text)
    with pytest.raises(ModelError) as caught:
        foreign.from_shell(f"{name}:{factory}")
    assert f"{name}:{factory} gives no estimator: " in str(caught.value)
    assert said.format(name, tmp_path / f"{name}.py") in str(caught.value)
    assert "\n" not in str(caught.value)


class Faulty(Nearest):
    """Gives the probabilities that it was told to give."""

    def __init__(self, gives=None):
        self.gives = gives

    def predict_proba(self, features):
        return {
            "an error": lambda: 1 / 0,
            "NaN": lambda: np.full((len(features), len(self.classes_)), np.nan),
            "negative": lambda: np.eye(len(self.classes_))[np.zeros(len(features), int)] * [2] - 1,
            "one column": lambda: np.ones((len(features), 1)),
            "scores": lambda: np.ones((len(features), len(self.classes_))),
        }[self.gives]()


class Unfit(Nearest):
    def fit(self, features, codes):
        raise ValueError("the learning rate\nis too high")


class Unlike(Nearest):
    """Does not keep its parameter, as scikit-learn requires."""

    def __init__(self, size=1):
        self.length = size


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ("an error", r"failed in its prediction: ZeroDivisionError: division by zero \(.*test_foreign\.py:\d+\)"),
        ("NaN", "negative or no finite numbers"),
        ("negative", "negative or no finite numbers"),
        ("one column", r"shape \(\d+, 1\), and \(\d+, 4\) are wanted"),
        ("scores", "probabilities that add up to 4, and not to 1"),
    ],
)
def test_what_an_estimator_gives_is_checked(table, gives, said):
    with pytest.raises(ModelError, match=f"Faulty .*{said}"):
        experiments.run(Faulty(gives), table, cv=False, jobs=1)


def test_an_estimator_that_fails_is_told_in_one_line(table):
    with pytest.raises(ModelError) as caught:
        experiments.run(Unfit(), table, cv=False, jobs=2)
    assert "Unfit failed in fit: ValueError: the learning rate (" in str(caught.value)
    assert "test_foreign.py:" in str(caught.value) and "\n" not in str(caught.value)


def test_an_estimator_that_cannot_be_copied_is_refused(table):
    with pytest.raises(ModelError, match="Unlike gives no estimator that can be copied: AttributeError"):
        experiments.run(Unlike(), table, cv=False, jobs=1)
