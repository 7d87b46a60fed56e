"""Part 6: what protection costs: budgets on loads, and bodies that come sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bench.common import TEXT, Bench, Row, say
from bench.rates import even, load_bodies, write_bodies
from bench.servers import Served
from saver import seal
from saver.seal import Keys, Seal

_LIFE = 86_400
_SETS = 5
_SECONDS = 2


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of part 6."""
    folder = bench.copy(bench.full(), "protection")
    seconds = 1 if bench.quick else _SECONDS
    loads: list[float] = []
    writes: list[float] = []
    for turn in range(bench.rounds):
        say(f"protection, round {turn + 1} of {bench.rounds}")
        loads += _loads(bench, folder, seconds)
        writes += _writes(bench, folder, seconds)
    yield Row(
        "load: with budgets / without", loads, ">= 0.9", note="by rate; a budget of loads and five of misses"
    )
    yield Row(
        "write: sealed body / open body",
        writes,
        ">= 0.9",
        note="by rate; the same 1 KB, sealed by the client",
    )


def _loads(bench: Bench, folder: Path, seconds: float) -> Iterator[float]:
    off = {"SAVER_LOADS_A_MINUTE": "0", "SAVER_MISSES_A_MINUTE": "0", "SAVER_MISSES_AN_HOUR": "0"}
    off |= {"SAVER_MISSES_A_DAY": "0", "SAVER_MISSES_A_DAY_IN_ALL": "0"}
    with Served.app(folder) as with_budgets, Served.app(folder, off) as without:
        bodies = load_bodies(bench.folder, without)
        for _ in range(_SETS):
            yield (
                even(with_budgets, "load", bodies, seconds).per_second
                / even(without, "load", bodies, seconds).per_second
            )


def _writes(bench: Bench, folder: Path, seconds: float) -> Iterator[float]:
    sealed, opened = _sealed_bodies(bench.folder), write_bodies(bench.folder)
    with Served.app(folder) as app:
        for _ in range(_SETS):
            yield (
                even(app, "write", sealed, seconds).per_second
                / even(app, "write", opened, seconds).per_second
            )


def _sealed_bodies(folder: Path) -> Path:
    keys = Keys(bytes(32), bytes(32))
    jwe = seal.encrypt(TEXT, Seal(bytes(16)), keys, bytes(12))
    path = folder / "sealed.bodies"
    path.write_text(json.dumps({"text": jwe, "proof": seal.encode(keys.proof), "expires_in": _LIFE}) + "\n")
    return path
