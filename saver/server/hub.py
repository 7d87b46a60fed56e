"""What the connections of a process share: threads, room, refusals, the count of those that were slow."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask

from saver.api.health import PATHS
from saver.server.limits import Limits, Waiting
from saver.server.refusals import RefusedError, refusals
from saver.server.request import Answer, Request, answer

if TYPE_CHECKING:
    from saver.server.connection import Connection

_log = logging.getLogger(__name__)


class Hub:
    """Belongs to the event loop; only the app runs in threads."""

    def __init__(self, app: Flask, limits: Limits, threads: int, config: Any) -> None:
        self.limits = limits
        self.config = config
        self.connections: set[Connection] = set()
        self.waiting = Waiting()
        self.held = 0
        self.slow = 0
        self.stopping = False
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._refusals = refusals(app)
        self._threads = ThreadPoolExecutor(threads, "app")
        # Whether the service is well is also asked when all of its threads are busy.
        self._health = ThreadPoolExecutor(1, "health")

    def now(self) -> float:
        """The loop's time, in seconds."""
        return self._loop.time()

    def answer(self, connection: Connection, request: Request) -> None:
        """Have the app answer in a thread."""
        threads = self._health if request.path in PATHS else self._threads
        asked = threads.submit(answer, self._app, request, connection.client, connection.server, self.config)
        asked.add_done_callback(partial(self._hand_over, connection))

    def refusal(self, reason: int | str, method: bytes | None) -> Answer:
        """The answer to what is not a request of the app."""
        return answer(self._refusals[reason], Request.refused(method), "", "", self.config)

    def keep_within_memory(self) -> None:
        """Make room by cutting off who waits longest. Raises RefusedError where nobody waits."""
        while self.held > self.limits.max_memory:
            if not self.waiting.free_memory():
                raise RefusedError(503)

    def stop(self) -> None:
        """Close each connection when its request is answered, and what stays idle."""
        self.stopping = True
        for connection in list(self.connections):
            connection.stop()

    def _hand_over(self, connection: Connection, asked: Future[Answer]) -> None:
        self._loop.call_soon_threadsafe(self._answered, connection, asked)

    def _answered(self, connection: Connection, asked: Future[Answer]) -> None:
        error = asked.exception()
        if error is not None:
            # Without its message, which may hold what was sent.
            _log.error("unforeseen %s under the app", type(error).__name__)
        connection.answered(self.refusal(500, None) if error is not None else asked.result())
