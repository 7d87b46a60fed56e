"""Commits that wait for a standby, and for how long.

With synchronous replication a commit waits until a standby has it, and no timeout of the server
ends that wait: if the standby is away, every thread of the service would be stuck in a write sooner or
later. So one thread of each process looks after the commits under way and cancels the wait of those
that are late. The server then says that it has committed, and warns: see ``postgresql.is_at_risk``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# In seconds. A promotion takes longer: whoever waits for it learns that the text is not safe.
PATIENCE = 8.0
_LOOK_EVERY = 0.5
_CANCEL_PATIENCE = 2.0


class Watch:
    """Looks after the commits of one process."""

    def __init__(self) -> None:
        self._under_way: dict[Any, float] = {}
        self._pid = 0

    @contextmanager
    def over(self, driver_connection: Any) -> Iterator[None]:
        """See that what is done with this connection ends; a driver's connection of psycopg's."""
        if self._pid != os.getpid():
            # A thread does not cross a fork.
            self._pid = os.getpid()
            threading.Thread(target=self._look, name="commits", daemon=True).start()
        self._under_way[driver_connection] = time.monotonic() + PATIENCE
        try:
            yield
        finally:
            self._under_way.pop(driver_connection, None)

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY)
            now = time.monotonic()
            for connection, deadline in list(self._under_way.items()):
                if now > deadline:
                    # Whatever is wrong with a server that cannot be reached, it shows in the commit itself.
                    with suppress(Exception):
                        connection.cancel_safe(timeout=_CANCEL_PATIENCE)
