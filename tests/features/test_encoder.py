"""Embeddings of an encoder in an ONNX file, by a small network: one convolution with wav2vec2's frames."""

import hashlib
import sys

import numpy as np
import pytest

from ser_core import extras
from ser_core.errors import FeatureError, MissingPackageError
from ser_core.features import encoder, registry
from ser_core.features.augmentation import augmented

WINDOW, HOP, DIMENSIONS = 400, 320, 4  # samples at 16 kHz
WEIGHTS = np.random.default_rng(0).normal(size=(DIMENSIONS, 1, WINDOW)).astype(np.float32) / WINDOW


def network(inputs=("samples",), transpose=True, length=None, output="frames", weights=WEIGHTS):
    """Samples [1, n] -> frames [1, frames, 4]."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Unsqueeze", [inputs[0], "one"], ["channel"]),
        helper.make_node("Conv", ["channel", "weights"], ["convolved"], strides=[HOP]),
        helper.make_node("Transpose", ["convolved"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("Identity" if transpose else "Shape", ["turned"], ["frames"]),
    ]
    constants = [
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel()),
    ]
    taken = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, length]) for name in inputs]
    kind, shape = (TensorProto.FLOAT, [1, None, None]) if transpose else (TensorProto.INT64, [3])
    given = [helper.make_tensor_value_info(output, kind, shape)]
    graph = helper.make_graph(nodes, "encoder", taken, given, constants)
    return onnx.helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=9)


@pytest.fixture
def file(tmp_path):
    if not extras.is_installed("onnx"):
        pytest.skip("onnxruntime is not installed")
    (tmp_path / "tiny.onnx").write_bytes(network().SerializeToString())
    return tmp_path / "tiny.onnx"


def test_the_features_are_mean_and_deviation_over_frames(file):
    features = encoder.load(file)
    tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
    at_16k = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    windows = np.lib.stride_tricks.sliding_window_view(at_16k, WINDOW)[::HOP]
    frames = windows @ WEIGHTS[:, 0].T
    assert len(frames) == 49  # of a second, as wav2vec2 has them
    (made,) = features.of([tone])
    np.testing.assert_allclose(made, [*frames.mean(axis=0), *frames.std(axis=0)], atol=2e-5)
    assert features.names == tuple(f"{what}_{number:04d}" for what in ("mean", "std") for number in range(1, 5))


def test_clips_of_any_length_are_taken(file):
    features = encoder.load(file)
    made = features.of([np.ones(length, np.float32) for length in (100, 22_050, 70_000)])
    assert made.shape == (3, 8) and np.isfinite(made).all()


def test_the_key_has_the_name_and_the_digest_of_the_file(file):
    key = f"onnx:tiny.onnx@{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
    assert registry.key_of(f"onnx:{file}") == key
    assert registry.key_of(key) == key and registry.is_table(key)
    features = registry.get(f"onnx:{file}")
    assert (features.key, features.version) == (key, key)
    assert registry.title_of(key) == f"features from elsewhere ({key})"
    with pytest.raises(FeatureError, match="needs its file"):
        registry.get(key)


def test_copies_of_clips_are_refused(file):
    with pytest.raises(FeatureError, match="does not support augmentation by copies"):
        augmented(encoder.load(file), "speaker-perturbation")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: b"no network", "is no ONNX network that can be loaded"),
        (lambda: network(inputs=("samples", "mask")).SerializeToString(), "takes samples, mask, and samples alone"),
        (
            lambda: network(transpose=False).SerializeToString(),
            r"makes an array of shape \(3,\) of a second",
        ),
        (
            lambda: network(length=16_000).SerializeToString(),
            "a second of samples and not two: export it with a length",
        ),
        (lambda: network(output="convolved").SerializeToString(), r"\(1, 4, 49\) of a second .* let its first output"),
    ],
)
def test_a_file_that_is_no_such_encoder_is_one_line(file, make, said):
    file.write_bytes(make())
    with pytest.raises(FeatureError, match=said) as caught:
        encoder.load(file)
    assert "\n" not in str(caught.value)


def test_values_that_are_no_finite_numbers_are_refused_and_not_kept(file):
    file.write_bytes(network(weights=WEIGHTS * np.float32(np.nan)).SerializeToString())
    with pytest.raises(FeatureError, match=r"tiny\.onnx makes values that are no finite numbers"):
        encoder.load(file).of([np.ones(22_050, np.float32)])


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(FeatureError, match=r"gone.onnx cannot be read \(No such file"):
        registry.key_of(f"onnx:{tmp_path}/gone.onnx")


def test_without_onnxruntime_one_line_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "tiny.onnx").touch()
    with pytest.raises(MissingPackageError) as caught:
        registry.get(f"onnx:{tmp_path}/tiny.onnx")
    assert str(caught.value).startswith(
        'The encoder tiny.onnx needs onnxruntime, which is not installed: pip install "'
    )
