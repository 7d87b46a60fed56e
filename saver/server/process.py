"""One server process: it accepts connections and enforces their deadlines."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
import traceback
from typing import Any

from saver.ops.request_counts import RequestCounts
from saver.ratelimit import CountersError
from saver.ratelimit.rules import RateLimits
from saver.server.connection import Connection
from saver.server.connection_manager import ConnectionManager
from saver.server.limits import ConnectionLimits
from saver.server.worker import Worker
from saver.settings import Settings

_log = logging.getLogger(__name__)

_TICK = 0.5  # seconds between two checks of the deadlines
_MAX_CONNECTIONS = 10_000
# File descriptors for the database, the rate limits and everything else.
_OTHER_FILES = 256


class Process:
    """Serves the app of a gunicorn worker in the worker's event loop."""

    def __init__(self, worker: Worker) -> None:
        extension = worker.wsgi.extensions["saver"]
        settings: Settings = extension.settings
        self._rate_limits: RateLimits = extension.rate_limits
        self._requests: RequestCounts = extension.requests
        self._limits = ConnectionLimits(settings.request_timeout, settings.max_body_bytes, _max_connections())
        self._worker = worker
        self._tls = worker.tls()

    async def serve(self) -> None:
        """Serve until the worker has to stop, then finish the requests in progress."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_location)
        self._worker.handle_signals()
        config = self._worker.cfg
        self._manager = ConnectionManager(
            self._worker.wsgi, self._limits, config.threads, config, self._requests
        )
        listeners = [listener.sock for listener in self._worker.sockets]
        for listener in listeners:
            listener.setblocking(False)
            self._loop.add_reader(listener, self._accept, listener)
        while self._worker.alive and self._worker.ppid == os.getppid():
            await self._tick(_TICK)
        for listener in listeners:
            self._loop.remove_reader(listener)
        await self._shut_down()

    async def _shut_down(self) -> None:
        self._manager.stop()
        deadline = self._manager.now() + self._worker.cfg.graceful_timeout
        while self._manager.connections and self._manager.now() < deadline:
            if self._worker.is_quick_shutdown:
                break
            await self._tick(_TICK / 10)
        self._count(self._manager.timed_out)
        self._manager.close()
        self._requests.flush()

    async def _tick(self, seconds: float) -> None:
        self._worker.notify()
        self._requests.flush()
        self._manager.waiting.expire(self._manager.now())
        if self._manager.timed_out:
            timed_out, self._manager.timed_out = self._manager.timed_out, 0
            await self._loop.run_in_executor(None, self._count, timed_out)
        await asyncio.sleep(seconds)

    def _count(self, timed_out: int) -> None:
        try:
            self._rate_limits.count_slow_requests(timed_out)
        except CountersError as error:
            _log.error("storage: %s", error)

    def _accept(self, listener: socket.socket) -> None:
        """Accept one connection, so that the processes share them; drop the oldest if there are too many."""
        full = len(self._manager.connections) >= self._limits.max_connections
        full = full and not self._manager.waiting.drop_oldest()
        try:
            client, address = listener.accept()
        except BlockingIOError:
            return
        except OSError:
            # The process has no file descriptor left.
            self._manager.waiting.drop_oldest()
            return
        if full:
            client.close()
            return
        client.setblocking(False)
        connection = Connection(self._manager, address, client.getsockname())
        self._loop.create_task(self._connect(client, connection))

    async def _connect(self, client: socket.socket, connection: Connection) -> None:
        timeout = self._limits.request_timeout if self._tls else None
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection, client, ssl=self._tls, ssl_handshake_timeout=timeout
            )
        except OSError:
            # The TLS handshake failed.
            self._manager.connections.discard(connection)


def _log_location(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # The message of the error and the text of asyncio may contain sent bytes and addresses.
    error = context.get("exception")
    trace = error.__traceback__ if error else None
    lines = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-4:]]
    _log.error("unexpected %s at %s", type(error).__name__, " > ".join(lines))


def _max_connections() -> int:
    """The largest number of connections; raises the limit of open files as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _MAX_CONNECTIONS + _OTHER_FILES
    files = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        except (OSError, ValueError):
            files = soft
    return max(files - _OTHER_FILES, files // 2)
