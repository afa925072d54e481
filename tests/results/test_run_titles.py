from ser_core.results import run_titles, runs
from tests.made_runs import by_chance, changed, run


def test_every_run_is_called_otherwise():
    first = run(by_chance(1), "mlp")
    found = [
        first,
        changed(first, id="f", features="functionals-1"),
        changed(first, id="a", preset="study"),
        changed(first, id="t", preset="tuned"),
        changed(first, id="s", seed=10),
        changed(first, id="study-mlp-default-11112222", shipped=False),
        changed(first, id="study-mlp-default-33334444", shipped=False),
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
    assert run_titles.title(changed(first, features="functionals-1", preset="functionals")) == "mlp, functionals"
    inside = changed(first, features="voices-1", preset="voices-tuned-inside")
    assert run_titles.title(inside) == "mlp (tuned-inside), voices"


def test_runs_of_networks_have_titles_that_say_what_was_chosen(settings):
    shipped = runs.list_all([settings.artifacts])
    titles = {run_titles.title(run) for run in shipped if run.curves is not None}
    expected = {"cnn", "cnn dropout 0.5", "cnn l1 0.001", "rnn (study)", "cnn2d, emobox", "cnn2d, emobox, seed 10"}
    assert expected <= titles
    assert len(titles) == sum(run.curves is not None for run in shipped)


def test_a_votes_own_weight_is_that_of_its_first_member():
    vote = {"model": "v_cnn_vgg16", "family": "deep", "preset": "own", "members": {"cnn": "a", "vgg16": "b"}}
    own = changed(run(by_chance(1)), **vote, parameters={"weights": {"cnn": 0.5, "vgg16": 0.5}})
    assert run_titles.title(own) == "v_cnn_vgg16 cnn 0.5"
