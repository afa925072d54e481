"""The command `ser`, which is also `python -m ser_core`."""

import sys

from ser_core import interrupts


def run() -> int:
    """Run one command, which SIGTERM ends like Ctrl-C, at any moment.

    Returns
    -------
    int
        The exit status.
    """
    interrupts.listen()
    try:
        from ser_core.cli import main  # which takes its time

        return main()
    except KeyboardInterrupt:  # before the command, or while its answer is printed
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
