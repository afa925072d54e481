"""optuna-dashboard beside the server."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import optuna
import psutil
import pytest
import requests

from ser_core.errors import ReadOnlyError, TuningError
from ser_core.settings import PROJECT, Settings
from ser_core.tuning import storage
from ser_core.tuning.dashboard import Dashboards, is_local


@pytest.fixture
def dashboards():
    dashboards = Dashboards()
    yield dashboards
    dashboards.stop()


@pytest.fixture
def url(settings) -> str:
    url = storage.url(settings)
    optuna.create_study(study_name="mine", storage=storage.connect(url), direction="maximize")
    return url


def ask(address: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
        return answer.read().decode()


def test_it_answers_from_the_same_storage_is_reused_and_ends_when_told(dashboards, url, settings):
    assert dashboards.address(url) is None
    with ThreadPoolExecutor(4) as pool:
        addresses = set(pool.map(lambda _: dashboards.open(url, settings), range(4)))
    (address,) = addresses
    assert address.startswith("http://127.0.0.1:")
    assert dashboards.address(url) == address
    assert "<title>Optuna Dashboard</title>" in ask(f"{address}/dashboard")
    assert '"mine"' in ask(f"{address}/api/studies")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        ask(f"{address}/api/studies", Host="elsewhere.example")
    dashboards.stop()
    assert dashboards.address(url) is None
    with pytest.raises(OSError):
        ask(address)


def test_another_web_page_changes_nothing_through_the_browser(dashboards, url, settings):
    address = dashboards.open(url, settings)

    def rename(origin: str) -> int:
        (study,) = requests.get(f"{address}/api/studies", timeout=20).json()["study_summaries"]
        where, what = f"{address}/api/studies/{study['study_id']}/rename", {"study_name": "theirs"}
        return requests.post(where, json=what, headers={"Origin": origin}, timeout=20).status_code

    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        assert rename(origin) == 403
    assert '"mine"' in ask(f"{address}/api/studies")
    assert rename(address) == 201


def test_one_that_died_is_started_again(dashboards, url, settings):
    first = dashboards.open(url, settings)
    process, _ = dashboards._running[url]
    process.kill()
    process.wait()
    assert dashboards.address(url) is None
    assert '"mine"' in ask(f"{dashboards.open(url, settings)}/api/studies")
    assert first


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_its_server_however_that_ends(url, how):
    code = (
        "import time; from ser_core.tuning.dashboard import Dashboards; from ser_core.settings import Settings;"
        "from ser_core.tuning import storage; s = Settings.from_environment();"
        "print(Dashboards().open(storage.url(s), s), flush=True); time.sleep(600)"
    )
    server = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    address = server.stdout.readline().strip()
    assert '"mine"' in ask(f"{address}/api/studies")
    (child,) = psutil.Process(server.pid).children()
    server.send_signal(how)
    server.wait()
    child.wait(timeout=20)
    server.stdout.close()


def test_no_password_stands_in_a_command_line_or_a_fault(dashboards, settings):
    url = "postgresql+psycopg://me:secret-word@127.0.0.1:1/none"
    before = set(psutil.pids())
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(dashboards.open, url, settings)
        seen = []
        while not opening.done():
            for pid in set(psutil.pids()) - before:
                try:
                    seen.append(" ".join(psutil.Process(pid).cmdline()))
                except psutil.Error:
                    continue
            time.sleep(0.05)
        with pytest.raises(TuningError, match="did not start") as fault:
            opening.result()
    assert any("ser_core.tuning.dashboard" in line for line in seen)
    assert not any("secret-word" in line for line in seen)
    assert "secret-word" not in str(fault.value)


def test_none_is_started_where_nothing_may_be(dashboards, url, settings):
    with pytest.raises(ReadOnlyError, match="No dashboard here"):
        dashboards.open(url, Settings(settings.workspace, settings.data_dir, read_only=True))
    assert not [
        child for child in psutil.Process(os.getpid()).children() if "ser_core.tuning.dashboard" in child.cmdline()
    ]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost:8501", True),
        ("127.0.0.1", True),
        ("[::1]:8501", True),
        ("LOCALHOST", True),
        ("192.168.1.7:8501", False),
        ("localhost.elsewhere.example", False),
        ("", False),
        (None, False),
    ],
)
def test_a_browser_is_on_this_machine_if_it_asked_for_it_by_such_a_name(host, local):
    assert is_local(host) == local
