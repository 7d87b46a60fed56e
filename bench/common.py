"""Used by every part: data folders and settings."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Engine

from saver.app import Services, create_app
from saver.settings import Settings
from tests.support.postgres import Cluster, PostgresDatabase

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "saver.db"
# A file in a data folder whose texts lie on a server: the address of their database.
_ADDRESS = "address"
TEXT = ("Sixteen letters." * 64)[:1024]


@dataclass(slots=True)
class Bench:
    """Where a run works and how many rounds it makes; with a cluster the texts lie in databases of it."""

    folder: Path
    rounds: int
    quick: bool
    cluster: Cluster | None = None
    _databases: dict[Path, PostgresDatabase] = field(default_factory=dict)

    def copy(self, of: Path, name: str) -> Path:
        """A data folder with a copy of what ``of`` holds."""
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(of, target)
        self._add_database(target, like=of)
        settle()
        return target

    def full(self) -> Path:
        """A data folder with a full pool, made once; to be copied, not used."""
        return self._once("full", lambda folder: list(services(folder).store.fill()))

    def empty(self) -> Path:
        """A data folder with the schema alone."""
        return self._once("empty", lambda _folder: None)

    def _once(self, name: str, make: Callable[[Path], object]) -> Path:
        folder = self.folder / name
        if not folder.exists():
            say(f"making a data folder: {name}")
            folder.mkdir()
            self._add_database(folder)
            migrate(folder)
            make(folder)
            checkpoint(folder)
        return folder

    def _add_database(self, folder: Path, like: Path | None = None) -> None:
        """Make a separate database on the cluster for a data folder, if there is a cluster."""
        if self.cluster is None:
            return
        if old := self._databases.pop(folder, None):
            self.cluster.drop(old)
        template = self._databases[like] if like else None
        if template:
            # A database that somebody is connected to cannot be copied.
            template.lose_connections()
        self._databases[folder] = self.cluster.make(template)
        (folder / _ADDRESS).write_text(self._databases[folder].address)


def address(folder: Path) -> str:
    """SAVER_DATABASE_URL of a data folder; empty where its texts lie in it."""
    path = folder / _ADDRESS
    return path.read_text() if path.exists() else ""


def say(sentence: str) -> None:
    """Print progress to stderr; stdout is for the table."""
    print(f"bench: {sentence}", file=sys.stderr, flush=True)


def load_average() -> float:
    """What else runs here: the mean number of processes at work during the last minute."""
    return os.getloadavg()[0]


def app_of(folder: Path, **changed: Any) -> Flask:
    """The app on a data folder, in this process."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return create_app(Settings(data_dir=folder, database_url=address(folder), _env_file=None, **changed))


def services(folder: Path) -> Services:
    """The services of an app on a data folder, in this process."""
    result: Services = app_of(folder).extensions["saver"]
    return result


@contextmanager
def engine_of(folder: Path) -> Iterator[Engine]:
    """The app's engine for the database of a data folder, in this process; no connection is left open."""
    app = app_of(folder)
    with app.app_context():
        engine: Engine = app.extensions["sqlalchemy"].engine
    try:
        yield engine
    finally:
        engine.dispose()


def migrate(folder: Path) -> None:
    """Make a data folder with the schema."""
    import flask_migrate  # noqa: PLC0415 - slow to import

    with app_of(folder).app_context():
        flask_migrate.upgrade()


def checkpoint(folder: Path) -> None:
    """Leave no work behind: the write-ahead log is in the database, and a server has vacuumed."""
    if server := address(folder):
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        return
    with raw(folder) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def cluster_in(folder: Path, settings: Mapping[str, str]) -> Cluster:
    """A context manager that runs PostgreSQL for this run; by default it waits for the disk."""
    return Cluster(settings, parent=folder)


@contextmanager
def raw(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database by the driver alone, set up as the app's connections are, without transactions."""
    database = sqlite3.connect(folder / DATABASE, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000"):
        database.execute(f"PRAGMA {pragma}")
    try:
        yield database
    finally:
        database.close()


def settle() -> None:
    """Write out what was copied, so that the next figure does not pay for it."""
    os.sync()


def disk_wait(folder: Path, times: int = 200) -> float:
    """The median of fdatasync after 4 KB, in milliseconds: what one commit must wait."""
    path = folder / "disk"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        waits = []
        for turn in range(times):
            started = time.perf_counter()
            os.pwrite(descriptor, bytes(4096), turn % 16 * 4096)
            os.fdatasync(descriptor)
            waits.append(time.perf_counter() - started)
        return statistics.median(waits) * 1e3
    finally:
        os.close(descriptor)
        path.unlink()


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def new_folder(parent: str | None) -> Path:
    """Where a run works; removed by the caller."""
    folder = Path(mkdtemp(prefix="saver-bench-", dir=parent))
    # A server of databases that root starts runs as somebody else, and its folder is in this one.
    folder.chmod(0o711)
    return folder
