"""The wall and CPU time of a call, the CPU time of the database server included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psycopg

from bench.common import address
from bench.report import Row

_BACKENDS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class Cost(NamedTuple):
    """The median wall time of a call and its mean CPU time, in microseconds."""

    wall: float
    cpu: float


class Backends:
    """The processes that a server has for the database of a data folder now; none where it is a file."""

    def __init__(self, folder: Path) -> None:
        self._used: dict[int, float] = {}
        if server := address(folder):
            with psycopg.connect(server) as connection:
                self._used = {pid: 0.0 for (pid,) in connection.execute(_BACKENDS)}

    def seconds(self) -> float:
        """The processor time that they have used so far; one that has ended keeps what it had."""
        for pid in self._used:
            with suppress(FileNotFoundError, ProcessLookupError):
                self._used[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
        return sum(self._used.values())


def measure_calls(backends: Backends, call: Callable[[], object], times: int = 1) -> Cost:
    """Call a function ``times`` times in sequence."""
    took = []
    used = time.thread_time() + backends.seconds()
    for _ in range(times):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    used = time.thread_time() + backends.seconds() - used
    return Cost(statistics.median(took) * 1e6, used / times * 1e6)


def rows(what: str, goal: str, costs: Sequence[Cost], against: Sequence[Cost]) -> Iterator[Row]:
    """The ratios of costs to others that were measured interleaved with them."""
    for index, name in enumerate((what, "  by processor time")):
        ratios = [cost[index] / other[index] for cost, other in zip(costs, against, strict=True)]
        ours, theirs = (statistics.median(cost[index] for cost in group) for group in (costs, against))
        yield Row(name, ratios, goal, note=f"{ours:,.0f} / {theirs:,.0f} us")
