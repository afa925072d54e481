"""The chart of the leakage lab against the command line, and what a choice has made again."""

import json

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ser_core.cli import main
from ser_core.results import generalization
from tests.e2e.browsing import open_page, rest


def test_the_leakage_charts_numbers_are_the_command_lines(server, page, capsys):
    open_page(page, f"{server}/honest?model=Kernel+ridge&features=The+second+feature+set%2C+functionals")
    chart = page.locator("[data-testid=stPlotlyChart] .js-plotly-plot").first
    chart.wait_for()
    drawn = chart.evaluate(
        "chart => { const { x, customdata } = chart._fullData[0]; return customdata.map((one, i) => [one[0], x[i]]) }"
    )
    said = {}
    for protocol, heard in generalization.LADDER.items():
        assert main(["compare", "--protocol", protocol, "--kind", "class", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out.splitlines()[-1])["runs"]
        (row,) = [row for row in rows if row["model"] == "krr" and row["preset"] == "functionals"]
        said[heard] = row["test_accuracy"]
    rungs = dict(drawn)  # and another corpus, on which it was tested
    assert {heard: rungs[heard] for heard in said} == pytest.approx(said, abs=1e-6)


def test_a_choice_has_its_own_part_of_the_page_made_again_and_no_other(server, page):
    sent = []

    def note(frame) -> None:
        element = ForwardMsg.FromString(frame).delta.new_element
        if element.HasField("plotly_chart"):
            sent.append(element.plotly_chart.alt)

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    open_page(page, f"{server}/honest", charts=8)
    rest(page)
    assert len(sent) == 8
    before = sent[0]
    sent.clear()
    page.get_by_text("Emotion alone (8)", exact=True).click()
    page.wait_for_function('sentence => !document.querySelector(`[aria-label="${sentence}"]`)', arg=before)
    rest(page)
    assert len(sent) == 1
    assert page.locator("[data-testid=stPlotlyChart]").count() == 8
