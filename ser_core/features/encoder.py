"""Embeddings of a pretrained speech encoder in an ONNX file, such as wav2vec2, HuBERT or WavLM: `onnx:FILE`.

The file takes samples at 16 kHz [shape=(1, n)] and gives frames [shape=(1, frames, d)], as these encoders are commonly
exported (`docs/elsewhere.md` says how). The mean and the standard deviation over frames are the clip's features. Files
are read from disk and nothing is downloaded; an ONNX file is a graph of known operators, which runs no other code.
"""

import hashlib
from pathlib import Path

import numpy as np
import soxr

from ser_core import extras, records
from ser_core.errors import FeatureError
from ser_core.features.feature_set import FeatureSet, key_from_elsewhere
from ser_core.features.mean180 import SAMPLE_RATE

PREFIX = "onnx:"
ENCODER_RATE = 16_000  # Hz
MIN_S = 0.1  # shorter clips are padded with silence: the encoders named above have frames of 25 ms


def key_of(file: Path) -> str:
    """The key of an encoder's features: the file's name, and the start of its digest.

    Parameters
    ----------
    file : Path

    Returns
    -------
    str
        E.g. `onnx:hubert-base.onnx@0123456789ab`.

    Raises
    ------
    FeatureError
        If the file cannot be read.
    """
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise FeatureError(f"The encoder {file} cannot be read ({error.strerror}). Check the path") from error
    return key_from_elsewhere(f"{PREFIX}{file.name}", digest)


def load(file: Path) -> FeatureSet:
    """The features of an encoder: mean and standard deviation of each of its dimensions over frames.

    Parameters
    ----------
    file : Path

    Returns
    -------
    FeatureSet
        Its version is its key.

    Raises
    ------
    MissingPackageError
        If onnxruntime is not installed.
    FeatureError
        If the file cannot be read, is no ONNX network, or does not make frames of samples.
    """
    extras.require("onnx", f"The encoder {file.name}")
    import onnxruntime

    key = key_of(file)
    try:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has an exception of its own for each fault, without a common base
        raise FeatureError(f"{file} is no ONNX network that can be loaded ({records.reason_of(error)})") from error
    wanted = [one.name for one in session.get_inputs()]
    if len(wanted) != 1:
        raise FeatureError(f"{file} takes {', '.join(wanted) or 'nothing'}, and samples alone are given: export it so")

    def frames(samples: np.ndarray) -> np.ndarray:
        heard = soxr.resample(samples, SAMPLE_RATE, ENCODER_RATE)
        padded = np.pad(heard, (0, max(0, round(MIN_S * ENCODER_RATE) - len(heard))))
        return session.run(None, {wanted[0]: padded[np.newaxis].astype(np.float32)})[0]

    try:
        tried = frames(np.zeros(SAMPLE_RATE, np.float32))
    except Exception as error:  # as above
        raise FeatureError(f"{file} takes no second of samples [1, 16000] ({records.reason_of(error)})") from error
    try:
        longer = frames(np.zeros(2 * SAMPLE_RATE, np.float32))
    except Exception as error:  # as above
        raise FeatureError(
            f"{file} takes a second of samples and not two: export it with a length that may vary (dynamic_axes)"
        ) from error
    if tried.ndim != 3 or len(tried) != 1 or not np.issubdtype(tried.dtype, np.floating):
        raise FeatureError(
            f"{file} makes an array of shape {tried.shape} of a second of samples, and frames [1, frames, dimensions] "
            "are wanted: export the encoder's last hidden state"
        )
    if longer.shape[2] != tried.shape[2]:
        raise FeatureError(
            f"{file} makes an array of shape {tried.shape} of a second of samples and {longer.shape} of two, and "
            "frames [1, frames, dimensions] are wanted: let its first output have the dimensions last"
        )

    def pooled(clips: list[np.ndarray]) -> np.ndarray:
        each = [frames(samples)[0] for samples in clips]
        made = np.stack([np.concatenate([one.mean(axis=0), one.std(axis=0)]) for one in each])
        if not np.isfinite(made).all():
            raise FeatureError(f"{file} makes values that are no finite numbers: export it anew")
        return made

    names = tuple(f"{what}_{number:04d}" for what in ("mean", "std") for number in range(1, tried.shape[2] + 1))
    title = f"mean and deviation over frames of the {tried.shape[2]:,} dimensions of the encoder {file.name}"
    return FeatureSet(key, key, title, names=names, extract_batch=pooled)
