"""A real PostgreSQL server in a folder of its own, for as long as the tests run."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


def program(name: str) -> str:
    """A program of the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, "no PostgreSQL here: make test installs it (apt-get install postgresql)"
    return path


@contextmanager
def started():
    """The address of a database on a server that listens on 127.0.0.1 alone.

    Its files are not among pytest's: each run of pytest that begins shuts those of all runs to other users, and
    PostgreSQL's is one.
    """
    with tempfile.TemporaryDirectory(prefix="ser-postgres-") as made:
        folder = Path(made)
        data = folder / "data"
        # PostgreSQL refuses to run as root.
        as_other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if as_other:
            shutil.chown(folder, "postgres", "postgres")
            for above in folder.parents:
                if above.stat().st_uid == 0 and above != Path("/") and not above.stat().st_mode & 0o001:
                    above.chmod(above.stat().st_mode | 0o011)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        run = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
        subprocess.run([*as_other, program("initdb"), "-D", data, "-U", "ser", "-A", "trust", "--no-sync"], **run)
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
        control = [*as_other, program("pg_ctl"), "-D", data, "-w"]
        subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], **run)
        try:
            yield f"postgresql+psycopg://ser@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **run)
