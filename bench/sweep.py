"""Paced writes while the worker's sweeper wipes or returns 100,000 codes, against writes without a sweep."""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from sqlalchemy import text as sql

from bench.common import TEXT, Bench, checkpoint, engine_of, load_average, percentile, say, services
from bench.report import Row
from bench.texts import put
from saver.codes import SPACE, Code
from saver.database import WRITE, Database, database_for
from saver.texts import NewText
from saver.worker import Sweeper, checkpoint_until

_TEXTS = 100_000
_WRITERS = 4
_EACH_A_SECOND = 25
_BASELINE_SECONDS = 10.0
_LIFE = 3600
# Processes start anew, so that no connection crosses a fork.
_START = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Writes:
    """How long writes took, and for how long they held the lock of all writers, in milliseconds, sorted."""

    took: list[float]
    held: list[float]

    def summary(self) -> str:
        """Median, nearly worst and worst."""
        return f"{self.at(0.5):.2f} / {self.at(0.99):.1f} / {self.took[-1]:.0f}"

    def at(self, share: float) -> float:
        """A percentile."""
        return percentile(self.took, share)


@dataclass(frozen=True, slots=True)
class Sweep:
    """How long a sweep took, in seconds; each hold of the lock and each checkpoint of it in milliseconds."""

    seconds: float
    held: list[float]
    checkpoints: list[float]


# Writes without a sweep, during one, and that sweep.
_Round = tuple[Writes, Writes, Sweep]


class Stopwatch:
    """Notes how long each of the calls took, or each of the contexts was open, in milliseconds."""

    def __init__(self) -> None:
        self.took: list[float] = []

    @contextmanager
    def inside(self, make: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """Measure from the moment in which the context has been entered."""
        with make(), self:
            yield

    def call(self, function: Callable[[], None]) -> None:
        """Measure a call."""
        with self:
            function()

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.took.append((time.monotonic() - self._started) * 1e3)


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    texts = _TEXTS // 10 if bench.quick else _TEXTS
    measured: dict[str, list[_Round]] = {"wipe": [], "give back": []}
    for turn in range(bench.rounds):
        say(f"sweep, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        folder = bench.copy(bench.full(), "sweep")
        _lease(folder, texts)
        for what, before in (("wipe", _expire), ("give back", _end_cool_down)):
            with _checkpoints(folder):
                baseline = _writes(folder, lambda: time.sleep(_BASELINE_SECONDS))
            before(folder)
            sweeps: list[Sweep] = []
            with _checkpoints(folder):
                during = _writes(folder, lambda: sweeps.append(_sweep(folder, texts)))  # noqa: B023 - called at once
            measured[what].append((baseline, during, sweeps[0]))
    for what, runs in measured.items():
        yield from _rows(what, texts, runs)


def _rows(what: str, texts: int, runs: list[_Round]) -> Iterator[Row]:
    baseline, during, sweep = runs[-1]
    ratios = [during.at(0.5) / baseline.at(0.5) for baseline, during, _sweep in runs]
    note = f"p50 / p99 / worst of the last round: {during.summary()} against {baseline.summary()} ms"
    yield Row(f"writes during a sweep ({what}) / without, p50", ratios, "<= 1.3", note=note)
    without = statistics.median(baseline.took[-1] for baseline, _during, _sweep in runs)
    worst = [during.took[-1] for _baseline, during, _sweep in runs]
    yield Row("  the worst write of a round", worst, "<= 100", "ms", note=f"without a sweep {without:.0f} ms")
    yield Row("  the sweep", [sweep.seconds for _, _, sweep in runs], unit="s", note=f"{texts:,} codes")
    if not sweep.held:
        return
    note = f"p50 / p99 of the last round {_summary(sweep.held)} ms"
    yield Row("  the longest lock of a batch", [max(sweep.held) for _, _, sweep in runs], "", "ms", note)
    note = f"p50 / p99 of the last round {_summary(during.held)} ms"
    yield Row("  the longest lock of a write", [max(during.held) for _, during, _ in runs], "", "ms", note)
    if sweep.checkpoints:
        number = len(sweep.checkpoints)
        note = f"p50 / p99 of the last round {_summary(sweep.checkpoints)} ms, {number:,} of them"
        longest = [max(sweep.checkpoints) for _, _, sweep in runs]
        yield Row("  the longest checkpoint, without the lock", longest, "", "ms", note)


def _summary(figures: list[float]) -> str:
    return f"{percentile(sorted(figures), 0.5):.1f} / {percentile(sorted(figures), 0.99):.1f}"


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


@contextmanager
def _checkpoints(folder: Path) -> Iterator[None]:
    """Copy SQLite's log, as the worker does during a sweep and between two."""
    store, stop = services(folder).store, threading.Event()
    thread = threading.Thread(target=checkpoint_until, args=(stop, store))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        store.database.engine.dispose()


def _sweep(folder: Path, texts: int) -> Sweep:
    """Let a process sweep until nothing is left."""
    ours, theirs = _START.Pipe()
    process = _START.Process(target=_sweeper, args=(folder, theirs))
    process.start()
    sweep, moved = ours.recv()
    process.join()
    assert moved >= texts, moved
    return sweep  # type: ignore[no-any-return]


def _sweeper(folder: Path, result: Connection) -> None:
    app = services(folder)
    before = app.store.audit()
    database = app.store.database
    locks, checkpoints = _measured_locks(database), Stopwatch()
    database.checkpoint = partial(checkpoints.call, database.checkpoint)  # type: ignore[method-assign]
    started = time.monotonic()
    Sweeper(app.store, app.readiness, threading.Event()).run()
    took = time.monotonic() - started
    after = app.store.audit()
    assert after.is_consistent
    moved = 2 * (before.not_wiped - after.not_wiped) + before.cooling_down - after.cooling_down
    result.send((Sweep(took, locks.took, checkpoints.took), moved))


def _measured_locks(database: Database) -> Stopwatch:
    """Measure how long this process holds the lock of all writers; a server has none."""
    locks = Stopwatch()
    database.write_lock = partial(locks.inside, database.write_lock)  # type: ignore[method-assign]
    return locks


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
    results = [ours.recv() for ours, _theirs in pipes]
    for process in processes:
        process.join()
    took, held = ([figure for result in results for figure in result[which]] for which in (0, 1))
    return Writes(sorted(took), sorted(held))


def _writer(folder: Path, number: int, stop, ready, result: Connection) -> None:  # type: ignore[no-untyped-def]
    store = services(folder).store
    store.save(NewText(TEXT, _LIFE))
    locks = _measured_locks(store.database)
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
    result.send((took, locks.took))
