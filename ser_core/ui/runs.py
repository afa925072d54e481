"""Damaged runs on pages."""

from ser_core import ui
from ser_core.ui import cached


def name_unreadable() -> None:
    """Show one line for each run that cannot be read."""
    ui.name_unreadable(cached.unreadable_runs())
