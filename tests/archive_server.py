"""A web server for archives like the official ones, but small, that misbehaves as it is told."""

import functools
import hashlib
import io
import re
import threading
import zipfile
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ser_core.corpus import synthetic
from ser_core.corpus.archives import Archive

SPEECH, SONG = "Speech.zip", "Song.zip"


@contextmanager
def started():
    """A server on a free port."""
    server = Server()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def put_archive(server, content=None, part="speech", count=8) -> Archive:
    """Put an archive on a server: its description."""
    content = zipped(clips(part)) if content is None else content
    name = SPEECH if part == "speech" else SONG
    server.files[name] = content
    return Archive(
        part=part,
        name=name,
        url=server.url(name),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        clips=count,
        unpacked_bytes=1_000_000,
    )


@functools.cache
def clips(channel="speech"):
    """Names in the archive -> WAV files, eight of them."""
    song = channel == "song"
    files = {}
    for emotion in ("angry", "sad"):
        for actor in (1, 2):
            for statement in (1, 2):
                take = {"actor": actor, "statement": statement, "song": song}
                name = synthetic.Take(emotion=emotion, **take).stem
                files[f"Actor_{actor:02d}/{name}.wav"] = synthetic.wav(emotion, **take, seconds=0.5)
    return files


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return out.getvalue()


class Server(ThreadingHTTPServer):
    """Serves `files` by their path. `faults` holds a function for each coming request, None for a good answer."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.faults = []
        self.ranges = []  # the Range header of each request, None where it had none
        self.sent = []  # bytes of body given to each request

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        self.server.sent.append(0)
        self.content = self.server.files[self.path.lstrip("/")]
        self.start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        self.close_connection = True
        fault = self.server.faults.pop(0) if self.server.faults else None
        with suppress(ConnectionError):  # the other side may have had enough
            (fault or good)(self)

    def head(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, content):
        self.server.sent[-1] += len(content)  # first: whoever has the last byte may look at once
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_):
        pass


def good(request):
    part_head(request)
    request.body(request.content[request.start :])


def part_head(request):
    total = len(request.content)
    said = {"Content_Range": f"bytes {request.start}-{total - 1}/{total}"} if request.start else {}
    request.head(206 if request.start else 200, Content_Length=total - request.start, **said)


def cut(after):
    """Says how much is to come, and hangs up after so many bytes."""

    def fault(request):
        part_head(request)
        request.body(request.content[request.start : request.start + after])

    return fault


def ignore_range(request):
    request.start = 0
    good(request)


def ignore_range_and_cut(after):
    def fault(request):
        request.start = 0
        cut(after)(request)

    return fault


def wrong_range(request):
    total = len(request.content)
    said = f"bytes {request.start - 7}-{total - 1}/{total}"
    request.head(206, Content_Range=said, Content_Length=total - request.start + 7)
    request.body(request.content[request.start - 7 :])


def status(code, **headers):
    return lambda request: request.head(code, Content_Length=0, **headers)


def endless(request):
    request.head(200)  # no length: the end of the connection is the end of the body
    while True:
        request.body(bytes(100_000))
