"""What is stored is encrypted: nothing of it can be read, moved or changed without the secret key."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saver import seal
from saver.codes import Code
from saver.seal import Keys, Seal
from saver.store import NoTextError, TextStore
from tests.conftest import ALL_DATABASES, Clock
from tests.support.snapshot import Database, everything_stored, execute, query
from tests.support.texts import save

DATABASES = ALL_DATABASES

OLD, NEW = "the secret key of last year: 32 characters", "the secret key of this year: 32 characters"
PROOF = bytes(range(32))
JWE = seal.encrypt("sealed", Seal(bytes(16)), Keys(bytes(32), PROOF), bytes(12))
CLAIM = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"


@pytest.fixture
def make_store(make_app: Callable[..., Flask]) -> Callable[..., TextStore]:
    """A store on the same database with other secret keys."""

    def make(key: str = NEW, *old: str) -> TextStore:
        store: TextStore = make_app(secret_key=key, old_secret_keys=",".join(old)).extensions["saver"].store
        return store

    return make


def reads(store: TextStore, code: Code, **more: object) -> str | None:
    try:
        return store.load(code, **more).text  # type: ignore[arg-type]
    except NoTextError:
        return None


def test_neither_text_nor_jwe_nor_the_hash_of_a_proof_is_stored(store: TextStore, database: Database) -> None:
    plain, sealed = save(store, "CANARY open", 600), save(store, JWE, 600, proof=PROOF)
    once = save(store, "CANARY once", 600, once=True)
    stored = everything_stored(database)
    assert b"CANARY" not in stored
    assert JWE.rpartition(".")[2].encode() not in stored
    assert seal.hash_proof(PROOF) not in stored
    assert reads(store, plain.code) == "CANARY open"
    assert reads(store, sealed.code, proof=PROOF) == JWE
    assert reads(store, once.code) == "CANARY once"


def test_the_same_text_is_never_stored_twice_alike(store: TextStore, database: Database) -> None:
    for _ in range(4):
        save(store, "the same", 600)
    assert len({body for (body,) in query(database, "SELECT body FROM text")}) == 4


class TestChangedRows:
    """Somebody who may write to the database but has no key."""

    def test_a_body_under_another_code_is_no_text(
        self, store: TextStore, database: Database, client: FlaskClient
    ) -> None:
        mine, other = save(store, "mine", 600), save(store, "other", 600)
        [row] = query(database, "SELECT body, owner_hash FROM text WHERE code = ?", other.code)
        for values in ("body = ?", "body = ?, owner_hash = ?"):
            change = f"UPDATE text SET {values} WHERE code = ?"
            execute(database, change, [(*row[: values.count("?")], mine.code)])
            answer = client.post("/api/v1/load", json={"code": mine.code})
            assert (answer.status_code, answer.json["type"]) == (404, "urn:saver:problem:no-text")
        assert reads(store, other.code) == "other"

    def test_a_body_in_a_later_lease_of_its_code_is_no_text(
        self, store: TextStore, database: Database
    ) -> None:
        code = save(store, "before", 600).code
        execute(database, "UPDATE text SET owner_hash = ? WHERE code = ?", [(bytes(32), code)])
        assert reads(store, code) is None

    @pytest.mark.parametrize("body", [b"", b"plain", bytes(40)])
    def test_what_was_not_encrypted_is_no_text(
        self, store: TextStore, database: Database, client: FlaskClient, body: bytes
    ) -> None:
        for stored in (
            save(store, "open", 600),
            save(store, "once", 600, once=True),
            save(store, JWE, 600, proof=PROOF),
        ):
            execute(database, "UPDATE text SET body = ? WHERE code = ?", [(body, stored.code)])
            shown = {"code": stored.code, "proof": seal.encode(PROOF)}
            assert client.post("/api/v1/load", json=shown).status_code == 404
            assert client.post("/api/v1/load", json={"code": stored.code}).status_code == 404

    def test_a_sealed_text_needs_its_own_proof(self, store: TextStore, database: Database) -> None:
        theirs, code = PROOF, save(store, JWE, 600, proof=bytes(32)).code
        mine = save(store, JWE, 600, proof=theirs).code
        [(mac,)] = query(database, "SELECT proof_mac FROM text WHERE code = ?", mine)
        execute(database, "UPDATE text SET proof_mac = ? WHERE code = ?", [(mac, code)])
        assert reads(store, code, proof=theirs) is None

    def test_a_sealed_text_without_its_proof_is_no_text(self, store: TextStore, database: Database) -> None:
        code = save(store, JWE, 600, proof=PROOF).code
        execute(database, "UPDATE text SET seal = NULL, proof_mac = NULL WHERE code = ?", [(code,)])
        assert reads(store, code) is None
        assert reads(store, code, proof=PROOF) is None


class TestRotation:
    def test_texts_of_an_old_key_open_while_it_is_known(self, make_store: Callable[..., TextStore]) -> None:
        before = make_store(OLD)
        plain, once = save(before, "open", 600), save(before, "once", 600, once=True)
        sealed = save(before, JWE, 600, proof=PROOF)
        store = make_store(NEW, OLD)
        assert store.count_by_key() == (0, 3, 0)
        new = save(store, "new", 600)
        assert store.count_by_key() == (1, 3, 0)
        assert reads(store, plain.code) == "open"
        assert reads(store, sealed.code, proof=bytes(32)) is None
        assert reads(store, sealed.code, proof=PROOF) == JWE
        assert reads(store, once.code, claim=CLAIM) == "once"
        assert reads(store, once.code, claim=CLAIM) == "once"
        assert reads(make_store(NEW), new.code) == "new"

    def test_a_text_whose_key_is_unknown_is_as_good_as_none(
        self,
        make_store: Callable[..., TextStore],
        make_app: Callable[..., Flask],
        database: Database,
        caplog: pytest.LogCaptureFixture,
        clock: Clock,
    ) -> None:
        before = make_store(OLD)
        texts = [
            save(before, "open", 600),
            save(before, "once", 600, once=True),
            save(before, JWE, 600, proof=PROOF),
        ]
        rows = query(database, "SELECT * FROM text ORDER BY code")
        client = make_app(secret_key=NEW).test_client()
        free = query(database, "SELECT code FROM code")[0][0]
        missing = {**client.post("/api/v1/load", json={"code": free}).get_json(), "seal": 0}
        for text in texts:
            for more in ({}, {"proof": seal.encode(PROOF)}, {"claim": CLAIM}, {"password": "guessed"}):
                answer = client.post("/api/v1/load", json={"code": text.code, **more})
                assert (answer.status_code, {**answer.get_json(), "seal": 0}) == (404, missing)
        # Nothing was used up: with its key each of them opens again.
        assert query(database, "SELECT * FROM text ORDER BY code") == rows
        store = make_store(NEW, OLD)
        assert [reads(store, text.code, proof=PROOF) for text in texts] == ["open", "once", JWE]
        said = [record for record in caplog.records if record.name == "saver.store.bodies"]
        assert [record.levelno for record in said] == [logging.WARNING]
        assert not [text.code for text in texts if text.code in said[0].getMessage()]
        clock.tick(60)
        client.post("/api/v1/load", json={"code": texts[2].code, "proof": seal.encode(PROOF)})
        assert len([record for record in caplog.records if record.name == "saver.store.bodies"]) == 2

    def test_the_owner_of_a_text_that_nobody_can_open_still_ends_it(
        self, make_store: Callable[..., TextStore], database: Database
    ) -> None:
        text = save(make_store(OLD), "open", 600)
        store = make_store(NEW)
        assert store.status(text.code, text.owner_token).state == "waiting"
        store.delete(text.code, text.owner_token)
        assert query(database, "SELECT count(*) FROM text WHERE body IS NOT NULL") == [(0,)]
        assert store.count_by_key() == (0, 0, 0)
