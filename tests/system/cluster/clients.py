"""A user of the service behind HAProxy."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.system.cluster.files import NAME
from tests.system.cluster.network import ADDRESSES

# The extension's timeout.
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; without one ``status`` is 0 and ``fault`` says what happened."""

    status: int
    document: dict[str, object]
    headers: Mapping[str, str]
    body: bytes = b""
    fault: str = ""

    @property
    def kind(self) -> str:
        """Its name in the counts."""
        return self.fault or str(self.status)


class _Connection(http.client.HTTPSConnection):
    """Connects to the balancer with the service's name, from the address of a user."""

    def __init__(self, context: ssl.SSLContext, source: str) -> None:
        super().__init__(NAME, timeout=TIMEOUT, context=context)
        self._source = source
        self._tls = context

    def connect(self) -> None:
        """Connect without a look-up of the name."""
        plain = socket.create_connection((ADDRESSES["balancer"], 443), TIMEOUT, (self._source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=NAME)


class User:
    """A user with one persistent connection, as a browser has it. For one thread."""

    def __init__(self, authority: Path, address: str, below: str = "") -> None:
        self._context = ssl.create_default_context(cafile=str(authority))
        self._connection = _Connection(self._context, address)
        self.below = below

    def get(self, path: str) -> Response:
        """GET."""
        return self.ask("GET", path, None, {})

    def post(self, path: str, document: object, headers: Mapping[str, str] | None = None) -> Response:
        """POST JSON."""
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        return self.ask("POST", path, json.dumps(document).encode(), all_headers)

    def write(self, text: str, expires_in: int = 3600, *, once: bool = False) -> Response:
        """Write a text."""
        return self.post("/api/v1/write", {"text": text, "expires_in": expires_in, "once": once})

    def load(self, code: str, **more: str) -> Response:
        """Load the text of a code."""
        return self.post("/api/v1/load", {"code": code, **more})

    def leave(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        """Send a request. The connection stays open; after a fault there is a new one."""
        try:
            self._connection.request(method, self.below + path, body, dict(headers))
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Response(0, {}, {}, fault=_name(error))
        fields = {name.lower(): value for name, value in answer.headers.items()}
        document = json.loads(content) if "json" in fields.get("content-type", "") else {}
        return Response(answer.status, document, fields, content)


def _name(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "closed"
