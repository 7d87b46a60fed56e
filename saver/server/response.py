"""The run of the app for one request, and the bytes of its response."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Any

from gunicorn.http.message import TOKEN_RE
from gunicorn.http.wsgi import HEADER_VALUE_RE, STATUS_RE
from gunicorn.util import is_hoppish

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

_Headers = list[tuple[str, str]]
_LENGTH = "content-length"


@dataclass(slots=True)
class RawResponse:
    """The bytes of a response, and whether its connection is closed after it."""

    data: bytes
    closes: bool


def run_app(app: WSGIApplication, wsgi_environ: WSGIEnvironment, *, closes: bool) -> RawResponse:
    """Run the app for one request. Raises what the app raises, and ValueError for an invalid header."""
    started: list[tuple[str, _Headers]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: _Headers, exc_info: Any = None) -> Any:
        # Nothing is sent before the end, so a later call may always replace an earlier one.
        started.append((status, headers))
        return written.append

    parts: Iterable[bytes] = app(wsgi_environ, start_response)
    try:
        written.extend(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    status, headers = started[-1]
    lines = [
        _first_lines(wsgi_environ["SERVER_PROTOCOL"], status, closes),
        _date(int(monotonic())),
        *[_line(name, value) for name, value in headers if name != "Content-Length"],
    ]
    code = int(status[:3])
    if wsgi_environ["REQUEST_METHOD"] == "HEAD" or code in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        if code != HTTPStatus.NO_CONTENT:
            lines += [_length(int(value)) for name, value in headers if name.lower() == _LENGTH]
        return RawResponse(b"".join([*lines, b"\r\n"]), closes)
    body = b"".join(written)
    return RawResponse(b"".join([*lines, _length(len(body)), b"\r\n", body]), closes)


def _length(length: int) -> bytes:
    return b"Content-Length: %d\r\n" % length


@lru_cache(maxsize=64)
def _first_lines(protocol: str, status: str, closes: bool) -> bytes:
    if not STATUS_RE.fullmatch(status):
        raise ValueError("invalid status")
    connection = "close" if closes else "keep-alive"
    return f"{protocol} {status}\r\nServer: gunicorn\r\nConnection: {connection}\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    """The line is made once in each second of the monotonic clock."""
    return f"Date: {formatdate(usegmt=True)}\r\n".encode("ascii")


@lru_cache(maxsize=256)
def _line(name: str, value: str) -> bytes:
    """A header; empty if the server sends it."""
    if not TOKEN_RE.fullmatch(name) or not HEADER_VALUE_RE.fullmatch(value):
        raise ValueError("invalid header")
    if is_hoppish(name) or name.lower() == _LENGTH:
        return b""
    return f"{name}: {value.strip()}\r\n".encode("latin-1")
