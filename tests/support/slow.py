"""Connections that are slow, and raw requests."""

from __future__ import annotations

import json
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

_TIMEOUT = 60.0
_SPARE_FILES = 200
_FIRST_LINE = re.compile(rb"HTTP/1\.[01] \d{3} ")
JSON = b"Content-Type: application/json\r\n"
WRITE = b"POST /api/v1/write HTTP/1.1\r\nHost: saver\r\n"

# What a connection sends before it stops sending.
PARTIAL_REQUESTS = {
    "half headers": WRITE + b"Content-Ty",
    "half bodies": WRITE + JSON + b'Content-Length: 1000000\r\n\r\n{"text":',
    "idle": b"",
    "idle, kept alive": b"GET /healthz HTTP/1.1\r\nHost: saver\r\n\r\n",
}


@dataclass(frozen=True)
class Reply:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def document(self) -> dict[str, object]:
        """Its JSON."""
        found: dict[str, object] = json.loads(self.body)
        return found


def connect(port: int) -> socket.socket:
    """A connection to this machine."""
    return socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)


def read(client: socket.socket) -> Reply:
    """The last answer on a connection, which the server then closes."""
    return parse(b"".join(iter(lambda: client.recv(65_536), b"")))


def parse(raw: bytes) -> Reply:
    """The last answer of those that came. Raises ValueError if none did."""
    found = [*_FIRST_LINE.finditer(raw)]
    if not found:
        raise ValueError("no answer")
    head, _, body = raw[found[-1].start() :].partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Reply(int(first.split()[1]), headers, body, raw)


def ask(port: int, request: bytes, *, ends: bool = False) -> Reply:
    """Send bytes, and read what comes until the server closes; ``ends``: nothing more will be sent."""
    with connect(port) as client:
        client.sendall(request)
        if ends:
            client.shutdown(socket.SHUT_WR)
        return read(client)


@contextmanager
def hanging(port: int, kind: str, number: int) -> Iterator[list[socket.socket]]:
    """Connections that have sent the bytes of their kind, and then send nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, soft + number + _SPARE_FILES), hard))
    try:
        with ExitStack() as stack:
            clients = [stack.enter_context(connect(port)) for _ in range(number)]
            for client in clients:
                client.sendall(PARTIAL_REQUESTS[kind])
            yield clients
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
