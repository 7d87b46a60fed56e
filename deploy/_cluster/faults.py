"""Harm, one kind after the other, under load: what clients see, and that nothing is wrong or lost."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable

from _cluster.cluster import Cluster
from _cluster.database import Pair, Postgres
from _cluster.ledger import Seen
from _cluster.load import Load, guesses
from _cluster.network import PEOPLE, BrokenError, until
from _cluster.servers import end

BUDGET = 10
# Budgets are asked for at each request, but only misses are ever short; brief lives, to see them end.
SETTINGS = {
    "min_expires_in": 5,
    "writes_a_minute": 1_000_000,
    "writes_an_hour": 0,
    "loads_a_minute": 1_000_000,
    "live_texts": 0,
    "live_bytes": 0,
    "misses_a_minute": BUDGET,
    "misses_an_hour": 0,
    "misses_a_day": 0,
    "sweep_every": 1,
}
_GUESSER, _GUESSERS = PEOPLE[38], PEOPLE[39]


def must(holds: object, what: str) -> None:
    """Raise BrokenError if something that must hold does not."""
    if not holds:
        raise BrokenError(what)


class Drill:
    """One cluster under load, and everything that can be done to it."""

    def __init__(self, cluster: Cluster, load: Load, down: float = 5.0) -> None:
        self.cluster = cluster
        self.load = load
        # How many seconds what is broken stays so.
        self._down = down
        self.extra: list[str] = []

    def suffer(self, name: str) -> Seen:
        """Do one harm and mend it; what clients saw from its beginning until all was well."""
        self.extra = []
        began = time.monotonic()
        ALL[name](self)
        self.cluster.until_all_ready()
        self.load.until_well()
        seen = self.load.ledger.seen(began)
        must(not self.load.ledger.wrong, f"{name}: {Counter(self.load.ledger.wrong)}")
        return seen

    def app_killed(self) -> None:
        """kill -9 of all API processes of one app server, whose worker goes on."""
        app = self.cluster.apps["app1"]
        end(app.web)
        time.sleep(self._down)
        app.start_web()

    def app_stopped(self) -> None:
        """SIGTERM, without telling the balancer before."""
        app = self.cluster.apps["app2"]
        end(app.web, signal.SIGTERM)
        time.sleep(self._down)
        app.start_web()

    def app_drained(self) -> None:
        """The balancer is told to send nobody any more; then SIGTERM."""
        balancer, app = self.cluster.balancer, self.cluster.apps["app2"]
        balancer.tell("set server ready/app2 state drain")
        until(lambda: balancer.sessions("app2") == 0, "nobody is on it")
        end(app.web, signal.SIGTERM)
        time.sleep(self._down)
        app.start_web()
        balancer.tell("set server ready/app2 state ready")

    def app_cut(self) -> None:
        """The cable of an app server: nobody is told anything."""
        machine = self.cluster.machines["app1"]
        machine.cut()
        time.sleep(2 * self._down)
        machine.join()

    def worker_killed(self) -> None:
        """kill -9 of one of two workers; the other one goes on."""
        app = self.cluster.apps["app1"]
        end(app.worker)
        seconds = self._until_swept()
        self.extra.append(f"swept by the other one {seconds:.1f} s later")
        app.start_worker()

    def workers_killed(self) -> None:
        """kill -9 of both: what expires is refused all the same."""
        apps = self.cluster.apps.values()
        for app in apps:
            end(app.worker)
        before = self.load.ledger.expired
        until(lambda: self.load.ledger.expired >= before + 2, "texts expire without a worker")
        self.extra.append(f"{self.load.ledger.expired - before} texts expired meanwhile, all refused")
        for app in apps:
            app.start_worker()
        self._until_swept()

    def redis_killed(self) -> None:
        """kill -9: nothing passes uncounted, and no budget is renewed."""
        spent = guesses(self.cluster, _GUESSER, BUDGET + 4)
        must(spent == {"404": BUDGET, "429": 4}, f"the budget over both app servers: {spent}")
        self.cluster.redis.kill()
        began = time.monotonic()
        without = guesses(self.cluster, _GUESSERS, 8)
        must(not without["404"] and not without["200"], f"without Redis: {without}")
        time.sleep(max(0.0, began + self._down - time.monotonic()))
        self.cluster.redis.start()
        self.load.until_well()
        again = guesses(self.cluster, _GUESSER, 4)
        must(again == {"429": 4}, f"a spent budget after Redis was killed: {again}")
        self.extra.append(f"guesses without it {_said(without)}; with a spent budget after it {_said(again)}")

    def database_stopped(self) -> None:
        """The one PostgreSQL: stopped as in a crash, started again."""
        database = self.cluster.database
        assert isinstance(database, Postgres)
        database.stop_immediately()
        time.sleep(self._down)
        database.start()

    def balancer_reloaded(self) -> None:
        """HAProxy reads its file again, three times."""
        for _ in range(3):
            self.cluster.balancer.reload()
            time.sleep(2)

    def switchover(self) -> None:
        """Primary and standby change their places, as before an upgrade."""
        pair = self._pair()
        old = pair.primary()
        old.patronictl("switchover", "--force")
        self._until_moved(old.machine.name)
        self._until_whole()

    def primary_killed(self) -> None:
        """kill -9 of all that runs on the primary's machine; it comes back when another one is there."""
        pair = self._pair()
        old = pair.primary().machine
        old.kill()
        self._until_moved(old.name)
        pair.start_member(old.name)
        self._until_whole()

    def primary_cut(self) -> None:
        """The primary's cable: it must not acknowledge anything any more."""
        pair = self._pair()
        old = pair.primary()
        old.machine.cut()
        acknowledged = self._try_alone(old.machine.name)
        self._until_moved(old.machine.name)
        acknowledged += self._try_alone(old.machine.name)
        must(acknowledged == 0, "a primary that was cut off acknowledged a write")
        self.extra.append("acknowledged by the one cut off: 0")
        old.machine.join()
        self._until_whole()

    def standby_killed(self) -> None:
        """kill -9 of all that runs on the standby's machine: the primary goes on alone after a while."""
        pair = self._pair()
        old = pair.standby().machine
        old.kill()
        until(lambda: self.load.ledger.seen(time.monotonic() - 1).calls["write"] > 0, "writes go on")
        self.load.until_well()
        pair.start_member(old.name)
        self._until_whole()

    def _try_alone(self, name: str) -> int:
        """Write past the service on a machine that is cut off; how many writes it says it has kept."""
        member = self._pair().members[name]
        lease = "INSERT INTO text SELECT * FROM text LIMIT 0; UPDATE sweeper SET beat_at = beat_at;"
        try:
            member.ask(f"SET lock_timeout = '1s'; {lease}", patience=6)
        except BrokenError:
            return 0
        return 1

    def _pair(self) -> Pair:
        assert isinstance(self.cluster.database, Pair)
        return self.cluster.database

    def _until_moved(self, old: str) -> None:
        other = next(each for each in self._pair().servers if each.machine.name != old)
        seconds = until(other.is_primary, f"{other.machine.name} is primary", 120)
        self.extra.append(f"promoted after {seconds:.1f} s")

    def _until_whole(self) -> None:
        seconds = until(self._pair().is_whole, "there are two again", 180)
        self.extra.append(f"two again after {seconds:.1f} s more")

    def _until_swept(self) -> float:
        """Wait until somebody has swept since now."""
        now = int(time.time()) + 1
        ask = self.cluster.database.primary().ask
        return until(lambda: int(ask("SELECT max(beat_at) FROM sweeper") or 0) >= now, "somebody sweeps")


def _said(counted: Counter[str]) -> str:
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(counted.items()))


COMMON: dict[str, Callable[[Drill], None]] = {
    "app-killed": Drill.app_killed,
    "app-stopped": Drill.app_stopped,
    "app-drained": Drill.app_drained,
    "app-cut": Drill.app_cut,
    "worker-killed": Drill.worker_killed,
    "workers-killed": Drill.workers_killed,
    "redis-killed": Drill.redis_killed,
    "balancer-reloaded": Drill.balancer_reloaded,
}
WITH_ONE = {**COMMON, "database-stopped": Drill.database_stopped}
WITH_TWO = {
    **COMMON,
    "switchover": Drill.switchover,
    "primary-killed": Drill.primary_killed,
    "primary-cut": Drill.primary_cut,
    "standby-killed": Drill.standby_killed,
}
ALL = {**WITH_ONE, **WITH_TWO}
