"""How long the server works on one refresh of the tune page, while thirty sessions watch one running study.

    python -m benchmarks.tuning_page [SESSIONS]

The pages run in Streamlit's own test runner, which draws the whole page, where a browser asks for the watched part of
it only. The study has `TRIALS_BEFORE` trials and a worker that adds to them all the time: a job, as the page starts
it. In each round every session refreshes once, one after the other; rounds come every two seconds, as in a browser, so
that each finds new trials. Says whether the mean stays under the limit in each view; `processor` is what this process
had of the processor for one refresh, whatever else the machine was doing.
"""

import logging
import os
import statistics
import sys
import tempfile
import time

from ser_core import interrupts
from tests.app.pages import at, open_app, well, widget

LIMIT_MS = 100
TRIALS_BEFORE = 200
ROUNDS = 4
STUDY = "watched"


def main(sessions: int = 30) -> int:
    from ser_core import jobs
    from ser_core.features import tables
    from ser_core.settings import Settings
    from ser_core.tuning import descriptions, results, search, storage, studies

    settings = Settings.from_environment()
    table, url = tables.read(settings.feature_table), storage.url(settings)
    plan = studies.Plan("kn", pruner="none")
    studies.create(plan, url, table, trials=TRIALS_BEFORE, name=STUDY)
    search.work(STUDY, url, table)
    job = jobs.start(descriptions.task(plan, STUDY, trials=100_000, workers=1), settings)
    slow = []
    try:
        apps = [at(open_app(), "tune", study=STUDY) for _ in range(sessions)]
        print(f"{sessions} sessions, {TRIALS_BEFORE} trials and more")
        print(f"  {'mean':>7}  {'median':>7}  {'longest':>7}  {'processor':>9}")
        for view in widget(apps[0], "chart").options:
            for app in apps:
                well(widget(app, "chart").set_value(view).run())
            took, worked = [], 0.0
            for _ in range(ROUNDS):
                began, before = time.perf_counter(), time.process_time()
                for app in apps:
                    start = time.perf_counter()
                    app.run()
                    took.append(1000 * (time.perf_counter() - start))
                worked += time.process_time() - before
                time.sleep(max(0.0, 2 - (time.perf_counter() - began)))
            for app in apps:
                well(app)
                assert "At work" in " ".join(element.value for element in app.markdown)
            mean = statistics.mean(took)
            over = "" if mean < LIMIT_MS else f"   over {LIMIT_MS} ms"
            shown = (f"{number:4.0f} ms" for number in (mean, statistics.median(took), max(took)))
            print("  " + "  ".join(shown) + f"  {1000 * worked / len(took):6.0f} ms  {view}{over}")
            slow += [view] if over else []
        ended, _ = results.count(studies.load(studies.find(STUDY, settings)))
        print(f"trials meanwhile: {ended - TRIALS_BEFORE}")
    finally:
        jobs.stop(job, settings).join()
    print(f"limit {LIMIT_MS} ms a refresh: " + (f"missed by {slow}" if slow else "kept in every view"))
    return bool(slow)


if __name__ == "__main__":
    interrupts.listen()  # whoever ends it by a signal leaves no worker behind
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as workspace:
        os.environ["SER_WORKSPACE"] = workspace
        sys.exit(main(*map(int, sys.argv[1:])))
