"""A request that has arrived whole, and the run of the app that responds to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gunicorn.asgi.parser import PythonProtocol
from gunicorn.http import wsgi
from gunicorn.util import split_request_uri

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Address = tuple[str, int] | str


@dataclass(frozen=True, slots=True)
class Request:
    """The attributes that gunicorn reads to make the WSGI environment and the response header."""

    method: str
    uri: str
    path: str
    query: str
    version: tuple[int, int]
    headers: list[tuple[str, str]]
    body: BytesIO
    closes: bool
    scheme: str = "http"
    proxy_protocol_info: None = None
    _expected_100_continue: bool = False

    @classmethod
    def from_parser(cls, parser: PythonProtocol, body: bytearray, *, closes: bool) -> Request:
        """Make a request of what a parser has read. Raises ValueError for a broken target."""
        uri = parser.path.decode("latin-1")
        target = split_request_uri(uri)
        return cls(
            method=parser.method.decode("ascii"),
            uri=uri,
            path=target.path or "",
            query=target.query or "",
            version=parser.http_version,
            headers=[*_headers(parser.headers), *_length(parser, body)],
            body=BytesIO(body),
            closes=closes or not parser.should_keep_alive or parser.method == b"CONNECT",
        )

    @classmethod
    def placeholder(cls, method: bytes | None) -> Request:
        """Make the stand-in for a request that was refused before it was complete."""
        name = "HEAD" if method == b"HEAD" else "GET"
        return cls(name, "/", "/", "", (1, 1), [], BytesIO(), closes=True)

    def should_close(self) -> bool:
        """Whether its connection is closed after the response."""
        return self.closes


@dataclass(frozen=True, slots=True)
class RawResponse:
    """The bytes of a response, and whether its connection is closed after it."""

    data: bytes
    closes: bool


class _ResponseBuffer:
    """Stands in for the client's socket, which belongs to the event loop."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Collect a part; the event loop sends all of them."""
        self.parts.append(data)

    send = sendall


def run_app(
    app: WSGIApplication, request: Request, client: Address, server: Address, config: Any
) -> RawResponse:
    """Run the app for one request."""
    buffer = _ResponseBuffer()
    response, variables = wsgi.create(request, buffer, client, server, config)
    variables["wsgi.multithread"] = True
    parts: Iterable[bytes] = app(variables, response.start_response)
    try:
        for part in parts:
            response.write(part)
        response.close()
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return RawResponse(b"".join(buffer.parts), response.should_close())


def _headers(headers: list[tuple[bytes, bytes]]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        # A name with an underscore would become the same WSGI variable as one with a hyphen.
        # The parser has removed the transfer coding.
        if b"_" not in name and name != b"transfer-encoding":
            yield name.decode("ascii").upper(), value.decode("latin-1")


def _length(parser: PythonProtocol, body: bytearray) -> Iterable[tuple[str, str]]:
    if parser.is_chunked:
        yield "CONTENT-LENGTH", str(len(body))
