"""The examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

import ser_core

PACKAGE = Path(ser_core.__file__).parent


def _with_examples() -> list[str]:
    files = [file for file in sorted(PACKAGE.rglob("*.py")) if ">>> " in file.read_text()]
    parts = [file.relative_to(PACKAGE.parent).with_suffix("").parts for file in files]
    return [".".join(part).removesuffix(".__init__") for part in parts]


@pytest.mark.parametrize("name", _with_examples())
def test_examples_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write a file
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize(
    "name",
    [
        "corpus.index",
        "evaluation.accuracy",
        "evaluation.scores",
        "evaluation.uar",
        "evaluation.protocols.Protocol",
        "experiments.run",
        "prediction.predictor.load_predictor",
    ],
)
def test_what_a_notebook_begins_with_has_an_example(name):
    module, _, called = name.rpartition(".")
    described = getattr(importlib.import_module(f"ser_core.{module}"), called)
    assert ">>> " in described.__doc__
