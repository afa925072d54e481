"""`bundle` and `open`: runs in one file, to hand on, and to add to another workspace."""

from ser_core.cli.clips import clips
from ser_core.cli.screen import complain, say
from ser_core.evaluation import protocols
from ser_core.results import bundles, comparison, runs


def bundle(options, settings):
    """Write runs into a bundle."""
    protocols.get(options.protocol)
    every = runs.list_all(settings.stores)
    by_id = {run.id: run for run in every}
    of_test = [run for run in every if run.test == options.protocol]
    named = [by_id[name] if name in by_id else comparison.find([name], of_test)[0] for name in options.runs]
    found = list({run.id: run for run in named}.values())
    bundles.write(found, options.out)
    answer = {"bundle": str(options.out), "runs": [run.id for run in found], "bytes": options.out.stat().st_size}

    def show():
        say(f"{options.out}: {', '.join(answer['runs'])}. To add them elsewhere: ser open {options.out.name}")

    return answer, 0, show


def open(options, settings):  # the command's name
    """Check the runs of a bundle, and add the good ones to the workspace."""
    runs.make_store(settings.workspace)
    opened = bundles.open_in(options.file, settings.stores, table=clips(options, settings))
    for run_id, reason in opened.refused.items():
        complain(f"Refused {run_id}: {reason}")
    refused = [{"run": run_id, "reason": reason} for run_id, reason in opened.refused.items()]
    answer = {"added": opened.added, "known": opened.known, "refused": refused}

    def show():
        for run_id in opened.added:
            say(f"Added {run_id}")
        for run_id in opened.known:
            say(f"{run_id} is here already")

    return answer, 2 if opened.refused else 0, show
