"""The command line. Each command prints a table, or with `--json` one JSON object on the last line of stdout.

Logs and progress go to stderr. Exit status: 0 done, 2 bad input (one clear line says what and what to do), 1 a fault.

Each module holds the commands of one kind. Its `add` says what they take; a command itself returns its answer for
`--json`, its exit status, and how to show the answer to a person.
"""

import argparse
import json
import logging
import sys

from rich.markup import escape

import ser_core
from ser_core.cli import compare, data, experiments, installation, jobs, predict, tuning
from ser_core.cli.screen import err
from ser_core.errors import SerError
from ser_core.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    options = parser().parse_args(arguments)
    try:
        answer, status, show = carry_out(options)
    except SerError as error:
        err.print(f"[red]Error:[/] {escape(str(error))}", soft_wrap=True, highlight=False)
        return 2
    except KeyboardInterrupt:
        err.print("Stopped.")
        return 130
    if options.json:
        print(json.dumps(answer))
    else:
        show()
    return status


def carry_out(arguments: list[str] | argparse.Namespace, report=None):
    """Carry out a command: its answer (a dict), its exit status, and a function that shows the answer to a person.

    Parameters
    ----------
    arguments : list of str, or what the parser made of it
    report : job_worker.Report, optional
        Told of the progress, where the command is a job.

    Raises
    ------
    SerError
        If the input is bad.
    """
    options = parser().parse_args(arguments) if isinstance(arguments, list) else arguments
    options.report = report
    settings = Settings.from_environment()
    if options.starts:
        settings.require_writable(options.starts)
    if not getattr(options, "dask", None):
        return options.command(options, settings)
    from ser_core.experiments import cluster

    with cluster.on(options.dask):
        return options.command(options, settings)


def parser() -> argparse.ArgumentParser:
    """What reads a command line."""
    made = argparse.ArgumentParser(prog="ser", description=ser_core.__doc__.splitlines()[0])
    made.add_argument("--version", action="version", version=ser_core.__version__)
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, about, *, writes=False):
        sub = commands.add_parser(name, help=about, description=about)
        sub.add_argument(
            "--json",
            action="store_true",
            help="one JSON object on the last line of stdout (none where the input is bad: exit 2)",
        )
        sub.set_defaults(command=function, starts=name if writes else None)
        return sub

    for kind in (data, experiments, tuning, predict, compare, jobs, installation):
        kind.add(command)
    return made
