"""Part 5: how much the API's processes grow over 100,000 writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from bench.common import Bench, Row, load_average, say
from bench.rates import fire, write_bodies
from bench.servers import Served

_WARM = 5_000
_WRITES = 100_000


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of part 5; one round is enough."""
    if shutil.which("wrk") is None:
        raise SystemExit("bench: the load generator wrk is missing: apt-get install wrk")
    folder = bench.copy(bench.full(), "memory")
    bodies = write_bodies(bench.folder)
    writes = _WRITES // 20 if bench.quick else _WRITES
    say(f"memory, {writes:,} writes, load average {load_average():.1f}")
    with Served.app(folder) as app:
        refused = _write(app, bodies, _WARM)[1]
        before = app.memory()
        wrote, more = _write(app, bodies, writes)
        after = app.memory()
    grown = [late[0] - early[0] for early, late in zip(before, after, strict=True)]
    anonymous = [late[1] - early[1] for early, late in zip(before, after, strict=True)]
    told = ", ".join(f"{early[0]:.0f} -> {late[0]:.0f}" for early, late in zip(before, after, strict=True))
    note = f"{told} MB; {wrote:,} writes, {refused + more} not 2xx"
    yield Row("memory: growth of the process that grew most", [max(grown)], "<= 20", "MB", note)
    yield Row("  of it not of a file", [max(anonymous)], unit="MB")


def _write(app: Served, bodies, least: int) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """At least so many writes; how many, and how many were refused."""
    wrote = refused = 0
    while wrote < least:
        found = fire(app, "write", bodies, 2)
        wrote += found.requests
        refused += found.refused + found.broken
    return wrote, refused
