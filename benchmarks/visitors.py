"""Thirty people upload a clip each within ten seconds, and one makes and deletes takes: a real server's answers.

    nice python -m benchmarks.visitors [MODEL] [VISITORS] [ROUNDS]

The server is the app as `make app` starts it. Visitors are no browsers, for which two cores are too few: each speaks
Streamlit's protocol over a socket of its own, and uploads one of the clips that ship. Says how many answers are those
that the model gives to the clip by itself; how long they took from the start of an upload until the answer was there,
and until the page was whole; how much processor time the server took, and how much the answers need at least. After
that, what memory the server has after each round of five takes that are deleted.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # as the server does

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import requests
from psutil import Process
from requests.adapters import HTTPAdapter
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileUploaderState, FileURLsRequest, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.sync.client import connect

from ser_core import audio
from ser_core.features.mean180 import SAMPLE_RATE
from ser_core.prediction import model_store
from ser_core.prediction.predictor import DEFAULT, Predictor
from ser_core.settings import Settings
from ser_core.ui.answer import claim, headline
from tests.e2e.conftest import started

WITHIN_S = 10.0
TAKES = 5  # of a round
WAIT_S = 300  # for a message


class Visitor:
    """Somebody on a page, by Streamlit's protocol.

    Parameters
    ----------
    address : str
        Of the server.
    query : str
        Of the page's address.
    leaves : ExitStack
        When the visitor goes.
    page : str
        Another one, by its address.
    """

    def __init__(self, address: str, query: str, leaves: ExitStack, page: str = "predict"):
        self.address, self.query, self.name = address, query, page
        self.http = requests.Session()
        # As browsers do: the server closes a connection that was idle for five seconds, perhaps just when it is used.
        self.http.mount(address, HTTPAdapter(max_retries=1))
        for path in ("", "/_stcore/health"):  # for their cookies
            self.http.get(f"{address}{path}")
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        stream = f"{address.replace('http', 'ws')}/_stcore/stream"
        # Patient, since a busy machine answers late.
        how: dict = {"subprotocols": ["streamlit"], "origin": address, "additional_headers": {"Cookie": cookies}}
        how |= {"max_size": None, "ping_interval": None, "open_timeout": WAIT_S}
        self.socket = leaves.enter_context(connect(stream, **how))
        self.session, self.page, self.shown = "", "", []
        self.answered = 0.0  # when the answer was there
        self.received = 0  # bytes
        self.run()

    def run(self, *states: WidgetState) -> None:
        """Run the page with these widgets changed, and read what it shows until it has run to its end."""
        state = ClientState(
            query_string=self.query,
            page_name=self.name,
            page_script_hash=self.page,
            widget_states=WidgetStates(widgets=states),
        )
        self._send(BackMsg(rerun_script=state))
        self.answered = 0.0
        while True:
            message = self._receive()
            kind = message.WhichOneof("type")
            if kind == "new_session":  # of each run
                self.session, self.shown = message.new_session.initialize.session_id, []
            elif kind == "navigation":
                self.page = message.navigation.page_script_hash
            elif kind == "delta" and message.delta.HasField("new_element"):
                self.shown.append(message.delta.new_element)
                if not self.answered and message.delta.new_element.markdown.body.startswith("It gives "):
                    self.answered = time.perf_counter()
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return

    def upload(self, *files: Path) -> None:
        """Upload files, and wait until the page is whole."""
        names = [file.name for file in files]
        self._send(
            BackMsg(file_urls_request=FileURLsRequest(request_id="1", file_names=names, session_id=self.session))
        )
        while (message := self._receive()).WhichOneof("type") != "file_urls_response":
            pass
        taken = []
        for file, urls in zip(files, message.file_urls_response.file_urls, strict=True):
            content = file.read_bytes()
            self.http.put(
                f"{self.address}{urls.upload_url}",
                files={"file": (file.name, content)},
                headers={"X-Xsrftoken": self.http.cookies.get("_streamlit_xsrf", "")},
            ).raise_for_status()
            taken.append(UploadedFileInfo(file_id=urls.file_id, name=file.name, size=len(content), file_urls=urls))
        (uploader,) = (one.file_uploader.id for one in self.shown if one.HasField("file_uploader"))
        self.run(WidgetState(id=uploader, file_uploader_state_value=FileUploaderState(uploaded_file_info=taken)))

    def click(self, label: str) -> None:
        """Click a button."""
        (button,) = (one.button.id for one in self.shown if one.button.label == label)
        self.run(WidgetState(id=button, trigger_value=True))

    @property
    def texts(self) -> list[str]:
        """What the page says."""
        return [one.markdown.body for one in self.shown if one.HasField("markdown")]

    def _send(self, message: BackMsg) -> None:
        self.socket.send(message.SerializeToString())

    def _receive(self) -> ForwardMsg:
        message = self.socket.recv(timeout=WAIT_S)
        self.received += len(message)
        return ForwardMsg.FromString(message)


def main(model: str = "", visitors: str = "30", rounds: str = "10") -> None:
    settings = Settings.from_environment()
    clips = sorted(settings.clips.glob("*.flac"))[: int(visitors)]
    entry = model_store.find(model or DEFAULT, settings.stores)
    expected, needed_s = answers(Predictor.load(entry), clips)
    query = f"source=Upload&model={entry.title}"
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as address, ExitStack() as leaves:
        (server,) = Process().children()
        first = Visitor(address, query, leaves)  # loads the model
        first.upload(clips[0])
        print(f"{entry.key}: the server has {memory_mib(server):.0f} MiB with one visitor's take")
        everybody(address, query, clips, expected, needed_s, server)
        used = []
        for _ in range(int(rounds)):
            first.upload(*clips[:TAKES])
            first.click("Delete them")
            used.append(memory_mib(server))
        print(f"MiB after each round of {TAKES} takes and their end: " + ", ".join(f"{one:.0f}" for one in used))


def answers(predictor: Predictor, clips: list[Path]) -> tuple[list[tuple[str, str]], float]:
    """What the page is to say of each clip, and the processor time that it takes to know it (s)."""
    predictor.predict_file(clips[0])  # what is made once
    start, given = time.process_time(), []
    for clip in clips:
        prediction = predictor.predict(audio.load(clip.read_bytes(), rate=SAMPLE_RATE))
        given.append((headline(prediction), claim(prediction)))
    return given, time.process_time() - start


def everybody(address: str, query: str, clips: list[Path], expected: list, needed_s: float, server: Process) -> None:
    """Let a visitor upload each clip, at even distances within `WITHIN_S`."""

    def upload(number: int) -> tuple[bool, float, float]:
        visitor = visitors[number]
        time.sleep(WITHIN_S * number / len(clips))
        start = time.perf_counter()
        visitor.upload(clips[number])
        whole_s, answered_s = time.perf_counter() - start, visitor.answered - start
        title, claimed = expected[number]
        is_right = any(text.endswith(f"# {title}") for text in visitor.texts) and claimed in visitor.texts
        return is_right, answered_s, whole_s

    with ExitStack() as leaves, ThreadPoolExecutor(len(clips)) as pool:
        visitors = list(pool.map(lambda _: Visitor(address, query, leaves), clips))
        before, start = processor_s(server), time.perf_counter()
        right, answered_s, whole_s = (np.array(one) for one in zip(*pool.map(upload, range(len(clips))), strict=True))
    took_s, cores = time.perf_counter() - start, os.cpu_count() or 1
    print(f"{right.sum()} of {len(clips)} answers are those to the clip")
    for what, seconds in (("the answer was there", answered_s), ("the page was whole", whole_s)):
        print("until {}: median {:.1f} s, p95 {:.1f} s".format(what, *np.quantile(seconds, [0.5, 0.95])))
    print(
        f"the server took {processor_s(server) - before:.1f} s of processor time in {took_s:.0f} s; the answers alone "
        f"need {needed_s:.1f} s, which is {needed_s / cores:.1f} s on {cores} cores"
    )


def processor_s(process: Process) -> float:
    """Processor time that a process has taken (s)."""
    return process.cpu_times().user + process.cpu_times().system


def memory_mib(process: Process) -> float:
    """Memory that a process has (MiB)."""
    return process.memory_info().rss / 2**20


if __name__ == "__main__":
    main(*sys.argv[1:])
