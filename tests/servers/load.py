"""Clients that send requests without a pause."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from tests.servers.client import Client

CLIENTS = 4
MIN_REQUESTS = 40


@contextlib.contextmanager
def load(https: Client) -> Iterator[list[int]]:
    """Clients that send requests without a pause; the statuses of the answers, 0 for no answer."""
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                statuses.append(https.get("/healthz").status)
            except OSError:
                statuses.append(0)

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join()
