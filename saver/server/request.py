"""A request that has arrived whole, and how the app answers it."""

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
    """What gunicorn makes the app's variables and the header of an answer from; the names are its own."""

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
    def collected(cls, parser: PythonProtocol, body: bytearray, *, closes: bool) -> Request:
        """The request that a parser has read to its end. Raises ValueError for a broken target."""
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
    def refused(cls, method: bytes | None) -> Request:
        """In place of a request that did not become one."""
        name = "HEAD" if method == b"HEAD" else "GET"
        return cls(name, "/", "/", "", (1, 1), [], BytesIO(), closes=True)

    def should_close(self) -> bool:
        """Whether its connection ends with the answer."""
        return self.closes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes out."""

    data: bytes
    closes: bool


class _Sink:
    """What gunicorn takes for the client's socket."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep it; the event loop sends it."""
        self.pieces.append(data)

    send = sendall


def answer(app: WSGIApplication, request: Request, client: Address, server: Address, config: Any) -> Answer:
    """What the app answers."""
    sink = _Sink()
    response, variables = wsgi.create(request, sink, client, server, config)
    variables["wsgi.multithread"] = True
    answered: Iterable[bytes] = app(variables, response.start_response)
    try:
        for piece in answered:
            response.write(piece)
        response.close()
    finally:
        if hasattr(answered, "close"):
            answered.close()
    return Answer(b"".join(sink.pieces), response.should_close())


def _headers(found: list[tuple[bytes, bytes]]) -> Iterable[tuple[str, str]]:
    for name, value in found:
        # With an underscore it could pass for another in the environ; a transfer coding has been undone.
        if b"_" not in name and name != b"transfer-encoding":
            yield name.decode("ascii").upper(), value.decode("latin-1")


def _length(parser: PythonProtocol, body: bytearray) -> Iterable[tuple[str, str]]:
    if parser.is_chunked:
        yield "CONTENT-LENGTH", str(len(body))
