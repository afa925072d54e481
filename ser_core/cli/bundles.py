"""`bundle`, `open` and `export-mlflow`: runs in one file to hand on and to add elsewhere, or in a folder for MLflow."""

import shlex
from dataclasses import asdict

from ser_core import extras
from ser_core.cli.clips import clips
from ser_core.cli.screen import complain, say
from ser_core.evaluation import protocols
from ser_core.results import bundles, comparison, mlflow_export, runs


def bundle(options, settings):
    """Write runs into a bundle."""
    found = _named(options, settings)
    bundles.write(found, options.out)
    answer = {"bundle": str(options.out), "runs": [run.id for run in found], "bytes": options.out.stat().st_size}

    def show():
        say(f"{options.out}: {', '.join(answer['runs'])}. To add them elsewhere: ser open {options.out.name}")

    return answer, 0, show


def _named(options, settings) -> list[runs.Run]:
    """The runs that are named by their ids, or by their names in the table of a protocol."""
    protocols.get(options.protocol)
    every = runs.list_all(settings.stores)
    by_id = {run.id: run for run in every}
    of_test = [run for run in every if run.test == options.protocol]
    named = [by_id[name] if name in by_id else comparison.find([name], of_test)[0] for name in options.runs]
    return list({run.id: run for run in named}.values())


def export_mlflow(options, settings):
    """Write runs into a folder of MLflow files."""
    extras.require("mlflow", "export-mlflow")
    exported = mlflow_export.export(_named(options, settings), options.out)
    answer = {"folder": str(options.out)} | asdict(exported)

    def show():
        for run_id in exported.written:
            say(f"Exported {run_id}")
        for run_id in exported.known:
            say(f"{run_id} is there already")
        look = shlex.join(["mlflow", "ui", "--backend-store-uri", str(options.out)])
        say(f"To look at them, where mlflow is installed: MLFLOW_ALLOW_FILE_STORE=true {look}")

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
