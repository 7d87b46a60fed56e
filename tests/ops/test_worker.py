"""The worker continues after failing jobs and changes of the clock; without it only cleaning stops."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from flask.testing import FlaskClient

from saver.app import Services
from saver.codes import Code
from saver.database import StorageError
from saver.store import TextStore
from saver.store.sweep import SweepResult
from saver.worker import PeriodicJob, Sweeper
from tests.conftest import ALL_DATABASES, NO_LIMITS, NOW, Clock, address_of
from tests.support.process import wait_until
from tests.support.server import environment
from tests.support.snapshot import Database, execute, query, snapshot
from tests.support.texts import stored_texts

DATABASES = ALL_DATABASES

EVERY = 5
HOUR = 3_600
DAY = 86_400
# At 01:00 UTC clocks in Berlin go back from 3 to 2, or forward from 2 to 3.
SUMMER_ENDS, SUMMER_BEGINS = 1_792_890_000, 1_774_746_000


class InstantEvent(threading.Event):
    """A stop event whose wait returns at once: the test moves the time."""

    def __init__(
        self, clock: time_machine.Traveller, last: float, jump_at: float = 0, jump: float = 0
    ) -> None:
        super().__init__()
        self._clock, self._last, self._jump_at, self._jump = clock, last, jump_at, jump
        self.passed = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert timeout > 0
        self._clock.shift(timeout)
        self.passed += timeout
        if self._jump and self.passed >= self._jump_at:
            self._clock.shift(self._jump)
            self._jump = 0
        if self.passed >= self._last:
            self.set()
        return self.is_set()


def runs(
    start: float, last: float = 120, jump_at: float = 0, jump: float = 0, every: int = EVERY
) -> list[float]:
    """When the job ran, in seconds since the loop began."""
    with time_machine.travel(start, tick=False) as clock:
        stop = InstantEvent(clock, last, jump_at, jump)
        found: list[float] = []
        PeriodicJob(lambda: found.append(stop.passed), every, stop).run()
    return found


def longest_gap(found: list[float], last: float = 120) -> float:
    return max(after - before for before, after in pairwise([*found, last]))


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def go(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield go
    monkeypatch.undo()
    time.tzset()


def test_the_job_runs_immediately_and_then_on_schedule() -> None:
    assert runs(NOW, last=20) == [0, 5, 10, 15]


@pytest.mark.parametrize("edge", [SUMMER_ENDS, SUMMER_BEGINS])
def test_a_change_of_the_season_does_not_stop_it(in_zone: Callable[[str], None], edge: int) -> None:
    in_zone("Europe/Berlin")
    before, after = (time.localtime(edge + seconds).tm_isdst for seconds in (-1, 0))
    assert before != after, "the zone has no such change: nothing would be tested"
    for start in range(edge - 60, edge - 50):
        assert longest_gap(runs(start)) <= 2 * EVERY


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -DAY, DAY, -3, 3])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_clock_that_is_set_does_not_stop_it(in_zone: Callable[[str], None], zone: str, jump: int) -> None:
    in_zone(zone)
    for jump_at in range(40, 40 + EVERY):
        assert longest_gap(runs(NOW, jump_at=jump_at, jump=jump)) <= 2 * EVERY


def test_a_job_that_fails_is_tried_again_and_its_message_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = []

    def job() -> None:
        tries.append(1)
        raise RuntimeError("CANARY")

    with time_machine.travel(NOW, tick=False) as clock, caplog.at_level(logging.DEBUG):
        PeriodicJob(job, EVERY, InstantEvent(clock, 22)).run()
    assert len(tries) == 5
    failures = [record for record in caplog.records if record.name == "saver.worker"]
    assert [record.levelname for record in failures] == ["ERROR"] * 5
    assert "RuntimeError" in caplog.text
    assert "CANARY" not in caplog.text
    assert all(record.exc_info is None for record in failures)


class TimedStore:
    """The real sweep with a fake duration of each batch; stops after the last batch."""

    def __init__(self, store: TextStore, a_code_takes: float, stop: threading.Event, batches: int) -> None:
        self._store, self._a_code_takes, self._stop, self._batches = store, a_code_takes, stop, batches
        self.database = store.database
        self.keep_reserve, self.checkpoint = store.keep_reserve, store.checkpoint
        self.sizes: list[int] = []
        self.now = 0.0

    def sweep(self, max_rows: int) -> SweepResult:
        swept = self._store.sweep(max_rows)
        self.sizes.append(max_rows)
        self.now += max_rows * self._a_code_takes
        if len(self.sizes) == self._batches:
            self._stop.set()
        return swept


class RecordingEvent(threading.Event):
    """Records the pauses, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return self.is_set()


def put_rested(database: Database, count: int) -> list[str]:
    """Texts that were wiped or are overdue, and whose codes may become free."""
    codes = [Code.nth(number * 7) for number in range(count)]
    rows = [(code, None if number % 2 else "body", bytes(32), 1, 2) for number, code in enumerate(codes)]
    execute(database, "DELETE FROM code")
    execute(
        database,
        "INSERT INTO text (code, body, owner_hash, expires_at, free_at) VALUES (?, ?, ?, ?, ?)",
        rows,
    )
    return list(codes)


@pytest.mark.parametrize(
    ("a_code_takes", "sizes"),
    [
        (0.001, {"sqlite": [100, 20, 20, 20], "postgresql": [100, 50, 50]}),
        (0.0001, {"sqlite": [100, 100, 100], "postgresql": [100, 200, 400, 500, 500]}),
        (0.00001, {"sqlite": [100, 200, 250, 250], "postgresql": [100, 200, 400, 800, 1_600, 2_000]}),
    ],
)
def test_the_batch_fits_itself_to_the_time_it_takes(
    services: Services,
    database: Database,
    database_kind: str,
    monkeypatch: pytest.MonkeyPatch,
    a_code_takes: float,
    sizes: dict[str, list[int]],
) -> None:
    put_rested(database, 8_000)
    stop = RecordingEvent()
    wanted = sizes[database_kind]
    timed = TimedStore(services.store, a_code_takes, stop, len(wanted))
    monkeypatch.setattr("saver.worker.time", SimpleNamespace(monotonic=lambda: timed.now))
    Sweeper(timed, services.readiness, stop).run()  # type: ignore[arg-type]
    assert timed.sizes == wanted
    # The pause is longer than the work, so that writers get the lock.
    min_wait_per_code = {"sqlite": 1.0, "postgresql": 0.4}[database_kind] * a_code_takes
    assert all(wait > size * min_wait_per_code for wait, size in zip(stop.waits, wanted, strict=False))


def test_a_batch_that_failed_is_followed_by_a_smaller_one(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_rested(database, 200)
    asked: list[int] = []

    def too_much(max_rows: int) -> SweepResult:
        asked.append(max_rows)
        raise StorageError

    sweeper = Sweeper(services.store, services.readiness, RecordingEvent())
    with monkeypatch.context() as patched:
        patched.setattr(services.store, "sweep", too_much)
        for _ in range(4):
            with pytest.raises(StorageError):
                sweeper.run()
    assert asked == [100, 50, 25, 20]
    sweeper.run()
    assert not snapshot(database).leased


def test_a_sweeper_goes_on_until_nothing_is_left(services: Services, database: Database) -> None:
    codes = put_rested(database, 1_000)
    Sweeper(services.store, services.readiness, RecordingEvent()).run()
    found = snapshot(database)
    assert (len(found.free), found.misplaced(codes)) == (1_000, {})


def test_the_sweeper_is_ready_as_long_as_it_sweeps(
    services: Services, client: FlaskClient, clock: Clock
) -> None:
    def state() -> tuple[int, str]:
        answer = client.get("/readyz")
        return answer.status_code, answer.get_json()["sweeper"]

    assert state() == (503, "failing")
    Sweeper(services.store, services.readiness, RecordingEvent()).run()
    assert state() == (200, "ok")
    clock.tick(60)
    assert state() == (200, "ok")
    clock.tick(0.001)
    assert state() == (503, "failing")
    Sweeper(services.store, services.readiness, RecordingEvent()).run()
    assert state() == (200, "ok")


def test_a_text_is_refused_in_time_with_no_worker_at_all(
    client: FlaskClient, store: TextStore, clock: Clock, database: Database
) -> None:
    written = client.post("/api/v1/write", json={"text": "text", "expires_in": 60}).get_json()
    code = {"code": written["code"]}
    clock.tick(59.999)
    assert client.post("/api/v1/load", json=code).status_code == 200
    clock.now = NOW + 60
    assert client.post("/api/v1/load", json=code).status_code == 404
    assert stored_texts(store, database) == [(written["code"], "text")]


def test_it_names_the_database_that_has_no_tables(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "saver.worker"]
        worker = subprocess.Popen(command, env=environment(tmp_path / "data", {}), stderr=file)
    try:
        named = f"there is no database {tmp_path}/data/saver.db: flask --app saver db upgrade"
        wait_until(lambda: named in log.read_text(), "it does not say which")
    finally:
        worker.kill()
        worker.wait()


def test_sigterm_lets_it_finish_its_batch(services: Services, database: Database) -> None:
    folder = services.settings.data_dir
    codes = put_rested(database, 40_000)
    log = folder / "worker.log"
    with log.open("wb") as file:
        environ = environment(folder, {**NO_LIMITS, **address_of(database), "sweep_interval": 1}) | {
            "TZ": "Europe/Berlin"
        }
        command = [sys.executable, "-m", "saver.worker"]
        worker = subprocess.Popen(command, cwd=folder, env=environ, stderr=file)
    try:
        wait_until(lambda: snapshot(database).free, "the worker gives nothing back")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    finally:
        worker.kill()
        worker.wait()
    found = snapshot(database)
    assert found.misplaced(codes) == {}
    assert found.leased, "it was stopped in the middle of its work"
    # The log and the database agree: both contain the last batch.
    [(wiped, freed)] = re.findall(r"swept: (\d+) wiped, (\d+) given back", log.read_text())
    held = query(database, "SELECT count(*) FROM text WHERE body IS NOT NULL")[0][0]
    assert (int(wiped), int(freed)) == (20_000 - int(str(held)), len(found.free))
    assert "worker down" in log.read_text()
