"""`doctor`: what it finds, and what it says of what is missing."""

import sys
from importlib import metadata

import pytest

from ser_core.cli import health, installation, shipping
from ser_core.prediction import model_store
from ser_core.settings import Settings


def test_doctor(call):
    status, answer, _ = call("doctor")
    assert status == 0
    assert answer["ok"]
    assert {"Python", "packages", "workspace", "tables", "runs"} <= {check["name"] for check in answer["checks"]}


@pytest.fixture
def seen(monkeypatch):
    """What the doctor says of each thing, and of models one with a network and one without."""
    shipped = model_store.list_all(Settings.from_environment().stores)
    few = [one for one in shipped if one.key in ("best", "krr", "cnn2d")]
    monkeypatch.setattr(model_store, "list_all", lambda _: few)
    return lambda: {check.name: check for check in health.check(Settings.from_environment())}


def test_the_doctor_counts_what_few_need_as_optional(call, monkeypatch, seen):
    for module in ("tensorflow", "distributed", "psycopg"):
        monkeypatch.setitem(sys.modules, module, None)
    found = seen()
    for name, extra in (("TensorFlow", "train"), ("Dask", "cluster"), ("psycopg", "postgres")):
        assert not found[name].ok and found[name].optional
        assert f'pip install "ser-core[{extra}]"' in found[name].says
    assert found["model best (shipped)"].ok and found["model krr (shipped)"].ok
    status, answer, _ = call("doctor")
    assert status == 0
    assert answer["ok"]


@pytest.mark.parametrize(("read_only", "classes"), [("1", "0"), ("1", "1"), ("0", "0")])
def test_only_a_read_only_installation_without_classes_can_do_without_a_workspace(
    read_only, classes, monkeypatch, tmp_path, seen
):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("SER_WORKSPACE", str(file / "workspace"))
    monkeypatch.setenv("SER_READ_ONLY", read_only)
    monkeypatch.setenv("SER_CLASSES", classes)
    found = seen()["workspace"]
    assert not found.ok
    assert found.optional == (read_only == "1" and classes == "0")


@pytest.mark.parametrize("package", health.OPENMP_USERS)
@pytest.mark.parametrize(
    ("system", "mend"), [("Darwin", "brew install libomp"), ("Linux", "libgomp1"), ("Windows", "Visual C++")]
)
def test_the_doctor_says_what_brings_openmp(package, system, mend, monkeypatch):
    def load(name):
        if name == package:
            raise OSError("libgomp.so.1: cannot open shared object file\nand more")

    monkeypatch.setattr(health, "import_module", load)
    monkeypatch.setattr(health.platform, "system", lambda: system)
    check = health._openmp()
    assert not check.ok and not check.optional
    assert f"{package} cannot be loaded (libgomp.so.1: cannot open shared object file)" in check.says
    assert mend in check.says


def test_the_doctor_says_why_there_is_no_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert "no wheel for Macs with an Intel processor" in health._extra("train").says


def test_the_doctor_names_a_package_of_another_version(monkeypatch):
    versions = metadata.version
    monkeypatch.setattr(health.metadata, "version", lambda name: "0.1" if name == "skops" else versions(name))
    check = health._packages()
    assert not check.ok
    assert "skops 0.1, wanted ==" in check.says
    assert "pip install -r requirements.txt" in check.says


def test_the_doctor_names_a_package_that_is_missing(monkeypatch):
    versions = metadata.version

    def version(name):
        if name == "rich":
            raise metadata.PackageNotFoundError(name)
        return versions(name)

    monkeypatch.setattr(health.metadata, "version", version)
    assert "rich missing, wanted ==" in health._packages().says


@pytest.mark.parametrize("options", [(), ("--tune",), ("--deep",)])
def test_an_installed_package_makes_nothing_that_ships(call, monkeypatch, options):
    monkeypatch.setattr(installation, "IS_CHECKOUT", False)
    for name in ("make", "make_deep", "make_studies"):
        monkeypatch.setattr(shipping, name, lambda *_, **__: pytest.fail("it wrote into the package"))
    status, answer, error = call("study", *options)
    assert (status, answer) == (2, None)
    assert "Run it in a checkout" in error
    assert len(error.strip().splitlines()) == 1
