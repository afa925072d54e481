"""Where joblib runs: in processes of this machine, or on a Dask cluster.

Everything parallel (extraction, pictures, cross-validation, the bootstrap) gives the same numbers on either.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import joblib

from ser_core import environment, extras
from ser_core.errors import ParallelError

CONNECT_S = 10  # timeout of the scheduler's answer


@contextmanager
def on(dask: str | None) -> Iterator[None]:
    """Run joblib on a Dask cluster within this context; without an address, on this machine.

    Parameters
    ----------
    dask : str or None
        A scheduler's address, e.g. "tcp://192.168.0.10:8786".

    Yields
    ------
    None

    Raises
    ------
    ParallelError
        If the scheduler does not answer or has no workers, or a worker's package versions differ from those here: the
        numbers would differ.
    MissingPackageError
        If Dask is not installed here.
    """
    if not dask:
        yield
        return
    extras.require("cluster", "--dask")
    from distributed import Client

    try:
        client = Client(dask, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ParallelError(
            f"No Dask scheduler answers at {dask} ({type(error).__name__}). Start one: dask scheduler --host HOST"
        ) from error
    with client:
        _assert_same_versions(client, dask)
        with joblib.parallel_config("dask", client=client):
            yield


def _assert_same_versions(client, dask: str) -> None:
    here = environment.versions()
    try:
        there = client.run(environment.versions)
    except Exception as error:  # a worker may raise anything: mostly, the package is missing there
        raise ParallelError(f"A worker of {dask} cannot run this package ({error}): install it there") from error
    if not there:
        raise ParallelError(f"The Dask scheduler at {dask} has no workers. Start some: dask worker {dask}")
    for worker, found in there.items():
        other = next((name for name in here if found.get(name) != here[name]), None)
        if other:
            raise ParallelError(
                f"Worker {worker} has {other} {found.get(other)}, and here is {here[other]}: the numbers would differ. "
                "Install the same requirements.txt there"
            )
