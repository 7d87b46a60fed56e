"""The worker: a ``schedule`` loop around ``TextStore.sweep``.

Expiry does not depend on it: a text is refused from the second on in which it expires,
whether it was swept or not. The worker wipes it and returns its code to the pool. It logs to stderr,
and sends a keep-alive message to the service manager, if there is one, after every piece of work.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

from schedule import Scheduler

from saver.app import Services, create_app
from saver.codes import SPACE
from saver.database import StorageError
from saver.ops.check import LOW_POOL
from saver.ops.health import Readiness, heartbeat_timeout
from saver.ops.systemd import SystemdNotifier
from saver.settings import Settings, SettingsError, notify_socket
from saver.store import SweepResult, TextStore

_log = logging.getLogger(__name__)

# Rows in one batch of a sweep.
_MIN_BATCH, _FIRST_BATCH = 20, 100
# In seconds. Every heartbeat is a commit, so a long sweep has one a second and not one a batch.
_HEARTBEAT_INTERVAL = 1.0
_MAINTENANCE_INTERVAL = 60
_CHECKPOINT_INTERVAL = 0.2


def _do_nothing() -> None:
    """The default of ``keep_alive``: no service manager waits for it."""


class Sweeper:
    """Sweeps in batches that are too short to delay a writer."""

    def __init__(
        self,
        store: TextStore,
        readiness: Readiness,
        stop: threading.Event,
        keep_alive: Callable[[], None] = _do_nothing,
    ) -> None:
        self._store = store
        self._readiness = readiness
        self._stop = stop
        self._keep_alive = keep_alive
        self._batch_size = _FIRST_BATCH
        self._next_heartbeat = 0.0

    def run(self) -> None:
        """Sweep until nothing is left to do or ``stop`` is set; a batch that has begun is finished."""
        self._keep_reserve()
        wiped = freed = 0
        more = True
        while more and not self._stop.is_set():
            started = time.monotonic()
            swept = self._sweep()
            took = time.monotonic() - started
            wiped, freed, more = wiped + swept.wiped, freed + swept.freed, swept.more
            self._keep_alive()
            self._record_heartbeat(is_last=not more)
            self._adapt_batch_size(took)
            self._pause(took * self._store.database.batch_policy.pause_factor if more else 0.0)
        if wiped or freed:
            _log.info("swept: %d wiped, %d given back", wiped, freed)

    def _keep_reserve(self) -> None:
        try:
            self._store.keep_reserve()
        except StorageError as error:
            # Sweeping frees space, so it continues.
            _log.error("no room can be kept on the disk (%s)", error)

    def _sweep(self) -> SweepResult:
        try:
            return self._store.sweep(self._batch_size)
        except StorageError as error:
            # Perhaps the batch took longer than the statement timeout allows, so the next one is smaller.
            # On a full disk it has one row, because a wipe needs space in the log.
            self._batch_size = 1 if error.disk_full else max(_MIN_BATCH, self._batch_size // 2)
            raise

    def _pause(self, seconds: float) -> None:
        # A checkpoint holds no lock, so it is a part of the pause. After every batch: while the sweep
        # writes nothing, the log can be copied completely, and the next writer begins it anew.
        until = time.monotonic() + seconds
        self._store.checkpoint()
        if (left := until - time.monotonic()) > 0:
            self._stop.wait(left)

    def _record_heartbeat(self, *, is_last: bool) -> None:
        now = time.monotonic()
        if is_last or now >= self._next_heartbeat:
            self._readiness.record_heartbeat()
            self._next_heartbeat = now + _HEARTBEAT_INTERVAL

    def _adapt_batch_size(self, took: float) -> None:
        policy = self._store.database.batch_policy
        scaled = round(self._batch_size * min(2.0, policy.batch_seconds / max(took, 1e-4)))
        self._batch_size = max(min(_MIN_BATCH, 2 * self._batch_size), min(policy.max_rows, scaled))


def purge_and_check_pool(store: TextStore) -> None:
    """Delete the receipts of codes that are free again, and warn if few codes are free."""
    store.purge_receipts()
    free = store.count_free()
    if free < SPACE * LOW_POOL:
        _log.warning("the pool runs short: %d of %d codes are free", free, SPACE)


def checkpoint_until(stop: threading.Event, store: TextStore) -> None:
    """Copy what writers add to SQLite's log into the database, so that no writer has to."""
    while not stop.wait(_CHECKPOINT_INTERVAL):
        store.checkpoint()


class PeriodicJob:
    """Runs a job every ``interval`` seconds until ``stop`` is set, also if it fails or the clock jumps."""

    def __init__(
        self,
        job: Callable[[], None],
        interval: int,
        stop: threading.Event,
        keep_alive: Callable[[], None] = _do_nothing,
    ) -> None:
        self._job = job
        self._keep_alive = keep_alive
        self._interval = interval
        self._stop = stop
        self._scheduler = Scheduler()

    def run(self) -> None:
        """Run the job now and then on schedule."""
        self.start()
        while not self._stop.is_set():
            self.run_pending()
            self._stop.wait(min(1.0, self._interval))

    def start(self) -> None:
        """Run the job for the first time."""
        self._run_job()
        self._schedule()

    def run_pending(self) -> None:
        """Run the job if it is due, and schedule it again if the clock was set back."""
        idle = self._scheduler.idle_seconds
        if idle is None or idle > self._interval:
            self._schedule()
        self._scheduler.run_pending()

    def _schedule(self) -> None:
        self._scheduler.clear()
        self._scheduler.every(self._interval).seconds.do(self._run_job)

    def _run_job(self) -> None:
        try:
            self._job()
        except Exception as error:
            # Without its message, which may contain a part of a text.
            _log.error("a job failed (%s), next try in %d s", type(error).__name__, self._interval)
        # Here and not in ``run``: a loop that never runs its job must count as hung. A job that fails
        # must not: a restarted process would find the same database.
        self._keep_alive()


def _services(settings: Settings | None) -> Services:
    try:
        services: Services = create_app(settings).extensions["saver"]
    except SettingsError as error:
        raise SystemExit(f"saver: {error}") from None
    except OSError as error:
        raise SystemExit(f"saver: the data directory does not work: {error}") from None
    return services


def main(settings: Settings | None = None) -> None:
    """Run the worker until SIGTERM or SIGINT, with the settings of the environment if none are given."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    services = _services(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    interval = services.settings.sweep_interval
    notifier = SystemdNotifier(notify_socket())
    notifier.ready(heartbeat_timeout(interval))
    _log.info("worker up: a sweep every %d s", interval)
    # The errors of the jobs do not name the database.
    if problem := services.readiness.database_problem():
        _log.error("%s", problem)
    if services.store.database.file:
        # A thread, because a sweep may take minutes.
        threading.Thread(target=checkpoint_until, args=(stop, services.store), daemon=True).start()
    sweeper = Sweeper(services.store, services.readiness, stop, notifier.keep_alive)
    maintenance = PeriodicJob(partial(purge_and_check_pool, services.store), _MAINTENANCE_INTERVAL, stop)
    maintenance.start()

    def sweep_and_maintain() -> None:
        sweeper.run()
        maintenance.run_pending()

    PeriodicJob(sweep_and_maintain, interval, stop, notifier.keep_alive).run()
    notifier.stopping()
    _log.info("worker down")


if __name__ == "__main__":
    main()
