"""The package as people install it: from a wheel, in an environment of its own, used from any folder.

The environment has nothing of its own but the wheel; the packages that it needs are those that the tests run with, and
that the wheel asks for exactly them is tested beside.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ser_core.cli import main
from ser_core.corpus import synthetic
from ser_core.extras import EXTRAS
from ser_core.settings import PROJECT

SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "ser_core", "artifacts")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="an environment has another layout there")]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """An environment into which `pip install` brought this checkout, and what it was made of is gone."""
    sources, made = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("environment")
    for name in (*SOURCES, *(file.name for file in PROJECT.glob("requirements*.txt"))):
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        copy(PROJECT / name, sources / name)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    packages = made / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", made / "bin" / "python", "install", "-q", "--no-index"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--ignore-installed", sources], check=True)
    shutil.rmtree(sources)
    return made


@pytest.fixture
def call(environment, tmp_path, monkeypatch):
    """Run a program of the environment in an empty folder; what it printed."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("SER_WORKSPACE", "SER_DATA_DIR", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))  # where there is no XDG

    def run(program: str, *arguments: str) -> str:
        command = [environment / "bin" / program, *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.folder = folder
    return run


@pytest.fixture
def clip(call) -> Path:
    file = call.folder / "clip.wav"
    file.write_bytes(synthetic.wav("angry", actor=2))
    return file


def heard(printed: str) -> dict:
    return json.loads(printed.splitlines()[-1])["predictions"][0]


def test_the_command_predicts_from_any_folder_what_a_checkout_does(call, clip, capsys):
    there = heard(call("ser", "predict", clip.name, "--model", "krr", "--json"))
    assert main(["predict", str(clip), "--model", "krr", "--json"]) == 0
    here = heard(capsys.readouterr().out)
    assert there["probabilities"] == here["probabilities"]


def test_it_writes_a_report_whose_template_came_with_it(call, clip):
    call("ser", "predict", clip.name, "--model", "krr", "--report", "out.html")
    assert "clip.wav" in (call.folder / "out.html").read_text()


def test_a_file_that_a_child_process_decodes_is_decoded_there_too(call, clip):
    """Beside a script that would take the place of one of Python's own modules."""
    import av

    with av.open(str(clip)) as source, av.open(str(clip.with_suffix(".m4a")), "w") as target:
        stream = target.add_stream("aac", rate=source.streams.audio[0].rate)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    (call.folder / "subprocess.py").write_text("raise SystemExit('the wrong module')")
    assert heard(call("ser", "predict", "clip.m4a", "--model", "krr", "--json"))["label"]


def test_it_knows_where_its_things_are(call, environment, tmp_path):
    code = "import ser_core; s = ser_core.Settings.from_environment(); print(s.artifacts, s.workspace, sep='\\n')"
    artifacts, workspace = map(Path, call("python", "-P", "-c", code).splitlines())
    assert artifacts.is_relative_to(environment)
    assert {file.name for file in artifacts.iterdir()} >= {"manifest.json", "models", "runs", "features", "LICENSE"}
    assert workspace.is_relative_to(tmp_path)
    assert workspace.name == "ser"


def test_its_doctor_reads_the_pins_from_its_metadata(call):
    code = (
        "from ser_core.cli import health; print(health._packages()); print(health._pins() and health._pins('cluster'))"
    )
    packages, pins = call("python", "-P", "-c", code).splitlines()
    assert "as requirements.txt pins them" in packages
    assert "dask" in pins and "numpy" not in pins


def asked_for(file: Path) -> set[str]:
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in file.read_text().splitlines())
    return {str(Requirement(line)) for line in lines if line}


def test_the_wheel_asks_for_what_the_pinned_files_say(environment):
    [info] = environment.glob("lib/python*/site-packages/ser_core-*.dist-info")
    found = metadata.Distribution.at(info)
    by_extra = {extra: set() for extra in ("", *EXTRAS)}
    for line in found.requires:
        wanted, extra = re.fullmatch(r"(.*?)(?:(?:;| and) extra == \"(\w+)\")?", line).groups(default="")
        by_extra[extra].add(re.sub(r"; \((.*)\)$", r"; \1", str(Requirement(wanted))))
    assert by_extra[""] == asked_for(PROJECT / "requirements.txt")
    for extra in EXTRAS:
        assert by_extra[extra] == asked_for(PROJECT / f"requirements-{extra}.txt")
    assert found.metadata["License-Expression"] == "GPL-3.0-or-later AND CC-BY-NC-SA-4.0"
    assert set(found.metadata.get_all("License-File")) == {"LICENSE", "artifacts/LICENSE"}
