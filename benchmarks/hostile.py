"""Many people upload a clip each, as FLAC and as M4A, alone and beside a visitor who means harm.

    nice python -m benchmarks.hostile [VISITORS] [ROUNDS] [MODEL]

The harm: uploads without end that no page takes, forty jobs, each from a page of its own that is left at once,
`clear_cache`, foreign hosts.
Says of each round how many answers are those to the clip, how long they took, and how much memory the server has then;
at the end how much it and its jobs had at most, and what became of the harm. See `visitors`.
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import requests
import soundfile
from psutil import Error, Process
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLsRequest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.visitors import Visitor, answers, everybody, memory_mib
from ser_core import jobs
from ser_core.prediction import model_store
from ser_core.prediction.predictor import DEFAULT, Predictor
from ser_core.settings import Settings
from tests.e2e.conftest import started
from tests.encoded import encode_av

UPLOAD_BYTES = 20 * 2**20
JOBS = 40


class Hostile(threading.Thread):
    """Somebody who takes what there is, until told to stop.

    Parameters
    ----------
    address : str
        Of the server.
    """

    def __init__(self, address: str):
        super().__init__(daemon=True)
        self.address, self.became, self.stopped = address, Counter(), threading.Event()
        self.start()

    def run(self) -> None:
        with ExitStack() as leaves:
            visitor = Visitor(self.address, "source=Upload", leaves)
            asked = 0
            while not self.stopped.is_set():
                self.upload(visitor)
                visitor._send(BackMsg(clear_cache=True))
                answer = requests.get(self.address, headers={"Host": "evil.example"}, timeout=60)
                self.became[f"foreign host: {answer.status_code}"] += 1
                if asked < JOBS:
                    self.ask_for_job(f"hostile-{asked}")
                    asked += 1

    def upload(self, visitor: Visitor) -> None:
        request = FileURLsRequest(request_id="1", file_names=["a.wav"], session_id=visitor.session)
        visitor._send(BackMsg(file_urls_request=request))
        while (message := visitor._receive()).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = message.file_urls_response.file_urls
        token = {"X-Xsrftoken": visitor.http.cookies.get("_streamlit_xsrf", "")}
        content = {"file": ("a.wav", bytes(UPLOAD_BYTES))}
        answer = visitor.http.put(f"{self.address}{urls.upload_url}", files=content, headers=token, timeout=60)
        self.became[f"upload of {UPLOAD_BYTES >> 20} MB: {answer.status_code}"] += 1

    def ask_for_job(self, name: str) -> None:
        """Each as another browser, which is left at once."""
        with ExitStack() as leaves:
            visitor = Visitor(self.address, "show=Start one", leaves, page="tune")
            (field,) = (one.text_input.id for one in visitor.shown if one.text_input.label == "Name of the study")
            named = WidgetState(id=field, string_value=name)
            visitor.run(named)  # the button starts what the page has shown
            (button,) = (one.button.id for one in visitor.shown if one.button.label == "Start")
            visitor.run(named, WidgetState(id=button, trigger_value=True))
            refused = any("run or wait already" in one.alert.body for one in visitor.shown)
            self.became[f"job: {'refused' if refused else 'started'}"] += 1


class Watch(threading.Thread):
    """The most memory that a server and its processes have (MiB)."""

    def __init__(self, server: Process):
        super().__init__(daemon=True)
        self.server, self.most, self.stopped = server, 0.0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            used = 0
            with suppress(Error):  # one has ended
                for process in (self.server, *self.server.children(recursive=True)):
                    used += process.memory_info().rss
            self.most = max(self.most, used / 2**20)


def main(visitors: str = "30", rounds: str = "2", model: str = "") -> None:
    settings = Settings.from_environment()
    entry = model_store.find(model or DEFAULT, settings.stores)
    query = f"source=Upload&model={entry.title}"
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as address, ExitStack() as leaves:
        (server,) = Process().children()
        flac = sorted(settings.clips.glob("*.flac"))[: int(visitors)]
        recordings = {"FLAC": flac, "M4A": [as_m4a(clip, Path(folder)) for clip in flac]}
        expected = {format: answers(Predictor.load(entry), clips) for format, clips in recordings.items()}
        Visitor(address, query, leaves).upload(flac[0])  # loads the model
        for harm in (False, True):
            watch, hostile = Watch(server), Hostile(address) if harm else None
            for number in range(int(rounds)):
                for format, clips in recordings.items():
                    print(f"-- {format}, round {number + 1}, {'beside a hostile visitor' if harm else 'alone'}")
                    everybody(address, query, clips, *expected[format], server)
                    print(f"the server has {memory_mib(server):.0f} MiB")
            watch.stopped.set()
            print(f"the server and its processes had {watch.most:.0f} MiB at most")
            if hostile:
                hostile.stopped.set()
                hostile.join(60)
                print(", ".join(f"{what} ({times} times)" for what, times in sorted(hostile.became.items())))
                stop_all(replace(settings, workspace=Path(folder) / "workspace"))


def stop_all(settings: Settings) -> None:
    """Stop the jobs that were started, which would outlive the server."""
    for job in jobs.list_all(settings):
        if waiting := jobs.stop(job, settings, grace_s=1.0):
            waiting.join()


def as_m4a(clip: Path, folder: Path) -> Path:
    """The clip as a phone saves it."""
    samples, rate = soundfile.read(clip, dtype="float32", always_2d=True)
    file = folder / f"{clip.stem}.m4a"
    file.write_bytes(encode_av(samples, rate, "ipod", "aac"))
    return file


if __name__ == "__main__":
    began = time.perf_counter()
    main(*sys.argv[1:])
    print(f"{time.perf_counter() - began:.0f} s in all")
