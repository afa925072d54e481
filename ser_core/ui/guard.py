"""What a visitor may ask of the server: hosts, uploads, messages. It stands before Streamlit's own server.

A browser is told apart from others by a cookie, so that jobs can be stopped by who started them.
"""

import asyncio
import ipaddress
import json
import secrets
import socket
import time
from collections import Counter
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.proto.BackMsg_pb2 import BackMsg

from ser_core import machine
from ser_core.settings import Settings
from ser_core.ui.bounds import (
    DOWNLOADS,
    MAX_OF_NETWORK,
    MAX_TAKES,
    MAX_VISITORS,
    REFUSED,
    SESSION_BYTES,
    UPLOADS_BYTES,
    network_of,
)
from ser_core.ui.visitor import COOKIE

COOKIE_S = 30 * 24 * 3600  # as long as a job is likely to matter to who started it
# Names under which only this program can be reached, since nobody else can point them elsewhere.
SAFE_HOSTS = ("localhost", "*.localhost", "*.streamlit.app", "*.hf.space")

METRICS = "/_stcore/metrics"
UPLOADS = "/_stcore/upload_file/"
FILES = ("_stcore", "static", "media", "component", "app")  # what Streamlit serves files from
FORM_BYTES = 64 * 2**10  # that a form adds to its file
HEAD_BYTES = 4 * 2**10  # of a form, in which its file's name stands

# Browsers load nothing from elsewhere and send nothing there. Streamlit alone would: it has the icon of each page, in
# the browser's tab, from a server of Google.
POLICY = "; ".join(
    (
        "default-src 'self' data: blob:",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self' data: blob: ws: wss:",  # Safari before 15.4 does not take websockets for its own
    )
)

# Of a browser's messages, those that change nothing for others. Left out are `clear_cache`, which clears it for
# everybody, `load_git_info`, which tells names of files of the server, and `set_run_on_save`, for developers.
MESSAGES = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request")
OPERATIONS = ("deferred_file", "dataframe_chunk")


class Guard:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp):
        self.app = app
        self._visitors: Counter[str] = Counter()  # open pages, by network
        self._arriving: Counter[str] = Counter()  # bytes of uploads that are on their way, by session
        self._networks: dict[str, str] = {}  # of the sessions that have uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a websocket, or refuse it."""
        if scope["type"] == "websocket":
            await self._converse(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        if not is_own_host(headers.get("host")):
            await _refuse(send, 421, _not_own(headers.get("host")))
        elif path.rstrip("/").endswith(METRICS):
            await _refuse(send, 404, "Not found")
        elif UPLOADS in path and scope["method"] in ("PUT", "POST"):
            await self._take_upload(scope, receive, send)
        else:
            await self.app(scope, receive, _as_a_page(scope, headers, _toward_the_root(path, send)))

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an upload in if there is room for it, or else only the words that say so, which its page shows."""
        session = scope["path"].partition(UPLOADS)[2].partition("/")[0]
        stated = Headers(scope=scope).get("content-length", "")
        if not stated.isdecimal():
            await _refuse(send, 411, "Say how long it is.")
            return
        held = _held()
        if len(held.get(session, [])) >= 2 * MAX_TAKES:  # its page takes none of them
            await _refuse(send, 413, f"This page takes {MAX_TAKES} files at once.")
            return
        self._networks = {
            one: network for one, network in self._networks.items() if one in held or one in self._arriving
        }
        self._networks[session] = _network(scope)
        if words := self._lacks_room(session, int(stated), {one: sum(sizes) for one, sizes in held.items()}):
            await self.app(scope, await _in_place_of_the_file(words, receive), send)
            return
        self._arriving[session] += int(stated)
        try:
            await self.app(scope, receive, send)
        finally:
            self._arriving[session] -= int(stated)
            self._arriving += Counter()  # without sessions that have none left

    def _lacks_room(self, session: str, size: int, held: dict[str, int]) -> str:
        """Why a session cannot upload that many bytes now; empty if it can."""
        here = Counter(held) + self._arriving
        if size + here[session] > SESSION_BYTES + FORM_BYTES * MAX_TAKES:
            return f"This page takes {SESSION_BYTES >> 20} MB at once. Give it fewer files, one after the other."
        network = self._networks[session]
        own = sum(taken for one, taken in here.items() if self._networks.get(one) == network)
        if size + own > machine.fair_share(UPLOADS_BYTES, here.total() - own):
            return "There is no room for it now: many files are on their way. Try it again in a minute."
        return ""

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a page talk to the server, and drop its messages that are not for visitors."""
        headers, network = Headers(scope=scope), _network(scope)
        is_full = self._visitors.total() >= MAX_VISITORS or self._visitors[network] >= MAX_OF_NETWORK
        if not is_own_host(headers.get("host")) or is_full:
            await send({"type": "websocket.close", "code": 1008})
            return
        rate = _Rate(DOWNLOADS)

        async def receive_harmless() -> Message:
            while True:
                message = await receive()
                content = message.get("bytes") if message["type"] == "websocket.receive" else None
                kind = _kind(content) if content else ""
                if kind is None:
                    continue
                if kind == "deferred_file":
                    await asyncio.sleep(rate.wait_s())
                return message

        self._visitors[network] += 1
        try:
            await self.app(scope, receive_harmless, send)
        finally:
            self._visitors[network] -= 1
            self._visitors += Counter()  # without networks that have none left


class _Rate:
    """A token bucket that gives back one token a second."""

    def __init__(self, tokens: int):
        self._most = self._tokens = float(tokens)
        self._at = time.monotonic()

    def wait_s(self) -> float:
        """Take a token, and how long to wait for it."""
        now = time.monotonic()
        self._tokens = min(self._most, self._tokens + now - self._at) - 1
        self._at = now
        return max(0.0, -self._tokens)


def _network(scope: Scope) -> str:
    """Of who asks."""
    return network_of((scope.get("client") or ("", 0))[0])


async def _in_place_of_the_file(words: str, receive: Receive) -> Receive:
    """Read a form to its end without keeping it; what is left of it are its file's name and these words."""
    beginning, is_more = b"", True
    while is_more:
        message = await receive()
        beginning = (beginning + message.get("body", b""))[:HEAD_BYTES]
        is_more = message.get("more_body", False)
    head = beginning.partition(b"\r\n\r\n")[0]
    boundary = head.partition(b"\r\n")[0]
    body = b"".join([head, b"\r\n\r\n", REFUSED, words.encode(), b"\r\n", boundary, b"--\r\n"])

    async def given() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return given


def is_own_host(host: str | None) -> bool:
    """Whether a request's Host names this server, rather than a foreign name that was pointed here (DNS rebinding).

    Parameters
    ----------
    host : str or None
        With or without a port.

    Returns
    -------
    bool
        True of addresses, which cannot be rebound; of this machine's own name; of `SAFE_HOSTS`; of Streamlit's
        `server.address`, `browser.serverAddress` and `server.allowedHosts`; and of the names in `SER_HOSTS`.
    """
    try:
        parts = urlsplit(f"//{host or ''}")
        name = (parts.hostname or "").rstrip(".")
        _ = parts.port  # raises if it is no number
    except ValueError:
        return False
    if not name or parts.netloc != host or "@" in host:
        return False
    if _is_address(name):
        return True
    hostname = socket.gethostname().lower()
    stated = [config.get_option(option) for option in ("server.address", "browser.serverAddress")]
    allowed = [*SAFE_HOSTS, hostname, f"{hostname}.local", *filter(None, stated)]
    allowed += [*config.get_option("server.allowedHosts"), *Settings.from_environment().hosts]
    return any(_fits(name, pattern.strip().lower().rstrip(".")) for pattern in allowed)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _fits(name: str, pattern: str) -> bool:
    return pattern == "*" or name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _not_own(host: str | None) -> str:
    shown = (host or "")[:100]
    return (
        f"This server does not answer to the name {json.dumps(shown)}. If it is its own, start it with that name in "
        "SER_HOSTS, or open it by its address."
    )


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})


def _as_a_page(scope: Scope, headers: Headers, send: Send) -> Send:
    """Give a page its policy, and a browser that has none its cookie."""

    async def send_too(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = MutableHeaders(raw=message["headers"])
            if more.get("content-type", "").startswith("text/html"):
                more["content-security-policy"] = POLICY
                if not visitor_of(headers.get("cookie", "")):
                    secure = "; Secure" if scope.get("scheme") == "https" else ""
                    token = secrets.token_urlsafe(32)
                    more.append(
                        "set-cookie", f"{COOKIE}={token}; Max-Age={COOKIE_S}; Path=/; HttpOnly; SameSite=Lax{secure}"
                    )
        await send(message)

    return send_too


def _toward_the_root(path: str, send: Send) -> Send:
    """Lead `/no/page` to `/page`: Streamlit answers both with its page, which finds no scripts in `/no`."""
    base = config.get_option("server.baseUrlPath").strip("/")
    parts = path.strip("/").removeprefix(base).strip("/").split("/")
    if len(parts) == 1 or parts[0] in FILES:
        return send
    leads_away = False

    async def send_away(message: Message) -> None:
        nonlocal leads_away
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            leads_away = message["status"] == 200 and kind.startswith("text/html")
            if leads_away:
                up = "../" * (len(parts) - 1 + path.endswith("/"))
                location = [(b"location", (up + quote(parts[-1])).encode()), (b"content-length", b"0")]
                await send({"type": "http.response.start", "status": 307, "headers": location})
                await send({"type": "http.response.body", "body": b""})
        if not leads_away:
            await send(message)

    return send_away


def visitor_of(cookies: str) -> str:
    """The token of a browser in its Cookie header.

    Parameters
    ----------
    cookies : str

    Returns
    -------
    str
        Empty if it has none.
    """
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _held() -> dict[str, list[int]]:
    """The sizes of the uploads that Streamlit holds for its pages, by session."""
    manager: Any = runtime.get_instance().uploaded_file_mgr
    held = [*manager.file_storage.items()]
    return {session: [len(file.data) for file in [*files.values()]] for session, files in held}


def _kind(content: bytes) -> str | None:
    """What a browser's message asks for; None if it is not for visitors."""
    try:
        message = BackMsg.FromString(content)
    except DecodeError:  # Streamlit closes the connection
        return ""
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        operation = message.backend_operation_request.WhichOneof("payload")
        return operation if operation in OPERATIONS else None
    return kind if kind in MESSAGES else None
