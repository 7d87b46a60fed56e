"""Request buffering for mod_wsgi, which calls the app before the body has arrived.

Many threads may wait for bodies, and few run the app. A slow client occupies a thread that costs some
kilobytes, but no database connection and none of the threads that run the app.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.exceptions import ServiceUnavailable

from saver.ratelimit.addresses import source_key

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_CHUNK = 64 * 1024
_MEMORY_FULL = "saver.memory_full"
_RETRY_AFTER = 1  # second
# In units of the longest body.
_MAX_BODIES, _MAX_BODIES_PER_SOURCE = 20, 5


def buffer_requests(app: Flask, *, workers: int, max_body_bytes: int) -> None:
    """Call ``app`` only when the body has arrived: see RequestBuffering."""
    app.wsgi_app = RequestBuffering(  # type: ignore[assignment,method-assign]
        app.wsgi_app, workers=workers, max_body_bytes=max_body_bytes
    )

    @app.before_request
    def refuse() -> None:
        if _MEMORY_FULL in request.environ:
            raise ServiceUnavailable(retry_after=_RETRY_AFTER)


class RequestBuffering:
    """A WSGI app that reads a whole body before ``app`` sees the request.

    At most ``workers`` requests are in ``app`` at once. The app gets every body with its length, also a
    chunked one. An incomplete body is shorter than its length. If a body is longer than ``max_body_bytes``,
    only its length is right. Bodies above 64 KiB share memory for 20 of the longest, and those of one source
    for 5; if there is no memory left, ``saver.memory_full`` is in the WSGI environment.
    """

    def __init__(self, app: WSGIApplication, *, workers: int, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._workers = threading.Semaphore(workers)
        self._memory = _Memory(max_body_bytes)

    def __call__(self, wsgi_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        source = source_key(str(wsgi_environ.get("REMOTE_ADDR", "")))
        reservation = _Reservation(self._memory, source)
        try:
            self._buffer(wsgi_environ, reservation)
            with self._workers:
                return self._app(wsgi_environ, start_response)
        finally:
            reservation.release()

    def _buffer(self, wsgi_environ: WSGIEnvironment, reservation: _Reservation) -> None:
        # An input without a length could end early; the app compares the length.
        wsgi_environ.pop("wsgi.input_terminated", None)
        declared = str(wsgi_environ.get("CONTENT_LENGTH") or "")
        chunked = "HTTP_TRANSFER_ENCODING" in wsgi_environ
        if not chunked and not (declared.isdecimal() and 0 < int(declared) <= self._max_body_bytes):
            return
        # One byte more shows that the limit was exceeded.
        limit = self._max_body_bytes + 1 if chunked else int(declared)
        try:
            body, is_complete = _read(wsgi_environ["wsgi.input"], limit, reservation)
        except _MemoryFullError:
            wsgi_environ[_MEMORY_FULL] = True
            body, is_complete = bytearray(), False
        wsgi_environ["wsgi.input"] = BytesIO(body)
        if chunked:
            del wsgi_environ["HTTP_TRANSFER_ENCODING"]
            wsgi_environ["CONTENT_LENGTH"] = str(len(body) + (0 if is_complete else 1))


class _MemoryFullError(Exception):
    """The memory for bodies is used up."""


class _Memory:
    """The memory of all long bodies of a process, in bytes, by source."""

    def __init__(self, max_body_bytes: int) -> None:
        self._total = _MAX_BODIES * max_body_bytes
        self._per_source = _MAX_BODIES_PER_SOURCE * max_body_bytes
        self._reserved: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reserve(self, source: str, size: int) -> None:
        with self._lock:
            if (
                self._reserved.total() + size > self._total
                or self._reserved[source] + size > self._per_source
            ):
                raise _MemoryFullError
            self._reserved[source] += size

    def release(self, source: str, size: int) -> None:
        with self._lock:
            self._reserved[source] -= size
            if not self._reserved[source]:
                del self._reserved[source]


class _Reservation:
    """The memory of one body; none for a short one."""

    def __init__(self, memory: _Memory, source: str) -> None:
        self._memory = memory
        self._source = source
        self._reserved = 0

    def grow_to(self, size: int) -> None:
        if size > _CHUNK:
            self._memory.reserve(self._source, size - self._reserved)
            self._reserved = size

    def release(self) -> None:
        if self._reserved:
            self._memory.release(self._source, self._reserved)


def _read(stream: BytesIO, limit: int, reservation: _Reservation) -> tuple[bytearray, bool]:
    """Read up to ``limit`` bytes; return the body, and False after an error of the stream."""
    body = bytearray()
    while len(body) < limit:
        try:
            part = stream.read(min(_CHUNK, limit - len(body)))
        except OSError:
            return body, False
        if not part:
            return body, True
        reservation.grow_to(len(body) + len(part))
        body += part
    return body, True
