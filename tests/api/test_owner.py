"""The owner token: status, extend, delete."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from saver.app import Services
from saver.receipts.file import FileReceipts
from saver.store import NoTextError, Status, StoredText, TextStore
from saver.store.base import hash_secret
from saver.texts import LifetimePolicy
from tests.conftest import ALL_DATABASES, NOW, Clock
from tests.support.texts import extend, save

DATABASES = ALL_DATABASES

DAY = 86_400
CLAIM = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"


def status(store: TextStore, lease: StoredText) -> Status:
    return store.status(lease.code, lease.owner_token)


def test_a_receipt_says_whether_a_text_was_loaded(store: TextStore, clock: Clock) -> None:
    lease = save(store, "secret", 600, "right")
    assert status(store, lease) == Status("waiting", None, 0, NOW + 600)
    for wrong in (None, "wrong"):
        with pytest.raises(NoTextError):
            store.load(lease.code, wrong)
    clock.tick(10)
    assert status(store, lease) == Status("waiting", None, 1, NOW + 600)
    store.load(lease.code, "right")
    clock.tick(10)
    store.load(lease.code, "right")
    assert status(store, lease) == Status("loaded", NOW + 10, 1, NOW + 600)
    clock.tick(600)
    assert status(store, lease) == Status("expired", NOW + 10, 1, NOW + 600)
    store.sweep(10)
    store.purge_receipts()
    assert status(store, lease).state == "expired"
    clock.tick(DAY)
    store.sweep(10)
    store.purge_receipts()
    with pytest.raises(NoTextError):
        status(store, lease)


def test_the_receipt_of_an_open_text(store: TextStore, clock: Clock) -> None:
    lease = save(store, "open", 600)
    clock.tick(5)
    store.load(lease.code)
    assert status(store, lease) == Status("loaded", NOW + 5, 0, NOW + 600)


def test_the_receipts_of_a_deleted_and_of_a_one_time_text(store: TextStore, clock: Clock) -> None:
    deleted, removed, read, claimed = (save(store, "x", 600, once=number > 1) for number in range(4))
    store.delete(deleted.code, deleted.owner_token)
    store.remove(removed.code)
    store.load(read.code)
    store.load(claimed.code, claim=CLAIM)
    assert [status(store, lease).state for lease in (deleted, removed, read)] == [
        "deleted",
        "deleted",
        "read",
    ]
    assert status(store, claimed).state == "loaded"
    clock.tick(120)
    assert status(store, claimed).state == "read"


def test_a_receipt_outlives_the_process_and_costs_no_fsync(store: TextStore, services: Services) -> None:
    lease = save(store, "open", 600)
    store.load(lease.code)
    receipts = services.settings.data_dir / "receipts.db"
    with sqlite3.connect(receipts) as notes:
        assert notes.execute("SELECT count(*) FROM note").fetchone() == (1,)
    notes.close()
    assert isinstance(store.receipts, FileReceipts)
    assert store.receipts._connection().execute("PRAGMA synchronous").fetchone() == (0,)


def test_a_load_does_not_fail_for_want_of_a_receipt(
    store: TextStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = save(store, "open", 600)
    assert isinstance(store.receipts, FileReceipts)
    monkeypatch.setattr(store.receipts, "_path", Path("/no/such/folder/receipts.db"))
    store.receipts._local.pid = None
    assert store.load(lease.code).text == "open"


def test_extend_lets_a_text_live_longer_but_never_shorter(store: TextStore, clock: Clock) -> None:
    lease = save(store, "text", 600)
    clock.tick(300)
    assert extend(store, lease.code, lease.owner_token, 900) == NOW + 1_200
    assert extend(store, lease.code, lease.owner_token, 60) == NOW + 1_200
    clock.now = NOW + 1_199
    assert store.load(lease.code).text == "text"
    clock.tick(1)
    with pytest.raises(NoTextError):
        extend(store, lease.code, lease.owner_token, 900)


def test_the_receipt_lives_as_long_as_the_text_that_was_extended(store: TextStore, clock: Clock) -> None:
    lease = save(store, "text", 600)
    store.load(lease.code)
    until = extend(store, lease.code, lease.owner_token, 30 * DAY)
    clock.tick(3 * DAY)
    store.purge_receipts()
    assert status(store, lease) == Status("loaded", NOW, 0, until)
    clock.now = until + DAY
    store.sweep(10)
    store.purge_receipts()
    assert store.receipts.get(hash_secret(lease.owner_token)).first_loaded_at is None


def test_a_text_that_was_read_once_is_not_extended(store: TextStore) -> None:
    lease = save(store, "text", 600, once=True)
    store.load(lease.code, claim=CLAIM)
    with pytest.raises(NoTextError):
        extend(store, lease.code, lease.owner_token, 900)


def test_a_text_that_is_deleted_meanwhile_is_not_extended(store: TextStore) -> None:
    lease = save(store, "text", 600)

    class Deletes(LifetimePolicy):
        def lifetime(self, wanted: int | None, *, sealed: bool) -> int:
            store.delete(lease.code, lease.owner_token)
            return super().lifetime(wanted, sealed=sealed)

    with pytest.raises(NoTextError):
        store.extend(lease.code, lease.owner_token, 900, Deletes(1, 600, 900, 900))
    assert status(store, lease).state == "deleted"


def test_extending_keeps_the_rest(store: TextStore, clock: Clock) -> None:
    lease = save(store, "text", 60)
    extend(store, lease.code, lease.owner_token, 600)
    clock.tick(600 + DAY - 1)
    assert store.sweep(10).freed == 0
    clock.tick(1)
    store.sweep(10)
    assert store.audit().cooling_down == 0


def test_the_token_of_one_text_is_nothing_for_another(store: TextStore) -> None:
    mine, other = save(store, "mine", 600), save(store, "other", 600)
    for operation in (store.status, store.delete, lambda code, token: extend(store, code, token, 60)):
        with pytest.raises(NoTextError):
            operation(other.code, mine.owner_token)
    assert store.load(other.code).text == "other"


def test_over_http(client: FlaskClient, clock: Clock) -> None:
    written = client.post("/api/v1/write", json={"text": "x"}).json
    owned = {"code": written["code"], "owner_token": written["owner_token"]}
    answer = client.post("/api/v1/status", json=owned)
    assert answer.json == {
        "state": "waiting",
        "first_loaded_at": None,
        "refused": 0,
        "expires_at": written["expires_at"],
    }
    assert client.post("/api/v1/extend", json={**owned, "expires_in": 86_400}).status_code == 200
    too_long = client.post("/api/v1/extend", json={**owned, "expires_in": 86_401})
    assert (too_long.status_code, too_long.json["errors"][0]["pointer"]) == (422, "/expires_in")
    assert client.post("/api/v1/delete", json=owned).status_code == 204
    assert client.post("/api/v1/status", json=owned).json["state"] == "deleted"
    wrong = {**owned, "owner_token": "wrong"}
    answers = [
        client.post(f"/api/v1/{operation}", json=wrong | more).data
        for operation, more in (("status", {}), ("extend", {"expires_in": 60}), ("delete", {}))
    ]
    assert answers == [client.post("/api/v1/load", json={"code": owned["code"]}).data] * 3


def test_a_sealed_text_may_be_extended_for_longer(client: FlaskClient) -> None:
    written = client.post("/api/v1/write", json={"text": "x", "password": "pw"}).json
    owned = {"code": written["code"], "owner_token": written["owner_token"]}
    assert client.post("/api/v1/extend", json={**owned, "expires_in": 2_592_000}).status_code == 200
