"""Where joblib works: in processes of this machine, or on a Dask cluster.

Whatever runs on joblib (extraction, pictures, cross-validation, the bootstrap) gives the same numbers on either.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import joblib

from ser_core import environment, extras
from ser_core.errors import ParallelError

CONNECT_S = 10  # until a scheduler that does not answer is given up


@contextmanager
def on(dask: str | None) -> Iterator[None]:
    """Within this, joblib works on the Dask cluster of that address, or where there is none, on this machine.

    Parameters
    ----------
    dask : str or None
        A scheduler's address, e.g. "tcp://192.168.0.10:8786".

    Raises
    ------
    ParallelError
        If it does not answer, has no workers, or a worker has not the versions that are here: the numbers would differ.
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
    except Exception as error:  # whatever a worker raises: mostly, it has no such package
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
