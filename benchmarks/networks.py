"""Networks: bottleneck features against the plain way to them, an epoch of the cnn against Keras' own, and memory.

    python -m benchmarks.networks [N | --memory]

All sides take turns in one run, so that a noisy machine slows all alike. The plain way to a bottleneck, whole road from
the file: librosa, a matplotlib figure without axes drawn by specshow, its PNG read again, `model.predict` on the one
picture. Ours: `features.backbones`: pictures made of the numbers, 16 at a time, in half precision where there is
one; how far that moves a bottleneck is told, too. `--memory` makes the bottleneck of every clip of SER_DATA_DIR anew
and says how much memory that took at most. VGG16's weights are those of SER_VGG16_WEIGHTS, or Keras' download.
"""

import io
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import librosa
import matplotlib
import numpy as np

from benchmarks.features import wav_clips
from ser_core import audio
from ser_core.evaluation import protocols
from ser_core.features import backbones, images, model_input, store, tables
from ser_core.keras_backend import load_keras
from ser_core.models import networks, registry
from ser_core.settings import Settings
from tests import plain_pictures

EPOCHS = 7


def main(number: int = 48) -> None:
    matplotlib.use("Agg")
    bottleneck(number)
    epochs()


def bottleneck(number: int) -> None:
    """Seconds a clip from the file to the features."""
    keras = load_keras()
    settings = Settings.from_environment()
    weights = settings.backbone_weights.get("vgg16")
    model = keras.applications.VGG16(
        weights=str(weights) if weights else "imagenet", include_top=False, input_shape=(224, 224, 3)
    )
    prepare = keras.applications.vgg16.preprocess_input

    def plain(content: bytes) -> np.ndarray:
        samples, _ = librosa.load(io.BytesIO(content))
        pixels = plain_pictures.pixels(plain_pictures.png(plain_pictures.values(samples, "mel")))
        return model.predict(prepare(pixels[np.newaxis].astype(np.float32)), verbose=0)

    one = backbones.load("vgg16", weights)

    def ours(contents: list[bytes]) -> np.ndarray:
        return one.of([audio.load(content, rate=store.SAMPLE_RATE).samples for content in contents])

    clips = wav_clips(number)
    for content in clips[:2]:
        plain(content)
    ours(clips[: store.LARGE_BATCH])
    theirs_s, ours_s = [], []
    for start in range(0, len(clips) - store.LARGE_BATCH + 1, store.LARGE_BATCH):
        batch = clips[start : start + store.LARGE_BATCH]
        began = time.perf_counter()
        for content in batch:
            plain(content)
        middle = time.perf_counter()
        ours(batch)
        theirs_s.append((middle - began) / len(batch))
        ours_s.append((time.perf_counter() - middle) / len(batch))
    theirs, mine = statistics.median(theirs_s), statistics.median(ours_s)
    print(
        f"VGG16 bottleneck, file to features, {len(theirs_s) * store.LARGE_BATCH} clips, s a clip: figure and predict "
        f"each {theirs:.3f}, ours {mine:.3f}: {theirs / mine:.1f} times as fast"
    )
    samples = [audio.load(content, rate=store.SAMPLE_RATE).samples for content in clips[: store.LARGE_BATCH]]
    pictures = np.stack([images.picture(each, "mel") for each in samples]).astype(np.float32)
    single = model.predict_on_batch(prepare(pictures))
    apart = np.abs(one.of(samples).astype(np.float32) - single).mean() / np.abs(single).mean()
    print(
        f"  computed in {one.version.rsplit('-', 1)[1]}: {apart:.2%} from single precision on the same pictures, mean"
    )


def epochs() -> None:
    """Seconds an epoch of the cnn, as we train it and by `model.fit` on the same arrays and the same network."""
    keras = load_keras()
    table = tables.read(Settings.from_environment().feature_table)
    fold = next(fold for fold in protocols.get("study").folds(table) if fold.part == "test")
    features = tables.matrix(table)[fold.train]
    labels = np.unique(table["label"].to_numpy(dtype=str), return_inverse=True)[1][fold.train]
    parameters = registry.parameters("cnn") | {"epochs": EPOCHS}
    learn, watch = networks.NetworkClassifier("cnn", **parameters)._parts(labels, None)
    model = networks.build_cnn(features[learn], 16, networks.Options(dropout=parameters["dropout"]))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    one_hot = keras.utils.to_categorical(labels, 16)
    theirs, ours = [], []

    def turn(told):
        ours.append(told["seconds"])
        began = time.perf_counter()
        model.fit(
            features[learn],
            one_hot[learn],
            batch_size=parameters["batch_size"],
            validation_data=(features[watch], one_hot[watch]),
            verbose=0,
        )
        theirs.append(time.perf_counter() - began)

    with tempfile.TemporaryDirectory() as folder:
        network = networks.NetworkClassifier("cnn", **parameters)
        network.fit(features, labels, watch=turn, checkpoint=Path(folder) / "checkpoint")
    plain, mine = statistics.median(theirs[1:]), statistics.median(ours[1:])  # the first builds the graph
    ratio = plain / mine
    print(f"cnn, s an epoch of {len(learn)} clips: model.fit {plain:.2f}, ours {mine:.2f}: {ratio:.2f} times as fast")


def memory() -> None:
    """Peak memory of the bottleneck of all clips, made anew."""
    settings = Settings.from_environment()
    table = tables.read(settings.feature_table)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        seen = model_input.load(table, replace(settings, workspace=Path(folder)), features="vgg16")
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"VGG16 bottleneck of {len(seen.values):,} clips: {seconds:.0f} s, at most {peak:.2f} GiB of memory")


if __name__ == "__main__":
    if "--memory" in sys.argv:
        memory()
    else:
        main(*map(int, sys.argv[1:]))
