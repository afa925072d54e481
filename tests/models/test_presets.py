"""Presets that tuning found, on disk and beside those of the code."""

import dataclasses

import pytest

from ser_core.errors import ArtifactError, ModelError
from ser_core.models import presets, registry

FOUND = presets.Preset("kn", "mine", {"n_neighbors": 1, "weights": "uniform"}, "ours", "s", 3, 40, "study", 5, 0.8)


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
    model = presets.model("kn", [tmp_path])
    assert set(model.presets) == {"default", "study", "functionals", "mine"}
    assert registry.parameters(model, "mine") == FOUND.parameters
    assert set(registry.get("kn").presets) == {"default", "study", "functionals"}
    assert presets.model("v4", [tmp_path]) is registry.get("v4")


@pytest.mark.parametrize(
    "name",
    ["default", "study", "functionals", "voices", "hard", "own", "tuned-inside", "voices-tuned-inside"],
)
def test_a_name_that_has_a_meaning_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match=f"'{name}' is no name for a preset that was tuned: .*Choose another"):
        presets.save(dataclasses.replace(FOUND, name=name), tmp_path)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 81])
def test_a_name_that_cannot_be(tmp_path, name):
    with pytest.raises(ModelError, match="is no name for a preset"):
        presets.save(dataclasses.replace(FOUND, name=name), tmp_path)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"model": "kn"}', "\x00"])
def test_a_damaged_preset_is_one_clear_line(tmp_path, content):
    presets.save(FOUND, tmp_path).write_text(content)
    with pytest.raises(ArtifactError, match=r"mine\.json cannot be read"):
        presets.model("kn", [tmp_path])
