"""One process of the API: it accepts connections and looks after their deadlines."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
import traceback
from typing import Any

from saver.ratelimit import CountersError
from saver.ratelimit.rules import RateLimits
from saver.server.connection import Connection
from saver.server.hub import Hub
from saver.server.limits import Limits
from saver.server.worker import Worker
from saver.settings import Settings

_log = logging.getLogger(__name__)

_TURN = 0.5  # seconds between two looks at the deadlines
_MAX_CONNECTIONS = 10_000
# For the database, the counts and what else a process opens.
_OTHER_FILES = 256


class Process:
    """Serves the app of a gunicorn worker in the worker's event loop."""

    def __init__(self, worker: Worker) -> None:
        extension = worker.wsgi.extensions["saver"]
        settings: Settings = extension.settings
        self._rate_limits: RateLimits = extension.rate_limits
        self._limits = Limits(settings.request_timeout, settings.max_body_bytes, _connections())
        self._worker = worker
        self._tls = worker.tls()

    async def serve(self) -> None:
        """Serve until the worker is told to stop, and then end what is under way."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_say_where)
        self._hub = Hub(self._worker.wsgi, self._limits, self._worker.cfg.threads, self._worker.cfg)
        listeners = [listener.sock for listener in self._worker.sockets]
        for listener in listeners:
            listener.setblocking(False)
            self._loop.add_reader(listener, self._accept, listener)
        while self._worker.alive and self._worker.ppid == os.getppid():
            await self._turn(_TURN)
        for listener in listeners:
            self._loop.remove_reader(listener)
        await self._end()

    async def _end(self) -> None:
        self._hub.stop()
        deadline = self._hub.now() + self._worker.cfg.graceful_timeout
        while self._hub.connections and self._hub.now() < deadline and not self._worker.is_hasty:
            await self._turn(_TURN / 10)
        self._count(self._hub.slow)

    async def _turn(self, seconds: float) -> None:
        self._worker.notify()
        self._hub.waiting.expire(self._hub.now())
        if self._hub.slow:
            slow, self._hub.slow = self._hub.slow, 0
            await self._loop.run_in_executor(None, self._count, slow)
        await asyncio.sleep(seconds)

    def _count(self, slow: int) -> None:
        try:
            self._rate_limits.count_slow(slow)
        except CountersError as error:
            _log.error("storage: %s", error)

    def _accept(self, listener: socket.socket) -> None:
        """Take one connection, so that the processes share them; make room first where there is none."""
        full = len(self._hub.connections) >= self._limits.max_connections
        full = full and not self._hub.waiting.make_room()
        try:
            client, address = listener.accept()
        except BlockingIOError:
            return
        except OSError:
            # No descriptor is left.
            self._hub.waiting.make_room()
            return
        if full:
            client.close()
            return
        client.setblocking(False)
        self._loop.create_task(self._connect(client, Connection(self._hub, address, client.getsockname())))

    async def _connect(self, client: socket.socket, connection: Connection) -> None:
        patience = self._limits.request_timeout if self._tls else None
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection, client, ssl=self._tls, ssl_handshake_timeout=patience
            )
        except OSError:
            # It does not get through the handshake.
            self._hub.connections.discard(connection)


def _say_where(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # The message of the error, and what asyncio says of its transport, may hold what was sent and by whom.
    error = context.get("exception")
    trace = error.__traceback__ if error else None
    lines = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-4:]]
    _log.error("unforeseen %s at %s", type(error).__name__, " > ".join(lines))


def _connections() -> int:
    """How many connections a process may have; raises its limit of open files as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MAX_CONNECTIONS + _OTHER_FILES
    files = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        except (OSError, ValueError):
            files = soft
    return max(files - _OTHER_FILES, files // 2)
