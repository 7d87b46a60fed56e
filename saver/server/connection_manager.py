"""What the connections of one process share: threads, a memory limit, refusals and counters."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask

from saver.api.health import PATHS
from saver.server.limits import ConnectionLimits, WaitQueue
from saver.server.refusals import RefusedError, refusals
from saver.server.request import RawResponse, Request, run_app

if TYPE_CHECKING:
    from saver.server.connection import Connection

_log = logging.getLogger(__name__)


class ConnectionManager:
    """Shared state of the connections. Only the app runs in threads, all else in the event loop."""

    def __init__(self, app: Flask, limits: ConnectionLimits, threads: int, config: Any) -> None:
        self.limits = limits
        self.config = config
        self.connections: set[Connection] = set()
        self.waiting = WaitQueue()
        self.buffered = 0
        self.timed_out = 0
        self.stopping = False
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._refusals = refusals(app)
        self._threads = ThreadPoolExecutor(threads, "app")
        # The health routes must respond when all threads of the app are busy.
        self._health = ThreadPoolExecutor(1, "health")

    def now(self) -> float:
        """The loop's time, in seconds."""
        return self._loop.time()

    def dispatch(self, connection: Connection, request: Request) -> None:
        """Run the app in a thread and send its response."""
        threads = self._health if request.path in PATHS else self._threads
        future = threads.submit(
            run_app, self._app, request, connection.client, connection.server, self.config
        )
        future.add_done_callback(partial(self._on_done, connection))

    def refusal(self, reason: int | str, method: bytes | None) -> RawResponse:
        """The response to a request that never reaches the app."""
        return run_app(self._refusals[reason], Request.placeholder(method), "", "", self.config)

    def enforce_memory_limit(self) -> None:
        """Cut off the oldest waiting connections. Raises RefusedError if none is waiting."""
        while self.buffered > self.limits.max_memory:
            if not self.waiting.drop_oldest_buffered():
                raise RefusedError(503)

    def stop(self) -> None:
        """Close idle connections, and each other one after its response."""
        self.stopping = True
        for connection in list(self.connections):
            connection.stop()

    def _on_done(self, connection: Connection, future: Future[RawResponse]) -> None:
        self._loop.call_soon_threadsafe(self._send, connection, future)

    def _send(self, connection: Connection, future: Future[RawResponse]) -> None:
        error = future.exception()
        if error is not None:
            # The message of the error may contain what a client sent.
            _log.error("unexpected %s in the app", type(error).__name__)
        connection.send(self.refusal(500, None) if error is not None else future.result())
