"""How much each page asks of the server and of the browser, for those who come after the very first visitor.

    python -m benchmarks.pages [ROUNDS] [PAGE...]

The pages run in Streamlit's own test runner, for the server's processor time: first run, then each change of a choice,
for which the whole page runs again. Then a real server shows them to Chromium, at a desk's width: kilobytes over the
websocket, elements of the whole document, and the processor time of the browser's main thread, from the address until
the page rests, of which 0.5 s are Streamlit's own and more than a second is Plotly's code, which is loaded once, with
the first chart that a visitor sees. One choice is clicked there, too; where it is in a part of the page that runs by
itself, it asks less than in the test runner. All are medians. Says whether they stay under the limits that the pages
are held to. Sound is read where SER_DATA_DIR has it.
"""

import logging
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import sync_playwright
from psutil import Process
from streamlit.components.v2 import manifest_scanner

from benchmarks.visitors import processor_s
from ser_core.settings import Settings
from tests.app.pages import at, open_app, widget
from tests.e2e.conftest import DESK, FLAGS, started

FIRST_S, CHANGE_S, WEBSOCKET_KB = 1.5, 0.3, 400.0

# Page -> what is chosen, one after the other: the widget's key and a value of it.
CHANGES: dict[str, list[tuple]] = {
    "overview": [("models", True)],
    "dataset": [
        ("emotion", ["sad", "angry"]),
        ("channel", ["speech"]),
        ("actor", ["01", "02", "03"]),
        ("emotion", []),
        ("actor", []),
        ("view", "Loudness"),
        ("rows", "speaker"),
        ("view", "Counts"),
        ("columns", "emotion"),
        ("view", "The study's split"),
    ],
    "sound": [  # of a tuple another in each round: a clip that nobody has looked at yet
        ("clip-emotion", ("sad", "angry", "fearful", "happy", "calm", "neutral")),
        ("mode", "Two clips"),
        ("views", ["stft", "mel", "mfcc"]),
        ("other-emotion", ("neutral", "calm", "happy", "sad", "angry", "fearful")),
        ("views", ["chroma", "contrast", "energy"]),
    ],
    "features": [
        ("channel", "Speech"),
        ("voices", "Women"),
        ("voices", "All voices"),
        ("colour", "speaker"),
        ("of", "speaker"),
        ("method", "pca"),
        ("view", "What separates emotions"),
        ("channel", "Song"),
        ("view", "One feature"),
        ("feature", "mel_074"),
        ("view", "Energy by pitch"),
        ("view", "How many numbers"),
        ("voices", "Men"),
    ],
    "predict": [("source", "Example"), ("model", "krr")],
    "ears": [("ears-voices", "song")],
    "tune": [("chart", "What matters"), ("chart", "All trials"), ("show", "Compare")],
    "train": [
        ("show", "Learning curves"),
        ("show", "Overfitting"),
        ("show", "The vote"),
        ("show", "What it is made of"),
    ],
    "run": [("model", "krr"), ("protocol", "emobox"), ("sweep", True)],
    "compare": [
        ("all", True),
        ("runs", ["krr", "v4", "mlp", "cnn"]),
        ("share", "count"),
        ("kind", "emotion"),
        ("view", "Class by class"),
        ("by", "statement"),
        ("view", "Right and wrong"),
        ("view", "What a vote gains"),
        ("vote", "v3"),
        ("view", "How sure they are"),
        ("view", "Actor by actor"),
        ("view", "Learned by heart"),
        ("view", "What they confuse"),
        ("protocol", "emobox"),
        ("protocol", "repetition"),
        ("protocol", "study"),
    ],
    "honest": [
        ("kind", "emotion"),
        ("features", "functionals"),
        ("model", "krr"),
        ("folds", "luna-jimenez"),
    ],
    "lesson": [("step", "2"), ("step", "6")],
    "glossary": [],
    "teach": [],
    "join": [],
    "jobs": [],
}

CLICKS = {  # page -> the choice that is clicked in the browser
    "predict": "Example",
    "dataset": "Loudness",
    "sound": "Two clips",
    "features": "What separates emotions",
    "ears": "Song",
    "tune": "All trials",
    "train": "Learning curves",
    "run": "Emotion alone",
    "compare": "Actor by actor",
    "honest": "Emotion alone (8)",
    "lesson": "2. See anger and calm",
}
IN_PARTS = ("honest",)  # all choices run a part of the page alone, so that the click is judged, not the test runner
RESTS = """() => {
    const state = document.querySelector("[data-test-script-state]")?.dataset.testScriptState;
    const elements = document.querySelectorAll("*").length;
    const rests = state === "notRunning" && elements === window.elements && document.querySelector("h1");
    window.elements = elements;
    window.looks = rests ? (window.looks || 0) + 1 : 0;
    return window.looks > 10;
}"""


class Asked(NamedTuple):
    """What a page, or a change of it, asks for."""

    server_s: float  # processor time
    websocket_kb: float
    elements: float
    browser_s: float  # processor time


def main(rounds: int = 5, *pages: str) -> int:
    wanted = pages or tuple(CHANGES)
    served = {page: of_server(page, rounds) for page in wanted}
    browsed = of_browser(wanted, rounds)
    print("           in the test runner    in the browser: first run            a click")
    print("page          first   rerun      server      KB elements browser     server      KB browser")
    missed = []
    for page in wanted:
        run_s, changes = served[page]
        first, click = browsed[page]
        line = f"{page:10}{run_s:7.2f} s" + (f"{max(changes.values()):6.2f} s" if changes else 8 * " ")
        line += f"    {first.server_s:6.2f} s{first.websocket_kb:8.0f}{first.elements:9,.0f}{first.browser_s:6.2f} s"
        missed += [f"{page}: {run_s:.2f} s"] * (run_s >= FIRST_S)
        missed += [f"{page}: {first.websocket_kb:.0f} KB"] * (first.websocket_kb >= WEBSOCKET_KB)
        judged = {} if page in IN_PARTS else changes
        missed += [f"{page}, {name}: {took:.2f} s" for name, took in judged.items() if took >= CHANGE_S]
        if click:
            line += f"   {click.server_s:6.2f} s{click.websocket_kb:8.0f}{click.browser_s:6.2f} s"
            missed += [f"{page}, {CLICKS[page]}: {click.server_s:.2f} s"] * (click.server_s >= CHANGE_S)
        print(line)
    limits = f"first {FIRST_S} s, a change {CHANGE_S} s, {WEBSOCKET_KB:.0f} KB"
    print(f"limits ({limits}): {'; '.join(missed) or 'all kept'}")
    return bool(missed)


def of_server(page: str, rounds: int) -> tuple[float, dict[str, float]]:
    """Processor time (s) of a page's first run, and of each change of a choice."""
    firsts, seconds = [], {}
    for number in range(rounds + 1):
        app = open_app()
        took = timed(at, app, page)
        firsts += [took] * (number > 0)
        for step, (key, values) in enumerate(CHANGES[page], start=1):
            value, words = (values[number], "another") if isinstance(values, tuple) else (values, values)
            took = timed(widget(app, key).set_value(value).run)
            if number:
                seconds.setdefault(f"{step}. {key} = {words}", []).append(took)
        assert not app.exception and not app.error, page
    return statistics.median(firsts), {name: statistics.median(took) for name, took in seconds.items()}


def timed(work, *arguments) -> float:
    start = time.process_time()
    work(*arguments)
    return time.process_time() - start


def of_browser(pages: Iterable[str], rounds: int) -> dict[str, tuple[Asked, Asked | None]]:
    """Page -> what it asks for, and what the change by a click."""
    with (
        tempfile.TemporaryDirectory() as folder,
        started(Path(folder), data=Settings.from_environment().data_dir) as address,
    ):
        (server,) = Process().children()
        with sync_playwright() as play:
            program = shutil.which("chromium") or shutil.which("google-chrome")
            context = play.chromium.launch_persistent_context(f"{folder}/browser", executable_path=program, args=FLAGS)
            context.set_default_timeout(120_000)
            for page in pages:  # server and browser keep what they have seen
                visited(context, address, page, server)
            found = {page: [visited(context, address, page, server) for _ in range(rounds)] for page in pages}
            context.close()
    return {
        page: (middle(first), middle(click) if page in CLICKS else None)
        for page, visits in found.items()
        for first, click in [zip(*visits, strict=True)]
    }


def middle(found: Iterable[Asked]) -> Asked:
    return Asked(*map(statistics.median, zip(*found, strict=True)))


def visited(context, address: str, name: str, server: Process) -> tuple[Asked, Asked | None]:
    page = context.new_page()
    page.set_viewport_size(DESK)
    browser, frames = context.new_cdp_session(page), []
    browser.send("Performance.enable", {"timeDomain": "threadTicks"})
    browser.send("Network.enable")
    browser.on("Network.webSocketFrameReceived", lambda event: frames.append(event["response"]["payloadData"]))

    def measured(work, *arguments) -> Asked:
        before_s, busy_s = processor_s(server), busy()
        frames.clear()
        work(*arguments)
        page.evaluate("window.looks = 0")
        page.wait_for_function(RESTS, polling=100)
        kilobytes = sum(map(len, frames)) * 3 / 4 / 1000  # in base64
        return Asked(processor_s(server) - before_s, kilobytes, page.evaluate("window.elements"), busy() - busy_s)

    def busy() -> float:
        return {one["name"]: one["value"] for one in browser.send("Performance.getMetrics")["metrics"]}["TaskDuration"]

    first, click = measured(page.goto, f"{address}/{'' if name == 'overview' else name}"), None
    if name in CLICKS:
        click = measured(page.get_by_test_id("stMain").get_by_text(CLICKS[name], exact=True).first.click)
    page.close()
    return first, click


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    manifest_scanner.scan_component_manifests = cache(
        manifest_scanner.scan_component_manifests
    )  # a server does it once
    sys.exit(main(*map(int, sys.argv[1:2]), *sys.argv[2:]))
