"""Optional packages: whether they are installed, and how to install them."""

import platform
import sys
from importlib.util import find_spec

from ser_core.errors import MissingPackageError

EXTRAS = {  # extra of this package -> what it installs, and the modules by which that is found
    "train": ("TensorFlow", ("tensorflow", "keras")),
    "cluster": ("Dask", ("dask", "distributed")),
    "postgres": ("psycopg", ("psycopg",)),
    "onnx": ("onnxruntime", ("onnxruntime",)),
    "opensmile": ("openSMILE", ("opensmile",)),
    "mlflow": ("MLflow", ("mlflow",)),
}


def is_installed(extra: str) -> bool:
    """Whether the packages of an extra are installed. Nothing is imported.

    Parameters
    ----------
    extra : str
        A key of `EXTRAS`.

    Returns
    -------
    bool
    """
    return all(find_spec(module) for module in EXTRAS[extra][1])


def require(extra: str, who: str) -> None:
    """Check that the packages of an extra are installed; call this before importing them.

    Parameters
    ----------
    extra : str
        A key of `EXTRAS`.
    who : str
        What needs them, e.g. "Model cnn2d"; the message begins with it.

    Raises
    ------
    MissingPackageError
        If one is not installed. The message says how to install it, or why it cannot be installed here.
    """
    if not is_installed(extra):
        raise MissingPackageError(f"{who} needs {EXTRAS[extra][0]}, which is not installed: {how_to_install(extra)}")


def how_to_install(extra: str) -> str:
    """The command that installs an extra, or why it cannot be installed here.

    Parameters
    ----------
    extra : str
        A key of `EXTRAS`.

    Returns
    -------
    str
    """
    if extra == "train" and (reason := why_no_tensorflow()):
        return reason
    return f'pip install "ser-core[{extra}]" (in a checkout: pip install -r requirements-{extra}.txt)'


def why_no_tensorflow() -> str | None:
    """Why TensorFlow has no wheel for this Python and machine.

    Returns
    -------
    str or None
        None if it has one.
    """
    if sys.version_info >= (3, 14):
        return f"TensorFlow has no wheel for Python {platform.python_version()} yet, use 3.11 to 3.13"
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        return "TensorFlow has no wheel for Macs with an Intel processor, use another machine"
    return None
