"""Presets that tuning found, on disk and beside those of the code."""

import dataclasses

import pytest

from ser_core.errors import ArtifactError, ModelError
from ser_core.models import presets, registry

FOUND = presets.TunedPreset("kn", "mine", {"n_neighbors": 1, "weights": "uniform"}, "ours", "s", 3, 40, "study", 5, 0.8)


def test_a_preset_is_read_as_it_was_saved(tmp_path):
    presets.save(FOUND, tmp_path)
    assert presets.list_all([tmp_path]) == [FOUND]
    assert presets.list_all([tmp_path], "kn") == [FOUND]
    assert presets.list_all([tmp_path], "svm") == []


def test_the_later_stores_preset_counts(tmp_path):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    newer = dataclasses.replace(FOUND, trials=80)
    presets.save(FOUND, shipped)
    presets.save(newer, own)
    assert presets.list_all([shipped, own]) == [newer]


def test_a_model_has_it_beside_those_of_the_code(tmp_path):
    presets.save(FOUND, tmp_path)
    model = registry.get("kn", [tmp_path])
    assert set(model.presets) == {"default", "study", "functionals", "mine"}
    recipe = model.recipe("mine")
    assert recipe.parameters == FOUND.parameters
    assert (recipe.origin, recipe.features, recipe.preprocessing) == ("tuned", "mean180", "tailored")
    assert model.preset("mine").tuning["trials"] == 40
    assert set(registry.get("kn").presets) == {"default", "study", "functionals"}
    assert registry.get("v4", [tmp_path]) is registry.get("v4")


def test_parameters_of_the_authors_ranges_go_with_their_preprocessing():
    preset = dataclasses.replace(FOUND, space="study").as_preset(registry.get("kn"))
    assert preset.preprocessing == "plain"


@pytest.mark.parametrize("name", ["default", "study", "functionals", "own"])
def test_a_name_that_the_model_has_already_is_refused(name):
    with pytest.raises(ModelError, match=f"'{name}' is no name for a preset that was tuned: .*Choose another"):
        presets.check_name(name, registry.get("kn"))


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 81])
def test_a_name_that_cannot_be(name):
    with pytest.raises(ModelError, match="is no name for a preset"):
        presets.check_name(name, registry.get("kn"))


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"model": "kn"}', "\x00"])
def test_a_damaged_preset_is_one_clear_line(tmp_path, content):
    other = presets.save(dataclasses.replace(FOUND, name="other"), tmp_path)
    presets.save(FOUND, tmp_path).write_text(content)
    found, (one,) = presets.read_all([tmp_path])
    assert [preset.name for preset in found] == [other.stem]
    assert str(one).startswith("Preset kn/mine cannot be read: mine.json")
    assert {"other"} == set(registry.get("kn", [tmp_path]).presets) - set(registry.get("kn").presets)
    with pytest.raises(ArtifactError, match=r"Preset kn/mine cannot be read"):
        registry.recipe("kn", "mine", stores=[tmp_path])


def test_a_damaged_preset_of_ones_own_is_not_replaced_by_the_one_that_ships(tmp_path):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    presets.save(FOUND, shipped)
    presets.save(FOUND, own).write_text("")
    assert presets.read_all([shipped, own])[0] == []
    with pytest.raises(ArtifactError, match=r"Preset kn/mine cannot be read.*save it anew"):
        registry.recipe("kn", "mine", stores=[shipped, own])
