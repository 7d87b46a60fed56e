"""Migration 0005 encrypts the texts that are there, and the way back decrypts them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade

from saver import seal
from saver.codes import Code
from saver.seal import Keys, Seal
from saver.store import NoTextError, TextStore
from tests.conftest import ALL_DATABASES, NOW
from tests.support.snapshot import Database, everything_stored, execute, query

DATABASES = ALL_DATABASES

PROOF = bytes(range(32))
JWE = seal.encrypt("sealed", Seal(bytes(16)), Keys(bytes(32), PROOF), bytes(12))
CLAIM = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"
OLD, NEW = "the secret key of last year: 32 characters", "the secret key of this year: 32 characters"
NAMES = "code, body, seal, proof_hash, owner_hash, once, claim_hash, saved_at, expires_at, free_at, ended,"
NAMES += " source, size, key_hash, request_hash, network"


def row(
    code: str,
    body: str | None,
    proof_hash: bytes | None = None,
    *,
    once: bool = False,
    claim: str = "",
    expires_at: int = NOW + 600,
    ended: str | None = None,
) -> tuple[object, ...]:
    """A row of schema 0004."""
    header = body.partition(".")[0] if body and proof_hash else None
    claim_hash = hashlib.sha256(claim.encode()).digest() if claim else None
    owner = hashlib.sha256(code.encode()).digest()
    size = len(body.encode()) if body else 0
    return (
        *(code, body, header, proof_hash, owner, once, claim_hash, NOW, expires_at, expires_at + 9, ended),
        *(b"s" * 16 if body else None, size, owner[::-1], b"r" * 32, None),
    )


MANY = [row(Code.nth(1_000 + number), f"CANARY {number:04} \N{SNOWMAN}") for number in range(150)]
ROWS = [
    row("Aaaa", "CANARY a \N{SNOWMAN}\r\n"),
    row("Aaab", JWE, seal.hash_proof(PROOF)),
    row("Aaac", "CANARY once", once=True),
    row("Aaad", "CANARY claimed", once=True, claim=CLAIM),
    row("Aaae", JWE, seal.hash_proof(PROOF), once=True),
    row("Aaaf", "CANARY expired", expires_at=NOW),
    row("Aaag", None, once=True, ended="read"),
    row("Aaah", "CANARY" * 200_000),
    *MANY,
]


@pytest.fixture
def codes() -> list[str]:
    return []


@pytest.fixture
def database(make_database: Callable[[str], Database], tmp_path: Path) -> Database:
    """A database without tables."""
    (tmp_path / "data").mkdir()
    return make_database("data")


def app_with(make_app: Callable[..., Flask], key: str = NEW, *old: str) -> Flask:
    return make_app(secret_key=key, old_secret_keys=",".join(old))


def migrate(app: Flask, move: Callable[..., None], **options: str) -> None:
    with app.app_context():
        move(**options)


def with_rows(make_app: Callable[..., Flask], database: Database, key: str = NEW) -> Flask:
    """An app on a database of schema 0004 with every kind of row."""
    app = app_with(make_app, key)
    migrate(app, upgrade, revision="0004")
    marks = ", ".join("?" * len(ROWS[0]))
    execute(database, f"INSERT INTO text ({NAMES}) VALUES ({marks})", ROWS)
    return app


def stored(database: Database) -> list[tuple[object, ...]]:
    rows = query(database, f"SELECT {NAMES} FROM text ORDER BY code")
    return [tuple(bool(value) if at == 5 else value for at, value in enumerate(found)) for found in rows]


def reads(store: TextStore, code: str, **more: object) -> str | None:
    try:
        return store.load(Code(code), **more).text  # type: ignore[arg-type]
    except NoTextError:
        return None


def test_every_text_opens_after_it_as_before(make_app: Callable[..., Flask], database: Database) -> None:
    app = with_rows(make_app, database)
    migrate(app, upgrade)
    store: TextStore = app.extensions["saver"].store
    assert reads(store, "Aaaa") == "CANARY a \N{SNOWMAN}\r\n"
    assert reads(store, "Aaab", proof=bytes(32)) is None
    assert reads(store, "Aaab", proof=PROOF) == JWE
    assert reads(store, "Aaac", claim=CLAIM) == "CANARY once"
    assert (reads(store, "Aaad"), reads(store, "Aaad", claim=CLAIM)) == (None, "CANARY claimed")
    assert reads(store, "Aaae", proof=PROOF) == JWE
    assert (reads(store, "Aaaf"), reads(store, "Aaag")) == (None, None)
    assert reads(store, "Aaah") == "CANARY" * 200_000
    assert [reads(store, str(code)) for code, *_ in MANY] == [text for _, text, *_ in MANY]
    assert store.sweep(1_000).wiped == 1


def test_nothing_that_was_there_is_left_in_clear(make_app: Callable[..., Flask], database: Database) -> None:
    app = with_rows(make_app, database)
    assert "CANARY" in str(stored(database))
    migrate(app, upgrade)
    left = everything_stored(database)
    assert b"CANARY" not in left
    assert seal.hash_proof(PROOF) not in left
    assert JWE.rpartition(".")[2].encode() not in left


def test_the_way_back_restores_every_column(make_app: Callable[..., Flask], database: Database) -> None:
    app = with_rows(make_app, database)
    before = stored(database)
    for _ in range(2):
        migrate(app, upgrade)
        migrate(app, downgrade, revision="0004")
        assert stored(database) == before


def test_texts_of_an_old_key_come_back_too(make_app: Callable[..., Flask], database: Database) -> None:
    app = with_rows(make_app, database, OLD)
    before = stored(database)
    migrate(app, upgrade)
    migrate(app_with(make_app, NEW, OLD), downgrade, revision="0004")
    assert stored(database) == before


def test_texts_of_an_unknown_key_are_wiped_on_the_way_back(
    make_app: Callable[..., Flask], database: Database
) -> None:
    migrate(with_rows(make_app, database, OLD), upgrade)
    app = app_with(make_app)
    migrate(app, downgrade, revision="0004")
    assert query(database, "SELECT count(*) FROM text WHERE body IS NOT NULL OR seal IS NOT NULL") == [(0,)]
    assert query(database, "SELECT count(*) FROM text") == [(len(ROWS),)]


def test_the_migration_and_the_service_have_the_same_format(
    make_app: Callable[..., Flask], database: Database
) -> None:
    # The migration has a copy of it, because it must do the same in ten years.
    app = with_rows(make_app, database, OLD)
    migrate(app, upgrade)
    store: TextStore = app_with(make_app, NEW, OLD).extensions["saver"].store
    assert store.count_by_key() == (0, 156, 0)
    assert reads(store, "Aaaa") == "CANARY a \N{SNOWMAN}\r\n"


def test_a_version_without_encryption_stores_nothing_any_more(
    make_app: Callable[..., Flask], database: Database
) -> None:
    migrate(app_with(make_app), upgrade)
    insert = "INSERT INTO text (code, body, proof_hash, owner_hash, expires_at, free_at)"
    insert += " VALUES ('aaaa', 'text', NULL, ?, 1, 1)"
    with pytest.raises(Exception, match="proof_hash"):
        execute(database, insert, [(bytes(32),)])


@pytest.mark.databases("sqlite")
def test_a_migration_that_breaks_off_leaves_every_text(
    make_app: Callable[..., Flask], database: Path
) -> None:
    app = with_rows(make_app, database)
    # The name of the copy's last index is taken.
    execute(database, "DROP INDEX ix_text_network")
    execute(database, "CREATE TABLE ix_text_network (x)")
    before = stored(database)
    with pytest.raises(Exception, match="ix_text_network"):
        migrate(app, upgrade)
    assert stored(database) == before
    execute(database, "DROP TABLE ix_text_network")
    migrate(app, upgrade)
    assert reads(app.extensions["saver"].store, "Aaaa") == "CANARY a \N{SNOWMAN}\r\n"


@pytest.mark.databases("sqlite")
def test_a_database_that_was_copied_to_a_server_still_accepts_no_writes(
    make_app: Callable[..., Flask], database: Path
) -> None:
    app = with_rows(make_app, database)
    trigger = "CREATE TRIGGER moved_text_insert BEFORE INSERT ON text BEGIN SELECT RAISE(ABORT, 'moved'); END"
    execute(database, trigger)
    for move, revision in ((upgrade, "head"), (downgrade, "0004")):
        migrate(app, move, revision=revision)
        assert query(database, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'") == [(trigger,)]
