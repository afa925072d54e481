"""The package's structure: rooms import downwards only, nothing imports in a circle, and pages are thin.

All imports count, also those inside functions and those for type checkers alone.
"""

import ast
import graphlib
from pathlib import Path

import pytest

from ser_core.settings import PROJECT

ROOMS = (  # from the ground up; rooms of one line do not import each other, but for the ground
    (
        *(
            "errors",
            "settings",
            "files",
            "records",
            "durations",
            "templates",
            "interrupts",
            "environment",
            "extras",
            "keras_backend",
            "compiled",
        ),
        "machine",
    ),
    ("jobs", "audio"),
    ("corpus",),
    ("evaluation",),
    ("features",),
    ("models",),
    ("results",),
    ("experiments", "listening"),
    ("prediction", "tuning", "classroom", "teaching"),
    ("figures",),
    ("ui", "cli"),
    ("__main__",),
)
LEVELS = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
PAGES = sorted((PROJECT / "pages").glob("*.py"))
NOT_IN_PAGES = {
    "joblib",
    "keras",
    "librosa",
    "multiprocessing",
    "numpy",
    "optuna",
    "scipy",
    "sklearn",
    "subprocess",
    "tensorflow",
    "threading",
}


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    files = sorted((PROJECT / "ser_core").rglob("*.py"))
    return {".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def imports(file: Path) -> list[tuple[str, bool]]:
    """What a file imports, by its full name, and whether it does so outside all functions."""
    tree = ast.parse(file.read_text())
    inside = {id(node) for outer in ast.walk(tree) if isinstance(outer, ast.FunctionDef) for node in ast.walk(outer)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno} imports relatively"
            found += [(f"{node.module}.{alias.name}", id(node) not in inside) for alias in node.names]
    return found


MODULES = modules()
IMPORTS = {name: imports(file) for name, file in MODULES.items()}


def imported_modules(name: str) -> set[str]:
    """The modules of this package that a module imports."""
    found = set()
    for full, _ in IMPORTS[name]:
        if full.split(".")[0] == "ser_core":
            found.add(full if full in MODULES else full.rpartition(".")[0])
    return found


def room(module: str) -> str | None:
    return module.split(".")[1] if "." in module else None


def test_every_module_lies_in_a_room():
    assert {room(name) for name in MODULES} - {None} == set(LEVELS)


def test_no_room_imports_one_above_it():
    upwards = [
        f"{name} imports {other}"
        for name in MODULES
        for other in imported_modules(name)
        if (mine := room(name)) and (theirs := room(other)) and mine != theirs
        if LEVELS[theirs] > LEVELS[mine] or (LEVELS[theirs] == LEVELS[mine] and LEVELS[mine])
    ]
    assert not upwards


def test_nothing_imports_in_a_circle():
    graph = {name: imported_modules(name) - {name} for name in MODULES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def users(package: str, *, at_import: bool = False) -> set[str]:
    """The modules that import another package; only those that do when they are imported, if `at_import`."""
    return {
        name
        for name, found in IMPORTS.items()
        if any(full.split(".")[0] == package and (outside or not at_import) for full, outside in found)
    }


def test_only_the_ui_knows_streamlit():
    assert {room(name) for name in users("streamlit")} == {"ui"}


def test_tensorflow_is_loaded_in_one_place_and_when_it_is_needed():
    assert users("tensorflow") | users("keras") == {"ser_core.keras_backend"}
    assert not users("tensorflow", at_import=True) | users("keras", at_import=True)


def test_pages_compute_nothing():
    used = {page.name: {full.split(".")[0] for full, _ in imports(page)} & NOT_IN_PAGES for page in PAGES}
    assert not {page: packages for page, packages in used.items() if packages}


def shadowed(file: Path) -> set[str]:
    """Names that a file imports at its top, and uses as names of arguments or of variables in a function."""
    tree = ast.parse(file.read_text())
    tops = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {(alias.asname or alias.name).split(".")[0] for node in tops for alias in node.names}
    inner = [node for outer in ast.walk(tree) if isinstance(outer, ast.FunctionDef) for node in ast.walk(outer)]
    arguments = {node.arg for node in inner if isinstance(node, ast.arg)}
    variables = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return imported & (arguments | variables)


def test_no_import_is_shadowed():
    names = {file.name: shadowed(file) for file in [*MODULES.values(), *PAGES]}
    assert not {file: found for file, found in names.items() if found}


def test_only_the_corpus_reads_properties_out_of_a_clips_name():
    """Whoever needs a clip's speaker takes the column."""
    reads = (".str[-2:]", '.split("-")')
    files = [file for name, file in MODULES.items() if room(name) != "corpus"] + PAGES
    lines = [f"{file.name}: {line.strip()}" for file in files for line in file.read_text().splitlines()]
    assert not [line for line in lines if any(one in line for one in reads)]


@pytest.mark.parametrize(
    "file", [*PAGES, *sorted((PROJECT / "ser_core" / "ui").glob("*.py"))], ids=lambda file: file.stem
)
def test_pages_write_csv_through_the_one_function_that_makes_it_harmless(file):
    assert "to_csv(" not in file.read_text()
