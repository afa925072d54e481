import json

import pytest

from ser_core.cli import main
from ser_core.features import store


@pytest.fixture
def call(capsys):
    """Run a command with --json: its exit status, its answer, and what it said on stderr."""

    def run(*arguments):
        status = main([*map(str, arguments), "--json"])
        printed = capsys.readouterr()
        lines = printed.out.splitlines()
        return status, json.loads(lines[-1]) if lines else None, printed.err

    return run


@pytest.fixture
def features(table, tmp_path):
    store.save_table(table, tmp_path / "F.parquet")
    return tmp_path / "F.parquet"
