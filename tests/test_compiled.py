"""What librosa compiles is compiled by one process alone."""

import sys
from pathlib import Path
from types import SimpleNamespace

import librosa
import pytest

from ser_core import compiled
from ser_core.compiled import fill_cache


def test_all_of_librosa_that_is_kept_on_disk_has_been_compiled():
    fill_cache()
    package = Path(librosa.__file__).parent
    kept = [file for file in package.rglob("*.py") if "cache=True" in file.read_text(encoding="utf-8")]
    names = [".".join(file.relative_to(package.parent).with_suffix("").parts) for file in kept]
    assert len(names) > 3
    assert [name for name in names if name not in sys.modules] == []


@pytest.mark.parametrize(("there", "calls"), [(["a.nbc"], 0), ([], 1)])
def test_it_is_done_where_no_compiled_code_is_there(monkeypatch, tmp_path, there, calls):
    made = []
    monkeypatch.setattr(compiled, "fill_cache", lambda: made.append(1))
    monkeypatch.setattr(compiled.util, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    for name in there:
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__" / name).touch()
    compiled.require_cache()
    assert len(made) == calls
