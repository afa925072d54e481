"""Networks as plain arrays: each operation against SciPy or by hand, and files that are none."""

import io
import pickle

import numpy as np
import pytest
from scipy.signal import correlate

from ser_core.errors import ArtifactError
from ser_core.models import network_arrays
from ser_core.models.network_arrays import OPERATIONS, Step

RANDOM = np.random.default_rng(0)
DENSE = {"kernel": np.eye(3, dtype=np.float32), "bias": np.array([0, 1, 2], np.float32)}


def of_file(steps: list[Step]) -> network_arrays.ArrayNetwork:
    return network_arrays.loads(network_arrays.dumps(steps))


@pytest.mark.parametrize(("shape", "size"), [((9, 8), (3, 3)), ((8, 5), (2, 5)), ((7,), (5,))])
def test_a_convolution_is_that_of_scipy(shape, size):
    image, kernel = RANDOM.normal(size=(*shape, 2)), RANDOM.normal(size=(*size, 2, 3))
    made = OPERATIONS["convolution"](image[np.newaxis], kernel=kernel, bias=np.ones(3), strides=[1] * len(size))[0]
    missing = [((one - 1) // 2, one // 2) for one in size]
    padded = np.pad(image, (*missing, (0, 0)))
    for filter_ in range(3):
        expected = correlate(padded, kernel[..., filter_], mode="valid")[..., 0] + 1
        np.testing.assert_allclose(made[..., filter_], expected)


def test_a_stride_leaves_out_what_is_between():
    """TensorFlow pads 4 by 1 at the end alone, if every second is looked at through 3."""
    made = OPERATIONS["convolution"](
        np.arange(1.0, 5).reshape(1, 4, 1), kernel=np.ones((3, 1, 1)), bias=np.zeros(1), strides=[2]
    )
    assert made.ravel().tolist() == [1 + 2 + 3, 3 + 4]


def test_an_incomplete_block_is_left_out():
    assert OPERATIONS["maxima"](np.arange(15).reshape(1, 3, 5, 1), sizes=[2, 2]).ravel().tolist() == [6, 8]


def test_results_may_be_taken_twice_and_batches_are_joined():
    steps = [Step("relu", [0]), Step("affine", [1], {}, {"scale": np.float32(2), "shift": np.float32(1)})]
    steps += [Step("concatenate", [1, 2]), Step("dense", [3], {}, {"kernel": np.eye(6), "bias": np.zeros(6)})]
    clips = RANDOM.normal(size=(network_arrays.BATCH + 5, 3)).astype(np.float32)
    heard = np.maximum(clips, 0)
    network = of_file(steps)
    np.testing.assert_allclose(network.predict_proba(clips), np.hstack([heard, 2 * heard + 1]), rtol=1e-6)
    assert network.classes_.tolist() == [0, 1, 2, 3, 4, 5]


def _with_objects() -> bytes:
    file = io.BytesIO()
    np.savez(file, plan=np.array(Step, dtype=object))
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK no archive",
        network_arrays.dumps([Step("dense", [0], {}, DENSE)])[:-200],
        pickle.dumps(["code"]),
        network_arrays.dumps([Step("exec", [0], {}, DENSE)]),
        _with_objects(),
        network_arrays.dumps([Step("relu", [0])]),
    ],
    ids=["empty", "no archive", "cut off", "pickle", "no such layer", "objects", "no classes"],
)
def test_what_is_no_network_is_one_clear_error(content):
    with pytest.raises(ArtifactError, match="This is no network that was kept as arrays"):
        network_arrays.loads(content)
