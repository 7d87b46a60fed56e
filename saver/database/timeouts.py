"""Deadlines for work on PostgreSQL.

Two waits are not limited by any timeout of PostgreSQL. With synchronous replication a commit waits until
a standby has it; and a server that hangs while its kernel does not (a disk, a suspended machine) does
not answer, though the connection is intact. Either would block every thread of the service sooner or later.

So one thread of each process watches the work in progress. A late commit is cancelled: the server then
reports that it has committed, with a warning, see ``postgresql_connections.is_not_replicated``. Work that
is still late loses its connection, which the thread that waits for it sees as an error.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

# In seconds. A failover takes longer than this: the caller learns that the text is not safe.
COMMIT_TIMEOUT = 8.0
# Longer than any timeout of the server.
WORK_TIMEOUT = 15.0
_CHECK_INTERVAL = 0.5
_CANCEL_TIMEOUT = 2.0


class _Work(NamedTuple):
    connection: Any
    deadline: float
    end: Callable[[Any], None]


class DeadlineWatchdog:
    """Ends the work of one process that is late; connections are those of the driver."""

    def __init__(self) -> None:
        self._in_progress: dict[object, _Work] = {}
        self._thread: threading.Thread | None = None
        self._pid = 0

    @contextmanager
    def limit_commit(self, connection: Any) -> Iterator[None]:
        """Cancel a commit after COMMIT_TIMEOUT."""
        with self._limit(_Work(connection, time.monotonic() + COMMIT_TIMEOUT, _cancel)):
            yield

    @contextmanager
    def limit(self, connection: Any) -> Iterator[None]:
        """Close the connection after WORK_TIMEOUT."""
        with self._limit(_Work(connection, time.monotonic() + WORK_TIMEOUT, _kill_socket)):
            yield

    def exempt(self, connection: Any) -> None:
        """Let the work in progress on this connection take any time."""
        for key, work in self._in_progress.copy().items():
            if work.connection is connection:
                self._in_progress.pop(key, None)

    @contextmanager
    def _limit(self, work: _Work) -> Iterator[None]:
        # A thread does not survive a fork.
        if self._pid != os.getpid() or self._thread is None or not self._thread.is_alive():
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
            self._thread.start()
        key = object()
        self._in_progress[key] = work
        try:
            yield
        finally:
            self._in_progress.pop(key, None)

    def _watch(self) -> None:
        while True:
            time.sleep(_CHECK_INTERVAL)
            now = time.monotonic()
            late = [key for key, work in self._in_progress.copy().items() if now > work.deadline]
            for key in late:
                # Once each; a slow end does not delay the next one.
                if work := self._in_progress.pop(key, None):
                    threading.Thread(target=work.end, args=(work.connection,), daemon=True).start()


def _cancel(connection: Any) -> None:
    # The commit itself shows what is wrong with an unreachable server.
    with suppress(Exception):
        connection.cancel_safe(timeout=_CANCEL_TIMEOUT)


def _kill_socket(connection: Any) -> None:
    with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)
