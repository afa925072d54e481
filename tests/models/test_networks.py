"""Networks, tiny and on made-up clips: each kind learns, is kept as a file, and goes on after a kill as if none had
been."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from ser_core import experiments
from ser_core.errors import ModelError, TrainingError
from ser_core.features import mean180
from ser_core.features.frames import band_centres_hz
from ser_core.keras_backend import load_keras
from ser_core.models import network_arrays, networks, registry
from ser_core.models.emotion_classifier import EmotionClassifier
from ser_core.models.networks import NetworkClassifier
from ser_core.settings import PROJECT

# kind -> what it sees of a clip: the smallest that it can be built on. The study's RNN reads its numbers in a row.
SHAPES = {"cnn": (16,), "head": (2, 2, 8), "rnn": (10, 6), "rnn-row": (6,), "cnn2d": (32, 16)}
EPOCHS = {"cnn": 6, "head": 6, "rnn": 4, "rnn-row": 15, "cnn2d": 8}
CLASSES, CLIPS = 3, 24

# TensorFlow takes seconds to trace the training of each further layer: of those that repeat, a few will do.
SMALL = {"cnn": [8, 8, 8, 8], "cnn2d": [8, 16]}


def clips(kind: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Clips of three classes that lie apart, and their classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(CLASSES * CLIPS) % CLASSES
    shape = SHAPES[kind]
    centres = np.random.default_rng(1).normal(scale=3, size=(CLASSES, *shape))
    made = centres[labels] + random.normal(size=(len(labels), *shape))
    return (np.abs(made) if kind == "head" else 10 * made - 40 if kind == "cnn2d" else made).astype(np.float32), labels


def network(kind: str, **options) -> NetworkClassifier:
    usual = {"epochs": EPOCHS[kind], "dropout": 0.2, "optimizer": "adam", "learning_rate": 0.003, "batch_size": 8}
    usual["layers"] = SMALL.get(kind)
    if kind == "cnn2d":
        usual |= {"decay": True, "augment": True, "smoothing": 0.1}
    if kind == "rnn-row":
        usual["learning_rate"] = 0.01
    return NetworkClassifier(kind.removesuffix("-row"), **usual | options)


def told(model: NetworkClassifier) -> list[dict]:
    """Each epoch, without what it took."""
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in model.history_]


@pytest.fixture(scope="module", params=SHAPES)
def whole(request, tmp_path_factory):
    """A network of each kind, trained without a break; what it left on disk after its second epoch lies there still."""
    kind, folder = request.param, tmp_path_factory.mktemp(request.param)

    def watch(epoch):
        if epoch["epoch"] == 2:
            shutil.copytree(folder / "state", folder / "as killed")

    model = network(kind).fit(*clips(kind), watch=watch, checkpoint=folder / "state")
    return kind, model, folder / "as killed"


@pytest.fixture(scope="module")
def head():
    return network("head").fit(*clips("head"))


def test_each_kind_learns_and_is_the_same_from_its_file(whole):
    kind, model, _ = whole
    features, labels = clips(kind, seed=2)
    given = model.predict_proba(features)
    assert given.shape == (len(features), CLASSES)
    np.testing.assert_allclose(given.sum(axis=1), 1, rtol=1e-5)
    assert np.mean(model.predict(features) == labels) > 0.8
    again = network_arrays.loads(network_arrays.dumps(network_arrays.of_keras(model.model_)))
    np.testing.assert_allclose(again.predict_proba(features), given, atol=1e-5)
    assert again.classes_.tolist() == model.classes_.tolist()


def test_one_that_was_killed_goes_on_to_the_same_result(whole, tmp_path):
    kind, model, as_killed = whole
    shutil.copytree(as_killed, tmp_path / "state")
    features, labels = clips(kind)
    seen = []
    gone_on = network(kind).fit(features, labels, watch=seen.append, checkpoint=tmp_path / "state")
    assert [epoch["epoch"] for epoch in seen] == [*range(3, len(model.history_) + 1)]  # what was done stays done
    assert told(gone_on) == told(model)
    np.testing.assert_array_equal(gone_on.predict_proba(features), model.predict_proba(features))


def test_each_kind_is_told_layer_by_layer(whole):
    _, model, _ = whole
    layers = model.summary()
    assert layers[0]["kind"] == "InputLayer"
    assert layers[-1]["shape"] == [CLASSES]
    assert sum(layer["parameters"] for layer in layers) == model.model_.count_params()


def test_the_state_before_a_kill_counts_until_the_next_is_whole(head, tmp_path, monkeypatch):
    features, labels = clips("head")
    state = tmp_path / "state"

    def killed(source, target):
        if (state / "epoch-0003").exists():
            raise KeyboardInterrupt  # the third epoch's files are there, and nothing says so yet
        os.rename(source, target)

    with monkeypatch.context() as for_now, pytest.raises(KeyboardInterrupt):
        for_now.setattr(os, "replace", killed)
        network("head").fit(features, labels, checkpoint=state)
    (state / "epoch-0003" / "network.keras").write_bytes(b"half a file")
    gone_on = network("head").fit(features, labels, checkpoint=state)
    assert told(gone_on) == told(head)
    assert [folder.name for folder in state.glob("epoch-*")] == [f"epoch-{len(gone_on.history_):04d}"]


def test_the_same_seed_gives_the_same_and_another_does_not(head):
    features, labels = clips("head")
    given = head.predict_proba(features)
    np.testing.assert_array_equal(clone(head).fit(features, labels).predict_proba(features), given)
    assert not np.array_equal(clone(head).set_params(seed=10).fit(features, labels).predict_proba(features), given)


def test_training_ends_when_it_gets_no_better_and_the_best_epoch_is_kept():
    features, labels = clips("head")
    labels = np.random.default_rng(3).permutation(labels)  # there is nothing to learn
    model = network("head", epochs=60, patience=3, validation=0.4).fit(features, labels)
    accuracies = [epoch["val_accuracy"] for epoch in model.history_]
    assert len(accuracies) < 60
    assert len(accuracies) - 1 - int(np.argmax(accuracies)) == 3
    _, watch = model._parts(labels, None)
    assert np.mean(model.predict(features[watch]) == labels[watch]) == pytest.approx(max(accuracies))


def test_the_watched_clips_are_no_clips_that_it_learns_from_nor_actors_where_those_are_told():
    labels = clips("head")[1]
    actors = np.arange(len(labels)) % 8
    learn, watch = network("head", validation=0.25)._parts(labels, None)
    assert not set(learn) & set(watch)
    assert len(watch) == len(labels) // 4 and len(set(labels[watch])) == CLASSES
    learn, watch = network("head", validation=0.25)._parts(labels, actors)
    assert not set(actors[learn]) & set(actors[watch])
    assert len(learn) + len(watch) == len(labels)


def test_no_test_clip_is_seen_while_it_learns(table):
    """Neither the weights nor the epoch that is kept depend on the clips of the test part."""
    recipe = registry.get("cnn").with_options(registry.recipe("cnn"), {"epochs": 1, "layers": SMALL["cnn"]})
    honest = experiments.run(recipe, table, cv=False).run
    spoiled = table.copy()
    spoiled.loc[spoiled["stem"].isin(honest.part("test")["clip"]), list(mean180.NAMES)] = 0
    other = experiments.run(recipe, spoiled, cv=False).run
    assert other.curves.drop(columns="seconds").equals(honest.curves.drop(columns="seconds"))
    probabilities = [name for name in honest.predictions if name.startswith("p_")]
    np.testing.assert_array_equal(other.part("train")[probabilities], honest.part("train")[probabilities])
    assert not np.array_equal(other.part("test")[probabilities], honest.part("test")[probabilities])


def test_a_loss_that_is_no_number_ends_it_with_the_reason_and_is_not_kept(tmp_path):
    features, labels = clips("head")
    model = network("head", optimizer="sgd", learning_rate=1e30)
    with pytest.raises(TrainingError, match=r"The loss is (nan|inf) in epoch \d: .*learning rate below 1e\+30"):
        model.fit(features, labels, checkpoint=tmp_path / "state")
    kept = tmp_path / "state" / networks.STATE
    assert not kept.exists() or all(np.isfinite(one["loss"]) for one in json.loads(kept.read_text())["history"])


def cut_off(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def made_a_folder(file):
    file.unlink()
    file.mkdir()


def said_otherwise(file):
    file.write_text('{"state": "epoch-9999", "history": 3}')


ODD = {  # a file of the state, and what became of it
    "state cut off": (networks.STATE, cut_off),
    "state a folder": (networks.STATE, made_a_folder),
    "state of another": (networks.STATE, said_otherwise),
    "network cut off": ("epoch-*/network.keras", cut_off),
    "network missing": ("epoch-*/network.keras", Path.unlink),
    "best cut off": ("epoch-*/best.npz", cut_off),
    "best missing": ("epoch-*/best.npz", Path.unlink),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_damaged_state_is_said_and_the_training_starts_anew(head, tmp_path, caplog, odd):
    features, labels = clips("head")
    state = tmp_path / "state"

    def stop(epoch):
        if epoch["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network("head").fit(features, labels, checkpoint=state, watch=stop)
    name, spoil = ODD[odd]
    (file,) = state.glob(name)
    spoil(file)
    seen = []
    again = network("head").fit(features, labels, checkpoint=state, watch=seen.append)
    assert "cannot be used" in caplog.text and "it starts from its beginning" in caplog.text
    assert seen[0]["epoch"] == 1 and told(again) == told(head)


def test_padding_changes_nothing_for_the_rnn():
    features, _ = clips("rnn")
    padded = np.concatenate([features, np.zeros((len(features), 6, 6), np.float32)], axis=1)
    short, long = (networks.build_rnn(seen, CLASSES, networks.Options()) for seen in (features, padded))
    long.set_weights(short.get_weights())
    np.testing.assert_allclose(long.predict_on_batch(padded), short.predict_on_batch(features), atol=1e-6)


def test_cnn2d_takes_frames_of_any_length():
    features, _ = clips("cnn2d")
    model = networks.build_cnn2d(features, CLASSES, networks.Options())
    for frames in (16, 50):
        assert model.predict_on_batch(np.resize(features, (4, frames, 16))).shape == (4, CLASSES)


def test_changed_copies_are_others_each_epoch_and_leave_the_clips_as_they_are():
    frames, _ = clips("cnn2d")
    before = frames.copy()
    one, same, other = (networks.augment(frames, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(frames, before)
    np.testing.assert_array_equal(one, same)
    assert one.shape == frames.shape and one.dtype == np.float32
    assert not np.array_equal(one, other)
    louder = one.mean(axis=(1, 2)) - frames.mean(axis=(1, 2))
    assert 0.5 < np.abs(louder).max() < networks.GAIN_DB + networks.NOISE_DB
    spread = one.std(axis=2)
    assert (spread == 0).any()  # a stretch of time is blotted out


def test_in_another_voice_all_is_higher_and_sooner_over():
    frames = np.full((192, 64), networks.FLOOR_DB, dtype=np.float32)
    centres = band_centres_hz()
    band = int(np.abs(centres - 1000).argmin())
    frames[46:146, band] = 0.0  # a tone of 100 frames
    np.testing.assert_array_equal(networks.other_voice(frames, 1.0, 1.0), frames)
    changed = networks.other_voice(frames, 1.25, 1.1)
    assert changed.max(axis=0).argmax() == np.abs(centres - 1.1 * centres[band]).argmin()
    assert np.sum(changed.max(axis=1) > -40) == pytest.approx(80, abs=2)
    lower = networks.other_voice(frames, 1.0, 0.9)
    assert lower.max(axis=0).argmax() == np.abs(centres - 0.9 * centres[band]).argmin()


def test_a_network_learns_each_clip_in_other_voices_where_it_is_asked_to():
    features, labels = clips("cnn2d")
    plain, voices = (network("cnn2d", epochs=1, voices=share).fit(features, labels) for share in (0.0, 0.1))
    assert not np.allclose(plain.predict_proba(features), voices.predict_proba(features))
    assert registry.build(registry.recipe("cnn2d", "voices")).voices == 0.1
    assert registry.build(registry.recipe("cnn2d")).voices == 0.0


def test_the_cnn_is_built_as_the_study_says():
    features, _ = clips("cnn")
    model = networks.build_cnn(features, CLASSES, networks.Options(dropout=0.4, l1=1e-4, l2=1e-3))
    kinds = [type(layer).__name__ for layer in model.layers if layer.name != "pca"]
    assert (kinds.count("Conv1D"), kinds.count("Dense")) == (8, 3)
    assert "BatchNormalization" in kinds
    weighed = [layer for layer in model.layers[:-1] if getattr(layer, "kernel_regularizer", None)]
    assert len(weighed) == 10  # all but the components and the last
    for layer in weighed:
        assert float(layer.kernel_regularizer.l1) == pytest.approx(1e-4)
        assert float(layer.kernel_regularizer.l2) == pytest.approx(1e-3)
    assert {layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"} == {0.2, 0.4}
    scaled = StandardScaler().fit_transform(features)
    expected = scaled @ PCA(0.95, svd_solver="full").fit(scaled).components_.T
    first = load_keras().Model(model.input, model.get_layer("pca").output)
    np.testing.assert_allclose(first.predict_on_batch(features), expected, atol=1e-4)
    assert expected.shape[1] < features.shape[1]


@pytest.mark.parametrize(
    ("kind", "layer", "usual", "chosen", "are"),
    [
        ("cnn", "Conv1D", [32, 32, 64, 64, 64, 64, 64, 64], [8, 4], [8, 4]),
        ("head", "Dense", [256, 128], [8], [8]),
        ("rnn", "Bidirectional", [128, 128], [8, 6, 4], [16, 12, 8]),
        ("rnn-row", "LSTM", [64], [8, 4], [8, 4]),
        ("cnn2d", "Conv2D", [24, 24, 48, 48, 96, 96, 128, 128], [8], [8, 8]),
    ],
)
def test_layers_are_as_chosen(kind, layer, usual, chosen, are):
    def sizes(**options):
        model = NetworkClassifier(kind.removesuffix("-row"), **options)
        model.classes_ = np.arange(CLASSES)
        built = [one for one in model._begin(clips(kind)[0], None)[0].layers if type(one).__name__ == layer]
        return [one.output.shape[-1] for one in (built[:-1] if layer == "Dense" else built)]

    assert sizes(layers=chosen) == are
    assert sizes() == usual


def test_chosen_layers_are_kept_as_arrays():
    features, labels = clips("rnn")
    model = network("rnn", layers=[8, 6, 4], epochs=1).fit(features, labels)
    again = network_arrays.loads(network_arrays.dumps(network_arrays.of_keras(model.model_)))
    np.testing.assert_allclose(again.predict_proba(features), model.predict_proba(features), atol=1e-5)


def test_the_studys_optimiser_is_sgd_with_momentum():
    features, labels = clips("head")
    model = NetworkClassifier("head")
    model.classes_ = np.unique(labels)
    optimizer = model._begin(features, None)[0].optimizer
    assert type(optimizer).__name__ == "SGD"
    assert (optimizer.momentum, float(optimizer.learning_rate)) == (0.9, pytest.approx(0.01))


@pytest.mark.parametrize(("optimizer", "momentum"), [("sgd", 0.5), ("sgd", 0.0), ("rmsprop", 0.0)])
def test_optimiser_and_momentum_are_as_chosen(optimizer, momentum):
    features, labels = clips("head")
    model = NetworkClassifier("head", optimizer=optimizer, momentum=momentum)
    model.classes_ = np.unique(labels)
    built = model._begin(features, None)[0].optimizer
    assert type(built).__name__.lower() == optimizer
    assert built.momentum == momentum


def test_copies_are_learned_from_and_the_original_is_predicted():
    """One copy in four says which class it is; the others, and the original, are noise."""
    features, labels = clips("cnn2d")
    noise = np.random.default_rng(3).normal(size=features.shape).astype(np.float32)
    from_copies = network("cnn2d", copies=True, augment=False, epochs=12)
    from_copies.fit(np.stack([noise, features, features, features], axis=1), labels)
    heard, _ = clips("cnn2d", seed=2)
    assert np.mean(from_copies.predict(np.stack([heard, noise, noise, noise], axis=1)) == labels) > 0.8
    assert np.mean(from_copies.predict(np.stack([noise, heard, heard, heard], axis=1)) == labels) < 0.6
    assert np.mean(from_copies.predict(heard) == labels) > 0.8


def test_an_unfitted_network_says_so():
    with pytest.raises(NotFittedError):
        NetworkClassifier().predict_proba(clips("cnn")[0])


def test_it_stands_behind_the_16_classes_like_any_other_model():
    features, labels = clips("head")
    names = np.array(["angry_male", "sad_female", "calm_male"])[labels]
    model = EmotionClassifier(network("head")).fit(features, names)
    given = model.predict_proba(features)
    assert given.shape == (len(features), 16)
    assert (given > 0).sum(axis=1).max() <= CLASSES
    assert np.mean(model.predict(features) == names) > 0.8


def test_a_layer_that_cannot_be_kept_is_named():
    keras = load_keras()
    inputs = keras.Input((3,))
    with pytest.raises(ModelError, match="a layer Lambda cannot be kept"):
        network_arrays.of_keras(keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs)))


HALF = """
import shutil, sys
from pathlib import Path
import numpy as np
import tensorflow as tf
found = tf.config.list_physical_devices
tf.config.list_physical_devices = lambda kind=None: ["a GPU"] if kind == "GPU" else found(kind)
from ser_core import keras_backend
from ser_core.keras_backend import load_keras
from ser_core.models import networks
from tests.models.test_networks import clips, network, told
assert load_keras().mixed_precision.global_policy().name == "mixed_float16"
assert 1 <= tf.config.threading.get_intra_op_parallelism_threads() <= keras_backend.MAX_THREADS
state, as_killed = Path(sys.argv[1]) / "state", Path(sys.argv[1]) / "as killed"
features, labels = clips("cnn2d")
def watch(epoch):
    if epoch["epoch"] == 1:
        shutil.copytree(state, as_killed)
whole = network("cnn2d", epochs=2).fit(features, labels, watch=watch, checkpoint=state)
assert {layer.compute_dtype for layer in whole.model_.layers[1:-1]} == {"float16"}
assert whole.model_.output.dtype == "float32"
np.testing.assert_allclose(whole.predict_proba(features).sum(axis=1), 1, rtol=1e-5)
gone_on = network("cnn2d", epochs=2).fit(features, labels, checkpoint=as_killed)
assert told(gone_on) == told(whole), (told(gone_on), told(whole))
print("well")
"""


def test_where_there_is_a_gpu_it_learns_in_half_precision_and_goes_on_to_the_same_result(tmp_path):
    """All of it that shows without a GPU. Keras forgets in its files what precision one of the layers has."""
    usual = {name: value for name, value in os.environ.items() if name != "TF_NUM_INTRAOP_THREADS"}
    answer = subprocess.run(
        [sys.executable, "-c", HALF, str(tmp_path)], cwd=PROJECT, env=usual, capture_output=True, text=True, check=False
    )
    assert answer.stdout.split() == ["well"], answer.stderr[-2000:]
