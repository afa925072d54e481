"""Where things are, read once from the environment.

| variable              | meaning                                            | default                     |
|-----------------------|----------------------------------------------------|-----------------------------|
| `SER_WORKSPACE`       | what this installation makes: caches, runs, models | see below                   |
| `SER_DATA_DIR`        | the RAVDESS clips                                  | `ravdess` in the workspace  |
| `SER_READ_ONLY`       | 1: nothing can be started (a public screen)        | 0                           |
| `SER_MAX_JOBS`        | jobs that run at a time; the others wait           | 1                           |
| `SER_OPTUNA_STORAGE`  | a database of studies that many machines share     | SQLite in the workspace     |
| `SER_VGG16_WEIGHTS`   | a file of VGG16's ImageNet weights, without top    | Keras' own download         |

In a checkout what ships lies in `artifacts/`, and the workspace is `workspace/` beside it. A wheel has the artifacts
inside the package, and the workspace is the user's data folder for `ser`, e.g. `~/.local/share/ser`.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from ser_core.errors import ReadOnlyError, SettingsError

_PACKAGE = Path(__file__).resolve().parent
PROJECT = _PACKAGE.parent  # the checkout; of an installed wheel, the folder of all packages
IS_CHECKOUT = not (_PACKAGE / "artifacts").is_dir()
ARTIFACTS = PROJECT / "artifacts" if IS_CHECKOUT else _PACKAGE / "artifacts"


@dataclass(frozen=True)
class Settings:
    """The paths of this installation, and what it may do. Read with `Settings.from_environment()`."""

    workspace: Path
    data_dir: Path
    artifacts: Path = ARTIFACTS
    read_only: bool = False
    max_jobs: int = 1
    optuna_storage: str | None = field(default=None, repr=False)  # its address may hold a password
    vgg16_weights: Path | None = None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Settings as the environment gives them now; relative paths count from the working directory.

        Raises
        ------
        SettingsError
            If a variable holds what it cannot.
        """
        workspace = Path(os.environ.get("SER_WORKSPACE") or _default_workspace()).absolute()
        return cls(
            workspace=workspace,
            data_dir=Path(os.environ.get("SER_DATA_DIR") or workspace / "ravdess").absolute(),
            read_only=os.environ.get("SER_READ_ONLY", "") not in ("", "0"),  # a slip must not open a public screen
            max_jobs=_max_jobs(os.environ.get("SER_MAX_JOBS") or "1"),
            optuna_storage=os.environ.get("SER_OPTUNA_STORAGE") or None,
            vgg16_weights=Path(found).absolute() if (found := os.environ.get("SER_VGG16_WEIGHTS")) else None,
        )

    @property
    def training(self) -> Path:
        """Where networks keep their state while they learn."""
        return self.workspace / "training"

    def require_writable(self, work: str) -> None:
        """Check that this installation may write; call it before such work begins, e.g. `require_writable("download")`.

        Parameters
        ----------
        work : str
            What would be done, for the message.

        Raises
        ------
        ReadOnlyError
            If this installation is for looking only.
        """
        if self.read_only:
            raise ReadOnlyError(f"No {work} here: this installation is read-only. Unset SER_READ_ONLY to change that")

    @property
    def stores(self) -> tuple[Path, Path]:
        """The shipped store and this installation's own, of the same inner layout. Only the second is written."""
        return self.artifacts, self.workspace

    def shipped_table(self, features: str) -> Path:
        """The path of a feature set's shipped table of all clips; the file may not exist.

        Parameters
        ----------
        features : str
        """
        return self.artifacts / "features" / f"{features}.parquet"

    @property
    def feature_table(self) -> Path:
        """The shipped table of the study's features of all clips."""
        return self.shipped_table("mean180")

    @property
    def speakers(self) -> Path:
        """The shipped table of who speaks in each test clip, and who was recognised."""
        return self.artifacts / "features" / "speakers.parquet"

    @property
    def maps(self) -> Path:
        """The shipped places of all clips on maps of their features."""
        return self.artifacts / "features" / "maps.parquet"


def child_environment(**more: str) -> dict[str, str]:
    """The environment for a child process that runs a module of this package (`python -m ser_core...`).

    The child stays in the working directory, so that relative paths mean what they mean here. It must not import from
    that folder, though: a user's `queue.py` would take the place of Python's own.

    Parameters
    ----------
    **more : str
        Further variables.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> command = [sys.executable, "-m", "ser_core", "doctor"]          # doctest: +SKIP
    >>> subprocess.run(command, env=child_environment(SER_MAX_JOBS="2"))  # doctest: +SKIP
    """
    environment = os.environ | {"PYTHONSAFEPATH": "1"} | more
    if IS_CHECKOUT:  # which need not be installed
        others = [one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one not in ("", str(PROJECT))]
        environment["PYTHONPATH"] = os.pathsep.join([str(PROJECT), *others])
    return environment


def _default_workspace() -> Path:
    if IS_CHECKOUT:
        return PROJECT / "workspace"
    from platformdirs import user_data_path

    return user_data_path("ser", appauthor=False)


def _max_jobs(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise SettingsError(f"SER_MAX_JOBS is {text!r}: give a whole number of 1 or more, or unset it")
    return int(text)
