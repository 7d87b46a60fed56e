"""What it costs to count in a Redis instead of a file."""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, RedisError

from bench.common import Bench, Row, say
from bench.rates import even, load_bodies, write_bodies
from bench.servers import Served

_SETS = 5
_SECONDS = 2
_PATIENCE = 20.0
# All of the clients are one source here: none is to wait for another's guess.
_MANY = {f"SAVER_MISSES_{of}": "1000000" for of in ("A_MINUTE", "AN_HOUR", "A_DAY", "A_DAY_IN_ALL")}
_WRITES = {"SAVER_WRITES_A_MINUTE": "1000000", "SAVER_WRITES_AN_HOUR": "1000000"}


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of the part."""
    folder = bench.copy(bench.full(), "redis")
    seconds = 1 if bench.quick else _SECONDS
    ratios: dict[str, list[float]] = {"load": [], "write": []}
    costs: dict[str, list[tuple[float, float]]] = {"load": [], "write": []}
    for turn in range(bench.rounds):
        say(f"redis, round {turn + 1} of {bench.rounds}")
        with _redis(bench.folder) as url:
            in_redis = {**_MANY, **_WRITES, "SAVER_RATE_LIMIT_STORAGE": url}
            with Served.app(folder, {**_MANY, **_WRITES}) as file, Served.app(folder, in_redis) as redis:
                bodies = {"load": load_bodies(bench.folder, file), "write": write_bodies(bench.folder)}
                for what in list(bodies) * _SETS:
                    by_file = even(file, what, bodies[what], seconds)
                    by_redis = even(redis, what, bodies[what], seconds)
                    ratios[what].append(by_redis.per_second / by_file.per_second)
                    costs[what].append((by_redis.cpu_us, by_file.cpu_us))
    for what, found in ratios.items():
        ours, theirs = (statistics.median(cost) for cost in zip(*costs[what], strict=True))
        note = f"by rate, Redis on the same machine; {ours:.0f} / {theirs:.0f} us of processor a request"
        yield Row(f"{what}: counted in a Redis / in a file", found, note=note)


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("bench: there is no Redis to count in: apt-get install redis-server")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _wait(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
