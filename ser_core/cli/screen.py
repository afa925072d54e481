"""What commands write on: tables on stdout, progress and complaints on stderr."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

out = Console()
err = Console(stderr=True)


def score(value) -> str:
    """A score with three decimals; nothing where there is none."""
    return "" if value is None else f"{value:.3f}"


def print_table(title: str, columns: Sequence[str | Column], rows: list[tuple]) -> None:
    """Print a table; text in its cells is not read as markup."""
    table = Table(*columns, title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    out.print(table)


class progress:
    """A progress bar on stderr; none with --json, nor in a job, which reports its progress itself."""

    def __init__(self, what: str, unit: str, options):
        self.what, self.unit, self.report = what, unit, options.report
        counted = (TextColumn(unit), MofNCompleteColumn())
        columns = (TextColumn("{task.description}"), BarColumn(), *counted, TimeRemainingColumn())
        self.bar = Progress(*columns, console=err, disable=options.json or self.report is not None)
        self.task = self.bar.add_task(what, total=None)

    def __enter__(self):
        self.bar.start()
        return self.advance

    def advance(self, done, total):
        """Show that `done` of `total` steps are finished."""
        self.bar.update(self.task, completed=done, total=total)
        if self.report:
            self.report.progress(self.what, done, total, unit=self.unit)

    def __exit__(self, *_):
        self.bar.stop()
