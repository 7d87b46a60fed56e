"""Work on a server's database, and for how long it is waited for.

Two waits no timeout of PostgreSQL's ends. With synchronous replication a commit waits until a standby has
it; and a server that hangs while its kernel does not (a disk, a machine that is suspended) answers no
more, though the connection is whole. In either every thread of the service would be stuck sooner or later.

So one thread of each process looks after what is under way. A commit that is late is cancelled: the
server then says that it has committed, and warns, see ``postgresql.is_not_replicated``. Whatever is
later still loses its connection, which the thread that waits for it sees as an error.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

# In seconds. A promotion takes longer than this: whoever waits for it learns that the text is not safe.
COMMIT_PATIENCE = 8.0
# Longer than any timeout of the server's own.
PATIENCE = 15.0
_LOOK_EVERY = 0.5
_CANCEL_PATIENCE = 2.0


class _UnderWay(NamedTuple):
    connection: Any
    deadline: float
    end: Callable[[Any], None]


class DeadlineWatchdog:
    """Looks after the work of one process; connections are those of the driver."""

    def __init__(self) -> None:
        self._under_way: dict[object, _UnderWay] = {}
        self._looker: threading.Thread | None = None
        self._pid = 0

    @contextmanager
    def over_commit(self, connection: Any) -> Iterator[None]:
        """See that a commit ends."""
        with self._over(_UnderWay(connection, time.monotonic() + COMMIT_PATIENCE, _cancel)):
            yield

    @contextmanager
    def over(self, connection: Any) -> Iterator[None]:
        """See that whatever is done with this connection ends."""
        with self._over(_UnderWay(connection, time.monotonic() + PATIENCE, _cut)):
            yield

    def leave(self, connection: Any) -> None:
        """Let what is under way with this connection take as long as it needs."""
        for name, work in self._under_way.copy().items():
            if work.connection is connection:
                self._under_way.pop(name, None)

    @contextmanager
    def _over(self, work: _UnderWay) -> Iterator[None]:
        # A thread does not cross a fork.
        if self._pid != os.getpid() or self._looker is None or not self._looker.is_alive():
            self._pid = os.getpid()
            self._looker = threading.Thread(target=self._look, name="patience", daemon=True)
            self._looker.start()
        name = object()
        self._under_way[name] = work
        try:
            yield
        finally:
            self._under_way.pop(name, None)

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY)
            now = time.monotonic()
            late = [name for name, work in self._under_way.copy().items() if now > work.deadline]
            for name in late:
                # Once each, and nobody waits for the one before.
                if work := self._under_way.pop(name, None):
                    threading.Thread(target=work.end, args=(work.connection,), daemon=True).start()


def _cancel(connection: Any) -> None:
    # What is wrong with a server that cannot be reached shows in the commit itself.
    with suppress(Exception):
        connection.cancel_safe(timeout=_CANCEL_PATIENCE)


def _cut(connection: Any) -> None:
    with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as mine:
        mine.shutdown(socket.SHUT_RDWR)
