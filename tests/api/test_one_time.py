"""One-time texts: one reader, and neither a lost answer nor a wrong password ends the text."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from saver.store import NoTextError, TextStore
from tests.conftest import ALL_DATABASES, Clock
from tests.support.texts import save
from tests.support.threads import run_concurrently

DATABASES = ALL_DATABASES

MINE, OTHER = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001", "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c002"
DAY = 86_400


def test_only_the_same_claim_may_read_again(store: TextStore, clock: Clock) -> None:
    code = save(store, "secret", 3_600, once=True).code
    first = store.load(code, claim=MINE)
    assert (first.text, first.once) == ("secret", True)
    assert first.expires_at == int(clock.now) + 120
    clock.tick(119)
    assert store.load(code, claim=MINE).text == "secret"
    for stranger in (OTHER, None):
        with pytest.raises(NoTextError):
            store.load(code, claim=stranger)
    clock.tick(1)
    with pytest.raises(NoTextError):
        store.load(code, claim=MINE)


def test_reading_again_does_not_prolong_the_claim(store: TextStore, clock: Clock) -> None:
    code = save(store, "secret", 3_600, once=True).code
    ends = store.load(code, claim=MINE).expires_at
    clock.tick(60)
    assert store.load(code, claim=MINE).expires_at == ends


def test_a_claim_never_outlives_the_text(store: TextStore, clock: Clock) -> None:
    lease = save(store, "secret", 60, once=True)
    assert store.load(lease.code, claim=MINE).expires_at == lease.expires_at
    clock.tick(60)
    with pytest.raises(NoTextError):
        store.load(lease.code, claim=MINE)


def test_acknowledged_is_gone(store: TextStore, clock: Clock) -> None:
    code = save(store, "secret", 3_600, once=True).code
    store.load(code, claim=MINE)
    with pytest.raises(NoTextError):
        store.ack(code, OTHER)
    assert store.load(code, claim=MINE).text == "secret"
    for _ in range(2):
        store.ack(code, MINE)
    with pytest.raises(NoTextError):
        store.load(code, claim=MINE)
    clock.tick(DAY - 1)
    assert store.sweep(10).freed == 0
    clock.tick(1)
    assert store.sweep(10).freed == 1


def test_nothing_is_acknowledged_before_it_is_claimed(store: TextStore) -> None:
    code = save(store, "secret", 3_600, once=True).code
    with pytest.raises(NoTextError):
        store.ack(code, MINE)
    assert store.load(code, claim=MINE).text == "secret"


def test_without_a_claim_there_is_a_single_read(store: TextStore) -> None:
    code = save(store, "secret", 3_600, once=True).code
    assert store.load(code).text == "secret"
    for claim in (None, MINE):
        with pytest.raises(NoTextError):
            store.load(code, claim=claim)


def test_a_wrong_password_burns_nothing(store: TextStore) -> None:
    code = save(store, "secret", 3_600, "right", once=True).code
    for wrong in (None, "wrong"):
        with pytest.raises(NoTextError):
            store.load(code, wrong, claim=MINE)
    assert store.load(code, "right", claim=OTHER).text == "secret"
    with pytest.raises(NoTextError):
        store.load(code, "right", claim=MINE)


@pytest.mark.parametrize("with_claim", [True, False])
def test_of_50_concurrent_readers_one_reads(store: TextStore, with_claim: bool) -> None:
    code = save(store, "secret", 3_600, once=True).code
    read: list[str] = []

    def load() -> None:
        with contextlib.suppress(NoTextError):
            read.append(store.load(code, claim=str(uuid4()) if with_claim else None).text)

    run_concurrently([load] * 50)
    assert read == ["secret"]


def test_of_readers_that_derive_concurrently_one_reads(make_app: Callable[..., Flask]) -> None:
    # As many derivations as readers: on a busy machine one that waits would come too late.
    store: TextStore = make_app(max_concurrent_kdf=3).extensions["saver"].store
    code = save(store, "secret", 3_600, "right", once=True).code

    def read() -> int:
        with contextlib.suppress(NoTextError):
            return len([store.load(code, "right", claim=str(uuid4())).text])
        return 0

    # Deriving is slow, so every reader has found the text unclaimed before the first one claims it.
    assert sum(run_concurrently([read] * 3)) == 1


def test_over_http(client: FlaskClient) -> None:
    written = client.post("/api/v1/write", json={"text": "secret", "once": True}).json
    code = written["code"]
    loaded = client.post("/api/v1/load", json={"code": code, "claim": MINE.upper()})
    assert (loaded.json["text"], loaded.json["once"], loaded.json["sealed"]) == ("secret", True, False)
    assert client.post("/api/v1/load", json={"code": code, "claim": OTHER}).status_code == 404
    assert client.post("/api/v1/load", json={"code": code, "claim": MINE}).status_code == 200
    assert client.post("/api/v1/ack", json={"code": code, "claim": OTHER}).status_code == 404
    assert client.post("/api/v1/ack", json={"code": code, "claim": MINE}).status_code == 204
    assert client.post("/api/v1/load", json={"code": code, "claim": MINE}).status_code == 404


def test_the_old_wire_reads_a_one_time_text_once(client: FlaskClient) -> None:
    code = client.post("/api/v1/write", json={"text": "secret", "once": True}).json["code"]
    body = {"ldcode": code, "ldpassword": ""}
    assert client.post("/load/", json=body).json["message"] == "secret"
    assert client.post("/load/", json=body).json["status"] == "error"


@pytest.mark.parametrize("claim", ["", "x", "8c5a2f9e6f0b4f0e9c390a1f4ad7c001", 7, MINE + " "])
def test_a_claim_is_a_uuid(client: FlaskClient, claim: object) -> None:
    for path in ("/api/v1/load", "/api/v1/ack"):
        refused = client.post(path, json={"code": "aaaa", "claim": claim})
        assert refused.status_code == 422
        assert refused.json["errors"] == [{"pointer": "/claim", "detail": "must be a UUID"}]
