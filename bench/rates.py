"""Write and load through the app against baseline routes under the same server.

On PostgreSQL the baseline routes run the same statements by psycopg.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.common import TEXT, Bench, disk_wait, load_average, say
from bench.report import Row
from bench.servers import Served

_CLIENTS = 16
_TEXTS = 2000
_LIFE = 86_400
# Each set opens new connections. Which process gets one is luck, and where one gets nearly
# all of them the figure is halved: such a set is taken again, on either side alike.
_SETS = 5
_SECONDS = 2
_UNEVEN = 0.7
_TRIES = 6
_GOALS = {"write": ">= 0.5", "load": ">= 0.7"}
_GOALS_ON_A_SERVER = {"write": ">= 0.5", "load": ">= 0.5"}


@dataclass(frozen=True, slots=True)
class Set:
    """What one set of connections did."""

    requests: int
    per_second: float
    refused: int
    broken: int
    p50: float
    p99: float
    worst: float
    cpu_us: float  # processor time of the server's processes for a request
    busiest: float  # the share of the busier process in it


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sets, one right after the other."""

    baseline: Set
    app: Set

    @property
    def rate(self) -> float:
        """How many requests the app serves for one of the baseline route."""
        return self.app.per_second / self.baseline.per_second

    @property
    def cpu(self) -> float:
        """The same by processor time, which other programs disturb less."""
        return self.baseline.cpu_us / self.app.cpu_us


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    ensure_wrk()
    pairs: dict[str, list[Pair]] = {"write": [], "load": []}
    waits = []
    folder = bench.copy(bench.full(), "rates")
    for turn in range(bench.rounds):
        say(f"write and load, round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        waits.append(disk_wait(folder))
        # New processes for each round, so that the luck of one start does not decide.
        with Served.baseline(folder) as baseline, Served.app(folder) as app:
            _round(bench, pairs, baseline, app)
    goals, other = (_GOALS_ON_A_SERVER, "psycopg") if bench.cluster else (_GOALS, "baseline route")
    for what, measured in pairs.items():
        yield from _rows(f"{what}: app / {other}", goals[what], measured)
    yield Row("fdatasync of 4 KB", waits, unit="ms", note="before each round")


def ensure_wrk() -> None:
    """End with the command that installs the load generator, where it is missing."""
    if shutil.which("wrk") is None:
        raise SystemExit("bench: the load generator wrk is missing: apt-get install wrk")


def fire(served: Served, what: str, bodies: Path, seconds: float, clients: int = _CLIENTS) -> Set:
    """Let clients send requests for some seconds on new connections."""
    before = served.cpu_seconds()
    environ = {"BENCH_WHAT": what, "BENCH_FILE": str(bodies)}
    report = wrk(served.url, _SCRIPT, environ, seconds, clients)
    used = [after - earlier for after, earlier in zip(served.cpu_seconds(), before, strict=True)]
    return set_of(report, used)


def wrk(url: str, script: str, environ: Mapping[str, str], seconds: float, clients: int = _CLIENTS) -> Any:
    """What wrk's script reports; ``environ`` are the environment variables of the script."""
    command = f"wrk -t1 -c{clients} -d{seconds:g}s --timeout 10s".split()
    command += ["-s", script, url]
    ran = subprocess.run(command, env={**os.environ, **environ}, check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        raise SystemExit(f"bench: wrk failed against {url}: {ran.stdout}{ran.stderr}")
    return json.loads(ran.stdout.splitlines()[-1])


def set_of(report: Any, used: Sequence[float], helpers: float = 0.0) -> Set:
    """A set, from wrk's report and the CPU seconds of the API processes and of their helpers."""
    return Set(
        requests=report["requests"],
        per_second=report["requests"] / report["seconds"],
        refused=report["refused"],
        broken=report["broken"],
        p50=report["p50"],
        p99=report["p99"],
        worst=report["worst"],
        cpu_us=(sum(used) + helpers) / report["requests"] * 1e6,
        busiest=max(used) / sum(used),
    )


def fire_evenly(served: Served, what: str, bodies: Path, seconds: float) -> Set:
    """A set that both processes had their part in; the most even one if none has it."""
    attempts: list[Set] = []
    max_tries = _TRIES if len(served.workers) > 1 else 1
    while not attempts or (attempts[-1].busiest > _UNEVEN and len(attempts) < max_tries):
        attempts.append(fire(served, what, bodies, seconds))
    return min(attempts, key=lambda run_set: run_set.busiest)


def write_bodies(folder: Path) -> Path:
    """The one body of all writes."""
    path = folder / "write.bodies"
    path.write_text(json.dumps({"text": TEXT, "expires_in": _LIFE}) + "\n")
    return path


_SCRIPT = str(Path(__file__).with_name("load.lua"))


def _round(bench: Bench, pairs: dict[str, list[Pair]], baseline: Served, app: Served) -> None:
    folder = bench.folder
    bodies = {"write": write_bodies(folder), "load": load_bodies(folder, app)}
    _check(baseline)
    seconds = 1 if bench.quick else _SECONDS
    for what, path in bodies.items():
        for served in (baseline, app):
            fire(served, what, path, 1)
        for turn in range(_SETS):
            order = (baseline, app) if turn % 2 == 0 else (app, baseline)
            sets = {served: fire_evenly(served, what, path, seconds) for served in order}
            pairs[what].append(Pair(sets[baseline], sets[app]))


def load_bodies(folder: Path, app: Served) -> Path:
    """Bodies that load texts which are there; each write is checked."""
    codes = []
    for _ in range(_TEXTS):
        status, answer = app.post("/api/v1/write", {"text": TEXT, "expires_in": _LIFE})
        assert status == 201, status
        codes.append(answer["code"])
    status, answer = app.post("/api/v1/load", {"code": codes[0]})
    assert (status, answer["text"]) == (200, TEXT), status
    path = folder / "load.bodies"
    path.write_text("".join(json.dumps({"code": code}) + "\n" for code in codes))
    return path


def _check(baseline: Served) -> None:
    status, answer = baseline.post("/api/v1/write", {"text": TEXT})
    assert status == 201, status
    assert baseline.post("/api/v1/load", {"code": answer["code"]})[1]["text"] == TEXT


def _rows(what: str, goal: str, pairs: list[Pair]) -> Iterator[Row]:
    app, baseline = [pair.app for pair in pairs], [pair.baseline for pair in pairs]
    yield Row(what, [pair.rate for pair in pairs], goal, note=_summary(app, baseline))
    note = _cpu_summary(app, baseline)
    yield Row("  the same by processor time of the API", [pair.cpu for pair in pairs], note=note)


def _summary(app: list[Set], baseline: list[Set]) -> str:
    refused = sum(run_set.refused + run_set.broken for run_set in (*app, *baseline))
    requests = sum(run_set.requests for run_set in (*app, *baseline))
    return (
        f"{_median(app, 'per_second'):,.0f} / {_median(baseline, 'per_second'):,.0f} a second;"
        f" p50 {_median(app, 'p50'):.1f} / {_median(baseline, 'p50'):.1f} ms,"
        f" p99 {_median(app, 'p99'):.0f} / {_median(baseline, 'p99'):.0f} ms;"
        f" {refused} of {requests:,} not 2xx"
    )


def _cpu_summary(app: list[Set], baseline: list[Set]) -> str:
    return (
        f"{_median(app, 'cpu_us'):,.0f} / {_median(baseline, 'cpu_us'):,.0f} us a request;"
        f" busier process {_median(app, 'busiest'):.0%} / {_median(baseline, 'busiest'):.0%}"
    )


def _median(sets: list[Set], name: str) -> float:
    return float(statistics.median(getattr(run_set, name) for run_set in sets))
