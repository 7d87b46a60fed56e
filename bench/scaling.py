"""Writes and loads with two API processes against one, and with the protection of production on."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from bench.common import Bench, Row, load_average, say
from bench.rates import Set, even, fire, load_bodies, write_bodies
from bench.servers import Served, without_limits
from saver.settings import PREFIX, Settings

_SETS = 5
_SECONDS = 2
# Enough that none of them spends a budget.
_SOURCES = 2_000
_SIDES = ("app", "bare")


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    folder = bench.copy(bench.full(), "scaling")
    rates: dict[tuple[str, str], list[tuple[float, float]]] = {
        (side, what): [] for side in _SIDES for what in ("write", "load")
    }
    protected: list[tuple[Set, Set]] = []
    for turn in range(bench.rounds):
        say(f"scaling, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        for side in _SIDES:
            _scale(bench, folder, side, rates)
        protected += _protect(bench, folder)
    for (side, what), found in rates.items():
        yield _scaling_row(side, what, found)
    yield _protection_row(protected)


def _scale(
    bench: Bench, folder: Path, side: str, rates: dict[tuple[str, str], list[tuple[float, float]]]
) -> None:
    start = Served.app if side == "app" else Served.bare
    with start(folder, _processes(1)) as one, start(folder, _processes(2)) as two:
        bodies = {"write": write_bodies(bench.folder), "load": load_bodies(bench.folder, one)}
        for what, path in bodies.items():
            for served in (one, two):
                fire(served, what, path, 1)
            for turn in range(_SETS):
                order = (one, two) if turn % 2 == 0 else (two, one)
                found = {each: even(each, what, path, _seconds(bench)).per_second for each in order}
                rates[side, what].append((found[one], found[two]))


def _protect(bench: Bench, folder: Path) -> Iterator[tuple[Set, Set]]:
    """Writes of many sources through a proxy: with every budget and quota as shipped, and with none."""
    through = {f"{PREFIX}TRUSTED_PROXIES": "127.0.0.1"}
    with Served.app(folder, through) as without, Served.app(folder, through | _shipped()) as full:
        without.sources = full.sources = _SOURCES
        path = write_bodies(bench.folder)
        for turn in range(_SETS):
            order = (without, full) if turn % 2 == 0 else (full, without)
            found = {each: even(each, "write", path, _seconds(bench)) for each in order}
            yield found[full], found[without]


def _shipped() -> dict[str, str]:
    fields = Settings.model_fields
    return {name: str(fields[name.removeprefix(PREFIX).lower()].default) for name in without_limits()}


def _processes(number: int) -> dict[str, str]:
    return {f"{PREFIX}PROCESSES": str(number)}


def _seconds(bench: Bench) -> float:
    return 1 if bench.quick else _SECONDS


def _scaling_row(side: str, what: str, found: list[tuple[float, float]]) -> Row:
    one, two = (statistics.median(pair[place] for pair in found) for place in (0, 1))
    name = "app" if side == "app" else "psycopg"
    return Row(
        f"{what}, {name}: 2 processes / 1",
        [pair[1] / pair[0] for pair in found],
        note=f"{two:,.0f} / {one:,.0f} a second; wrk and PostgreSQL share the cores",
    )


def _protection_row(found: list[tuple[Set, Set]]) -> Row:
    full, without = (statistics.median(pair[place].per_second for pair in found) for place in (0, 1))
    refused = sum(a_set.refused + a_set.broken for pair in found for a_set in pair)
    asked = sum(a_set.requests for pair in found for a_set in pair)
    return Row(
        f"writes of {_SOURCES:,} sources: budgets and quotas as shipped / none",
        [one.per_second / other.per_second for one, other in found],
        note=f"{full:,.0f} / {without:,.0f} a second; {refused} of {asked:,} not 2xx",
    )
