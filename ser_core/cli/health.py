"""The checks of `doctor`: whether this installation is complete and can be used."""

import os
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, metadata

from ser_core import corpus, extras, jobs, records
from ser_core.errors import ClassroomError, MissingPackageError, SerError
from ser_core.features.registry import FUNCTIONALS, SPEAKING
from ser_core.jobs.job import UNREADABLE
from ser_core.models import presets
from ser_core.prediction import model_store
from ser_core.results import runs, verdicts
from ser_core.settings import IS_CHECKOUT, PROJECT, Settings

PYTHON = (3, 11)
OPENMP_USERS = ("lightgbm", "xgboost")  # on some systems their wheels need a system package of OpenMP
WITHOUT = {
    "train": "no network can be trained; those that are trained predict all the same",
    "cluster": "no work on a Dask cluster",
    "postgres": "no studies on PostgreSQL",
    "onnx": "no embeddings of encoders (--features onnx:FILE)",
    "opensmile": "no feature sets egemaps and compare2016",
    "mlflow": "no export of runs to MLflow",
}


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Parameters
    ----------
    name : str
    ok : bool
    says : str
        What was found and, if it is not ok, what to do.
    optional : bool
        Whether only some work needs it.
    """

    name: str
    ok: bool
    says: str
    optional: bool = False


def check(settings: Settings) -> list[Check]:
    """Run all checks. They change nothing, except that a missing workspace is created.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    list of Check
    """
    return [
        _python(),
        _packages(),
        _openmp(),
        *(_extra(extra) for extra in extras.EXTRAS),
        _workspace(settings),
        _tables(settings),
        _runs(settings),
        _presets(settings),
        _studies(settings),
        _classes(settings),
        _jobs(settings),
        *_models(settings),
        _data(settings),
    ]


def _python() -> Check:
    here = sys.version_info[:2]
    return Check("Python", here >= PYTHON, f"{here[0]}.{here[1]} (needs {PYTHON[0]}.{PYTHON[1]} or newer)")


def _packages() -> Check:
    """Whether the installed packages are those that the app pins."""
    if wrong := _unlike_pins(_pins()):
        return Check("packages", False, f"{'; '.join(wrong)}. Fix: {_pip_install()}")
    return Check("packages", True, "as requirements.txt pins them")


def _extra(extra: str) -> Check:
    name, _ = extras.EXTRAS[extra]
    if not extras.is_installed(extra):
        says = f"not installed: {WITHOUT[extra]}. {extras.how_to_install(extra)}"
        return Check(name, False, says, optional=True)
    if wrong := _unlike_pins(_pins(extra)):
        return Check(name, False, f"{'; '.join(wrong)}. Fix: {_pip_install(extra)}", optional=True)
    return Check(name, True, f"as requirements-{extra}.txt pins it", optional=True)


def _pip_install(extra: str = "") -> str:
    if IS_CHECKOUT:
        return f"pip install -r requirements{'-' if extra else ''}{extra}.txt"
    return f'pip install "ser-core[{extra}]"' if extra else "pip install ser-core"


def _pins(extra: str = "") -> list:
    """The pinned requirements of the app or of an extra that apply to this machine.

    Read from the requirements files of a checkout, or from the metadata of an installed wheel.
    """
    from packaging.requirements import Requirement

    if IS_CHECKOUT:
        file = PROJECT / f"requirements{'-' if extra else ''}{extra}.txt"
        lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in file.read_text().splitlines())
        found = [Requirement(line) for line in lines if line]
    else:
        listed = [Requirement(line) for line in metadata.requires("ser-core") or ()]
        found = [one for one in listed if ("extra ==" in str(one.marker)) == bool(extra)]
    return [one for one in found if not one.marker or one.marker.evaluate({"extra": extra})]


def _unlike_pins(pins: list) -> list[str]:
    """The packages that are missing or installed in another version than the pinned one."""
    wrong = []
    for wanted in pins:
        try:
            installed = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            installed = None
        if installed is None or installed not in wanted.specifier:
            wrong.append(f"{wanted.name} {installed or 'missing'}, wanted {wanted.specifier}")
    return wrong


def _openmp() -> Check:
    """Whether LightGBM and XGBoost can be loaded; without the system's OpenMP library, importing them fails."""
    for package in OPENMP_USERS:
        try:
            import_module(package)
        except Exception as error:  # OSError, or XGBoost's own error
            says = f"{package} cannot be loaded ({records.reason_of(error)}). Fix: {_install_openmp()}"
            return Check("OpenMP", False, says)
    return Check("OpenMP", True, "LightGBM and XGBoost can be loaded")


def _install_openmp() -> str:
    known = {"Darwin": "brew install libomp", "Linux": "apt-get install libgomp1 (or your system's package of libgomp)"}
    return known.get(platform.system(), "install OpenMP (on Windows: Visual C++ Redistributable)")


def _workspace(settings: Settings) -> Check:
    needless = settings.read_only and not settings.classes
    try:
        settings.workspace.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Check("workspace", False, f"{settings.workspace} cannot be made ({error}). Set SER_WORKSPACE", needless)
    writable = os.access(settings.workspace, os.W_OK)
    return Check("workspace", writable, f"{settings.workspace} {'can' if writable else 'cannot'} be written", needless)


def _tables(settings: Settings) -> Check:
    from ser_core.features import exploration, tables
    from ser_core.prediction import explanation

    faults, clips = [], None
    for read in (
        lambda: exploration.clips(settings),
        lambda: tables.read(settings.shipped_table(FUNCTIONALS.key), FUNCTIONALS),
        lambda: tables.read(settings.shipped_table(SPEAKING.key), SPEAKING),
        lambda: records.read_shipped(settings.speakers, ["speaker", "named"]),
        lambda: records.read_shipped(settings.voices, verdicts.VOICES),
        lambda: explanation.measured(settings),
    ):
        try:
            made = read()
            clips = made if clips is None else clips
        except SerError as error:
            faults.append(str(error))
    if faults or clips is None:
        return Check("tables", False, _joined(faults))
    return Check("tables", True, f"features, loudness, pitch and maps of {len(clips):,} clips")


def _runs(settings: Settings) -> Check:
    found, unreadable = runs.read_all(settings.stores)
    if unreadable:
        return Check("runs", False, _joined(unreadable))
    shipped = sum(run.shipped for run in found)
    return Check("runs", shipped > 0, f"{shipped} shipped, {len(found) - shipped} own")


def _joined(faults: Sequence, most: int = 3) -> str:
    return ". ".join(map(str, faults[:most])) + (f". And {len(faults) - most} more" if len(faults) > most else "")


def _presets(settings: Settings) -> Check:
    found, unreadable = presets.read_all(settings.stores)
    return Check("presets", not unreadable, _joined(unreadable) or f"{len(found)} that tuning found")


def _studies(settings: Settings) -> Check:
    from ser_core.tuning import studies

    found, unreadable = studies.read_all(settings)
    return Check("studies", not unreadable, _joined([*unreadable.values()]) or f"{len(found)} studies")


def _classes(settings: Settings) -> Check:
    from ser_core.classroom.database import FILE
    from ser_core.classroom.rules import Store

    if not (settings.classes and os.path.lexists(settings.workspace / FILE)):
        return Check("classes", True, "there are none")
    try:
        Store.of(settings).close()
    except ClassroomError as error:
        return Check("classes", False, str(error))
    return Check("classes", True, "their database can be read")


def _jobs(settings: Settings) -> Check:
    found = jobs.list_all(settings)
    faults = [f"Job {job.id}: {job.message}" for job in found if job.status == UNREADABLE]
    return Check("jobs", not faults, _joined(faults) or f"{len(found)} jobs")


def _models(settings: Settings) -> list[Check]:
    results = []
    entries, unreadable = model_store.read_all(settings.stores)
    if unreadable:
        results.append(Check("trained models", False, _joined(unreadable)))
    for entry in entries:
        name = f"model {entry.key} ({'shipped' if entry.shipped else 'own'})"
        try:
            model_store.check(entry) if entry.is_vote else model_store.load(entry)
            results.append(Check(name, True, "digest, versions and features agree"))
        except MissingPackageError as error:
            results.append(Check(name, False, str(error), optional=True))
        except SerError as error:
            results.append(Check(name, False, str(error)))
    return results or [Check("trained models", False, "there are none. Run git checkout artifacts, or make study")]


def _data(settings: Settings) -> Check:
    try:
        found = corpus.ravdess.index(settings.data_dir)
    except SerError as error:
        return Check("RAVDESS clips", False, f"only for extracting features and listening: {error}", optional=True)
    says = f"{len(found.clips):,} clips in {settings.data_dir}, {len(found.rejected)} files left out"
    return Check("RAVDESS clips", True, says, optional=True)
