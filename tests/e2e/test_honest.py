"""The chart of the leakage lab against the command line."""

import json

import pytest

from ser_core.cli import main
from ser_core.results import generalization
from tests.e2e.browsing import open_page


def test_the_leakage_charts_numbers_are_the_command_lines(server, page, capsys):
    open_page(page, f"{server}/honest?model=Kernel+ridge&features=The+second+feature+set%2C+functionals")
    chart = page.locator("[data-testid=stPlotlyChart] .js-plotly-plot").first
    chart.wait_for()
    drawn = chart.evaluate(
        "chart => { const { y, customdata } = chart._fullData[0]; return customdata.map((one, i) => [one[0], y[i]]) }"
    )
    said = {}
    for protocol, heard in generalization.LADDER.items():
        assert main(["compare", "--protocol", protocol, "--kind", "class", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out.splitlines()[-1])["runs"]
        (row,) = [row for row in rows if row["model"] == "krr" and row["preset"] == "functionals"]
        said[heard] = row["test_accuracy"]
    rungs = dict(drawn)  # and another corpus, on which it was tested
    assert {heard: rungs[heard] for heard in said} == pytest.approx(said, abs=1e-6)
