"""Networks: how each is built, and a scikit-learn estimator that trains any of them, one epoch at a time.

The only module of this room that imports TensorFlow, and only when a network is built: what is trained is kept and run
by `network_arrays`, without it. Besides weights, what is fitted on the training clips (means, standard deviations,
principal components) is in the network's first layers, so that they are the whole model.
"""

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.validation import check_is_fitted

from ser_core import interrupts, records
from ser_core.errors import TrainingError
from ser_core.features.frames import FLOOR_DB, band_centres_hz
from ser_core.files import atomically
from ser_core.keras_backend import load_keras
from ser_core.models.base import ProbabilisticClassifier
from ser_core.models.layers import LAYERS, OF_A_ROW

logger = logging.getLogger(__name__)

PCA_VARIANCE = 0.95  # as in the original paper: 66 components of its 180 features
PREDICT_BATCH = 128
STATE = "training.json"


# Builders: (what the training clips look like, number of classes, options) -> a network that is not compiled


@dataclass(frozen=True)
class Options:
    """Regularisation of a network.

    Parameters
    ----------
    dropout : float
        Share of units that are dropped in training.
    l1, l2 : float
        Penalties on the weights of convolutions and dense layers.
    layers : tuple of int
        Sizes of the hidden layers; if empty, the builder's usual ones.
    """

    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    layers: tuple[int, ...] = ()


def build_cnn(features: np.ndarray, classes: int, options: Options):
    """The original's first approach: standardise, PCA at 95% of the variance, 8 convolutions, 3 dense layers.

    Parameters
    ----------
    features : np.ndarray [shape=(n, d)]
        Of the training clips; means, standard deviations and components are fitted on them.
    classes : int
    options : Options
        Its layers are the filters of each convolution.

    Returns
    -------
    keras.Model
        Not compiled.
    """
    keras = load_keras()
    layers = keras.layers
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    pca = PCA(PCA_VARIANCE, svd_solver="full").fit((features - mean) / deviation)
    inputs = keras.Input(features.shape[1:])
    x = layers.Normalization(mean=mean, variance=deviation**2)(inputs)
    components = layers.Dense(int(pca.n_components_), use_bias=False, trainable=False, name="pca")
    x = components(x)
    components.set_weights([pca.components_.T])
    x = layers.Reshape((-1, 1))(x)
    for layer, width in enumerate(options.layers or LAYERS["cnn"].usual):
        x = layers.Conv1D(width, 5, padding="same", use_bias=False, **_penalty(keras, options))(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        if layer >= 3 and layer % 2:
            x = layers.Dropout(options.dropout / 2)(x)
    return _dense_head(keras, inputs, layers.Flatten()(x), classes, options, LAYERS["head"].usual)


def build_head(features: np.ndarray, classes: int, options: Options):
    """The original's second approach: the same dense layers on bottleneck features of a network trained on ImageNet.

    Parameters
    ----------
    features : np.ndarray [shape=(n, rows, columns, channels)]
        Bottleneck features of the training clips.
    classes : int
    options : Options

    Returns
    -------
    keras.Model
        Not compiled.
    """
    keras = load_keras()
    inputs = keras.Input(features.shape[1:])
    # ReLU features are heavy-tailed: log1p raises the accuracy of a linear probe by 5 points.
    x = keras.ops.log1p(keras.layers.Flatten()(inputs))
    x = keras.layers.BatchNormalization()(x)
    return _dense_head(keras, inputs, x, classes, options, options.layers or LAYERS["head"].usual)


def _dense_head(keras, inputs, x, classes: int, options: Options, sizes: Sequence[int]):
    for units in sizes:
        x = keras.layers.Dense(units, use_bias=False, **_penalty(keras, options))(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.Dropout(options.dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax", dtype="float32")(x))


def build_rnn(features: np.ndarray, classes: int, options: Options):
    """An LSTM over a sequence of frames with masked padding (zeros); a vector is read as a sequence of single numbers.

    Parameters
    ----------
    features : np.ndarray [shape=(n, frames, d) or (n, d)]
        Of the training clips; means and variances are fitted on them.
    classes : int
    options : Options

    Returns
    -------
    keras.Model
        Not compiled.
    """
    keras = load_keras()
    layers = keras.layers
    inputs = keras.Input(features.shape[1:])
    if features.ndim == 2:  # as in the original paper: 180 aggregated features, one after another
        x = layers.Normalization(mean=features.mean(axis=0), variance=features.var(axis=0))(inputs)
        x = layers.Reshape((-1, 1))(x)
        sizes = options.layers or OF_A_ROW.usual
        for size in sizes[:-1]:
            x = layers.LSTM(size, return_sequences=True)(x)
        x = layers.LSTM(sizes[-1])(x)
    else:
        frames = features.reshape(-1, features.shape[-1])
        frames = frames[frames.any(axis=1)]  # padding is zeros
        masked = layers.Masking()(inputs)
        x = layers.Normalization(mean=frames.mean(axis=0), variance=frames.var(axis=0))(inputs)
        sizes = options.layers or LAYERS["rnn"].usual
        for size in sizes[:-1]:
            x = layers.Bidirectional(layers.LSTM(size, return_sequences=True))(x, mask=masked._keras_mask)
            x = layers.Dropout(options.dropout)(x)
        x = layers.Bidirectional(layers.LSTM(sizes[-1]))(x, mask=masked._keras_mask)
    x = layers.Dropout(options.dropout)(x)
    outputs = layers.Dense(classes, activation="softmax", dtype="float32", **_penalty(keras, options))(x)
    return keras.Model(inputs, outputs)


def build_cnn2d(features: np.ndarray, classes: int, options: Options):
    """Ours: four blocks of two convolutions on log-mel frames, mean and maximum pooling over time, one dense layer.

    Parameters
    ----------
    features : np.ndarray [shape=(n, frames, bands)]
        In dB, of the training clips; mean and variance are fitted on them.
    classes : int
    options : Options
        Its layers are the filters of each block.

    Returns
    -------
    keras.Model
        Not compiled; it takes any number of frames.
    """
    keras = load_keras()
    layers = keras.layers
    shared = {"padding": "same", "use_bias": False, **_penalty(keras, options)}
    inputs = keras.Input((None, features.shape[2]))  # of any length
    mean, variance = (function(features, axis=(0, 1), dtype=np.float64) for function in (np.mean, np.var))
    x = layers.Normalization(mean=mean, variance=variance)(inputs)
    x = layers.Reshape((-1, features.shape[2], 1))(x)
    blocks = options.layers or LAYERS["cnn2d"].usual
    for block, width in enumerate(blocks):
        for layer in range(2):
            strides = 2 if block == 0 and layer == 0 else 1
            x = layers.Conv2D(width, 3, strides=strides, **shared)(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.ReLU()(x)
        if block < len(blocks) - 1:
            x = layers.MaxPooling2D(2)(x)
            x = layers.SpatialDropout2D(options.dropout / 4)(x)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    x = layers.Dropout(options.dropout)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", dtype="float32")(x))


def _penalty(keras, options: Options) -> dict:
    if not options.l1 and not options.l2:
        return {}
    return {"kernel_regularizer": keras.regularizers.L1L2(l1=options.l1, l2=options.l2)}


BUILDERS = {"cnn": build_cnn, "head": build_head, "rnn": build_rnn, "cnn2d": build_cnn2d}


# Augmentation of log-mel frames, in each epoch

GAIN_DB = 3.0
SHIFT_FRAMES = 16
NOISE_DB = 1.0  # standard deviation, per time-frequency bin
MASK_FRAMES, MASK_BANDS = 24, 8  # at most


def augment(frames: np.ndarray, rng: np.random.Generator, voices: float = 0.0) -> np.ndarray:
    """Augment log-mel frames: random gain, time shift and noise, and SpecAugment's time and frequency masks.

    Parameters
    ----------
    frames : np.ndarray [shape=(n, frames, bands)], dB
    rng : np.random.Generator
    voices : float
        If not 0, speed and vocal-tract length are also changed, by up to this share: see `other_voice`.

    Returns
    -------
    np.ndarray [shape=(n, frames, bands), dtype=float32]

    References
    ----------
    Park et al. 2019, "SpecAugment: A simple data augmentation method for automatic speech recognition".
    """
    n, length, bands = frames.shape
    changed = np.array(frames, dtype=np.float32)
    if voices:
        for row, (speed, height) in enumerate(rng.uniform(1 - voices, 1 + voices, (n, 2))):
            changed[row] = other_voice(changed[row], speed, height)
    for row, shift in enumerate(rng.integers(-SHIFT_FRAMES, SHIFT_FRAMES + 1, size=(n,))):
        changed[row] = np.roll(changed[row], shift, axis=0)
    changed += rng.uniform(-GAIN_DB, GAIN_DB, (n, 1, 1)).astype(np.float32)
    changed += rng.normal(scale=NOISE_DB, size=changed.shape).astype(np.float32)
    mean = changed.mean(axis=(1, 2))
    for row in range(n):
        for axis_length, longest, axis in ((length, MASK_FRAMES, 0), (bands, MASK_BANDS, 1)):
            width = rng.integers(0, longest + 1)
            start = rng.integers(0, max(1, axis_length - width))
            part = (slice(start, start + width),) if axis == 0 else (slice(None), slice(start, start + width))
            changed[row][part] = mean[row]
    return changed


def other_voice(frames: np.ndarray, speed: float, height: float) -> np.ndarray:
    """Log-mel frames with another speed and vocal-tract length.

    Parameters
    ----------
    frames : np.ndarray [shape=(frames, bands)], dB
    speed : float > 0
        Factor of the tempo, around the middle frame.
    height : float > 0
        Factor of all frequencies, as from a shorter vocal tract.

    Returns
    -------
    np.ndarray [shape=(frames, bands), dtype=float32]

    References
    ----------
    Ko et al. 2015, "Audio augmentation for speech recognition".
    Jaitly & Hinton 2013, "Vocal tract length perturbation (VTLP) improves speech recognition".
    """
    length, bands = frames.shape
    middle = (length - 1) / 2
    times = middle + speed * (np.arange(length) - middle)
    centres = band_centres_hz(bands)
    places = np.interp(centres / height, centres, np.arange(bands))
    where = np.broadcast_arrays(times[:, np.newaxis], places[np.newaxis])
    return map_coordinates(frames, where, output=np.float32, order=1, mode="constant", cval=FLOOR_DB)


# Training


@dataclass(eq=False, repr=False)  # BaseEstimator's own `__repr__` stays, and `__eq__` by identity
class NetworkClassifier(ProbabilisticClassifier):
    """A network behind scikit-learn's interface.

    Each epoch depends only on the state before it, the seed and its number, so training that was interrupted between
    two epochs resumes to the same result.

    Parameters
    ----------
    network : str
        Key of `BUILDERS`.
    epochs : int
        At most; training ends earlier when validation accuracy has not risen for `patience` epochs.
    batch_size : int
    learning_rate : float
    optimizer : {"sgd", "adam", "rmsprop"}
    momentum : float
        Of SGD; 0.9 as in the original paper.
    decay : bool
        Whether the learning rate falls to 0 along half a cosine.
    dropout, l1, l2 : float
        As `Options` has them.
    layers : list of int, optional
        Sizes of the hidden layers, as `Options` has them; by default, the network's usual ones.
    smoothing : float
        Label smoothing.
    augment : bool
        Whether the training clips are augmented in each epoch; only for log-mel frames.
    voices : float
        With `augment`: up to this share, speed and vocal-tract length of each clip change in each epoch.
    copies : bool
        Whether features come with augmented copies [shape=(n, 1 + copies, ...)], the original first. In each epoch,
        each clip is learned from as one of them, drawn at random; to predict and to validate, the original is used.
    validation : float
        Share of the training clips for validation. The weights of the epoch with the best validation accuracy are kept.
        With 0, all clips are trained on and the last epoch's weights are kept.
    patience : int
        Epochs without a better validation accuracy after which training stops early.
    seed : int
    """

    network: str = "cnn"
    _: KW_ONLY
    epochs: int = 60
    batch_size: int = 16
    learning_rate: float = 0.01
    optimizer: str = "sgd"
    momentum: float = 0.9
    decay: bool = False
    dropout: float = 0.3
    l1: float = 0.0
    l2: float = 0.0
    layers: list[int] | None = None
    smoothing: float = 0.0
    augment: bool = False
    voices: float = 0.0
    copies: bool = False
    validation: float = 0.1
    patience: int = 20
    seed: int = 9

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        groups: np.ndarray | None = None,
        *,
        watch: Callable[[dict], None] | None = None,
        checkpoint: Path | None = None,
    ) -> "NetworkClassifier":
        """Train until the last epoch, or until validation accuracy has stopped rising.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]
        labels : np.ndarray [shape=(n,), dtype=int]
            Class numbers without gaps.
        groups : np.ndarray [shape=(n,)], optional
            Of the clips, e.g. their speakers: no group is on both sides of the validation split.
        watch : callable, optional
            Called after each epoch with a dict of epoch, epochs, loss, accuracy, val_loss, val_accuracy and seconds.
        checkpoint : Path, optional
            A folder for the training state after each epoch. Training resumes from a state that is already there, with
            the same result as an uninterrupted one.

        Returns
        -------
        NetworkClassifier

        Raises
        ------
        TrainingError
            If the loss is not a finite number.
        """
        self.classes_ = np.unique(labels)
        train, held_out = self._parts(labels, groups)
        self.learned_from_ = len(train)
        originals = features[:, 0] if self.copies else features
        model, history, best = self._begin(originals[train], checkpoint)
        while not self._is_over(history):
            interrupts.check()
            history.append(self._epoch(model, features, labels, train, held_out, len(history)))
            if best is None or _rank(history[-1]) > best[0]:
                best = _rank(history[-1]), model.get_weights()
            if checkpoint:
                _keep(model, history, best[1], checkpoint)
            if watch:
                watch(history[-1])
        if best is not None and len(held_out):
            model.set_weights(best[1])
        self.model_, self.history_ = model, history
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]
            With copies or without: of copies, only the original, which comes first, is used.

        Returns
        -------
        np.ndarray [shape=(n, classes)]
        """
        check_is_fitted(self)
        return _predict(self.model_, features)

    def summary(self) -> list[dict]:
        """The network layer by layer.

        Returns
        -------
        list of dict
            `name`, `kind`, `shape` of the output without the batch, number of `parameters`, and how many are `learned`.
        """
        check_is_fitted(self)
        return [
            {
                "name": layer.name,
                "kind": type(layer).__name__,
                "shape": list(layer.output.shape[1:]),
                "parameters": layer.count_params(),
                "learned": sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights),
            }
            for layer in self.model_.layers
        ]

    def _parts(self, labels: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(len(labels))
        if not self.validation:
            return rows, rows[:0]
        if groups is None:
            split = StratifiedShuffleSplit(1, test_size=self.validation, random_state=self.seed).split(rows, labels)
        else:
            split = GroupShuffleSplit(1, test_size=self.validation, random_state=self.seed).split(rows, groups=groups)
        return next(split)

    def _begin(self, features: np.ndarray, checkpoint: Path | None):
        """A new network or that of an interrupted training; its history; rank and weights of its best epoch."""
        keras = load_keras()
        if checkpoint and os.path.lexists(checkpoint / STATE):
            try:
                return _kept(keras, checkpoint)
            except Exception as error:  # Keras reads what it is given, and raises whatever that runs into
                logger.warning(
                    "The state of the interrupted training in %s cannot be used (%s): it starts from its beginning",
                    checkpoint,
                    records.reason_of(error),
                )
                shutil.rmtree(checkpoint)
        keras.utils.set_random_seed(self.seed)
        options = Options(self.dropout, self.l1, self.l2, tuple(self.layers or ()))
        model = BUILDERS[self.network](features, len(self.classes_), options)
        if self.optimizer == "sgd":
            optimizer = keras.optimizers.SGD(self.learning_rate, momentum=self.momentum)
        elif self.optimizer == "rmsprop":
            optimizer = keras.optimizers.RMSprop(self.learning_rate)
        else:
            optimizer = keras.optimizers.Adam(self.learning_rate)
        model.compile(
            optimizer,
            keras.losses.CategoricalCrossentropy(label_smoothing=self.smoothing),
            metrics=["accuracy"],
            steps_per_execution=8,
        )
        return model, [], None

    def _is_over(self, history: list[dict]) -> bool:
        if len(history) >= self.epochs:
            return True
        if not self.validation or not history:
            return False
        best = max(range(len(history)), key=lambda epoch: history[epoch]["val_accuracy"])
        return len(history) - 1 - best >= self.patience

    def _epoch(self, model, features, labels, train, held_out, number: int) -> dict:
        keras = load_keras()
        began = time.perf_counter()
        rng = np.random.default_rng([self.seed, number])
        order = rng.permutation(train)
        if self.copies:
            features = features[np.arange(len(features)), rng.integers(0, features.shape[1], len(features))]
        inputs = np.asarray(features[order], dtype=np.float32)
        if self.augment:
            inputs = augment(inputs, rng, self.voices)
        for layer in model._flatten_layers():
            if generator := getattr(layer, "seed_generator", None):
                generator.state.assign(rng.integers(0, 2**31, 2).astype(np.uint32))
        if self.decay:
            share = 0.5 * (1 + np.cos(np.pi * number / self.epochs))
            model.optimizer.learning_rate = self.learning_rate * share
        targets = keras.utils.to_categorical(np.searchsorted(self.classes_, labels[order]), len(self.classes_))
        fitted = model.fit(inputs, targets, batch_size=self.batch_size, shuffle=False, verbose=0).history
        epoch = {
            "epoch": number + 1,
            "epochs": self.epochs,
            "loss": float(fitted["loss"][0]),
            "accuracy": float(fitted["accuracy"][0]),
        }
        if not np.isfinite(epoch["loss"]):
            raise TrainingError(
                f"The loss is {epoch['loss']} in epoch {number + 1}: the steps are too long. Try a learning rate below "
                f"{self.learning_rate:g}"
            )
        if len(held_out):
            probabilities = _predict(model, features[held_out])
            truth = np.searchsorted(self.classes_, labels[held_out])
            of_truth = probabilities[np.arange(len(held_out)), truth]
            epoch["val_loss"] = float(-np.log(np.maximum(of_truth, 1e-7)).mean())
            epoch["val_accuracy"] = float((probabilities.argmax(axis=1) == truth).mean())
        return epoch | {"seconds": round(time.perf_counter() - began, 2)}


def _rank(epoch: dict) -> tuple:
    """Sort key of epochs: validation accuracy, then loss; without validation, the latest is best."""
    return (epoch["val_accuracy"], -epoch["val_loss"]) if "val_loss" in epoch else (epoch["epoch"],)


def _predict(model, features: np.ndarray) -> np.ndarray:
    if features.ndim > len(model.input_shape):  # copies, of which the original comes first
        features = features[:, 0]
    batches = [
        model.predict_on_batch(np.asarray(features[start : start + PREDICT_BATCH], dtype=np.float32))
        for start in range(0, len(features), PREDICT_BATCH)
    ]
    return np.concatenate(batches).astype(np.float64)


def _keep(model, history: list[dict], best: list[np.ndarray], folder: Path) -> None:
    """Write the state after an epoch; the record is replaced last, so that it names a complete state at any moment."""
    name = f"epoch-{len(history):04d}"
    part = folder / name
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model.save(part / "network.keras")
    np.savez(part / "best.npz", *best)
    with atomically(folder / STATE) as temporary:
        temporary.write_text(json.dumps({"state": name, "history": history}))
    for older in folder.glob("epoch-*"):
        if older.name != name:
            shutil.rmtree(older)


def _kept(keras, folder: Path):
    state = records.read_json(folder / STATE)
    part, history = folder / state["state"], state["history"]
    model = keras.saving.load_model(part / "network.keras", safe_mode=True)
    for layer in model.layers:
        if isinstance(layer, keras.layers.SpatialDropout2D):  # the one layer whose precision Keras does not save
            layer.dtype_policy = keras.mixed_precision.global_policy()
    with np.load(part / "best.npz") as saved:
        weights = [saved[name] for name in saved.files]
    best = max(map(_rank, history))
    return model, history, (best, weights)
