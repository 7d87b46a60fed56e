"""The owner token: status, extend, delete."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from saver.app import Rooms
from saver.leases import Lease, Leases, NoTextError, Status
from saver.leases.base import hash_secret
from tests.conftest import BOTH, NOW, Clock

KINDS = BOTH

DAY = 86_400
CLAIM = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"


def status(leases: Leases, lease: Lease) -> Status:
    return leases.status(lease.code, lease.owner_token)


def test_a_receipt_tells_what_became_of_a_text(leases: Leases, clock: Clock) -> None:
    lease = leases.save("secret", 600, "right")
    assert status(leases, lease) == Status("waiting", None, 0, NOW + 600)
    for wrong in (None, "wrong"):
        with pytest.raises(NoTextError):
            leases.load(lease.code, wrong)
    clock.tick(10)
    assert status(leases, lease) == Status("waiting", None, 1, NOW + 600)
    leases.load(lease.code, "right")
    clock.tick(10)
    leases.load(lease.code, "right")
    assert status(leases, lease) == Status("loaded", NOW + 10, 1, NOW + 600)
    clock.tick(600)
    assert status(leases, lease) == Status("expired", NOW + 10, 1, NOW + 600)
    leases.sweep(10)
    leases.purge_receipts()
    assert status(leases, lease).state == "expired"
    clock.tick(DAY)
    leases.sweep(10)
    leases.purge_receipts()
    with pytest.raises(NoTextError):
        status(leases, lease)


def test_the_receipt_of_an_open_text(leases: Leases, clock: Clock) -> None:
    lease = leases.save("open", 600)
    clock.tick(5)
    leases.load(lease.code)
    assert status(leases, lease) == Status("loaded", NOW + 5, 0, NOW + 600)


def test_the_receipts_of_a_deleted_and_of_a_one_time_text(leases: Leases, clock: Clock) -> None:
    deleted, removed, read, claimed = (leases.save("x", 600, once=number > 1) for number in range(4))
    leases.delete(deleted.code, deleted.owner_token)
    leases.remove(removed.code)
    leases.load(read.code)
    leases.load(claimed.code, claim=CLAIM)
    assert [status(leases, lease).state for lease in (deleted, removed, read)] == [
        "deleted",
        "deleted",
        "read",
    ]
    assert status(leases, claimed).state == "loaded"
    clock.tick(120)
    assert status(leases, claimed).state == "read"


def test_a_receipt_outlives_the_process_and_costs_no_fsync(leases: Leases, rooms: Rooms) -> None:
    lease = leases.save("open", 600)
    leases.load(lease.code)
    receipts = rooms.settings.data_dir / "receipts.db"
    with sqlite3.connect(receipts) as notes:
        assert notes.execute("SELECT count(*) FROM note").fetchone() == (1,)
    notes.close()
    assert leases._receipts._connection().execute("PRAGMA synchronous").fetchone() == (0,)


def test_a_load_does_not_fail_for_want_of_a_receipt(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = leases.save("open", 600)
    monkeypatch.setattr(leases._receipts, "_path", Path("/no/such/folder/receipts.db"))
    leases._receipts._local.pid = None
    assert leases.load(lease.code).text == "open"


def test_extend_lets_a_text_live_longer_but_never_shorter(leases: Leases, clock: Clock) -> None:
    lease = leases.save("text", 600)
    clock.tick(300)
    assert leases.extend(lease.code, lease.owner_token, lambda _: 900) == NOW + 1_200
    assert leases.extend(lease.code, lease.owner_token, lambda _: 60) == NOW + 1_200
    clock.now = NOW + 1_199
    assert leases.load(lease.code).text == "text"
    clock.tick(1)
    with pytest.raises(NoTextError):
        leases.extend(lease.code, lease.owner_token, lambda _: 900)


def test_the_receipt_lives_as_long_as_the_text_that_was_extended(leases: Leases, clock: Clock) -> None:
    lease = leases.save("text", 600)
    leases.load(lease.code)
    until = leases.extend(lease.code, lease.owner_token, lambda _: 30 * DAY)
    clock.tick(3 * DAY)
    leases.purge_receipts()
    assert status(leases, lease) == Status("loaded", NOW, 0, until)
    clock.now = until + DAY
    leases.sweep(10)
    leases.purge_receipts()
    assert leases._receipts.of(hash_secret(lease.owner_token)).first_loaded_at is None


def test_a_text_that_was_read_once_is_not_extended(leases: Leases) -> None:
    lease = leases.save("text", 600, once=True)
    leases.load(lease.code, claim=CLAIM)
    with pytest.raises(NoTextError):
        leases.extend(lease.code, lease.owner_token, lambda _: 900)


def test_extending_keeps_the_rest(leases: Leases, clock: Clock) -> None:
    lease = leases.save("text", 60)
    leases.extend(lease.code, lease.owner_token, lambda _: 600)
    clock.tick(600 + DAY - 1)
    assert leases.sweep(10).freed == 0
    clock.tick(1)
    leases.sweep(10)
    assert leases.audit().resting == 0


def test_the_token_of_one_text_is_nothing_for_another(leases: Leases) -> None:
    mine, other = leases.save("mine", 600), leases.save("other", 600)
    for deed in (leases.status, leases.delete, lambda code, token: leases.extend(code, token, lambda _: 60)):
        with pytest.raises(NoTextError):
            deed(other.code, mine.owner_token)
    assert leases.load(other.code).text == "other"


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
        client.post(f"/api/v1/{deed}", json=wrong | more).data
        for deed, more in (("status", {}), ("extend", {"expires_in": 60}), ("delete", {}))
    ]
    assert answers == [client.post("/api/v1/load", json={"code": owned["code"]}).data] * 3


def test_a_sealed_text_may_be_extended_for_longer(client: FlaskClient) -> None:
    written = client.post("/api/v1/write", json={"text": "x", "password": "pw"}).json
    owned = {"code": written["code"], "owner_token": written["owner_token"]}
    assert client.post("/api/v1/extend", json={**owned, "expires_in": 2_592_000}).status_code == 200
