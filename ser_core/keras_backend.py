"""Keras on TensorFlow, which nothing but networks needs: loaded when it is first asked for."""

import os
from functools import cache

MAX_THREADS = 8


@cache
def load_keras():
    """Keras, quiet, with operations that give the same result each time, in half precision where there is a GPU and on
    a few cores where there is none: more than eight have nothing to do in networks as small as these. Takes seconds the
    first time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    if "TF_NUM_INTRAOP_THREADS" not in os.environ:
        tf.config.threading.set_intra_op_parallelism_threads(min(MAX_THREADS, os.cpu_count() or 1))
    if tf.config.list_physical_devices("GPU"):
        keras.mixed_precision.set_global_policy("mixed_float16")
    return keras
