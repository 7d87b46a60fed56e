"""What a process of the API waits for, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

# A body may come as slowly as this, in bytes a second, and an answer may be taken as slowly.
SLOWEST = 4_000
_BODIES_IN_MEMORY = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are in seconds, sizes in bytes.

    ``request_timeout`` is for the header of a request, and for its body beyond a second for each
    ``SLOWEST`` bytes that have arrived. ``idle`` is for a connection between requests.
    """

    request_timeout: float
    max_body: int
    max_connections: int
    idle: float = 30.0
    linger: float = 2.0

    @property
    def max_memory(self) -> int:
        """Bytes of requests and of answers that a process holds for its clients."""
        return self.max_body * _BODIES_IN_MEMORY


class Member(Protocol):
    """A connection that waits for its client."""

    @property
    def held(self) -> int:
        """Bytes in memory for it."""

    @property
    def deadline(self) -> float:
        """When it is cut off, in the loop's time."""

    def cut_off(self, *, at_once: bool = False) -> None:
        """Refuse what it has sent so far, or close it."""


class Waiting:
    """The connections that wait for their clients, the one that began first at the front.

    Where room is short it is made at the front: an honest request is there for milliseconds.
    """

    def __init__(self) -> None:
        self._members: dict[Member, None] = {}

    def add(self, member: Member) -> None:
        """Put a connection at the end."""
        self._members[member] = None

    def remove(self, member: Member) -> None:
        """Forget a connection that waits no longer, if it did."""
        self._members.pop(member, None)

    def expire(self, now: float) -> None:
        """Cut off those whose deadline has passed."""
        for member in [member for member in self._members if member.deadline <= now]:
            member.cut_off()

    def make_room(self) -> bool:
        """Cut the first off; whether there was one."""
        first = next(iter(self._members), None)
        return first is not None and self._cut(first)

    def free_memory(self) -> bool:
        """Cut the first off that has bytes in memory; whether there was one."""
        first = next((member for member in self._members if member.held), None)
        return first is not None and self._cut(first)

    def _cut(self, member: Member) -> bool:
        self.remove(member)
        member.cut_off(at_once=True)
        return True
