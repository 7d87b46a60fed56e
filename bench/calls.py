"""Saves and loads in one process, without HTTP, against the same statements by psycopg alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from random import Random

from bench.common import TEXT, Bench, Row, address, load_average, say, services
from bench.same_sql import SameSql
from saver.codes import Code
from saver.texts import NewText

_LIFE = 86_400
_THREADS = (1, 8)
_SETS = 5
_TEXTS = 1_000


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    folder = bench.copy(bench.full(), "calls")
    store, sql = services(folder).store, SameSql(address(folder))
    codes = [Code(sql.save(TEXT)[0]) for _ in range(_TEXTS)]
    random = Random(1)
    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "save": (lambda: store.save(NewText(TEXT, _LIFE)), lambda: sql.save(TEXT)),
        "load": (lambda: store.load(random.choice(codes)), lambda: sql.load(random.choice(codes))),
    }
    seconds = 0.5 if bench.quick else 2.0
    for what, (ours, theirs) in ways.items():
        for threads in _THREADS:
            say(f"{what} in process, threads: {threads}, load average {load_average():.1f}")
            _per_second(ours, threads, seconds / 4)
            pairs = []
            for turn in range(bench.rounds * _SETS):
                order = (ours, theirs) if turn % 2 == 0 else (theirs, ours)
                found = {way: _per_second(way, threads, seconds) for way in order}
                pairs.append((found[ours], found[theirs]))
            ratios = [one / other for one, other in pairs]
            middle = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
            note = f"{middle[0]:,.0f} / {middle[1]:,.0f} a second"
            name = "1 thread" if threads == 1 else f"{threads} threads"
            yield Row(f"{what} in process, {name}: app / psycopg", ratios, ">= 0.5", note=note)


def _per_second(call: Callable[[], object], threads: int, seconds: float) -> float:
    """How often so many threads together get through a call in a second."""
    counts: list[int] = []
    started = time.perf_counter()

    def work() -> None:
        count = 0
        while time.perf_counter() - started < seconds:
            call()
            count += 1
        counts.append(count)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(counts) == threads, "a thread has failed"
    return sum(counts) / (time.perf_counter() - started)
