"""Faults of each server under load: what clients observe, and that nothing is wrong or lost."""

from __future__ import annotations

import signal
import time
from collections import Counter

from tests.system.checks import must, until
from tests.system.cluster.cluster import Cluster
from tests.system.cluster.database import Postgres
from tests.system.cluster.history import Observation
from tests.system.cluster.load import Load, guesses
from tests.system.cluster.network import USER_ADDRESSES
from tests.system.cluster.servers import end

BUDGET = 10
# Each request is counted, but only misses reach a limit; lifetimes are short, so that texts expire.
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
_GUESSER, _GUESSERS = USER_ADDRESSES[38], USER_ADDRESSES[39]


class Faults:
    """One cluster under load, and the faults that can be caused in it."""

    FAULTS: tuple[str, ...] = (
        *("app-killed", "app-stopped", "app-drained", "app-cut", "worker-killed", "workers-killed"),
        *("redis-killed", "balancer-reloaded", "database-stopped"),
    )

    def __init__(self, cluster: Cluster, load: Load, down: float = 5.0) -> None:
        self.cluster = cluster
        self.load = load
        # Seconds for which a fault lasts.
        self.down = down
        self.extra: list[str] = []

    def cause(self, name: str) -> Observation:
        """Cause one of ``FAULTS`` and repair it; what clients observed until they were served again."""
        self.extra = []
        began = time.monotonic()
        getattr(self, name.replace("-", "_"))()
        self.cluster.until_all_ready()
        self.load.until_served()
        seen = self.load.history.seen(began)
        must(not self.load.history.wrong, f"{name}: {Counter(self.load.history.wrong)}")
        return seen

    def app_killed(self) -> None:
        """kill -9 of all API processes of one app server, whose worker goes on."""
        app = self.cluster.apps["app1"]
        end(app.web)
        time.sleep(self.down)
        app.start_web()

    def app_stopped(self) -> None:
        """SIGTERM; the balancer does not know it before."""
        app = self.cluster.apps["app2"]
        end(app.web, signal.SIGTERM)
        time.sleep(self.down)
        app.start_web()

    def app_drained(self) -> None:
        """The balancer stops to send requests there; then SIGTERM."""
        balancer, app = self.cluster.balancer, self.cluster.apps["app2"]
        balancer.command("set server ready/app2 state drain")
        until(lambda: balancer.sessions("app2") == 0, "nobody is on it")
        end(app.web, signal.SIGTERM)
        time.sleep(self.down)
        app.start_web()
        balancer.command("set server ready/app2 state ready")

    def app_cut(self) -> None:
        """The cable of an app server: packets are dropped without a signal."""
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
        """kill -9 of both: expired texts are still refused."""
        apps = self.cluster.apps.values()
        for app in apps:
            end(app.worker)
        before = self.load.history.expired
        until(lambda: self.load.history.expired >= before + 2, "texts expire without a worker")
        self.extra.append(f"{self.load.history.expired - before} texts expired meanwhile, all refused")
        for app in apps:
            app.start_worker()
        self._until_swept()

    def redis_killed(self) -> None:
        """kill -9: no request passes uncounted, and no limit is reset."""
        spent = guesses(self.cluster, _GUESSER, BUDGET + 4)
        must(spent == {"404": BUDGET, "429": 4}, f"the budget over both app servers: {spent}")
        self.cluster.redis.kill()
        began = time.monotonic()
        without = guesses(self.cluster, _GUESSERS, 8)
        must(not without["404"] and not without["200"], f"without Redis: {without}")
        time.sleep(max(0.0, began + self.down - time.monotonic()))
        self.cluster.redis.start()
        self.load.until_served()
        again = guesses(self.cluster, _GUESSER, 4)
        must(again == {"429": 4}, f"a spent budget after Redis was killed: {again}")
        self.extra.append(
            f"guesses without it {_counts(without)}; with a spent budget after it {_counts(again)}"
        )

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
        """Wait until a worker has swept since now."""
        now = int(time.time()) + 1
        ask = self.cluster.database.primary().ask
        return until(lambda: int(ask("SELECT max(beat_at) FROM sweeper") or 0) >= now, "a worker sweeps")


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} x {kind}" for kind, count in sorted(counted.items()))
