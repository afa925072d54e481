import json

import pytest

from ser_core.cli import main


@pytest.fixture
def call(capsys):
    """Run a command with --json: its exit status, its answer, and what it said on stderr."""

    def run(*arguments):
        status = main([*map(str, arguments), "--json"])
        printed = capsys.readouterr()
        lines = printed.out.splitlines()
        return status, json.loads(lines[-1]) if lines else None, printed.err

    return run
