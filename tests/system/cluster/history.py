"""The requests of all users, their results, and what users observed."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """One request and how it ended; times of the monotonic clock."""

    operation: str
    began: float
    ended: float
    kind: str
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """What clients saw in a period: seconds, and failures by kind."""

    gaps: dict[str, float]
    failed: dict[str, Counter[str]]
    calls: Counter[str]
    slowest: float

    def __str__(self) -> str:
        parts = []
        for operation in ("write", "load"):
            kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.failed[operation].items()))
            parts.append(
                f"{operation}s {self.gaps[operation]:.1f} s, {kinds or 0} of {self.calls[operation]} failed"
            )
        return f"{'; '.join(parts)}; slowest {self.slowest:.1f} s"


@dataclass(slots=True)
class History:
    """All results. ``acknowledged`` has every acknowledged text with its code, the newest last."""

    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    read_once: int = 0
    expired: int = 0

    def acknowledge(self, code: str, text: str) -> None:
        """A text was acknowledged."""
        self.acknowledged.append((code, text))

    def seen(self, since: float) -> Observation:
        """What was seen since then."""
        calls = [call for call in list(self.calls) if call.ended >= since]
        operations = ("write", "load")
        return Observation(
            {
                operation: _gap([call for call in calls if call.operation == operation], since)
                for operation in operations
            },
            {
                operation: Counter(c.kind for c in calls if c.operation == operation and not c.succeeded)
                for operation in operations
            },
            Counter(call.operation for call in calls),
            max((call.ended - call.began for call in calls), default=0.0),
        )


def _gap(calls: list[Call], since: float) -> float:
    """The longest time without a success."""
    times = sorted(call.ended for call in calls if call.succeeded)
    edges = [since, *times, max([since, *(call.ended for call in calls)])]
    return max(later - earlier for earlier, later in itertools.pairwise(edges))
