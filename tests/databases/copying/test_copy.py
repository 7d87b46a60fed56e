"""`flask --app saver copy-to-server`: everything is copied, and the old database is read-only."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from saver.codes import Code
from saver.database.errors import StorageError
from saver.ops import CopyToServer
from saver.store import StoredText, TextStore
from saver.texts import IdempotentRequest
from tests.conftest import Clock
from tests.databases.copying.conftest import CLAIM, HOSTILE, JWE, PROOF, SECRET
from tests.support.copying import STAGES, Hooks, assert_same
from tests.support.postgres import PostgresDatabase
from tests.support.snapshot import execute, put_codes, query
from tests.support.texts import extend, save

_log = logging.getLogger(__name__)
COOL_DOWN = 86_400


def test_everything_is_copied_and_the_service_goes_on_there(
    make_app: Callable[..., Flask],
    store: TextStore,
    texts: dict[str, StoredText],
    copier: CopyToServer,
    clock: Clock,
    database: Path,
    target: PostgresDatabase,
) -> None:
    hooks = Hooks()
    done = copier.run(target.address, hooks)
    assert_same(database, target)
    assert (done.is_new, done.audit) == (True, store.audit())
    assert (done.audit.live, done.audit.not_wiped, done.audit.cooling_down, done.audit.duplicated) == (
        5,
        10,
        11,
        0,
    )
    assert (hooks.stages, hooks.missing) == (list(STAGES), 0)
    there: TextStore = make_app("data", database_url=target.address).extensions["saver"].store
    assert there.load(texts["open"].code).text == HOSTILE
    assert there.load(texts["sealed"].code, proof=PROOF).text == JWE
    assert there.load(texts["once"].code).text == "once"
    assert there.load(texts["claimed"].code, claim=CLAIM).text == "claimed"
    repeated = IdempotentRequest("key", b"request")
    assert save(there, "again", 6_000, idempotency=repeated) == texts["repeated"]
    assert there.status(texts["open"].code, texts["open"].owner_token).state == "loaded"
    there.delete(texts["open"].code, texts["open"].owner_token)
    assert save(there, "new", 600).code not in {text.code for text in texts.values()}
    clock.tick(6_000 + COOL_DOWN)
    while there.sweep(100).more:
        pass
    assert there.audit().free == 500


class TestReadOnly:
    """After the copy the SQLite database serves loads and accepts nothing."""

    def test_nothing_can_be_written(
        self,
        store: TextStore,
        texts: dict[str, StoredText],
        copier: CopyToServer,
        database: Path,
        target: PostgresDatabase,
    ) -> None:
        opened = store.meetings.open(bytes(16), "sender")
        copier.run(target.address, Hooks())
        assert query(target, "SELECT * FROM meeting") == []
        text = texts["open"]
        assert store.load(text.code).text == HOSTILE
        assert store.load(texts["sealed"].code, proof=PROOF).text == JWE
        for write in (
            lambda: save(store, "x", 60),
            lambda: store.load(texts["once"].code, claim=CLAIM),
            lambda: store.ack(texts["claimed"].code, CLAIM),
            lambda: store.delete(text.code, text.owner_token),
            lambda: extend(store, text.code, text.owner_token, 9_000),
            lambda: store.remove(text.code),
            lambda: store.sweep(100),
            lambda: store.meetings.open(bytes([1] * 16), "sender"),
            lambda: store.meetings.close(opened.number, bytes(16)),
        ):
            with pytest.raises(StorageError):
                write()
        for statement in (
            "INSERT INTO code VALUES ('zzzz')",
            "UPDATE code SET code = 'zzzz'",
            "DELETE FROM code",
            "INSERT INTO text (code, owner_hash, expires_at, free_at) VALUES ('zzzz', x'00', 1, 1)",
            "UPDATE text SET body = NULL",
            "DELETE FROM text",
            "DELETE FROM meeting",
        ):
            with pytest.raises(Exception, match="was copied to a server"):
                execute(database, statement)
        assert_same(database, target)

    def test_clients_get_a_503_with_retry_after(
        self,
        client: FlaskClient,
        texts: dict[str, StoredText],
        copier: CopyToServer,
        target: PostgresDatabase,
    ) -> None:
        copier.run(target.address, Hooks())
        owned = {"code": texts["open"].code, "owner_token": texts["open"].owner_token}
        for path, body in {
            "write": {"text": "x"},
            "load": {"code": texts["once"].code, "claim": CLAIM},
            "ack": {"code": texts["claimed"].code, "claim": CLAIM},
            "delete": owned,
            "extend": {**owned, "expires_in": 9_000},
        }.items():
            answer = client.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == 503, path
            assert int(answer.headers["Retry-After"]) > 0
        legacy = {"wrtext": "x", "wrpassword": "", "wrdelete_at": "1h"}
        assert client.post("/write/", json=legacy).status_code == 503
        assert client.post("/api/v1/load", json={"code": texts["open"].code}).json["text"] == HOSTILE

    def test_it_can_be_undone(
        self, store: TextStore, texts: dict[str, StoredText], copier: CopyToServer, target: PostgresDatabase
    ) -> None:
        assert copier.undo() is False
        copier.run(target.address, Hooks())
        assert copier.undo() is True
        save(store, "new", 600)

    def test_a_database_that_an_earlier_version_moved_can_be_undone(
        self, store: TextStore, copier: CopyToServer, database: Path
    ) -> None:
        for name in ("frozen_text_insert", "noted_code_delete"):
            execute(
                database,
                f"CREATE TRIGGER {name} BEFORE INSERT ON text BEGIN SELECT RAISE(ABORT, 'moved'); END",
            )
        with pytest.raises(StorageError):
            save(store, "x", 60)
        assert copier.undo() is True
        save(store, "x", 60)
        assert query(database, "SELECT name FROM sqlite_schema WHERE type = 'trigger'") == []


def test_writers_wait_and_readers_see_nothing_until_the_commit(
    make_app: Callable[..., Flask],
    texts: dict[str, StoredText],
    copier: CopyToServer,
    database: Path,
    target: PostgresDatabase,
) -> None:
    looked = []

    def look() -> None:
        with target.connect() as connection:
            connection.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute("SELECT 1 FROM text")
        with pytest.raises(Exception, match="locked"):
            execute(database, "DELETE FROM code")
        looked.append(1)

    copier.run(target.address, Hooks(dict.fromkeys(("copied", "compared"), look)))
    assert len(looked) == 2


class TestCommand:
    """What the operator types and reads."""

    def test_a_copy(self, run: FlaskCliRunner, store: TextStore, target: PostgresDatabase) -> None:
        save(store, "x", 600)
        address = target.address.replace("saver@", f"saver:{SECRET}@")
        done = run.invoke(args=["copy-to-server", "--to", "-"], input=f"{address}\n")
        assert done.exit_code == 0, done.output
        place = f"127.0.0.1:{target.port}/{target.name}"
        assert f"copied to {place}\nfree    499\nlive    1\noverdue 0\nresting 0\n" in done.stdout
        assert "missing 7,311,116, as before" in done.stdout
        assert "SAVER_DATABASE_URL" in done.stdout
        assert query(target, "SELECT count(*) FROM code") == [(499,)]
        check = run.invoke(args=["check"])
        assert "database FAILING  accepts no writes: it was copied to a server" in check.stdout
        again = run.invoke(args=["move", "--to", address])
        assert (again.exit_code, "was copied already" in again.output) == (1, True)
        undone = run.invoke(args=["copy-to-server", "--undo"])
        assert undone.stdout == "the SQLite database accepts writes again\n"
        assert "database ok" in run.invoke(args=["check"]).stdout
        earlier = run.invoke(args=["copy-to-server", "--to", address])
        assert f"copied to {place} by an earlier run" in earlier.stdout
        for output in (done, check, again, undone, earlier):
            assert SECRET not in output.output

    def test_wrong_use(self, run: FlaskCliRunner) -> None:
        nothing = run.invoke(args=["copy-to-server"])
        assert (nothing.exit_code, "Usage" in nothing.output) == (2, True)
        empty = run.invoke(args=["copy-to-server", "--to", "-"], input="\n")
        assert (empty.exit_code, "must be the URL of a PostgreSQL database" in empty.output) == (1, True)

    def test_help_shows_one_name(self, run: FlaskCliRunner) -> None:
        listed = run.invoke(args=["--help"]).stdout
        assert "copy-to-server" in listed
        assert "  move " not in listed


def test_many_codes(
    make_app: Callable[..., Flask], database: Path, target: PostgresDatabase, store: TextStore
) -> None:
    """COPY_CODES=7311616 ./scripts/test THIS_FILE --log-cli-level=INFO copies all codes and logs the time."""
    number = int(os.environ.get("COPY_CODES", "20000"))
    execute(database, "DELETE FROM code")
    put_codes(database, (str(Code.nth(place)) for place in range(number)))
    save(store, "text", 600)
    started = time.monotonic()
    done = make_app("data").extensions["saver"].tools.copy.run(target.address, Hooks())
    _log.info("%d codes copied and compared in %.1f s", number, time.monotonic() - started)
    assert (done.audit.free, done.audit.live) == (number - 1, 1)
    assert query(target, "SELECT count(*) FROM code") == [(number - 1,)]
