"""Keras on TensorFlow, imported at first use, since only networks need it."""

import os
from functools import cache

from ser_core import extras, records
from ser_core.errors import MissingPackageError

MAX_THREADS = 8


@cache
def load_keras():
    """Import and configure Keras on TensorFlow. The first call takes seconds.

    Operations are deterministic. Mixed precision is used on a GPU, and at most `MAX_THREADS` cores, since networks of
    this size gain nothing from more.

    Returns
    -------
    module
        `keras`.

    Raises
    ------
    MissingPackageError
        If TensorFlow is not installed or cannot be loaded.
    """
    extras.require("train", "A network")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        import keras
        import tensorflow as tf
    except ImportError as error:
        raise MissingPackageError(
            f"TensorFlow is installed but cannot be loaded ({records.reason_of(error)}). Install it again: "
            f"{extras.how_to_install('train')}"
        ) from error

    tf.config.experimental.enable_op_determinism()
    if "TF_NUM_INTRAOP_THREADS" not in os.environ:
        tf.config.threading.set_intra_op_parallelism_threads(min(MAX_THREADS, os.cpu_count() or 1))
    if tf.config.list_physical_devices("GPU"):
        keras.mixed_precision.set_global_policy("mixed_float16")
    return keras
