"""optuna-dashboard on demand: one process per database, on 127.0.0.1 and a free port.

It has no login and can delete studies, so it listens on this machine only: who reaches it can run programs here. It
refuses requests for other host names (DNS rebinding) and changes that another web page asks for through the browser
(cross-site request forgery). It holds the other end of a pipe: however this process
ends, the pipe closes, and the dashboard exits, too.
"""

import atexit
import os
import subprocess
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from ser_core.errors import TuningError
from ser_core.settings import Settings, child_environment
from ser_core.tuning import storage

HOST = "127.0.0.1"
LOCAL_NAMES = ("127.0.0.1", "localhost", "::1")
_STORAGE = "SER_DASHBOARD_STORAGE"  # not an argument: the URL may hold a password, and others can list command lines


class Dashboards:
    """The dashboards of one server. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running: dict[str, tuple[subprocess.Popen, str]] = {}
        atexit.register(self.stop)

    def address(self, url: str) -> str | None:
        """The address of a database's dashboard, if it is running.

        Parameters
        ----------
        url : str
            Of the database.

        Returns
        -------
        str or None
            E.g. `http://127.0.0.1:40123`.
        """
        process, address = self._running.get(url, (None, None))
        return address if process and process.poll() is None else None

    def open(self, url: str, settings: Settings) -> str:
        """Start the dashboard of a database, unless it is running.

        Parameters
        ----------
        url : str
            Of the database.
        settings : Settings

        Returns
        -------
        str
            Its address, e.g. `http://127.0.0.1:40123`.

        Raises
        ------
        ReadOnlyError
            If this installation is read-only: the dashboard can delete studies.
        TuningError
            If it does not start.
        """
        settings.require_writable("dashboard")
        with self._lock:
            if known := self.address(url):
                return known
            process = subprocess.Popen(
                [sys.executable, "-m", "ser_core.tuning.dashboard"],
                env=child_environment(**{_STORAGE: url}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the server; the dashboard exits when the pipe closes
                text=True,
            )
            assert process.stdout is not None  # a pipe, as stdin is
            address = process.stdout.readline().strip()
            if not address:
                process.communicate()
                raise TuningError(
                    f"optuna-dashboard did not start for {storage.without_password(url)}. Check that it is installed "
                    "(pip install -r requirements.txt) and that the database can be read"
                )
            self._running[url] = process, address
            return address

    def stop(self) -> None:
        """Stop all dashboards."""
        with self._lock:
            for process, _ in self._running.values():
                process.terminate()
                process.communicate()  # closes the pipes and waits
            self._running.clear()


def is_local(host: str | None) -> bool:
    """Whether a browser with this host in its address bar is probably on this machine.

    Parameters
    ----------
    host : str or None
        E.g. "localhost:8501".

    Returns
    -------
    bool
    """
    name = (host or "").strip().lower()
    name = name[1:].split("]")[0] if name.startswith("[") else name.split(":")[0]
    return name in LOCAL_NAMES


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def _serve(url: str) -> None:
    from optuna_dashboard import wsgi

    dashboard = wsgi(storage.connect(url))

    def local_only(environ, start_response):
        host, origin = environ.get("HTTP_HOST"), environ.get("HTTP_ORIGIN")  # which browsers add to what changes things
        if not is_local(host) or origin not in (None, f"http://{host}"):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"This dashboard answers on 127.0.0.1 only."]
        return dashboard(environ, start_response)

    with make_server(HOST, 0, local_only, _Server, _Quiet) as server:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        print(f"http://{HOST}:{server.server_port}", flush=True)
        server.serve_forever()


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing is ever written: it returns when the other end closes
    os._exit(0)


if __name__ == "__main__":
    _serve(os.environ.pop(_STORAGE))
