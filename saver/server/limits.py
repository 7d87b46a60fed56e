"""The limits of one server process, and the queue of connections that wait for their clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

# Bytes per second: the slowest allowed rate of a request body and of reading a response.
MIN_RATE = 4_000
_BODIES_IN_MEMORY = 16


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Times are in seconds, sizes in bytes.

    ``request_timeout`` limits the header of a request, and the body in addition to one second per
    ``MIN_RATE`` received bytes. ``idle`` limits a connection between two requests.
    """

    request_timeout: float
    max_body: int
    max_connections: int
    idle: float = 30.0
    linger: float = 2.0

    @property
    def max_memory(self) -> int:
        """Bytes of requests and responses that one process buffers."""
        return self.max_body * _BODIES_IN_MEMORY


class Waiter(Protocol):
    """A connection that waits for its client."""

    @property
    def buffered(self) -> int:
        """Buffered bytes."""

    @property
    def deadline(self) -> float:
        """When it is cut off, in the time of the event loop."""

    def cut_off(self, *, immediately: bool = False) -> None:
        """Refuse its unfinished request, or close it if it is idle."""


class WaitQueue:
    """The connections that wait for their clients, the oldest first.

    If connections or memory run out the oldest is dropped: a well-behaved client waits for milliseconds only.
    """

    def __init__(self) -> None:
        self._waiters: dict[Waiter, None] = {}

    def add(self, waiter: Waiter) -> None:
        """Append a connection."""
        self._waiters[waiter] = None

    def remove(self, waiter: Waiter) -> None:
        """Remove a connection if it is in the queue."""
        self._waiters.pop(waiter, None)

    def expire(self, now: float) -> None:
        """Cut off the connections whose deadline has passed."""
        for waiter in [waiter for waiter in self._waiters if waiter.deadline <= now]:
            waiter.cut_off()

    def drop_oldest(self) -> bool:
        """Cut off the oldest connection. Returns False if the queue is empty."""
        first = next(iter(self._waiters), None)
        return first is not None and self._drop(first)

    def drop_oldest_buffered(self) -> bool:
        """Cut off the oldest connection with buffered bytes. Returns False if there is none."""
        first = next((waiter for waiter in self._waiters if waiter.buffered), None)
        return first is not None and self._drop(first)

    def _drop(self, waiter: Waiter) -> bool:
        self.remove(waiter)
        waiter.cut_off(immediately=True)
        return True
