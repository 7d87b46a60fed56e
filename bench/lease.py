"""What one lease costs with many free codes and with few, in one thread, without HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text as sql

from bench.common import (
    TEXT,
    Bench,
    address,
    checkpoint,
    disk_wait,
    engine_of,
    load_average,
    say,
    services,
)
from bench.cpu_time import Backends, Cost, measure_calls, rows
from bench.report import Row
from saver.codes import SPACE
from saver.database import WRITE, database_for
from saver.texts import NewText

_LIFE = 600
_WARM = 200
_LEASES = 1000
# Free codes of each pool; the others are leased.
_FREE = {
    "full": SPACE,
    "456,976 free": SPACE // 16,
    "1 in 100 free": SPACE // 100,
    "30,000 free": 30_000,
    "10,000 free": 10_000,
}
_GOAL_IN_FILE, _GOAL_ON_SERVER = "<= 1.5", "<= 3"
# In key order every n-th stays free, so that the free ones lie all over the space.
_NUMBERED = "(SELECT code, row_number() OVER (ORDER BY code) AS place FROM code) AS numbered"


class _Pool(NamedTuple):
    lease: Callable[[], object]
    backends: Backends


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    pools = {name: _pool(bench, name, free) for name, free in _FREE.items()}
    measured: dict[str, list[Cost]] = {name: [] for name in pools}
    waits = []
    for turn in range(bench.rounds):
        say(f"leases, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        waits.append(disk_wait(bench.folder))
        # Small portions in turns, so that the load of the machine affects all pools alike.
        for _ in range(2 if bench.quick else 5):
            for name, pool in pools.items():
                measured[name].append(measure_calls(pool.backends, pool.lease, _LEASES // 5))
    full = measured.pop("full")
    for name, costs in measured.items():
        goal = _GOAL_ON_SERVER if bench.cluster else _GOAL_IN_FILE
        yield from rows(f"lease: {name} / full pool", goal, costs, full)
    yield Row("fdatasync of 4 KB", waits, unit="ms", note="before each round")


def _pool(bench: Bench, name: str, free: int) -> _Pool:
    folder = bench.copy(bench.full(), f"lease {name}")
    if free != SPACE:
        say(f"leasing all but {free:,} codes")
        _lease_all_but(folder, free)
        checkpoint(folder)
    lease = partial(services(folder).store.save, NewText(TEXT, _LIFE))
    for _ in range(_WARM):
        lease()
    return _Pool(lease, Backends(folder))


def _lease_all_but(folder: Path, free: int) -> None:
    """In SQLite the leased codes cool down; in PostgreSQL they are only deleted from the pool."""
    parameters = {"now": int(time.time()), "every": SPACE // free}
    with engine_of(folder) as engine, engine.execution_options(**WRITE).begin() as connection:
        database_for(engine).disable_timeouts(connection)
        if address(folder):
            leased = f"SELECT code FROM {_NUMBERED} WHERE place % :every <> 0"
            connection.execute(
                sql(f"DELETE FROM code WHERE code IN ({leased})"), {"every": parameters["every"]}
            )
            return
        connection.execute(
            sql(
                "INSERT INTO text (code, owner_hash, expires_at, free_at)"
                f" SELECT code, zeroblob(32), :now - 1, :now + 3600 + place % 86400 FROM {_NUMBERED}"
                " WHERE place % :every <> 0 ORDER BY code"
            ),
            parameters,
        )
        connection.execute(sql("DELETE FROM code WHERE code IN (SELECT code FROM text)"))
