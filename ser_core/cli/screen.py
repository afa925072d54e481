"""Output of commands: tables and text on stdout, progress and warnings on stderr."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

UNBOUNDED = 10_000  # columns of text: wider than any table
out = Console()
err = Console(stderr=True)


def say(text: str) -> None:
    """Print text on stdout unchanged: no markup, no wrapping."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print text on stderr unchanged."""
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def score(value: float | None, deviation: float | None = None) -> str:
    """A score with three decimals, and its standard deviation if there is one; empty if there is no score."""
    if value is None:
        return ""
    return f"{value:.3f}" if deviation is None else f"{value:.3f} ± {deviation:.3f}"


def print_table(title: str, columns: Sequence[str | Column], rows: list[tuple]) -> None:
    """Print a table, without the columns that are empty. A file or a pipe gets it whole, however wide it is.

    Parameters
    ----------
    title : str
    columns : sequence of str or rich.table.Column
    rows : list of tuple
        One cell per column. Cells are converted to text, and markup in them is printed as it is.
    """
    cells = [[escape(str(cell)) for cell in row] for row in rows]
    filled = [place for place in range(len(columns)) if not cells or any(row[place] for row in cells)]
    heads = [columns[place] for place in filled]
    made = [Column(head, overflow="fold") if isinstance(head, str) else head for head in heads]
    table = Table(*made, box=None, padding=(0, 2, 0, 0))
    for row in cells:
        table.add_row(*(row[place] for place in filled))
    console = out
    if not out.is_terminal:
        console = Console(width=out.measure(table, options=out.options.update_width(UNBOUNDED)).maximum)
    if title:
        out.print(title, style="italic", markup=False, highlight=False, soft_wrap=True)
    console.print(table)


def is_quiet(options) -> bool:
    """Whether to hide progress bars: with `--json`, and in a job, which records its progress."""
    return options.json or options.report is not None


@contextmanager
def progress(what: str, unit: str, options) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, unless `is_quiet`, and record the progress of a job.

    Parameters
    ----------
    what : str
        The step, e.g. "Extracting".
    unit : str
        What is counted, e.g. "clip".
    options : argparse.Namespace
        Of the command.

    Yields
    ------
    callable
        Takes the number of units done and the total.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn(unit), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, disable=is_quiet(options)) as bar:
        task = bar.add_task(what, total=None, visible=False)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)
            if options.report:
                options.report.progress(what, done, total, unit=unit)

        yield advance
