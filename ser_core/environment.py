"""What a number depends on besides this code."""

import platform
from contextlib import suppress
from importlib import metadata

PACKAGES = ("numpy", "scipy", "librosa", "soxr", "scikit-learn", "xgboost", "lightgbm", "tensorflow", "keras")
CPU_BUILDS = ("xgboost", "tensorflow")  # may be installed under a name of their own


def versions() -> dict[str, str]:
    """Python and the packages whose change may change a number."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        for installed in (name, f"{name}-cpu") if name in CPU_BUILDS else (name,):
            with suppress(metadata.PackageNotFoundError):
                found[name] = metadata.version(installed)
    return found
