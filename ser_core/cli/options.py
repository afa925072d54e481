"""Options that several commands share, and the types of their values."""

import argparse
from pathlib import Path


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
        "--dask",
        metavar="tcp://HOST:PORT",
        help="run on this Dask cluster, whose machines have the clips under the same path",
    )


def add_data(sub: argparse.ArgumentParser) -> None:
    """Add `--data` to a command."""
    sub.add_argument("--data", type=Path, metavar="DIR", help="folder of the clips (default: SER_DATA_DIR)")


def add_weights(sub: argparse.ArgumentParser) -> None:
    """Add `--weights` to a command."""
    sub.add_argument(
        "--weights", type=Path, metavar="FILE", help="ImageNet weights of vgg16 and its relatives (default: downloaded)"
    )


def add_table(sub: argparse.ArgumentParser) -> None:
    """Add `--features F.parquet` to a command that works on the clips of one table; see `read_table`."""
    sub.add_argument("--features", type=Path, metavar="F.parquet", help="default: the shipped table of all clips")


def read_table(options, settings):
    """The feature table that `--features` names, or the shipped one.

    Parameters
    ----------
    options : argparse.Namespace
    settings : Settings

    Returns
    -------
    pd.DataFrame

    Raises
    ------
    FeatureError
        If the file is missing or unusable.
    """
    from ser_core.features import tables

    return tables.read(options.features or settings.feature_table)
