"""One connection: it collects a request, has the app run for it, and sends the response."""

from __future__ import annotations

import asyncio
import enum
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from gunicorn.asgi.parser import ParseError, PythonProtocol

from saver.server.limits import MIN_RATE
from saver.server.refusals import INCOMPLETE, RefusedError, status_of
from saver.server.request import Address, RawResponse, Request

if TYPE_CHECKING:
    from saver.server.hub import Hub

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Bytes of further requests that are read while one is being processed.
_MAX_PIPELINED = 65_536
# Seconds for a request that is on its way when the process stops.
_STOP_GRACE = 1.0


class Stage(enum.Enum):
    """The state of a connection."""

    IDLE = enum.auto()
    HEADER = enum.auto()
    BODY = enum.auto()
    ANSWERING = enum.auto()
    SENDING = enum.auto()
    ENDING = enum.auto()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with one client. Its methods run in the event loop."""

    def __init__(self, hub: Hub, client: Address, server: Address) -> None:
        self.client = client
        self.server = server
        self.stage = Stage.IDLE
        self.buffered = 0
        self._hub = hub
        # Registered when accepted, so that a stopping process waits for it.
        hub.connections.add(self)
        self._transport: asyncio.Transport
        self._parser = PythonProtocol(
            on_headers_complete=self._on_headers,
            on_body=self._on_body,
            limit_request_line=hub.config.limit_request_line,
            limit_request_fields=hub.config.limit_request_fields,
            limit_request_field_size=hub.config.limit_request_field_size,
        )
        self._body = bytearray()
        self._pipelined = bytearray()
        self._ended = False
        self._deadline = 0.0

    @property
    def deadline(self) -> float:
        """When the client is cut off, in the time of the event loop."""
        return self._deadline + len(self._body) / MIN_RATE

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to wait for a request."""
        self._transport = cast(asyncio.Transport, transport)
        # With a high-water mark of 0 asyncio calls resume_writing after the last byte.
        self._transport.set_write_buffer_limits(high=0)
        self._wait(Stage.IDLE, _STOP_GRACE if self._hub.stopping else self._hub.limits.idle)

    def connection_lost(self, error: Exception | None) -> None:
        """Remove it from the shared state."""
        self._ended = True
        self._hub.connections.discard(self)
        self._hub.waiting.remove(self)
        self._set_buffered(0)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, or keep the bytes of the next request."""
        if self.stage in (Stage.ANSWERING, Stage.SENDING):
            self._pipelined += data
            self._set_buffered(self.buffered + len(data))
            if len(self._pipelined) > _MAX_PIPELINED:
                self._transport.pause_reading()
        elif self.stage is not Stage.ENDING:
            self._collect(data)

    def eof_received(self) -> bool:
        """Refuse an unfinished request; a client that half-closes after a request gets its response."""
        self._ended = True
        if self.stage in (Stage.HEADER, Stage.BODY):
            self._refuse(400)
        return self.stage in (Stage.ANSWERING, Stage.SENDING)

    def resume_writing(self) -> None:
        """Continue when the client has read the whole response."""
        if self.stage is Stage.SENDING:
            self._next()

    def send(self, response: RawResponse) -> None:
        """Send a response."""
        if self._transport.is_closing():
            return
        self._transport.write(response.data)
        unsent = self._transport.get_write_buffer_size()
        self._set_buffered(unsent + len(self._pipelined))
        if response.closes or (self._ended and not self._pipelined):
            self._wait(Stage.ENDING, self._hub.limits.request_timeout + unsent / MIN_RATE)
            self._transport.close()
        elif unsent:
            self._wait(Stage.SENDING, self._hub.limits.request_timeout + unsent / MIN_RATE)
        else:
            self._next()

    def stop(self) -> None:
        """Accept one more request if it comes within a second."""
        if self.stage is Stage.IDLE:
            self._set_stage(Stage.IDLE, _STOP_GRACE)

    def cut_off(self, *, immediately: bool = False) -> None:
        """Stop waiting for the client: 408 if it has started a request, else close."""
        if self.stage in (Stage.HEADER, Stage.BODY):
            self._hub.timed_out += 1
            self._refuse(408)
            if immediately:
                self._transport.close()
        elif self.stage is Stage.IDLE:
            self._transport.close()
        else:
            # Released now: connection_lost comes later, and the caller would drop others meanwhile.
            self._set_buffered(0)
            self._transport.abort()

    def _collect(self, data: bytes | bytearray) -> None:
        if self.stage is Stage.IDLE:
            self._wait(Stage.HEADER, self._hub.limits.request_timeout)
        self._set_buffered(self.buffered + len(data))
        try:
            self._hub.enforce_memory_limit()
            if self.stage is Stage.ENDING:
                return
            self._parser.feed(data)
            # The encoding of chunks may be many times larger than their content.
            if self.buffered > 2 * self._hub.limits.max_body:
                raise RefusedError(413)
            if self._parser.is_complete:
                self._answer()
        # ValueError: a number with thousands of digits, or an invalid target.
        except (RefusedError, ParseError, ValueError) as error:
            self._refuse(status_of(error))

    def _on_headers(self) -> bool:
        parser, limits = self._parser, self._hub.limits
        expected = [value.lower() for name, value in parser.headers if name == b"expect"]
        codings = [value.lower() for name, value in parser.headers if name == b"transfer-encoding"]
        if any(value != b"100-continue" for value in expected):
            raise RefusedError(417)
        if any(value != b"chunked" for value in codings):
            raise RefusedError(501)
        if (parser.content_length or 0) > limits.max_body:
            raise RefusedError(413)
        if expected and parser.http_version > (1, 0) and (parser.is_chunked or parser.content_length):
            self._transport.write(_CONTINUE)
        self._set_stage(Stage.BODY, limits.request_timeout)
        return False

    def _on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > self._hub.limits.max_body:
            raise RefusedError(413)

    def _answer(self) -> None:
        request = Request.from_parser(self._parser, self._body, closes=self._hub.stopping)
        self._pipelined += self._parser.remaining()
        self._parser.reset()
        self._body = bytearray()
        self.stage = Stage.ANSWERING
        self._hub.waiting.remove(self)
        self._hub.answer(self, request)

    def _next(self) -> None:
        self._wait(Stage.IDLE, self._hub.limits.idle)
        self._set_buffered(0)
        next_bytes, self._pipelined = self._pipelined, bytearray()
        if len(next_bytes) > _MAX_PIPELINED:
            self._transport.resume_reading()
        if next_bytes:
            self._collect(next_bytes)
        if self.stage is Stage.IDLE and (self._ended or self._hub.stopping):
            self._transport.close()
        elif self._ended and self.stage in (Stage.HEADER, Stage.BODY):
            self._refuse(400)

    def _refuse(self, status: int) -> None:
        """Send a refusal and close after ``linger``: closing at once could make the client lose it."""
        method = self._parser.method
        reason = INCOMPLETE if status == HTTPStatus.BAD_REQUEST and self.stage is Stage.BODY else status
        self._parser.reset()
        self._body, self._pipelined = bytearray(), bytearray()
        self._set_buffered(0)
        self._wait(Stage.ENDING, self._hub.limits.linger)
        if self._transport.is_closing():
            return
        self._transport.write(self._hub.refusal(reason, method).data)
        if self._ended:
            self._transport.close()
        elif self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _wait(self, stage: Stage, seconds: float) -> None:
        """Wait for the client, at the end of the queue."""
        self._hub.waiting.remove(self)
        self._hub.waiting.add(self)
        self._set_stage(stage, seconds)

    def _set_stage(self, stage: Stage, seconds: float) -> None:
        self.stage = stage
        self._deadline = self._hub.now() + seconds

    def _set_buffered(self, size: int) -> None:
        self._hub.buffered += size - self.buffered
        self.buffered = size
