"""Trained networks as plain arrays, which NumPy runs: to predict takes no TensorFlow.

A network is a list of steps. Each takes what one earlier step gave, or several did, and names its arrays and options.
Batch normalisation, and the convolution or dense layer before it, become one step.
"""

import io
import json
import zipfile
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from ser_core.errors import ArtifactError, ModelError
from ser_core.models.base import ProbabilisticClassifier

BATCH = 32  # clips that are predicted at a time, which bounds the memory that it takes
PLAN = "plan"


@dataclass(frozen=True)
class Step:
    """A layer of a network.

    Parameters
    ----------
    kind : str
        A key of `OPERATIONS`.
    inputs : list of int
        Which steps' results it takes; 0 is the clips, 1 the result of the first step.
    options : dict
    arrays : dict of str to np.ndarray
        By name: what was learned.
    """

    kind: str
    inputs: list[int]
    options: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


class ArrayNetwork(ProbabilisticClassifier):
    """A fitted network that NumPy runs. It is never modified, so threads may share it.

    Parameters
    ----------
    steps : list of Step
    """

    def __init__(self, steps: list[Step]):
        self.steps = steps
        answers = [step.arrays["bias"] for step in steps if "bias" in step.arrays]
        self.classes_ = np.arange(len(answers[-1]))

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        features : np.ndarray [shape=(n, ...)]

        Returns
        -------
        np.ndarray [shape=(n, classes)]
        """
        batches = [
            self._of_batch(np.asarray(features[start : start + BATCH], dtype=np.float32))
            for start in range(0, len(features), BATCH)
        ]
        return np.concatenate(batches).astype(np.float64)

    def _of_batch(self, clips: np.ndarray) -> np.ndarray:
        last = {number: place for place, step in enumerate(self.steps) for number in step.inputs}
        results = {0: clips}
        for place, step in enumerate(self.steps):
            results[place + 1] = OPERATIONS[step.kind](
                *(results[number] for number in step.inputs), **step.options, **step.arrays
            )
            for number in step.inputs:
                if last[number] == place:
                    results.pop(number, None)
        return results[len(self.steps)]


def dumps(steps: list[Step]) -> bytes:
    """A network as the content of an `.npz` file.

    Parameters
    ----------
    steps : list of Step

    Returns
    -------
    bytes
    """
    plan = [{"kind": step.kind, "inputs": step.inputs, "options": step.options} for step in steps]
    arrays = {f"{place}.{name}": array for place, step in enumerate(steps) for name, array in step.arrays.items()}
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **{PLAN: np.array(json.dumps(plan))}, **arrays)
    return file.getvalue()


def loads(content: bytes) -> ArrayNetwork:
    """The network of an `.npz` file, which holds data and no code.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    ArrayNetwork

    Raises
    ------
    ArtifactError
        If it is no such file.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as saved:
            plan = json.loads(str(saved[PLAN]))
            arrays: list[dict[str, np.ndarray]] = [{} for _ in plan]
            for name in saved.files:
                if name != PLAN:
                    place, _, of = name.partition(".")
                    arrays[int(place)][of] = saved[name]
        steps = [Step(**one, arrays=mine) for one, mine in zip(plan, arrays, strict=True)]
        if unknown := {step.kind for step in steps} - set(OPERATIONS):
            raise ValueError(f"there is no layer {min(unknown)}")
        return ArrayNetwork(steps)
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"This is no network that was kept as arrays ({error})") from error


# Operations: each takes [shape=(n, ...)], channels last, as Keras has them


def _affine(x: np.ndarray, *, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return x * scale + shift


def _dense(x: np.ndarray, *, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return x @ kernel + bias


def _convolution(x: np.ndarray, *, kernel: np.ndarray, bias: np.ndarray, strides: list[int]) -> np.ndarray:
    """A convolution over one or two axes, with as much padding with zeros as TensorFlow's "same"."""
    axes = tuple(range(1, 1 + len(strides)))
    sizes = kernel.shape[: len(strides)]
    padding = [(0, 0)] * x.ndim
    for axis, size, stride in zip(axes, sizes, strides, strict=True):
        missing = max((-(-x.shape[axis] // stride) - 1) * stride + size - x.shape[axis], 0)
        padding[axis] = missing // 2, missing - missing // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, padding), sizes, axes)
    windows = windows[(slice(None), *(slice(None, None, stride) for stride in strides))]
    # Windows have shape (n, ..., channels, *sizes), kernels (*sizes, channels, filters).
    last = tuple(range(windows.ndim - len(sizes) - 1, windows.ndim))
    return np.tensordot(windows, np.moveaxis(kernel, -2, 0), (last, tuple(range(len(last))))) + bias


def _maxima(x: np.ndarray, *, sizes: list[int]) -> np.ndarray:
    """The maximum of each block; an incomplete one at the end is left out, as TensorFlow's "valid" does."""
    for axis, size in enumerate(sizes, start=1):
        length = x.shape[axis] // size
        x = np.take(x, np.arange(length * size), axis=axis)
        x = x.reshape(*x.shape[:axis], length, size, *x.shape[axis + 1 :]).max(axis=axis + 1)
    return x


def _lstm(
    x: np.ndarray, is_heard: np.ndarray | None = None, *, whole: bool, kernel, recurrent, bias, **back: np.ndarray
) -> np.ndarray:
    """An LSTM [1]_ over axis 1; with weights of its own for the way back, over both directions.

    Parameters
    ----------
    x : np.ndarray [shape=(n, frames, d)]
    is_heard : np.ndarray [shape=(n, frames), dtype=bool], optional
        Frames that are passed over leave everything as it was.
    whole : bool
        Whether to return what it gives after every frame, or after the last one.

    References
    ----------
    .. [1] Hochreiter & Schmidhuber 1997, "Long short-term memory".
    """
    if back:
        backwards = {name.removesuffix("_back"): array for name, array in back.items()}
        reverse = slice(None, None, -1)
        there = _lstm(x, is_heard, whole=whole, kernel=kernel, recurrent=recurrent, bias=bias)
        heard_back = None if is_heard is None else is_heard[:, reverse]
        other = _lstm(x[:, reverse], heard_back, whole=whole, **backwards)
        return np.concatenate([there, other[:, reverse] if whole else other], axis=-1)
    given = x @ kernel + bias
    output = state = np.zeros((len(x), recurrent.shape[0]), np.float32)
    outputs = []
    for frame in range(x.shape[1]):
        enter, forget, new, leave = np.split(given[:, frame] + output @ recurrent, 4, axis=-1)
        next_state = expit(forget) * state + expit(enter) * np.tanh(new)
        next_output = expit(leave) * np.tanh(next_state)
        if is_heard is not None:
            here = is_heard[:, frame, np.newaxis]
            next_state, next_output = np.where(here, next_state, state), np.where(here, next_output, output)
        state, output = next_state, next_output
        outputs.append(output)
    return np.stack(outputs, axis=1) if whole else output


def _over_all(function):
    return lambda x: function(x, axis=tuple(range(1, x.ndim - 1)))


OPERATIONS = {
    "affine": _affine,
    "dense": _dense,
    "convolution": _convolution,
    "maxima": _maxima,
    "mean": _over_all(np.mean),
    "maximum": _over_all(np.max),
    "concatenate": lambda *parts: np.concatenate(parts, axis=-1),
    "reshape": lambda x, *, shape: x.reshape(len(x), *shape),
    "relu": lambda x: np.maximum(x, 0),
    "log1p": np.log1p,
    "is_not_zero": lambda x: x != 0,
    "any": lambda x: x.any(axis=-1),
    "lstm": _lstm,
    "softmax": lambda x: softmax(x, axis=-1),
}


# From Keras


def of_keras(model) -> list[Step]:
    """The steps of a Keras network, batch normalisation folded into the layer before it.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    list of Step

    Raises
    ------
    ModelError
        If it has a layer that is none of `OPERATIONS`.
    """
    steps: list[Step] = []
    place_of = {id(model.inputs[0]): 0}  # of a tensor -> number of the step that gives it
    for layer in model.operations[1:]:
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        inputs = [place_of[id(tensor)] for tensor in tensors]
        for step in _steps_of(layer):
            before = steps[-1] if inputs == [len(steps)] and steps else None
            if step.kind == "affine" and before and before.kind in ("convolution", "dense"):
                steps[-1] = _folded(before, **step.arrays)
            else:
                steps.append(replace(step, inputs=inputs))
            inputs = [len(steps)]
        place_of[id(layer.output)] = inputs[0]
    return steps


def _steps_of(layer) -> list[Step]:
    """The steps of a Keras layer, whose inputs are not known yet; none of a layer that does something in training."""
    kind, weights = type(layer).__name__, [np.asarray(weight) for weight in getattr(layer, "weights", [])]
    if kind in ("Dropout", "SpatialDropout2D", "Masking"):  # what is masked is told by a tensor of its own
        return []
    if kind == "Normalization":
        scale = 1 / np.maximum(np.sqrt(np.ravel(layer.variance)), 1e-7)
        return [_step("affine", scale=scale, shift=-np.ravel(layer.mean) * scale)]
    if kind == "BatchNormalization":
        gamma, beta, mean, variance = weights
        scale = gamma / np.sqrt(variance + layer.epsilon)
        return [_step("affine", scale=scale, shift=beta - mean * scale)]
    if kind in ("Conv1D", "Conv2D", "Dense"):
        kernel = weights[0]
        bias = weights[1] if layer.use_bias else np.zeros(kernel.shape[-1])
        options = {} if kind == "Dense" else {"strides": list(layer.strides)}
        step = _step("dense" if kind == "Dense" else "convolution", options, kernel=kernel, bias=bias)
        return [step, _step("softmax")] if layer.activation.__name__ == "softmax" else [step]
    if kind == "MaxPooling2D":
        return [_step("maxima", {"sizes": list(layer.pool_size)})]
    if kind in ("Reshape", "Flatten"):
        return [_step("reshape", {"shape": [-1] if kind == "Flatten" else list(layer.target_shape)})]
    if kind == "LSTM":
        return [_step("lstm", {"whole": layer.return_sequences}, **_lstm_arrays(weights))]
    if kind == "Bidirectional":
        there, back = _lstm_arrays(weights[:3]), _lstm_arrays(weights[3:])
        arrays = there | {f"{name}_back": array for name, array in back.items()}
        return [_step("lstm", {"whole": layer.return_sequences}, **arrays)]
    simple = {
        "ReLU": "relu",
        "GlobalAveragePooling2D": "mean",
        "GlobalMaxPooling2D": "maximum",
        "Concatenate": "concatenate",
        "Log1p": "log1p",
        "NotEqual": "is_not_zero",
        "Any": "any",
    }
    if kind not in simple:
        raise ModelError(f"A network with a layer {kind} cannot be kept: it has no operation in network_arrays")
    return [_step(simple[kind])]


def _step(kind: str, options: dict | None = None, **arrays: np.ndarray) -> Step:
    kept = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
    return Step(kind, [], options or {}, kept)


def _lstm_arrays(weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    return dict(zip(("kernel", "recurrent", "bias"), weights, strict=True))


def _folded(step: Step, scale: np.ndarray, shift: np.ndarray) -> Step:
    arrays = {"kernel": step.arrays["kernel"] * scale, "bias": step.arrays["bias"] * scale + shift}
    return replace(step, arrays=arrays)
