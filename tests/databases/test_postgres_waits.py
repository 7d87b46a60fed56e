"""No request waits for ever for a database server, and no write is acknowledged before it is replicated."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from saver import create_app
from saver.database import NO_STATEMENT_TIMEOUT, WRITE, IncompatibleDatabaseError, StorageError, timeouts
from saver.store import TextStore
from tests.conftest import Clock, settings_in
from tests.support.postgres import QUICK, Cluster, PostgresDatabase, held, tell_server
from tests.support.snapshot import execute, put_codes, query, snapshot
from tests.support.texts import save
from tests.support.threads import run_concurrently

DATABASES = ("postgresql",)
KEY = {"Idempotency-Key": "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"}
CLAIM = "5f0c7a52-6c1f-4a7e-9f5e-0d1f6c7e8a01"


class TestWaitsEnd:
    def test_the_wait_for_a_locked_row_is_limited(
        self, store_with_short_timeouts: TextStore, database: PostgresDatabase
    ) -> None:
        lease = save(store_with_short_timeouts, "text", 60)
        with held(database, "SELECT 1 FROM text FOR UPDATE"):
            with pytest.raises(StorageError):
                store_with_short_timeouts.delete(lease.code, lease.owner_token)
            assert store_with_short_timeouts.load(lease.code).text == "text"
        store_with_short_timeouts.delete(lease.code, lease.owner_token)

    def test_a_statement_takes_a_bounded_time(self, store: TextStore) -> None:
        with store.database.engine.connect() as connection:
            settings = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
            found = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in settings]
        assert found == ["10s", "5s", "10s"]


class ServiceWithStandby:
    """A service with synchronous replication, whose standby can be away."""

    def __init__(self, cluster: Cluster, folder: Path, clock: Clock) -> None:
        self.database = cluster.make()
        with create_app(settings_in(folder, database_url=self.database.address)).app_context():
            upgrade()
        put_codes(self.database, ["wUrp"])
        waiting = "?options=-c%20synchronous_commit%3Don"
        self.app = create_app(settings_in(folder, database_url=self.database.address + waiting), clock)
        self.client = self.app.test_client()
        self.store: TextStore = self.app.extensions["saver"].store
        self.standby(there=True)

    def standby(self, *, there: bool) -> None:
        """Let commits wait for a standby that does not exist, or for none."""
        names = "" if there else "nobody"
        tell_server(self.database.port, f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        tell_server(self.database.port, "SELECT pg_reload_conf()")
        shown = "SHOW synchronous_standby_names"
        while query(self.database, shown) != [(names,)]:
            pass

    def post(self, path: str, body: object, **more: object) -> tuple[int, dict[str, object]]:
        answer = self.client.post(f"/api/v1/{path}", json=body, **more)
        return answer.status_code, answer.json or {}


@pytest.fixture
def service(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceWithStandby]:
    monkeypatch.setattr(timeouts, "COMMIT_TIMEOUT", 0.2)
    with Cluster({**QUICK, "synchronous_commit": "local"}) as cluster:
        yield ServiceWithStandby(cluster, tmp_path / "service", clock)


class TestTheStandbyIsAway:
    def test_a_write_is_not_acknowledged_nor_its_repetition(self, service: ServiceWithStandby) -> None:
        service.standby(there=False)
        for _ in range(2):
            assert service.post("write", {"text": "text"}, headers=KEY)[0] == 503
        # The text is on one machine: if it were acknowledged, it would be lost with that machine.
        assert snapshot(service.database).leased == ["wUrp"]
        service.standby(there=True)
        assert service.post("write", {"text": "text"}, headers=KEY)[0] == 201

    def test_a_deletion_is_not_acknowledged_nor_its_repetition(self, service: ServiceWithStandby) -> None:
        owned = service.post("write", {"text": "text"})[1]
        owner = {name: owned[name] for name in ("code", "owner_token")}
        service.standby(there=False)
        assert [service.post("delete", owner)[0] for _ in range(2)] == [503, 503]
        service.standby(there=True)
        assert service.post("delete", owner)[0] == 204

    @pytest.mark.parametrize("claim", [{"claim": CLAIM}, {}])
    def test_a_one_time_text_is_not_lost(
        self, service: ServiceWithStandby, clock: Clock, claim: dict[str, str]
    ) -> None:
        code = service.post("write", {"text": "once", "once": True, "expires_in": 3_600})[1]["code"]
        before = query(service.database, "SELECT * FROM text")
        service.standby(there=False)
        assert [service.post("load", {"code": code, **claim})[0] for _ in range(2)] == [503, 503]
        assert query(service.database, "SELECT * FROM text") == before
        service.standby(there=True)
        clock.tick(600)
        assert service.post("load", {"code": code, **claim})[1]["text"] == "once"

    def test_a_second_claim_is_no_server_error(self, service: ServiceWithStandby) -> None:
        code = service.post("write", {"text": "once", "once": True})[1]["code"]
        assert service.post("load", {"code": code, "claim": CLAIM})[0] == 200
        # Claimed between the look-up and the transaction, as by another reader at the same time.
        find_live = service.store.reader.find_live
        find = find_live.one
        find_live.one = lambda values: (*find(values)[:3], None, *find(values)[4:])  # type: ignore
        service.standby(there=False)
        assert service.post("load", {"code": code, "claim": CLAIM[:-1] + "2"})[0] == 503

    def test_no_setting_of_the_database_hides_it(self, service: ServiceWithStandby) -> None:
        name = service.database.name
        tell_server(service.database.port, f"ALTER DATABASE {name} SET client_min_messages = error")
        service.standby(there=False)
        assert service.post("write", {"text": "text"})[0] == 503


@contextmanager
def frozen(database: PostgresDatabase) -> Iterator[None]:
    """Stop every process of the server that works for this database; the kernel still accepts packets."""
    mine = "SELECT pid FROM pg_stat_activity WHERE datname = ? AND pid <> pg_backend_pid()"
    pids = [int(str(pid)) for (pid,) in query(database, mine, database.name)]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_the_wait_for_a_stopped_server_is_limited(
    app: Flask, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "WORK_TIMEOUT", 0.5)
    client: FlaskClient = app.test_client()
    code = client.post("/api/v1/write", json={"text": "text"}).json["code"]
    for path, body in (("load", {"code": code}), ("write", {"text": "text"})):
        assert client.post(f"/api/v1/{path}", json=body).status_code in (200, 201)
        with frozen(database):
            ask_it = partial(client.post, f"/api/v1/{path}", json=body)
            [answer] = run_concurrently([ask_it], timeout=30)
            assert answer.status_code in (200, 201, 503)
    assert client.post("/api/v1/load", json={"code": code}).json["text"] == "text"


class TestTheServersSettings:
    def test_a_migration_may_take_long_but_not_wait_long(self, store: TextStore) -> None:
        engine = store.database.engine.execution_options(**WRITE, **NO_STATEMENT_TIMEOUT)
        with engine.begin() as connection:
            found = [
                connection.exec_driver_sql(f"SHOW {name}").scalar_one()
                for name in ("statement_timeout", "lock_timeout")
            ]
        assert found == ["0", "5s"]

    def test_a_database_that_cannot_keep_every_text_is_refused(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        name = "latin"
        tell_server(cluster.port, f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0")
        app = create_app(settings_in(tmp_path, database_url=PostgresDatabase(cluster.port, name).address))
        with app.app_context(), pytest.raises(IncompatibleDatabaseError, match="SQL_ASCII"):
            upgrade()

    def test_check_finds_a_server_that_logs_texts(
        self, make_app: Callable[..., Flask], database: PostgresDatabase
    ) -> None:
        execute(database, f"ALTER DATABASE {database.name} SET log_min_duration_statement = 0")
        output = make_app().test_cli_runner().invoke(args=["check"]).output
        assert "log_parameter_max_length" in output

    def test_a_column_that_changed_is_read_without_a_restart(
        self, store: TextStore, database: PostgresDatabase
    ) -> None:
        lease = save(store, "text", 600)
        for _ in range(8):
            store.load(lease.code)
            store.status(lease.code, lease.owner_token)
        execute(database, "ALTER TABLE text ALTER COLUMN seal TYPE varchar, ALTER COLUMN ended TYPE varchar")
        assert store.load(lease.code).text == "text"
        assert store.status(lease.code, lease.owner_token).state == "loaded"
