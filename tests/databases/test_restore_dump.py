"""`flask --app saver restore` with PostgreSQL: what a dump has, and no code that was leased since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from saver.app import Services
from saver.store import NoTextError, PoolEmptyError, TextStore
from tests.conftest import Clock
from tests.databases.test_restored import closed
from tests.support.postgres import PostgresDatabase
from tests.support.snapshot import execute, query, snapshot
from tests.support.texts import save

DATABASES = ("postgresql",)
DAY = 86_400


class Service:
    """A service with a backup, a text from before it and one from after it."""

    def __init__(self, app: Flask, database: PostgresDatabase, backups: Path) -> None:
        self._app, self.database = app, database
        services: Services = app.extensions["saver"]
        self.store, self.make_backup = services.store, services.tools.backup.make
        self.before = save(self.store, "before", DAY)
        self.backup = self.make_backup(backups, 9).path
        self.since = save(self.store, "since", DAY)

    def restore(self, *options: str) -> tuple[int, str]:
        """Stop the service and restore; the exit status and what was said."""
        closed(self._app)
        done = self._app.test_cli_runner().invoke(args=["restore", str(self.backup), *options])
        closed(self._app)
        return done.exit_code, done.output


@pytest.fixture
def service(app: Flask, database: PostgresDatabase, backups: Path) -> Service:
    return Service(app, database, backups)


def test_the_backup_is_there_again_and_no_code_is_leased(service: Service, codes: list[str]) -> None:
    status, said = service.restore("--lost")
    assert status == 0, said
    assert "no code is leased before" in said
    assert service.before.code not in said
    store = service.store
    assert store.load(service.before.code).text == "before"
    with pytest.raises(NoTextError):
        store.load(service.since.code)
    with pytest.raises(PoolEmptyError):
        save(store, "too early", 60)
    assert snapshot(service.database).misplaced(codes) == {}


def test_the_operator_can_set_a_shorter_quarantine(service: Service, clock: Clock) -> None:
    assert service.restore("--lost", "--codes-rest", "100")[0] == 0
    clock.tick(100)
    store = service.store
    store.sweep(10)
    assert len(snapshot(service.database).free) == 3


def test_a_database_that_was_lost_is_restored_too(service: Service) -> None:
    execute(service.database, "DROP TABLE code, text, sweeper, meeting, alembic_version")
    status, said = service.restore("--lost")
    assert status == 0, said
    assert service.store.load(service.before.code).text == "before"


def test_without_lost_it_says_what_that_does_and_changes_nothing(service: Service) -> None:
    status, said = service.restore()
    assert (status, "With --lost no code is leased" in said) == (1, True), said
    assert service.store.load(service.since.code).text == "since"


def test_while_the_service_runs_nothing_is_restored(service: Service, make_app: Callable[..., Flask]) -> None:
    # The same database under any other URL.
    url = f"{service.database.address}?application_name=web1"
    serving: TextStore = make_app(database_url=url).extensions["saver"].store
    serving.audit()
    status, said = service.restore("--lost")
    assert (status, "in use" in said) == (1, True), said
    assert serving.load(service.since.code).text == "since"


def test_another_schema_is_refused(service: Service, backups: Path, clock: Clock) -> None:
    whole = service.backup
    execute(service.database, "UPDATE alembic_version SET version_num = '0001'")
    clock.tick(1)
    older = service.make_backup(backups, 9).path
    for backup, named in ((whole, "the database"), (older, older.name)):
        service.backup = backup
        status, said = service.restore("--lost")
        assert (status, f"{named} has schema 0001" in said) == (1, True), said
    assert query(service.database, "SELECT count(*) FROM text") == [(2,)]


def test_a_damaged_backup_leaves_the_database_as_it_was(service: Service) -> None:
    whole = service.backup.read_bytes()
    for content in (b"", b"not one", whole[: len(whole) - 300]):
        service.backup.write_bytes(content)
        status, said = service.restore("--lost")
        assert (status, said.count("\n")) == (1, 1), said
        assert service.store.load(service.since.code).text == "since"


def test_a_backup_that_is_not_there_is_named(service: Service) -> None:
    service.backup.unlink()
    status, said = service.restore("--lost")
    assert (status, f"there is no file {service.backup}" in said) == (1, True), said
