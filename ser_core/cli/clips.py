"""The clips that a command works on, with the features that `--features` names."""

from pathlib import Path

import pandas as pd

from ser_core.cli.screen import progress
from ser_core.features import elsewhere, tables
from ser_core.settings import Settings


def clips(options, settings: Settings) -> pd.DataFrame:
    """The feature table of the clips that a command works on.

    Parameters
    ----------
    options : argparse.Namespace
        `features` is a table that `extract` made; or names features from elsewhere, which the clips of the shipped
        table get. By default, it is the shipped table.
    settings : Settings

    Returns
    -------
    pd.DataFrame

    Raises
    ------
    SerError
        If it cannot be used.
    """
    named = options.features
    if named and elsewhere.is_named(named):
        return with_features(tables.read(settings.feature_table), options, settings)
    return tables.read(Path(named) if named else settings.feature_table)


def with_features(index: pd.DataFrame, options, settings: Settings) -> pd.DataFrame:
    """Give clips the features from elsewhere that `--features` names.

    Parameters
    ----------
    index : pd.DataFrame
        Rows of an index, or a feature table.
    options : argparse.Namespace
    settings : Settings

    Returns
    -------
    pd.DataFrame
        A feature table.

    Raises
    ------
    SerError
        If the features cannot be used.
    """
    with progress("Preparing clips", "clip", options) as advance:
        return elsewhere.table(options.features, index, settings, progress=advance)
