"""People who write and read while something is broken, and what they were told, against what must hold."""

from __future__ import annotations

import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

from _cluster.clients import Answer, Person
from _cluster.cluster import Cluster
from _cluster.ledger import Call, Ledger
from _cluster.network import PEOPLE, BrokenError, until, visit

WRITERS, READERS = 4, 4
# Each who asks has an address, so that nobody spends a budget of another's.
_WRITERS, _READERS = PEOPLE[:WRITERS], PEOPLE[WRITERS : WRITERS + READERS]
# A miss is what these expect, and each may miss ten times a minute: they take turns.
_CURIOUS = PEOPLE[10:20]
_CLAIMANTS = PEOPLE[20:38]
LONG, BRIEF = 3600, 5
# Seconds between two requests of one person: the machine has to carry the servers too.
PAUSE = 0.03
_CHECKERS = 6


class Load:
    """``with Load(cluster) as load: …``: people at work in the block; the ledger goes on in the next one."""

    def __init__(self, cluster: Cluster, pause: float = PAUSE) -> None:
        self.ledger = Ledger()
        self._pause = pause
        self._cluster = cluster
        self._stop = threading.Event()
        self._jobs: list[tuple[Callable[[str], None], str]] = [
            *((self._write, address) for address in _WRITERS),
            *((self._read, address) for address in _READERS),
            (self._be_curious, ""),
            (self._read_once, ""),
        ]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Load:
        self._stop.clear()
        self._threads = [threading.Thread(target=self._work, args=job, daemon=True) for job in self._jobs]
        for thread in self._threads:
            thread.start()
        many = len(self.ledger.kept) + 20
        until(lambda: len(self.ledger.kept) > many, "the first texts are kept")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def until_well(self, seconds: float = 2.0) -> None:
        """Wait until nobody has failed for so long, and both were done."""
        began = time.monotonic()

        def is_well() -> bool:
            since = time.monotonic() - seconds
            if since < began:
                return False
            seen = self.ledger.seen(since)
            both = min(seen.calls["write"], seen.calls["load"]) > 0
            return both and not any(seen.failed.values())

        until(is_well, "clients are served again", 120)

    def check(self) -> int:
        """Load every acknowledged text; how many there are. Raises BrokenError if anything was wrong."""
        lost: list[str] = []
        codes = iter(list(self.ledger.kept))
        lock = threading.Lock()

        def look(person: Person) -> None:
            while True:
                with lock:
                    code, text = next(codes, ("", ""))
                if not code:
                    return
                answer = person.load(code)
                if answer.document.get("text") != text:
                    lost.append(answer.kind)

        checkers = [
            threading.Thread(target=self._cluster.ask, args=(look, address)) for address in PEOPLE[:_CHECKERS]
        ]
        for checker in checkers:
            checker.start()
        for checker in checkers:
            checker.join()
        if len(dict(self.ledger.kept)) != len(self.ledger.kept):
            self.ledger.wrong.append("a code was leased twice")
        if lost or self.ledger.wrong:
            raise BrokenError(f"lost: {Counter(lost)}; wrong: {Counter(self.ledger.wrong)}")
        return len(self.ledger.kept)

    def _work(self, job: Callable[[str], None], address: str) -> None:
        visit(self._cluster.machines["client"])
        try:
            job(address)
        except Exception as error:
            self.ledger.wrong.append(f"{job.__name__} ended: {error!r}")

    def _note(self, deed: str, ask: Callable[[], Answer], well: int) -> Answer:
        began = time.monotonic()
        answer = ask()
        is_well = answer.status == well
        self.ledger.calls.append(Call(deed, began, time.monotonic(), answer.kind, is_well))
        if not is_well:
            self._stop.wait(0.1)
        return answer

    def _write(self, address: str) -> None:
        person = self._cluster.person(address)
        for number in itertools.count():
            text = f"{address} {number} ".ljust(200, "é")
            answer = self._note("write", partial(person.write, text, LONG), 201)
            if answer.status == 201:
                self.ledger.told(str(answer.document["code"]), text)
            if self._stop.wait(self._pause):
                break
        person.leave()

    def _read(self, address: str) -> None:
        person = self._cluster.person(address)
        while not self._stop.wait(self._pause):
            kept = self.ledger.kept
            if not kept:
                continue
            # Half of them of the newest: those that a fault might take.
            many = random.choice((len(kept), min(20, len(kept))))  # noqa: S311 - nobody guesses here
            code, text = kept[-random.randint(1, many)]  # noqa: S311
            answer = self._note("load", partial(person.load, code), 200)
            if answer.status == 404:
                self.ledger.wrong.append("404 for a text that lives")
            elif answer.status == 200 and answer.document["text"] != text:
                self.ledger.wrong.append("another text")
        person.leave()

    def _be_curious(self, _: str) -> None:
        """Write what expires soon, and ask for it afterwards."""
        people = itertools.cycle([self._cluster.person(address) for address in _CURIOUS])
        while not self._stop.is_set():
            person = next(people)
            answer = person.write("brief", BRIEF)
            if answer.status != 201:
                self._stop.wait(0.5)
                continue
            end = datetime.fromisoformat(str(answer.document["expires_at"])).timestamp()
            self._stop.wait(max(0.0, end - time.time()))
            if time.time() < end:
                return
            late = person.load(str(answer.document["code"]))
            if late.status == 200:
                self.ledger.wrong.append("an expired text was served")
            self.ledger.expired += late.status == 404

    def _read_once(self, _: str) -> None:
        """Write for one reader; two try, each until there is a clear answer."""
        people = itertools.cycle([self._cluster.person(address) for address in _CLAIMANTS])
        while not self._stop.wait(2):
            answer = next(people).write("once", LONG, once=True)
            if answer.status != 201:
                continue
            code = str(answer.document["code"])
            results = [self._claim(next(people), code) for _ in range(2)]
            if None in results:
                continue
            if results.count(200) != 1:
                self.ledger.wrong.append(f"{results.count(200)} readers of a one-time text")
            self.ledger.read_once += 1

    def _claim(self, person: Person, code: str) -> int | None:
        claim = str(uuid.uuid4())
        while not self._stop.is_set():
            answer = person.load(code, claim=claim)
            if answer.status in (200, 404):
                return answer.status
            self._stop.wait(0.5)
        return None


def guesses(cluster: Cluster, address: str, count: int) -> Counter[str]:
    """Load what is nobody's; how it ended, counted."""
    found = cluster.ask(lambda person: Counter(person.load("ZZZZ").kind for _ in range(count)), address)
    assert isinstance(found, Counter)
    return found
