"""What save, load and sweep cost, and what a process holds, with 1,000 to 1,000,000 live texts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.common import TEXT, Bench, checkpoint, engine_of, load_average, say, services
from bench.cpu_time import Backends, Cost, measure_calls, rows
from bench.rates import fire, load_bodies, write_bodies
from bench.report import Row
from bench.servers import Served
from bench.texts import expire, put
from saver.codes import SPACE, Code
from saver.store import TextStore
from saver.texts import NewText

_SIZES = (1_000, 100_000, 1_000_000)
_OPERATIONS = ("save", "load", "sweep")
_SAVES = 200
_LOADS = 400
_TURNS = 5
_LIFE = 3_600
_LATER = 86_400 * 30
_SECONDS = 5


@dataclass(slots=True)
class _Size:
    """A database with so many live texts, and what each operation cost there."""

    texts: int
    folder: Path
    store: TextStore
    codes: list[Code]
    costs: dict[str, list[Cost]] = field(default_factory=lambda: {operation: [] for operation in _OPERATIONS})
    memory: float = 0.0


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    sizes = [_filled(bench, texts // 100 if bench.quick else texts) for texts in _SIZES]
    random = Random(1)
    for turn in range(bench.rounds * _TURNS):
        say(f"growth, turn {turn + 1} of {bench.rounds * _TURNS}, load average {load_average():.1f}")
        for size in sizes if turn % 2 == 0 else reversed(sizes):
            _turn(size, random)
    base = sizes[0]
    for operation in _OPERATIONS:
        for size in sizes[1:]:
            what = f"{operation}: {size.texts:,} live texts / {base.texts:,}"
            yield from rows(what, "<= 1.2", size.costs[operation], base.costs[operation])
    for size in sizes:
        say(f"memory with {size.texts:,} live texts")
        size.memory = _memory(bench, size.folder)
    for size in sizes[1:]:
        note = f"{size.memory:.1f} / {base.memory:.1f} MB after writes and loads"
        name = f"memory of a process: {size.texts:,} live texts / {base.texts:,}"
        yield Row(name, [size.memory / base.memory], "<= 1.2", note=note)


def _filled(bench: Bench, texts: int) -> _Size:
    folder = bench.copy(bench.full(), f"growth {texts}")
    say(f"putting {texts:,} texts")
    # In the order in which they come, which is not that of their codes.
    codes = [Code.nth(number) for number in Random(texts).sample(range(SPACE), texts)]
    with engine_of(folder) as engine:
        put(engine, codes, int(time.time()) + _LATER)
    checkpoint(folder)
    size = _Size(texts, folder, services(folder).store, codes)
    _turn(size, Random(1))
    size.costs = {operation: [] for operation in _OPERATIONS}
    return size


def _turn(size: _Size, random: Random) -> None:
    """Save some texts, load others, then let the first have expired and rested, and sweep them away."""
    backends = Backends(size.folder)
    saved: list[Code] = []
    codes = iter([random.choice(size.codes) for _ in range(_LOADS)])

    def save() -> None:
        saved.append(size.store.save(NewText(TEXT, _LIFE)).code)

    def load() -> None:
        size.store.load(next(codes))

    def sweep() -> None:
        swept = size.store.sweep(_SAVES)
        assert (swept.wiped, swept.freed) == (_SAVES, _SAVES), swept

    size.costs["save"].append(measure_calls(backends, save, _SAVES))
    size.costs["load"].append(measure_calls(backends, load, _LOADS))
    with engine_of(size.folder) as engine:
        expire(engine, saved)
    batch = measure_calls(backends, sweep)
    size.costs["sweep"].append(Cost(batch.wall / _SAVES, batch.cpu / _SAVES))


def _memory(bench: Bench, folder: Path) -> float:
    """Of the larger API process, in MB, after writes and loads."""
    with Served.app(folder) as app:
        for what, bodies in (("write", write_bodies(bench.folder)), ("load", load_bodies(bench.folder, app))):
            fire(app, what, bodies, 1 if bench.quick else _SECONDS)
        return max(resident for resident, _anonymous in app.memory())
