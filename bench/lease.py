"""Part 2: what one lease costs with many free codes and with few, in one thread, without HTTP."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench.common import TEXT, Bench, Row, checkpoint, disk_wait, load_average, raw, rooms, say
from saver.codes import SPACE
from saver.leases import Leases

_LIFE = 600
_WARM = 200
_LEASES = 1000
# Free codes of each pool; the others are leased and rest, as in service.
_FREE = {"full": SPACE, "1 in 100 free": SPACE // 100, "10,000 free": 10_000}


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of part 2."""
    pools = {name: rooms(_pool(bench, name, free)).leases for name, free in _FREE.items()}
    for leases in pools.values():
        _time(leases, _WARM)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in pools}
    waits = []
    for turn in range(bench.rounds):
        say(f"leases, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        waits.append(disk_wait(bench.folder))
        # Small portions in turns, so that all pools see the same weather.
        for _ in range(2 if bench.quick else 5):
            for name, leases in pools.items():
                found[name].append(_time(leases, _LEASES // 5))
    yield _row("lease: 10,000 free / full pool", found["10,000 free"], found["full"], "<= 1.2")
    yield _cpu_row("lease: the same by processor time", found["10,000 free"], found["full"])
    yield _row("lease: 1 in 100 free / full pool", found["1 in 100 free"], found["full"], "")
    yield Row("fdatasync of 4 KB", waits, unit="ms", note="before each round")


def _pool(bench: Bench, name: str, free: int) -> Path:
    folder = bench.copy(bench.full(), f"lease {name}")
    if free == SPACE:
        return folder
    say(f"leasing all but {free:,} codes")
    now = int(time.time())
    with raw(folder) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -500000")
        # In key order, and every n-th stays, so that the free ones lie all over the space.
        numbered = "(SELECT code, row_number() OVER (ORDER BY code) AS place FROM code)"
        database.execute("BEGIN")
        database.execute(
            "INSERT INTO text (code, owner_hash, expires_at, free_at)"
            f" SELECT code, zeroblob(32), ?, ? + abs(random() % 86400) FROM {numbered}"
            " WHERE place % ? ORDER BY code",
            (now - 1, now + 3600, SPACE // free),
        )
        database.execute("DELETE FROM code WHERE code IN (SELECT code FROM text)")
        database.execute("COMMIT")
    checkpoint(folder)
    return folder


def _time(leases: Leases, times: int) -> tuple[float, float]:
    """The median of a lease, and the mean of its processor time, in microseconds."""
    took = []
    used = time.thread_time()
    for _ in range(times):
        started = time.perf_counter()
        leases.save(TEXT, _LIFE)
        took.append(time.perf_counter() - started)
    return statistics.median(took) * 1e6, (time.thread_time() - used) / times * 1e6


def _row(what: str, few: list[tuple[float, float]], full: list[tuple[float, float]], goal: str) -> Row:
    ratios = [one[0] / other[0] for one, other in zip(few, full, strict=True)]
    note = f"p50 {_median(few, 0):,.0f} / {_median(full, 0):,.0f} us"
    return Row(what, ratios, goal, note=note)


def _cpu_row(what: str, few: list[tuple[float, float]], full: list[tuple[float, float]]) -> Row:
    ratios = [one[1] / other[1] for one, other in zip(few, full, strict=True)]
    return Row(what, ratios, note=f"{_median(few, 1):,.0f} / {_median(full, 1):,.0f} us")


def _median(found: list[tuple[float, float]], place: int) -> float:
    return statistics.median(one[place] for one in found)
