"""What the connections of one process share: threads, a memory limit, refusals and counters."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from threading import Thread
from typing import TYPE_CHECKING, Any

from flask import Flask

from saver.api.health import PATHS
from saver.blocking import call_before_blocking
from saver.ops.request_counts import NO_ROUTE, RequestCounts
from saver.server.job_queue import JobQueue
from saver.server.limits import ConnectionLimits, WaitQueue
from saver.server.refusals import RefusedError, refusals
from saver.server.response import RawResponse, run_app
from saver.server.wsgi_environ import process_environ

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from saver.server.connection import Connection

_log = logging.getLogger(__name__)

# A request that waits for a thread, and whether its connection is closed after it; None ends the thread.
_Jobs = JobQueue[tuple["Connection", "WSGIEnvironment", bool] | None]
# Enough for all that one interpreter can do while none of them waits.
_TURNS = 3


class ConnectionManager:
    """Shared state of the connections. Only the app runs in threads, all else in the event loop."""

    def __init__(
        self,
        app: Flask,
        limits: ConnectionLimits,
        threads: int,
        config: Any,
        requests: RequestCounts | None = None,
    ) -> None:
        self.limits = limits
        self.config = config
        self.connections: set[Connection] = set()
        self.waiting = WaitQueue()
        self.buffered = 0
        self.timed_out = 0
        self.stopping = False
        self._app = app
        self._requests = requests
        self._wsgi_environ = process_environ(config)
        self._loop = asyncio.get_running_loop()
        self._refusals = refusals()
        self._done: deque[tuple[Connection, RawResponse | None]] = deque()
        self._wakes_loop = False
        self._jobs: _Jobs = JobQueue(_TURNS)
        # The health routes must respond when all threads of the app are busy.
        self._health_jobs: _Jobs = JobQueue(1)
        queues = [self._jobs] * threads + [self._health_jobs]
        self._threads = {Thread(target=self._work, args=[queue], daemon=True): queue for queue in queues}
        for thread in self._threads:
            thread.start()

    def now(self) -> float:
        """The loop's time, in seconds."""
        return self._loop.time()

    def dispatch(self, connection: Connection, wsgi_environ: WSGIEnvironment, *, closes: bool) -> None:
        """Run the app in a thread and send its response."""
        jobs = self._health_jobs if wsgi_environ["PATH_INFO"] in PATHS else self._jobs
        jobs.put((connection, {**self._wsgi_environ, **connection.wsgi_environ, **wsgi_environ}, closes))

    def refusal(self, reason: int | str, method: bytes | None) -> RawResponse:
        """The response to a request that never reaches the app."""
        name = "HEAD" if method == b"HEAD" else "GET"
        wsgi_environ = {"REQUEST_METHOD": name, "SERVER_PROTOCOL": "HTTP/1.1"}
        return run_app(self._refusals[reason], wsgi_environ, closes=True)

    def count_refusal(self, status: int) -> None:
        """Count a request that the app never sees."""
        if requests := self._requests:
            requests.count(NO_ROUTE, str(status))

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

    def close(self) -> None:
        """End the threads when they have done what is in the queues."""
        for queue in self._threads.values():
            queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, jobs: _Jobs) -> None:
        call_before_blocking(jobs.end_turn)
        while (job := jobs.get()) is not None:
            connection, wsgi_environ, closes = job
            self._done.append((connection, self._respond(wsgi_environ, closes)))
            # Else the thread would have the last request in memory until the next one.
            del job, connection, wsgi_environ
            # One call sends all responses that are done until the loop comes to it.
            if not self._wakes_loop:
                self._wakes_loop = True
                self._loop.call_soon_threadsafe(self._send_done)
        jobs.end_turn()

    def _respond(self, wsgi_environ: WSGIEnvironment, closes: bool) -> RawResponse | None:
        try:
            return run_app(self._app, wsgi_environ, closes=closes)
        except BaseException as error:
            # The message of the error may contain what a client sent.
            _log.error("unexpected %s in the app", type(error).__name__)
            return None

    def _send_done(self) -> None:
        self._wakes_loop = False
        try:
            while self._done:
                connection, response = self._done.popleft()
                connection.send(response or self.refusal(500, None))
        finally:
            if self._done:
                self._loop.call_soon(self._send_done)
