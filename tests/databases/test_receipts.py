"""Receipts in Redis: each of two servers returns what the other has noted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from saver.receipts import Receipt, ReceiptsError
from saver.receipts.redis import RedisReceipts
from saver.redis_client import make_pool
from tests.conftest import ALL_DATABASES, NOW, Clock, address_of
from tests.support.process import free_port
from tests.support.redis_server import RedisServer
from tests.support.snapshot import Database
from tests.support.threads import run_concurrently

SECRET = "one secret for all the servers, 0123456789"
LOAD, WRITE = "/api/v1/load", "/api/v1/write"
KEY = b"n" * 32
DAY = 86_400


@pytest.mark.databases(*ALL_DATABASES)
class TestReceipts:
    """Two servers on one database."""

    @pytest.fixture
    def clients(
        self, make_app: Callable[..., Flask], database: Database, redis_server: RedisServer
    ) -> tuple[FlaskClient, FlaskClient]:
        both = {"rate_limit_storage": redis_server.url, "secret_key": SECRET}
        one = make_app(**both)
        same = address_of(database) or {"database_url": f"sqlite:///{database}"}
        return one.test_client(), make_app("other", **same, **both).test_client()

    def test_each_server_returns_what_the_other_noted(
        self, clients: tuple[FlaskClient, FlaskClient], clock: Clock, tmp_path: Path
    ) -> None:
        one, other = clients
        written = one.post(WRITE, json={"text": "x", "password": "right"}).json
        code, owned = written["code"], {"code": written["code"], "owner_token": written["owner_token"]}
        for client in (one, other):
            assert client.post(LOAD, json={"code": code, "password": "wrong"}).status_code == 404
            assert client.post(LOAD, json={"code": code, "password": "right"}).status_code == 200
            clock.tick(5)
        for client in (one, other):
            receipt = client.post("/api/v1/status", json=owned).json
            assert (receipt["state"], receipt["first_loaded_at"][-9:], receipt["refused"]) == (
                "loaded",
                "08:00:00Z",
                2,
            )
        assert not list(tmp_path.rglob("receipts.db"))

    def test_a_note_goes_by_itself_when_the_code_is_free_again(
        self, clients: tuple[FlaskClient, FlaskClient], redis_server: RedisServer
    ) -> None:
        one, _other = clients
        code = one.post(WRITE, json={"text": "x"}).json["code"]
        one.post(LOAD, json={"code": code})
        [key] = redis_server.client.scan_iter("saver/receipt/*")
        assert redis_server.client.expiretime(key) == NOW + 600 + DAY


class TestRedisReceipts:
    @pytest.fixture
    def receipts(self, redis_server: RedisServer) -> RedisReceipts:
        return RedisReceipts(Redis(connection_pool=make_pool(redis_server.url, 2)))

    def test_the_first_load_wins_and_the_later_end(
        self, receipts: RedisReceipts, redis_server: RedisServer
    ) -> None:
        other = RedisReceipts(redis_server.client)
        receipts.record_refusal(KEY, NOW + 300)
        receipts.record_load(KEY, NOW, NOW + 100)
        other.record_load(KEY, NOW + 1, NOW + 200)
        other.record_refusal(KEY, NOW + 50)
        assert receipts.get(KEY) == other.get(KEY) == Receipt(NOW, 2)
        assert receipts.get(b"other") == Receipt()
        receipts.purge(NOW + 1_000)
        assert receipts.get(KEY) == Receipt(NOW, 2)
        [key] = redis_server.client.scan_iter()
        assert redis_server.client.expiretime(key) == NOW + 300

    def test_a_note_is_kept_longer_and_none_is_made(
        self, receipts: RedisReceipts, redis_server: RedisServer
    ) -> None:
        receipts.postpone_drop(KEY, NOW)
        assert not list(redis_server.client.scan_iter())
        receipts.record_load(KEY, NOW, NOW)
        for until in (NOW + 100, NOW + 50):
            receipts.postpone_drop(KEY, until)
            assert redis_server.client.expiretime(f"saver/receipt/{KEY.hex()}") == NOW + 100

    def test_concurrent_refusals_are_all_noted(self, receipts: RedisReceipts) -> None:
        run_concurrently([partial(receipts.record_refusal, KEY, NOW)] * 20)
        assert receipts.get(KEY).refused == 20

    def test_each_is_one_round_trip_and_the_second_load_none(
        self, receipts: RedisReceipts, redis_server: RedisServer
    ) -> None:
        receipts.record_load(b"before", NOW, NOW)
        receipts.record_refusal(b"before", NOW)
        receipts.postpone_drop(b"before", NOW)
        with redis_server.monitored(receipts._client) as sent:
            receipts.record_load(KEY, NOW, NOW)
            receipts.record_load(KEY, NOW, NOW)
            receipts.record_refusal(KEY, NOW)
            receipts.postpone_drop(KEY, NOW)
            receipts.get(KEY)
        assert sent == ["EVALSHA", "EVALSHA", "EVALSHA", "HMGET"]

    def test_without_redis_only_requests_for_receipts_fail(self) -> None:
        receipts = RedisReceipts(Redis(connection_pool=make_pool(f"redis://127.0.0.1:{free_port()}", 1)))
        receipts.record_load(KEY, NOW, NOW)
        receipts.record_refusal(KEY, NOW)
        receipts.postpone_drop(KEY, NOW)
        with pytest.raises(ReceiptsError, match=r"^ConnectionError$"):
            receipts.get(KEY)
