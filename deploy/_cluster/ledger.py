"""What people asked for and were told, and what that was like for them."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """One request and how it ended; times of the monotonic clock."""

    deed: str
    began: float
    ended: float
    kind: str
    well: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What clients saw in a stretch of time: seconds, and failures by kind."""

    gaps: dict[str, float]
    failed: dict[str, Counter[str]]
    calls: Counter[str]
    slowest: float

    def __str__(self) -> str:
        parts = []
        for deed in ("write", "load"):
            kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.failed[deed].items()))
            parts.append(f"{deed}s {self.gaps[deed]:.1f} s, {kinds or 0} of {self.calls[deed]} failed")
        return f"{'; '.join(parts)}; slowest {self.slowest:.1f} s"


@dataclass(slots=True)
class Ledger:
    """What people were told. ``kept`` has every acknowledged text with its code, the newest last."""

    kept: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    read_once: int = 0
    expired: int = 0

    def told(self, code: str, text: str) -> None:
        """A text was acknowledged."""
        self.kept.append((code, text))

    def seen(self, since: float) -> Seen:
        """What was seen since then."""
        calls = [call for call in list(self.calls) if call.ended >= since]
        deeds = ("write", "load")
        return Seen(
            {deed: _gap([call for call in calls if call.deed == deed], since) for deed in deeds},
            {deed: Counter(c.kind for c in calls if c.deed == deed and not c.well) for deed in deeds},
            Counter(call.deed for call in calls),
            max((call.ended - call.began for call in calls), default=0.0),
        )


def _gap(calls: list[Call], since: float) -> float:
    """The longest time without a success."""
    times = sorted(call.ended for call in calls if call.well)
    edges = [since, *times, max([since, *(call.ended for call in calls)])]
    return max(later - earlier for earlier, later in itertools.pairwise(edges))
