"""The worker: a ``schedule`` loop around ``TextStore.sweep``.

Expiry does not depend on it: a text is refused from its last second on, whether
it is swept or not. The worker makes it gone, and its code free again. It logs to stderr,
and tells the service manager, if there is one, after every piece of work that it goes on.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from schedule import Scheduler

from saver.app import Services, create_app
from saver.codes import SPACE
from saver.database import StorageError
from saver.ops.check import LOW_POOL
from saver.ops.health import Readiness, max_silence
from saver.ops.systemd import Manager
from saver.settings import SettingsError, notify_socket
from saver.store import SweepResult, TextStore

_log = logging.getLogger(__name__)

# Rows of a batch of a sweep: the least and the first.
_LEAST, _FIRST = 20, 100
# Every heartbeat is a commit, so a long sweep has one a second and not one a batch.
_BEAT_EVERY = 1.0
_WATCH_EVERY = 60


def _nobody() -> None:
    """Whom a job tells that it goes on, where nobody asks."""


class Sweeper:
    """Sweeps in batches that a writer does not notice."""

    def __init__(
        self,
        store: TextStore,
        readiness: Readiness,
        stop: threading.Event,
        alive: Callable[[], None] = _nobody,
    ) -> None:
        self._store = store
        self._readiness = readiness
        self._stop = stop
        self._alive = alive
        self._batch = _FIRST
        self._beat_at = 0.0

    def run(self) -> None:
        """Sweep until nothing is left to do or the stop is set; the batch under way is finished."""
        self._keep_reserve()
        wiped = freed = 0
        more = True
        while more and not self._stop.is_set():
            started = time.monotonic()
            swept = self._sweep()
            took = time.monotonic() - started
            wiped, freed, more = wiped + swept.wiped, freed + swept.freed, swept.more
            self._alive()
            self._beat_at_times(last=not more)
            self._adapt(took)
            if more:
                self._stop.wait(took * self._store.database.batch_policy.pause_factor)
        if wiped or freed:
            _log.info("swept: %d wiped, %d given back", wiped, freed)

    def _keep_reserve(self) -> None:
        try:
            self._store.keep_reserve()
        except StorageError as error:
            # Sweeping makes room, so it goes on.
            _log.error("no room can be kept on the disk (%s)", error)

    def _sweep(self) -> SweepResult:
        try:
            return self._store.sweep(self._batch)
        except StorageError as error:
            # Perhaps it was too much for the time that a statement has: less of it the next time; and as
            # little as can be where there was no room for it.
            self._batch = 1 if error.disk_full else max(_LEAST, self._batch // 2)
            raise

    def _beat_at_times(self, *, last: bool) -> None:
        now = time.monotonic()
        if last or now >= self._beat_at:
            self._readiness.beat()
            self._beat_at = now + _BEAT_EVERY

    def _adapt(self, took: float) -> None:
        policy = self._store.database.batch_policy
        scaled = round(self._batch * min(2.0, policy.batch_seconds / max(took, 1e-4)))
        self._batch = max(min(_LEAST, 2 * self._batch), min(policy.max_rows, scaled))


class Watch:
    """Looks after what grows or runs short, once a minute."""

    def __init__(self, store: TextStore) -> None:
        self._store = store

    def run(self) -> None:
        """Forget receipts that nobody can ask for, and say early that the pool runs short."""
        self._store.purge_receipts()
        free = self._store.count_free()
        if free < SPACE * LOW_POOL:
            _log.warning("the pool runs short: %d of %d codes are free", free, SPACE)


class Loop:
    """Runs a job every ``every`` seconds until ``stop`` is set, whatever the job or the clock does."""

    def __init__(
        self, job: Callable[[], None], every: int, stop: threading.Event, alive: Callable[[], None] = _nobody
    ) -> None:
        self._job = job
        self._alive = alive
        self._every = every
        self._stop = stop
        self._scheduler = Scheduler()

    def run(self) -> None:
        """Run the job at once and then on schedule."""
        self.start()
        while not self._stop.is_set():
            self.tick()
            self._stop.wait(min(1.0, self._every))

    def start(self) -> None:
        """Run the job for the first time."""
        self._guarded()
        self._plan()

    def tick(self) -> None:
        """Run what is due. A clock that was set back would leave the next run far away: plan anew."""
        idle = self._scheduler.idle_seconds
        if idle is None or idle > self._every:
            self._plan()
        self._scheduler.run_pending()

    def _plan(self) -> None:
        self._scheduler.clear()
        self._scheduler.every(self._every).seconds.do(self._guarded)

    def _guarded(self) -> None:
        try:
            self._job()
        except Exception as error:
            # Without its message, which may hold what a text holds.
            _log.error("a job failed (%s), next try in %d s", type(error).__name__, self._every)
        # Told here and not in the loop: a loop that turns and never runs its job is dead too. A
        # job that fails is not: a new process would find the same database.
        self._alive()


def _services() -> Services:
    try:
        services: Services = create_app().extensions["saver"]
    except SettingsError as error:
        raise SystemExit(f"saver: {error}") from None
    except OSError as error:
        raise SystemExit(f"saver: the data directory does not work: {error}") from None
    return services


def main() -> None:
    """Run the worker until SIGTERM or SIGINT."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    services = _services()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    every = services.settings.sweep_interval
    manager = Manager(notify_socket())
    manager.ready(max_silence(every))
    _log.info("worker up: a sweep every %d s", every)
    # Its jobs fail until then, and do not say of which database.
    if fault := services.readiness.fault():
        _log.error("%s", fault)
    sweeper = Sweeper(services.store, services.readiness, stop, manager.alive)
    watch = Loop(Watch(services.store).run, _WATCH_EVERY, stop)
    watch.start()

    def both() -> None:
        sweeper.run()
        watch.tick()

    Loop(both, every, stop, manager.alive).run()
    manager.stopping()
    _log.info("worker down")


if __name__ == "__main__":
    main()
