"""Cases that exist only with a database server: many writers, waits, restarts, standbys."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Connection, event

from saver import create_app
from saver.app import Services
from saver.codes import SPACE, Code
from saver.database import StorageError
from saver.settings import SettingsError
from saver.store import NoTextError, PoolEmptyError, StoredText, TextStore
from saver.texts import IdempotentRequest
from tests.conftest import Clock, settings_in
from tests.support.postgres import QUICK, Cluster, PostgresDatabase, held
from tests.support.process import wait_until
from tests.support.server import ROOT, environment
from tests.support.snapshot import execute, put_codes, query, snapshot
from tests.support.texts import extend, save
from tests.support.threads import TIMEOUT, run_concurrently

DATABASES = ("postgresql",)
CLAIM = "5f0c7a52-6c1f-4a7e-9f5e-0d1f6c7e8a01"
REPEATABLE = IdempotentRequest("8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001", b"{}")


class TestNobodyWaitsForAnothersCode:
    def test_a_code_that_is_being_taken_is_passed_over(
        self, store_with_short_timeouts: TextStore, database: PostgresDatabase, codes: list[str]
    ) -> None:
        with held(database, "DELETE FROM code WHERE code <> 'wUrp'"):
            assert save(store_with_short_timeouts, "text", 60).code == "wUrp"
        assert snapshot(database).misplaced(codes) == {}

    def test_when_others_take_each_of_the_last_ones_there_is_none(
        self, store_with_short_timeouts: TextStore, database: PostgresDatabase
    ) -> None:
        with held(database, "DELETE FROM code"), pytest.raises(PoolEmptyError):
            save(store_with_short_timeouts, "text", 60)
        save(store_with_short_timeouts, "text", 60)

    def test_a_sweep_passes_over_what_another_is_at(
        self, store_with_short_timeouts: TextStore, database: PostgresDatabase, clock: Clock, codes: list[str]
    ) -> None:
        leased = [save(store_with_short_timeouts, "text", 60).code for _ in codes]
        clock.tick(60)
        with held(database, f"SELECT 1 FROM text WHERE code = '{leased[0]}' FOR UPDATE"):
            assert store_with_short_timeouts.sweep(10).wiped == len(codes) - 1
        assert store_with_short_timeouts.sweep(10).wiped == 1

    def test_few_leases_are_taken_by_many_without_a_failure(
        self, make_app: Callable[..., Flask], database: PostgresDatabase, codes: list[str]
    ) -> None:
        store: TextStore = make_app(threads=16).extensions["saver"].store

        def save_one() -> StoredText | None:
            try:
                return save(store, "text", 60)
            except PoolEmptyError:
                return None

        saved = [lease.code for lease in run_concurrently([save_one] * 16) if lease]
        assert sorted(saved) == sorted(codes)
        assert snapshot(database).misplaced(codes) == {}


class TestItComesBackByItself:
    def test_a_lost_connection_is_not_noticed(self, app: Flask, database: PostgresDatabase) -> None:
        client, store = app.test_client(), app.extensions["saver"].store
        app.extensions["saver"].readiness.record_heartbeat()
        stored = save(store, "text", 600)

        def connect() -> None:
            store.database.engine.connect().close()

        for use in (
            lambda: store.load(stored.code),
            lambda: save(store, "more", 600),
            lambda: store.status(stored.code, stored.owner_token),
            lambda: store.sweep(10),
            store.audit,
        ):
            # Several connections, so that a read does not get an intact one by chance.
            run_concurrently([connect] * 4)
            database.lose_connections()
            use()
        database.lose_connections()
        assert client.get("/readyz").status_code == 200

    def test_a_server_that_was_restarted_is_found_again(
        self, tmp_path: Path, clock: Clock, codes: list[str]
    ) -> None:
        with Cluster(QUICK) as cluster:
            database = cluster.make()
            app = create_app(settings_in(tmp_path, database_url=database.address), clock)
            with app.app_context():
                upgrade()
            put_codes(database, codes)
            client = app.test_client()
            code = client.post("/api/v1/write", json={"text": "text"}).json["code"]
            for mode in ("fast", "immediate"):
                cluster.stop(mode)
                for path, body in (("load", {"code": code}), ("write", {"text": "text"})):
                    away = client.post(f"/api/v1/{path}", json=body)
                    assert (away.status_code, "Retry-After" in away.headers) == (503, True)
                assert client.get("/healthz").status_code == 200
                assert client.get("/readyz").json["database"] == "failing"
                cluster.start()
                assert client.post("/api/v1/load", json={"code": code}).json["text"] == "text"
                assert client.post("/api/v1/write", json={"text": mode}).status_code == 201
            with app.app_context():
                app.extensions["sqlalchemy"].engine.dispose()

    def test_a_server_that_only_reads_is_not_asked(
        self, make_app: Callable[..., Flask], database: PostgresDatabase
    ) -> None:
        execute(database, f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
        client = make_app().test_client()
        for path, body in (("load", {"code": "wUrp"}), ("write", {"text": "text"})):
            assert client.post(f"/api/v1/{path}", json=body).status_code == 503

    def test_a_server_that_turns_read_only_is_trouble_and_no_fault(
        self, store: TextStore, database: PostgresDatabase
    ) -> None:
        @event.listens_for(store.database.engine, "begin")
        def demoted(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

        with pytest.raises(StorageError):
            save(store, "text", 60)


def a_stranger_first(database: PostgresDatabase, change: str, then: Callable[[], None]) -> None:
    """Another transaction changes the text, and commits only when an operation waits for it."""
    there = threading.Event()

    def stranger() -> None:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = ?"
        with database.connect() as other:
            other.execute(f"UPDATE text SET {change}".encode())
            there.set()
            wait_until(lambda: query(database, waiting, database.name), "nobody waits")

    def second() -> None:
        assert there.wait(TIMEOUT)
        then()

    run_concurrently([second, stranger])


class TestTwoAtOnce:
    def test_two_writes_with_one_key_are_one_lease(
        self, store: TextStore, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # No look-up finds the key first: the unique key itself must keep the writes apart.
        monkeypatch.setattr(store.writer, "find_saved", lambda _: None)
        saved = run_concurrently([partial(save, store, "text", 60, idempotency=REPEATABLE)] * 6)
        assert len({lease.code for lease in saved}) == 1
        assert len(snapshot(database).leased) == 1

    @pytest.mark.parametrize("operation", ["delete", "extend"])
    def test_a_late_owner_does_not_change_another_users_text(
        self, store: TextStore, database: PostgresDatabase, operation: str
    ) -> None:
        mine = save(store, "mine", 60)

        def late() -> None:
            if operation == "delete":
                store.delete(mine.code, mine.owner_token)
            else:
                with pytest.raises(NoTextError):
                    extend(store, mine.code, mine.owner_token, 600)

        a_stranger_first(database, "owner_hash = 'stranger', body = 'a stranger''s'", late)
        assert query(database, "SELECT body, ended, expires_at FROM text") == [
            (b"a stranger's", None, mine.expires_at)
        ]

    def test_a_claim_that_comes_second_reads_nothing(
        self, store: TextStore, database: PostgresDatabase
    ) -> None:
        code = save(store, "once", 60, once=True).code

        def second() -> None:
            with pytest.raises(NoTextError):
                store.load(code, claim=CLAIM)

        a_stranger_first(database, "claim_hash = 'stranger'", second)
        assert query(database, "SELECT claim_hash FROM text") == [(b"stranger",)]

    def test_two_fills_add_every_code_once(self, store: TextStore, database: PostgresDatabase) -> None:
        added = run_concurrently([lambda: sum(step.added for step in store.fill())] * 2, timeout=180)
        assert sum(added) == SPACE - 4
        assert store.audit().is_consistent

    def test_two_migrations_are_one(self, cluster: Cluster, tmp_path: Path) -> None:
        database = cluster.make()
        environ = environment(tmp_path, {"database_url": database.address})
        command = [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "saver",
            "db",
            "upgrade",
            "-d",
            str(ROOT / "migrations"),
        ]
        both = [
            subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE) for _ in range(2)
        ]
        errors = [process.communicate(timeout=TIMEOUT)[1] for process in both]
        assert [process.returncode for process in both] == [0, 0], errors
        every = len(list((ROOT / "migrations" / "versions").glob("*.py")))
        assert sum(error.count(b"Running upgrade") for error in errors) == every
        assert query(database, "SELECT count(*) FROM alembic_version") == [(1,)]

    def test_two_heartbeats_are_one(self, make_app: Callable[..., Flask], database: PostgresDatabase) -> None:
        services: Services = make_app(threads=8).extensions["saver"]
        run_concurrently([services.readiness.record_heartbeat] * 8)
        assert query(database, "SELECT count(*) FROM sweeper") == [(1,)]


def test_a_thread_has_a_connection_and_no_more_are_opened(
    make_app: Callable[..., Flask], database: PostgresDatabase
) -> None:
    store: TextStore = make_app(threads=6).extensions["saver"].store
    run_concurrently([partial(_load_nothing, store, 50)] * 6)
    mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = ? AND application_name = 'saver'"
    [(count,)] = query(database, mine, database.name)
    assert 1 <= int(str(count)) <= 8


def _load_nothing(store: TextStore, times: int) -> None:
    for _ in range(times):
        with pytest.raises(NoTextError):
            store.load(Code("qqqq"))


def test_a_load_is_one_statement(store: TextStore) -> None:
    code = save(store, "text", 60).code
    sent: list[object] = []
    connection = store.database.engine.raw_connection()
    driver: Any = connection.driver_connection
    send = driver._exec_command

    def record(command: bytes, *rest: object, **more: object) -> object:
        sent.append(command)
        return send(command, *rest, **more)

    driver._exec_command = record
    connection.close()
    store.load(code)
    assert sent == [], "no BEGIN before it and no ROLLBACK after it"
    save(store, "text", 60)
    assert sent == [b"COMMIT"]


def test_the_servers_log_has_nothing_of_a_text(
    store_with_short_timeouts: TextStore, database: PostgresDatabase, cluster: Cluster
) -> None:
    lease = save(store_with_short_timeouts, "CANARY-TEXT", 60, "CANARY-PASSWORD", idempotency=REPEATABLE)
    with held(database, "LOCK TABLE text"):
        for use in (
            lambda: store_with_short_timeouts.load(lease.code, "CANARY-PASSWORD"),
            lambda: save(store_with_short_timeouts, "CANARY-TEXT", 60),
            lambda: store_with_short_timeouts.status(lease.code, lease.owner_token),
        ):
            with pytest.raises(StorageError):
                use()
    assert "lock timeout" in cluster.log
    for canary in ("CANARY", lease.code, lease.owner_token):
        assert canary not in cluster.log


@pytest.mark.parametrize("which", ["find_live", "find_body"])
def test_a_text_is_found_by_its_key(store: TextStore, database: PostgresDatabase, which: str) -> None:
    rows = [(f"{chr(97 + n // 676 % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}a",) for n in range(10_000)]
    insert = "INSERT INTO text (code, owner_hash, body, expires_at, free_at) VALUES (?, '', 'x', 9, 9)"
    execute(database, insert, sorted(set(rows)))
    statement = getattr(store.reader, which)
    values = {"code": "aaaa", "now": 1, "owner_hash": b""}
    with database.connect() as connection:
        connection.execute("ANALYZE text")
        plan = connection.execute(f"EXPLAIN {statement._sql}".encode(), values).fetchall()
    assert "Index Scan using pk_text" in str(plan)


@pytest.mark.parametrize(
    "address",
    [
        "mysql://user:CANARY@host/name",
        "CANARY",
        "postgresql+psycopg2://user:CANARY@host/name",
        "postgresql://user:CANA@RY:CANARY@host/name",
        "postgresql://user:CANARY@host/name?sslmod=require",
        "postgresql://user:CANARY@host/name?connect_timeout=CANARY",
    ],
)
def test_an_unusable_url_is_named_without_its_value(address: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        create_app(settings_in(tmp_path, database_url=address))
    assert "SAVER_DATABASE_URL" in str(refused.value)
    assert "CANARY" not in str(refused.value)


def test_the_password_of_the_url_is_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    address = "postgresql://saver:CANARY@127.0.0.1:1/name"
    app = create_app(settings_in(tmp_path, database_url=address))
    began = time.monotonic()
    answer = app.test_client().post("/api/v1/load", json={"code": "wUrp"})
    assert answer.status_code == 503
    # The server is gone, which is noticed at once: it is not retried for ever.
    assert time.monotonic() - began < 30
    output = app.test_cli_runner().invoke(args=["pool", "count"]).output
    shown = answer.text + output + caplog.text + repr(app.extensions["saver"].settings)
    assert "CANARY" not in shown
