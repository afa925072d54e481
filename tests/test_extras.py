"""Optional packages: the messages if one is missing."""

import sys

import pytest

from ser_core import extras
from ser_core.errors import MissingPackageError
from ser_core.keras_backend import load_keras


@pytest.mark.parametrize("extra", extras.EXTRAS)
def test_what_is_installed_is_not_complained_about(extra):
    if extra in ("onnx", "opensmile", "mlflow") and not extras.is_installed(extra):
        pytest.skip(f"{extra} is not installed")  # `make app` leaves openSMILE and MLflow out
    assert extras.is_installed(extra)
    extras.require(extra, "Nobody")


@pytest.mark.parametrize(
    ("extra", "module", "line"),
    [
        ("train", "tensorflow", 'It needs TensorFlow, which is not installed: pip install "ser-core[train]"'),
        ("train", "keras", "It needs TensorFlow, which is not installed"),
        ("cluster", "distributed", 'It needs Dask, which is not installed: pip install "ser-core[cluster]"'),
        ("postgres", "psycopg", 'It needs psycopg, which is not installed: pip install "ser-core[postgres]"'),
        ("onnx", "onnxruntime", 'It needs onnxruntime, which is not installed: pip install "ser-core[onnx]"'),
        ("opensmile", "opensmile", 'It needs openSMILE, which is not installed: pip install "ser-core[opensmile]"'),
        ("mlflow", "mlflow", 'It needs MLflow, which is not installed: pip install "ser-core[mlflow]"'),
    ],
)
def test_a_missing_package_is_one_line_with_the_command_that_brings_it(extra, module, line, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackageError) as caught:
        extras.require(extra, "It")
    assert str(caught.value).startswith(line)
    assert f"pip install -r requirements-{extra}.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("version", "system", "processor", "reason"),
    [
        ((3, 14, 0), "linux", "x86_64", "no wheel for Python"),
        ((3, 13, 0), "darwin", "x86_64", "no wheel for Macs with an Intel processor"),
        ((3, 13, 0), "darwin", "arm64", None),
        ((3, 13, 0), "linux", "x86_64", None),
    ],
)
def test_where_tensorflow_has_no_wheel_no_command_is_offered(version, system, processor, reason, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: processor)
    said = extras.how_to_install("train")
    assert ("pip install" in said) == (reason is None)
    assert (reason or "pip install") in said


def test_keras_is_not_loaded_without_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(MissingPackageError, match="A network needs TensorFlow"):
        load_keras.__wrapped__()


def test_a_tensorflow_that_cannot_be_loaded_is_one_line_with_the_reason(monkeypatch, tmp_path):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text("raise ImportError('DLL load failed\\nand more')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingPackageError, match=r"cannot be loaded \(DLL load failed\)"):
        load_keras.__wrapped__()
