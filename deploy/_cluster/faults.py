"""Harm, one kind after the other, under load: what clients see, and that nothing is wrong or lost."""

from __future__ import annotations

import signal
import time
from collections import Counter

from _cluster.cluster import Cluster
from _cluster.database import Postgres
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
    "sweep_interval": 1,
}
_GUESSER, _GUESSERS = PEOPLE[38], PEOPLE[39]


def must(holds: object, what: str) -> None:
    """Raise BrokenError if something that must hold does not."""
    if not holds:
        raise BrokenError(what)


class Drill:
    """One cluster under load, and everything that can be done to it."""

    FAULTS: tuple[str, ...] = (
        *("app-killed", "app-stopped", "app-drained", "app-cut", "worker-killed", "workers-killed"),
        *("redis-killed", "balancer-reloaded", "database-stopped"),
    )

    def __init__(self, cluster: Cluster, load: Load, down: float = 5.0) -> None:
        self.cluster = cluster
        self.load = load
        # How many seconds what is broken stays so.
        self.down = down
        self.extra: list[str] = []

    def suffer(self, name: str) -> Seen:
        """Do one of ``FAULTS`` and mend it; what clients saw from its beginning until all was well."""
        self.extra = []
        began = time.monotonic()
        getattr(self, name.replace("-", "_"))()
        self.cluster.until_all_ready()
        self.load.until_well()
        seen = self.load.ledger.seen(began)
        must(not self.load.ledger.wrong, f"{name}: {Counter(self.load.ledger.wrong)}")
        return seen

    def app_killed(self) -> None:
        """kill -9 of all API processes of one app server, whose worker goes on."""
        app = self.cluster.apps["app1"]
        end(app.web)
        time.sleep(self.down)
        app.start_web()

    def app_stopped(self) -> None:
        """SIGTERM, without telling the balancer before."""
        app = self.cluster.apps["app2"]
        end(app.web, signal.SIGTERM)
        time.sleep(self.down)
        app.start_web()

    def app_drained(self) -> None:
        """The balancer is told to send nobody any more; then SIGTERM."""
        balancer, app = self.cluster.balancer, self.cluster.apps["app2"]
        balancer.tell("set server ready/app2 state drain")
        until(lambda: balancer.sessions("app2") == 0, "nobody is on it")
        end(app.web, signal.SIGTERM)
        time.sleep(self.down)
        app.start_web()
        balancer.tell("set server ready/app2 state ready")

    def app_cut(self) -> None:
        """The cable of an app server: nobody is told anything."""
        machine = self.cluster.machines["app1"]
        machine.cut()
        time.sleep(2 * self.down)
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
        time.sleep(max(0.0, began + self.down - time.monotonic()))
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
        time.sleep(self.down)
        database.start()

    def balancer_reloaded(self) -> None:
        """HAProxy reads its file again, three times."""
        for _ in range(3):
            self.cluster.balancer.reload()
            time.sleep(2)

    def _until_swept(self) -> float:
        """Wait until somebody has swept since now."""
        now = int(time.time()) + 1
        ask = self.cluster.database.primary().ask
        return until(lambda: int(ask("SELECT max(beat_at) FROM sweeper") or 0) >= now, "somebody sweeps")


def _said(counted: Counter[str]) -> str:
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(counted.items()))
