"""SQLite's log is copied into the file by the worker, and by a writer only if the worker does not do it."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from saver.app import Services
from saver.codes import Code
from saver.store import TextStore
from saver.worker import Sweeper
from tests.conftest import NO_LIMITS, Clock
from tests.support.process import wait_until
from tests.support.server import environment
from tests.support.snapshot import Database, query
from tests.support.texts import save, stored_body

MIB = 1 << 20


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number) for number in range(200)]


@pytest.fixture
def file(services: Services, database: Database) -> Path:
    """The database's file, which holds everything that was written until now."""
    assert isinstance(database, Path)
    services.store.checkpoint()
    return database


def saved(store: TextStore, file: Path) -> bytes:
    """Save a text for a minute and return what is stored of it."""
    return stored_body(file, save(store, "text", 60).code)


def is_in(file: Path, body: bytes) -> bool:
    """Whether a body was copied into the file."""
    return body in file.read_bytes()


def log_size(file: Path) -> int:
    return file.with_name(f"{file.name}-wal").stat().st_size


@contextmanager
def writer_at_work(file: Path) -> Iterator[None]:
    """Another process writes: it holds the lock of the writers and SQLite's."""
    with (
        file.with_name(f"{file.name}-gate").open("wb") as gate,
        closing(sqlite3.connect(file, isolation_level=None)) as connection,
    ):
        fcntl.flock(gate, fcntl.LOCK_EX)
        connection.execute("BEGIN IMMEDIATE")
        yield


def test_a_writer_leaves_the_log_to_the_worker(store: TextStore, file: Path) -> None:
    before = file.read_bytes()
    for _ in range(6):
        save(store, "x" * MIB, 60)
    assert log_size(file) > 6 * MIB
    assert file.read_bytes() == before


def test_without_a_worker_the_writers_keep_the_log_short(store: TextStore, file: Path) -> None:
    longest = 0
    for _ in range(60):
        save(store, "x" * MIB, 60)
        longest = max(longest, log_size(file))
    # The limit and one more write: then it is begun anew.
    assert longest < 10 * MIB
    assert file.stat().st_size > 40 * MIB


def test_a_checkpoint_waits_for_no_writer(store: TextStore, file: Path) -> None:
    body = saved(store, file)
    assert not is_in(file, body)
    with writer_at_work(file):
        began = time.monotonic()
        store.checkpoint()
        # SQLite would wait for the writer for 5 s.
        assert time.monotonic() - began < 4.0
        assert is_in(file, body)


def test_after_a_checkpoint_the_log_is_begun_anew(store: TextStore, file: Path) -> None:
    for _ in range(20):
        save(store, "x" * MIB, 60)
        store.checkpoint()
    assert log_size(file) < 3 * MIB


def test_a_reader_delays_a_checkpoint_and_does_not_fail_it(store: TextStore, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM text").fetchall()
        body = saved(store, file)
        store.checkpoint()
        assert not is_in(file, body)
        reader.execute("COMMIT")
    store.checkpoint()
    assert is_in(file, body)


def test_a_checkpoint_of_a_file_that_is_gone_raises_nothing(store: TextStore, file: Path) -> None:
    save(store, "text", 60)
    file.unlink()
    store.checkpoint()
    assert not file.exists()


class EventThatLooks(threading.Event):
    """A stop that is never set; notes before every batch whether a body is in the file."""

    def __init__(self, file: Path, body: bytes) -> None:
        super().__init__()
        self._file, self._body = file, body
        self.found: list[bool] = []

    def is_set(self) -> bool:
        self.found.append(is_in(self._file, self._body))
        return False


def test_every_batch_of_a_sweep_is_copied(
    store: TextStore, services: Services, file: Path, clock: Clock
) -> None:
    body = saved(store, file)
    for _ in range(150):
        save(store, "text", 61)
    store.checkpoint()
    clock.tick(61)
    stop = EventThatLooks(file, body)
    Sweeper(store, services.readiness, stop).run()
    assert stop.found[:2] == [True, False]


def test_the_worker_copies_what_others_write_between_its_sweeps(
    services: Services, store: TextStore, file: Path, tmp_path: Path
) -> None:
    environ = environment(services.settings.data_dir, {**NO_LIMITS, "sweep_interval": 3_600})
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen([sys.executable, "-m", "saver.worker"], env=environ, stderr=log)
    try:
        wait_until(lambda: query(file, "SELECT 1 FROM sweeper"), "it does not sweep")
        body = saved(store, file)
        wait_until(lambda: is_in(file, body), "it does not copy the log")
    finally:
        worker.kill()
        worker.wait()
