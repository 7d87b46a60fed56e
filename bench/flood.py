"""Normal requests during a flood of wrong passwords, and during slow connections."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator

from bench.common import TEXT, Bench, say
from bench.report import Row
from bench.servers import Served
from tests.support.slow import PARTIAL_REQUESTS, hanging

_FLOODERS = 16
_LOADS = 300
_PAUSE = 0.02
_SLOW = 500
_WRITES = 5


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    folder = bench.copy(bench.full(), "flood")
    # The flood comes from many sources, so no budget of one stops it.
    off = {f"SAVER_MISSES_{name}": "0" for name in ("A_MINUTE", "AN_HOUR", "A_DAY", "A_DAY_IN_ALL")}
    baseline: list[float] = []
    during: list[float] = []
    slow: dict[str, list[float]] = {kind: [] for kind in PARTIAL_REQUESTS}
    statuses: dict[int, int] = {}
    for turn in range(bench.rounds):
        say(f"flood, round {turn + 1} of {bench.rounds}")
        with Served.app(folder, off) as app:
            code = app.post("/api/v1/write", {"text": TEXT})[1]["code"]
            sealed = app.post("/api/v1/write", {"text": TEXT, "password": "right"})[1]["code"]
            baseline.append(_p99(app, code))
            with _Flood(app, sealed, statuses):
                during.append(_p99(app, code))
            for kind, measured in slow.items():
                with hanging(int(app.url.rpartition(":")[2]), kind, _SLOW):
                    measured.append(_slowest_write(app))
    note = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    yield Row("open loads, p99, without a flood", baseline, unit="ms")
    yield Row(
        "open loads, p99, during a flood", during, "<= 250 ms", "ms", f"wrong passwords of 16 clients: {note}"
    )
    for kind, measured in slow.items():
        what = f"the slowest write during {_SLOW} connections, {kind}"
        yield Row(what, measured, "<= 1000 ms", "ms", f"of {_WRITES}, from the same address")


def _slowest_write(app: Served) -> float:
    took = []
    for _ in range(_WRITES):
        started = time.perf_counter()
        status, _answer = app.post("/api/v1/write", {"text": TEXT})
        took.append((time.perf_counter() - started) * 1_000)
        assert status == 201, status
    return max(took)


def _p99(app: Served, code: str) -> float:
    took = []
    for _ in range(_LOADS):
        started = time.perf_counter()
        status, _answer = app.post("/api/v1/load", {"code": code})
        took.append((time.perf_counter() - started) * 1_000)
        assert status == 200, status
        time.sleep(_PAUSE)
    return statistics.quantiles(took, n=100)[-1]


class _Flood:
    def __init__(self, app: Served, code: str, statuses: dict[int, int]) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(app, code, statuses)) for _ in range(_FLOODERS)
        ]

    def _send(self, app: Served, code: str, statuses: dict[int, int]) -> None:
        while not self._stop.is_set():
            status, _answer = app.post("/api/v1/load", {"code": code, "password": "wrong"})
            statuses[status] = statuses.get(status, 0) + 1

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
