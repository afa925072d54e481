"""Where things are, read once from the environment.

| variable              | meaning                                            | default                     |
|-----------------------|----------------------------------------------------|-----------------------------|
| `SER_WORKSPACE`       | what this installation makes: caches, runs, models | `workspace/` in the project |
| `SER_DATA_DIR`        | the RAVDESS clips                                  | `ravdess` in the workspace  |
"""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """The paths of this installation. Read with `Settings.from_environment()`."""

    workspace: Path
    data_dir: Path
    artifacts: Path = PROJECT / "artifacts"

    @classmethod
    def from_environment(cls) -> "Settings":
        """Settings as the environment gives them now; relative paths count from the working directory."""
        workspace = Path(os.environ.get("SER_WORKSPACE") or PROJECT / "workspace").absolute()
        return cls(
            workspace=workspace,
            data_dir=Path(os.environ.get("SER_DATA_DIR") or workspace / "ravdess").absolute(),
        )

    @property
    def stores(self) -> tuple[Path, Path]:
        """The shipped store and this installation's own, of the same inner layout. Only the second is written."""
        return self.artifacts, self.workspace

    @property
    def feature_table(self) -> Path:
        """The shipped table of the study's features of all clips."""
        return self.artifacts / "features" / "study.parquet"
