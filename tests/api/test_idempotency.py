"""Idempotency-Key and quotas: a repeated write leases one code; nobody can hold more than a quota."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saver.store import PoolEmptyError, Quota, QuotaError, StoredText, TextStore
from saver.texts import NewText
from tests.conftest import ALL_DATABASES, Clock
from tests.support.snapshot import Database, everything_stored, query
from tests.support.texts import save
from tests.support.threads import run_concurrently

DATABASES = ALL_DATABASES

KEY = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c001"
OTHER = "8c5a2f9e-6f0b-4f0e-9c39-0a1f4ad7c002"
DAY = 86_400


def write(client: FlaskClient, key: str = KEY, **body: object) -> TestResponse:
    return client.post("/api/v1/write", json={"text": "x", **body}, headers={"Idempotency-Key": key})


def test_the_same_write_gets_the_same_answer(client: FlaskClient, store: TextStore, clock: Clock) -> None:
    first = write(client)
    clock.tick(30)
    again = write(client, KEY.upper())
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert store.audit().live == 1
    assert write(client, OTHER).json["code"] != first.json["code"]


def test_the_owner_token_that_came_again_is_the_owner_token(client: FlaskClient) -> None:
    write(client)
    again = write(client).json
    owned = {"code": again["code"], "owner_token": again["owner_token"]}
    assert client.post("/api/v1/delete", json=owned).status_code == 204


def test_another_request_under_the_same_key_is_refused(client: FlaskClient, store: TextStore) -> None:
    write(client)
    for body in ({"text": "y"}, {"expires_in": 60}, {"once": True}):
        refused = write(client, **body)
        assert refused.status_code == 422
        assert refused.json["type"] == "urn:saver:problem:key-reused"
    assert store.audit().live == 1


def test_a_sealed_write_can_be_repeated_too(client: FlaskClient, store: TextStore) -> None:
    first = write(client, password="right")
    assert write(client, password="right").json == first.json
    assert write(client, password="wrong").status_code == 422
    code = first.json["code"]
    assert client.post("/api/v1/load", json={"code": code, "password": "right"}).status_code == 200


def test_plain_writes_can_be_repeated(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": KEY}
    first, again = (
        client.post("/api/v1/write?expires_in=60", data="x", content_type="text/plain", headers=headers)
        for _ in range(2)
    )
    assert first.data == again.data
    other = client.post("/api/v1/write?expires_in=90", data="x", content_type="text/plain", headers=headers)
    assert other.status_code == 422


def test_a_key_is_forgotten_with_its_text(client: FlaskClient, store: TextStore, clock: Clock) -> None:
    first = write(client, expires_in=60)
    clock.tick(60 + DAY - 1)
    store.sweep(10)
    assert write(client, expires_in=60).json == first.json
    clock.tick(1)
    store.sweep(10)
    assert write(client, expires_in=60).json["expires_at"] != first.json["expires_at"]


@pytest.mark.parametrize("key", ["", "x", "8c5a2f9e6f0b4f0e9c390a1f4ad7c001", KEY + ","])
def test_a_key_is_a_uuid(client: FlaskClient, store: TextStore, key: str) -> None:
    refused = write(client, key)
    assert refused.status_code == 422
    assert "UUID" in refused.json["detail"]
    assert store.audit().live == 0


def test_100_times_in_parallel_is_one_lease(app: Flask, store: TextStore) -> None:
    def send() -> list[tuple[int, str | None]]:
        client = app.test_client()
        answers = [write(client) for _ in range(5)]
        return [(answer.status_code, answer.json.get("code")) for answer in answers]

    answers = [answer for sent in run_concurrently([send] * 20) for answer in sent]
    assert len(answers) == 100
    assert {status for status, _code in answers} <= {201, 409}
    assert len({code for status, code in answers if status == 201}) == 1
    assert store.audit().live == 1
    assert write(app.test_client()).status_code == 201


def test_a_write_under_way_is_409(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    store: TextStore = app.extensions["saver"].store
    inner: list[int] = []
    real = store.save

    def slow(new: NewText, quota: Quota | None = None) -> StoredText:
        if not inner:
            inner.append(0)
            inner[:] = [write(app.test_client(), key).status_code for key in (KEY, OTHER)]
        return real(new, quota)

    monkeypatch.setattr(store, "save", slow)
    assert write(client).status_code == 201
    assert inner == [409, 201]


def test_neither_key_nor_password_can_be_tried_on_the_database(
    client: FlaskClient, database: Database, tmp_path: Path
) -> None:
    write(client, password="CANARY-PASSWORD")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    stored += everything_stored(database)
    assert KEY.encode() not in stored
    assert b"CANARY" not in stored


def test_a_source_keeps_so_many_texts_and_no_more(make_app: Callable[..., Flask], clock: Clock) -> None:
    client = make_app(live_texts=2).test_client()
    assert [write(client, f"{KEY[:-1]}{n}").status_code for n in range(3)] == [201, 201, 429]
    other = client.post("/api/v1/write", json={"text": "x"}, environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 201
    clock.tick(600)
    assert write(client, OTHER).status_code == 201


def test_a_source_keeps_so_many_bytes_and_no_more(make_app: Callable[..., Flask]) -> None:
    client = make_app(live_bytes=10).test_client()
    answers = [client.post("/api/v1/write", json={"text": text}) for text in ("한국어", "xy", "x")]
    assert [answer.status_code for answer in answers] == [201, 429, 201]
    assert answers[1].json["type"] == "urn:saver:problem:quota"
    assert answers[1].headers["Retry-After"]


class TestANetwork:
    """An IPv6 /48 has 65,536 sources."""

    def _write(self, client: FlaskClient, source: int, text: str = "x", network: int = 1) -> Any:
        address = {"REMOTE_ADDR": f"2001:db8:{network:x}:{source:x}::1"}
        return client.post("/api/v1/write", json={"text": text}, environ_overrides=address)

    def test_keeps_so_many_texts(self, make_app: Callable[..., Flask], clock: Clock) -> None:
        client = make_app(live_texts_per_network=2).test_client()
        answers = [self._write(client, source) for source in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert answers[2].json["type"] == "urn:saver:problem:quota"
        assert self._write(client, 0, network=2).status_code == 201
        clock.tick(601)
        assert self._write(client, 9).status_code == 201

    def test_keeps_so_many_bytes(self, make_app: Callable[..., Flask]) -> None:
        client = make_app(live_bytes=10, live_bytes_per_network=14).test_client()
        answers = [self._write(client, source, "x" * 7) for source in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]

    def test_ipv4_is_in_none(self, make_app: Callable[..., Flask]) -> None:
        client = make_app(live_texts_per_network=1).test_client()
        assert [write(client, key).status_code for key in (KEY, OTHER)] == [201, 201]

    def test_a_wiped_text_has_no_network(
        self, make_app: Callable[..., Flask], database: Database, clock: Clock
    ) -> None:
        app = make_app(live_texts_per_network=2)
        self._write(app.test_client(), 1)
        assert query(database, "SELECT length(network) FROM text") == [(16,)]
        clock.tick(601)
        app.extensions["saver"].store.sweep(10)
        assert query(database, "SELECT network FROM text") == [(None,)]


def test_everybody_together_keeps_so_many_bytes(make_app: Callable[..., Flask], clock: Clock) -> None:
    client = make_app(live_bytes_in_all=10).test_client()
    answers = [client.post("/api/v1/write", json={"text": text}) for text in ("x" * 7, "x" * 4, "x" * 3)]
    assert [answer.status_code for answer in answers] == [201, 503, 201]
    assert (answers[1].json["type"], answers[1].headers["Retry-After"]) == ("urn:saver:problem:full", "60")
    assert client.get("/readyz").json["writes"] == "refused"
    clock.tick(601)
    assert client.post("/api/v1/write", json={"text": "x" * 4}).status_code == 201


def test_texts_of_the_days_before_still_count(make_app: Callable[..., Flask], clock: Clock) -> None:
    client = make_app(live_texts=1).test_client()
    assert write(client, password="pw", expires_in=2_592_000).status_code == 201
    clock.tick(29 * DAY)
    assert write(client, OTHER).status_code == 429
    clock.tick(DAY)
    assert write(client, OTHER).status_code == 201


def test_a_deleted_text_counts_no_more(make_app: Callable[..., Flask]) -> None:
    client = make_app(live_texts=1).test_client()
    written = write(client).json
    client.post("/api/v1/delete", json={"code": written["code"], "owner_token": written["owner_token"]})
    assert write(client, OTHER).status_code == 201


@pytest.mark.parametrize(
    "make_quota",
    [
        lambda: Quota([b"a" * 16], 2, 0),
        lambda: Quota([os.urandom(16)], 0, 0, Quota([b"n" * 16], 2, 0)),
    ],
    ids=["source", "network"],
)
def test_concurrent_writers_keep_to_the_quota(store: TextStore, make_quota: Callable[[], Quota]) -> None:
    def save_one() -> str:
        try:
            save(store, "x", 60, quota=make_quota())
        except (QuotaError, PoolEmptyError) as error:
            return type(error).__name__
        return "saved"

    outcomes = run_concurrently([save_one] * 20)
    assert outcomes.count("saved") == 2
    assert outcomes.count("QuotaError") == 18
