"""What each kind of request costs the processor, in one thread without a server, against a bare Flask route.

Processor time comes from alternating sets; instructions, which other programs cannot change, from callgrind.
What the system does for a request, such as writing to the disk, is in the time and not in the instructions.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
from collections.abc import Iterator, Mapping, Sequence

from bench import instructions
from bench.common import Bench, load_average, say
from bench.in_process import SetCost, Target, targets
from bench.report import Row, ratios

_REQUESTS = 200
_SETS_A_ROUND = 3
# A bare route never waits, so its wall time is its processor time unless other programs run.
_MAX_WALL = 1.25


def measure(bench: Bench) -> Iterator[Row]:
    """The rows of this part."""
    kinds = targets(bench.copy(bench.full(), "cpu"))
    for kind in kinds:
        kind.measure(_REQUESTS)
    costs: dict[str, list[SetCost]] = {kind.name: [] for kind in kinds}
    for turn in range(bench.rounds * _SETS_A_ROUND):
        say(f"set {turn + 1} of {bench.rounds * _SETS_A_ROUND}, load average {load_average():.1f}")
        for kind in kinds if turn % 2 == 0 else kinds[::-1]:
            costs[kind.name].append(kind.measure(_REQUESTS))
    yield from _rows(
        kinds, {name: [cost.cpu for cost in sets] for name, sets in costs.items()}, "us", goals=True
    )
    waits = [cost.wall / cost.cpu for cost in costs[kinds[0].name]]
    yield Row("bare load: wall time / processor time", waits, max_when_quiet=_MAX_WALL)
    try:
        counts = instructions.count(bench)
    except instructions.CannotCountError as error:
        yield Row("instructions", (), note=f"not counted: {error}")
    else:
        yield from _rows(kinds, counts, "thousand instructions", goals=False)


def _rows(
    kinds: Sequence[Target], figures: Mapping[str, Sequence[float]], unit: str, *, goals: bool
) -> Iterator[Row]:
    for kind in kinds:
        yield Row(kind.name, figures[kind.name], unit=unit)
    for kind in kinds:
        if kind.bare:
            ours, bare = figures[kind.name], figures[kind.bare]
            note = f"{statistics.median(ours):,.0f} / {statistics.median(bare):,.0f} {unit}"
            yield Row(f"{kind.name} / {kind.bare}", ratios(ours, bare), kind.goal if goals else "", note=note)


def profile(bench: Bench, name: str) -> None:
    """Print where one kind of request spends its time; the profiler itself makes small functions dearer."""
    kinds = {kind.name: kind for kind in targets(bench.copy(bench.full(), "profile"))}
    if name not in kinds:
        raise SystemExit(f"bench: --profile: one of {', '.join(kinds)}")
    kinds[name].measure(_REQUESTS)
    environs = kinds[name].environs(_REQUESTS * 5)
    profiler = cProfile.Profile()
    kinds[name].check(profiler.runcall(kinds[name].answers, environs))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
