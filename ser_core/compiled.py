"""What librosa compiles with numba at its first import, compiled before several processes would do so at once."""

import getpass
import importlib
import os
import tempfile
from functools import cache
from importlib import util
from pathlib import Path

from filelock import FileLock

# What else they import is compiled, too.
MODULES = ("librosa.beat", "librosa.core", "librosa.effects", "librosa.feature", "librosa.util")


@cache
def fill_cache() -> None:
    """Let librosa compile its functions, or load them, while no other process of this user does.

    Numba keeps compiled code in files beside librosa. Of two processes that write them at once, one can write the code
    and the other what is said of it; then every process that loads both crashes, until the files are deleted [1]_. So
    this is called before a process starts others that use librosa. It takes 15 s after an installation, and 2 s later.

    References
    ----------
    .. [1] https://github.com/numba/numba/issues/10128
    """
    user = getattr(os, "getuid", getpass.getuser)()
    with FileLock(Path(tempfile.gettempdir()) / f"ser_core-{user}-compiles.lock"):
        for name in MODULES:
            module = importlib.import_module(name)
            for public in module.__all__:
                getattr(module, public)  # librosa imports its own modules when they are first used


def require_cache() -> None:
    """Call `fill_cache`, unless compiled code of librosa is there: to see that takes milliseconds."""
    found = util.find_spec("librosa")
    if not (found and found.origin and any(Path(found.origin).parent.rglob("*.nbc"))):
        fill_cache()
