"""The clips that a command works on, with the features that `--features` names."""

from pathlib import Path

import pandas as pd

from ser_core.features import elsewhere, tables
from ser_core.settings import Settings


def clips(named: str | None, settings: Settings) -> pd.DataFrame:
    """The feature table of the clips that a command works on.

    Parameters
    ----------
    named : str, optional
        A table that `extract` made; or features from elsewhere, of the shipped table's clips. By default, the shipped
        table.
    settings : Settings

    Returns
    -------
    pd.DataFrame

    Raises
    ------
    SerError
        If it cannot be used.
    """
    if named and elsewhere.is_named(named):
        return elsewhere.table(named, tables.read(settings.feature_table), settings)
    return tables.read(Path(named) if named else settings.feature_table)
