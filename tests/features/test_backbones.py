"""Pretrained backbones, with a small network in the place of the large: their weights, their versions, what lacks."""

import dataclasses

import numpy as np
import pytest

from ser_core.errors import ModelError
from ser_core.features import backbones, images, model_input, registry
from ser_core.keras_backend import load_keras
from ser_core.models.networks import NetworkClassifier
from ser_core.settings import Settings


@pytest.fixture
def settings(settings, voices):
    return dataclasses.replace(settings, data_dir=voices)


@pytest.fixture
def keras(monkeypatch):
    """Keras with a VGG16 of one layer, which notes the weights that it was asked for in `keras.asked`."""
    keras = load_keras()
    asked = []

    def small(weights, include_top, input_shape):
        assert not include_top and input_shape == (224, 224, 3)
        asked.append(weights)
        keras.utils.set_random_seed(1 if str(weights).endswith("other.h5") else 0)
        pixels = keras.Input(input_shape)
        return keras.Model(pixels, keras.layers.Conv2D(4, 32, strides=32, activation="relu")(pixels))

    for name in ("VGG16", "MobileNetV2"):
        monkeypatch.setattr(keras.applications, name, small)
    keras.asked = asked
    return keras


def test_every_backbone_is_one_that_keras_has():
    keras = load_keras()
    for name, module in backbones.BACKBONES.values():
        assert callable(getattr(keras.applications, name))
        assert callable(getattr(keras.applications, module).preprocess_input)


def test_a_bottleneck_is_what_the_network_says_of_the_picture_and_is_kept_by_its_weights(
    settings, table, keras, tmp_path
):
    own, other = (tmp_path / name for name in ("own.h5", "other.h5"))
    own.touch(), other.touch()
    first = model_input.load(table, settings, features="vgg16", weights=own)
    assert first.values.shape == (64, 7, 7, 4)
    assert "from the file own.h5 (digest" in first.weights
    assert first.version.startswith("vgg16-") and images.VERSION in first.version
    second = model_input.load(table, settings, features="vgg16", weights=other)
    assert second.version != first.version
    assert not np.array_equal(second.values, first.values)
    np.testing.assert_array_equal(
        model_input.load(table, settings, features="vgg16", weights=own).values, first.values
    )  # each is kept


def test_a_bottleneck_does_not_depend_on_the_batch_that_it_is_made_in(keras, spoken):
    one = backbones.load("vgg16")
    clips = [spoken[start:] for start in range(0, 20_000, 5_000)]
    alone = np.concatenate([one.of([clip]) for clip in clips]).astype(np.float32)
    np.testing.assert_allclose(one.of(clips).astype(np.float32), alone, rtol=2e-2, atol=1e-2)


def test_weights_are_those_of_the_option_then_of_the_setting_then_keras_own(settings, keras, tmp_path):
    option, named = tmp_path / "option.h5", tmp_path / "named.h5"
    option.touch(), named.touch()
    with_file = dataclasses.replace(settings, backbone_weights={"vgg16": named})
    assert "option.h5" in registry.get("vgg16", with_file, option).weights
    assert "named.h5" in registry.get("vgg16", with_file).weights
    assert "Keras' download" in registry.get("vgg16", settings).weights
    assert "Keras' download" in registry.get("mobilenet", with_file).weights  # VGG16's fit no other
    of_its_own = dataclasses.replace(settings, backbone_weights={"vgg16": named, "mobilenet": option})
    assert "option.h5" in registry.get("mobilenet", of_its_own).weights
    assert keras.asked == [str(option), str(named), "imagenet", "imagenet", str(option)]


def test_with_neither_download_nor_file_one_line_says_both_ways(settings, monkeypatch):
    keras = load_keras()

    def offline(**_):
        raise Exception("URL fetch failure on https://storage.googleapis.com/...: None -- no route\nand more")

    monkeypatch.setattr(keras.applications, "VGG16", offline)
    with pytest.raises(ModelError, match="cannot be loaded from Keras' download") as fault:
        registry.get("vgg16", settings)
    said = str(fault.value)
    assert "--weights FILE, or SER_VGG16_WEIGHTS=FILE" in said and "\n" not in said


@pytest.mark.parametrize("key", backbones.BACKBONES)
def test_each_backbone_has_a_variable_for_its_weights(key, monkeypatch, tmp_path):
    file = tmp_path / "mine.h5"
    monkeypatch.setenv(backbones.weights_variable(key), str(file))
    assert Settings.from_environment().backbone_weights[key] == file
    monkeypatch.setenv(backbones.weights_variable(key), "")
    assert key not in Settings.from_environment().backbone_weights


@pytest.mark.slow
def test_layers_on_mobilenet_learn_from_pictures_with_weights_from_a_file(spoken, tmp_path):
    """The network itself, with weights by chance, which is all that this needs."""
    keras = load_keras()
    file = tmp_path / "mobilenet.weights.h5"
    keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(224, 224, 3)).save_weights(file)
    clips = [spoken[start : start + 20_000] for start in range(0, 8_000, 1_000)]
    seen = backbones.load("mobilenet", file).of(clips)
    assert seen.shape == (8, 7, 7, 1280)
    model = NetworkClassifier("head", epochs=1, batch_size=4, validation=0.0, layers=[8])
    model.fit(seen.astype(np.float32), np.arange(8) % 2)
    np.testing.assert_allclose(model.predict_proba(seen.astype(np.float32)).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_a_file_that_holds_no_weights_is_named(settings, tmp_path, content):
    file = tmp_path / "mine.weights.h5"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot be loaded from .*mine\.weights\.h5"):
        backbones.load("vgg16", file)
