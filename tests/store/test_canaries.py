"""Open texts are searched for in every file of the databases, in their logs, backups and dumps.

10,000 of them: CANARIES=10000 ./scripts/test tests/store/test_canaries.py
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade

from saver.app import Services
from saver.codes import Code
from tests.conftest import ALL_DATABASES, Clock
from tests.support.postgres import Cluster, PostgresDatabase, program, tell_server
from tests.support.snapshot import Database, execute
from tests.support.texts import save

DATABASES = ALL_DATABASES
COUNT = int(os.environ.get("CANARIES", "250"))
# In a table that is not saver's: the search must find what is not encrypted.
CONTROL = ("CREATE TABLE control (body TEXT)", "INSERT INTO control VALUES ('CONTROL in clear')")


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number * 7) for number in range(COUNT + 50)]


def save_all(services: Services, clock: Clock, mark: str) -> None:
    """Texts of every kind and length; some end, so that wiped rows are in the files too."""
    for number in range(COUNT):
        text = f"{mark}{number:05}"
        repeated = (1, 30, 300)[number % 3] if number % 100 else 10_000
        lease = save(services.store, text * repeated, 60 if number % 5 == 0 else 6_000)
        if number % 7 == 0:
            services.store.delete(lease.code, lease.owner_token)
        elif number % 3 == 0:
            assert services.store.load(lease.code).text.startswith(text)
    for _ in range(20):
        save(services.store, f"{mark}once", 6_000, once=True)
    clock.tick(60)
    for _ in services.store.sweep_all(250):
        pass


def files_of(database: Database, cluster: Cluster | None) -> list[Path]:
    """The files of a database; of a server those of its log too."""
    if cluster is None:
        assert isinstance(database, Path)
        return list(database.parent.iterdir())
    tell_server(cluster.port, "CHECKPOINT")
    return list(cluster.data.rglob("*"))


def found(paths: Iterable[Path], needle: str) -> set[str]:
    """The folders and files that have it."""
    return {
        f"{path.parent.name}/{path.name}"
        for path in paths
        if path.is_file() and needle.encode() in path.read_bytes()
    }


@pytest.fixture
def server(database: Database, request: pytest.FixtureRequest) -> Cluster | None:
    if not isinstance(database, PostgresDatabase):
        return None
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster


def test_no_open_text_is_in_a_file(
    services: Services, database: Database, server: Cluster | None, clock: Clock, backups: Path
) -> None:
    save_all(services, clock, "CANARYFILE")
    for statement in CONTROL:
        execute(database, statement)
    backup = services.tools.backup.make(backups, 1).path
    if server:
        dump = backups / "dump.sql"
        subprocess.run([program("pg_restore"), f"--file={dump}", str(backup)], check=True)
        backup = dump
    files = [*files_of(database, server), backup]
    assert found(files, "CANARYFILE") == set()
    control = found(files, "CONTROL")
    assert f"backups/{backup.name}" in control
    assert [name for name in control if "pg_wal/" in name or name.endswith("-wal")]


def test_a_migration_leaves_no_open_text_in_the_tables(
    app: Flask, services: Services, database: Database, server: Cluster | None, clock: Clock
) -> None:
    save_all(services, clock, "CANARYMIGRATED")
    with app.app_context():
        downgrade(revision="0004")
        assert found(files_of(database, server), "CANARYMIGRATED")
        upgrade()
    left = found(files_of(database, server), "CANARYMIGRATED")
    # PostgreSQL's log has what the tables had, until it is recycled.
    assert {name for name in left if not name.startswith("pg_wal/")} == set()
    assert server or not left
