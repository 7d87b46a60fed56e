"""A database restored by pg_restore: an old code never opens another user's text."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest
from flask import Flask

from saver.app import Services
from saver.store import NoTextError, PoolEmptyError
from tests.conftest import NOW, Clock
from tests.support.postgres import PostgresDatabase, program
from tests.support.snapshot import execute, snapshot
from tests.support.texts import save

DATABASES = ("postgresql",)
DAY = 86_400
MONTH = 30 * DAY


def closed(app: Flask) -> None:
    """Stop the service: no connection is left."""
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["restore-finish", *arguments])
    closed(app)
    return done.exit_code, done.output


def tool(name: str, database: PostgresDatabase, *arguments: str) -> None:
    """Run a tool of PostgreSQL, as an operator does."""
    where = ["--host", "127.0.0.1", "--port", str(database.port), "--username", "saver"]
    command = [program(name), *where, "--dbname", database.name, *arguments]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_after_pg_restore_no_code_is_leased_that_was_leased_since(
    make_app: Callable[..., Flask], database: PostgresDatabase, clock: Clock, codes: list[str], tmp_path: Path
) -> None:
    app = make_app()
    services: Services = app.extensions["saver"]
    stored = save(services.store, "kept", DAY)
    once = save(services.store, "once", DAY, once=True)
    short = save(services.store, "short", 60)
    dump = tmp_path / "saver.dump"
    tool("pg_dump", database, "--format=custom", f"--file={dump}")
    clock.tick(60)
    since = save(services.store, "since", DAY)
    closed(app)
    tool("pg_restore", database, "--clean", "--if-exists", str(dump))
    assert snapshot(database).free == [since.code], "without more its code would be leased again"

    code, output = run(make_app())
    assert code == 0, output
    assert "no code is leased before" in output
    store = make_app().extensions["saver"].store
    assert snapshot(database).misplaced(codes) == {}
    assert store.load(stored.code).text == "kept"
    for gone in (once, short, since):
        with pytest.raises(NoTextError):
            store.load(gone.code)
    with pytest.raises(PoolEmptyError):
        save(store, "too early", 60)
    clock.now = NOW + 60 + MONTH + DAY - 1
    store.sweep(10)
    assert snapshot(database).free == []
    clock.tick(1)
    store.sweep(10)
    assert sorted(snapshot(database).free) == sorted(codes)


def test_the_operator_can_set_a_shorter_quarantine(
    make_app: Callable[..., Flask], database: PostgresDatabase, clock: Clock, codes: list[str]
) -> None:
    assert run(make_app(), "--codes-rest", "100")[0] == 0
    store = make_app().extensions["saver"].store
    clock.tick(100)
    store.sweep(10)
    assert sorted(snapshot(database).free) == sorted(codes)


def test_while_the_service_runs_nothing_is_done(
    make_app: Callable[..., Flask], database: PostgresDatabase, codes: list[str]
) -> None:
    # The same database under any other URL.
    serving = make_app(database_url=f"{database.address}?application_name=web1").extensions["saver"].store
    serving.audit()
    code, output = run(make_app())
    assert (code, "in use" in output) == (1, True)
    assert sorted(snapshot(database).free) == sorted(codes)


def test_a_client_that_just_left_is_not_in_the_way(
    make_app: Callable[..., Flask], database: PostgresDatabase
) -> None:
    # The server lists a client for a moment after it has ended.
    leaving = make_app(database_url=f"{database.address}?application_name=web1")
    leaving.extensions["saver"].store.audit()
    leaves = Timer(0.2, closed, [leaving])
    leaves.start()
    code, output = run(make_app())
    leaves.join()
    assert code == 0, output


def test_another_schema_is_named(make_app: Callable[..., Flask], database: PostgresDatabase) -> None:
    execute(database, "UPDATE alembic_version SET version_num = '0001'")
    code, output = run(make_app())
    assert (code, "schema 0001" in output) == (1, True)


@pytest.mark.databases("sqlite")
def test_a_file_is_restored_otherwise(make_app: Callable[..., Flask]) -> None:
    code, output = run(make_app())
    assert (code, "this database is a file" in output) == (1, True)
