import dataclasses

from ser_core.results import run_titles, runs
from tests.made_runs import by_chance, changed, run


def test_every_run_is_called_otherwise():
    first = run(by_chance(1), "mlp")
    found = [
        first,
        changed(first, {"features": "functionals"}, id="f"),
        changed(first, {"preset": "study"}, id="a"),
        changed(first, {"preset": "tuned"}, id="t"),
        changed(first, {"seed": 10}, id="s"),
        changed(first, id="own-study-mlp-default-11112222", shipped=False),
        changed(first, id="own-study-mlp-default-33334444", shipped=False),
    ]
    assert list(run_titles.titles(found, protocol=False).values()) == [
        "mlp",
        "mlp, functionals",
        "mlp (study)",
        "mlp (tuned)",
        "mlp, seed 10",
        "mlp (yours) #11112222",
        "mlp (yours) #33334444",
    ]
    functionals = {"features": "functionals", "preset": "functionals"}
    assert run_titles.title(changed(first, functionals)) == "mlp, functionals"
    voices = {"features": "functionals", "augmentation": "speaker-perturbation"}
    inside = run(by_chance(1), "apart", recipe=voices | {"preset": "voices-tuned-inside", "origin": "nested"})
    assert run_titles.title(inside) == "apart (tuned-inside), voices"


def test_runs_of_networks_have_titles_that_say_what_was_chosen(settings):
    shipped = runs.list_all([settings.artifacts])
    titles = {run_titles.title(run) for run in shipped if run.curves is not None}
    expected = {"cnn", "cnn dropout 0.5", "cnn l1 0.001", "rnn (study)", "cnn2d, emobox", "cnn2d, emobox, seed 10"}
    assert expected <= titles
    assert len(titles) == sum(run.curves is not None for run in shipped)


def test_layers_are_named_as_the_command_line_takes_them(settings):
    shipped = runs.find(runs.list_all([settings.artifacts]), model="cnn", preset="default", protocol="study")
    own = shipped.recipe.with_parameters(shipped.recipe.parameters | {"layers": [64, 32]})
    assert run_titles.title(dataclasses.replace(shipped, recipe=own)) == "cnn layers 64,32"


def test_a_votes_own_weight_is_that_of_its_first_member():
    own = {"preset": "own", "origin": "own", "parameters": {"weights": {"cnn": 0.5, "vgg16": 0.5}}}
    own = run(by_chance(1), "v_cnn_vgg16", recipe=own, members={"cnn": "a", "vgg16": "b"})
    assert run_titles.title(own) == "v_cnn_vgg16 cnn 0.5"
