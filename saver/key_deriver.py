"""A limit on simultaneous key derivations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from saver.blocking import about_to_block
from saver.seal import Keys, Seal, derive

# Seconds that a derivation waits for a free slot.
_QUEUE_TIMEOUT = 1.0


class BusyError(Exception):
    """The allowed number of key derivations is running already."""


class KeyDeriver:
    """Derives keys, a limited number at a time.

    A derivation takes some 200 ms of processor time. Without a limit a few wrong passwords a
    second would delay every request.
    """

    def __init__(self, max_concurrent: int) -> None:
        """``max_concurrent`` derivations run at the same time, and as many wait."""
        self._running = threading.BoundedSemaphore(max_concurrent)
        self._admitted = threading.BoundedSemaphore(2 * max_concurrent)

    def derive(self, password: str, seal: Seal) -> Keys:
        """Derive the keys of a password. Raises BusyError if too many derivations run or wait."""
        about_to_block()
        with _slot(self._admitted, 0), _slot(self._running, _QUEUE_TIMEOUT):
            return derive(password, seal)


@contextmanager
def _slot(slots: threading.BoundedSemaphore, timeout: float) -> Iterator[None]:
    if not slots.acquire(timeout=timeout):
        raise BusyError
    try:
        yield
    finally:
        slots.release()
