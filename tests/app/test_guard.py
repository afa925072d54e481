"""What a visitor can do to a server and to others on it: over HTTP and by Streamlit's protocol."""

import asyncio
import dataclasses
import hashlib
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from starlette.requests import Request
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from benchmarks.visitors import Visitor
from ser_core.settings import PROJECT
from ser_core.ui import guard
from ser_core.ui.bounds import network_of, refusal
from ser_core.ui.guard import Guard, is_own_host, visitor_of
from tests.e2e.conftest import started
from tests.job_folders import put_job
from tests.waiting import until

OWN = {"host": "127.0.0.1:8501"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Of a real server."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def address(folder):
    with started(folder) as address:
        yield address


@pytest.fixture
def uploads(monkeypatch):
    """What Streamlit holds of uploads, without its server."""
    manager = MemoryUploadedFileManager("/_stcore/upload_file")
    monkeypatch.setattr(runtime, "get_instance", lambda: type("Runtime", (), {"uploaded_file_mgr": manager}))
    return manager


class Inside:
    """The application behind the guard: keeps what it is asked, and answers with a page."""

    def __init__(self, stay: asyncio.Event | None = None):
        self.asked, self.messages, self.forms, self.stay = [], [], [], stay

    async def __call__(self, scope, receive, send):
        self.asked.append(scope["path"])
        if self.stay:
            await self.stay.wait()
        if scope["type"] == "websocket":
            while (message := await receive())["type"] == "websocket.receive":
                self.messages.append(BackMsg.FromString(message["bytes"]).WhichOneof("type"))
            return
        if scope["method"] == "PUT":
            self.forms.append((await Request(scope, receive).form())["file"])
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def scope(path: str, headers: dict, kind: str = "http", method: str = "GET") -> dict:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": kind, "method": method, "path": path, "headers": raw, "scheme": "http"}


async def call(guarded: Guard, path: str, headers: dict = OWN, method: str = "GET", **more) -> tuple[int, dict, str]:
    """The status, the headers and the body of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    await guarded(scope(path, headers, method=method) | more.pop("there", {}), more.get("receive"), send)
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, sent[1]["body"].decode()


def status_of(*arguments, **more) -> int:
    return asyncio.run(call(*arguments, **more))[0]


async def send_file(guarded: Guard, size: int, session: str = "me", address: str = "10.0.0.1") -> int:
    """Upload a file as a browser does, of which only the size is stated truly; the status."""
    head = b'--line\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav'
    parts = [head[:40], head[40:] + b"\r\n\r\n" + bytes(9), bytes(9_000), b"\r\n--line--\r\n"]

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    headers = OWN | {"content-length": str(size), "content-type": "multipart/form-data; boundary=line"}
    there = {"client": (address, 1)}
    path = f"/_stcore/upload_file/{session}/1"
    return (await call(guarded, path, headers, "PUT", there=there, receive=receive))[0]


def put(guarded: Guard, size: int, session: str = "me", address: str = "10.0.0.1") -> str:
    """Why an upload was refused; empty if it was let in."""
    assert asyncio.run(send_file(guarded, size, session, address)) == 200
    return words_of(guarded.app.forms[-1])


def words_of(form) -> str:
    assert form.filename == "a.wav"
    content = asyncio.run(form.read())
    assert refusal(content) or content == bytes(9_009)
    return refusal(content)


def hold(manager: MemoryUploadedFileManager, session: str, size: int) -> None:
    manager.add_file(session, UploadedFileRec(f"{session}-{size}", "a", "", bytes(size)))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8501",
        "localhost",
        "[::1]:8501",
        "192.168.1.20:8501",
        "a.hf.space",
        "explorer.streamlit.app",
        "x.localhost.",
    ],
)
def test_its_own_names_and_addresses_are_answered(host):
    assert is_own_host(host)


def test_the_machines_own_name_is_answered():
    assert is_own_host(socket.gethostname())


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8501", "localhost.evil.example", "me@localhost", "localhost:x", "a/b", "", None],
)
def test_foreign_names_are_refused(host):
    assert not is_own_host(host)


@pytest.mark.parametrize(
    ("asked", "location"),
    [("/no/page", "../page"), ("/no/such/page/", "../../../page"), ("/a//evil.example", "../../evil.example")],
)
def test_an_address_in_a_folder_leads_to_the_one_at_the_root(asked, location):
    status, headers, _ = asyncio.run(call(Guard(Inside()), asked))
    assert (status, headers["location"]) == (307, location)


@pytest.mark.parametrize("path", ["/", "/compare", "/media/page.html", "/_stcore/host-config"])
def test_pages_and_files_stand_where_they_are(path):
    assert status_of(Guard(Inside()), path) == 200


def test_further_names_are_a_setting(monkeypatch):
    monkeypatch.setenv("SER_HOSTS", "school.example, *.uni.example")
    assert is_own_host("school.example:443") and is_own_host("lab.uni.example")
    assert not is_own_host("other.example") and not is_own_host("uni.example")
    monkeypatch.setenv("SER_HOSTS", "*")
    assert is_own_host("other.example")


def test_a_foreign_host_is_refused_in_one_line_with_the_way_out():
    inside = Inside()
    status, _, words = asyncio.run(call(Guard(inside), "/", {"host": "evil.example"}))
    assert (status, inside.asked) == (421, [])
    assert '"evil.example"' in words and "SER_HOSTS" in words


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/base/_stcore/metrics"])
def test_metrics_are_off(path):
    inside = Inside()
    assert status_of(Guard(inside), path) == 404
    assert inside.asked == []


def test_a_browser_is_given_one_token_that_scripts_cannot_read():
    guarded = Guard(Inside())
    given = asyncio.run(call(guarded, "/"))[1]["set-cookie"]
    assert "HttpOnly" in given and "SameSite=Lax" in given
    token = visitor_of(given.partition(";")[0])
    assert len(token) > 40
    again = asyncio.run(call(guarded, "/", OWN | {"cookie": f"a=b; {given.partition(';')[0]}"}))[1]
    assert "set-cookie" not in again
    assert asyncio.run(call(guarded, "/"))[1]["set-cookie"] != given


def test_uploads_of_a_session_are_bounded(uploads, monkeypatch):
    monkeypatch.setattr(guard, "SESSION_BYTES", 1_000_000)
    guarded = Guard(Inside())
    assert not put(guarded, 900_000)
    hold(uploads, "me", 900_000)
    hold(uploads, "me", 900_001)
    assert "at once" in put(guarded, 3_000_000)
    assert not put(guarded, 3_000_000, session="another")


def test_a_session_uploads_only_so_many_files(uploads, monkeypatch):
    monkeypatch.setattr(guard, "MAX_TAKES", 2)
    for size in range(4):
        hold(uploads, "me", size)
    headers = OWN | {"content-length": "1"}
    assert status_of(Guard(Inside()), "/_stcore/upload_file/me/1", headers, "PUT") == 413


def test_one_network_may_upload_half_of_what_others_leave(uploads, monkeypatch):
    monkeypatch.setattr(guard, "UPLOADS_BYTES", 10_000)
    guarded = Guard(Inside())
    for number in range(4):  # pages of one visitor
        refused = put(guarded, 2_000, session=f"page {number}")
        assert bool(refused) == (number > 1)
        if not refused:
            hold(uploads, f"page {number}", 2_000)
    assert "There is no room for it now" in put(guarded, 2_000, session="one more")
    assert not put(guarded, 3_000, session="a pupil", address="10.0.0.2")
    hold(uploads, "a pupil", 3_000)
    assert not put(guarded, 1_500, session="a third", address="10.0.0.3")
    assert put(guarded, 1_600, session="a third", address="10.0.0.3")


def test_uploads_on_their_way_count(uploads, monkeypatch):
    monkeypatch.setattr(guard, "UPLOADS_BYTES", 1_000)

    async def together():
        guarded = Guard(inside := Inside(stay := asyncio.Event()))
        first = asyncio.create_task(send_file(guarded, 400, "a"))
        await asyncio.sleep(0)
        second = asyncio.create_task(send_file(guarded, 400, "b"))
        await asyncio.sleep(0)
        stay.set()
        await asyncio.gather(first, second)
        await send_file(guarded, 400, "b")
        assert not guarded._arriving
        return [refusal(await one.read()) for one in inside.forms]

    assert sorted(map(bool, asyncio.run(together()))) == [False, False, True]


def test_a_household_with_many_addresses_is_one_network(uploads, monkeypatch):
    monkeypatch.setattr(guard, "UPLOADS_BYTES", 1_000)
    guarded = Guard(Inside())
    hold(uploads, "a", 400)
    assert put(guarded, 200, session="a", address="2001:db8:1:2::7")
    assert put(guarded, 200, session="b", address="2001:db8:1:2:ffff::1")
    assert not put(guarded, 200, session="b", address="2001:db8:1:3::1")


def test_an_upload_of_unknown_length_is_refused(uploads):
    assert status_of(Guard(Inside()), "/_stcore/upload_file/me/1", OWN, "PUT") == 411


def converse(*messages: BackMsg, headers: dict = OWN, guarded: Guard | None = None, inside=None) -> list:
    """What reaches the application of a browser's messages, and what is sent back."""
    inside = inside or Inside()
    queue = [{"type": "websocket.receive", "bytes": one.SerializeToString()} for one in messages]
    queue.append({"type": "websocket.disconnect"})
    sent = []

    async def receive():
        return queue.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run((guarded or Guard(inside))(scope("/_stcore/stream", headers, "websocket"), receive, send))
    return inside.messages + sent


def test_messages_that_touch_others_or_the_server_are_dropped():
    install, told = BackMsg(), BackMsg(rerun_script=ClientState())
    install.backend_operation_request.install_skills.SetInParent()
    passed = converse(
        BackMsg(clear_cache=True), BackMsg(load_git_info=True), BackMsg(set_run_on_save=True), install, told
    )
    assert passed == ["rerun_script"]


def test_a_websocket_from_a_foreign_page_is_closed():
    assert converse(headers={"host": "evil.example"}) == [{"type": "websocket.close", "code": 1008}]


def test_only_so_many_pages_are_open_at_once(monkeypatch):
    monkeypatch.setattr(guard, "MAX_VISITORS", 0)
    assert converse() == [{"type": "websocket.close", "code": 1008}]


def test_one_network_cannot_take_all_pages(monkeypatch):
    monkeypatch.setattr(guard, "MAX_OF_NETWORK", 1)

    async def together():
        guarded, sent = Guard(Inside(stay := asyncio.Event())), []

        async def visit(address: str) -> None:
            async def send(message):
                sent.append(address)

            async def leave():
                return {"type": "websocket.disconnect"}

            there = scope("/_stcore/stream", OWN, "websocket") | {"client": (address, 1)}
            await guarded(there, leave, send)

        first = asyncio.create_task(visit("10.0.0.1"))
        await asyncio.sleep(0)  # it has begun, and stays
        await visit("10.0.0.1")
        other = asyncio.create_task(visit("10.0.0.2"))
        await asyncio.sleep(0)
        stay.set()
        await asyncio.gather(first, other)
        await visit("10.0.0.1")
        return sent, guarded._visitors

    assert asyncio.run(together()) == (["10.0.0.1"], {})


def test_downloads_come_at_a_bounded_rate(monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(guard.time, "monotonic", lambda: 100.0)
    ask = BackMsg()
    ask.backend_operation_request.deferred_file.SetInParent()
    assert len(converse(*[ask] * 8)) == 8
    assert waited == [0, 0, 0, 0, 0, 1, 2, 3]


def test_a_real_server_keeps_what_it_has_when_somebody_clears_the_cache(address, settings):
    clip = next(settings.clips.glob("*.flac"))
    with ExitStack() as leaves:
        visitor = Visitor(address, "source=Upload", leaves)
        visitor.upload(clip)
        before = [text for text in visitor.texts if text.startswith("##")]
        visitor._send(BackMsg(clear_cache=True))
        visitor.run()
        assert before and [text for text in visitor.texts if text.startswith("##")] == before


def test_a_page_of_a_real_server_says_in_words_which_file_had_no_room(address, tmp_path):
    files = [tmp_path / f"{number}.wav" for number in range(4)]
    for file in files:
        file.write_bytes(bytes(20 * 2**20))
    with ExitStack() as leaves:
        visitor = Visitor(address, "source=Upload", leaves)
        visitor.upload(*files)
        (said,) = (one.alert.body for one in visitor.shown if one.alert.body.startswith("3"))
        assert said.startswith("3\\.wav: ") and ("takes 60 MB at once" in said or "no room for it now" in said)


def test_a_real_server_gives_no_metrics_and_answers_no_foreign_name(address):
    assert requests.get(f"{address}/_stcore/metrics", timeout=30).status_code == 404
    assert requests.get(address, timeout=30).cookies.get("ser_visitor")
    assert requests.get(address, headers={"Host": "evil.example"}, timeout=30).status_code == 421
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    handshake |= {"Host": "evil.example", "Origin": "http://evil.example", "Sec-WebSocket-Key": "A" * 22 + "=="}
    assert requests.get(f"{address}/_stcore/stream", headers=handshake, timeout=30).status_code == 403


def test_a_page_may_load_nothing_from_elsewhere(address):
    policy = requests.get(address, timeout=30).headers["Content-Security-Policy"]
    assert not [word for word in policy.split() if word.startswith(("http", "*", "//"))]
    assert policy.startswith("default-src 'self'")
    assert "Content-Security-Policy" not in requests.get(f"{address}/_stcore/health", timeout=30).headers


def test_a_real_server_lets_a_browser_change_its_own_jobs_alone(address, folder, settings):
    with ExitStack() as leaves:
        one, other = (Visitor(address, "", leaves, page="jobs") for _ in range(2))
        owner = hashlib.sha256(one.http.cookies["ser_visitor"].encode()).hexdigest()
        there = dataclasses.replace(settings, workspace=folder / "workspace")
        put_job(there, ["run", "kn"], status="failed", owner=owner)
        for visitor, may in ((one, True), (other, False)):
            until(lambda visitor=visitor: visitor.run() or any("failed" in text for text in visitor.texts))
            assert ("Delete it" in {element.button.label for element in visitor.shown}) == may


def test_the_first_address_that_a_server_is_asked_for_may_lead_nowhere(tmp_path):
    kinds = set()

    class Noting(Visitor):
        def _receive(self):
            message = super()._receive()
            kinds.add(message.WhichOneof("type"))
            return message

    with started(tmp_path) as address, ExitStack() as leaves:
        visitor = Noting(address, "", leaves, page="nowhere")
        assert any(one.heading.body == "There is no such page" for one in visitor.shown)
    assert "navigation" in kinds and "page_not_found" not in kinds  # which would open Streamlit's own dialog


def test_what_is_served_is_behind_the_guard():
    assert "Middleware(Guard)" in (PROJECT / "app.py").read_text()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("testclient", "testclient"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_network_is_an_address_or_a_households_addresses(address, network):
    assert network_of(address) == network
