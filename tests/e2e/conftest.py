"""A real server and a real browser, one of each for all tests that need none of their own."""

import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import sync_playwright

from ser_core import jobs
from ser_core.settings import PROJECT, Settings

DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}

# As root and without a network beyond this machine, Chromium needs the first ones. It plays sound without being asked
# to by a hand, and a microphone of its own may be used.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@pytest.fixture(scope="session")
def server(tmp_path_factory, voices):
    """The address of an app with 64 synthetic clips of 1.2 s for recordings."""
    with started(tmp_path_factory.mktemp("server"), data=voices) as address:
        yield address


@pytest.fixture
def cold_server(tmp_path):
    """The address of an app without recordings that nobody has visited yet."""
    with started(tmp_path, data=tmp_path / "nothing") as address:
        yield address


@pytest.fixture
def server_that_cannot_write(tmp_path):
    """The address of an app whose process may not write a byte to any file."""
    with started(tmp_path, file_size_limit=0) as address:
        yield address


@contextmanager
def started(folder, data=None, file_size_limit=resource.RLIM_INFINITY):
    """The app as `make app` starts it, on a free port, with its files in a folder of its own, and its recordings in
    `data` where that is given.

    Its last words are told if it ended by itself.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"SER_WORKSPACE": str(folder / "workspace"), "TMPDIR": str(folder)}
    environment["PYTHONFAULTHANDLER"] = "1"
    if data is not None:
        environment["SER_DATA_DIR"] = str(data)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    log = folder / "server.log" if file_size_limit else Path(os.devnull)
    with log.open("wb") as words:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=words,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_limit, file_size_limit)),
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/_stcore/health", process)
        yield address
    finally:
        ended = process.poll()
        process.terminate()
        process.wait(timeout=20)
        settings = Settings(folder / "workspace", folder)
        for job in jobs.list_all(settings):  # they outlive the server, as they should
            if ending := jobs.stop(job, settings, grace_s=5):
                ending.join()
        assert ended is None, f"The server ended by itself with {ended}:\n{log.read_text()[-10_000:]}"


def wait_for(address: str, process: subprocess.Popen, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, "the server stopped"
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} did not answer within {seconds} s")


@pytest.fixture(scope="session")
def context(tmp_path_factory):
    """The system's Chromium; its pages share one cache, so that the app's scripts are fetched and compiled once."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "no Chromium here: make test installs it (apt-get install chromium)"
    microphone = f"--use-file-for-fake-audio-capture={rain(tmp_path_factory.mktemp('microphone') / 'rain.wav')}"
    with sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=program,
            args=[*FLAGS, microphone],
            permissions=["microphone"],
        )
        context.set_default_timeout(60_000)
        yield context
        context.close()


def rain(file):
    """A file of noise for the microphone. (What Chromium plays into it otherwise, short beeps with gaps as long as the
    machine is busy, is sometimes taken for a voice.)"""
    noise = np.random.default_rng(0).normal(0, 0.05, 10 * 48_000)
    soundfile.write(file, noise, 48_000, subtype="PCM_16")
    return file


@pytest.fixture
def page(context):
    """A page at desk width."""
    page = context.new_page()
    page.set_viewport_size(DESK)
    yield page
    page.close()


@pytest.fixture
def phone(page):
    """A page at phone width."""
    page.set_viewport_size(PHONE)
    return page
