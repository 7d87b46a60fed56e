"""`flask --app saver move`: a live service goes from its file to a server, and nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, create_engine

from saver.codes import Code
from saver.database.writer import StorageError
from saver.ops import Mover
from saver.seal import Seal
from saver.store import StoredText, TextStore
from saver.store.copy import MoveError, compare, same
from saver.texts import IdempotentRequest
from tests.conftest import NOW, Clock
from tests.support.moving import STAGES, Told, the_same
from tests.support.postgres import PostgresDatabase
from tests.support.snapshot import ask, tell
from tests.support.texts import extend, save

REST = 86_400
PROOF = bytes(range(32))
JWE = f"{Seal(bytes(16)).protected()}..a.b.c"
CLAIM = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"
HOSTILE = "\ufeff\r\n\\N\\.\t\x01 \u1100\u1161\u11a8 e\u0301 \U0001f600 \\x41 ''"


@pytest.fixture
def codes() -> list[str]:
    return [Code.nth(number * 700) for number in range(3_000)]


def some_of_each(store: TextStore, clock: Clock) -> dict[str, StoredText]:
    """Texts in every state there is; those that live are returned."""
    kept = {
        "open": save(store, HOSTILE, 6_000),
        "sealed": save(store, JWE, 6_000, proof=PROOF),
        "once": save(store, "once", 6_000, once=True),
        "claimed": save(store, "claimed", 6_000, once=True),
        "repeated": save(store, "again", 6_000, idempotency=IdempotentRequest("key", b"request")),
    }
    store.load(kept["claimed"].code, claim=CLAIM)
    for _ in range(20):
        save(store, "expires", 60)
    gone = save(store, "gone", 600)
    store.delete(gone.code, gone.owner_token)
    clock.tick(60)
    store.sweep(10)
    return kept


@pytest.fixture
def open_target(
    make_app: Callable[..., Flask], tmp_path: Path, target: PostgresDatabase
) -> Callable[[], TextStore]:
    """Start the service anew on the target, with the data directory of the old one."""
    return lambda: make_app("data", database_url=target.address).extensions["saver"].store


def test_all_is_there_and_goes_on(
    store: TextStore,
    mover: Mover,
    clock: Clock,
    database: Path,
    target: PostgresDatabase,
    open_target: Callable[[], TextStore],
) -> None:
    kept = some_of_each(store, clock)
    told = Told()
    moved = mover.move(target.address, told)
    the_same(database, target)
    assert moved.audit == store.audit()
    assert (moved.audit.live, moved.audit.overdue, moved.audit.resting, moved.audit.both) == (5, 10, 11, 0)
    assert (told.stages, told.missing) == (list(STAGES), 0)
    there = open_target()
    assert there.load(kept["open"].code).text == HOSTILE
    assert there.load(kept["sealed"].code, proof=PROOF).text == JWE
    assert there.load(kept["once"].code).text == "once"
    assert there.load(kept["claimed"].code, claim=CLAIM).text == "claimed"
    assert save(there, "again", 6_000, idempotency=IdempotentRequest("key", b"request")) == kept["repeated"]
    assert there.status(kept["open"].code, kept["open"].owner_token).state == "loaded"
    there.delete(kept["open"].code, kept["open"].owner_token)
    assert save(there, "new", 600).code not in {lease.code for lease in kept.values()}
    clock.tick(6_000 + REST)
    while there.sweep(100).more:
        pass
    assert there.audit().free == 3_000


@pytest.mark.parametrize("stage", STAGES[1:4])
def test_what_changes_meanwhile_is_there_too(
    stage: str, store: TextStore, mover: Mover, clock: Clock, database: Path, target: PostgresDatabase
) -> None:
    kept = some_of_each(store, clock)

    def change() -> None:
        save(store, JWE, 6_000, proof=PROOF)
        store.load(kept["once"].code, claim=CLAIM)
        store.ack(kept["once"].code, CLAIM)
        extend(store, kept["open"].code, kept["open"].owner_token, 9_000)
        # Its code is free again, and its key under another code.
        clock.tick(REST)
        while store.sweep(7).more:
            pass
        assert save(store, "x", 60, idempotency=IdempotentRequest("other", b"x"))
        clock.tick(60 + REST)
        store.sweep(1_000)
        save(store, "again", 6_000, idempotency=IdempotentRequest("key", b"request"))

    moved = mover.move(target.address, Told({stage: change}))
    the_same(database, target)
    assert moved.caught_up > 20
    assert ask(target, "SELECT count(*) FROM text WHERE body = 'again'") == [(1,)]


@pytest.mark.parametrize(
    "deed", ["save", "extend", "claim", "ack", "delete", "remove", "wipe", "give back", "lose"]
)
def test_every_deed_is_noted(
    deed: str, store: TextStore, mover: Mover, clock: Clock, database: Path, target: PostgresDatabase
) -> None:
    kept = some_of_each(store, clock)
    lease = kept["open"]
    if deed == "give back":
        clock.tick(REST)
    deeds: dict[str, Callable[[], object]] = {
        "save": lambda: save(store, "new", 60),
        "extend": lambda: extend(store, lease.code, lease.owner_token, 9_000),
        "claim": lambda: store.load(kept["once"].code, claim=CLAIM),
        "ack": lambda: store.ack(kept["claimed"].code, CLAIM),
        "delete": lambda: store.delete(lease.code, lease.owner_token),
        "remove": lambda: store.remove(lease.code),
        "wipe": lambda: store.sweep(1),
        "give back": lambda: store.sweep(1),
        # Nobody does: a code that is nowhere.
        "lose": lambda: tell(database, "DELETE FROM code WHERE code = (SELECT min(code) FROM code)"),
    }
    moved = mover.move(target.address, Told({"caught up": deeds[deed]}))
    assert moved.caught_up in (1, 2)
    the_same(database, target)


def test_many_rounds_lead_to_the_freeze(mover: Mover, database: Path, target: PostgresDatabase) -> None:
    def many() -> None:
        tell(
            database,
            "INSERT INTO text (code, body, owner_hash, expires_at, free_at)"
            " SELECT code, code, CAST(code AS BLOB), 1800000600, 1800087000 FROM code LIMIT 1300",
        )
        tell(database, "DELETE FROM code WHERE code IN (SELECT code FROM text)")

    moved = mover.move(target.address, Told({"copied": many}))
    assert moved.caught_up == 1_300
    the_same(database, target)


class TestFrozen:
    """From the freeze on the old service serves what it has and takes nothing."""

    @pytest.fixture
    def kept(self, store: TextStore, clock: Clock) -> dict[str, StoredText]:
        return some_of_each(store, clock)

    def check(self, store: TextStore, kept: dict[str, StoredText], database: Path) -> None:
        lease = kept["open"]
        assert store.load(lease.code).text == HOSTILE
        assert store.load(kept["sealed"].code, proof=PROOF).text == JWE
        assert store.status(lease.code, lease.owner_token).state == "loaded"
        assert (
            save(store, "again", 6_000, idempotency=IdempotentRequest("key", b"request")) == kept["repeated"]
        )
        for write in (
            lambda: save(store, "x", 60),
            lambda: store.load(kept["once"].code, claim=CLAIM),
            lambda: store.ack(kept["claimed"].code, CLAIM),
            lambda: store.delete(lease.code, lease.owner_token),
            lambda: extend(store, lease.code, lease.owner_token, 9_000),
            lambda: store.remove(lease.code),
            lambda: store.sweep(100),
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
        ):
            with pytest.raises(Exception, match="moved away"):
                tell(database, statement)

    @pytest.mark.parametrize("stage", ["frozen", "compared", "kept"])
    def test_while_the_move_ends(
        self,
        stage: str,
        store: TextStore,
        kept: dict[str, StoredText],
        mover: Mover,
        database: Path,
        target: PostgresDatabase,
    ) -> None:
        mover.move(target.address, Told({stage: lambda: self.check(store, kept, database)}))
        self.check(store, kept, database)
        the_same(database, target)

    def test_clients_are_told_to_try_again(
        self, client: FlaskClient, kept: dict[str, StoredText], mover: Mover, target: PostgresDatabase
    ) -> None:
        mover.move(target.address, Told())
        lease = kept["open"]
        owned = {"code": lease.code, "owner_token": lease.owner_token}
        key = {"Idempotency-Key": CLAIM}
        for path, body in {
            "write": {"text": "x"},
            "load": {"code": kept["once"].code, "claim": CLAIM},
            "ack": {"code": kept["claimed"].code, "claim": CLAIM},
            "delete": owned,
            "extend": {**owned, "expires_in": 9_000},
        }.items():
            answer = client.post(f"/api/v1/{path}", json=body, headers=key if path == "write" else {})
            assert answer.status_code == 503, path
            assert int(answer.headers["Retry-After"]) > 0
        old = {"wrtext": "x", "wrpassword": "", "wrdelete_at": "1h"}
        assert client.post("/write/", json=old).status_code == 503
        assert client.post("/api/v1/load", json={"code": lease.code}).json["text"] == HOSTILE


@contextmanager
def both(app: Flask, target: PostgresDatabase) -> Iterator[tuple[Connection, Connection]]:
    """Connections to the source and to the target."""
    engine = create_engine(target.address)
    with app.app_context():
        here = app.extensions["sqlalchemy"].engine
    with here.connect() as one, engine.connect() as other:
        yield one, other
    engine.dispose()


class TestCompared:
    """What is not there as it was is seen."""

    @pytest.fixture
    def moved(
        self, store: TextStore, clock: Clock, mover: Mover, database: Path, target: PostgresDatabase
    ) -> None:
        some_of_each(store, clock)
        mover.move(target.address, Told())

    @pytest.mark.parametrize(
        "change",
        [
            "body = body || ' '",
            "seal = seal || ' ' ",
            "proof_hash = '\\x00'",
            "owner_hash = '\\x00'",
            "once = NOT once",
            "claim_hash = '\\x00'",
            "saved_at = saved_at + 1",
            "expires_at = expires_at - 1",
            "free_at = free_at + 1",
            "ended = 'read'",
            "size = size + 1",
            "key_hash = '\\x00'",
            "request_hash = '\\x00'",
            "code = 'ZZZZ'",
        ],
    )
    def test_a_row_that_differs(self, change: str, moved: None, app: Flask, target: PostgresDatabase) -> None:
        column = change.partition(" ")[0]
        which = "body IS NOT NULL" if column in ("size", "once") else f"{column} IS NOT NULL"
        tell(
            target,
            f"UPDATE text SET {change} WHERE code = (SELECT max(code) FROM text WHERE {which})",
        )
        with both(app, target) as (here, there), pytest.raises(MoveError):
            compare(here, there)

    @pytest.mark.parametrize(
        "change",
        [
            "DELETE FROM code WHERE code = (SELECT min(code) FROM code)",
            "DELETE FROM text WHERE code = (SELECT min(code) FROM text)",
            "INSERT INTO code VALUES ('ZZZZ')",
            "INSERT INTO code SELECT min(code) FROM text",
            "UPDATE text SET body = NULL, seal = NULL, proof_hash = NULL WHERE expires_at <= 1800000060",
            "UPDATE text SET free_at = free_at + 1 WHERE code = (SELECT min(code) FROM text)",
            "UPDATE text SET once = NOT once WHERE code = (SELECT min(code) FROM text)",
        ],
    )
    def test_counts_and_sums_that_differ(
        self, change: str, moved: None, app: Flask, target: PostgresDatabase
    ) -> None:
        with both(app, target) as (here, there):
            same(here, there, NOW + 60)
        tell(target, change)
        with both(app, target) as (here, there), pytest.raises(MoveError):
            same(here, there, NOW + 60)
