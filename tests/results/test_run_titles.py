import dataclasses

import pytest

from ser_core.errors import ArtifactError
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


def test_of_runs_alike_but_for_the_corpus_the_one_on_ravdess_keeps_its_title():
    mine = run(by_chance(1), "mlp", id="own-study-mlp-default-11112222", shipped=False)
    german = of_corpus("emodb", mine, id="own-study-mlp-default-33334444", data_digest="e")
    assert list(run_titles.titles([mine]).values()) == ["mlp (yours)"]
    assert list(run_titles.titles([german]).values()) == ["mlp (yours)"]
    assert list(run_titles.titles([german, mine]).values()) == ["mlp, emodb (yours)", "mlp (yours)"]
    other_clips = of_corpus("emodb", mine, id="own-study-mlp-default-55556666", data_digest="f")
    assert list(run_titles.titles([mine, german, other_clips]).values()) == [
        "mlp (yours)",
        "mlp, emodb (yours) #33334444",
        "mlp, emodb (yours) #55556666",
    ]


def test_runs_that_were_tested_on_another_corpus_are_not_said_to_have_learned_from_it():
    mine = run(by_chance(1), "mlp", id="own-study-mlp-default-11112222", shipped=False)
    tested = of_corpus("emodb", mine, tested_on={"corpus": "emodb"})
    more = changed(tested, id="own-study-mlp-default-33334444", data_digest="e")
    assert list(run_titles.titles([tested, more], protocol=False).values()) == [
        "mlp (yours) #11112222",
        "mlp (yours) #33334444",
    ]


def test_a_run_whose_predictions_are_gone_still_has_a_title(tmp_path):
    mine = run(by_chance(1), "mlp", id="own-study-mlp-default-11112222", shipped=False)
    folder = tmp_path / "own-study-mlp-default-33334444"
    lost = changed(mine, id=folder.name, data_digest="e", tables=runs.SavedTables(folder, ()))
    assert list(run_titles.titles([mine, lost]).values()) == ["mlp (yours) #11112222", "mlp (yours) #33334444"]
    with pytest.raises(ArtifactError, match=f"predictions.parquet of run {folder.name} is gone. Restore it"):
        _ = lost.predictions


def of_corpus(name, run, **fields):
    """The same run on clips of another corpus."""
    return changed(run, tables=runs.Tables(run.predictions.assign(corpus=name)), **fields)
