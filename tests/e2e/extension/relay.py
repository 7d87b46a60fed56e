"""A network between a browser and the service: it records the requests, and can fail on purpose.

Browsers differ in how requests can be caught inside them; here it is the same for all browsers.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

_TIMEOUT = 60.0
# Headers for one connection only.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class Passed(NamedTuple):
    """A request and its answer; sizes are those of headers and body together."""

    method: str
    path: str
    headers: Message[str, str]
    body: bytes
    status: int
    sent: int
    received: int

    @property
    def json(self) -> dict[str, Any]:
        """The body of the request."""
        body: dict[str, Any] = json.loads(self.body or b"{}")
        return body


class Answer(NamedTuple):
    """An answer; without a status the connection is closed instead."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @classmethod
    def of(cls, status: int, document: object, **headers: str) -> Answer:
        """JSON, as the service answers an extension."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = "application/json" if status < 400 else "application/problem+json"
        cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After, Date"}
        return cls(status, {"Content-Type": kind, **cors, **named}, json.dumps(document).encode())


NOTHING = Answer(0)
Ask = Callable[[], Answer]
# A function of the request's body and of a function that asks the real service; returns the answer.
Fault = Callable[[bytes, Ask], Answer]


class Relay:
    """``with Relay(server.url) as relay: relay.fail("write", NOTHING, times=1)``."""

    def __init__(self, service: str) -> None:
        self._service = urlsplit(service)
        self._faults: dict[str, tuple[Fault, int | None]] = {}
        self._lock = threading.Lock()
        self.passed: list[Passed] = []
        relay = self

        class Handler(_Handler):
            network = relay

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *what: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, route: str, fault: Fault | Answer, times: int | None = None) -> None:
        """Let a route of the API answer something else, a number of times or always."""
        made: Fault = (lambda body, ask: fault) if isinstance(fault, Answer) else fault
        with self._lock:
            self._faults[f"/api/v1/{route}"] = (made, times)

    def heal(self) -> None:
        """Pass everything on again."""
        with self._lock:
            self._faults.clear()

    def forget(self) -> None:
        """Forget the requests so far."""
        self.passed.clear()

    def asked(self, route: str) -> list[Passed]:
        """The requests to a route in order, without preflights."""
        return [each for each in self.passed if each.path == f"/api/v1/{route}" and each.method != "OPTIONS"]

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to a request."""

        def ask() -> Answer:
            return self._ask(method, path, headers, body)

        # Preflights always work: only the request itself fails.
        fault = None if method == "OPTIONS" else self._fault(urlsplit(path).path)
        return fault(body, ask) if fault else ask()

    def _fault(self, path: str) -> Fault | None:
        with self._lock:
            fault, times = self._faults.get(path, (None, None))
            if fault and times is not None:
                if times > 1:
                    self._faults[path] = (fault, times - 1)
                else:
                    del self._faults[path]
            return fault

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self._service.netloc, timeout=_TIMEOUT)
        try:
            connection.request(method, path, body or None, {**headers, "Accept-Encoding": "identity"})
            found = connection.getresponse()
            end_to_end = {name: value for name, value in found.getheaders() if name.lower() not in _HOP}
            return Answer(found.status, end_to_end, found.read())
        except OSError:
            return NOTHING
        finally:
            connection.close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a browser that has closed the connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    network: Relay
    # An attribute of the standard library's class that its type stub does not have.
    raw_requestline: bytes
    _headers_buffer: list[bytes]

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        answer = self.network.answer(self.command, self.path, headers, body)
        sent = len(self.raw_requestline) + len(bytes(self.headers)) + len(body)
        received = self._write_head(answer) if answer.status else 0
        # Noted before the browser can have seen it: an answer without a body is whole with its head.
        self.network.passed.append(
            Passed(self.command, self.path, self.headers, body, answer.status, sent, received)
        )
        if answer.status:
            self.flush_headers()
            self.wfile.write(answer.body)
        else:
            self.close_connection = True

    do_GET = do_POST = do_OPTIONS = _pass  # noqa: N815

    def _write_head(self, answer: Answer) -> int:
        """Put the answer's head into the buffer; the size of the whole answer in bytes."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        head = sum(map(len, self._headers_buffer))
        self._headers_buffer.append(b"\r\n")
        return head + len(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
