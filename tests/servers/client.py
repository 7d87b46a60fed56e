"""A client that checks certificates, and can send what a normal client would not."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

from tests.servers.names import WWW

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; names of headers are in lower case, and repeated headers are joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        """The JSON in it."""
        found: dict[str, object] = json.loads(self.body)
        return found


class Client:
    """A client of one web server; ``source`` is its loopback address."""

    def __init__(self, http: int, https: int, root: Path) -> None:
        self._ports = {True: https, False: http}
        self.context = ssl.create_default_context(cafile=str(root))
        self.context.verify_flags |= ssl.VERIFY_X509_STRICT

    def get(
        self,
        path: str,
        *,
        host: str = WWW,
        tls: bool = True,
        source: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """GET; ``host`` is the Host header, the name in TLS is always ours."""
        head = request("GET", path, {"Host": host, "Connection": "close", **(headers or {})})
        return self.send(head, tls=tls, source=source)

    def post(
        self,
        path: str,
        document: object,
        *,
        source: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST JSON."""
        body = json.dumps(document).encode()
        of_body = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        head = request("POST", path, {"Host": WWW, **of_body, **(headers or {})})
        return self.send(head + body, source=source)

    def send(self, raw: bytes, *, tls: bool = True, source: str = "127.0.0.1") -> Answer:
        """Send these bytes and read one answer."""
        with self.connect(tls=tls, source=source) as connection:
            connection.sendall(raw)
            return receive(connection, raw.partition(b" ")[0].decode("latin-1"))

    def connect(
        self,
        *,
        tls: bool = True,
        source: str = "127.0.0.1",
        name: str = WWW,
        context: ssl.SSLContext | None = None,
    ) -> socket.socket:
        """A connection, its certificate checked."""
        plain = socket.create_connection(("127.0.0.1", self._ports[tls]), TIMEOUT, source_address=(source, 0))
        if not tls:
            return plain
        try:
            return (context or self.context).wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise


def request(method: str, path: str, headers: Mapping[str, str], version: str = "1.1") -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def receive(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer."""
    answer = HTTPResponse(connection, method=method)
    answer.begin()
    headers = {name.lower(): ", ".join(answer.headers.get_all(name) or []) for name in answer.headers}
    return Answer(answer.status, headers, answer.read())
