"""What `doctor` looks at: whether this installation can do what it should."""

import os
import re
import sys
from dataclasses import dataclass
from importlib import metadata

from ser_core import corpus
from ser_core.errors import SerError
from ser_core.prediction import model_store
from ser_core.results import runs
from ser_core.settings import PROJECT, Settings

PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """One thing looked at. What is `optional` may be missing: only some rooms need it."""

    name: str
    ok: bool
    says: str
    optional: bool = False


def check(settings: Settings) -> list[Check]:
    """All checks, the ones that everything needs first. None of them changes anything but a workspace that lacks."""
    return [
        _python(),
        _packages(),
        _workspace(settings),
        _tables(settings),
        _runs(settings),
        *_models(settings),
        _data(settings),
    ]


def _python() -> Check:
    here = sys.version_info[:2]
    return Check("Python", here >= PYTHON, f"{here[0]}.{here[1]} (needs {PYTHON[0]}.{PYTHON[1]} or newer)")


def _packages() -> Check:
    """The pins of requirements.txt that hold on this machine, against what is installed."""
    from packaging.requirements import Requirement

    wrong = []
    for line in (PROJECT / "requirements.txt").read_text().splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            installed = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            installed = None
        if installed is None or installed not in wanted.specifier:
            wrong.append(f"{wanted.name} {installed or 'missing'}, wanted {wanted.specifier}")
    if wrong:
        return Check("packages", False, f"{'; '.join(wrong)}. Mend: pip install -r requirements.txt")
    return Check("packages", True, "as requirements.txt pins them")


def _workspace(settings: Settings) -> Check:
    try:
        settings.workspace.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Check("workspace", False, f"{settings.workspace} cannot be made ({error}). Set SER_WORKSPACE")
    writable = os.access(settings.workspace, os.W_OK)
    return Check("workspace", writable, f"{settings.workspace} {'can' if writable else 'cannot'} be written")


def _tables(settings: Settings) -> Check:
    from ser_core.features import exploration

    try:
        table = exploration.clips(settings)
    except SerError as error:
        return Check("tables", False, str(error))
    return Check("tables", True, f"features, loudness, pitch and maps of {len(table):,} clips")


def _runs(settings: Settings) -> Check:
    try:
        found = runs.list_all(settings.stores)
    except SerError as error:
        return Check("runs", False, str(error))
    shipped = sum(run.shipped for run in found)
    return Check("runs", shipped > 0, f"{shipped} shipped, {len(found) - shipped} own, scores agree with predictions")


def _models(settings: Settings) -> list[Check]:
    results = []
    try:
        entries = model_store.list_all(settings.stores)
    except SerError as error:
        return [Check("trained models", False, str(error))]
    for entry in entries:
        name = f"model {entry.key} ({'shipped' if entry.shipped else 'own'})"
        try:
            model_store.check(entry) if entry.is_vote else model_store.load(entry)
            results.append(Check(name, True, "digest, versions and features agree"))
        except SerError as error:
            results.append(Check(name, False, str(error)))
    return results or [
        Check("trained models", False, "there is none. Make them: make study, or git checkout artifacts")
    ]


def _data(settings: Settings) -> Check:
    try:
        found = corpus.index(settings.data_dir)
    except SerError as error:
        return Check("RAVDESS clips", False, f"only for extracting and listening: {error}", optional=True)
    says = f"{len(found.clips):,} clips in {settings.data_dir}, {len(found.rejected)} files left out"
    return Check("RAVDESS clips", True, says, optional=True)
