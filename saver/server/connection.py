"""One connection: it collects a request, has the app run for it, and sends the response."""

from __future__ import annotations

import asyncio
import enum
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from gunicorn.asgi.parser import ParseError

from saver.server.limits import MIN_RATE
from saver.server.parser import Parser
from saver.server.refusals import INCOMPLETE, RefusedError, status_of
from saver.server.response import RawResponse
from saver.server.wsgi_environ import Address, connection_environ, request_environ

if TYPE_CHECKING:
    from saver.server.connection_manager import ConnectionManager

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Bytes of further requests that are read while one is being processed.
_MAX_PIPELINED = 65_536
# Seconds for a request that is on its way when the process stops.
_STOP_GRACE = 1.0


class ConnectionState(enum.Enum):
    """The state of a connection."""

    IDLE = enum.auto()
    HEADER = enum.auto()
    BODY = enum.auto()
    RESPONDING = enum.auto()
    SENDING = enum.auto()
    CLOSING = enum.auto()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with one client. Its methods run in the event loop."""

    def __init__(self, manager: ConnectionManager, client: Address, server: Address) -> None:
        self.wsgi_environ = connection_environ(client, server)
        self.state = ConnectionState.IDLE
        self.buffered = 0
        self._manager = manager
        # Registered when accepted, so that a stopping process waits for it.
        manager.connections.add(self)
        self._transport: asyncio.Transport
        self._parser = Parser(
            on_headers_complete=self._on_headers,
            on_body=self._on_body,
            limit_request_line=manager.config.limit_request_line,
            limit_request_fields=manager.config.limit_request_fields,
            limit_request_field_size=manager.config.limit_request_field_size,
        )
        self._body = bytearray()
        self._pipelined = bytearray()
        self._received_eof = False
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
        self._wait(ConnectionState.IDLE, _STOP_GRACE if self._manager.stopping else self._manager.limits.idle)

    def connection_lost(self, error: Exception | None) -> None:
        """Remove it from the shared state."""
        self._received_eof = True
        self._manager.connections.discard(self)
        self._manager.waiting.remove(self)
        self._set_buffered(0)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, or keep the bytes of the next request."""
        if self.state in (ConnectionState.RESPONDING, ConnectionState.SENDING):
            self._pipelined += data
            self._set_buffered(self.buffered + len(data))
            if len(self._pipelined) > _MAX_PIPELINED:
                self._transport.pause_reading()
        elif self.state is not ConnectionState.CLOSING:
            self._collect(data)

    def eof_received(self) -> bool:
        """Refuse an unfinished request; a client that half-closes after a request gets its response."""
        self._received_eof = True
        if self.state in (ConnectionState.HEADER, ConnectionState.BODY):
            self._refuse(400)
        return self.state in (ConnectionState.RESPONDING, ConnectionState.SENDING)

    def resume_writing(self) -> None:
        """Continue when the client has read the whole response."""
        if self.state is ConnectionState.SENDING:
            self._start_next()

    def send(self, response: RawResponse) -> None:
        """Send a response."""
        if self._transport.is_closing():
            return
        self._transport.write(response.data)
        unsent = self._transport.get_write_buffer_size()
        self._set_buffered(unsent + len(self._pipelined))
        if response.closes or (self._received_eof and not self._pipelined):
            self._wait(ConnectionState.CLOSING, self._manager.limits.request_timeout + unsent / MIN_RATE)
            self._transport.close()
        elif unsent:
            self._wait(ConnectionState.SENDING, self._manager.limits.request_timeout + unsent / MIN_RATE)
        else:
            self._start_next()

    def stop(self) -> None:
        """Accept one more request if it comes within a second."""
        if self.state is ConnectionState.IDLE:
            self._set_state(ConnectionState.IDLE, _STOP_GRACE)

    def cut_off(self, *, immediately: bool = False) -> None:
        """Stop waiting for the client: 408 if it has started a request, else close."""
        if self.state in (ConnectionState.HEADER, ConnectionState.BODY):
            self._manager.timed_out += 1
            self._refuse(408)
            if immediately:
                self._transport.close()
        elif self.state is ConnectionState.IDLE:
            self._transport.close()
        else:
            # Released now: connection_lost comes later, and the caller would drop others meanwhile.
            self._set_buffered(0)
            self._transport.abort()

    def _collect(self, data: bytes | bytearray) -> None:
        if self.state is ConnectionState.IDLE:
            self._wait(ConnectionState.HEADER, self._manager.limits.request_timeout)
        self._set_buffered(self.buffered + len(data))
        try:
            self._manager.enforce_memory_limit()
            if self.state is ConnectionState.CLOSING:
                return
            self._parser.feed(data)
            # The encoding of chunks may be many times larger than their content.
            if self.buffered > 2 * self._manager.limits.max_body:
                raise RefusedError(413)
            if self._parser.is_complete:
                self._dispatch()
        # ValueError: a number with thousands of digits, or an invalid target.
        except (RefusedError, ParseError, ValueError) as error:
            self._refuse(status_of(error))

    def _on_headers(self) -> bool:
        parser, limits = self._parser, self._manager.limits
        expected = [value.lower() for name, value in parser.headers if name == b"expect"]
        if any(value != b"100-continue" for value in expected):
            raise RefusedError(417)
        # The parser accepts other codings before the chunks.
        codings = (value.lower() for name, value in parser.headers if name == b"transfer-encoding")
        if parser.is_chunked and any(value != b"chunked" for value in codings):
            raise RefusedError(501)
        if (parser.content_length or 0) > limits.max_body:
            raise RefusedError(413)
        if expected and parser.http_version > (1, 0) and (parser.is_chunked or parser.content_length):
            self._transport.write(_CONTINUE)
        self._set_state(ConnectionState.BODY, limits.request_timeout)
        return False

    def _on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > self._manager.limits.max_body:
            raise RefusedError(413)

    def _dispatch(self) -> None:
        parser = self._parser
        wsgi_environ = request_environ(parser, self._body)
        closes = self._manager.stopping or not parser.should_keep_alive or parser.method == b"CONNECT"
        self._pipelined += parser.remaining()
        parser.reset()
        self._body = bytearray()
        self.state = ConnectionState.RESPONDING
        self._manager.waiting.remove(self)
        self._manager.dispatch(self, wsgi_environ, closes=closes)

    def _start_next(self) -> None:
        self._wait(ConnectionState.IDLE, self._manager.limits.idle)
        self._set_buffered(0)
        next_bytes, self._pipelined = self._pipelined, bytearray()
        if len(next_bytes) > _MAX_PIPELINED:
            self._transport.resume_reading()
        if next_bytes:
            self._collect(next_bytes)
        if self.state is ConnectionState.IDLE and (self._received_eof or self._manager.stopping):
            self._transport.close()
        elif self._received_eof and self.state in (ConnectionState.HEADER, ConnectionState.BODY):
            self._refuse(400)

    def _refuse(self, status: int) -> None:
        """Send a refusal and close after ``linger``: closing at once could make the client lose it."""
        method = self._parser.method
        is_incomplete = status == HTTPStatus.BAD_REQUEST and self.state is ConnectionState.BODY
        reason = INCOMPLETE if is_incomplete else status
        self._manager.count_refusal(status)
        self._parser.reset()
        self._body, self._pipelined = bytearray(), bytearray()
        self._set_buffered(0)
        self._wait(ConnectionState.CLOSING, self._manager.limits.linger)
        if self._transport.is_closing():
            return
        self._transport.write(self._manager.refusal(reason, method).data)
        if self._received_eof:
            self._transport.close()
        elif self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _wait(self, state: ConnectionState, seconds: float) -> None:
        """Wait for the client, at the end of the queue."""
        self._manager.waiting.remove(self)
        self._manager.waiting.add(self)
        self._set_state(state, seconds)

    def _set_state(self, state: ConnectionState, seconds: float) -> None:
        self.state = state
        self._deadline = self._manager.now() + seconds

    def _set_buffered(self, size: int) -> None:
        self._manager.buffered += size - self.buffered
        self.buffered = size
