"""Jinja templates of HTML files."""

from pathlib import Path

import jinja2


def environment(folder: Path) -> jinja2.Environment:
    """An environment for the templates of a folder: what is put into them is escaped, and what they lack raises.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    jinja2.Environment
        To which filters and globals may be added.
    """
    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FileSystemLoader(folder),
    )
