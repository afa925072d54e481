"""The corpora that pages show beside RAVDESS: what lies in the folder `corpora` of the workspace.

    corpora/emodb.csv        a manifest, as `ser index EMO-DB --name emodb` writes it
    corpora/emodb.parquet    a feature table, as `ser extract EMO-DB --name emodb` writes it

Files of the same name are one corpus, and one of the two is enough. Clips are read from the newer file, so that a
manifest may be corrected after its features were extracted.
"""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_core.corpus import manifest, ravdess
from ser_core.errors import CorpusError
from ser_core.records import Unreadable, reason_of

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


def read_all(workspace: Path) -> tuple[list[Registered], list[Unreadable]]:
    """The corpora in the folder, by name. Files of other kinds, and hidden ones, are none.

    Parameters
    ----------
    workspace : Path

    Returns
    -------
    found : list of Registered
        Empty if there is no such folder.
    unreadable : list of Unreadable
        What is named like a file of a corpus and is none: a folder, or a link that leads nowhere or in a loop.
    """
    files: dict[str, dict[str, Path]] = {}
    unreadable = []
    kinds = {manifest.SUFFIX: "manifest", TABLE: "table"}
    try:
        entries = sorted((workspace / FOLDER).iterdir())
    except FileNotFoundError:
        entries = []
    except OSError as error:
        entries = []
        way_out = f"Move it elsewhere, and make a folder of that name in {workspace}"
        unreadable.append(Unreadable("Folder", FOLDER, reason_of(error), way_out))
    for file in entries:
        kind = kinds.get(file.suffix.lower())
        if not kind or file.name.startswith(".") or file.stem == ravdess.NAME:
            continue
        if fault := _fault(file):
            way_out = f"Move it out of the folder {FOLDER} of the workspace, or put the file in its place"
            unreadable.append(Unreadable("Corpus", file.name, fault, way_out))
        else:
            files.setdefault(file.stem, {})[kind] = file
    return [Registered(name, **files[name]) for name in sorted(files)], unreadable


def _fault(entry: Path) -> str:
    """Why an entry of the folder is no file; empty if it is one."""
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return f"it leads to no file ({reason_of(error)})"
    if stat.S_ISREG(mode):
        return ""
    return "it is a folder" if stat.S_ISDIR(mode) else "it is no file"


def find(name: str, there: Sequence[Registered]) -> Registered:
    """The corpus of that name.

    Parameters
    ----------
    name : str
    there : sequence of Registered
        As `read_all` gives them.

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
