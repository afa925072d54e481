"""Paths and options of this installation, read from the environment.

| variable              | meaning                                            | default                     |
|-----------------------|----------------------------------------------------|-----------------------------|
| `SER_WORKSPACE`       | written by this installation: caches, runs, models | see below                   |
| `SER_DATA_DIR`        | the RAVDESS clips                                  | `ravdess` in the workspace  |
| `SER_OTHER_CORPUS`    | another corpus to listen to: a folder or manifest  | none                        |
| `SER_READ_ONLY`       | 1: nothing can be started (a public display)       | 0                           |
| `SER_CLASSES`         | 1: teachers open classes of pupils; 0: they do not | 1; 0 if read-only           |
| `SER_MAX_JOBS`        | jobs that run at the same time; the others wait    | 1                           |
| `SER_HOSTS`           | names under which the app may be opened, by commas | see `ui.guard`              |
| `SER_LOGIN`           | who may enter after signing in: see `ui.login`     | nobody must sign in         |
| `SER_ADMIN_PASSWORD`  | with it, anybody's jobs can be stopped on the page | nobody's but one's own      |
| `SER_OPTUNA_STORAGE`  | a database of studies that many machines share     | SQLite in the workspace     |
| `SER_VGG16_WEIGHTS`   | a file of VGG16's ImageNet weights, without top    | Keras' own download         |

The same for its relatives: `SER_VGG19_WEIGHTS`, `SER_RESNET50_WEIGHTS`, `SER_INCEPTION_WEIGHTS`,
`SER_MOBILENET_WEIGHTS`.

In a checkout the shipped artifacts are in `artifacts/` and the workspace is `workspace/` beside it. An installed wheel
has the artifacts inside the package, and the workspace is the user's data folder for `ser`, e.g. `~/.local/share/ser`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ser_core.errors import ReadOnlyError, SettingsError

_PACKAGE = Path(__file__).resolve().parent
PROJECT = _PACKAGE.parent  # the checkout; for an installed wheel, site-packages
IS_CHECKOUT = not (_PACKAGE / "artifacts").is_dir()
ARTIFACTS = PROJECT / "artifacts" if IS_CHECKOUT else _PACKAGE / "artifacts"


@dataclass(frozen=True)
class Settings:
    """The paths and options of this installation. Read with `Settings.from_environment()`.

    Parameters
    ----------
    workspace : Path
        What this installation writes: caches, runs, models, jobs.
    data_dir : Path
        The RAVDESS clips.
    artifacts : Path
        What ships with the project; never written while the app runs.
    read_only : bool
        Whether nothing can be started or changed.
    classes : bool
        Whether teachers may open classes, which write their own database and nothing else.
    max_jobs : int > 0
        Jobs that run at the same time.
    optuna_storage : str or None
        URL of the studies' database; None for SQLite in the workspace.
    hosts : tuple of str
        Names under which the app may be opened, besides this machine's own; "*.example.org" for all below it.
    login : tuple of str
        E-mail addresses or domains of those who may enter after signing in; "*" for all whom the provider signs in.
    admin_password : str or None
        Opens the control of all jobs on the page; None if nobody has it there.
    backbone_weights : mapping of str to Path
        Backbone's key, e.g. "vgg16" -> file of its ImageNet weights without the top; those of others are downloaded.
    other_corpus : Path or None
        The folder or the manifest of another corpus to listen to.
    """

    workspace: Path
    data_dir: Path
    artifacts: Path = ARTIFACTS
    read_only: bool = False
    classes: bool = True
    max_jobs: int = 1
    optuna_storage: str | None = field(default=None, repr=False)  # the URL may contain a password
    backbone_weights: Mapping[str, Path] = field(default_factory=dict)
    other_corpus: Path | None = None
    hosts: tuple[str, ...] = ()
    login: tuple[str, ...] = ()
    admin_password: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings in the current environment. Relative paths start at the working directory.

        Returns
        -------
        Settings

        Raises
        ------
        SettingsError
            If a variable has an invalid value.
        """
        # Anything but 0 counts: a typo must not unlock a public display.
        read_only = os.environ.get("SER_READ_ONLY", "") not in ("", "0")
        workspace = Path(os.environ.get("SER_WORKSPACE") or _default_workspace()).absolute()
        return cls(
            workspace=workspace,
            data_dir=Path(os.environ.get("SER_DATA_DIR") or workspace / "ravdess").absolute(),
            read_only=read_only,
            classes=os.environ.get("SER_CLASSES", "") == "1" or not (read_only or os.environ.get("SER_CLASSES")),
            max_jobs=_max_jobs(os.environ.get("SER_MAX_JOBS") or "1"),
            optuna_storage=os.environ.get("SER_OPTUNA_STORAGE") or None,
            backbone_weights=_backbone_weights(),
            other_corpus=_path("SER_OTHER_CORPUS"),
            hosts=_names("SER_HOSTS"),
            login=_names("SER_LOGIN"),
            admin_password=os.environ.get("SER_ADMIN_PASSWORD") or None,
        )

    @property
    def training(self) -> Path:
        """The folder of the states from which interrupted trainings of networks are resumed."""
        return self.workspace / "training"

    def require_writable(self, work: str) -> None:
        """Check that this installation may write; call this before work begins, e.g. `require_writable("download")`.

        Parameters
        ----------
        work : str
            The work, for the message.

        Raises
        ------
        ReadOnlyError
            If this installation is read-only.
        """
        if self.read_only:
            raise ReadOnlyError(f"No {work} here: this installation is read-only. Unset SER_READ_ONLY to change that")

    def require_classes(self) -> None:
        """Check that teachers may open classes here.

        Raises
        ------
        ReadOnlyError
            If they may not.
        """
        if not self.classes:
            raise ReadOnlyError("No class can be opened or joined here: set SER_CLASSES=1 on the server to allow it")

    @property
    def stores(self) -> tuple[Path, Path]:
        """The shipped store and this installation's own. Both have the same layout; only the second is written."""
        return self.artifacts, self.workspace

    def shipped_table(self, features: str) -> Path:
        """The path of a feature set's shipped table of all clips; the file may not exist.

        Parameters
        ----------
        features : str
            Key of the feature set.

        Returns
        -------
        Path
        """
        return self.artifacts / "features" / f"{features}.parquet"

    @property
    def feature_table(self) -> Path:
        """The shipped table of the original study's features (`mean180`) of all clips."""
        return self.shipped_table("mean180")

    @property
    def speakers(self) -> Path:
        """The shipped table of the true and the recognised speaker of each test clip."""
        return self.artifacts / "features" / "speakers.parquet"

    @property
    def maps(self) -> Path:
        """The shipped table of all clips' coordinates on maps of their features."""
        return self.artifacts / "features" / "maps.parquet"

    @property
    def clips(self) -> Path:
        """The folder of the clips of RAVDESS that ship."""
        return self.artifacts / "clips"

    @property
    def explanations(self) -> Path:
        """The shipped measurement of how true explanations of each model's answers are."""
        return self.artifacts / "explanations.json"

    @property
    def voices(self) -> Path:
        """The shipped table of recordings and sounds in which a voice was looked for."""
        return self.artifacts / "voices.parquet"


def child_environment(**more: str) -> dict[str, str]:
    """The environment for a child process that runs a module of this package (`python -m ser_core...`).

    The child keeps the working directory, so that relative paths stay valid, but does not import from it: a user's
    `queue.py` would shadow Python's own.

    Parameters
    ----------
    **more : str
        Variables to add.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> command = [sys.executable, "-m", "ser_core", "doctor"]          # doctest: +SKIP
    >>> subprocess.run(command, env=child_environment(SER_MAX_JOBS="2"))  # doctest: +SKIP
    """
    environment = os.environ | {"PYTHONSAFEPATH": "1"} | more
    if IS_CHECKOUT:  # may not be installed
        others = [one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one not in ("", str(PROJECT))]
        environment["PYTHONPATH"] = os.pathsep.join([str(PROJECT), *others])
    return environment


def _default_workspace() -> Path:
    if IS_CHECKOUT:
        return PROJECT / "workspace"
    from platformdirs import user_data_path

    return user_data_path("ser", appauthor=False)


def _path(variable: str) -> Path | None:
    named = os.environ.get(variable)
    return Path(named).absolute() if named else None


def _backbone_weights() -> dict[str, Path]:
    named = filter(None, (re.fullmatch(r"SER_(\w+)_WEIGHTS", variable) for variable in os.environ))
    return {variable[1].lower(): file for variable in named if (file := _path(variable[0]))}


def _names(variable: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, os.environ.get(variable, "").split(","))))


def _max_jobs(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise SettingsError(f"SER_MAX_JOBS is {text!r}: give a whole number of 1 or more, or unset it")
    return int(text)
