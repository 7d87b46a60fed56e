"""Interleave creates and reads on several services; compare saver with each of the others."""

from __future__ import annotations

import http.client
import shutil
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.common import TEXT, Bench, Row, load_average, say, settle
from bench.rates import Set, set_of, wrk
from bench.targets import Request, Saver, Target

OPERATIONS = ("create", "read")
Results = dict[str, dict[str, list[Set]]]
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
            # A set takes no more than twice what the creates of the same time made.
            count = int(2 * seconds * max(run_set.per_second for run_set in self.sets["create"]))
        while len(self.names) < count:
            self.create(_SECONDS)
        result = self._fire([self.target.read(name) for name in self.names[:count]], seconds, {})
        if self.target.once:
            if result.requests + 2 * _CLIENTS > count:
                raise SystemExit(f"bench: {self.target.name} read more texts than there were")
            del self.names[:count]
        return result

    def take(self, what: str, seconds: float) -> None:
        """A set that all processes had their part in; the most even one if none has it."""
        attempts: list[Set] = []
        while not attempts or (self._uneven(attempts[-1]) and len(attempts) < _TRIES):
            attempts.append(self.fire(what, seconds))
        self.sets[what].append(min(attempts, key=lambda run_set: run_set.busiest))

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


def measure(bench: Bench, targets: Sequence[Target]) -> Results:
    """The sets of every target, by its name and the operation; each round has new processes and stores."""
    results: Results = {target.name: {what: [] for what in OPERATIONS} for target in targets}
    for turn in range(bench.rounds):
        say(f"round {turn + 1} of {bench.rounds}, load average {load_average():.1f}")
        with ExitStack() as stack:
            runs = []
            for index, target in enumerate(targets):
                folder = _folder(bench, target, f"target{index}")
                stack.enter_context(target.running(folder))
                runs.append(Run(target, folder))
            settle()
            _round(bench, runs)
        for run in runs:
            for what in OPERATIONS:
                results[run.target.name][what] += run.sets[what]
    return results


def rows(results: Results, ours: Sequence[str]) -> Iterator[Row]:
    """Each target, then each of ``ours`` against each of the others, set by set."""
    for what in OPERATIONS:
        for name, sets in results.items():
            rates = [run_set.per_second for run_set in sets[what]]
            yield Row(f"{what}: {name}", rates, unit="a second", note=_reported(sets[what]))
        for our in ours:
            yield from (_against(what, our, name, results) for name in results if name not in ours)


def _against(what: str, our: str, name: str, results: Results) -> Row:
    pairs = list(zip(results[our][what], results[name][what], strict=True))
    ratios = [mine.per_second / other.per_second for mine, other in pairs]
    cpu = statistics.median(other.cpu_us / mine.cpu_us for mine, other in pairs)
    ahead = sum(ratio > 1 for ratio in ratios)
    note = f"ahead in {ahead} of {len(ratios)} sets; by processor time {cpu:.2f}"
    return Row(f"{what}: {our} / {name}", ratios, ">= 1", note=note)


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


def _round(bench: Bench, runs: Sequence[Run]) -> None:
    for what in OPERATIONS:
        for run in runs:
            run.fire(what, 1)
        for turn in range(1 if bench.quick else _SETS):
            for run in runs if turn % 2 == 0 else runs[::-1]:
                run.take(what, 1 if bench.quick else _SECONDS)
