"""Interleave creates and reads on several services; compare saver with each of the others."""

from __future__ import annotations

import http.client
import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.common import TEXT, Bench, load_average, say, settle
from bench.rates import Set, set_of, wrk
from bench.report import Row
from bench.targets import Request, Saver, Target

OPERATIONS = ("create", "read")
_CLIENTS = 16
_SCRIPT = str(Path(__file__).with_name("peers.lua"))
_SECONDS = 2
_SETS = 3
# Which process gets a connection is luck; a set that one process did nearly alone is taken again.
_UNEVEN = 0.7
_TRIES = 3
_TEXTS = 1_000
_SAMPLES = 20


@dataclass(slots=True)
class Run:
    """One target during a round: the names of its texts, and the results of its sets."""

    target: Target
    folder: Path
    names: list[str] = field(default_factory=list)
    sets: dict[str, list[Set]] = field(default_factory=lambda: {what: [] for what in OPERATIONS})

    def fire(self, what: str, seconds: float) -> Set:
        """One set."""
        return self.create(seconds) if what == "create" else self.read(seconds)

    def create(self, seconds: float) -> Set:
        """A set of creates. Of the texts some are read back, and all their names are stored."""
        answers_file = self.folder / "answers"
        result = self._fire([self.target.create()], seconds, {"BENCH_KEEP": str(answers_file)})
        with answers_file.open() as answers:
            names = [self._name(answer) for answer in answers]
        if len(set(names)) != len(names):
            raise SystemExit(f"bench: {self.target.name} gave two texts one name")
        step = len(names) // _SAMPLES + 2
        for name in names[::step]:
            self._read_back(name)
        self.names += [name for index, name in enumerate(names) if index % step]
        return result

    def read(self, seconds: float) -> Set:
        """A set of reads of texts that are there; where a text can be read once, each is read once."""
        count = _TEXTS
        if self.target.once:
            # A set takes no more than four times what the creates of the same time made.
            count = int(4 * seconds * max(run_set.per_second for run_set in self.sets["create"]))
        while len(self.names) < count:
            self.create(_SECONDS)
        result = self._fire([self.target.read(name) for name in self.names[:count]], seconds, {})
        if self.target.once:
            if result.requests + 2 * _CLIENTS > count:
                raise SystemExit(f"bench: {self.target.name} read more texts than there were")
            del self.names[:count]
        return result

    def take(self, what: str, seconds: float) -> Set:
        """A set that all processes had their part in; the most even one if none has it."""
        attempts: list[Set] = []
        while not attempts or (self._uneven(attempts[-1]) and len(attempts) < _TRIES):
            attempts.append(self.fire(what, seconds))
        self.sets[what].append(min(attempts, key=lambda run_set: run_set.busiest))
        return self.sets[what][-1]

    def _uneven(self, run_set: Set) -> bool:
        return len(self.target.workers) > 1 and run_set.busiest > _UNEVEN

    def _fire(self, requests: Sequence[Request], seconds: float, variables: dict[str, str]) -> Set:
        path = self.folder / "requests"
        raw = [request.raw(self.target.host) for request in requests]
        path.write_bytes(b"".join(b"%d\n%b" % (len(content), content) for content in raw))
        before, helpers_before = self.target.cpu_seconds(), self.target.helper_cpu_seconds()
        environ = {"BENCH_FILE": str(path), "BENCH_HOLDS": requests[0].contains, **variables}
        report = wrk(self.target.url, _SCRIPT, environ, seconds, _CLIENTS)
        used = [after - earlier for after, earlier in zip(self.target.cpu_seconds(), before, strict=True)]
        return set_of(report, used, self.target.helper_cpu_seconds() - helpers_before)

    def _name(self, answer: str) -> str:
        match = self.target.name_pattern.search(answer)
        if not match:
            raise SystemExit(f"bench: {self.target.name} names no text in its answer to a create")
        return match[1]

    def _read_back(self, name: str) -> None:
        request = self.target.read(name)
        connection = http.client.HTTPConnection(self.target.host, timeout=60)
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        if answer.status != 200 or TEXT not in body:
            raise SystemExit(
                f"bench: {self.target.name} answered {answer.status} and not the text it was given"
            )


class Pair(NamedTuple):
    """Two sets, one right after the other."""

    what: str
    our: str
    other: str
    mine: Set
    theirs: Set


@dataclass(slots=True)
class Results:
    """Pairs of sets, and in MB the memory of what runs as it is deployed, at rest and after its work."""

    pairs: list[Pair] = field(default_factory=list)
    sets: dict[tuple[str, str], list[Set]] = field(default_factory=dict)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)


def measure(bench: Bench, ours: Sequence[Target], others: Sequence[Target]) -> Results:
    """Each of ours against each of the others; each round has new processes and stores."""
    results = Results()
    for target in (*ours, *others):
        if target.as_deployed:
            results.memory[target.name] = _memory(bench, target)
    for turn in range(bench.rounds):
        say(f"round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        with ExitStack() as stack:
            runs = {}
            for index, target in enumerate((*ours, *others)):
                folder = _folder(bench, target, f"target{index}")
                stack.enter_context(target.running(folder))
                runs[target.name] = Run(target, folder)
            settle()
            pairs = [(runs[our.name], runs[other.name]) for our in ours for other in others]
            results.pairs += _round(bench, pairs)
        for name, run in runs.items():
            for what in OPERATIONS:
                results.sets.setdefault((what, name), []).extend(run.sets[what])
    return results


def _memory(bench: Bench, target: Target) -> tuple[float, float]:
    """Measured while no other target runs, since what processes share is divided among them."""
    say(f"memory of {target.name}")
    with target.running(_folder(bench, target, "memory")):
        at_rest = target.memory()
        run = Run(target, bench.folder / "memory")
        for what in OPERATIONS:
            run.take(what, 1 if bench.quick else _SECONDS)
        return at_rest, target.memory()


def rows(results: Results, others: Sequence[Target]) -> Iterator[Row]:
    """Each target, then each of ours against each of the others, set by set, then the memory."""
    goals = {other.name: other.goals for other in others}
    for what in OPERATIONS:
        for name in (name for operation, name in results.sets if operation == what):
            sets = results.sets[what, name]
            rates, details = [run_set.per_second for run_set in sets], [asdict(run_set) for run_set in sets]
            yield Row(f"{what}: {name}", rates, unit="a second", note=_reported(sets), sets=details)
        for our, other in dict.fromkeys((pair.our, pair.other) for pair in results.pairs):
            pairs = [
                pair for pair in results.pairs if (pair.what, pair.our, pair.other) == (what, our, other)
            ]
            yield _against(pairs, "> 1 in every set" if what in goals[other] else "")
    for name, (at_rest, after) in results.memory.items():
        yield Row(
            f"memory at rest: {name}", [at_rest], unit="MB", note=f"after creates and reads {after:.0f} MB"
        )


def _against(pairs: Sequence[Pair], goal: str) -> Row:
    ratios = [pair.mine.per_second / pair.theirs.per_second for pair in pairs]
    cpu = statistics.median(pair.theirs.cpu_us / pair.mine.cpu_us for pair in pairs)
    ahead = sum(ratio > 1 for ratio in ratios)
    note = f"ahead in {ahead} of {len(ratios)} sets; by processor time {cpu:.2f}"
    first = pairs[0]
    return Row(f"{first.what}: {first.our} / {first.other}", ratios, goal, note=note)


def _reported(sets: Sequence[Set]) -> str:
    def median(name: str) -> float:
        return float(statistics.median(getattr(run_set, name) for run_set in sets))

    lost = sum(run_set.refused + run_set.broken for run_set in sets)
    requests = sum(run_set.requests for run_set in sets)
    return (
        f"p50 {median('p50'):.1f}, p99 {median('p99'):.0f} ms; {median('cpu_us'):,.0f} us of processor time"
        f" each; busiest process {median('busiest'):.0%}; {lost} of {requests:,} refused, broken or wrong"
    )


def _folder(bench: Bench, target: Target, name: str) -> Path:
    if isinstance(target, Saver):
        return bench.copy(bench.full(), name)
    folder = bench.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _round(bench: Bench, pairs: Sequence[tuple[Run, Run]]) -> Iterator[Pair]:
    seconds = 1 if bench.quick else _SECONDS
    for what in OPERATIONS:
        for run in {id(run): run for pair in pairs for run in pair}.values():
            run.fire(what, 1)
        for turn in range(1 if bench.quick else _SETS):
            say(f"{what}, set {turn + 1}, load average {load_average():.1f}")
            for our, other in pairs:
                order = (our, other) if turn % 2 == 0 else (other, our)
                sets = {run.target.name: run.take(what, seconds) for run in order}
                names = our.target.name, other.target.name
                yield Pair(what, *names, sets[names[0]], sets[names[1]])
