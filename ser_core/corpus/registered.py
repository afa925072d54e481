"""The corpora that pages show beside RAVDESS: what lies in the folder `corpora` of the workspace.

    corpora/emodb.csv        a manifest, as `ser index EMO-DB --name emodb` writes it
    corpora/emodb.parquet    a feature table, as `ser extract EMO-DB --name emodb` writes it

Files of the same name are one corpus, and one of the two is enough. Clips are read from the newer file, so that a
manifest may be corrected after its features were extracted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_core.corpus import manifest, ravdess
from ser_core.errors import CorpusError

FOLDER = "corpora"
TABLE = ".parquet"  # suffix of a feature table


@dataclass(frozen=True)
class Registered:
    """A corpus of the folder. No file has been opened yet.

    Parameters
    ----------
    name : str
        The name of its files without suffix; what stands in the address of a page.
    manifest, table : Path or None
        At least one of them exists.
    """

    name: str
    manifest: Path | None = None
    table: Path | None = None

    @property
    def newest(self) -> Path:
        """The file that its clips are read from."""
        if self.is_outdated or not self.table:
            assert self.manifest, f"{self.name} has no file"
            return self.manifest
        return self.table

    @property
    def is_outdated(self) -> bool:
        """Whether the manifest has been changed since the features were extracted."""
        if not (self.manifest and self.table):
            return False
        return self.manifest.stat().st_mtime_ns > self.table.stat().st_mtime_ns


def list_all(workspace: Path) -> list[Registered]:
    """The corpora in the folder, by name. Files of other kinds, and hidden ones, are none.

    Parameters
    ----------
    workspace : Path

    Returns
    -------
    list of Registered
        Empty if there is no such folder.
    """
    files: dict[str, dict[str, Path]] = {}
    kinds = {manifest.SUFFIX: "manifest", TABLE: "table"}
    for file in sorted((workspace / FOLDER).glob("[!.]*")):
        if (kind := kinds.get(file.suffix.lower())) and file.is_file() and file.stem != ravdess.NAME:
            files.setdefault(file.stem, {})[kind] = file
    return [Registered(name, **files[name]) for name in sorted(files)]


def find(name: str, there: Sequence[Registered]) -> Registered:
    """The corpus of that name.

    Parameters
    ----------
    name : str
    there : sequence of Registered
        As `list_all` gives them.

    Returns
    -------
    Registered

    Raises
    ------
    CorpusError
        If there is none.
    """
    for one in there:
        if one.name == name:
            return one
    listed = ", ".join((ravdess.NAME, *(one.name for one in there)))
    raise CorpusError(f"There is no corpus {name!r}; there is {listed}")


def place(name: str, workspace: Path, suffix: str) -> Path:
    """Where a file of a corpus belongs.

    Parameters
    ----------
    name : str
    workspace : Path
    suffix : str
        `manifest.SUFFIX` or `TABLE`.

    Returns
    -------
    Path
        Its folder may not exist.

    Raises
    ------
    CorpusError
        If the name cannot be that of a file, or is that of RAVDESS, which is always there.
    """
    if name.lower() == ravdess.NAME:
        raise CorpusError(f"{name} is shown without being registered. Choose another name")
    if not name or name.startswith(".") or not all(sign.isalnum() or sign in "-_." for sign in name):
        raise CorpusError(f"{name!r} cannot be the name of a corpus: use letters, digits, - and _, such as emodb")
    return workspace / FOLDER / f"{name}{suffix}"
