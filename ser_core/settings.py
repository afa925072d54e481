"""Where things are and what is allowed, read once from the environment.

| variable              | meaning                                            | default                     |
|-----------------------|----------------------------------------------------|-----------------------------|
| `SER_WORKSPACE`       | what this installation makes: caches, runs, models | `workspace/` in the project |
| `SER_DATA_DIR`        | the RAVDESS clips                                  | `ravdess` in the workspace  |
| `SER_READ_ONLY=1`     | no long work can be started: for a public screen   | off                         |
| `SER_VGG16_WEIGHTS`   | a local weights file instead of Keras' download    | none                        |
| `SER_OPTUNA_STORAGE`  | a database URL, to tune on many machines           | none                        |
"""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Paths and permissions of this installation. Read with `Settings.from_environment()`."""

    workspace: Path
    data_dir: Path
    artifacts: Path = PROJECT / "artifacts"
    read_only: bool = False
    vgg16_weights: Path | None = None
    optuna_storage: str | None = None

    @classmethod
    def from_environment(cls) -> "Settings":
        """Settings as the environment gives them now; relative paths count from the working directory."""
        workspace = Path(os.environ.get("SER_WORKSPACE") or PROJECT / "workspace").absolute()
        weights = os.environ.get("SER_VGG16_WEIGHTS")
        return cls(
            workspace=workspace,
            data_dir=Path(os.environ.get("SER_DATA_DIR") or workspace / "ravdess").absolute(),
            read_only=os.environ.get("SER_READ_ONLY", "").lower() in {"1", "true", "yes"},
            vgg16_weights=Path(weights).absolute() if weights else None,
            optuna_storage=os.environ.get("SER_OPTUNA_STORAGE") or None,
        )

    @property
    def stores(self) -> tuple[Path, Path]:
        """The shipped store and this installation's own, of the same inner layout. Only the second is written."""
        return self.artifacts, self.workspace

    @property
    def feature_table(self) -> Path:
        """The shipped table of the study's features of all clips."""
        return self.artifacts / "features" / "study.parquet"
