"""Paced writes while the worker's sweeper wipes or returns 100,000 codes, against writes without a sweep."""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from sqlalchemy import text as sql

from bench.common import TEXT, Bench, Row, checkpoint, engine_of, load_average, percentile, say, services
from bench.texts import put
from saver.codes import SPACE, Code
from saver.database import WRITE, database_for
from saver.texts import NewText

_TEXTS = 100_000
_WRITERS = 4
_EACH_A_SECOND = 25
_BASELINE_SECONDS = 10.0
_LIFE = 3600
# Processes start anew, so that no connection crosses a fork.
_START = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Writes:
    """How long writes took, in milliseconds, sorted."""

    took: list[float]

    def summary(self) -> str:
        """Median, nearly worst and worst."""
        return f"{self.at(0.5):.2f} / {self.at(0.99):.1f} / {self.took[-1]:.0f}"

    def at(self, share: float) -> float:
        """A percentile."""
        return percentile(self.took, share)


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    texts = _TEXTS // 10 if bench.quick else _TEXTS
    measured: dict[str, list[tuple[Writes, Writes, float]]] = {"wipe": [], "give back": []}
    for turn in range(bench.rounds):
        say(f"sweep, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        folder = bench.copy(bench.full(), "sweep")
        _lease(folder, texts)
        for what, before in (("wipe", _expire), ("give back", _end_cool_down)):
            baseline = _writes(folder, lambda: time.sleep(_BASELINE_SECONDS))
            before(folder)
            seconds: list[float] = []
            sweep = partial(_sweep, folder, texts, seconds)
            during = _writes(folder, sweep)
            measured[what].append((baseline, during, seconds[0]))
    for what, runs in measured.items():
        yield from _rows(what, texts, runs)


def _rows(what: str, texts: int, runs: list[tuple[Writes, Writes, float]]) -> Iterator[Row]:
    baseline, during, _took = runs[-1]
    ratios = [during.at(0.5) / baseline.at(0.5) for baseline, during, _took in runs]
    note = f"p50 / p99 / worst of the last round: {during.summary()} against {baseline.summary()} ms"
    yield Row(f"writes during a sweep ({what}) / without, p50", ratios, "<= 1.3", note=note)
    worst_baseline = statistics.median(baseline.took[-1] for baseline, _during, _took in runs)
    worst = [during.took[-1] for _baseline, during, _took in runs]
    yield Row(
        "  the worst write of a round", worst, "<= 100", "ms", note=f"without a sweep {worst_baseline:.0f} ms"
    )
    yield Row("  the sweep", [took for _baseline, _during, took in runs], unit="s", note=f"{texts:,} codes")


def _lease(folder: Path, texts: int) -> None:
    """Put texts under random codes, all of them live for now."""
    codes = [Code.nth(number) for number in Random(1).sample(range(SPACE), texts)]
    with engine_of(folder) as engine:
        put(engine, codes, int(time.time()) + 86_400)
    checkpoint(folder)


def _expire(folder: Path) -> None:
    """All texts but those of the writers have expired during the last hour and are cooling down."""
    _change(
        folder,
        "UPDATE text SET expires_at = :now - 1 - expires_at % 3600, free_at = :now + 86400"
        " WHERE body IS NOT NULL AND expires_at > :now + 7200",
    )


def _end_cool_down(folder: Path) -> None:
    _change(folder, "UPDATE text SET free_at = :now - 1 - free_at % 3600, expires_at = 0 WHERE body IS NULL")


def _change(folder: Path, statement: str) -> None:
    with engine_of(folder) as engine, engine.execution_options(**WRITE).begin() as connection:
        database_for(engine).disable_timeouts(connection)
        connection.execute(sql(statement), {"now": int(time.time())})
    checkpoint(folder)


def _sweep(folder: Path, texts: int, seconds: list[float]) -> None:
    """Let a process sweep until nothing is left; adds the seconds it took."""
    ours, theirs = _START.Pipe()
    process = _START.Process(target=_sweeper, args=(folder, theirs))
    process.start()
    took, moved = ours.recv()
    process.join()
    assert moved >= texts, moved
    seconds.append(took)


def _sweeper(folder: Path, result: Connection) -> None:
    from saver.worker import Sweeper  # noqa: PLC0415 - only here

    app = services(folder)
    before = app.store.audit()
    started = time.monotonic()
    Sweeper(app.store, app.readiness, threading.Event()).run()
    took = time.monotonic() - started
    after = app.store.audit()
    assert after.is_consistent
    moved = 2 * (before.not_wiped - after.not_wiped) + before.cooling_down - after.cooling_down
    result.send((took, moved))


def _writes(folder: Path, meanwhile: Callable[[], object]) -> Writes:
    """Paced writers in separate processes during a call of ``meanwhile``."""
    stop, ready = _START.Event(), _START.Barrier(_WRITERS + 1)
    pipes = [_START.Pipe(duplex=False) for _ in range(_WRITERS)]
    processes = [
        _START.Process(target=_writer, args=(folder, number, stop, ready, theirs))
        for number, (_ours, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    ready.wait()
    meanwhile()
    stop.set()
    took = [duration for ours, _theirs in pipes for duration in ours.recv()]
    for process in processes:
        process.join()
    return Writes(sorted(took))


def _writer(folder: Path, number: int, stop, ready, result: Connection) -> None:  # type: ignore[no-untyped-def]
    store = services(folder).store
    store.save(NewText(TEXT, _LIFE))
    ready.wait()
    took = []
    due = time.monotonic() + number / _WRITERS / _EACH_A_SECOND
    while not stop.is_set():
        # A write that had to wait for the one before it has waited since it was due.
        started = due
        if started > time.monotonic():
            time.sleep(started - time.monotonic())
            started = time.monotonic()
        store.save(NewText(TEXT, _LIFE))
        took.append((time.monotonic() - started) * 1e3)
        due += 1 / _EACH_A_SECOND
    result.send(took)
