"""One connection: it collects a request, has it answered, and sends the answer."""

from __future__ import annotations

import asyncio
import enum
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from gunicorn.asgi.parser import ParseError, PythonProtocol

from saver.server.limits import SLOWEST
from saver.server.refusals import INCOMPLETE, RefusedError, status_of
from saver.server.request import Address, Answer, Request

if TYPE_CHECKING:
    from saver.server.hub import Hub

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# What may come ahead while a request is answered; then the connection is not read.
_AHEAD = 65_536
# How long (seconds) a request that is on its way is waited for when the process stops.
_LAST_CALL = 1.0


class Stage(enum.Enum):
    """What a connection is at."""

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
        self.held = 0
        self._hub = hub
        # From the moment at which it is accepted, or a process that stops would forget it.
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
        self._ahead = bytearray()
        self._ended = False
        self._deadline = 0.0

    @property
    def deadline(self) -> float:
        """When the client must have done its part, in the loop's time."""
        return self._deadline + len(self._body) / SLOWEST

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        self._transport = cast(asyncio.Transport, transport)
        # Every byte that is not yet sent pauses writing, and the last one resumes it.
        self._transport.set_write_buffer_limits(high=0)
        self._wait(Stage.IDLE, _LAST_CALL if self._hub.stopping else self._hub.limits.idle)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self._ended = True
        self._hub.connections.discard(self)
        self._hub.waiting.remove(self)
        self._hold(0)

    def data_received(self, data: bytes) -> None:
        """Collect."""
        if self.stage in (Stage.ANSWERING, Stage.SENDING):
            self._ahead += data
            self._hold(self.held + len(data))
            if len(self._ahead) > _AHEAD:
                self._transport.pause_reading()
        elif self.stage is not Stage.ENDING:
            self._collect(data)

    def eof_received(self) -> bool:
        """Refuse what is cut short; whoever only sends no more still gets the answer."""
        self._ended = True
        if self.stage in (Stage.HEADER, Stage.BODY):
            self._refuse(400)
        return self.stage in (Stage.ANSWERING, Stage.SENDING)

    def resume_writing(self) -> None:
        """Go on when the client has taken the whole answer."""
        if self.stage is Stage.SENDING:
            self._next()

    def answered(self, given: Answer) -> None:
        """Send an answer."""
        if self._transport.is_closing():
            return
        self._transport.write(given.data)
        unsent = self._transport.get_write_buffer_size()
        self._hold(unsent + len(self._ahead))
        if given.closes or (self._ended and not self._ahead):
            self._wait(Stage.ENDING, self._hub.limits.request_timeout + unsent / SLOWEST)
            self._transport.close()
        elif unsent:
            self._wait(Stage.SENDING, self._hub.limits.request_timeout + unsent / SLOWEST)
        else:
            self._next()

    def stop(self) -> None:
        """Take one more request, if it comes now."""
        if self.stage is Stage.IDLE:
            self._stand_in(Stage.IDLE, _LAST_CALL)

    def cut_off(self, *, at_once: bool = False) -> None:
        """End the wait for the client, with a 408 if it has begun a request."""
        if self.stage in (Stage.HEADER, Stage.BODY):
            self._hub.slow += 1
            self._refuse(408)
            if at_once:
                self._transport.close()
        elif self.stage is Stage.IDLE:
            self._transport.close()
        else:
            # At once: whoever makes room would go on with others until the connection is lost.
            self._hold(0)
            self._transport.abort()

    def _collect(self, data: bytes | bytearray) -> None:
        if self.stage is Stage.IDLE:
            self._wait(Stage.HEADER, self._hub.limits.request_timeout)
        self._hold(self.held + len(data))
        try:
            self._hub.keep_within_memory()
            if self.stage is Stage.ENDING:
                return
            self._parser.feed(data)
            # Chunks may be as wrapped up as the client likes.
            if self.held > 2 * self._hub.limits.max_body:
                raise RefusedError(413)
            if self._parser.is_complete:
                self._answer()
        # ValueError: a number of thousands of digits, a target that is none.
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
        self._stand_in(Stage.BODY, limits.request_timeout)
        return False

    def _on_body(self, piece: bytes) -> None:
        self._body += piece
        if len(self._body) > self._hub.limits.max_body:
            raise RefusedError(413)

    def _answer(self) -> None:
        request = Request.collected(self._parser, self._body, closes=self._hub.stopping)
        self._ahead += self._parser.remaining()
        self._parser.reset()
        self._body = bytearray()
        self.stage = Stage.ANSWERING
        self._hub.waiting.remove(self)
        self._hub.answer(self, request)

    def _next(self) -> None:
        self._wait(Stage.IDLE, self._hub.limits.idle)
        self._hold(0)
        ahead, self._ahead = self._ahead, bytearray()
        if len(ahead) > _AHEAD:
            self._transport.resume_reading()
        if ahead:
            self._collect(ahead)
        if self.stage is Stage.IDLE and (self._ended or self._hub.stopping):
            self._transport.close()
        elif self._ended and self.stage in (Stage.HEADER, Stage.BODY):
            self._refuse(400)

    def _refuse(self, status: int) -> None:
        """Answer and end; what still comes for a moment is thrown away, or the answer would be lost."""
        method = self._parser.method
        reason = INCOMPLETE if status == HTTPStatus.BAD_REQUEST and self.stage is Stage.BODY else status
        self._parser.reset()
        self._body, self._ahead = bytearray(), bytearray()
        self._hold(0)
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
        """Wait for the client from now on, behind all others."""
        self._hub.waiting.remove(self)
        self._hub.waiting.add(self)
        self._stand_in(stage, seconds)

    def _stand_in(self, stage: Stage, seconds: float) -> None:
        self.stage = stage
        self._deadline = self._hub.now() + seconds

    def _hold(self, size: int) -> None:
        self._hub.held += size - self.held
        self.held = size
