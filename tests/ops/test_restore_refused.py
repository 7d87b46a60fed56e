"""What `restore` refuses; it then changes nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from saver.ops import OperationError
from saver.ops.files import create_private
from tests.conftest import Clock
from tests.support.service_with_backups import ServiceWithBackups
from tests.support.texts import save


@pytest.fixture
def service(make_app: Callable[..., Flask], clock: Clock, tmp_path: Path) -> ServiceWithBackups:
    return ServiceWithBackups(make_app, clock, tmp_path, "data")


def test_one_at_a_time_and_what_a_killed_one_left_is_no_hindrance(service: ServiceWithBackups) -> None:
    backup = service.backup()
    left = service.database.with_name("saver.db.restoring")
    lock = create_private(left)
    with pytest.raises(OperationError, match="another restore is under way"):
        service.restore(backup)
    assert left.exists()
    # As after a kill: the file stays, and no process holds its lock.
    os.close(lock)
    assert service.restore(backup).audit.free == 4
    assert not left.exists()


def test_a_restore_that_fails_leaves_all_as_it_was(service: ServiceWithBackups) -> None:
    backup = service.backup()
    code = save(service.store, "still there", 600).code
    # The new name of the old database is taken, so the last step fails.
    stamp = "20270115T080000Z"
    service.database.with_name(f"saver.db.replaced-{stamp}").write_text("mine")
    with pytest.raises(OperationError, match="is there already"):
        service.restore(backup)
    assert service.reads(code) == "still there"
    assert sorted(path.name for path in service.database.parent.glob("saver.db*restor*")) == []


@pytest.mark.parametrize("name", ["with a space", "100%25", "a?b#c", "한국어", "quote'"])
def test_any_path_will_do(make_app: Callable[..., Flask], clock: Clock, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    service = ServiceWithBackups(make_app, clock, tmp_path / name, "data")
    service.database = service.services.settings.data_dir / "saver.db"
    lease = save(service.store, "x", 600)
    moved = service.backup().rename(tmp_path / name / "moved.db")
    service.restore(moved)
    assert service.reads(lease.code) == "x"


class TestRefused:
    """A file that is not a backup of this version never replaces the database."""

    def test_while_a_process_has_the_database_open(self, service: ServiceWithBackups) -> None:
        backup = service.backup()
        save(service.store, "x", 600)
        # An idle reader, as a process of the service at night.
        hold = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode = WAL')"
        hold += "; c.execute('SELECT 1 FROM code').fetchall(); print('+', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", hold, str(service.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout
            assert other.stdout.readline()
            with pytest.raises(OperationError, match=f"in use by process {other.pid}: stop"):
                service.restore(backup)
            other.communicate(b"")
        assert service.store.audit().live == 1
        service.restore(backup)
        assert service.store.audit().live == 0

    def test_a_file_that_is_torn(self, service: ServiceWithBackups, tmp_path: Path) -> None:
        torn = tmp_path / "torn.db"
        torn.write_bytes(service.backup().read_bytes()[:-8_192])
        self._refused(service, torn, "torn.db is (damaged|no whole database of saver)")

    def test_a_file_of_another_user(self, service: ServiceWithBackups, tmp_path: Path) -> None:
        foreign = tmp_path / "foreign.db"
        with closing(sqlite3.connect(foreign)) as database, database:
            database.execute("CREATE TABLE code (code TEXT)")
        self._refused(service, foreign, "foreign.db is no whole database of saver: no such table")
        foreign.write_text("no database at all")
        self._refused(service, foreign, "foreign.db is no whole database of saver: file is not a database")

    def test_a_file_of_an_older_schema(self, service: ServiceWithBackups) -> None:
        backup = service.backup()
        with closing(sqlite3.connect(backup)) as database, database:
            database.execute("UPDATE alembic_version SET version_num = '0001'")
        self._refused(service, backup, "has schema 0001, this saver needs")

    def test_a_database_that_is_in_use(self, service: ServiceWithBackups) -> None:
        self._refused(service, service.database, "is the database itself")

    def test_a_file_with_a_wal_file(self, service: ServiceWithBackups) -> None:
        backup = service.backup()
        backup.with_name(f"{backup.name}-wal").write_bytes(b"what is not in the file yet")
        self._refused(service, backup, "-wal lies beside it: that is a database in use")

    def test_a_backup_that_breaks_a_rule(self, service: ServiceWithBackups) -> None:
        save(service.store, "x", 60)
        backup = service.backup()
        with closing(sqlite3.connect(backup)) as database, database:
            database.execute("INSERT INTO code SELECT code FROM text")
        self._refused(service, backup, "1 codes in two places")

    def test_no_file(self, service: ServiceWithBackups, tmp_path: Path) -> None:
        self._refused(service, tmp_path / "nothing.db", "there is no file")

    def _refused(self, service: ServiceWithBackups, file: Path, sentence: str) -> None:
        code = save(service.store, "still there", 600).code
        with pytest.raises(OperationError, match=sentence):
            service.restore(file)
        assert service.reads(code) == "still there"
        assert not list(service.database.parent.glob("*re*or*"))
