"""Users that write and read during a fault; their results are checked."""

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

from tests.system.checks import BrokenError, until
from tests.system.cluster.clients import Response, User
from tests.system.cluster.cluster import Cluster
from tests.system.cluster.history import Call, History
from tests.system.cluster.network import USER_ADDRESSES, visit

WRITERS, READERS = 4, 4
# Each user has an address, so that none uses up the limit of another.
_WRITERS, _READERS = USER_ADDRESSES[:WRITERS], USER_ADDRESSES[WRITERS : WRITERS + READERS]
# These users expect misses, and each may miss ten times a minute, so they take turns.
_EXPIRY_READERS = USER_ADDRESSES[10:20]
_CLAIMANTS = USER_ADDRESSES[20:38]
LONG, BRIEF = 3600, 5
# Seconds between two requests of one user, because the same machine runs the servers.
PAUSE = 0.03
_CHECKERS = 6


class Load:
    """``with Load(cluster) as load: …``: users work during the block; the history stays."""

    def __init__(self, cluster: Cluster, pause: float = PAUSE) -> None:
        self.history = History()
        self._pause = pause
        self._cluster = cluster
        self._stop = threading.Event()
        self._jobs: list[tuple[Callable[[str], None], str]] = [
            *((self._write, address) for address in _WRITERS),
            *((self._read, address) for address in _READERS),
            (self._load_expired, ""),
            (self._read_once, ""),
        ]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Load:
        self._stop.clear()
        self._threads = [threading.Thread(target=self._work, args=job, daemon=True) for job in self._jobs]
        for thread in self._threads:
            thread.start()
        many = len(self.history.acknowledged) + 20
        until(lambda: len(self.history.acknowledged) > many, "the first texts are stored")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def until_served(self, seconds: float = 2.0) -> None:
        """Wait until no request has failed for so long, and users have written and read."""
        began = time.monotonic()

        def is_expected() -> bool:
            since = time.monotonic() - seconds
            if since < began:
                return False
            seen = self.history.seen(since)
            both = min(seen.calls["write"], seen.calls["load"]) > 0
            return both and not any(seen.failed.values())

        until(is_expected, "clients are served again", 120)

    def check(self) -> int:
        """Load every acknowledged text; how many there are. Raises BrokenError if anything was wrong."""
        lost: list[str] = []
        codes = iter(list(self.history.acknowledged))
        lock = threading.Lock()

        def look(user: User) -> None:
            while True:
                with lock:
                    code, text = next(codes, ("", ""))
                if not code:
                    return
                answer = user.load(code)
                if answer.document.get("text") != text:
                    lost.append(answer.kind)

        checkers = [
            threading.Thread(target=self._cluster.ask, args=(look, address))
            for address in USER_ADDRESSES[:_CHECKERS]
        ]
        for checker in checkers:
            checker.start()
        for checker in checkers:
            checker.join()
        if len(dict(self.history.acknowledged)) != len(self.history.acknowledged):
            self.history.wrong.append("a code was leased twice")
        if lost or self.history.wrong:
            raise BrokenError(f"lost: {Counter(lost)}; wrong: {Counter(self.history.wrong)}")
        return len(self.history.acknowledged)

    def _work(self, job: Callable[[str], None], address: str) -> None:
        visit(self._cluster.machines["client"])
        try:
            job(address)
        except Exception as error:
            self.history.wrong.append(f"{job.__name__} ended: {error!r}")

    def _note(self, operation: str, ask: Callable[[], Response], expected: int) -> Response:
        began = time.monotonic()
        answer = ask()
        is_expected = answer.status == expected
        self.history.calls.append(Call(operation, began, time.monotonic(), answer.kind, is_expected))
        if not is_expected:
            self._stop.wait(0.1)
        return answer

    def _write(self, address: str) -> None:
        user = self._cluster.user(address)
        for number in itertools.count():
            text = f"{address} {number} ".ljust(200, "é")
            answer = self._note("write", partial(user.write, text, LONG), 201)
            if answer.status == 201:
                self.history.acknowledge(str(answer.document["code"]), text)
            if self._stop.wait(self._pause):
                break
        user.leave()

    def _read(self, address: str) -> None:
        user = self._cluster.user(address)
        while not self._stop.wait(self._pause):
            acknowledged = self.history.acknowledged
            if not acknowledged:
                continue
            # Half of them are the newest, which a fault is most likely to lose.
            many = random.choice((len(acknowledged), min(20, len(acknowledged))))
            code, text = acknowledged[-random.randint(1, many)]
            answer = self._note("load", partial(user.load, code), 200)
            if answer.status == 404:
                self.history.wrong.append("404 for a text that lives")
            elif answer.status == 200 and answer.document["text"] != text:
                self.history.wrong.append("another text")
        user.leave()

    def _load_expired(self, _: str) -> None:
        """Write texts that expire soon, and load them afterwards."""
        users = itertools.cycle([self._cluster.user(address) for address in _EXPIRY_READERS])
        while not self._stop.is_set():
            user = next(users)
            answer = user.write("brief", BRIEF)
            if answer.status != 201:
                self._stop.wait(0.5)
                continue
            end = datetime.fromisoformat(str(answer.document["expires_at"])).timestamp()
            self._stop.wait(max(0.0, end - time.time()))
            if time.time() < end:
                return
            late = user.load(str(answer.document["code"]))
            if late.status == 200:
                self.history.wrong.append("an expired text was served")
            self.history.expired += late.status == 404

    def _read_once(self, _: str) -> None:
        """Write for one reader; two try, each until there is a clear answer."""
        users = itertools.cycle([self._cluster.user(address) for address in _CLAIMANTS])
        while not self._stop.wait(2):
            answer = next(users).write("once", LONG, once=True)
            if answer.status != 201:
                continue
            code = str(answer.document["code"])
            results = [self._claim(next(users), code) for _ in range(2)]
            if None in results:
                continue
            if results.count(200) != 1:
                self.history.wrong.append(f"{results.count(200)} readers of a one-time text")
            self.history.read_once += 1

    def _claim(self, user: User, code: str) -> int | None:
        claim = str(uuid.uuid4())
        while not self._stop.is_set():
            answer = user.load(code, claim=claim)
            if answer.status in (200, 404):
                return answer.status
            self._stop.wait(0.5)
        return None


def guesses(cluster: Cluster, address: str, count: int) -> Counter[str]:
    """Load unknown codes; the results, counted."""
    found = cluster.ask(lambda user: Counter(user.load("ZZZZ").kind for _ in range(count)), address)
    assert isinstance(found, Counter)
    return found
