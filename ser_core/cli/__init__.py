"""The command line. Each command prints a table, or with `--json` one JSON object on the last line of stdout.

Logs and progress go to stderr. Exit status: 0 done, 2 bad input (one line says what is wrong and what to do), 1 a bug.

`command_line` declares the commands and their options. The other modules, each imported when one of its commands is
called, carry them out: a command is a function of the parsed options and the settings, and returns its answer for
`--json` (a dict), its exit status, and a function that prints the answer for people.
"""

import argparse
import json
import logging
import sys
from importlib import import_module

from rich.markup import escape

from ser_core.cli.command_line import parser
from ser_core.cli.screen import err
from ser_core.errors import SerError
from ser_core.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : list of str, optional
        The command line after `ser`; that of the process if not given.

    Returns
    -------
    int
        The exit status.
    """
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
    """Carry out a command without printing its answer.

    Parameters
    ----------
    arguments : list of str or argparse.Namespace
        The command line after `ser`, or the options parsed from it.
    report : job_worker.Report, optional
        Records the progress of a command that runs as a job.

    Returns
    -------
    answer : dict
        What `--json` prints.
    status : int
        The exit status.
    show : callable
        Prints the answer for people.

    Raises
    ------
    SerError
        If the input is bad.
    """
    options = parser().parse_args(arguments) if isinstance(arguments, list) else arguments
    options.report = report
    settings = Settings.from_environment()
    if options.writes:
        settings.require_writable(options.command)
    command = getattr(import_module(f"ser_core.cli.{options.module}"), options.command)
    if not getattr(options, "dask", None):
        return command(options, settings)
    from ser_core.experiments import cluster

    with cluster.on(options.dask):
        return command(options, settings)
