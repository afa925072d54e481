"""The command `ser`, which is also `python -m ser_core`."""

import sys

from ser_core import interrupts
from ser_core.cli import main


def run() -> int:
    """Run one command, which SIGTERM ends like Ctrl-C.

    Returns
    -------
    int
        The exit status.
    """
    interrupts.listen()
    return main()


if __name__ == "__main__":
    sys.exit(run())
