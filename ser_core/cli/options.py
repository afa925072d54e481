"""Options that several commands take, and the numbers that they accept."""

import argparse


def processes(text: str) -> int:
    """A number of processes as joblib counts them: 1 or more, or negative."""
    number = int(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 processes do nothing: give 1 or more, or -1 for all cores")
    return number


def count(text: str) -> int:
    """A whole number of 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few: give 1 or more")
    return number


def seed(text: str) -> int:
    """A seed: a whole number that fits into 32 bits."""
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is no seed: give 0 to {2**32 - 1}")
    return number


def add_jobs(sub: argparse.ArgumentParser) -> None:
    """Add `--jobs` and `--dask` to a command."""
    sub.add_argument("--jobs", type=processes, default=-1, metavar="N", help="processes (default: all cores)")
    sub.add_argument(
        "--dask", metavar="tcp://HOST:PORT", help="work on this Dask cluster, whose machines see the same files"
    )
